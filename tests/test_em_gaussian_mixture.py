"""EMGaussianMixture: scikit-learn's GaussianMixture, and what it should have been."""

import inspect
import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.mixture.tests import test_gaussian_mixture as their_tests

from skdensity import EMGaussianMixture
from skdensity.models.covariances import FAMILIES

TYPES = list(FAMILIES)
THEIR_TYPES = ["full", "tied", "diag", "spherical"]

# Those of scikit-learn's tests that use its public interface and do not compare the
# text of messages.
THEIR_PUBLIC_TESTS = [
    "test_gaussian_mixture_attributes",
    "test_gaussian_mixture_predict_predict_proba",
    "test_gaussian_mixture_fit_predict",
    "test_gaussian_mixture_fit_predict_n_init",
    "test_gaussian_mixture_fit",
    "test_gaussian_mixture_fit_best_params",
    "test_multiple_init",
    "test_gaussian_mixture_n_parameters",
    "test_bic_1d_1component",
    "test_gaussian_mixture_aic_bic",
    "test_gaussian_mixture_verbose",
    "test_warm_start",
    "test_convergence_detected_with_warm_start",
    "test_score_samples",
    "test_monotonic_likelihood",
    "test_sample",
    "test_init",
    "test_gaussian_mixture_setting_best_params",
    "test_init_means_not_duplicated",
    "test_means_for_all_inits",
    "test_max_iter_zero",
    "test_gaussian_mixture_precisions_init_diag",
    "test_gaussian_mixture_single_component_stable",
]


@pytest.fixture(scope="module")
def X():
    return load_iris().data


def arguments_of(test):
    """Every combination of the arguments that a test is parametrised over."""
    fixtures = {
        "global_dtype": [np.float32, np.float64],
        "global_random_seed": range(3),
    }
    columns = []
    marks = getattr(test, "pytestmark", [])
    for mark in (mark for mark in marks if mark.name == "parametrize"):
        names, values = mark.args[:2]
        names = [n.strip() for n in names.split(",")] if "," in names else [names]
        rows = [row if len(names) > 1 else [row] for row in values]
        columns.append([dict(zip(names, row, strict=True)) for row in rows])
    named = {name for column in columns for name in column[0]}
    for name in inspect.signature(test).parameters:
        if name not in named:
            columns.append([{name: value} for value in fixtures[name]])
    for combination in itertools.product(*columns):
        yield {name: v for part in combination for name, v in part.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIR_PUBLIC_TESTS)
def test_passes_scikit_learns_own_tests(monkeypatch, name):
    # Some of them compare the class name in a message.
    drop_in = type("GaussianMixture", (EMGaussianMixture,), {})
    monkeypatch.setattr(their_tests, "GaussianMixture", drop_in)
    # One of them computes what its default start leads to.
    defaults = EMGaussianMixture.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "init_params", "kmeans")
    test = getattr(their_tests, name)
    for arguments in arguments_of(test):
        test(**arguments)


def test_has_all_parameters_and_attributes_of_gaussian_mixture(X):
    theirs, ours = GaussianMixture(3, random_state=0), EMGaussianMixture(3)
    better = {"tol": 1e-6, "max_iter": 1000, "init_params": "small_em"}
    defaults = (
        GaussianMixture().get_params()
        | better
        | {
            "acceleration": None,
            "n_jobs": None,
        }
    )
    assert EMGaussianMixture().get_params() == defaults
    theirs.fit(X)
    ours.fit(X)
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            assert np.shape(getattr(ours, name)) == np.shape(value) or (
                name == "lower_bounds_"
            )


@pytest.mark.parametrize("covariance_type", THEIR_TYPES)
@pytest.mark.parametrize("max_iter", [1, 2, 10])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_equals_gaussian_mixture_from_the_same_start(X, covariance_type, max_iter):
    rng = np.random.RandomState(0)
    family = FAMILIES[covariance_type]
    cholesky = family.unravel(
        0.3 * rng.standard_normal(family.n_parameters(3, 4)), 3, 4
    )
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "tol": 0,
        "max_iter": max_iter,
        "weights_init": [0.2, 0.3, 0.5],
        "means_init": X[[0, 60, 120]],
        "precisions_init": family.public(family.square(cholesky)),
    }
    if family.rank == 2:
        # `square` of a lower factor is as good a positive definite matrix as any.
        assert np.linalg.eigvalsh(parameters["precisions_init"]).min() > 0
    theirs = GaussianMixture(**parameters).fit(X)
    ours = EMGaussianMixture(**parameters).fit(X)
    np.testing.assert_allclose(
        ours.score_samples(X), theirs.score_samples(X), rtol=1e-9
    )
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=1e-12)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9
    )
    assert (ours.predict(X) == theirs.predict(X)).all()
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9
        )
    for criterion in ("aic", "bic"):
        expected = getattr(theirs, criterion)(X)
        assert getattr(ours, criterion)(X) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("covariance_type", "precisions"),
    [("tied_diag", [1.0, 2.0, 3.0, 4.0]), ("tied_spherical", 2.0)],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_step_written_out(X, covariance_type, precisions):
    weight = np.random.RandomState(0).uniform(0.5, 2, len(X))
    weights, means = [0.2, 0.3, 0.5], X[[0, 60, 120]]
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        max_iter=1,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    ).fit(X, sample_weight=weight)
    covariance = np.diag(1 / (np.ones(4) * precisions))
    shares = np.zeros((len(X), 3))
    for k in range(3):
        shares[:, k] = weights[k] * multivariate_normal(means[k], covariance).pdf(X)
    shares *= (weight / shares.sum(axis=1))[:, None]
    means = [np.average(X, axis=0, weights=share) for share in shares.T]
    variances = np.zeros(4)
    for i, k in np.ndindex(shares.shape):
        variances += shares[i, k] * (X[i] - means[k]) ** 2 / weight.sum()
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
def test_freer_covariances_are_more_likely(X, less, more):
    parameters = {"n_components": 3, "reg_covar": 0, "tol": 1e-6, "max_iter": 1000}
    few = EMGaussianMixture(covariance_type=less, random_state=0, **parameters).fit(X)
    precisions = FAMILIES[less].inner(few.precisions_)
    if FAMILIES[more].rank > FAMILIES[less].rank:
        precisions = FAMILIES[less].matrices(precisions, 4)
    precisions = np.broadcast_to(precisions, FAMILIES[more].shape(3, 4))
    many = EMGaussianMixture(
        covariance_type=more,
        weights_init=few.weights_,
        means_init=few.means_,
        precisions_init=FAMILIES[more].public(precisions),
        **parameters,
    ).fit(X)
    assert many.lower_bounds_[0] == pytest.approx(few.score(X), rel=1e-12)
    assert many.lower_bound_ > few.score(X)


# From single rows, scikit-learn's tied start is the scatter of all rows over the number
# of components; here it is that of the rows it starts from, as for the other types.
@pytest.mark.parametrize(
    ("init_params", "covariance_type"),
    [
        ("kmeans", "tied"),
        ("random", "tied"),
        *itertools.product(
            ["kmeans", "k-means++", "random", "random_from_data"],
            ["full", "diag", "spherical"],
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_seeds_mean_what_they_mean_in_scikit_learn(init_params, covariance_type):
    X = np.random.RandomState(0).standard_normal((300, 3)) * [1, 2, 3]
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "init_params": init_params,
        "random_state": 7,
        "max_iter": 20,
        "tol": 0,
    }
    theirs = GaussianMixture(**parameters).fit(X)
    ours = EMGaussianMixture(**parameters).fit(X)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_step_lowers_the_likelihood(X, covariance_type):
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        tol=0,
        max_iter=100,
        init_params="random",
        random_state=0,
    ).fit(X)
    # Once converged, the likelihood moves by rounding: a few ulp of a sum of 150 terms.
    assert np.diff(mixture.lower_bounds_).min() >= -1e-13
    assert mixture.score(X) >= mixture.lower_bound_ - 1e-13


@pytest.mark.parametrize("covariance_type", TYPES)
def test_an_offset_of_1e8_is_harmless(X, covariance_type):
    parameters = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "max_iter": 20,
        "tol": 0,
        "weights_init": np.ones(3) / 3,
        "precisions_init": np.ones(FAMILIES[covariance_type].public_shape(3, 4)),
    }
    if FAMILIES[covariance_type].rank == 2:
        parameters["precisions_init"] = parameters["precisions_init"] * np.eye(4)
    near = EMGaussianMixture(means_init=X[[0, 60, 120]], **parameters)
    far = EMGaussianMixture(means_init=X[[0, 60, 120]] + 1e8, **parameters)
    with pytest.warns(ConvergenceWarning):
        expected = near.fit(X).score_samples(X)
    with pytest.warns(ConvergenceWarning):
        actual = far.fit(X + 1e8).score_samples(X + 1e8)
    # X + 1e8 keeps 8 digits after the point.
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_more_starts_are_never_worse(X):
    one, ten = (
        EMGaussianMixture(
            4, n_init=n, init_params="random_from_data", max_iter=500, random_state=3
        ).fit(X)
        for n in (1, 10)
    )
    assert ten.lower_bound_ > one.lower_bound_ + 1e-3


def test_max_iter_zero_returns_the_given_start_with_all_attributes(X):
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": X[[0, 100]],
        "precisions_init": [1.0, 4.0],
    }
    mixture = EMGaussianMixture(2, covariance_type="spherical", max_iter=0, **start)
    mixture.fit(X)
    np.testing.assert_array_equal(mixture.means_, X[[0, 100]])
    np.testing.assert_allclose(mixture.covariances_, [1.0, 0.25])
    assert (mixture.n_iter_, mixture.lower_bounds_) == (0, [])


def test_parameters_are_left_as_they_were_given(X):
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": [[5.0, 3.0, 1.0, 0.0], [6.0, 3.0, 5.0, 2.0]],
        "precisions_init": [[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]],
    }
    mixture = EMGaussianMixture(2, covariance_type="diag", **start).fit(X)
    for name, value in start.items():
        assert getattr(mixture, name) is value


def test_more_components_than_distinct_rows():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    for init_params in ("random", "random_from_data"):
        mixture = EMGaussianMixture(5, init_params=init_params, random_state=0).fit(X)
        assert np.isfinite(mixture.score_samples(X)).all()
    with pytest.raises(ValueError, match=r"component \d+ is not positive.*`reg_covar`"):
        EMGaussianMixture(5, init_params="random", reg_covar=0, random_state=0).fit(X)


def test_a_component_without_rows_is_revived():
    X = np.random.RandomState(0).standard_normal((50, 1))
    mixture = EMGaussianMixture(
        2,
        means_init=[[0.0], [1e6]],
        weights_init=[0.5, 0.5],
        precisions_init=[[[1]]] * 2,
    ).fit(X)
    assert mixture.weights_.min() > 0
    assert np.abs(mixture.means_).max() < np.abs(X).max()
    assert mixture.score(X) > EMGaussianMixture(1).fit(X).score(X)


def test_warns_with_the_knobs(X):
    with pytest.warns(
        ConvergenceWarning,
        match=r"EMGaussianMixture used all 2 iterations.*tol=1e-12.*`max_iter`",
    ):
        EMGaussianMixture(3, max_iter=2, tol=1e-12).fit(X)
