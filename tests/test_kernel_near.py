"""Pairs that cannot matter are left out, and sums keep their relative error.

The oracle adds up all pairs.
"""

import numpy as np
import pytest

from skdensity import LOOKernelDensity
from skdensity.models.kernels.folds import FoldedKernel
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import DISTANCE, NOTHING, SQUARES
from skdensity.models.kernels.sums import near
from skdensity.models.kernels.sums.algorithms import ALGORITHMS, Summation
from skdensity.models.kernels.sums.dense import Pairs
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.models.kernels.support import OPEN, Axis, Support
from skdensity.passes.workspace import Workspace
from skdensity.rows.near import compact_order

RTOL = 1e-6
N_ROWS = 1500
ALONE = Workspace()


def rows(kind, n_features, seed=0):
    rng = np.random.RandomState(seed)
    if kind == "uniform":
        return rng.uniform(-2, 2, (N_ROWS, n_features))
    X = rng.standard_normal((N_ROWS, n_features))
    if kind == "clusters":
        centres = np.random.RandomState(9).uniform(-12, 12, (8, n_features))
        X = 0.7 * X + centres[rng.randint(8, size=N_ROWS)]
    if kind == "isolated":
        X[:5] += np.geomspace(10, 1e2, 5)[:, None]
    return X


def sums_of(X, masses, algorithm, rtol=RTOL, support=OPEN):
    summation = Summation(rtol, ALGORITHMS[algorithm])
    return KernelSums(Sources(X, masses, support), summation)


def masses_of(weighted):
    masses = np.ones(N_ROWS)
    if weighted:
        masses = 10.0 ** np.random.RandomState(1).uniform(-6, 0, N_ROWS)
    return masses / masses.sum()


def assert_close(found, exact):
    (log_sums, means), (exact_log_sums, exact_means) = found, exact
    assert np.abs(log_sums - exact_log_sums).max() <= RTOL
    scale = np.maximum(1, np.abs(exact_means))
    # What is left out is RTOL of a sum, at distances of at most some 700 bandwidths².
    assert np.all(np.abs(means - exact_means) <= 1e3 * RTOL * scale)


@pytest.mark.parametrize("kind", ["normal", "uniform", "clusters", "isolated"])
@pytest.mark.parametrize("n_features", [4, 6, 10])
@pytest.mark.parametrize("bandwidth", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_near_pairs_give_the_sums_over_all(kind, n_features, bandwidth, weighted):
    X, masses = rows(kind, n_features), masses_of(weighted)
    queries = rows(kind, n_features, seed=1)
    queries[:5] += 1e3
    every = np.arange(N_ROWS)
    auto, exact = (sums_of(X, masses, name) for name in ("auto", "exact"))
    how = bandwidth, DISTANCE, ALONE
    assert_close(auto.at(queries, *how), exact.at(queries, *how))
    for own in (every, every[::-1][:1100][::-1]):
        how = own, (bandwidth, bandwidth / 2), DISTANCE, ALONE
        for found, expected in zip(
            auto.left_out(*how), exact.left_out(*how), strict=True
        ):
            assert_close(found, expected)


# Where the rows of four features are within: a half line, an interval, circles that
# clusters lie across the cut of, and circles so short that kernels of 5 are flat.
SUPPORTS = {
    "a bound": {0: Axis(-20.0)},
    "bounds": {0: Axis(-15.0, 15.0), 1: Axis(-np.inf, 16.0), 3: Axis(-30.0, 30.0)},
    "a circle": {2: Axis(-9.0, 5.0, is_circle=True)},
    "circles and bounds": {
        0: Axis(-7.0, 8.0, is_circle=True),
        1: Axis(-15.0, 15.0),
        3: Axis(-15.0, 11.0, is_circle=True),
    },
    "circles": {k: Axis(-13.0, 13.0, is_circle=True) for k in (0, 2, 3)},
}


def rows_within(support, kind, seed=0):
    X = rows(kind, 4, seed) if kind == "clusters" else 4 * rows(kind, 4, seed)
    return support.wrap(support.fold(X))


@pytest.mark.parametrize("name", SUPPORTS)
@pytest.mark.parametrize(
    ("kind", "bandwidth"),
    [("normal", 0.5), ("clusters", 0.05), ("clusters", 0.5), ("clusters", 5.0)],
)
def test_near_pairs_do_within_bounds_and_around_circles(name, kind, bandwidth):
    support, own = Support(SUPPORTS[name]), np.arange(N_ROWS)[::-1][:1100][::-1]
    X, masses = rows_within(support, kind), masses_of(bandwidth < 1)
    queries = rows_within(support, kind, seed=1)
    auto, exact = (
        sums_of(X, masses, algorithm, support=support)
        for algorithm in ("auto", "exact")
    )
    how = bandwidth, NOTHING, ALONE
    assert_close(auto.at(queries, *how), exact.at(queries, *how))
    how = own, (bandwidth,), SQUARES, ALONE
    (found,), (expected,) = auto.left_out(*how), exact.left_out(*how)
    assert_close(found, expected)


@pytest.mark.parametrize("name", SUPPORTS)
def test_clusters_within_bounds_need_a_fraction_of_all_pairs(monkeypatch, name):
    support, counts, of_pairs = Support(SUPPORTS[name]), [], FoldedKernel.of_pairs

    def counted(self, queries, points, statistic):
        counts.append(queries.shape[1] * points.shape[-1])
        return of_pairs(self, queries, points, statistic)

    monkeypatch.setattr(FoldedKernel, "of_pairs", counted)
    X = rows_within(support, "clusters")
    sums = sums_of(X, masses_of(False), "auto", support=support)
    sums.at(X, 0.3, NOTHING, ALONE)
    assert sum(counts) < 0.5 * N_ROWS**2


def test_distances_of_boxes_go_around_circles():
    rng = np.random.RandomState(0)
    X, period = rng.uniform(0, 6, (400, 2)), 6.0
    X[:, 1] *= 10
    X = X[compact_order(X, 5)]
    boxes = near.Boxes.around(X, 5, {0: period})
    steps = np.abs(X[:, None] - X)
    steps[..., 0] = np.minimum(steps[..., 0], period - steps[..., 0])
    least = np.sum(steps**2, axis=2).reshape(80, 5, 80, 5).min(axis=(1, 3))
    found = np.array([boxes.squares(boxes, i) for i in range(80)])
    assert np.all(found <= least + 1e-12)
    assert np.mean(found) > 0.8 * np.mean(least)


def n_pairs(monkeypatch, X, bandwidth, own=None):
    counts, exponents = [], Pairs.exponents

    def counted(self, some, block, scratch):
        counts.append((some.stop - some.start) * (block.stop - block.start))
        return exponents(self, some, block, scratch)

    monkeypatch.setattr(Pairs, "exponents", counted)
    sums = sums_of(X, masses_of(False), "auto")
    if own is None:
        sums.at(X + 0.01, bandwidth, NOTHING, ALONE)
    else:
        sums.left_out(own, (bandwidth,), NOTHING, ALONE)
    monkeypatch.undo()
    return sum(counts)


def test_clusters_need_a_fraction_of_all_pairs(monkeypatch):
    one, many = rows("normal", 6), rows("clusters", 6)
    assert n_pairs(monkeypatch, one, 0.5) == N_ROWS**2
    assert n_pairs(monkeypatch, many, 0.5) < 0.5 * N_ROWS**2


def test_left_out_pairs_are_counted_once(monkeypatch):
    every = np.arange(N_ROWS)
    n_all = n_pairs(monkeypatch, rows("normal", 6), 0.5, every)
    # Half of all, and the rest of the blocks on the diagonal.
    assert N_ROWS**2 / 2 < n_all < N_ROWS * (N_ROWS + 2 * 512) / 2
    assert n_pairs(monkeypatch, rows("clusters", 6), 0.5, every) < 0.6 * n_all


def test_nothing_is_left_out_beyond_the_share():
    X, masses = rows("clusters", 5), masses_of(True)
    for rtol in (1e-2, 1e-12):
        found = sums_of(X, masses, "auto", rtol).at(X + 0.1, 0.5, NOTHING, ALONE)
        exact = sums_of(X, masses, "exact").at(X + 0.1, 0.5, NOTHING, ALONE)
        # A sum over all pairs has an error of its own.
        assert np.abs(found[0] - exact[0]).max() <= rtol + 1e-10


def test_float32_in_float32_out():
    X = rows("clusters", 6).astype(np.float32)
    auto, exact = (
        LOOKernelDensity(0.5, algorithm=name).fit(X).score_samples(X)
        for name in ("auto", "exact")
    )
    assert auto.dtype == np.float32
    np.testing.assert_allclose(auto, exact, rtol=3e-7, atol=RTOL)


@pytest.mark.parametrize("length", [1, 7, 64])
def test_a_compact_order_holds_every_row_once_in_blocks_smaller_than_random_ones(
    length,
):
    X = rows("clusters", 4)
    order = compact_order(X, length)
    np.testing.assert_array_equal(np.sort(order), np.arange(N_ROWS))

    def widths(Y):
        boxes = near.Boxes.around(Y, length)
        return np.sum(boxes.upper - boxes.lower)

    assert length == 1 or widths(X[order]) < 0.5 * widths(X)


@pytest.mark.slow
@pytest.mark.parametrize("n_features", [3, 5])
def test_a_bandwidth_from_few_looks_is_the_optimum(n_features):
    X = np.random.RandomState(0).standard_normal((12_000, n_features))
    density = LOOKernelDensity().fit(X)
    assert len(density.bandwidths_) <= 5
    narrow, wide = (
        LOOKernelDensity(density.bandwidth_ * step).fit(X).loo_score_
        for step in (1 / 1.01, 1.01)
    )
    middle = density.loo_score_
    # The vertex of the parabola through three scores, in log h.
    away = 0.5 * (narrow - wide) / (narrow - 2 * middle + wide) * np.log(1.01)
    assert abs(away) < 1e-4


def test_verbose_prints_what_is_tried_and_is_silent_by_default(capsys):
    X = np.random.RandomState(0).standard_normal((60, 1))
    LOOKernelDensity().fit(X)
    assert not capsys.readouterr().out
    density = LOOKernelDensity(verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    shown = sorted(float(line.split()[1].rstrip(",")) for line in lines)
    np.testing.assert_allclose(shown, np.unique(density.bandwidths_), atol=1e-5)
