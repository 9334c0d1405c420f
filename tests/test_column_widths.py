"""Widths on rounded, heaped, spiked and clipped columns are those of what was there."""

import warnings
from functools import cache

import numpy as np
import pytest

from skdensity import LOOKernelDensity

SEARCHES = ["loo", "lscv", "robust_loo"]


def chosen(X, bandwidth="loo", weight=None, **parameters):
    """The bandwidth, whatever warning goes with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        density = LOOKernelDensity(bandwidth, **parameters)
        return density.fit(X, sample_weight=weight).bandwidth_


def normal(r, n):
    return r.normal(size=n)


def hours(r, n):
    return r.normal(38, 10, n)


def clipped(r, n):
    return np.clip(r.normal(size=n), -1.5, 2)


def incomes(r, n):
    return r.lognormal(7.5, 0.5, n)


def rounded(step):
    return lambda x, r: step * (x / step).round()


def heaped(x, r, step, share):
    coarse = 50 * step * (x / (50 * step)).round()
    return np.where(r.random(len(x)) < share, coarse, step * (x / step).round())


def priced(x, r):
    """Whole prices that end in .99, most of them."""
    ends = np.where(r.random(len(x)) < 0.7, 0.99, (x % 1).round(2))
    return np.floor(x) + ends


def spiked(x, r, at, step=0.0):
    x = step * (x / step).round() if step else x
    return np.where(r.random(len(x)) < 0.3, at, x)


def failed(x, r):
    """A sensor that says −9999 one time in twenty."""
    return np.where(np.arange(len(x)) % 20 == 0, -9999.0, x)


# What is drawn, what becomes of it, and the step that is left.
DAMAGED = {
    "hundredths": (normal, rounded(0.05), 0.05),
    "tenths": (normal, rounded(0.1), 0.1),
    "quarters": (normal, rounded(0.25), 0.25),
    "halves": (normal, rounded(0.5), 0.5),
    "wholes": (normal, rounded(1.0), 1.0),
    "integers": (lambda r, n: r.normal(0, 15, n), rounded(1.0), 1.0),
    "few counts": (lambda r, n: r.gamma(3, 1, n), rounded(1.0), 1.0),
    "counts": (lambda r, n: r.gamma(20, 1.5, n), rounded(1.0), 1.0),
    "many counts": (lambda r, n: r.gamma(50, 1, n), rounded(1.0), 1.0),
    "hours of the day": (lambda r, n: 24 * r.beta(2, 3, n) - 0.5, rounded(1.0), 1.0),
    "scores": (lambda r, n: 0.5 + 5 * r.beta(2, 2, n), rounded(1.0), 1.0),
    "heaps": (incomes, lambda x, r: heaped(x, r, 10.0, 0.1), 10.0),
    "many heaps": (incomes, lambda x, r: heaped(x, r, 10.0, 0.3), 10.0),
    "prices": (lambda r, n: r.lognormal(3, 0.8, n), priced, 1.0),
    "spike": (hours, lambda x, r: spiked(x, r, 40), 0.0),
    "rounded spike": (hours, lambda x, r: spiked(x, r, 40, 0.1), 0.1),
    "coarse spike": (normal, lambda x, r: spiked(x, r, 0.5, 0.25), 0.25),
    "zeros": (lambda r, n: r.gamma(2, 5, n), lambda x, r: spiked(x, r, 0, 0.1), 0.1),
    "clipped": (clipped, rounded(1e-3), 1e-3),
    "clipped tenths": (clipped, rounded(0.1), 0.1),
    "failed sensor": (normal, failed, 0.0),
    "rounded, failed": (normal, lambda x, r: failed(x.round(1), r), 0.1),
}


@cache
def before(draw, bandwidth, n_rows, seed):
    """The width of what was drawn."""
    x = draw(np.random.default_rng(seed), n_rows)
    return chosen(x[:, None], bandwidth)


def after(name, n_rows, seed, n_features=1):
    """Rows of damaged columns, and what they were before."""
    draw, damage, _ = DAMAGED[name]
    r = np.random.default_rng(seed)
    columns = [draw(r, n_rows) for _ in range(n_features)]
    damaged = [damage(x, r) for x in columns]
    return np.column_stack(damaged), np.column_stack(columns)


def assert_widths_are_those_before(name, bandwidth, n_rows, n_seeds):
    """In the median over seeds, within 30 % or half a step."""
    draw, _, step = DAMAGED[name]
    with_it = [chosen(after(name, n_rows, s)[0], bandwidth) for s in range(n_seeds)]
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
        for X in after(name, 500, seed, n_features=2):
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
        pairs.append([chosen(X, bandwidth, weight) for X in after(name, 500, seed)])
    with_it, without = np.transpose(pairs)
    tol = max(0.3, np.median(step / 2 / without))
    assert abs(np.median(with_it / without) - 1) <= tol + 1e-9


@pytest.mark.parametrize("bandwidth", SEARCHES)
@pytest.mark.parametrize("name", DAMAGED)
def test_unit_origin_order_and_repetition_make_no_difference(name, bandwidth):
    X, _ = after(name, 300, seed=1)
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
