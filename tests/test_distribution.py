"""Probabilities of values, boxes and regions, in both tails and at bounds.

The oracles are mpmath's distribution function of the normal, kernel by kernel and image
by image, SciPy's of several normals, and quadrature.
"""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.special import ndtr
from scipy.stats import multivariate_normal
from sklearn.exceptions import NotFittedError

from skdensity import LOOKernelDensity
from skdensity.models.kernels.masses import below
from skdensity.models.kernels.masses.below import MassBelow
from skdensity.models.kernels.masses.lines import line_of
from skdensity.models.kernels.support import Axis
from skdensity.models.normal_mass import mass_between
from skdensity.passes.workspace import Workspace
from skdensity.solvers.roots import find_roots

ALONE = Workspace()
BOUNDS = [None, (-3.0, None), (None, 3.5), (-3.0, 3.5)]
EACH_BOUNDS = pytest.mark.parametrize("bounds", BOUNDS, ids=str)


def rows(n_samples=60, n_features=1):
    rng = np.random.RandomState(n_features)
    return np.clip(rng.standard_normal((n_samples, n_features)), -2.9, 2.9)


def weights(n_samples=60):
    return np.random.RandomState(0).uniform(0.1, 3, n_samples)


def exact_mass(density, lower, upper, feature=0, n_images=3):
    """Mass of every kernel between two values of a feature, in mpmath."""
    width = mpmath.mpf(float(np.ravel(density.bandwidth_)[-1 if feature else 0]))
    if np.ndim(density.bandwidth_) == 1:
        width = mpmath.mpf(float(density.bandwidth_[feature]))
    low, high = -mpmath.inf, mpmath.inf
    if density.bounds is not None:
        low, high = (
            end if value is None else mpmath.mpf(value)
            for value, end in zip(density.bounds, (low, high), strict=True)
        )
    lower, upper = max(mpmath.mpf(lower), low), min(mpmath.mpf(upper), high)
    intervals = [(lower, upper)]
    if density.bounds is not None:
        intervals += [
            (2 * bound - upper, 2 * bound - lower)
            for bound in (low, high)
            if mpmath.isfinite(bound)
        ]
    if mpmath.isfinite(high - low):
        # Reflected once, at the lower bound, all images are a shift away.
        intervals = [
            (a + 2 * k * (high - low), b + 2 * k * (high - low))
            for a, b in intervals[:2]
            for k in range(-n_images, n_images + 1)
        ]
    return [
        mpmath.fsum(normal_mass((a - x) / width, (b - x) / width) for a, b in intervals)
        for x in map(mpmath.mpf, density.locations_[:, feature].tolist())
    ]


def normal_mass(a, b):
    """Φ(b) − Φ(a), from the side where it has digits."""
    return (
        mpmath.ncdf(b) - mpmath.ncdf(a) if a < 0 else mpmath.ncdf(-a) - mpmath.ncdf(-b)
    )


def exact_below(density, x):
    masses = exact_mass(density, -mpmath.inf, x)
    return mpmath.fdot(density.weights_.tolist(), masses)


def exact_above(density, x):
    masses = exact_mass(density, x, mpmath.inf)
    return mpmath.fdot(density.weights_.tolist(), masses)


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(30):
        yield


def test_masses_between_points_keep_their_digits():
    ends = np.array([-30, -8, -1, -1e-3, -1e-18, 0, 1e-9, 0.3, 2, 9, 30])
    lower, upper = (e.ravel() for e in np.meshgrid(ends, ends))
    lower, upper = lower[lower < upper], upper[lower < upper]
    exact = [
        float(normal_mass(*map(mpmath.mpf, pair)))
        for pair in zip(lower, upper, strict=True)
    ]
    actual = mass_between(lower, upper)
    # exp(−z²/2) loses z² eps, and 30² eps are 2e-13.
    np.testing.assert_allclose(actual, exact, rtol=5e-13)
    assert mass_between(-np.inf, np.inf) == 1


class TestMassBelow:
    @pytest.mark.parametrize("n_points", [1, 5, 3000])
    @pytest.mark.parametrize("spread", [0.01, 1.0, 30.0, 3000.0])
    def test_it_is_the_sum_of_all_kernels(self, n_points, spread):
        rng = np.random.RandomState(n_points)
        points = spread * rng.standard_normal(n_points)
        masses = 10.0 ** rng.uniform(-12, 0, n_points)
        gaps = np.linspace(-3, 37, 300)
        z = np.r_[rng.choice(points, 300), points.min() - gaps, points.max() + gaps]
        actual = MassBelow.of(points, masses).at(z, ALONE)
        exact = ndtr(z[:, None] - points) @ masses
        np.testing.assert_allclose(actual, exact, rtol=1e-11)

    def test_gaps_between_crowds_are_flat(self):
        points = np.repeat([0.0, 1e3, 1e17], 50)
        mass = MassBelow.of(points, np.full(150, 1 / 150))
        z = np.array([-1e30, 20, 500, 985, 5e16, 1e30])
        expected = [0, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 1]
        np.testing.assert_allclose(mass.at(z, ALONE), expected, rtol=1e-12)

    def test_a_row_far_below_of_hardly_any_weight_is_not_lost(self):
        rng = np.random.RandomState(0)
        points = np.append(rng.standard_normal(500), -15.0)
        masses = np.append(np.full(500, 0.002), 1e-40)
        z = np.linspace(-40, 0, 101)
        exact = ndtr(z[:, None] - points) @ masses
        np.testing.assert_allclose(
            MassBelow.of(points, masses).at(z, ALONE), exact, rtol=1e-11
        )

    @pytest.mark.parametrize("spread", [0.1, 5.0, 100.0])
    def test_its_cost_does_not_grow_with_the_pairs(self, monkeypatch, spread):
        sizes = []

        def counted(z):
            sizes.append(np.size(z))
            return ndtr(z)

        rng = np.random.RandomState(0)
        points = spread * rng.standard_normal(20_000)
        mass = MassBelow.of(points, np.full(20_000, 5e-5))
        monkeypatch.setattr(below, "ndtr", counted)
        mass.at(points, ALONE)
        assert sum(sizes) < 40 * len(points)

    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_threads_make_no_difference(self, n_threads):
        points = np.random.RandomState(0).standard_normal(30_000)
        mass = MassBelow.of(points, np.full(30_000, 1 / 30_000))
        with Workspace(n_threads) as workspace:
            actual = mass.at(points, workspace)
        np.testing.assert_array_equal(actual, mass.at(points, ALONE))


class TestTails:
    @EACH_BOUNDS
    @pytest.mark.parametrize("bandwidth", [0.1, 0.6, 1.8, 4.0])
    def test_cdf_and_sf_keep_their_digits(self, bounds, bandwidth):
        density = LOOKernelDensity(bandwidth, bounds=bounds, rtol=0.1)
        density.fit(rows(16), sample_weight=weights(16))
        lower, upper = (-3.0, 3.5) if bounds else (-20, 20)
        near = np.array([1e-12, 0.01, 0.2, 0.5])
        tails = bandwidth * np.array([1.0, 6.0, 11.0, 14.0, 25.0])
        x = np.r_[lower + near, -1.0, 0.3, upper - near, -3 - tails, 3.5 + tails]
        if bounds is not None:
            low, high = (
                s * np.inf if v is None else v
                for s, v in zip((-1, 1), bounds, strict=True)
            )
            x = x[(x > low) & (x < high)]
        exact = [float(exact_below(density, value)) for value in x]
        np.testing.assert_allclose(density.cdf(x[:, None]), exact, rtol=1e-9)
        exact = [float(exact_above(density, value)) for value in x]
        np.testing.assert_allclose(density.sf(x[:, None]), exact, rtol=1e-9)

    @pytest.mark.parametrize("distance", [3.0, 12.0, 37.0])
    @pytest.mark.parametrize("other", [None, 6.0])
    def test_near_a_bound_that_is_far_from_all_rows(self, distance, other):
        X = distance + np.linspace(0, 1, 20)[:, None]
        other = None if other is None else distance + other
        density = LOOKernelDensity(1.0, bounds=(0, other)).fit(X)
        x = np.array([1e-9, 1e-3, 0.1, 0.249, 0.251, 1.0])
        exact = [float(exact_below(density, value)) for value in x]
        np.testing.assert_allclose(density.cdf(x[:, None]), exact, rtol=1e-9)
        mirrored = LOOKernelDensity(
            1.0, bounds=(None if other is None else -other, 0)
        ).fit(-X)
        np.testing.assert_allclose(mirrored.sf(-x[:, None]), exact, rtol=1e-9)

    @pytest.mark.parametrize("bounds", [None, (-2e12, None)])
    def test_an_outlier_costs_the_others_no_digits(self, bounds):
        X = np.append(-1e12, rows(50))[:, None]
        density = LOOKernelDensity(0.5, bounds=bounds).fit(X)
        x = np.linspace(-3, 3, 13)
        exact = [float(exact_below(density, value)) for value in x]
        np.testing.assert_allclose(density.cdf(x[:, None]), exact, rtol=1e-11)
        exact = [float(exact_above(density, value)) for value in x]
        np.testing.assert_allclose(density.sf(x[:, None]), exact, rtol=1e-11)

    def test_the_upper_tail_is_not_one_minus_the_lower(self):
        X = np.random.RandomState(0).standard_normal((20_000, 1))
        density = LOOKernelDensity(0.1).fit(X)
        x = [[5.0], [6.0], [7.0]]
        exact = [
            float(
                mpmath.fsum(
                    mpmath.ncdf((v - t) / mpmath.mpf("0.1"))
                    for v in map(mpmath.mpf, np.sort(X[:, 0])[-300:].tolist())
                )
            )
            / 20_000
            for (t,) in x
        ]
        np.testing.assert_allclose(density.sf(x), exact, rtol=1e-9)

    @EACH_BOUNDS
    @pytest.mark.parametrize("bandwidth", [0.02, 0.5, 3.0, 300.0])
    def test_both_add_up_to_one(self, bounds, bandwidth):
        density = LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(500))
        x = np.linspace(-5, 5, 1001)[:, None]
        total = density.cdf(x) + density.sf(x)
        np.testing.assert_allclose(total, 1, rtol=1e-11)

    def test_mass_of_a_wide_kernel_between_bounds_is_uniform(self):
        density = LOOKernelDensity(100.0, bounds=(0, 2)).fit([[0.0], [0.1], [1.9]])
        x = np.array([1e-300, 1e-9, 0.5, 1.5, 2.0])
        np.testing.assert_allclose(density.cdf(x[:, None]), x / 2, rtol=1e-12)
        assert density.probability(0.5, 1.0) == pytest.approx(0.25, rel=1e-12)

    def test_float32_rows_give_float32(self):
        X = rows().astype(np.float32)
        density = LOOKernelDensity(0.5).fit(X)
        assert density.sf(X).dtype == np.float32
        exact = density.sf(X.astype(float))
        np.testing.assert_allclose(density.sf(X), exact, rtol=1e-6)


class TestQuantile:
    @EACH_BOUNDS
    @pytest.mark.parametrize("bandwidth", [0.02, 0.5, 3.0, 100.0])
    def test_it_is_the_inverse_in_both_tails(self, bounds, bandwidth):
        density = LOOKernelDensity(bandwidth, bounds=bounds, rtol=0.1)
        density.fit(rows(300), sample_weight=weights(300))
        q = np.r_[1e-12, 1e-5, np.linspace(0.001, 0.5, 50)]
        low, high = density.quantile(q), density.quantile(1 - q)
        for x, method, share in (
            (low, density.cdf, q),
            (high, density.sf, 1 - (1 - q)),
        ):
            # No value is nearer than half its spacing, which is much beside a bound.
            nearest = np.exp(density.score_samples(x[:, None])) * np.spacing(np.abs(x))
            error = np.abs(method(x[:, None]) - share)
            assert np.all(error <= 1e-9 * share + nearest)
        assert np.all(np.diff(low) >= 0)
        assert np.all(np.diff(high) <= 0)

    def test_tails_go_as_far_as_float64(self):
        density = LOOKernelDensity(2.0).fit([[5.0]])
        q = [1e-300, 1e-100, 1e-16]
        exact = [
            float(5 + 2 * mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(0.25) - 1))
        ]
        np.testing.assert_allclose(density.quantile([0.25]), exact, rtol=1e-12)
        np.testing.assert_allclose(
            density.cdf(density.quantile(q)[:, None]), q, rtol=1e-9
        )

    @EACH_BOUNDS
    def test_values_come_back(self, bounds):
        density = LOOKernelDensity(0.5, bounds=bounds).fit(rows())
        x = np.linspace(-2.9, 3.4, 50)
        np.testing.assert_allclose(
            density.quantile(density.cdf(x[:, None])), x, atol=1e-11
        )

    def test_the_ends_are_the_bounds_or_infinite(self):
        X = rows()
        density = LOOKernelDensity(0.5).fit(X)
        np.testing.assert_array_equal(density.quantile([0, 1]), [-np.inf, np.inf])
        density = LOOKernelDensity(0.5, bounds=(-3, None)).fit(X)
        np.testing.assert_array_equal(density.quantile([0.0, 1.0]), [-3, np.inf])

    def test_it_has_the_shape_of_q(self):
        density = LOOKernelDensity(0.5).fit(rows())
        q = np.array([[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]])
        values = density.quantile(q)
        assert values.shape == (2, 3)
        assert density.quantile(0.3) == values[0, 2]
        assert np.ndim(density.quantile(0.3)) == 0
        assert density.quantile([]).shape == (0,)
        assert density.quantile(q.astype(np.float32)).dtype == np.float32

    def test_between_clusters_it_is_in_the_gap(self):
        density = LOOKernelDensity(1.0).fit([[0.0], [1e9]])
        assert 5 < density.quantile(0.5) < 1e9 - 5
        low, high = density.quantile([0.5 - 1e-9, 0.5 + 1e-9])
        assert low == pytest.approx(5.88, abs=0.01)
        assert 1e9 - high == pytest.approx(5.88, abs=0.01)


class TestProbability:
    @pytest.mark.parametrize("n_features", [1, 2, 3, 4])
    @pytest.mark.parametrize("bounds", [None, (-3.0, None), (-3.0, 3.5)], ids=str)
    @pytest.mark.parametrize("kind", ["spherical", "diag"])
    def test_it_is_a_sum_of_products(self, n_features, bounds, kind):
        widths = np.linspace(0.3, 1.2, n_features)
        density = LOOKernelDensity(
            0.5 if kind == "spherical" else widths, bounds=bounds
        ).fit(rows(15, n_features), sample_weight=weights(15))
        lower = np.array([-0.5, -np.inf, 0.2, -2.0])[:n_features]
        upper = np.array([1.5, 0.4, np.inf, 9.0])[:n_features]
        each = [exact_mass(density, lower[a], upper[a], a) for a in range(n_features)]
        products = [mpmath.fprod(parts) for parts in zip(*each, strict=True)]
        exact = float(mpmath.fdot(density.weights_.tolist(), products))
        assert density.probability(lower, upper) == pytest.approx(exact, rel=1e-11)

    @pytest.mark.parametrize("kernel", [0.5, [0.3, 0.5], [[0.5, 0.3], [0.3, 0.4]]])
    def test_parts_add_up_to_everything(self, kernel):
        density = LOOKernelDensity(kernel, rtol=1e-4).fit(rows(60, 2))
        everywhere = density.probability(-np.inf, np.inf)
        assert everywhere == pytest.approx(1, abs=1e-14)
        parts = [
            density.probability([a, c], [b, d])
            for a, b in ((-np.inf, 0.3), (0.3, np.inf))
            for c, d in ((-np.inf, -0.2), (-0.2, 0.5), (0.5, np.inf))
        ]
        assert sum(parts) == pytest.approx(1, abs=5e-4)
        assert density.probability([0.1, 0.1], [0.1, 5.0]) == 0

    def test_in_one_feature_it_is_a_difference_of_distribution_functions(self):
        for kernel in (0.5, [0.5], [[0.25]]):
            density = LOOKernelDensity(kernel).fit(rows())
            below_low, below_high = density.cdf([[-0.3], [0.8]])
            expected = below_high - below_low
            assert density.probability(-0.3, 0.8) == pytest.approx(expected, rel=1e-12)
            assert density.probability([8], [np.inf]) == pytest.approx(
                density.sf([[8.0]])[0], rel=1e-9
            )

    @pytest.mark.parametrize("n_features", [2, 3])
    def test_of_full_kernels_it_is_scipys(self, n_features):
        rng = np.random.RandomState(0)
        root = rng.standard_normal((n_features, n_features))
        covariance = 0.3 * root @ root.T + 0.05 * np.eye(n_features)
        X = rows(4, n_features)
        density = LOOKernelDensity(covariance, rtol=1e-4).fit(X)
        lower = np.array([-1.0, -0.5, -np.inf])[:n_features]
        upper = np.array([0.5, np.inf, 1.0])[:n_features]
        exact = np.mean(
            [
                multivariate_normal.cdf(
                    upper, x, covariance, lower_limit=lower, abseps=1e-6, releps=1e-6
                )
                for x in X
            ]
        )
        assert density.probability(lower, upper) == pytest.approx(exact, rel=2e-4)
        again = density.probability(lower, upper)
        assert again == density.probability(lower, upper)

    def test_full_kernels_without_correlation_are_products(self):
        X = rows(30, 3)
        box = [-1.0, -np.inf, 0.0], [1.0, 0.5, 2.0]
        full = LOOKernelDensity(np.diag([0.1, 0.2, 0.3])).fit(X)
        diag = LOOKernelDensity(np.sqrt([0.1, 0.2, 0.3])).fit(X)
        assert full.probability(*box) == pytest.approx(diag.probability(*box), rel=1e-9)


class TestRegion:
    @EACH_BOUNDS
    @pytest.mark.parametrize("coverage", [0.05, 0.68, 0.999])
    @pytest.mark.parametrize("bandwidth", [0.03, 0.3, 2.0])
    def test_intervals_hold_the_share_and_end_at_the_level(
        self, bounds, coverage, bandwidth
    ):
        density = LOOKernelDensity(bandwidth, bounds=bounds)
        density.fit(rows(), sample_weight=weights())
        region = density.region(coverage)
        held = sum(density.probability(a, b) for a, b in region.intervals)
        assert held == pytest.approx(coverage, abs=1e-9)
        assert np.all(np.diff(region.intervals.ravel()) > 0)
        ends = region.intervals.ravel()
        inner = ends[~np.isin(ends, bounds or ())]
        levels = density.score_samples(inner[:, None])
        np.testing.assert_allclose(levels, region.log_density, atol=1e-5)
        # Everything within is higher, and everything outside is lower.
        x = np.linspace(-4, 4, 2001)
        within = np.any((x[:, None] >= ends[::2]) & (x[:, None] <= ends[1::2]), axis=1)
        heights = density.score_samples(x[:, None])
        assert np.all(heights[within] >= region.log_density - 1e-5)
        assert np.all(heights[~within] <= region.log_density + 1e-5)

    def test_quadrature_finds_the_share(self):
        density = LOOKernelDensity(0.2).fit(rows())
        region = density.region(0.9)
        held = sum(
            quad(lambda x: np.exp(density.score_samples([[x]])[0]), a, b)[0]
            for a, b in region.intervals
        )
        assert held == pytest.approx(0.9, abs=1e-6)

    def test_one_kernel_has_the_intervals_of_a_gaussian(self):
        region = LOOKernelDensity(2.0).fit([[5.0]]).region(0.95)
        half = 2 * float(mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(0.95)))
        np.testing.assert_allclose(region.intervals, [[5 - half, 5 + half]], rtol=1e-9)
        assert region.coverage == 0.95

    @pytest.mark.parametrize("kernel", [0.25, [[0.1, 0.05], [0.05, 0.08]]])
    @pytest.mark.parametrize(
        "n_points", [141, pytest.param(561, marks=pytest.mark.slow)]
    )
    def test_in_two_features_a_grid_finds_the_share(self, kernel, n_points):
        rng = np.random.RandomState(0)
        X = np.vstack([rng.standard_normal((200, 2)), rng.rand(100, 2) + 3])
        density = LOOKernelDensity(kernel).fit(X)
        x, y = np.linspace(-5, 7, n_points), np.linspace(-5, 5, n_points)
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        log_density = density.score_samples(grid)
        cell = (x[1] - x[0]) * (y[1] - y[0])
        for coverage in (0.68, 0.95):
            region = density.region(coverage)
            assert region.intervals is None
            inside = log_density[log_density >= region.log_density]
            held = cell * np.exp(inside).sum()
            assert held == pytest.approx(coverage, abs=5e-3)

    def test_in_many_features_fresh_draws_find_the_share(self):
        density = LOOKernelDensity(0.5).fit(rows(50, 5))
        region = density.region(0.8)
        draws = density.score_samples(density.sample(20_000, random_state=1))
        # Four standard errors of both.
        assert np.mean(draws >= region.log_density) == pytest.approx(0.8, abs=0.02)

    def test_where_the_density_is_flat_it_holds_no_less(self):
        density = LOOKernelDensity(50.0, bounds=(0, 1)).fit([[0.0], [0.2], [1.0]])
        region = density.region(0.5)
        assert sum(density.probability(a, b) for a, b in region.intervals) >= 0.5

    def test_it_says_what_it_holds(self):
        text = repr(LOOKernelDensity(1.0).fit([[0.0]]).region(0.5))
        assert text.startswith("DensityRegion(coverage=0.5, log_density=-1.14")
        assert "intervals=array" in text

    def test_the_density_integrates_to_the_share_for_float32_too(self):
        X = rows().astype(np.float32)
        density = LOOKernelDensity(0.5).fit(X)
        ((a, b),) = density.region(0.5).intervals
        x = np.linspace(a, b, 2001)
        mass = trapezoid(np.exp(density.score_samples(x[:, None])), x)
        assert mass == pytest.approx(0.5, abs=1e-5)


BAD_QUESTIONS = {
    "q above 1": (1, lambda d: d.quantile([0.5, 1.5]), r"`q` has 1\.5; .* from 0 to 1"),
    "q below 0": (1, lambda d: d.quantile(-0.1), r"`q` has -0\.1"),
    "q is NaN": (1, lambda d: d.quantile([0.5, np.nan]), "q contains NaN"),
    "cdf of two": (2, lambda d: d.cdf(rows(3, 2)), "`cdf` is for one .* has 2"),
    "sf of two": (2, lambda d: d.sf(rows(3, 2)), "`sf` is for one .* has 2"),
    "quantile of two": (2, lambda d: d.quantile(0.5), "`quantile` is .* `marginal`"),
    "too wide": (1, lambda d: d.sf(rows(3, 2)), "X has 2 features"),
    "NaN": (1, lambda d: d.sf([[np.nan]]), "contains NaN"),
    "a box upside down": (
        2,
        lambda d: d.probability([0, 2], [1, 1]),
        "`lower` is 2 and `upper` is 1 for feature 1; .* Swap them",
    ),
    "a corner too long": (
        2,
        lambda d: d.probability([0, 0, 0], [1, 1]),
        r"`lower` has shape \(3,\); expected \(2,\)",
    ),
    "a corner that is NaN": (
        2,
        lambda d: d.probability([0, 0], [1, np.nan]),
        "`upper` contains NaN; use -np.inf",
    ),
    "all": (1, lambda d: d.region(1.0), r"`coverage` is 1\.0; it must be between 0"),
    "nothing": (1, lambda d: d.region(0), "`coverage` is 0; it must be between 0"),
    "per cent": (2, lambda d: d.region(95), "`coverage` is 95; .* such as 0.95"),
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_bad_questions_are_told_what_is_allowed(name):
    n_features, ask, message = BAD_QUESTIONS[name]
    density = LOOKernelDensity(0.5).fit(rows(60, n_features))
    with pytest.raises(ValueError, match=message):
        ask(density)


@pytest.mark.parametrize("coverage", ["most", None, [0.5, 0.9]])
def test_a_coverage_is_one_number(coverage):
    with pytest.raises(TypeError, match="coverage must be an instance of"):
        LOOKernelDensity(0.5).fit(rows()).region(coverage)


@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.cdf([[0.0]]),
        lambda d: d.sf([[0.0]]),
        lambda d: d.quantile(0.5),
        lambda d: d.probability(0, 1),
        lambda d: d.region(0.5),
    ],
)
def test_a_density_must_be_fitted_first(ask):
    with pytest.raises(NotFittedError, match="This LOOKernelDensity inst"):
        ask(LOOKernelDensity())


@pytest.mark.parametrize("bounds", [None, (-3.0, None), (-3.0, 3.5), (-50.0, 50.0)])
def test_numpy_may_raise_what_it_will(bounds):
    density = LOOKernelDensity(0.05, bounds=bounds).fit(rows())
    x = np.r_[np.linspace(-60, 60, 50), -2.9][:, None]
    with np.errstate(all="raise"):
        density.cdf(x), density.sf(x)
        density.quantile([0, 1e-300, 1e-9, 0.5, 1])
        density.probability(-np.inf, np.inf)
        density.probability(2.0, np.inf)
        density.region(0.9)
        LOOKernelDensity([[0.1, 0.05], [0.05, 0.1]], rtol=0.01).fit(
            rows(60, 2)
        ).probability([-np.inf, 40], [np.inf, np.inf])


class TestRoots:
    def test_they_are_found_to_rounding(self):
        exact = np.array([1e-12, 1.0, 1e5])
        roots = find_roots(
            lambda x, i: np.tanh(x - exact[i]), np.full(3, -10.0), np.full(3, 1e6)
        )
        np.testing.assert_allclose(roots, exact, rtol=1e-12, atol=1e-15)

    def test_infinite_values_are_halved(self):
        with np.errstate(divide="ignore"):
            (root,) = find_roots(
                lambda x, i: np.log(np.maximum(x - 3, 0)), np.zeros(1), np.full(1, 50.0)
            )
        assert root == pytest.approx(4, rel=1e-14)

    def test_without_a_change_of_sign_the_nearer_end_is_returned(self):
        lower, upper = np.array([1.0, -3.0]), np.array([2.0, -1.0])
        roots = find_roots(lambda x, i: x, lower, upper)
        np.testing.assert_array_equal(roots, [1, -1])


def test_a_narrow_segment_is_the_limit_of_a_wide_one():
    # Images and cosines are two series of one function.
    locations, masses = np.array([0.3, 1.0, 3.9]), np.array([0.2, 0.3, 0.5])
    x = np.linspace(0, 4, 50)
    narrow, wide = (
        line_of(locations, masses, 1.0, Axis(0.0, end)) for end in (3.9999, 4.0001)
    )
    assert type(narrow) is not type(wide)
    for method in ("below", "above"):
        one, other = (getattr(line, method)(x, ALONE) for line in (narrow, wide))
        np.testing.assert_allclose(one, other, atol=1e-4)
    one, other = (line.between(0.5, 2.0) for line in (narrow, wide))
    np.testing.assert_allclose(one, other, atol=1e-4)
