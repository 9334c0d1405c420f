"""Numbers that were rounded again, by float32 or after a conversion, as they were."""

import warnings

import numpy as np
import pytest

from benchmarks.kernel.damage import DAMAGED, damaged_columns
from skdensity import LOOKernelDensity
from skdensity.rows.distinct import merge_duplicates
from skdensity.rows.grids import grid_step
from skdensity.rows.repeats import repeats_in
from skdensity.rows.restored import restored

RULES = ["loo", "lscv", "silverman", "isj"]


def rng(seed=0):
    return np.random.default_rng(seed)


def width(x, rule, **fitted):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        parameters = {name: fitted.pop(name) for name in ("bounds",) if name in fitted}
        return LOOKernelDensity(rule, **parameters).fit(x[:, None], **fitted).bandwidth_


def repeats(x, weight=None):
    weight = np.ones(len(x)) if weight is None else weight
    locations, masses, *_ = merge_duplicates(x[:, None], weight)
    return repeats_in(locations, masses)


def column(x):
    (found,) = repeats(x).columns
    return found


def in_float32(x):
    """In float32, and back in float64."""
    single = x.astype(np.float32)
    return single, single.astype(np.float64)


def with_zeros(r):
    return np.where(r.random(2000) < 0.3, 0, r.gamma(2, 5, 2000))


def failing(r):
    return np.where(r.random(2000) < 0.05, -9999.9, r.normal(size=2000))


DECIMALS = {
    "gamma": lambda r: r.gamma(3, 2, 1500).round(1),
    "zeros": lambda r: with_zeros(r).round(1),
    "far from 0": lambda r: r.normal(170, 10, 1000).round(1),
    "hundredths": lambda r: r.normal(size=3000).round(2),
    "few rows": lambda r: r.normal(50, 5, 40).round(1),
    "few rows to a step": lambda r: r.uniform(0, 1000, 500).round(1),
    "failed sensor": lambda r: failing(r).round(1),
    "heavy tails": lambda r: r.standard_cauchy(2000).round(1),
    "large": lambda r: 1e4 * r.normal(30, 4, 1000).round(),
    "small": lambda r: (1e9 * r.normal(30e-9, 4e-9, 1000)).round() / 1e9,
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", DECIMALS)
def test_widths_of_decimals_are_the_same_in_float32(name, rule):
    x = DECIMALS[name](rng())
    expected = width(x, rule)
    for single in in_float32(x):
        assert width(single, rule) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", DECIMALS)
def test_columns_of_decimals_are_the_same_in_float32(name):
    x = DECIMALS[name](rng())
    expected = column(x)
    for single in in_float32(x):
        found = column(single)
        assert str(found) == str(expected)
        np.testing.assert_array_equal(restored(single), x)
        # Atoms are values of the table.
        assert set(found.atoms) <= set(single.tolist())


@pytest.mark.parametrize("name", DAMAGED)
def test_so_are_columns_of_what_becomes_of_them(name):
    for seed in range(3):
        x, _ = damaged_columns(name, 500, seed)
        if column(x[:, 0]).steps:
            single = x[:, 0].astype(np.float32)
            assert str(column(single)) == str(column(x[:, 0]))


@pytest.mark.parametrize("step", [1 / 3, 0.45359237, 5 / 9, np.pi])
def test_grids_of_other_steps_are_seen_in_float32(step):
    whole = rng().gamma(3, 20, 2000).round()
    for single in in_float32(step * whole):
        assert column(single).kind == "grid"
        assert column(single).steps == pytest.approx((step,), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_rows", [200, 1000, 5000])
@pytest.mark.parametrize(
    "draw",
    [
        lambda r, n: r.normal(size=n),
        lambda r, n: r.exponential(size=n),
        lambda r, n: r.random(n),
        lambda r, n: r.lognormal(0, 1, n),
        lambda r, n: r.normal(170, 10, n),
        lambda r, n: r.lognormal(0, 8, n),
    ],
    ids=["normal", "exponential", "uniform", "lognormal", "far", "wide"],
)
def test_continuous_numbers_of_float32_are_continuous(draw, n_rows, seed):
    x = draw(rng(seed), n_rows)
    for same in (x, *in_float32(x)):
        assert str(column(same)) == "continuous"
        np.testing.assert_array_equal(restored(same), same)


@pytest.mark.parametrize("step", [1.0, 0.5, 0.1, 0.001, 1 / 3])
@pytest.mark.parametrize("n_rows", [2, 3, 5, 10, 20, 100, 2000])
def test_what_was_rounded_once_is_left_as_it_is(n_rows, step):
    for seed in range(10):
        r = rng(seed)
        for drawn in (r.normal(size=n_rows), r.gamma(2, 20, n_rows)):
            x = step * (drawn / step).round()
            np.testing.assert_allclose(restored(x), x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", DAMAGED)
def test_so_are_columns_on_two_grids_or_with_atoms(name):
    for n_rows in (100, 500, 5000):
        x, _ = damaged_columns(name, n_rows, seed=0)
        np.testing.assert_allclose(restored(x[:, 0]), x[:, 0], rtol=1e-12, atol=1e-12)


# What was measured in whole units, the units in others, and the decimals that are kept.
CONVERTED = {
    "inches, one": (lambda r: r.normal(68, 3, 2000), 2.54, 1),
    "pounds, one": (lambda r: r.normal(160, 30, 2000), 0.45359237, 1),
    "pounds, two": (lambda r: r.normal(160, 30, 2000), 0.45359237, 2),
    "Fahrenheit, one": (lambda r: r.normal(38, 15, 2000), 5 / 9, 1),
    "Fahrenheit, two": (lambda r: r.normal(38, 15, 500), 5 / 9, 2),
    "miles, one": (lambda r: r.gamma(3, 20, 2000), 1.609344, 1),
    "miles, two": (lambda r: r.gamma(3, 20, 500), 1.609344, 2),
    "Celsius, none": (lambda r: r.normal(20, 10, 1000), 1.8, 0),
}


@pytest.mark.parametrize("seed", [0, 2])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", CONVERTED)
def test_widths_are_those_before_converted_values_were_rounded(name, rule, seed):
    draw, unit, decimals = CONVERTED[name]
    x = unit * draw(rng(seed)).round()
    expected = width(x, rule)
    rounded = x.round(decimals)
    # The origin, and the step, are known to a part of the second rounding.
    for again in (rounded, rounded.astype(np.float32)):
        assert width(again, rule) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("scale", [1e-6, 3.0, 1e6])
@pytest.mark.parametrize("name", CONVERTED)
def test_converted_values_return_to_multiples_of_their_unit(name, scale):
    draw, unit, decimals = CONVERTED[name]
    whole = np.unique(draw(rng()).round())
    x = (unit * whole + 7).round(decimals)
    back = restored(scale * x)
    # No farther than they were rounded, and as far from each other as before.
    half = 0.5 * 10.0**-decimals
    assert np.abs(back / scale - x).max() <= 1.02 * half
    spread = np.ptp(x) / np.ptp(whole)
    np.testing.assert_allclose(
        np.diff(back), scale * spread * np.diff(whole), rtol=0.02
    )


def test_converted_values_are_on_grids_with_atoms_weights_and_bounds():
    r = rng()
    x = 1.609344 * r.gamma(2, 8, 2000).round()
    x[r.random(2000) < 0.3] = 0
    weight = r.uniform(0.5, 2, 2000)
    again = x.round(1)
    assert column(again).steps == pytest.approx((1.609344,), rel=1e-3)
    assert column(again).atoms == (0,)
    for fitted in ({"sample_weight": weight}, {"bounds": (0, None)}):
        for rule in RULES:
            expected = width(x, rule, **fitted)
            assert width(again, rule, **fitted) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("n_rows", [50, 500])
def test_steps_are_found_where_rows_are_thousands_of_them_apart(n_rows, decimals):
    step = 10.0**-decimals
    for seed in range(10):
        x = rng(seed).uniform(0, 1000 * n_rows * step, n_rows).round(decimals)
        assert grid_step(np.unique(x)) == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize("n_finer", [1, 3])
def test_a_few_values_on_the_finer_of_two_grids_stay_where_they_are(n_finer):
    # They are near multiples of 5, on which all others are.
    x = 10.0 * np.arange(80)
    x[20 : 20 + n_finer] += 6
    x[40 : 40 + n_finer] += 4
    np.testing.assert_array_equal(restored(x), x)


def test_small_numbers_are_not_lost_beside_large_ones_of_float32():
    for seed in range(60):
        x = np.unique((2 * rng([seed, 20]).lognormal(0, 8, 20)).round() / 2)
        # One of them is 44645152, which is 44645150 in float32.
        np.testing.assert_allclose(restored(x), x, rtol=6e-8)
