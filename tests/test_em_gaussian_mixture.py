"""EMGaussianMixture: scikit-learn's GaussianMixture, and what it should have been."""

import itertools

import numpy as np
import pytest
from conftest import (
    MATRICES,
    STARTS_ON_ROWS,
    TYPES,
    UNTIED,
    dense_covariances,
    scipys_log_joint,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES

THEIR_TYPES = ["full", "tied", "diag", "spherical"]


def test_has_all_parameters_and_attributes_of_gaussian_mixture(iris):
    theirs, ours = GaussianMixture(3, random_state=0), EMGaussianMixture(3)
    better = {
        "tol": 1e-4,
        "reg_covar": "auto",
        "max_iter": 1000,
        "init_params": "small_em",
    }
    defaults = (
        GaussianMixture().get_params()
        | better
        | {
            "acceleration": "auto",
            "n_stepwise_passes": 0,
            "step_power": 0.6,
            "step_offset": 1.0,
            "n_jobs": None,
        }
    )
    assert EMGaussianMixture().get_params() == defaults
    theirs.fit(iris)
    ours.fit(iris)
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            assert np.shape(getattr(ours, name)) == np.shape(value) or (
                name == "lower_bounds_"
            )


@pytest.mark.parametrize("covariance_type", THEIR_TYPES)
@pytest.mark.parametrize("max_iter", [1, 2, 10])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_equals_gaussian_mixture_from_the_same_start(iris, covariance_type, max_iter):
    rng = np.random.RandomState(0)
    family = FAMILIES[covariance_type]
    free = 0.3 * rng.standard_normal(family.shape.n_parameters(3, 4))
    cholesky = family.free.unravel(free, 3, 4)
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "tol": 0,
        "reg_covar": 1e-6,
        "max_iter": max_iter,
        "weights_init": [0.2, 0.3, 0.5],
        "means_init": iris[[0, 60, 120]],
        "precisions_init": family.shape.public(family.factors.square(cholesky)),
    }
    if covariance_type in MATRICES:
        # `square` of a lower factor is as good a positive definite matrix as any.
        assert np.linalg.eigvalsh(parameters["precisions_init"]).min() > 0
    theirs = GaussianMixture(**parameters).fit(iris)
    ours = EMGaussianMixture(**parameters).fit(iris)
    np.testing.assert_allclose(
        ours.score_samples(iris), theirs.score_samples(iris), rtol=1e-9
    )
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=1e-12)
    np.testing.assert_allclose(
        ours.predict_proba(iris), theirs.predict_proba(iris), atol=1e-9
    )
    assert (ours.predict(iris) == theirs.predict(iris)).all()
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9
        )
    for criterion in ("aic", "bic"):
        expected = getattr(theirs, criterion)(iris)
        assert getattr(ours, criterion)(iris) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("covariance_type", "precisions"),
    [("tied_diag", [1.0, 2.0, 3.0, 4.0]), ("tied_spherical", 2.0)],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_step_written_out(iris, covariance_type, precisions):
    weight = np.random.RandomState(0).uniform(0.5, 2, len(iris))
    weights, means = [0.2, 0.3, 0.5], iris[[0, 60, 120]]
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        max_iter=1,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    ).fit(iris, sample_weight=weight)
    covariances = dense_covariances(covariance_type, 1 / np.array(precisions), 3, 4)
    shares = np.exp(scipys_log_joint(iris, weights, means, covariances))
    shares *= (weight / shares.sum(axis=1))[:, None]
    means = [np.average(iris, axis=0, weights=share) for share in shares.T]
    variances = np.zeros(4)
    for i, k in np.ndindex(shares.shape):
        variances += shares[i, k] * (iris[i] - means[k]) ** 2 / weight.sum()
    np.testing.assert_allclose(mixture.weights_, shares.sum(axis=0) / weight.sum())
    np.testing.assert_allclose(mixture.means_, means)
    np.testing.assert_allclose(
        mixture.covariances_,
        variances if covariance_type == "tied_diag" else variances.mean(),
    )


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("tied_spherical", "tied_diag"),
        ("tied_spherical", "spherical"),
        ("tied_diag", "tied"),
        ("tied_diag", "diag"),
        ("spherical", "diag"),
        ("tied", "full"),
        ("diag", "full"),
    ],
)
def test_freer_covariances_are_more_likely(iris, less, more):
    parameters = {"n_components": 3, "reg_covar": 0, "tol": 1e-6, "max_iter": 1000}
    few = EMGaussianMixture(covariance_type=less, random_state=0, **parameters)
    few.fit(iris)
    precisions = FAMILIES[less].shape.inner(few.precisions_)
    if more in MATRICES and less not in MATRICES:
        precisions = FAMILIES[less].shape.matrices(precisions, 4)
    shape = FAMILIES[more].shape
    precisions = np.broadcast_to(precisions, shape.inner_shape(3, 4))
    many = EMGaussianMixture(
        covariance_type=more,
        weights_init=few.weights_,
        means_init=few.means_,
        precisions_init=shape.public(precisions),
        **parameters,
    ).fit(iris)
    assert many.lower_bounds_[0] == pytest.approx(few.score(iris), rel=1e-12)
    assert many.lower_bound_ > few.score(iris)


# From single rows, scikit-learn's tied start is the scatter of all rows over the number
# of components; here it is that of the rows it starts from, as for the other types.
@pytest.mark.parametrize(
    ("init_params", "covariance_type"),
    [
        ("kmeans", "tied"),
        ("random", "tied"),
        *itertools.product(
            [name for name in STARTS_ON_ROWS if name != "small_em"],
            UNTIED,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*coincide")  # of one Gaussian, some do
def test_seeds_mean_what_they_mean_in_scikit_learn(init_params, covariance_type):
    X = np.random.RandomState(0).standard_normal((300, 3)) * [1, 2, 3]
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "init_params": init_params,
        "random_state": 7,
        "reg_covar": 1e-6,
        "max_iter": 20,
        "tol": 0,
    }
    theirs = GaussianMixture(**parameters).fit(X)
    ours = EMGaussianMixture(**parameters).fit(X)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_step_lowers_the_likelihood(iris, covariance_type):
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        tol=0,
        max_iter=100,
        init_params="random",
        random_state=0,
    ).fit(iris)
    # Once converged, the likelihood moves by rounding: a few ulp of a sum of 150 terms.
    assert np.diff(mixture.lower_bounds_).min() >= -1e-13
    assert mixture.score(iris) >= mixture.lower_bound_ - 1e-13


@pytest.mark.parametrize("covariance_type", TYPES)
def test_an_offset_of_1e8_is_harmless(iris, covariance_type):
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "max_iter": 20,
        "tol": 0,
        "weights_init": np.ones(3) / 3,
        "precisions_init": np.ones(FAMILIES[covariance_type].shape.public_shape(3, 4)),
    }
    if covariance_type in MATRICES:
        parameters["precisions_init"] = parameters["precisions_init"] * np.eye(4)
    near = EMGaussianMixture(means_init=iris[[0, 60, 120]], **parameters)
    far = EMGaussianMixture(means_init=iris[[0, 60, 120]] + 1e8, **parameters)
    with pytest.warns(ConvergenceWarning):
        expected = near.fit(iris).score_samples(iris)
    with pytest.warns(ConvergenceWarning):
        actual = far.fit(iris + 1e8).score_samples(iris + 1e8)
    # X + 1e8 keeps 8 digits after the point.
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_more_starts_are_never_worse(iris):
    one, ten = (
        EMGaussianMixture(
            3, n_init=n, init_params="random_from_data", max_iter=500, random_state=0
        ).fit(iris)
        for n in (1, 10)
    )
    assert ten.lower_bound_ > one.lower_bound_ + 1e-3


def test_max_iter_zero_returns_the_given_start_with_all_attributes(iris):
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": iris[[0, 100]],
        "precisions_init": [1.0, 4.0],
    }
    mixture = EMGaussianMixture(2, covariance_type="spherical", max_iter=0, **start)
    mixture.fit(iris)
    np.testing.assert_array_equal(mixture.means_, iris[[0, 100]])
    np.testing.assert_allclose(mixture.covariances_, [1.0, 0.25])
    assert (mixture.n_iter_, mixture.lower_bounds_) == (0, [])


def test_parameters_are_left_as_they_were_given(iris):
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": [[5.0, 3.0, 1.0, 0.0], [6.0, 3.0, 5.0, 2.0]],
        "precisions_init": [[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]],
    }
    mixture = EMGaussianMixture(2, covariance_type="diag", **start).fit(iris)
    for name, value in start.items():
        assert getattr(mixture, name) is value


@pytest.mark.filterwarnings("ignore:.*(reg_covar|coincide):UserWarning")
def test_more_components_than_distinct_rows():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    for init_params in ("random", "random_from_data"):
        mixture = EMGaussianMixture(5, init_params=init_params, random_state=0).fit(X)
        assert np.isfinite(mixture.score_samples(X)).all()
    with pytest.raises(ValueError, match=r"component \d+ is not positive.*`reg_covar`"):
        EMGaussianMixture(5, init_params="random", reg_covar=0, random_state=0).fit(X)


def test_warns_with_the_knobs(iris):
    with pytest.warns(
        ConvergenceWarning,
        match=r"EMGaussianMixture used all 2 iterations.*tol=1e-12.*`max_iter`",
    ):
        EMGaussianMixture(3, max_iter=2, tol=1e-12).fit(iris)
