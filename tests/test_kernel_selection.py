"""How the kernel is chosen: criteria by brute force, equivariance, rounded rows."""

import warnings
from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, ndtri
from scipy.stats import gaussian_kde
from sklearn.datasets import load_diabetes

from skdensity import LOOKernelDensity
from skdensity.datasets import make_mixture_1d
from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.shapes import SHAPES
from skdensity.models.kernels.support import Support
from skdensity.passes.workspace import Workspace
from skdensity.rows.repeats import repeats_in
from skdensity.solvers.bandwidths.criteria import (
    LeastSquares,
    LeaveOneOut,
    RobustLeaveOneOut,
)
from skdensity.solvers.bandwidths.problem import reference
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

RULES = list(BANDWIDTHS)
SEARCHES = [name for name, rule in BANDWIDTHS.items() if rule.criterion is not None]


def rows(n_features, n_samples=100):
    """Correlated rows of different spreads, in two groups."""
    rng = np.random.RandomState(n_features)
    mixing = np.tril(rng.uniform(-1, 1, (n_features, n_features)), -1)
    X = rng.standard_normal((n_samples, n_features)) @ (np.eye(n_features) + mixing)
    X[: n_samples // 3] += 3
    return X * np.arange(1, n_features + 1)


def normal(seed, n_samples=500):
    return np.random.RandomState(seed).standard_normal((n_samples, 1))


def weights(n_samples=100):
    return np.random.RandomState(0).uniform(0.1, 3, n_samples)


def matrix_of(bandwidth, n_features):
    """H, of a bandwidth in any of its three forms."""
    if np.ndim(bandwidth) == 2:
        return np.asarray(bandwidth)
    return np.diag(np.broadcast_to(np.square(bandwidth), n_features))


def log_kernels(X, H):
    """Log-densities of Gaussian kernels between all rows, from differences."""
    squares = cdist(X, X, "mahalanobis", VI=np.linalg.inv(H)) ** 2
    _, log_det = np.linalg.slogdet(2 * np.pi * H)
    return -0.5 * (squares + log_det)


def brute_force_loo(X, bandwidth, weight=None):
    """Mean leave-one-out log-likelihood, and the responsibilities of other rows."""
    masses = np.ones(len(X)) if weight is None else weight
    terms = log_kernels(X, matrix_of(bandwidth, X.shape[1])) + np.log(masses)
    np.fill_diagonal(terms, -np.inf)
    log_sums = logsumexp(terms, axis=1)
    shares = np.exp(terms - log_sums[:, None])
    log_density = log_sums - np.log(masses.sum() - masses)
    return np.average(log_density, weights=masses), shares


@pytest.mark.parametrize("algorithm", ["exact", "nufft"])
@pytest.mark.parametrize("n_features", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_brute_force_at_every_bandwidth(algorithm, n_features, weighted):
    X = rows(n_features)
    weight = weights() if weighted else None
    # Narrower kernels ask for more modes than a test has time for.
    narrowest = 0.1 * n_features**2 if algorithm == "nufft" else 0.01
    for h in np.geomspace(narrowest, 30, 20):
        # The criterion is as exact as the sums are asked to be.
        density = LOOKernelDensity(h, algorithm=algorithm, rtol=1e-9)
        expected, _ = brute_force_loo(X, h, weight)
        score = density.fit(X, sample_weight=weight).loo_score_
        assert score == pytest.approx(expected, rel=1e-9, abs=1e-9)


@cache
def shaped(covariance_type, n_features, weighted):
    """Rows, their weights, and the best kernel of a shape."""
    X = rows(n_features)
    weight = weights() if weighted else None
    density = LOOKernelDensity(covariance_type=covariance_type)
    return X, weight, density.fit(X, sample_weight=weight)


@pytest.mark.parametrize("covariance_type", ["diag", "full"])
@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
class TestShape:
    def test_the_score_is_that_of_brute_force(
        self, covariance_type, n_features, weighted
    ):
        X, weight, density = shaped(covariance_type, n_features, weighted)
        expected, _ = brute_force_loo(X, density.bandwidth_, weight)
        assert density.loo_score_ == pytest.approx(expected, rel=1e-10)
        np.testing.assert_allclose(
            density.covariance_, matrix_of(density.bandwidth_, n_features), rtol=1e-12
        )

    def test_the_kernel_is_the_scatter_of_rows_about_each_other(
        self, covariance_type, n_features, weighted
    ):
        X, weight, density = shaped(covariance_type, n_features, weighted)
        H = density.covariance_
        _, shares = brute_force_loo(X, H, weight)
        masses = np.ones(len(X)) if weight is None else weight
        delta = X[:, None] - X
        pairs = (masses / masses.sum())[:, None] * shares
        scatter = np.einsum("ij,ija,ijb->ab", pairs, delta, delta)
        if covariance_type == "diag":
            scatter = np.diag(np.diag(scatter))
        # The gradient in log-Cholesky parameters ends below some 1e-8.
        factor = np.linalg.inv(np.linalg.cholesky(H))
        gradient = factor @ (scatter - H) @ factor.T
        np.testing.assert_allclose(gradient, 0, atol=1e-6)

    def test_no_other_kernel_nearby_is_better(
        self, covariance_type, n_features, weighted
    ):
        X, weight, density = shaped(covariance_type, n_features, weighted)
        for a in range(n_features):
            for b in range(n_features):
                if covariance_type == "diag" and a != b:
                    continue
                for epsilon in (-1e-3, 1e-3):
                    change = np.eye(n_features)
                    scale = np.sqrt(
                        density.covariance_[a, a] / density.covariance_[b, b]
                    )
                    change[a, b] += epsilon * scale
                    H = change @ density.covariance_ @ change.T
                    score, _ = brute_force_loo(X, H, weight)
                    assert score < density.loo_score_


def test_more_freedom_gives_better_scores():
    X = rows(3)
    scores = [
        LOOKernelDensity(covariance_type=name).fit(X).loo_score_
        for name in ("spherical", "diag", "full")
    ]
    assert scores[0] + 0.01 < scores[1] < scores[2] - 0.01


# What the other rules look at is one feature at a time.
@pytest.mark.parametrize("bandwidth", ["loo", "lscv", "scott", "silverman"])
@pytest.mark.parametrize("n_features", [2, 4])
def test_a_full_kernel_follows_any_linear_map(bandwidth, n_features):
    X = rows(n_features)
    A = np.random.RandomState(9).standard_normal((n_features, n_features))
    density = LOOKernelDensity(bandwidth, covariance_type="full")
    here = density.fit(X).covariance_
    there = density.fit(X @ A.T + 5).covariance_
    expected = A @ here @ A.T
    # What the optimiser leaves of the gradient is some 1e-8.
    np.testing.assert_allclose(there, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_the_order_of_features_makes_no_difference(bandwidth, covariance_type):
    X, order = rows(3), [2, 0, 1]
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    expected = density.fit(X).covariance_[np.ix_(order, order)]
    actual = density.fit(X[:, order]).covariance_
    # The robust criterion has an integral over draws, which follow the order.
    tol = 0.05 if bandwidth == "robust_loo" else 1e-6
    np.testing.assert_allclose(actual, expected, atol=tol * np.abs(expected).max())


@pytest.mark.parametrize("bandwidth", RULES)
def test_a_diagonal_kernel_follows_the_unit_of_every_feature(bandwidth):
    X, scales = rows(3), np.array([1e-6, 3.0, 1e6])
    density = LOOKernelDensity(bandwidth, covariance_type="diag")
    here = density.fit(X).bandwidth_
    there = density.fit(scales * X + scales).bandwidth_
    np.testing.assert_allclose(there, scales * here, rtol=1e-6)


def spreads(X, weight=None):
    """The smaller of the standard deviation and of what the middle half tells."""
    weight = np.ones(len(X)) if weight is None else weight
    found = []
    for x in X.T:
        order = np.argsort(x)
        below = np.cumsum(weight[order]) - weight[order] / 2
        quartiles = np.interp([0.25, 0.75], below / weight.sum(), x[order])
        deviation = np.sqrt(np.cov(x, aweights=weight))
        found.append(min(deviation, np.diff(quartiles).item() / (2 * ndtri(0.75))))
    return np.array(found)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
@pytest.mark.parametrize("n_features", [2, 5])
def test_full_rules_of_thumb_are_nearly_scipys_on_gaussian_rows(rule, n_features):
    rng = np.random.RandomState(0)
    A = rng.standard_normal((n_features, n_features))
    X = rng.standard_normal((5000, n_features)) @ A.T
    density = LOOKernelDensity(rule, covariance_type="full").fit(X)
    theirs = gaussian_kde(X.T, bw_method=rule).covariance
    # The standard errors of two estimates of a variance are some 2 and 3 %.
    ratios = np.linalg.eigvals(np.linalg.solve(theirs, density.covariance_)).real
    assert np.all((ratios > 0.9) & (ratios < 1 + 1e-9))


@pytest.mark.parametrize("rule", ["scott", "silverman"])
@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rules_of_thumb_scale_the_spread_of_the_middle(rule, covariance_type, weighted):
    X, weight = rows(3), weights() if weighted else np.ones(100)
    density = LOOKernelDensity(rule, covariance_type=covariance_type)
    density.fit(X, sample_weight=weight)
    n = weight.sum() ** 2 / np.sum(weight**2)
    factor = (n * 5 / 4 if rule == "silverman" else n) ** (-1 / 7)
    expected = factor * spreads(X, weight)
    if covariance_type == "spherical":
        expected = np.sqrt(np.mean(expected**2))
    np.testing.assert_allclose(density.bandwidth_, expected, rtol=1e-9)


@pytest.mark.parametrize("bandwidth", ["isj", "lscv", "robust_loo"])
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
def test_all_rules_but_loo_scale_the_same_shape(bandwidth, covariance_type):
    X = rows(3)
    shape, found = (
        LOOKernelDensity(rule, covariance_type=covariance_type)
        .fit(X, sample_weight=weights())
        .covariance_
        for rule in ("scott", bandwidth)
    )
    factor = found[0, 0] / shape[0, 0]
    np.testing.assert_allclose(found, factor * shape, rtol=1e-9, atol=1e-12)
    assert 0.1 < factor < 10


# 6,000 locations are more than a first look at all bandwidths sums over.
@pytest.mark.parametrize(("n_features", "n_samples"), [(1, 200), (2, 200), (1, 6000)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_loo_follows_the_unit_of_the_data(n_features, n_samples, scale):
    X = rows(n_features, n_samples)
    here = LOOKernelDensity().fit(X)
    there = LOOKernelDensity().fit(scale * (X + 3))
    assert there.bandwidth_ == pytest.approx(scale * here.bandwidth_, rel=1e-8)
    expected = here.loo_score_ - n_features * np.log(scale)
    assert there.loo_score_ == pytest.approx(expected, abs=1e-8)


@pytest.mark.filterwarnings("ignore:.*50% of the rows coincide:UserWarning")
@pytest.mark.parametrize(
    ("bandwidth", "n_features", "n_samples"),
    [*((rule, d, 200) for rule in RULES for d in (1, 2)), ("loo", 1, 6000)],
)
def test_order_and_copies_of_half_the_weight_make_no_difference(
    bandwidth, n_features, n_samples
):
    X, weight = rows(n_features, n_samples), weights(n_samples)
    density = LOOKernelDensity(bandwidth)
    expected = density.fit(X, sample_weight=weight)
    expected = density.bandwidth_, density.loo_score_
    order = np.random.RandomState(1).permutation(len(X))
    density.fit(X[order], sample_weight=weight[order])
    assert (density.bandwidth_, density.loo_score_) == pytest.approx(expected, rel=1e-8)
    density.fit(np.vstack([X, X]), sample_weight=np.tile(weight / 2, 2))
    assert (density.bandwidth_, density.loo_score_) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
@pytest.mark.parametrize(("n_features", "n_samples"), [(1, 200), (3, 200), (1, 6000)])
def test_bandwidths_that_were_tried_have_the_scores_they_are_said_to_have(
    covariance_type, n_features, n_samples
):
    X = rows(n_features, n_samples)
    density = LOOKernelDensity(covariance_type=covariance_type).fit(X)
    tried, scores = density.bandwidths_, density.loo_scores_
    assert tried.shape == scores.shape + np.shape(density.bandwidth_)
    sizes = [np.linalg.det(matrix_of(h, n_features)) for h in tried]
    assert np.all(np.diff(sizes) >= -1e-12 * np.array(sizes[1:]))
    assert scores.max() == pytest.approx(density.loo_score_, abs=1e-12)
    chosen = np.isclose(scores, scores.max(), rtol=0, atol=1e-12)
    errors = [np.abs(h / density.bandwidth_ - 1).max() for h in tried[chosen]]
    assert min(errors) < 1e-12
    every = max(1, len(tried) // 8)
    for h, score in zip(tried[::every], scores[::every], strict=True):
        again = LOOKernelDensity(h).fit(X).loo_score_
        # Both ways are within rtol of the exact sums.
        assert again == pytest.approx(score, abs=1e-6 if n_samples > 200 else 1e-9)


@pytest.mark.parametrize("bandwidth", RULES)
def test_only_searches_tell_what_they_tried(bandwidth):
    density = LOOKernelDensity("loo").fit(rows(1))
    density.set_params(bandwidth=bandwidth).fit(rows(1))
    assert hasattr(density, "bandwidths_") == (bandwidth in SEARCHES)
    assert hasattr(density, "loo_scores_") == (bandwidth in SEARCHES)


def brute_force_lscv(X, h, weight):
    """∫ p̂² by the trapezoidal rule, minus twice the mean of left-out densities."""
    masses = weight / weight.sum()
    # It converges exponentially; a step of h/3 leaves exp(−2π² 9/2).
    grid = np.arange(X.min() - 9 * h, X.max() + 9 * h, h / 3)
    kernels = np.exp(-0.5 * ((grid[:, None] - X[:, 0]) / h) ** 2)
    density = kernels @ masses / (h * np.sqrt(2 * np.pi))
    left_out = np.exp(log_kernels(X, np.array([[h**2]]))) * masses
    np.fill_diagonal(left_out, 0)
    cross = masses @ (left_out.sum(axis=1) / (1 - masses))
    return h / 3 * np.sum(density**2) - 2 * cross


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "X",
    [
        rows(1),
        make_mixture_1d()[0][:200],
        np.random.RandomState(0).standard_t(2, (99, 1)),
    ],
    ids=["groups", "mixture", "t(2)"],
)
def test_lscv_minimises_least_squares(X, weighted):
    weight = weights(len(X)) if weighted else np.ones(len(X))
    density = LOOKernelDensity("lscv").fit(X, sample_weight=weight)
    best = brute_force_lscv(X, density.bandwidth_, weight)
    nearby = density.bandwidth_ * np.array([1 - 1e-3, 1 + 1e-3])
    # From where kernels no longer meet the score falls without bound, with ties or not.
    wider = density.bandwidth_ * 1.1 ** np.arange(-20, 40)
    for h in [*nearby, *wider]:
        assert brute_force_lscv(X, h, weight) >= best
    exact = [brute_force_lscv(X, h, weight) for h in density.bandwidths_]
    # Scores are in units of the density of a Gaussian that has the rows' spread.
    (spread,) = spreads(X, weight)
    unit = -1 / (np.sqrt(2 * np.pi) * spread)
    np.testing.assert_allclose(unit * density.loo_scores_, exact, rtol=1e-9, atol=1e-9)


def brute_force_robust(X, h):
    """Wu's score with its integral by quadrature, for one feature."""
    n, x = len(X), X[:, 0]
    (spread,) = spreads(X)
    # The density that one row of n of a Gaussian is expected to fall below.
    a = np.sqrt(np.pi * np.log(n)) / n / (np.sqrt(2 * np.pi) * spread)
    left_out = np.exp(log_kernels(X, np.array([[h**2]])))
    np.fill_diagonal(left_out, 0)
    p = left_out.sum(axis=1) / (n - 1)
    robust = np.where(p >= a, np.log(np.maximum(p, a)), np.log(a) - 1 + p / a)
    grid = np.arange(x.min() - 9 * h, x.max() + 9 * h, h / 10)
    low = np.exp(-0.5 * ((grid[:, None] - x) / h) ** 2).mean(axis=1)
    low = np.minimum(low / (h * np.sqrt(2 * np.pi)), a)
    return robust.mean() + h / 10 * np.sum(low - low**2 / (2 * a))


@pytest.mark.parametrize(
    "X",
    [normal(0), np.random.RandomState(0).standard_t(3, (500, 1)), rows(1, 500)],
    ids=["normal", "t(3)", "groups"],
)
def test_robust_scores_equal_quadrature(X):
    density = LOOKernelDensity("robust_loo").fit(X)
    tried, scores = density.bandwidths_, density.loo_scores_
    within = np.abs(np.log(tried / density.bandwidth_)) < 1.5
    assert within.sum() >= 4
    exact = np.array([brute_force_robust(X, h) for h in tried[within]])
    # The integral, some 0.05 here, is a mean over 500 draws and off by some per cent.
    np.testing.assert_allclose(scores[within], exact, rtol=0, atol=5e-3)
    grid = density.bandwidth_ * np.exp(np.linspace(-0.6, 0.6, 31))
    best = max(brute_force_robust(X, h) for h in grid)
    # What that costs is small beside the score's own standard error, 1/√500.
    assert brute_force_robust(X, density.bandwidth_) > best - 5e-4


@pytest.mark.parametrize("criterion", [LeaveOneOut, RobustLeaveOneOut, LeastSquares])
@pytest.mark.parametrize(
    ("covariance_type", "kind"),
    [
        *(
            (name, kind)
            for name in ("spherical", "full")
            for kind in ("plain", "counts", "sampled")
        ),
        ("spherical", "bounded"),
        ("diag", "bounded"),
        ("diag", "held"),
        ("full", "held"),
        ("full", "held obliquely"),
        ("spherical", "cells"),
        ("diag", "cells"),
        ("full", "cells"),
        ("spherical", "periodic"),
        ("diag", "periodic"),
    ],
)
def test_slopes_of_criteria_are_their_derivatives(criterion, covariance_type, kind):
    shape, X, masses = SHAPES[covariance_type], rows(2), weights()
    support, n_left_out, least = Support(), np.inf, np.zeros(2)
    steps = np.zeros(2)
    if kind == "counts":
        masses, n_left_out = 1.0 + np.arange(100) % 4, 1.0
    elif kind == "bounded":
        ends = [X[:, 0].min(), np.inf], [X[:, 1].min(), X[:, 1].max()]
        support = Support.of(bounds=np.array(ends))
    elif kind == "periodic":
        support = Support.of(periods=np.array([2.5, 4.0]))
        X = support.wrap(X)
    elif kind == "held":
        least = np.array([0.0, 1.0])
    elif kind == "held obliquely":  # in the coordinates that the kernel whitens
        least = np.array([1.0, 0.0])
    elif kind == "cells":
        least, steps = np.array([0.2, 0.3]), np.array([0.4, 0.6])
    left_out = np.minimum(masses, n_left_out) / masses.sum()
    masses = masses / masses.sum()
    kernel = reference(X, repeats_in(X, masses), shape)
    kernels = Kernels(X, masses, kernel, support)
    on_path = {"least_widths": least, "steps": steps}
    score = criterion(kernels, Workspace(), left_out, **on_path)
    if kind == "sampled":
        score = score.sampled(30)
        assert len(score.index) < 40
    step = 1e-5
    for h in (0.05, 0.2, 0.7):
        ahead, here, behind = score.trials(h * np.exp([step, 0, -step]))
        slope = (ahead.score - behind.score) / (2 * step)
        # Third derivatives times step² / 6, and eps / step.
        assert here.slope == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize(
    "X",
    [rows(1), rows(2), rows(5), np.random.RandomState(0).standard_cauchy((300, 1))],
    ids=["1-D", "2-D", "5-D", "Cauchy"],
)
def test_the_choice_has_the_best_score_of_all_that_were_tried(bandwidth, X):
    density = LOOKernelDensity(bandwidth).fit(X)
    best = np.argmax(density.loo_scores_)
    # The score is flat at its maximum: rounding hides a change of h by some √eps.
    assert density.bandwidths_[best] == pytest.approx(density.bandwidth_, rel=1e-6)
    assert len(density.bandwidths_) > 10


def straightforward_isj(x):
    """Botev's own steps, but for cosine coefficients without a histogram."""
    n, width = len(x), 1.2 * np.ptp(x)
    angles = np.pi * (x - x.min() + np.ptp(x) / 10) / width
    order_of_mode = np.arange(1.0, 2**13)
    power = np.cos(np.outer(order_of_mode, angles)).mean(axis=1) ** 2
    squares = order_of_mode**2

    def norm(order, time):
        terms = squares**order * power * np.exp(-squares * np.pi**2 * time)
        return 2 * np.pi ** (2 * order) * terms.sum()

    def excess(time):
        f = norm(7, time)
        for s in range(6, 1, -1):
            odd = np.prod(np.arange(1, 2 * s, 2)) / np.sqrt(2 * np.pi)
            constant = (1 + 0.5 ** (s + 0.5)) / 3
            f = norm(s, (2 * constant * odd / n / f) ** (2 / (3 + 2 * s)))
        return time - (2 * n * np.sqrt(np.pi) * f) ** -0.4

    times = np.geomspace(1e-7, 0.05, 100)
    first = np.flatnonzero(np.diff(np.sign([excess(time) for time in times])) > 0)[0]
    time = brentq(excess, times[first], times[first + 1], xtol=1e-18)
    return width * np.sqrt(time)


ISJ = {
    "normal": np.random.RandomState(0).standard_normal(1000),
    "few": np.random.RandomState(1).standard_normal(60),
    "uniform": np.random.RandomState(2).uniform(size=500),
    "exponential": np.random.RandomState(3).exponential(size=500),
    "far groups": np.random.RandomState(4).standard_normal(1000)
    + np.repeat([0, 40], 500),
    "mixture": make_mixture_1d()[0][:, 0],
}


@pytest.mark.parametrize("name", ISJ)
def test_isj_is_the_fixed_point_of_a_straightforward_implementation(name):
    x = ISJ[name]
    density = LOOKernelDensity("isj").fit(x[:, None])
    # The histogram behind it has cells of some 1e-2 bandwidths.
    assert density.bandwidth_ == pytest.approx(straightforward_isj(x), rel=1e-3)


@pytest.mark.parametrize("name", ISJ)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_isj_follows_the_unit_of_the_data(name, scale):
    x = ISJ[name][:, None]
    expected = scale * LOOKernelDensity("isj").fit(x).bandwidth_
    actual = LOOKernelDensity("isj").fit(scale * (x - 5)).bandwidth_
    assert actual == pytest.approx(expected, rel=1e-8)


def test_isj_is_near_the_best_for_one_and_for_two_gaussians():
    # The best bandwidth of a Gaussian; its estimate varies by some 10 %.
    for name, n in (("normal", 1000), ("far groups", 1000)):
        n_groups = 2 if name == "far groups" else 1
        # Far apart, each of k groups asks for (4 k / 3 n)^(1/5).
        best = (4 * n_groups / (3 * n)) ** 0.2
        density = LOOKernelDensity("isj").fit(ISJ[name][:, None])
        assert density.bandwidth_ == pytest.approx(best, rel=0.25)


def test_isj_of_two_features_is_the_mean_of_their_factors():
    X = np.column_stack([ISJ["uniform"], ISJ["exponential"]])
    n = len(X)
    density = LOOKernelDensity("isj", covariance_type="diag").fit(X)
    factors = [straightforward_isj(x) for x in X.T] / spreads(X)
    # From the rate n^(-1/5) to n^(-1/6).
    factor = np.sqrt(np.prod(factors)) * n ** (1 / 5 - 1 / 6)
    np.testing.assert_allclose(density.bandwidth_, factor * spreads(X), rtol=1e-3)


def chosen(X, bandwidth="loo", weight=None, **parameters):
    """The bandwidth, whatever warning goes with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        density = LOOKernelDensity(bandwidth, **parameters)
        return density.fit(X, sample_weight=weight).bandwidth_


@pytest.mark.parametrize("seed", range(5))
def test_one_outlier_hardly_changes_the_robust_choice(seed):
    X = normal(seed)
    outlier = np.vstack([X, [[20.0]]])
    robust, bridged = (
        chosen(outlier, name) / chosen(X, name) for name in ("robust_loo", "loo")
    )
    assert abs(robust - 1) < 0.25
    assert bridged > 1.5  # the likelihood must reach the outlier


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("df", [1, 3])
def test_heavy_tails_ask_for_less_by_the_robust_choice(seed, df):
    X = np.random.RandomState(seed).standard_t(df, (500, 1))
    assert chosen(X, "robust_loo") < chosen(X, "loo")


@pytest.mark.parametrize("seed", range(5))
def test_light_tails_ask_for_the_same_by_either_choice(seed):
    X = normal(seed)
    # Both criteria have standard errors of some 10 %.
    assert chosen(X, "robust_loo") == pytest.approx(chosen(X, "loo"), rel=0.4)


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("seed", range(5))
def test_rounded_rows_have_a_bandwidth_near_that_of_what_was_rounded(bandwidth, seed):
    X = normal(seed)
    ratio = chosen(X.round(1), bandwidth) / chosen(X, bandwidth)
    assert 1 / 1.5 < ratio < 1.5


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("bandwidth", [0.2, 1.0])
def test_of_rounded_rows_one_is_left_out_at_a_time(n_features, bandwidth):
    X = (
        np.random.RandomState(0)
        .standard_normal((200, n_features))
        .round(n_features - 1)
    )
    X = np.vstack([X, X.max(axis=0) + 1, X[:20]])
    expected, _ = brute_force_loo(X, bandwidth)  # which knows of no ties
    locations, counts = np.unique(X, axis=0, return_counts=True)
    assert len(locations) < 0.95 * len(X)
    for fit in (
        LOOKernelDensity(bandwidth).fit(X),
        LOOKernelDensity(bandwidth).fit(locations, sample_weight=counts),
    ):
        assert fit.loo_score_ == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_integers_have_a_bandwidth_near_that_of_what_was_rounded(seed):
    # In some of these samples the rarest integer is there once, in some more often.
    X = 2 * normal(seed, 2000)
    assert chosen(X.round()) == pytest.approx(chosen(X), rel=0.5)


@pytest.mark.parametrize("bandwidth", SEARCHES)
def test_rows_that_are_there_twice_ask_for_little_more_than_twice_as_many(bandwidth):
    # 250 values twice are 250 values: n^(-1/5) asks for 15 % more than 500 would. A
    # single draw is noisy, so the median of some is compared.
    ratios = []
    for seed in range(7):
        X = normal(seed)
        half = np.random.RandomState(seed).permutation(X)[:250]
        ratios.append(chosen(np.vstack([half, half]), bandwidth) / chosen(X, bandwidth))
    assert abs(np.median(ratios) - 2**0.2) < 0.15


@pytest.mark.parametrize("bandwidth", SEARCHES)
def test_zeros_among_the_rows_hardly_change_the_choice(bandwidth):
    # Which rows become zeros is chance: the median of some draws is compared.
    ratios = []
    for seed in range(7):
        X = normal(seed)
        zeros = X.copy()
        zeros[::10] = 0.0
        ratios.append(chosen(zeros, bandwidth) / chosen(X, bandwidth))
    assert abs(np.median(ratios) - 1) < 0.15


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
def test_the_bandwidth_is_no_less_than_half_a_step(bandwidth, step, covariance_type):
    for seed in range(3):
        rng = np.random.RandomState(seed)
        X = rng.standard_normal((300, 1)) * 2
        X = np.round(X / step) * step
        X = np.vstack([X, X.max() + step])  # a value that is there once
        density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
        with pytest.warns(UserWarning, match="discrete|multiples of|half a step"):
            density.fit(X)
        assert np.all(density.bandwidth_ >= step / 2 * (1 - 1e-9))


@pytest.mark.parametrize("bandwidth", SEARCHES)
def test_coarsely_rounded_features_leave_none_too_narrow(bandwidth):
    X = np.column_stack([normal(0).round(0), 10 * normal(1).round(1)])
    steps = np.array([1.0, 1.0])
    for covariance_type in ("spherical", "diag"):
        widths = chosen(X, bandwidth, covariance_type=covariance_type)
        assert np.all(widths >= steps / 2 * (1 - 1e-9))


@pytest.mark.parametrize("bandwidth", SEARCHES)
def test_weights_instead_of_repetition_give_the_same_choice(bandwidth):
    X = normal(0).round(1)
    values, counts = np.unique(X, return_counts=True)
    expected = chosen(X, bandwidth)
    for unit in (1.0, 1e-7):
        actual = chosen(values[:, None], bandwidth, unit * counts)
        assert actual == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            normal(0).round(1),
            r"LOOKernelDensity: (89|9\d)% of the rows .*grid, multiples of 0\.1\)",
        ),
        (
            np.round(4 * normal(0)) / 4,
            r"coincide with others, as rounding makes them: .* multiples of 0\.25",
        ),
        (np.repeat(normal(0), 2, axis=0), "50% of the rows .* all copies of a row are"),
        (
            normal(0) * (np.arange(500) % 5 > 0)[:, None],
            r"20% of the rows .* atoms at 0 \(20% of .*; each atom counts as one",
        ),
    ],
    ids=["tenths", "quarters", "twice", "zeros"],
)
def test_a_warning_says_what_is_made_of_rows_that_coincide(bandwidth, X, message):
    with pytest.warns(UserWarning, match=message):
        LOOKernelDensity(bandwidth).fit(X)


def test_the_warning_points_at_the_line_that_calls_fit():
    with pytest.warns(UserWarning, match="coincide") as caught:
        LOOKernelDensity().fit(normal(0).round(1))
    assert caught[0].filename == __file__


def test_there_is_no_warning_where_nothing_is_chosen():
    LOOKernelDensity(0.5).fit(normal(0).round(1))
    LOOKernelDensity(0.5).fit(np.repeat(normal(0), 2, axis=0))


X2 = rows(2)


@pytest.mark.parametrize(
    ("bandwidth", "message"),
    [
        ([1.0], r"`bandwidth` has shape \(1,\); expected \(2,\)"),
        ([1.0, 2.0, 3.0], r"`bandwidth` has shape \(3,\); expected \(2,\)"),
        ([1.0, 0.0], "`bandwidth` must be positive"),
        ([1.0, -2.0], "`bandwidth` must be positive"),
        ([1.0, np.nan], "bandwidth contains NaN"),
        (["a", "b"], "could not convert string to float"),
        (np.eye(3), r"`bandwidth` has shape \(3, 3\); expected \(2, 2\)"),
        (np.ones((2, 3)), r"`bandwidth` has shape \(2, 3\); expected \(2, 2\)"),
        (np.ones((2, 2, 2)), r"`bandwidth` has shape \(2, 2, 2\); expected"),
        ([[1.0, 0.5], [0.4, 1.0]], "`bandwidth` must be symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "`bandwidth` is not positive definite"),
        ([[0.0, 0.0], [0.0, 1.0]], "`bandwidth` is not positive definite"),
        ("cv", "'bandwidth' parameter.*'cv'"),
        (0.0, "'bandwidth' parameter.*Got 0.0"),
    ],
)
def test_a_kernel_that_makes_no_sense_is_refused(bandwidth, message):
    density = LOOKernelDensity(0.5).fit(X2)
    before = dict(vars(density))
    density.set_params(bandwidth=bandwidth)
    with pytest.raises(ValueError, match=message) as caught:
        density.fit(X2)
    assert "{detail}" not in str(caught.value)
    assert dict(vars(density), bandwidth=0.5) == before


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_one_location_tells_nothing(bandwidth, covariance_type):
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    with pytest.raises(ValueError, match=r"1 sample.*minimum of 2"):
        density.fit(X2[:1])
    with pytest.raises(ValueError, match=r"2 distinct rows .* Give `bandwidth`"):
        density.fit(np.ones((5, 2)))


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
def test_a_constant_feature_is_refused_with_advice(bandwidth, covariance_type):
    X = np.column_stack([X2, np.full(len(X2), 7.0)])
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    message = r"Give `bandwidth` numbers, or remove constant .* covariance_type='spheri"
    with pytest.raises(ValueError, match=message) as caught:
        density.fit(X)
    assert "{detail}" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:LOOKernelDensity. (Allowed|.*coincide):UserWarning")
@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("n_off", [1, 3])
def test_full_kernels_of_rows_mostly_on_a_plane_have_a_density(bandwidth, n_off):
    X = np.column_stack([X2, X2 @ [1.0, -2.0]])
    X[:n_off] += np.arange(1, n_off + 1)[:, None] * [0.0, 0.0, 1.0]
    density = LOOKernelDensity(bandwidth, covariance_type="full").fit(X)
    assert np.isfinite(density.score_samples(X)).all()


@pytest.mark.filterwarnings("ignore:LOOKernelDensity.*:UserWarning")
@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_rows_that_differ_by_little_more_than_rounding_have_a_width(
    bandwidth, covariance_type
):
    X = X2[:60] - 1e15
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type).fit(X)
    assert np.isfinite(density.score_samples(X)).all()


@pytest.mark.filterwarnings("ignore:LOOKernelDensity.*Allowed for:UserWarning")
@pytest.mark.parametrize("factor", [0.7, 3.0, 100.0])
def test_full_kernels_follow_the_unit_of_a_grid(factor):
    X = np.random.RandomState(0).standard_normal((400, 2)) @ [[1.0, 0.2], [0.0, 0.6]]
    X[:, 1] = np.round(X[:, 1])
    unit = np.array([1.0, factor])
    kernels = LOOKernelDensity("scott", covariance_type="full")
    expected = kernels.fit(X).bandwidth_ * np.outer(unit, unit)
    np.testing.assert_allclose(kernels.fit(unit * X).bandwidth_, expected, rtol=1e-7)


@pytest.mark.parametrize("bandwidth", RULES)
def test_a_constant_feature_hardly_matters_to_a_spherical_kernel(bandwidth):
    X = np.column_stack([X2, np.full(len(X2), 7.0)])
    density = LOOKernelDensity(bandwidth).fit(X)
    assert np.isfinite(density.score_samples(X)).all()
    # That it has no width asks for narrower kernels, by some power of n.
    without = LOOKernelDensity(bandwidth).fit(X2)
    assert without.bandwidth_ / 4 < density.bandwidth_ < 2 * without.bandwidth_


@pytest.mark.parametrize("bandwidth", RULES)
def test_a_constant_feature_has_no_say_beside_discrete_ones(bandwidth):
    r = np.random.RandomState(0)
    X = np.column_stack([np.full(200, 7.0), r.binomial(4, 0.5, (200, 2))])
    # All of them see a deviation of 1, and steps of 1.
    assert 0.5 <= chosen(X, bandwidth) < 2


@pytest.mark.parametrize("seed", range(12))
def test_far_rows_do_not_mislead_the_search_for_full_kernels(seed):
    r = np.random.RandomState(seed)
    X = np.column_stack([r.standard_cauchy(100) ** 5, r.normal(size=100)])
    full, diagonal = (
        LOOKernelDensity(covariance_type=each).fit(X) for each in ("full", "diag")
    )
    assert np.isfinite(full.bandwidth_).all()
    # Any diagonal kernel is a full one.
    assert full.loo_score_ >= diagonal.loo_score_ - 1e-6


@pytest.mark.parametrize("bandwidth", RULES)
def test_collinear_features_are_refused_for_full_kernels_only(bandwidth):
    X = np.column_stack([X2, X2.sum(axis=1)])
    with pytest.raises(ValueError, match="collinear features"):
        LOOKernelDensity(bandwidth, covariance_type="full").fit(X)
    density = LOOKernelDensity(bandwidth, covariance_type="diag").fit(X)
    assert np.isfinite(density.score_samples(X)).all()


def test_a_number_may_be_an_array_without_axes():
    X = normal(0)
    number, array = (LOOKernelDensity(h).fit(X) for h in (0.3, np.array(0.3)))
    assert array.bandwidth_ == number.bandwidth_


# What real tables are made of.


def rng_of(seed=0):
    return np.random.default_rng(seed)


def zero_or_one(n=200):
    r = rng_of()
    return np.column_stack([r.integers(0, 2, n), r.normal(size=n)])


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["diag", "full", "spherical"])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_a_column_of_zeros_and_ones_is_held_at_half_a_step(
    bandwidth, covariance_type, scale
):
    X = scale * (zero_or_one() + 3)
    H = np.atleast_2d(chosen(X, bandwidth, covariance_type=covariance_type)) / scale
    if covariance_type == "full":
        H = np.sqrt(np.diag(H))[None] / np.sqrt(scale)
    widths = np.resize(H, 2)
    assert 0.5 * (1 - 1e-9) <= widths[0] < 0.6
    assert 0.25 < widths[1] < 0.6


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda r, n: r.integers(1, 6, n),
        lambda r, n: r.poisson(2, n),
        lambda r, n: r.normal(45, 15, n).round(),
        lambda r, n: r.choice(r.normal(size=60), n),
    ],
    ids=["scores", "counts", "ages", "sites"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_other_columns_do_not_suffer_from_discrete_ones(
    bandwidth, covariance_type, draw, weighted
):
    r = rng_of()
    X = np.column_stack([draw(r, 500), r.normal(size=500)])
    weight = r.uniform(0.5, 2, 500) if weighted else None
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        density.fit(X, sample_weight=weight)
    widths = np.sqrt(np.diag(density.covariance_))
    assert widths[0] >= density.columns_[0].least_width * (1 - 1e-9) > 0
    # Alone, it would have some 0.3; the likelihood's own standard error is a third.
    assert 0.12 < widths[1] < 0.7


def messages(density, X):
    """What a fit warns of."""
    with pytest.warns(UserWarning, match="LOOKernelDensity: ") as caught:
        density.fit(X)
    return [str(each.message) for each in caught]


def test_one_width_for_columns_that_need_two_is_said_to_be_none():
    X = np.column_stack([1970 + (12 * normal(1, 300)).round(), 0.1 * normal(0, 300)])
    held, unlike = messages(LOOKernelDensity(), X)
    assert "column 0 (grid, multiples of 1; held at a width of 0.5)" in held
    assert "half a step of column 0, 0.5, is more than the spread of column 1" in unlike
    assert "StandardScaler" in unlike
    assert "covariance_type='diag'" in unlike
    (unlike,) = messages(LOOKernelDensity(), np.hstack([normal(0), 4 * normal(1)]))
    assert "column 1 spreads" in unlike
    assert "times as far as column 0" in unlike
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LOOKernelDensity(covariance_type="diag").fit(X)
        LOOKernelDensity().fit((X - X.mean(axis=0)) / X.std(axis=0))
        LOOKernelDensity().fit(np.hstack([normal(0), 2.5 * normal(1)]))


def test_messages_name_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(zero_or_one(), columns=["sex", "dose"])
    density = LOOKernelDensity(covariance_type="diag")
    with pytest.warns(
        UserWarning, match=r"column 'sex' \(discrete, 2 values 1 apart; held"
    ):
        density.fit(frame)
    assert [each.kind for each in density.columns_] == ["discrete", "continuous"]


def test_columns_are_told_whatever_the_bandwidth():
    density = LOOKernelDensity([1.0, 1.0]).fit(zero_or_one())
    assert [each.kind for each in density.columns_] == ["discrete", "continuous"]
    density.fit(np.column_stack([normal(0), normal(1)])[:50])
    assert density.columns_[0].n_values == 50


def copies_of(n_features, n_drawn=60):
    r = rng_of()
    rows = r.normal(170, 10, (n_drawn, n_features)).round(4 if n_features > 1 else 1)
    return rows[r.integers(0, n_drawn, 1000)]


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_rows_drawn_again_and_again_say_no_more_than_once(bandwidth, n_features, scale):
    X = scale * copies_of(n_features)
    # That some are there more often than others makes a small difference.
    expected = chosen(np.unique(X, axis=0), bandwidth)
    assert chosen(X, bandwidth) == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("bandwidth", ["robust_loo", "isj", "silverman", "scott"])
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("n_outliers", [1, 15])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_outliers_hardly_change_robust_widths(
    bandwidth, covariance_type, n_features, n_outliers, spread
):
    factors = []
    for seed in range(3):
        r = rng_of(seed)
        X = r.normal(size=(485, n_features))
        far = spread * r.normal(size=(n_outliers, n_features))
        far[:, 0] += 1000
        here, there = (
            LOOKernelDensity(bandwidth, covariance_type=covariance_type)
            for _ in range(2)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            here, there = here.fit(X).covariance_, there.fit([*X, *far]).covariance_
        squares = np.linalg.eigvals(np.linalg.solve(here, there)).real
        factors.append([np.sqrt(squares.min()), np.sqrt(squares.max())])
    least, most = np.median(factors, axis=0)
    assert 0.75 < least <= most < 1.25


WILD = {
    "log-uniform": lambda r: 10 ** r.uniform(-8, 8, 300),
    "Cauchy⁵": lambda r: r.standard_cauchy(200) ** 5,
    "lognormal": lambda r: r.lognormal(0, 8, 300),
    "failed sensor": lambda r: np.append(r.normal(size=512), -9999),
}


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("name", WILD)
def test_wild_rows_have_finite_widths(bandwidth, name):
    for seed in range(3):
        width = chosen(WILD[name](rng_of(seed))[:, None], bandwidth)
        assert np.isfinite(width)
        assert width > 0


@pytest.mark.parametrize("bounds", [(0, 1), (0, None)])
def test_isj_respects_bounds(bounds):
    # Of an exponential density the bound is no edge, and of uniform rows no end.
    r = rng_of()
    x = r.random((500, 1)) if bounds == (0, 1) else r.exponential(size=(500, 1))
    free, bounded = chosen(x, "isj"), chosen(x, "isj", bounds=bounds)
    assert bounded > 2 * free


def test_isj_does_not_see_which_bound_rows_are_at():
    x = np.random.RandomState(0).beta(2, 1, size=(400, 1))
    x[0] = 1.0
    fitted = [LOOKernelDensity("isj", bounds=(0, 1)).fit(side) for side in (x, 1 - x)]
    assert fitted[1].bandwidth_ == pytest.approx(fitted[0].bandwidth_, rel=1e-10)


def test_isj_says_that_a_flat_density_is_flat():
    x = rng_of(1).random((500, 1))
    density = LOOKernelDensity("isj", bounds=(0, 1))
    with pytest.warns(UserWarning, match="no structure.*no root.*widest candidate"):
        density.fit(x)
    assert 0.25 < density.bandwidth_ < 0.5


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_weights_of_any_size_are_silent(bandwidth, covariance_type):
    r = rng_of()
    X, weight = r.normal(size=(300, 2)), np.exp(-0.5 * r.uniform(0, 38, 300) ** 2)
    assert 0 < weight.min() < np.finfo(np.float64).tiny
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
        density.fit(X, sample_weight=weight)
    assert np.all(np.isfinite(density.covariance_))


def measurements(n=32):
    """Columns of the kinds that tables of cars and of the weather have."""
    r = rng_of()
    cylinders = r.choice([4, 6, 8], n, p=[0.35, 0.2, 0.45])
    return np.column_stack(
        [
            (40 - 3 * cylinders + r.normal(0, 2.5, n)).round(1),
            cylinders,
            (45 * cylinders - 50 + r.normal(0, 40, n)).round(1),
            (25 * cylinders - 10 + r.normal(0, 25, n)).round(),
            cylinders < 7,
            r.choice([3, 4, 5], n),
        ]
    )


TABLES = {
    "diabetes": lambda: load_diabetes().data,
    "raw diabetes": lambda: load_diabetes(scaled=False).data,
    "cars": measurements,
    "many cars": lambda: measurements(500),
}


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
@pytest.mark.parametrize("name", TABLES)
def test_ordinary_tables_have_widths_that_no_column_collapses_in(
    bandwidth, covariance_type, name
):
    X = TABLES[name]()
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        density.fit(X)
    widths = np.sqrt(np.diag(density.covariance_))
    least = np.array([each.least_width for each in density.columns_])
    assert np.all(widths >= (1 - 1e-9) * least)
    assert np.all(widths > 0.05 * X.std(axis=0))
    assert np.all(widths < 5 * X.std(axis=0))
    assert np.isfinite(density.loo_score_)
