"""Kernels reflected at bounds: a density on the support, and nothing beyond it."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp, ndtr
from scipy.stats import chisquare, kstest

from skdensity import LOOKernelDensity
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

RULES = sorted(BANDWIDTHS)
BOUNDS_1D = [(0, None), (None, 1), (0, 1)]
MIXED = [(0, None), (0, 1)]


def rows(n_features, n_samples=60):
    """Rows in the unit cube, crowded at its lower borders."""
    rng = np.random.RandomState(n_features)
    return rng.beta(0.8, 2.0, (n_samples, n_features))


def weights(n_samples=60):
    return np.random.RandomState(0).uniform(0.1, 3, n_samples)


def ends_of(bounds, n_features):
    bounds = [bounds] * n_features if len(np.shape(bounds)) == 1 else bounds
    return [
        (-np.inf if lower is None else lower, np.inf if upper is None else upper)
        for lower, upper in bounds
    ]


def all_images(column, lower, upper, n_periods=60):
    """Every value and its mirror images, far more than can matter."""
    if np.isfinite(lower) and np.isfinite(upper):
        shifts = 2 * (upper - lower) * np.arange(-n_periods, n_periods + 1)[:, None]
        return np.vstack([column + shifts, 2 * lower - column + shifts])
    bound = lower if np.isfinite(lower) else upper
    if np.isfinite(bound):
        return np.vstack([column, 2 * bound - column])
    return column[None]


def reflected_log_density(Q, X, weight, widths, bounds):
    """Brute force: the images of a row are the product of those of its features."""
    log_kernel = np.log(weight / weight.sum()) + np.zeros((len(Q), 1))
    for q, x, h, ends in zip(Q.T, X.T, widths, bounds, strict=True):
        delta = (q[:, None, None] - all_images(x, *ends)) / h
        log_kernel = log_kernel + logsumexp(-0.5 * delta**2, axis=1)
        log_kernel -= np.log(h) + 0.5 * np.log(2 * np.pi)
    return logsumexp(log_kernel, axis=1)


def quadrature(lower, upper, n_panels=60, n_nodes=12):
    """Gauss-Legendre nodes and weights; panels are narrower than the kernels."""
    nodes, node_weights = np.polynomial.legendre.leggauss(n_nodes)
    edges = np.linspace(lower, upper, n_panels + 1)
    half = np.diff(edges) / 2
    x = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    return x.ravel(), (half[:, None] * node_weights).ravel()


def end_of_mass(bound, widest, sign):
    """A bound, or ten bandwidths beyond the rows: what is beyond has mass 1e-23."""
    return (0.5 + sign * (0.5 + 10 * widest)) if bound is None else bound


@pytest.mark.parametrize("bounds", BOUNDS_1D)
@pytest.mark.parametrize("bandwidth", [0.02, 0.2, 2.0])
def test_the_density_integrates_to_one_on_its_support(bounds, bandwidth):
    density = LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(1))
    lower = end_of_mass(bounds[0], bandwidth, -1)
    upper = end_of_mass(bounds[1], bandwidth, 1)
    x, dx = quadrature(lower, upper, n_panels=200)
    # Twelve nodes in half a bandwidth are exact to rounding.
    assert dx @ np.exp(density.score_samples(x[:, None])) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("bandwidth", [0.1, [0.2, 0.05]])
def test_the_density_of_two_features_integrates_to_one(bandwidth):
    density = LOOKernelDensity(bandwidth, bounds=MIXED).fit(rows(2))
    axes = [quadrature(0, 3.0, 25, 10), quadrature(0, 1, 25, 10)]
    (x, dx), (y, dy) = axes
    grid = np.array(list(product(x, y)))
    mass = dx @ np.exp(density.score_samples(grid)).reshape(len(x), len(y)) @ dy
    assert mass == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("fold", [{"bounds": (0, 1)}, {"periodic": 1.0}])
def test_boxes_of_any_dimension_have_mass_one(n_features, fold):
    density = LOOKernelDensity(0.4, **fold).fit(rows(n_features, 5))
    # Eight nodes are exact up to the sixteenth power, which is 1e-5 for such kernels.
    x, dx = quadrature(0, 1, n_panels=1, n_nodes=8)
    grid = np.stack(np.meshgrid(*[x] * n_features), axis=-1).reshape(-1, n_features)
    mass = np.exp(density.score_samples(grid)).reshape([8] * n_features)
    for _ in range(n_features):
        mass = mass @ dx
    assert mass == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("bounds", BOUNDS_1D)
def test_the_density_is_zero_outside_and_positive_on_the_bounds(bounds):
    density = LOOKernelDensity(0.1, bounds=bounds).fit(rows(1))
    for bound, outwards in zip(bounds, (-1, 1), strict=True):
        if bound is None:
            continue
        outside = bound + outwards * np.array([[1e-12], [0.05], [1e3]])
        assert np.all(density.score_samples(outside) == -np.inf)
        assert np.isnan(density.gradient(outside)).all()
        assert np.isfinite(density.score_samples([[bound]])).all()
    assert np.isfinite(density.score_samples(rows(1))).all()


def test_one_feature_out_of_bounds_is_enough():
    density = LOOKernelDensity(0.1, bounds=MIXED).fit(rows(2))
    Q = np.array([[0.5, 0.5], [-0.1, 0.5], [5.0, 0.5], [0.5, 1.1], [0.5, -0.1]])
    finite = np.isfinite(density.score_samples(Q))
    np.testing.assert_array_equal(finite, [True, False, True, False, False])


@pytest.mark.parametrize("algorithm", ["exact", "nufft", "auto"])
@pytest.mark.parametrize(
    ("bounds", "n_features", "bandwidth"),
    [
        *((bounds, 1, h) for bounds in BOUNDS_1D for h in (1e-3, 0.1, 1.0)),
        (MIXED, 2, 0.1),
        (MIXED, 2, [0.5, 0.03]),
        ([(None, None), (0, 1)], 2, 0.2),
        ((0, 1), 3, 0.2),
        ([(0, 1), (None, 2), (None, None), (-1, None)], 4, 0.3),
        ((0, 1), 4, 0.05),
        ((0, 1), 6, 0.3),
        ((0, 1), 6, 2.0),
        ((0, None), 8, 0.3),
    ],
)
def test_reflection_equals_a_sum_over_many_images(
    algorithm, bounds, n_features, bandwidth
):
    X, weight = rows(n_features), weights()
    density = LOOKernelDensity(bandwidth, bounds=bounds, algorithm=algorithm)
    density.fit(X, sample_weight=weight)
    Q = np.vstack(
        [rows(n_features, 20)[:, ::-1], np.zeros((1, n_features)), X[:5], X[:5] / 100]
    )
    ends, widths = ends_of(bounds, n_features), np.broadcast_to(bandwidth, n_features)
    expected = reflected_log_density(Q, X, weight, widths, ends)
    # Transforms keep rtol; logarithms of 1e6 hold nine digits after the point.
    np.testing.assert_allclose(
        density.score_samples(Q), expected, rtol=1e-12, atol=1e-6
    )


def test_kernels_wider_than_the_bounds_are_flat():
    # Between bounds at distance R the first mode left is exp(−π² h² / 2 R²).
    X = rows(2, 30)
    density = LOOKernelDensity(3.0, bounds=(0, 1)).fit(X)
    np.testing.assert_allclose(density.score_samples(X), 0, atol=1e-12)
    np.testing.assert_allclose(density.gradient(X), 0, atol=1e-12)


def test_bounds_far_away_make_no_difference():
    X = rows(2)
    bounded = LOOKernelDensity(0.1, bounds=(-100, 100)).fit(X)
    free = LOOKernelDensity(0.1).fit(X)
    np.testing.assert_allclose(
        bounded.score_samples(X), free.score_samples(X), rtol=1e-13
    )
    assert bounded.loo_score_ == pytest.approx(free.loo_score_, rel=1e-13)


@pytest.mark.parametrize(
    "bounds",
    [[(0, None), (0, None)], (0, np.inf), np.array([[0, np.inf], [0.0, np.inf]])],
)
def test_bounds_can_be_written_in_several_ways(bounds):
    X = rows(2)
    expected = LOOKernelDensity(0.1, bounds=(0, None)).fit(X).score_samples(X)
    actual = LOOKernelDensity(0.1, bounds=bounds).fit(X).score_samples(X)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("bounds", [*BOUNDS_1D, MIXED])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bandwidth", ["loo", 0.4])
def test_the_loo_score_equals_brute_force_refits(bounds, weighted, bandwidth):
    n_features = 2 if bounds is MIXED else 1
    X = rows(n_features, 40)
    weight = weights(40) if weighted else np.ones(40)
    density = LOOKernelDensity(bandwidth, bounds=bounds).fit(X, sample_weight=weight)
    others = ~np.eye(len(X), dtype=bool)
    refits = [
        LOOKernelDensity(density.bandwidth_, bounds=bounds)
        .fit(X[other], sample_weight=weight[other])
        .score_samples(X[[i]])[0]
        for i, other in enumerate(others)
    ]
    # Sums of positive terms: both lose a few eps.
    assert density.loo_score_ == pytest.approx(
        np.average(refits, weights=weight), abs=1e-11
    )


@pytest.mark.parametrize("bounds", [*BOUNDS_1D, MIXED])
@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
def test_the_bandwidth_is_the_best_under_the_bounds(bounds, covariance_type):
    X = rows(2 if bounds is MIXED else 1)
    density = LOOKernelDensity(covariance_type=covariance_type, bounds=bounds).fit(X)
    chosen = np.atleast_1d(density.bandwidth_)
    assert np.isscalar(density.bandwidth_) == (covariance_type == "spherical")

    def score(bandwidth):
        bandwidth = bandwidth[0] if covariance_type == "spherical" else bandwidth
        return LOOKernelDensity(bandwidth, bounds=bounds).fit(X).loo_score_

    for feature, factor in product(range(len(chosen)), (1 - 1e-3, 1 + 1e-3)):
        other = chosen.copy()
        other[feature] *= factor
        assert score(other) < density.loo_score_
    for factor in 1.3 ** np.arange(-12.0, 13.0):
        assert score(factor * chosen) <= density.loo_score_ + 1e-12


@pytest.mark.filterwarnings("ignore:.*isj. finds no structure:UserWarning")
@pytest.mark.parametrize("bandwidth", RULES)
def test_uniform_rows_have_density_one_up_to_the_border(bandwidth):
    # Two thousand rows: the density at a point has a standard error of some 5 %.
    X = np.random.RandomState(0).uniform(size=(2000, 1))
    bounded = LOOKernelDensity(bandwidth, bounds=(0, 1)).fit(X)
    free = LOOKernelDensity(bounded.bandwidth_).fit(X)
    border = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(np.exp(bounded.score_samples(border)), 1, atol=0.25)
    # Half of the kernels' mass at the border has left; reflected at the other border,
    # the mass beyond 1 / h comes back, twice, where densities are no more than 2.
    atol = 1e-6 + 4 * ndtr(-1 / bounded.bandwidth_)
    np.testing.assert_allclose(
        free.score_samples(border), bounded.score_samples(border) - np.log(2), atol=atol
    )


@pytest.mark.parametrize("bounds", [*BOUNDS_1D, MIXED])
@pytest.mark.parametrize("bandwidth", [0.02, 0.3])
def test_the_gradient_equals_finite_differences(bounds, bandwidth):
    n_features = 2 if bounds is MIXED else 1
    density = LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(n_features))
    Q = 0.1 + 0.8 * np.random.RandomState(3).uniform(size=(20, n_features))
    step = 1e-4 * bandwidth
    for feature in range(n_features):
        delta = step * np.eye(n_features)[feature]
        ahead, behind = (
            density.score_samples(Q + delta),
            density.score_samples(Q - delta),
        )
        # Third derivatives are some h^-3, second differences lose eps/step.
        np.testing.assert_allclose(
            density.gradient(Q)[:, feature],
            (ahead - behind) / (2 * step),
            atol=1e-5 / bandwidth,
        )


@pytest.mark.parametrize("bandwidth", [0.05, 0.5])
def test_the_density_is_flat_across_a_bound(bandwidth):
    density = LOOKernelDensity(bandwidth, bounds=MIXED).fit(rows(2))
    edges = np.array([[0.0, 0.3], [0.4, 0.0], [0.4, 1.0], [0.0, 0.0]])
    gradient = density.gradient(edges)
    np.testing.assert_allclose(gradient[[0, 3], 0], 0, atol=1e-9 / bandwidth)
    np.testing.assert_allclose(gradient[1:, 1], 0, atol=1e-9 / bandwidth)
    assert abs(gradient[0, 1]) > 1e-3


@pytest.mark.parametrize("bounds", BOUNDS_1D)
@pytest.mark.parametrize("bandwidth", [0.05, 0.5, 4.0])
def test_draws_are_within_the_bounds_and_follow_the_density(bounds, bandwidth):
    density = LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(1))
    draws = density.sample(5000, random_state=0)
    assert np.isfinite(density.score_samples(draws)).all()
    assert kstest(draws[:, 0], lambda x: density.cdf(x[:, None])).pvalue > 1e-3


def test_draws_of_two_features_follow_the_density():
    density = LOOKernelDensity([0.3, 0.1], bounds=MIXED).fit(rows(2))
    draws = density.sample(5000, random_state=0)
    edges = [np.array([0, 0.2, 0.4, 0.8, 3.5]), np.linspace(0, 1, 5)]
    observed, *_ = np.histogram2d(*draws.T, bins=edges)
    assert observed.sum() == len(draws)
    expected = np.empty_like(observed)
    for i, j in np.ndindex(expected.shape):
        x, dx = quadrature(*edges[0][i : i + 2], n_panels=20, n_nodes=8)
        y, dy = quadrature(*edges[1][j : j + 2], n_panels=5, n_nodes=8)
        grid = np.array(list(product(x, y)))
        values = np.exp(density.score_samples(grid)).reshape(len(x), len(y))
        expected[i, j] = len(draws) * (dx @ values @ dy)
    assert expected.min() > 5
    scale = observed.sum() / expected.sum()
    assert chisquare(observed.ravel(), scale * expected.ravel()).pvalue > 1e-3


@pytest.mark.parametrize("bandwidth", [*RULES, 0.1])
@pytest.mark.parametrize("bounds", BOUNDS_1D)
@pytest.mark.parametrize(("scale", "offset"), [(1e-6, 0.0), (7.0, -3.0), (1e6, 2e6)])
def test_bounds_move_with_the_unit_of_the_data(bandwidth, bounds, scale, offset):
    X = rows(1)
    here = LOOKernelDensity(bandwidth, bounds=bounds).fit(X)
    there = LOOKernelDensity(
        bandwidth if isinstance(bandwidth, str) else scale * bandwidth,
        bounds=[None if end is None else scale * end + offset for end in bounds],
    ).fit(scale * X + offset)
    # A search ends within √eps of the best bandwidth, where the score is flat.
    assert there.bandwidth_ == pytest.approx(scale * here.bandwidth_, rel=1e-6)
    np.testing.assert_allclose(
        there.score_samples(scale * X + offset) + np.log(scale),
        here.score_samples(X),
        atol=1e-5,
    )


@pytest.mark.parametrize("bandwidth", RULES)
def test_a_mirrored_table_has_the_mirrored_density(bandwidth):
    X = rows(1)
    here = LOOKernelDensity(bandwidth, bounds=(0, None)).fit(X)
    there = LOOKernelDensity(bandwidth, bounds=(None, 0)).fit(-X)
    assert there.bandwidth_ == pytest.approx(here.bandwidth_, rel=1e-6)
    np.testing.assert_allclose(
        there.score_samples(-X), here.score_samples(X), atol=1e-5
    )


def test_float32_rows_on_the_bounds_are_within():
    X = np.float32([[0.1], [0.3], [0.3], [0.9]])
    bounds = (float(X.min()), float(X.max()))
    density = LOOKernelDensity(0.1, bounds=bounds).fit(X)
    assert np.isfinite(density.score_samples(X)).all()
    assert density.score_samples(X).dtype == np.float32
    draws = density.sample(1000, random_state=0)
    assert draws.dtype == np.float32
    assert np.isfinite(density.score_samples(draws)).all()


@pytest.mark.parametrize("bandwidth", ["loo", 0.1])
@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0.2, None), r"`bounds` exclude rows: feature \d of row \d+ is 0\.\d+, not"),
        ([(0, 1), (None, 0.5)], r"`bounds` exclude rows: feature 1 of row \d+"),
        ((1, 0), r"`bounds` of feature 0 are \(1, 0\); the lower one must be smaller"),
        ([(0, 1), (2, 2)], r"`bounds` of feature 1 are \(2, 2\); the lower one"),
        ((np.nan, 1), "`bounds` of feature 0 are .*lower one must be smaller"),
        ((0, 1, 2), r"`bounds` has shape \(3,\); expected a pair"),
        ([(0, 1)] * 3, r"`bounds` has shape \(3, 2\).*each of the 2 features"),
        ([[0, 1, 2], [0, 1, 2]], r"`bounds` has shape \(2, 3\); expected a pair"),
        (("low", "high"), "`bounds` must be numbers or None; got .*'low'"),
        (3.0, "'bounds' parameter.*Got 3.0"),
        ((0, np.finfo(float).max), "`bounds` has 1.79.*e.308; .*None where there is"),
        ((-1e200, 1e200), "`bounds` has -1e.200; .*None where there is"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bandwidth, bounds, message):
    with pytest.raises(ValueError, match=message):
        LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(2))


def test_values_out_of_bounds_are_those_of_a_named_column():
    frame = pd.DataFrame(rows(2), columns=["height", "age"])
    density = LOOKernelDensity(0.1, bounds=[(None, None), (0, 2)])
    with pytest.raises(ValueError, match="exclude rows: feature 'age' of row 0 is 3"):
        density.fit(frame.assign(age=3.0))
    density.fit(frame)
    with pytest.raises(ValueError, match="`values` has 3 for feature 'age', which is"):
        density.condition(["age"], [3.0])
    with pytest.raises(ValueError, match="`X` has 3 for feature 'age', which is"):
        density.impute(frame.assign(height=np.nan, age=3.0))


@pytest.mark.parametrize(
    "parameters", [{"covariance_type": "full"}, {"bandwidth": [[1, 0.5], [0.5, 1]]}]
)
def test_correlated_kernels_have_no_bounds(parameters):
    density = LOOKernelDensity(bounds=(0, 1), **parameters)
    with pytest.raises(
        ValueError, match=r"independent features.*'diag' or 'spherical'"
    ):
        density.fit(rows(2))
    assert not hasattr(density, "locations_")


@pytest.mark.parametrize("bandwidth", ["loo", "scott", 0.1])
@pytest.mark.parametrize("far", [1e100, 1e152])
def test_bounds_out_of_sight_are_none(bandwidth, far):
    X = np.abs(rows(2))
    expected = LOOKernelDensity(bandwidth, bounds=(0, None)).fit(X)
    found = LOOKernelDensity(bandwidth, bounds=(0, far)).fit(X)
    np.testing.assert_allclose(found.bandwidth_, expected.bandwidth_, rtol=1e-6)
    np.testing.assert_allclose(found.score_samples(X), expected.score_samples(X))
