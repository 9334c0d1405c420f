"""Widths on rounded, heaped, spiked and clipped columns are those of what was there."""

import warnings
from functools import cache

import numpy as np
import pytest

from benchmarks.kernel.damage import DAMAGED, damaged_columns
from skdensity import LOOKernelDensity

SEARCHES = ["loo", "lscv", "robust_loo"]


def chosen(X, bandwidth="loo", weight=None, **parameters):
    """The bandwidth, whatever warning goes with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        density = LOOKernelDensity(bandwidth, **parameters)
        return density.fit(X, sample_weight=weight).bandwidth_


@cache
def before(draw, bandwidth, n_rows, seed):
    """The width of what was drawn."""
    x = draw(np.random.default_rng(seed), n_rows)
    return chosen(x[:, None], bandwidth)


def assert_widths_are_those_before(name, bandwidth, n_rows, n_seeds):
    """In the median over seeds, within 30 % or half a step."""
    draw, _, step = DAMAGED[name]
    with_it = [
        chosen(damaged_columns(name, n_rows, s)[0], bandwidth) for s in range(n_seeds)
    ]
    without = np.array([before(draw, bandwidth, n_rows, s) for s in range(n_seeds)])
    tol = max(0.3, np.median(step / 2 / without))
    # The floor itself is half a step above 0.
    assert abs(np.median(with_it / without) - 1) <= tol + 1e-9


@pytest.mark.parametrize("bandwidth", [*SEARCHES, "isj"])
@pytest.mark.parametrize("name", DAMAGED)
def test_what_becomes_of_columns_hardly_changes_the_width(name, bandwidth):
    assert_widths_are_those_before(name, bandwidth, 500, 5)


@pytest.mark.slow
@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("n_rows", [500])
@pytest.mark.parametrize("name", DAMAGED)
def test_nor_does_it_in_the_median_of_twenty(name, n_rows, bandwidth):
    assert_widths_are_those_before(name, bandwidth, n_rows, 20)


@pytest.mark.slow
@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize(
    "name", ["tenths", "quarters", "many counts", "rounded spike", "failed sensor"]
)
def test_nor_do_many_rows(name, bandwidth):
    assert_widths_are_those_before(name, bandwidth, 30_000, 5)


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
@pytest.mark.parametrize(
    "name", ["tenths", "halves", "counts", "coarse spike", "clipped tenths", "prices"]
)
def test_nor_does_it_in_any_shape(name, covariance_type, bandwidth):
    _, _, step = DAMAGED[name]
    widths = []
    for seed in range(3):
        for X in damaged_columns(name, 500, seed, n_features=2):
            width = chosen(X, bandwidth, covariance_type=covariance_type)
            variances = np.diag(width) if np.ndim(width) == 2 else np.square(width)
            widths.append(np.exp(0.5 * np.mean(np.log(variances))))
    with_it, without = np.reshape(widths, (-1, 2)).T
    tol = max(0.3, np.median(step / 2 / without))
    assert abs(np.median(with_it / without) - 1) <= tol


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize(
    "name", ["tenths", "wholes", "counts", "scores", "heaps", "rounded, failed"]
)
def test_nor_does_it_with_weights(name, bandwidth):
    _, _, step = DAMAGED[name]
    pairs = []
    for seed in range(5):
        weight = np.random.default_rng(seed).uniform(0.5, 2, 500)
        pairs.append(
            [chosen(X, bandwidth, weight) for X in damaged_columns(name, 500, seed)]
        )
    with_it, without = np.transpose(pairs)
    tol = max(0.3, np.median(step / 2 / without))
    assert abs(np.median(with_it / without) - 1) <= tol + 1e-9


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("name", DAMAGED)
def test_unit_origin_order_and_repetition_make_no_difference(name, bandwidth):
    X, _ = damaged_columns(name, 300, seed=1)
    expected = chosen(X, bandwidth)
    order = np.random.default_rng(0).permutation(len(X))
    assert chosen(X[order], bandwidth) == pytest.approx(expected, rel=1e-8)
    values, counts = np.unique(X, return_counts=True)
    weighted = chosen(values[:, None], bandwidth, 0.5 * counts)
    assert weighted == pytest.approx(expected, rel=1e-8)
    for scale in (1e-6, 1e6):
        moved = chosen(scale * (X + 3), bandwidth)
        assert moved == pytest.approx(scale * expected, rel=1e-6)


@pytest.mark.parametrize("bandwidth", ["loo", "robust_loo"])
@pytest.mark.parametrize("at", [10.0, -9999.0])
def test_one_value_far_away_is_one_place_however_many_rows_are_there(bandwidth, at):
    x = np.random.default_rng(0).normal(size=500)
    expected = chosen(x[:, None], bandwidth)
    for n_times in (8, 25, 500):
        X = np.append(x, np.full(n_times, at))[:, None]
        assert chosen(X, bandwidth) == pytest.approx(expected, rel=0.25)
