"""What scikit-learn's tests ask of `GaussianMixture`, of both mixtures.

Its tests themselves are run on `EMGaussianMixture` in `test_scikit_learn.py`. Here are
the theorems behind them, for every covariance type, where no other file has them;
`test_parity_inventory.py` says which is where.
"""

import numpy as np
import pytest
from conftest import (
    MATRICES,
    MIXTURES,
    STARTS_ON_ROWS,
    TYPES,
    dense_covariances,
    read_only,
)
from scipy.stats import norm
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from skdensity import EMGaussianMixture

EACH_TYPE = pytest.mark.parametrize("covariance_type", TYPES)
EACH_START = pytest.mark.parametrize("init_params", STARTS_ON_ROWS)
SHORT = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Two components that are ten deviations apart.
WEIGHTS, MEANS = np.array([0.4, 0.6]), np.array([[0.0, 0.0], [20.0, -10.0]])
COVARIANCES = {
    "full": np.array([[[1, 0.5], [0.5, 2]], [[3, -1], [-1, 1]]]),
    "tied": np.array([[1, 0.5], [0.5, 2]]),
    "diag": np.array([[1.0, 2], [3, 1]]),
    "tied_diag": np.array([1.0, 2]),
    "spherical": np.array([1.0, 3]),
    "tied_spherical": 2.0,
}


@pytest.fixture(params=MIXTURES)
def Mixture(request):
    return request.param


def rows_of(covariance_type):
    """400 rows of the two components, and their labels."""
    mixture = EMGaussianMixture.from_parameters(
        WEIGHTS, MEANS, COVARIANCES[covariance_type], covariance_type=covariance_type
    )
    X, y = mixture.sample(400, random_state=0)
    return read_only(X), y


def start_of(covariance_type):
    """The parameters that the rows were drawn from, as a start."""
    covariances = COVARIANCES[covariance_type]
    is_matrix = covariance_type in MATRICES
    precisions = np.linalg.inv(covariances) if is_matrix else 1 / covariances
    return {
        "weights_init": WEIGHTS,
        "means_init": MEANS,
        "precisions_init": precisions,
    }


def dense(mixture):
    """The covariance matrices of a fitted mixture."""
    return dense_covariances(
        mixture.covariance_type, mixture.covariances_, *mixture.means_.shape
    )


# ---- Parameters and the density that they are of ----


def test_the_density_is_the_same_however_a_covariance_is_written(Mixture):
    X = np.random.RandomState(0).uniform(-5, 25, (50, 2))
    parts = [
        weight * norm.pdf(X, mean, np.sqrt(2)).prod(axis=1)
        for weight, mean in zip(WEIGHTS, MEANS, strict=True)
    ]
    expected = np.log(np.sum(parts, axis=0))
    two = 2 * np.eye(2)  # which is of every type
    written = {
        "full": [two, two],
        "tied": two,
        "diag": [[2, 2], [2, 2]],
        "tied_diag": [2, 2],
        "spherical": [2, 2],
        "tied_spherical": 2,
    }
    for name, covariances in written.items():
        mixture = Mixture.from_parameters(
            WEIGHTS, MEANS, covariances, covariance_type=name
        )
        np.testing.assert_allclose(mixture.score_samples(X), expected, rtol=1e-12)


def test_simpler_covariances_are_averages_of_the_full_ones(Mixture, iris):
    shares = np.random.RandomState(0).dirichlet(np.ones(3), len(iris))
    full = [np.cov(iris.T, aweights=share, bias=True) for share in shares.T]
    pooled = np.tensordot(shares.mean(axis=0), full, 1)
    variances = np.array([np.diag(covariance) for covariance in full])
    expected = {
        "full": full,
        "tied": pooled,
        "diag": variances,
        "tied_diag": np.diag(pooled),
        "spherical": variances.mean(axis=1),
        "tied_spherical": np.diag(pooled).mean(),
    }
    for name, covariances in expected.items():
        mixture = Mixture(
            3, covariance_type=name, init_params=shares, max_iter=0, reg_covar=0
        ).fit(iris)
        np.testing.assert_allclose(mixture.weights_, shares.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(mixture.covariances_, covariances, rtol=1e-9)


@EACH_TYPE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precisions_invert_covariances(Mixture, covariance_type, dtype):
    X = rows_of(covariance_type)[0].astype(dtype)
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    precisions, factors = (
        dense_covariances(covariance_type, public, 2, 2)
        for public in (mixture.precisions_, mixture.precisions_cholesky_)
    )
    # Rounding of a covariance of condition 10 at most.
    tolerance = 100 * np.finfo(dtype).eps
    for covariance, precision, factor in zip(
        dense(mixture), precisions, factors, strict=True
    ):
        np.testing.assert_allclose(covariance @ precision, np.eye(2), atol=tolerance)
        np.testing.assert_allclose(factor @ factor.T, precision, rtol=0, atol=tolerance)
        assert factor[1, 0] == 0


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_criteria_are_those_of_scikit_learn(Mixture, covariance_type):
    X, _ = rows_of(covariance_type)
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    theirs = EMGaussianMixture.from_parameters(
        mixture.weights_,
        mixture.means_,
        mixture.covariances_,
        covariance_type=covariance_type,
    ).to_sklearn()
    assert mixture.aic(X) == pytest.approx(theirs.aic(X), rel=1e-12)
    assert mixture.bic(X) == pytest.approx(theirs.bic(X), rel=1e-12)


def test_one_component_of_one_feature_has_one_bic(Mixture):
    X = np.random.RandomState(0).standard_normal((100, 1))
    # The closed form: ℓ = −n (1 + log 2πs²) / 2 with two parameters.
    minus_two_l = 100 * (1 + np.log(2 * np.pi * X.var()))
    for name in TYPES:
        mixture = Mixture(covariance_type=name, reg_covar=0).fit(X)
        assert mixture.bic(X) == pytest.approx(minus_two_l + 2 * np.log(100), rel=1e-9)
        assert mixture.aic(X) == pytest.approx(minus_two_l + 4, rel=1e-9)


# ---- Fits ----


@EACH_TYPE
def test_components_apart_are_recovered_with_their_labels(Mixture, covariance_type):
    X, y = rows_of(covariance_type)
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    shares = mixture.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    labels = mixture.predict(X)
    np.testing.assert_array_equal(labels, shares.argmax(axis=1))
    # Ten deviations apart, one label in 10^6 is wrong.
    assert adjusted_rand_score(y, labels) == 1
    # Five standard errors of shares, means and second moments of some 150 rows.
    order = mixture.means_[:, 0].argsort()
    np.testing.assert_allclose(mixture.weights_[order], WEIGHTS, atol=5 * 0.5 / 20)
    sd = np.sqrt(3 / 150)
    np.testing.assert_allclose(mixture.means_[order], MEANS, atol=5 * sd)
    expected = dense_covariances(covariance_type, COVARIANCES[covariance_type], 2, 2)
    np.testing.assert_allclose(
        dense(mixture)[order], expected, atol=5 * 3 * 2 / 150**0.5
    )


@SHORT
@EACH_TYPE
def test_fit_predict_is_fit_then_predict_wherever_a_fit_stops(Mixture, covariance_type):
    X = np.random.RandomState(0).standard_normal((200, 3))
    for options in ({"max_iter": 2}, {"max_iter": 20, "n_init": 3}):
        mixture = Mixture(3, covariance_type=covariance_type, random_state=0, **options)
        labels = mixture.fit_predict(X)
        np.testing.assert_array_equal(labels, mixture.predict(X))
        np.testing.assert_array_equal(labels, clone(mixture).fit(X).predict(X))


@SHORT
@pytest.mark.parametrize("seed", range(5))
def test_with_more_starts_the_bound_is_never_lower(Mixture, seed):
    X = np.random.RandomState(seed).standard_normal((50, 2))
    one, ten = (
        Mixture(
            2, n_init=n, max_iter=1, init_params="random_from_data", random_state=seed
        ).fit(X)
        for n in (1, 10)
    )
    assert ten.lower_bound_ >= one.lower_bound_


@EACH_TYPE
def test_a_fit_that_is_cut_short_is_complete_and_says_so(
    Mixture, covariance_type, iris
):
    mixture = Mixture(
        3, covariance_type=covariance_type, max_iter=1, tol=1e-9, random_state=0
    )
    with pytest.warns(match="max_iter"):
        mixture.fit(iris)
    assert not mixture.converged_
    assert mixture.n_iter_ == len(mixture.lower_bounds_) == 1
    assert np.isfinite(mixture.lower_bound_)
    assert np.isfinite(mixture.score(iris))
    assert np.isfinite(mixture.precisions_).all()


@SHORT
def test_short_fits_from_where_the_last_one_stopped_converge(Mixture, overlapping):
    X = overlapping[:300]
    # Adam stops on its third plateau of 50 epochs, all of them in one fit.
    n_iter = 20 if Mixture is EMGaussianMixture else 200
    mixture = Mixture(2, max_iter=n_iter, warm_start=True, random_state=0)
    for _ in range(20):
        mixture.fit(X)
        assert mixture.n_iter_ <= n_iter
        if mixture.converged_:
            break
    assert mixture.converged_
    whole = clone(mixture).set_params(max_iter=2000, warm_start=False).fit(X)
    # Both are within `tol` of the same optimum, for each of two rules' stops.
    assert mixture.score(X) == pytest.approx(whole.score(X), abs=2 * mixture.tol)


@EACH_TYPE
def test_three_rows_are_enough_for_one_component(Mixture, covariance_type):
    X = np.random.RandomState(0).standard_normal((3, 2))
    mixture = Mixture(covariance_type=covariance_type, random_state=0).fit(X)
    assert np.isfinite(mixture.score_samples(X)).all()
    assert np.isfinite(mixture.sample(5)[0]).all()


@pytest.mark.parametrize("n_samples", [1, 2, 7, 100])
def test_a_sample_has_the_rows_and_labels_that_are_asked_for(Mixture, n_samples):
    mixture = Mixture.from_parameters(WEIGHTS, MEANS, COVARIANCES["full"])
    X, y = mixture.sample(n_samples)
    assert X.shape == (n_samples, 2)
    assert y.shape == (n_samples,)
    assert set(y) <= {0, 1}


# ---- Starts ----


@SHORT
@EACH_TYPE
def test_a_whole_start_is_left_alone_and_needs_no_other(Mixture, covariance_type):
    X, _ = rows_of(covariance_type)
    start = start_of(covariance_type)
    before = {name: np.array(value) for name, value in start.items()}
    fits = [
        Mixture(
            2,
            covariance_type=covariance_type,
            max_iter=5,
            init_params=name,
            random_state=seed,
            **start,
        ).fit(X)
        for name, seed in (("kmeans", 0), ("random", 1))
    ]
    for name in ("weights_", "means_", "covariances_"):
        np.testing.assert_array_equal(*(getattr(fit, name) for fit in fits))
    for name, value in before.items():
        assert getattr(fits[0], name) is start[name]
        np.testing.assert_array_equal(start[name], value)


@EACH_TYPE
def test_a_start_by_labels_is_that_by_their_parameters(Mixture, covariance_type):
    X, y = rows_of(covariance_type)
    by_labels = Mixture(
        2, covariance_type=covariance_type, init_params=y, random_state=0, reg_covar=0
    )
    start = clone(by_labels).set_params(max_iter=0).fit(X)
    by_parameters = clone(by_labels).set_params(
        weights_init=start.weights_,
        means_init=start.means_,
        precisions_init=start.precisions_,
    )
    by_labels.fit(X)
    by_parameters.fit(X)
    assert by_labels.n_iter_ == by_parameters.n_iter_
    np.testing.assert_allclose(
        by_labels.score_samples(X), by_parameters.score_samples(X), rtol=1e-7
    )


@SHORT
@EACH_START
@pytest.mark.parametrize("seed", range(3))
def test_means_begin_apart_and_stay_among_the_rows(
    Mixture, init_params, seed, overlapping
):
    X = overlapping[:200]
    # One covariance for both: none of them can shrink to a few rows.
    mixture = Mixture(
        2, covariance_type="tied", init_params=init_params, random_state=seed
    )
    for max_iter in (0, 100):
        mixture.set_params(max_iter=max_iter).fit(X)
        assert not np.allclose(*mixture.means_)
        assert np.all(mixture.means_ >= X.min(axis=0))
        assert np.all(mixture.means_ <= X.max(axis=0))
