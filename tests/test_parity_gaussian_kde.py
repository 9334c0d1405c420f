"""What SciPy's tests ask of `gaussian_kde`, of `LOOKernelDensity`.

Its behaviours that no other file has, as theorems; `test_parity_inventory.py` says
which is where, and what is not here.
"""

import itertools

import numpy as np
import pytest
from conftest import ON_AWKWARD_DATA
from scipy.stats import gaussian_kde, multivariate_normal

from skdensity import LOOKernelDensity

WEIGHTED = pytest.mark.parametrize("is_weighted", [False, True])
N_FEATURES = pytest.mark.parametrize("n_features", [1, 2, 4])


def rows(n_samples, n_features, seed=0):
    """Correlated rows."""
    rng = np.random.RandomState(seed)
    return rng.standard_normal((n_samples, n_features)) @ (
        np.eye(n_features) + rng.uniform(-0.5, 0.5, (n_features, n_features))
    )


def both(n_features, is_weighted, n_samples=40):
    """SciPy's density and ours, with its kernel."""
    X = rows(n_samples, n_features)
    weight = np.random.RandomState(1).uniform(size=n_samples) if is_weighted else None
    theirs = gaussian_kde(X.T, weights=weight)
    ours = LOOKernelDensity(theirs.covariance).fit(X, sample_weight=weight)
    return theirs, ours


# ---- Values ----


@WEIGHTED
@N_FEATURES
@pytest.mark.parametrize("n_queries", [3, 500])
def test_the_density_is_scipys(n_features, is_weighted, n_queries):
    theirs, ours = both(n_features, is_weighted)
    Y = 2 * rows(n_queries, n_features, seed=2)
    np.testing.assert_allclose(ours.score_samples(Y), theirs.logpdf(Y.T), atol=1.01e-6)
    np.testing.assert_allclose(np.exp(ours.score_samples(Y)), theirs(Y.T), rtol=1.01e-6)


# What SciPy 0.10 gave for five rows at −10, −5, 0, 5 and 10; half of Silverman's factor
# at the rows; and five integers at themselves (scipy/stats/tests/test_kdeoth.py).
FIVE = [-7.0, -5, 1, 4, 5]
PUBLISHED = {
    "scott": (
        FIVE,
        5**-0.2,
        [-10, -5, 0, 5, 10],
        [0.02463386, 0.04689208, 0.05395444, 0.05337754, 0.01664475],
        5e-8,
    ),
    "half of silverman": (
        FIVE,
        0.5 * (5 * 3 / 4) ** -0.2,
        FIVE,
        [0.06292987, 0.06346938, 0.05860291, 0.08657652, 0.07904017],
        5e-7,
    ),
    "integers": (
        [0, 1, 2, 3, 4],
        5**-0.2,
        [0, 1, 2, 3, 4],
        [0.13480721, 0.18222869, 0.19514935, 0.18222869, 0.13480721],
        5e-7,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_values(name):
    X, factor, Y, expected, rounding = PUBLISHED[name]
    X, Y = np.reshape(X, (-1, 1)), np.reshape(Y, (-1, 1))
    density = LOOKernelDensity(factor * X.std(ddof=1), rtol=1e-9).fit(X)
    found = np.exp(density.score_samples(Y))
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding)


def test_the_bandwidth_may_be_set_and_set_back():
    X = np.reshape(FIVE, (-1, 1))
    density = LOOKernelDensity("scott").fit(X)
    before, chosen = density.score_samples(X), density.bandwidth_
    density.bandwidth_ = 0.5
    assert not np.allclose(density.score_samples(X), before)
    density.bandwidth_ = chosen
    np.testing.assert_array_equal(density.score_samples(X), before)


@ON_AWKWARD_DATA
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.longdouble, np.float64),
        (np.int32, np.float64),
        (np.int64, np.float64),
    ],
)
@pytest.mark.parametrize("bandwidth", ["scott", np.float32(3), np.int64(3)])
def test_types_of_values(dtype, expected, bandwidth):
    X = np.arange(5).astype(dtype)[:, None]
    density = LOOKernelDensity(bandwidth).fit(X, sample_weight=X[:, 0])
    assert density.score_samples(X).dtype == expected
    exact = LOOKernelDensity(bandwidth).fit(
        X.astype(float), sample_weight=np.arange(5.0)
    )
    np.testing.assert_allclose(
        density.score_samples(X), exact.score_samples(X.astype(float)), rtol=1e-5
    )


def test_thousands_of_features_neither_overflow_nor_underflow():
    X = np.random.RandomState(0).standard_normal((20, 2500)) + np.arange(2500)
    density = LOOKernelDensity(1.0).fit(X)
    query = np.arange(2500)[None]
    found = [density.score_samples(query)[0], density.loo_score_]
    # The densities are some e^−3,500 and e^−4,800, the nearest row's by far.
    nearest = np.sum((X - query) ** 2, axis=1).min()
    least = -(nearest + 2500 * np.log(2 * np.pi)) / 2
    assert least - np.log(20) <= found[0] <= least
    assert np.isfinite(found).all()


@ON_AWKWARD_DATA
def test_integer_weights_are_not_changed_and_are_numbers():
    weight = [1, 2, 4, 8, 16]
    X = np.reshape([0.2, 13.5, 21.0, 75.0, 99.0], (-1, 1))
    whole = LOOKernelDensity("scott").fit(X, sample_weight=weight)
    floats = LOOKernelDensity("scott").fit(X, sample_weight=np.float64(weight))
    np.testing.assert_array_equal(whole.score_samples(X), floats.score_samples(X))
    assert weight == [1, 2, 4, 8, 16]
    # The effective number of rows, SciPy's neff.
    theirs = gaussian_kde(X.T, weights=weight)
    assert 1 / np.sum(whole.weights_**2) == pytest.approx(theirs.neff, rel=1e-12)


# ---- Integrals ----


@WEIGHTED
def test_boxes_in_one_feature_are_scipys(is_weighted):
    theirs, ours = both(1, is_weighted)
    middle = np.average(theirs.dataset[0], weights=theirs.weights)
    for low, high in [(middle, np.inf), (-np.inf, middle), (-0.3, 0.8), (4.0, 9.0)]:
        expected = theirs.integrate_box_1d(low, high)
        # SciPy subtracts one distribution function from the other.
        assert ours.probability(low, high) == pytest.approx(expected, abs=1e-14)
    below, above = ours.probability(-np.inf, middle), ours.probability(middle, np.inf)
    assert below + above == pytest.approx(1, abs=1e-12)


@WEIGHTED
@N_FEATURES
def test_a_product_with_a_gaussian_is_a_density_with_a_wider_kernel(
    n_features, is_weighted
):
    theirs, ours = both(n_features, is_weighted)
    mean, covariance = np.arange(n_features) / 4, 0.5 * np.eye(n_features)
    wider = LOOKernelDensity(ours.covariance_ + covariance)
    wider.fit(ours.locations_, sample_weight=ours.weights_)
    # As the guide says: ∫ p̂(x) N(x | m, S) dx = Σ_j w_j N(m | x_j, H + S).
    found = np.exp(wider.score_samples([mean]))[0]
    expected = theirs.integrate_gaussian(mean, covariance)
    assert found == pytest.approx(expected, rel=1.01e-6)


@WEIGHTED
@N_FEATURES
def test_so_is_a_product_with_another_density(n_features, is_weighted):
    theirs, ours = both(n_features, is_weighted)
    wider = LOOKernelDensity(2 * ours.covariance_)
    wider.fit(ours.locations_, sample_weight=ours.weights_)
    found = ours.weights_ @ np.exp(wider.score_samples(ours.locations_))
    assert found == pytest.approx(theirs.integrate_kde(theirs), rel=1.01e-6)


# ---- Parts ----


@WEIGHTED
def test_every_marginal_is_scipys(is_weighted):
    theirs, ours = both(4, is_weighted)
    Y = rows(10, 4, seed=3)
    for n_some in (1, 2, 3):
        for features in itertools.permutations(range(4), n_some):
            expected = theirs.marginal(features).logpdf(Y[:, features].T)
            found = ours.marginal(features).score_samples(Y[:, features])
            np.testing.assert_allclose(found, expected, atol=1.01e-6)


# ---- Draws ----


@WEIGHTED
@N_FEATURES
def test_draws_have_the_moments_of_the_density(n_features, is_weighted):
    theirs, ours = both(n_features, is_weighted)
    draws = ours.sample(20_000, random_state=0)
    mean = theirs.dataset @ theirs.weights
    scatter = np.cov(theirs.dataset, aweights=theirs.weights, bias=True)
    expected = theirs.covariance + scatter
    # Five standard errors, of a kurtosis no larger than a Gaussian's.
    variance = np.diag(expected).max()
    np.testing.assert_allclose(
        draws.mean(axis=0), mean, atol=5 * np.sqrt(variance / 20_000)
    )
    np.testing.assert_allclose(
        np.atleast_2d(np.cov(draws.T)),
        expected,
        atol=5 * variance * (2 / 20_000) ** 0.5,
    )


@WEIGHTED
def test_draws_are_repeated_by_a_seed_and_by_nothing_else(is_weighted):
    _, density = both(2, is_weighted)
    seeded = [density.sample(9, random_state=8) for _ in range(2)]
    np.testing.assert_array_equal(*seeded)
    states = [
        density.sample(9, random_state=np.random.RandomState(8)) for _ in range(2)
    ]
    np.testing.assert_array_equal(*states)
    assert not np.array_equal(density.sample(9), density.sample(9))


# ---- Tables without a covariance ----


def test_rows_in_a_subspace_have_kernels_that_do_not_follow_it():
    X = np.random.RandomState(0).standard_normal((100, 1)) * [2, 3, 1] + [1, 10, 20]
    with pytest.raises(np.linalg.LinAlgError, match="subspace"):
        gaussian_kde(X.T)
    with pytest.raises(ValueError, match="covariance_type"):
        LOOKernelDensity("scott", covariance_type="full").fit(X)
    density = LOOKernelDensity("scott").fit(X)
    assert np.isfinite(density.score_samples(X)).all()


def test_fewer_rows_than_features_are_a_density_but_no_full_kernel():
    X = np.random.RandomState(0).standard_normal((3, 5))
    with pytest.raises(ValueError, match="dimensions"):
        gaussian_kde(X.T)
    with pytest.raises(ValueError, match="covariance_type"):
        LOOKernelDensity("scott", covariance_type="full").fit(X)
    density = LOOKernelDensity("scott").fit(X)
    h, query = density.bandwidth_, np.zeros((1, 5))
    parts = [multivariate_normal(x, h**2).pdf(query) for x in X]
    np.testing.assert_allclose(
        np.exp(density.score_samples(query)), np.mean(parts), rtol=1.01e-6
    )
