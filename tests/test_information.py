"""Entropies and divergences: closed forms, and estimates that know their errors."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    LOOKernelDensity,
    TransformedDensity,
)
from skdensity.information import entropy, kl_divergence, mutual_information

TYPES = ["full", "tied", "diag", "tied_diag", "spherical", "tied_spherical"]
ONE_GAUSSIAN = [
    GaussianMLE(),
    GaussianMLE(covariance_type="diag"),
    GaussianMLE(covariance_type="spherical"),
    CholeskyGaussian(tol=None, max_iter=20),
    AdamGaussianMixture(tol=None, max_iter=20, random_state=0),
    *[EMGaussianMixture(covariance_type=name) for name in TYPES],
]


def parameters(density):
    """Mean and covariance of one Gaussian."""
    if hasattr(density, "covariance_"):
        return density.location_, density.covariance_
    name = density.covariance_type
    covariance = np.asarray(density.covariances_)
    if name in ("full", "diag", "spherical"):
        covariance = covariance[0]
    if covariance.ndim < 2:
        covariance = np.diag(np.broadcast_to(covariance, density.means_.shape[1]))
    return density.means_[0], covariance


@pytest.fixture
def X():
    rng = np.random.RandomState(0)
    return rng.standard_normal((200, 3)) @ rng.standard_normal((3, 3)) + [0, 5, 9]


# ---- Closed forms ----


@pytest.mark.parametrize("density", ONE_GAUSSIAN, ids=repr)
def test_the_entropy_of_one_gaussian_is_exact(X, density):
    density = clone(density).fit(X)
    value, error = entropy(density)
    assert error == 0
    assert value == pytest.approx(
        multivariate_normal(*parameters(density)).entropy(), rel=1e-12
    )


@pytest.mark.parametrize("density", ONE_GAUSSIAN, ids=repr)
def test_the_divergence_of_two_gaussians_is_exact(X, density):
    """By the textbook's formula, with inverses and determinants."""
    q = GaussianMLE().fit(X[:50] * [1.5, 1, 0.5])
    p = clone(density).fit(X)
    value, error = kl_divergence(p, q)
    (mean, covariance), (centre, wide) = parameters(p), parameters(q)
    inverse, shift = np.linalg.inv(wide), centre - mean
    ratio = np.linalg.slogdet(wide)[1] - np.linalg.slogdet(covariance)[1]
    trace = np.trace(inverse @ covariance)
    expected = 0.5 * (trace - 3 + shift @ inverse @ shift + ratio)
    assert error == 0
    assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("density", ONE_GAUSSIAN, ids=repr)
def test_the_information_in_one_gaussian_is_exact(X, density):
    density = clone(density).fit(X)
    value, error = mutual_information(density, [2], [0, 1])
    _, covariance = parameters(density)
    logs = [
        np.linalg.slogdet(covariance[np.ix_(part, part)])[1]
        for part in ([2], [0, 1], [0, 1, 2])
    ]
    assert error == 0
    assert value == pytest.approx((logs[0] + logs[1] - logs[2]) / 2, abs=1e-12)


def test_of_two_features_it_follows_their_correlation(X):
    """What is in neither set is integrated out."""
    density = GaussianMLE().fit(X)
    correlation = np.corrcoef(X.T)[0, 2]
    value, _ = mutual_information(density, 0, 2)
    assert value == pytest.approx(-np.log(1 - correlation**2) / 2, rel=1e-9)


def test_information_is_a_divergence_from_independence(X):
    density = GaussianMLE().fit(X)
    independent = density.covariance_.copy()
    independent[0, 1:] = independent[1:, 0] = 0
    q = GaussianMLE.from_parameters(density.location_, independent)
    expected, _ = kl_divergence(density, q)
    assert mutual_information(density, [0], [1, 2])[0] == pytest.approx(expected)


def test_units_add_to_an_entropy_and_cancel_elsewhere(X):
    scale = np.array([1e-3, 1.0, 1e3]) * 2
    p, q = GaussianMLE().fit(X), GaussianMLE().fit(X[:100])
    scaled_p, scaled_q = (
        GaussianMLE().fit(scale * X),
        GaussianMLE().fit(scale * X[:100]),
    )
    shift = entropy(scaled_p)[0] - entropy(p)[0]
    assert shift == pytest.approx(np.log(scale).sum(), rel=1e-9)
    for numbers in (
        lambda p, q: kl_divergence(p, q),
        lambda p, q: mutual_information(p, 0, 1),
    ):
        assert numbers(scaled_p, scaled_q)[0] == pytest.approx(
            numbers(p, q)[0], rel=1e-6
        )


def test_a_gaussian_does_not_diverge_from_itself(X):
    density = GaussianMLE().fit(X)
    same = EMGaussianMixture(reg_covar=0).fit(X)
    for q in (density, same):
        value, error = kl_divergence(density, q)
        assert 0 <= value < 1e-10
        assert error == 0


# ---- Estimates ----

P = EMGaussianMixture.from_parameters([0.3, 0.7], [[-2.0], [1.0]], [[[1.0]], [[0.25]]])
Q = EMGaussianMixture.from_parameters([0.5, 0.5], [[-1.0], [2.0]], [[[2.0]], [[1.0]]])


def mean_of(function):
    """The mean of a function under P, by quadrature."""

    def integrand(x):
        return np.exp(P.score_samples([[x]])[0]) * function([[x]])[0]

    return quad(integrand, -12, 12, points=[-2, 1], epsabs=1e-9, limit=200)[0]


def plane():
    """Two correlated components in a plane, and the information between its axes.

    Given the component features are independent, so that quadrature of the plane is
    one of lines.
    """
    means = np.array([[-1.5, -1.0], [1.5, 1.0]])
    return EMGaussianMixture.from_parameters(
        [0.4, 0.6], means, [[1.0, 0.5], [0.5, 1.0]], covariance_type="diag"
    )


def information_in(density):
    """By the midpoint rule, which converges exponentially here."""
    axis = np.linspace(-9, 9, 401)[:-1] + 9 / 400
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    log_p = density.score_samples(grid)
    gain = (
        log_p
        - density.marginal([0]).score_samples(grid[:, :1])
        - density.marginal([1]).score_samples(grid[:, 1:])
    )
    return np.sum(np.exp(log_p) * gain) * (axis[1] - axis[0]) ** 2


EXACT = {
    "entropy": (entropy, (P,), lambda: mean_of(lambda x: -P.score_samples(x))),
    "divergence": (
        kl_divergence,
        (P, Q),
        lambda: mean_of(lambda x: P.score_samples(x) - Q.score_samples(x)),
    ),
    "information": (
        mutual_information,
        (plane(), 0, 1),
        lambda: information_in(plane()),
    ),
}


@pytest.mark.parametrize("n_seeds", [100, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", EXACT)
def test_estimates_are_within_three_standard_errors(name, n_seeds):
    """In 99 % of seeds, where a normal law expects 99.7 %."""
    number, densities, exact = EXACT[name]
    estimates = [
        number(*densities, n_samples=500, random_state=seed) for seed in range(n_seeds)
    ]
    values, errors = np.transpose(estimates)
    is_near = np.abs(values - exact()) <= 3 * errors
    assert is_near.mean() >= 0.99
    # And the errors are no larger than they need to be.
    assert np.std(values) == pytest.approx(errors.mean(), rel=3 / np.sqrt(2 * n_seeds))


@pytest.mark.parametrize("name", EXACT)
def test_a_seed_repeats_an_estimate_and_draws_narrow_it(name):
    number, densities, _ = EXACT[name]
    few = number(*densities, n_samples=100, random_state=0)
    assert few == number(*densities, n_samples=100, random_state=0)
    assert number(*densities, n_samples=10_000, random_state=0)[1] < few[1] / 5


def test_a_mixture_of_equal_components_has_the_entropy_of_one():
    same = EMGaussianMixture.from_parameters(
        [0.5, 0.5], [[0.0], [0.0]], [[[1.0]], [[1.0]]]
    )
    value, error = entropy(same, random_state=0)
    assert abs(value - 0.5 * np.log(2 * np.pi * np.e)) < 3 * error


def test_kernels_and_densities_of_others_serve():
    X = np.random.RandomState(0).standard_normal((300, 1))
    ours = LOOKernelDensity(0.5).fit(X)
    theirs = KernelDensity(bandwidth=0.5).fit(X)
    for number in (entropy(theirs, random_state=0), entropy(ours, random_state=0)):
        expected = 0.5 * np.log(2 * np.pi * np.e * (1 + 0.25))
        assert abs(number[0] - expected) < 0.1
    mixture = GaussianMixture(2, random_state=0).fit(X)
    of_theirs = entropy(mixture, random_state=1)
    assert of_theirs == entropy(mixture, random_state=1)
    of_ours = entropy(EMGaussianMixture.from_sklearn(mixture), random_state=1)
    assert abs(of_theirs[0] - of_ours[0]) < 3 * np.hypot(of_theirs[1], of_ours[1])
    assert mixture.random_state == 0
    # The same density, at every draw.
    value, error = kl_divergence(ours, theirs, random_state=0)
    assert abs(value) < 1e-6
    assert error < 1e-6


def test_where_the_other_has_no_density_the_divergence_is_infinite():
    X = np.random.RandomState(0).uniform(size=(100, 1))
    within = LOOKernelDensity(0.1, bounds=(0, 1)).fit(X)
    beyond = LOOKernelDensity(0.1).fit(X)
    assert kl_divergence(beyond, within, random_state=0) == (np.inf, 0.0)
    assert np.isfinite(kl_divergence(within, beyond, random_state=0)[0])


def test_densities_of_frames_are_asked_without_a_warning(X):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    p = EMGaussianMixture(2, random_state=0).fit(frame)
    array = EMGaussianMixture(2, random_state=0).fit(X)
    assert entropy(p, random_state=0) == entropy(array, random_state=0)
    by_name = mutual_information(p, "a", ["c", "b"], random_state=0)
    assert by_name == mutual_information(array, 0, [2, 1], random_state=0)
    assert kl_divergence(p, array, random_state=0) == (0, 0)


# ---- Bad input ----


def test_what_cannot_be_told_is_an_error(X):
    p, mixture = GaussianMLE().fit(X), EMGaussianMixture(2, random_state=0).fit(X)
    with pytest.raises(NotFittedError):
        entropy(GaussianMLE())
    with pytest.raises(ValueError, match="singular"):
        entropy(GaussianMLE().fit([[0.0, 1.0], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="`n_samples` is 1"):
        entropy(mixture, n_samples=1)
    with pytest.raises(TypeError, match="n_samples"):
        entropy(mixture, n_samples=10.0)
    with pytest.raises(TypeError, match=r"p=KernelDensity\(\) has no .* `marginal`"):
        mutual_information(KernelDensity().fit(X), 0, 1)
    with pytest.raises(TypeError, match="p='density' has no method `score_samples`"):
        entropy("density")
    with pytest.raises(TypeError, match="q='density' has no method `score_samples`"):
        kl_divergence(mixture, "density")
    with pytest.raises(ValueError, match="unlike features: 3 and 2"):
        kl_divergence(p, p.marginal([0, 1]))
    with pytest.raises(ValueError, match="each once"):
        mutual_information(p, [0, 1], [1])
    with pytest.raises(ValueError, match="`features` has 3"):
        mutual_information(p, [0], [3])


@pytest.mark.parametrize("name", ["p", "q"])
def test_a_density_is_a_fitted_estimator(X, name):
    """A class is none, and an unfitted estimator or search neither."""
    fitted = GaussianMLE().fit(X)

    def ask(density):
        pair = (density, fitted) if name == "p" else (fitted, density)
        return kl_divergence(*pair)

    message = rf"`{name}` is the class GaussianMLE, .*: GaussianMLE\(\).fit\(X\)"
    with pytest.raises(TypeError, match=message):
        ask(GaussianMLE)
    unfitted = [KernelDensity(), GridSearchCV(GaussianMLE(), {}), TransformedDensity()]
    for density in unfitted:
        with pytest.raises(NotFittedError):
            ask(density)


def test_what_answers_for_a_search_is_asked(X):
    """A search for one Gaussian is one, and its marginals are those of the best."""
    best = EMGaussianMixture(1).fit(X)
    for density in (
        GridSearchCV(EMGaussianMixture(), {}).fit(X),
        GaussianMixtureSearch(1, "full").fit(X),
        FrozenEstimator(best),
    ):
        assert entropy(density)[1] == 0
        assert entropy(density)[0] == pytest.approx(entropy(best)[0], rel=1e-12)
        found = mutual_information(density, [0], [1, 2])
        assert found == pytest.approx(mutual_information(best, [0], [1, 2]), rel=1e-9)


def test_a_pipeline_is_no_density_of_its_input(X):
    """Its scores are those of scaled rows, and a divergence from them is none."""
    p = GaussianMLE().fit(X)
    pipeline = make_pipeline(StandardScaler(), GaussianMLE()).fit(X)
    for ask in (
        lambda: kl_divergence(p, pipeline),
        lambda: kl_divergence(pipeline, p),
        lambda: entropy(pipeline),
        lambda: mutual_information(pipeline, 0, 1),
    ):
        with pytest.raises(TypeError, match="Give TransformedDensity"):
            ask()
    of_input = TransformedDensity(StandardScaler(), GaussianMLE()).fit(X)
    assert kl_divergence(p, of_input, random_state=0)[0] == pytest.approx(0, abs=1e-12)


def test_features_in_another_order_are_an_error(X):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    p = GaussianMLE().fit(frame)
    with pytest.raises(ValueError, match="unlike features"):
        kl_divergence(p, p.marginal(["b", "a", "c"]))
