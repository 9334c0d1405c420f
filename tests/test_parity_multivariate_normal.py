"""What SciPy's tests ask of `multivariate_normal`, of the densities of one Gaussian.

Its behaviours that no other file has, as theorems; `test_parity_inventory.py` says
which is where, and what is not here.
"""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import multivariate_normal, norm

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
)
from skdensity.information import entropy

LOCATION = np.array([1.0, 3.0, 2.0])
COVARIANCE = np.array([[1.0, 2.0, 0.0], [2.0, 5.0, 0.5], [0.0, 0.5, 3.0]])
# Values that R's mnormt gave: dmnorm and pmnorm at x, 3x − 2, x + cos(3x − 2), and
# pmnorm of the first two, for x from 0 to 2 (scipy/stats/tests/test_multivariate.py).
MNORMT_DENSITY = [0.0002214706, 0.0013819953, 0.0049138692, 0.0103803050, 0.0140250800]
MNORMT_BELOW = [0.0017866215, 0.0267142892, 0.0857098761, 0.1063242573, 0.2501068509]
MNORMT_BELOW_OF_TWO = [0.01262147, 0.05838989, 0.18389571, 0.40696599, 0.66470577]


def mixture_of_one(Mixture, location, covariance):
    return Mixture.from_parameters([1.0], [location], [covariance])


MAKERS = {
    "GaussianMLE": GaussianMLE.from_parameters,
    "CholeskyGaussian": CholeskyGaussian.from_parameters,
    "EMGaussianMixture": lambda *given: mixture_of_one(EMGaussianMixture, *given),
    "AdamGaussianMixture": lambda *given: mixture_of_one(AdamGaussianMixture, *given),
}


@pytest.fixture(params=MAKERS)
def make(request):
    """What makes a density of one Gaussian from a mean and a covariance."""
    return MAKERS[request.param]


@pytest.fixture
def density(make):
    return make(LOCATION, COVARIANCE)


def mnormt_rows():
    x = np.linspace(0, 2, 5)
    y = 3 * x - 2
    return np.column_stack([x, y, x + np.cos(y)])


def rows_of(density, n_samples, random_state=0):
    """A sample without the labels that mixtures add."""
    draws = density.sample(n_samples, random_state=random_state)
    return draws[0] if isinstance(draws, tuple) else draws


# ---- Densities ----


def test_published_densities(density):
    found = np.exp(density.score_samples(mnormt_rows()))
    np.testing.assert_allclose(found, MNORMT_DENSITY, rtol=0, atol=5e-11)


def test_rows_have_the_same_density_alone_and_together(density):
    X = np.random.RandomState(0).standard_normal((6, 3))
    alone = [density.score_samples(row[None])[0] for row in X]
    np.testing.assert_allclose(density.score_samples(X), alone, rtol=1e-13)


def test_in_one_feature_it_is_the_normal_distribution(make):
    x = np.linspace(-4, 6, 21)
    density, normal = make([1.2], [[0.9]]), norm(1.2, np.sqrt(0.9))
    for ours, theirs in [
        (density.score_samples, normal.logpdf),
        (density.cdf, normal.cdf),
        (density.sf, normal.sf),
    ]:
        np.testing.assert_allclose(ours(x[:, None]), theirs(x), rtol=1e-12)
    q = [0.0, 1e-9, 0.3, 0.5, 0.999, 1.0]
    np.testing.assert_allclose(density.quantile(q), normal.ppf(q), rtol=1e-9)


def test_a_determinant_may_overflow(make):
    n_features, log_variance = 100, 10.0
    density = make(np.zeros(n_features), np.exp(log_variance) * np.eye(n_features))
    expected = -n_features / 2 * (np.log(2 * np.pi) + log_variance)
    found = density.score_samples(np.zeros((1, n_features)))[0]
    assert found == pytest.approx(expected, rel=1e-13)


def test_what_has_no_density_is_refused(make):
    # SciPy takes the first with allow_singular=True, for a density in a subspace.
    for covariance in (np.ones((2, 2)), np.zeros((2, 2)), np.diag([1.0, -1.0])):
        with pytest.raises(ValueError, match=r"singular|not positive definite"):
            make([0.0, 0.0], covariance).score_samples([[0.0, 0.0]])
    for covariance in ([[1, 0], [0, np.nan]], [[1, 0], [0, np.inf]]):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            make([0.0, 0.0], covariance)
    for covariance in ([[1, 2, 3], [4, 5, 6]], [[1.0]]):
        with pytest.raises(ValueError, match="shape"):
            make([0.0, 0.0], covariance)


# ---- Parts ----


def test_every_marginal_is_that_of_the_parameters(density):
    X = np.random.RandomState(0).standard_normal((5, 3))
    for n_some in (1, 2, 3):
        for some in map(list, itertools.permutations(range(3), n_some)):
            part = density.marginal(some)
            theirs = multivariate_normal(LOCATION[some], COVARIANCE[np.ix_(some, some)])
            np.testing.assert_allclose(
                part.score_samples(X[:, some]), theirs.logpdf(X[:, some]), rtol=1e-12
            )


def test_a_marginal_is_the_integral_over_the_others(density):
    part = density.marginal([2, 0])
    for x, z in ([0.3, 2.0], [-1.0, 4.0]):
        integral, _ = quad(
            lambda y, x=x, z=z: np.exp(density.score_samples([[x, y, z]])[0]), -20, 30
        )
        assert np.exp(part.score_samples([[z, x]])[0]) == pytest.approx(
            integral, rel=1e-7
        )


# ---- Probabilities ----


def test_published_probabilities():
    density = GaussianMLE.from_parameters(LOCATION, COVARIANCE)
    found = [density.probability(-np.inf, row) for row in mnormt_rows()]
    # SciPy's own tests take 2e-5 and 1e-5 for the digits of these values.
    np.testing.assert_allclose(found, MNORMT_BELOW, rtol=0, atol=2e-5)
    two = density.marginal([0, 1])
    found = [two.probability(-np.inf, row[:2]) for row in mnormt_rows()]
    np.testing.assert_allclose(found, MNORMT_BELOW_OF_TWO, rtol=0, atol=1e-5)


def test_all_of_them_have_one_probability_of_a_box():
    box = [-0.5, 1.0], [1.5, 4.0]
    found = [
        make(LOCATION[:2], COVARIANCE[:2, :2]).probability(*box)
        for make in MAKERS.values()
    ]
    # Of one Gaussian they are the same rule with the same seed.
    np.testing.assert_allclose(found, found[0], rtol=1e-12)


@pytest.mark.parametrize("n_features", [2, 3, 5])
def test_the_probability_of_an_orthant_of_equal_correlations(n_features):
    # 1 / (1 + d) for correlations of a half: the largest of d + 1 equal ones.
    covariance = (np.eye(n_features) + 1) / 2
    density = GaussianMLE.from_parameters(np.zeros(n_features), covariance)
    # The standard error in five features is 1e-4 of it, as measured.
    expected = 1 / (1 + n_features)
    assert density.probability(-np.inf, 0) == pytest.approx(expected, rel=5e-4)


def test_with_one_common_factor_it_is_an_integral_over_it():
    loadings, upper = np.array([0.3, -0.6, 0.8]), np.array([0.4, 1.0, -0.2])
    covariance = np.outer(loadings, loadings)
    np.fill_diagonal(covariance, 1.0)

    # Given the factor, the features are independent (Tong 1990, page 192).
    def below(t):
        z = (upper - loadings * t) / np.sqrt(1 - loadings**2)
        return norm.pdf(t) * ndtr(z).prod()

    expected, _ = quad(below, -10, 10, epsabs=1e-12)
    density = GaussianMLE.from_parameters(np.zeros(3), covariance)
    found = density.probability(-np.inf, upper)
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_box_is_what_its_corners_include_and_exclude():
    density = GaussianMLE.from_parameters(LOCATION[:2], COVARIANCE[:2, :2])
    low, high = np.array([-0.5, 1.0]), np.array([1.5, 4.0])
    corners = itertools.product(*zip(low, high, strict=True))
    expected = sum(
        sign * density.probability(-np.inf, corner)
        for sign, corner in zip([1, -1, -1, 1], corners, strict=True)
    )
    # Four probabilities, each to 1e-6 of itself.
    assert density.probability(low, high) == pytest.approx(expected, abs=4e-6)


# ---- Entropy and draws ----


def test_the_entropy_is_scipys(density):
    value, standard_error = entropy(density)
    theirs = multivariate_normal(LOCATION, COVARIANCE).entropy()
    assert value == pytest.approx(theirs, rel=1e-12)
    assert standard_error == 0


def test_draws_have_the_moments_and_the_shape_that_are_asked_for(density):
    assert rows_of(density, 1).shape == (1, 3)
    draws = rows_of(density, 20_000)
    # Five standard errors of means and second moments.
    variances = np.diag(COVARIANCE)
    errors = np.abs(draws.mean(axis=0) - LOCATION)
    assert np.all(errors < 5 * np.sqrt(variances / 20_000))
    products = np.outer(variances, variances) + COVARIANCE**2
    errors = np.abs(np.cov(draws.T) - COVARIANCE)
    assert np.all(errors < 5 * np.sqrt(products / 20_000))


# ---- Fits ----


@pytest.mark.parametrize("n_features", [3, 5])
def test_a_fit_is_scipys(n_features):
    X = np.random.RandomState(0).uniform(size=(100, n_features))
    ours, theirs = GaussianMLE().fit(X), multivariate_normal.fit(X)
    np.testing.assert_allclose(ours.location_, theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours.covariance_, theirs[1], rtol=1e-12)


def test_no_other_gaussian_is_as_likely():
    X = np.random.RandomState(0).standard_normal((100, 3)) @ COVARIANCE
    best = GaussianMLE().fit(X)
    at = best.location_, best.covariance_
    rng = np.random.RandomState(1)
    for _ in range(20):
        step = rng.standard_normal(3)
        for location, covariance in [
            (at[0] + 1e-4 * step, at[1]),
            (at[0], at[1] + 1e-4 * np.outer(step, step)),
        ]:
            other = GaussianMLE.from_parameters(location, covariance)
            assert other.score(X) < best.score(X)
