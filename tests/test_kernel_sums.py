"""Sums of kernels keep their relative error, whatever the way they are added up.

The oracle adds up all pairs in long double, relative to the largest term.
"""

from functools import cache
from itertools import product

import numpy as np
import pytest

from skdensity import LOOKernelDensity
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import (
    CROSS_PRODUCTS,
    DISTANCE,
    NOTHING,
    SHIFT,
    SQUARES,
)
from skdensity.models.kernels.sums import fourier, regions, total
from skdensity.models.kernels.sums.algorithms import ALGORITHMS, LEADING, Summation
from skdensity.models.kernels.sums.dense import Expansion, Pairs
from skdensity.models.kernels.sums.fourier import FULL
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.models.kernels.support import Axis, Support
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace

RTOL = 1e-6
BANDWIDTH = 0.6
N_POINTS, N_QUERIES = 99, 40
OWN = np.arange(0, N_POINTS, 2)
EPS = np.finfo(np.float64).eps
ALONE = Workspace()


def nothing(delta):
    return delta[..., :0]


def distance(delta):
    return (delta**2).sum(axis=-1, keepdims=True)


def shift(delta):
    return delta


def squares(delta):
    return delta**2


def products(delta):
    d = delta.shape[-1]
    pairs = [(a, b) for a in range(d) for b in range(a, d)]
    return np.stack([delta[..., a] * delta[..., b] for a, b in pairs], axis=-1)


STATISTICS = {
    "nothing": (NOTHING, nothing),
    "distance": (DISTANCE, distance),
    "shift": (SHIFT, shift),
    "squares": (SQUARES, squares),
    "products": (CROSS_PRODUCTS, products),
}
EACH_STATISTIC = pytest.mark.parametrize("statistic", STATISTICS)
EACH_ALGORITHM = pytest.mark.parametrize("algorithm", ALGORITHMS)
DATA = ["normal", "uniform", "cauchy", "far clusters", "isolated"]


def sums_of(sources, algorithm="auto", rtol=RTOL):
    return KernelSums(sources, Summation(rtol, ALGORITHMS[algorithm]))


@cache
def points_of(data, n_features):
    rng = np.random.RandomState(n_features)
    X = rng.standard_normal((N_POINTS, n_features))
    if data == "uniform":
        X = rng.uniform(-2, 2, X.shape)
    elif data == "cauchy":
        X = rng.standard_cauchy(X.shape)
    elif data == "far clusters":
        X[::3] += 1e6 * BANDWIDTH
        X[1::3, 0] -= 1e6 * BANDWIDTH
    elif data == "isolated":
        # Rows far from all others, at distances that no region bridges.
        X[:5] += np.geomspace(10, 1e4, 5)[:, None]
    return X


@cache
def masses_of(n_locations):
    masses = 10.0 ** np.random.RandomState(1).uniform(-12, 0, n_locations)
    masses[:2] = 1e-12, 1.0
    return masses / masses.sum()


@cache
def queries_of(data, n_features):
    """Locations, rows near and between them, and rows 1e3 bandwidths from any."""
    rng = np.random.RandomState(7)
    X = points_of(data, n_features)
    near = X[:N_QUERIES] + BANDWIDTH * rng.standard_normal((N_QUERIES, n_features))
    far = X[-5:] + 1e3 * BANDWIDTH * rng.uniform(1, 2, (5, n_features))
    return np.vstack([near, X[:10], far])


def images_of(sources, reach):
    """All images of the locations: one table for every combination."""
    columns = [
        sources.support.axis(feature).images(column, reach)
        for feature, column in enumerate(sources.locations.T)
    ]
    return np.array([np.column_stack(copy) for copy in product(*columns)])


def brute_force(queries, sources, bandwidth, average, own=None):
    """Log sums and means in long double, over images as far as 9 bandwidths."""
    images = images_of(sources, 9 * bandwidth).astype(np.longdouble)
    delta = (images - queries.astype(np.longdouble)[:, None, None]) / bandwidth
    terms = np.log(sources.masses.astype(np.longdouble)) - (delta**2).sum(axis=3) / 2
    if own is not None:
        terms[np.arange(len(queries)), :, own] = -np.inf
    delta, terms = (
        delta.reshape(len(queries), -1, queries.shape[1]),
        terms.reshape(len(queries), -1),
    )
    peak = terms.max(axis=1, keepdims=True)
    shares = np.exp(terms - peak)
    total = shares.sum(axis=1)
    means = (shares[:, :, None] * average(delta)).sum(axis=1) / total[:, None]
    return np.log(total) + peak[:, 0], means


@cache
def exact_anywhere(data, n_features, statistic):
    sources = Sources(points_of(data, n_features), masses_of(N_POINTS))
    queries = queries_of(data, n_features)
    return brute_force(queries, sources, BANDWIDTH, STATISTICS[statistic][1])


@cache
def exact_left_out(data, n_features, statistic, bandwidth):
    points = points_of(data, n_features)
    sources, average = Sources(points, masses_of(N_POINTS)), STATISTICS[statistic][1]
    return brute_force(points[::2], sources, bandwidth, average, OWN)


def assert_close(actual, expected, degree=2, rtol=RTOL):
    """Sums are within `rtol`, and means within what that leaves of them."""
    log_sums, means = actual
    exact_log_sums, exact_means = expected
    error = np.abs(log_sums - exact_log_sums)
    # No float64 is nearer than eps to a large logarithm.
    assert np.all(error <= rtol + 8 * EPS * np.abs(exact_log_sums))
    # A transform of Δ^degree has modes that are up to support^degree times as large.
    largest = np.abs(exact_means).max(axis=1, keepdims=True, initial=1)
    bound = rtol * (FULL.support**degree + 2 * largest)
    assert np.all(np.abs(means - exact_means) <= bound)


@pytest.fixture
def cheap_transforms(monkeypatch):
    """Small data are cut, and transformed wherever that is possible."""
    monkeypatch.setattr(total, "FEW_PAIRS", 0)
    monkeypatch.setattr(regions, "SMALL", 0)
    monkeypatch.setattr(regions, "BEGIN", 0)
    monkeypatch.setattr(regions, "MODE", 1e-3)
    monkeypatch.setattr(regions, "POINT", (0, 0, 0, 0))
    monkeypatch.setattr(fourier, "MAX_GRID", 2**19)  # smaller boxes are faster


@pytest.fixture
def ways(monkeypatch):
    """The names of the ways by which sums are added up, as they are used."""
    used = set()

    def watched(name):
        way = getattr(total, name)

        def watch(*args, **kwargs):
            used.add(name)
            return way(*args, **kwargs)

        return watch

    for name in ("dense_sums", "dense_left_out", "fourier_sums", "neighbour_sums"):
        monkeypatch.setattr(total, name, watched(name))
    return used


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("n_features", [1, 2, 3, 4])
@EACH_ALGORITHM
@EACH_STATISTIC
def test_sums_anywhere_equal_brute_force(data, n_features, algorithm, statistic):
    expected = exact_anywhere(data, n_features, statistic)
    statistic, _ = STATISTICS[statistic]
    sources = Sources(points_of(data, n_features), masses_of(N_POINTS))
    sums = sums_of(sources, algorithm)
    actual = sums.at(queries_of(data, n_features), BANDWIDTH, statistic, ALONE)
    assert_close(actual, expected, statistic.degree)


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@EACH_ALGORITHM
@pytest.mark.parametrize("statistic", ["distance", "squares", "products"])
def test_sums_without_the_own_kernel_equal_brute_force(
    data, n_features, algorithm, statistic
):
    bandwidths = (BANDWIDTH, 0.4 * BANDWIDTH)
    exact = [exact_left_out(data, n_features, statistic, h) for h in bandwidths]
    statistic, _ = STATISTICS[statistic]
    sources = Sources(points_of(data, n_features), masses_of(N_POINTS))
    sums = sums_of(sources, algorithm)
    found = sums.left_out(OWN, bandwidths, statistic, ALONE)
    for actual, expected in zip(found, exact, strict=True):
        assert_close(actual, expected, statistic.degree)


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@pytest.mark.parametrize("algorithm", ["auto", "nufft"])
def test_coarse_sums_keep_an_error_of_their_own(data, n_features, algorithm):
    sources = Sources(points_of(data, n_features), masses_of(N_POINTS))
    sums, queries = sums_of(sources, algorithm).coarse, queries_of(data, n_features)
    actual = sums.at(queries, BANDWIDTH, DISTANCE, ALONE)
    expected = exact_anywhere(data, n_features, "distance")
    assert_close(actual, expected, rtol=LEADING)
    (actual,) = sums.left_out(OWN, [BANDWIDTH], DISTANCE, ALONE)
    expected = exact_left_out(data, n_features, "distance", BANDWIDTH)
    assert_close(actual, expected, rtol=LEADING)


@pytest.mark.parametrize("factor", [2.0, np.sqrt(5)])
@pytest.mark.parametrize("own", [np.arange(1100), np.arange(3, 1100, 7)])
@EACH_STATISTIC
def test_blocks_that_count_for_both_rows_of_a_pair_equal_brute_force(
    own, statistic, factor
):
    # Three blocks; nine halvings are one more than a chain has.
    statistic, average = STATISTICS[statistic]
    points = np.random.RandomState(0).standard_normal((1100, 2))
    sources = Sources(points, masses_of(1100))
    bandwidths = factor ** -np.arange(-1.0, 9.0)
    found = sums_of(sources, "exact").left_out(own, bandwidths, statistic, ALONE)
    some = slice(None, None, 29)
    for bandwidth, (log_sums, means) in zip(bandwidths, found, strict=True):
        exact = brute_force(points[own[some]], sources, bandwidth, average, own[some])
        assert_close((log_sums[some], means[some]), exact)


N_FOLDED = 20
FOLDS = {
    "bounds": [Axis(0.0, 1.0), Axis(0.0), Axis(-np.inf, 1.0)],
    "circles": [Axis(0.2, 1.2, True), Axis(-4.0, 1.0, True), Axis(0.0, 1.7, True)],
    "mixed": [Axis(0.0, 1.0, True), None, Axis(0.0, 1.0)],
}
# Those of kernels with independent features, which alone are folded.
EACH_OF_THESE = pytest.mark.parametrize("statistic", list(STATISTICS)[:-1])
EACH_FOLD = pytest.mark.parametrize("fold", FOLDS)
# Images, the Fourier series, and kernels that are as good as flat.
WIDTHS = [0.03, 0.1, 0.2, 0.6]


def folded_sources(fold, n_features):
    rng = np.random.RandomState(0)
    axes = enumerate(FOLDS[fold][:n_features])
    support = Support({k: axis for k, axis in axes if axis is not None})
    locations = rng.uniform(size=(N_FOLDED, n_features))
    locations[0] = 0.0  # a location on the border is its own image
    return Sources(support.fold(locations), masses_of(N_FOLDED), support)


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("n_features", [1, 2, 3])
@EACH_ALGORITHM
@EACH_OF_THESE
@EACH_FOLD
def test_all_images_of_a_location_are_left_out(fold, n_features, algorithm, statistic):
    statistic, average = STATISTICS[statistic]
    sources, own = folded_sources(fold, n_features), np.arange(N_FOLDED)
    sums = sums_of(sources, algorithm)
    found = sums.left_out(own, WIDTHS[::-1], statistic, ALONE)
    for bandwidth, actual in zip(WIDTHS[::-1], found, strict=True):
        expected = brute_force(sources.locations, sources, bandwidth, average, own)
        assert_close(actual, expected, statistic.degree)


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("n_features", [1, 2, 3])
@EACH_ALGORITHM
@EACH_OF_THESE
@EACH_FOLD
def test_folded_sums_equal_those_over_all_images(
    fold, n_features, algorithm, statistic
):
    statistic, average = STATISTICS[statistic]
    sources = folded_sources(fold, n_features)
    queries = sources.support.fold(
        np.vstack(
            [
                np.random.RandomState(1).uniform(size=(20, n_features)),
                np.zeros((1, n_features)),
                np.full((1, n_features), 0.999),
            ]
        )
    )
    for bandwidth in WIDTHS:
        sums = sums_of(sources, algorithm)
        actual = sums.at(queries, bandwidth, statistic, ALONE)
        expected = brute_force(queries, sources, bandwidth, average)
        assert_close(actual, expected, statistic.degree)


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("n_features", [1, 2, 3])
@EACH_FOLD
def test_coarse_folded_sums_keep_an_error_of_their_own(fold, n_features):
    sources, own = folded_sources(fold, n_features), np.arange(N_FOLDED)
    found = sums_of(sources, "nufft").coarse.left_out(
        own, WIDTHS[::-1], DISTANCE, ALONE
    )
    for bandwidth, actual in zip(WIDTHS[::-1], found, strict=True):
        expected = brute_force(sources.locations, sources, bandwidth, distance, own)
        assert_close(actual, expected, rtol=LEADING)


@pytest.mark.parametrize("n_features", [1, 2, 3])
@EACH_OF_THESE
@EACH_FOLD
def test_own_sums_are_what_leaving_out_takes_away(fold, n_features, statistic):
    statistic, average = STATISTICS[statistic]
    sources, own = folded_sources(fold, n_features), np.arange(1, N_FOLDED, 3)
    total, *columns = sums_of(sources).own_sums(own, BANDWIDTH, statistic)
    for which, value, *means in zip(own, total, *columns, strict=True):
        itself = sources.some(np.array([which]))
        log_sum, expected = brute_force(itself.locations, itself, BANDWIDTH, average)
        # Sums of positive terms lose a few eps; columns are relative to the largest.
        assert value == pytest.approx(float(np.exp(log_sum[0])), rel=1e-13)
        np.testing.assert_allclose(
            np.array(means) / value, expected[0].astype(float), atol=1e-12
        )


@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@pytest.mark.parametrize("algorithm", ["exact", "auto"])
def test_what_a_heavy_row_leaves_is_not_lost_beside_its_own_kernel(
    n_features, algorithm
):
    # The heavy row, in a corner of a region, is 3e7 times what the light ones add.
    for seed in range(5):
        rng = np.random.RandomState(seed)
        corner = 600 / np.sqrt(n_features) * rng.uniform(0.9, 1, n_features)
        step = 4.0 * np.eye(1, n_features)
        light = rng.standard_normal((50, n_features))
        points = np.vstack([light, corner, corner + step, np.full(n_features, 1e5)])
        masses = np.full(len(points), 1e-4)
        masses[50] = 1.0
        sources = Sources(points, masses / masses.sum())
        own = np.arange(len(points))
        (actual,) = sums_of(sources, algorithm).left_out(own, [1.0], SHIFT, ALONE)
        assert_close(actual, brute_force(points, sources, 1.0, shift, own), 1)


@pytest.mark.parametrize("rtol", [1e-3, 1e-9, 1e-12])
def test_rtol_is_kept_by_transforms(ways, rtol):
    sources = Sources(points_of("normal", 2), masses_of(N_POINTS))
    queries = queries_of("normal", 2)
    log_sums, _ = sums_of(sources, "nufft", rtol).at(queries, BANDWIDTH, NOTHING, ALONE)
    exact, _ = brute_force(queries, sources, BANDWIDTH, nothing)
    assert "fourier_sums" in ways
    assert np.all(np.abs(log_sums - exact) <= rtol + 8 * EPS * np.abs(exact))


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_auto_transforms_in_some_regions_and_adds_up_pairs_in_others(ways, n_features):
    rng = np.random.RandomState(0)
    points = np.vstack(
        [rng.standard_normal((90, n_features)), np.full((1, n_features), 1e6)]
    )
    sources = Sources(points, np.full(91, 1 / 91))
    sums = sums_of(sources)
    sums.left_out(np.arange(91), [1.0], DISTANCE, ALONE)
    assert {"fourier_sums", "neighbour_sums"} <= ways
    ways.clear()
    sums.at(points + 0.1, 1.0, NOTHING, ALONE)
    assert "fourier_sums" in ways


@EACH_ALGORITHM
def test_only_exact_sums_and_features_beyond_three_do_without_transforms(
    ways, algorithm
):
    for n_features in (1, 3, 4):
        ways.clear()
        sources = Sources(points_of("uniform", n_features), masses_of(N_POINTS))
        sums_of(sources, algorithm).at(sources.points, BANDWIDTH, NOTHING, ALONE)
        expected = algorithm == "nufft" and n_features <= 3
        assert ("fourier_sums" in ways) == expected


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_without_finufft_answers_agree(monkeypatch, ways, data, n_features):
    sources = Sources(points_of(data, n_features), masses_of(N_POINTS))
    queries, own = queries_of(data, n_features), np.arange(N_POINTS)
    monkeypatch.setattr(fourier, "finufft", None)
    for algorithm in ("nufft", "auto"):
        sums = sums_of(sources, algorithm)
        assert_close(
            sums.at(queries, BANDWIDTH, SHIFT, ALONE),
            brute_force(queries, sources, BANDWIDTH, shift),
        )
        (actual,) = sums.left_out(own, [BANDWIDTH], DISTANCE, ALONE)
        exact = brute_force(sources.points, sources, BANDWIDTH, distance, own)
        assert_close(actual, exact)
    assert "fourier_sums" not in ways


@pytest.mark.usefixtures("cheap_transforms")
@EACH_ALGORITHM
@pytest.mark.parametrize("n_features", [1, 3])
def test_the_number_of_threads_makes_no_difference(monkeypatch, algorithm, n_features):
    rng = np.random.RandomState(0)
    points = rng.standard_normal((1600, n_features))
    sources = Sources(points, masses_of(len(points)))
    queries = 1.5 * rng.standard_normal((1100, n_features))
    monkeypatch.setattr(total, "WORTH_THREADS", 0)
    answers, sums = [], sums_of(sources, algorithm)
    for n_threads in (1, 2, 3):
        with Workspace(n_threads) as workspace:
            anywhere = sums.at(queries, BANDWIDTH, SHIFT, workspace)
            (left_out,) = sums.left_out(
                np.arange(1600), [BANDWIDTH], DISTANCE, workspace
            )
        answers.append([*anywhere, *left_out])
    for answer in answers[1:]:
        for one, two in zip(answers[0], answer, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("shift_by", [30.0, 45.0, 1e3, 1e6])
@EACH_STATISTIC
def test_rows_whose_kernels_underflow_are_done_in_log_space(ways, shift_by, statistic):
    # Within a region kernels of 39 bandwidths underflow, and the sum loses terms.
    statistic, average = STATISTICS[statistic]
    rng = np.random.RandomState(0)
    points = rng.standard_normal((50, 2))
    sources = Sources(np.vstack([points, points[:5] + shift_by]), masses_of(55))
    queries = np.vstack([points[:3] + shift_by / 2, points[:3] - 3 * shift_by])
    actual = sums_of(sources, "exact").at(queries, 1.0, statistic, ALONE)
    assert "neighbour_sums" in ways
    assert_close(actual, brute_force(queries, sources, 1.0, average))


@pytest.mark.parametrize("scale", [1e4, 1e7, 1e8, 1e10, 1e13, 1e100])
@pytest.mark.parametrize("n_features", [1, 2, 3, 5, 9])
def test_queries_anywhere_far_have_the_exponent_of_their_nearest_rows(
    n_features, scale
):
    # So far away a radius is the distance itself, to rounding.
    rng = np.random.RandomState(n_features)
    sources = Sources(rng.standard_normal((300, n_features)), masses_of(300))
    queries = scale * rng.standard_normal((60, n_features))
    actual, means = sums_of(sources).at(queries, 1.0, SHIFT, ALONE)
    exact, exact_means = brute_force(queries, sources, 1.0, shift)
    np.testing.assert_allclose(actual, exact.astype(float), rtol=4 * EPS, atol=RTOL)
    np.testing.assert_allclose(means, exact_means.astype(float), rtol=1e-3)


@pytest.mark.parametrize(
    "how",
    [
        {"bandwidth": 0.5},
        {"bandwidth": [0.3, 0.5, 0.8, 1.0, 2.0]},
        {"bandwidth": 0.2 * np.eye(5) + 0.1},
        {"bandwidth": 0.5, "bounds": (-6, None)},
        {"bandwidth": 0.5, "algorithm": "nufft"},
    ],
    ids=str,
)
def test_far_queries_of_every_shape_are_half_their_squared_distance(how):
    rng = np.random.RandomState(0)
    density = LOOKernelDensity(**how).fit(rng.standard_normal((300, 5)))
    queries = np.abs(1e10 * rng.standard_normal((100, 5)))
    precision = np.linalg.inv(density.covariance_)
    expected = -0.5 * np.einsum("na,ab,nb->n", queries, precision, queries)
    # Rows that are up to 4 from 0, beside 2e9 and more, make a difference of 4e-9.
    np.testing.assert_allclose(density.score_samples(queries), expected, rtol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 5.0, 1e3])
def test_what_does_not_change_is_built_once(monkeypatch, scale):
    rng = np.random.RandomState(0)
    density = LOOKernelDensity(0.1).fit(rng.standard_normal((5000, 2)))
    queries = scale * rng.standard_normal((10, 2))
    expected = density.score_samples(queries)

    def never(*args, **kwargs):
        raise AssertionError("built again")

    monkeypatch.setattr("skdensity.models.kernels.sources.KDTree", never)
    monkeypatch.setattr("skdensity.models.kernels.kernels.Sources", never)
    monkeypatch.setattr("skdensity.densities.loo_kernel_density.Kernels", never)
    for _ in range(3):
        np.testing.assert_array_equal(density.score_samples(queries), expected)


def test_a_sum_of_squares_that_overflows_is_minus_infinity_and_no_warning():
    sources = Sources(points_of("normal", 2), masses_of(N_POINTS))
    queries = np.array([[1e160, 0.0], [0.0, -1e300], [0.0, 0.0]])
    for algorithm in ALGORITHMS:
        log_sums, means = sums_of(sources, algorithm).at(queries, 1.0, SHIFT, ALONE)
        np.testing.assert_array_equal(np.isneginf(log_sums), [True, True, False])
        assert np.isfinite(means[2]).all()


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@pytest.mark.parametrize("transforms", [False, True])
def test_regions_hold_every_query_once_and_all_sources_that_reach_it(
    data, n_features, transforms
):
    points, queries = points_of(data, n_features), queries_of(data, n_features)
    sources = Sources(points, masses_of(N_POINTS))
    counts = np.zeros(len(queries), dtype=int)
    for region in regions.regions(queries, sources, BANDWIDTH, transforms):
        counts[region.queries] += 1
        assert not region.must_be_cut
        here = points[region.index]
        for corner, end in ((region.box.lower, np.min), (region.box.upper, np.max)):
            extreme = end(np.vstack([here, queries[region.queries]]), axis=0)
            np.testing.assert_array_equal(corner, extreme)
        outside = np.setdiff1d(np.arange(len(points)), region.index)
        gaps = queries[region.queries][:, None] - points[outside]
        assert np.all(np.abs(gaps).max(axis=2) > FULL.support * BANDWIDTH)
    assert counts.max() == 1
    # A region that no kernel reaches is left out: its sums are zero.
    gaps = np.abs(queries[counts == 0][:, None] - points).max(axis=2)
    assert np.all(gaps > FULL.support * BANDWIDTH)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_cuts_save_work(monkeypatch, n_features):
    points = points_of("far clusters", n_features)
    sources, whole = Sources(points, masses_of(N_POINTS)), len(points) ** 2
    monkeypatch.setattr(regions, "SMALL", 0)
    for transforms in (False, True):
        found = list(regions.regions(points, sources, BANDWIDTH, transforms))
        # Three clusters of a third each.
        assert sum(region.work for region in found) <= whole / 3
    for region in found:
        assert region.work == min(region.n_pairs, region.transform_work)


@pytest.mark.parametrize("data", ["normal", "cauchy"])
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_many_rows_are_transformed_and_equal_brute_force(ways, data, n_features):
    rng = np.random.RandomState(0)
    draw = rng.standard_normal if data == "normal" else rng.standard_cauchy
    points, some = draw((8000, n_features)), np.arange(0, 8000, 400)
    sources = Sources(points, masses_of(len(points)))
    sums = sums_of(sources)
    ((log_sums, means),) = sums.left_out(np.arange(8000), [BANDWIDTH], SHIFT, ALONE)
    exact = brute_force(points[some], sources, BANDWIDTH, shift, some)
    assert_close((log_sums[some], means[some]), exact, 1)
    log_sums, means = sums.at(points + 0.1, BANDWIDTH, SQUARES, ALONE)
    exact = brute_force(points[some] + 0.1, sources, BANDWIDTH, squares)
    assert_close((log_sums[some], means[some]), exact)
    assert "fourier_sums" in ways or data == "cauchy"


@pytest.mark.usefixtures("cheap_transforms")
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_the_estimator_gives_the_same_for_every_algorithm(n_features):
    X = points_of("cauchy", n_features)
    weight = masses_of(N_POINTS)
    Q = queries_of("cauchy", n_features)
    one, *others = (
        LOOKernelDensity(BANDWIDTH, algorithm=name).fit(X, sample_weight=weight)
        for name in ALGORITHMS
    )
    expected = one.score_samples(Q)
    for other in others:
        # Both are within rtol of the exact sum.
        np.testing.assert_allclose(other.score_samples(Q), expected, atol=2 * RTOL)
        assert other.loo_score_ == pytest.approx(one.loo_score_, abs=2 * RTOL)


@pytest.mark.parametrize("distance", [0.0, 3.0, 30.0, 1e4])
def test_no_exponent_of_a_block_is_below_its_bound(distance):
    rng = np.random.RandomState(0)
    points = Expansion(rng.standard_normal((300, 2)), masses_of(300), 0.5)
    queries = points.relative(rng.standard_normal((200, 2)) + distance)
    pairs, scratch = Pairs(queries, points), Scratch()
    for rows in (slice(0, 7), slice(50, 200)):
        exponents, bound = pairs.exponents(rows, slice(20, 300), scratch)
        assert bound <= exponents.min()


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_what_errors_of_modes_are_relative_to_has_the_unit_of_the_masses(n_features):
    points = np.random.RandomState(0).standard_normal((50, n_features))
    box = fourier.Box(points.min(axis=0) - 9, points.max(axis=0) + 9, 1.0)
    one, other = (
        fourier.Modes.of(points, mass * masses_of(len(points)), box).moduli
        for mass in (1.0, 8.0)
    )
    assert other == pytest.approx(8 * one)


@pytest.fixture
def transformed(monkeypatch):
    """How many points were transformed, each time."""
    counts, transform = [], fourier.Modes.of

    def watch(points, masses, box):
        counts.append(len(points))
        return transform(points, masses, box)

    monkeypatch.setattr(fourier.Modes, "of", watch)
    return counts


@pytest.mark.parametrize("n_features", [1, 2, 3])
@EACH_STATISTIC
def test_modes_of_all_points_are_kept_for_the_next_queries(
    ways, transformed, n_features, statistic
):
    rng = np.random.RandomState(0)
    points = 0.5 * rng.standard_normal((10_000, n_features))
    sources = Sources(points, masses_of(len(points)))
    sums = sums_of(sources)
    statistic, average = STATISTICS[statistic]
    for seed in range(3):
        rng = np.random.RandomState(seed)
        queries = 0.5 * rng.standard_normal((6000, n_features))
        # Some on the verge of what any kernel reaches, and some beyond.
        queries[:20] *= np.geomspace(1, 1e4, 20)[:, None]
        log_sums, means = sums.at(queries, 1.0, statistic, ALONE)
        some = np.r_[:20, 20:6000:400]
        exact = brute_force(queries[some], sources, 1.0, average)
        assert_close((log_sums[some], means[some]), exact, statistic.degree)
    assert transformed == [len(points)]
    assert "fourier_sums" in ways


@pytest.mark.parametrize("data", ["far", "few queries", "other bandwidth", "exact"])
def test_where_it_would_not_pay_nothing_is_kept(transformed, data):
    points = np.random.RandomState(0).standard_normal((4000, 2))
    queries = points[: 10 if data == "few queries" else 3000]
    if data == "far":
        points[::2] += 1e4
    sums = sums_of(
        Sources(points, masses_of(4000)), "exact" if data == "exact" else "auto"
    )
    bandwidth = 0.9 if data == "other bandwidth" else 1.0
    first = sums.at(queries, bandwidth, SHIFT, ALONE)
    n_transforms = len(transformed)
    again = sums.at(queries, bandwidth, SHIFT, ALONE)
    assert len(transformed) == 2 * n_transforms
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_only_queries_out_of_reach_are_minus_infinity_or_neighbours(n_features):
    sources = Sources(
        np.random.RandomState(0).standard_normal((4000, n_features)), masses_of(4000)
    )
    queries = np.full((3000, n_features), 1e3) + np.arange(3000)[:, None]
    actual = sums_of(sources).at(queries, 1.0, SHIFT, ALONE)
    some = slice(None, None, 300)
    exact = brute_force(queries[some], sources, 1.0, shift)
    assert_close((actual[0][some], actual[1][some]), exact, 1)


@pytest.mark.parametrize("n_queries", [3, 511, 512, 513, 1500])
def test_blocks_of_any_shape_give_the_sums_of_one(n_queries):
    rng = np.random.RandomState(0)
    sources = Sources(rng.standard_normal((5000, 4)), masses_of(5000))
    queries = rng.standard_normal((n_queries, 4))
    answers = []
    for n_threads in (1, 2):
        with Workspace(n_threads) as workspace:
            # So narrow that most kernels are below what a float64 can hold.
            answers.append(
                sums_of(sources, "exact").at(queries, 0.03, CROSS_PRODUCTS, workspace)
            )
    for one, two in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, two)
    some = slice(None, None, 1 + n_queries // 20)
    exact = brute_force(queries[some], sources, 0.03, products)
    assert_close([values[some] for values in answers[0]], exact)
