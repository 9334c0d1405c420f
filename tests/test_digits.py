"""Numbers with few significant digits: rows that coincide are rows, not copies."""

import warnings

import numpy as np
import pytest

from skdensity import LOOKernelDensity
from skdensity.rows.columns import described
from skdensity.rows.digits import digits_of
from skdensity.rows.distinct import merge_duplicates
from skdensity.rows.grids import grid_step
from skdensity.rows.repeats import repeats_in


def rng(seed=0):
    return np.random.default_rng(seed)


def with_digits(x, n_digits):
    texts = [f"{value:.{n_digits - 1}e}" for value in x]
    return np.array(texts, dtype=float)


def repeats(X):
    X = X[:, None] if X.ndim == 1 else X
    locations, masses, *_ = merge_duplicates(X, np.ones(len(X)))
    return repeats_in(locations, masses)


def width(x, rule):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return LOOKernelDensity(rule).fit(x[:, None]).bandwidth_


DRAWN = {
    "lognormal, wide": lambda r, n: r.lognormal(5, 1.5, n),
    "lognormal": lambda r, n: r.lognormal(0, 1, n),
    "gamma": lambda r, n: r.gamma(2, 100, n),
    "exponential": lambda r, n: r.exponential(1, n),
    "both signs": lambda r, n: r.standard_cauchy(n),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n_digits", [2, 3])
@pytest.mark.parametrize("name", DRAWN)
def test_rows_with_few_digits_are_as_many_as_they_are(name, n_digits, scale, dtype):
    for seed in range(3):
        drawn = DRAWN[name](rng(seed), 4000)
        found = repeats((scale * with_digits(drawn, n_digits)).astype(dtype))
        (column,) = found.columns
        assert (column.kind, column.n_digits) == ("grid", n_digits)
        assert found.is_rounded
        assert found.n_rows == pytest.approx(4000, rel=0.05)


@pytest.mark.parametrize("rule", ["silverman", "scott", "isj", "loo", "lscv"])
@pytest.mark.parametrize("name", ["lognormal", "gamma"])
def test_widths_are_those_before_digits_were_dropped(name, rule):
    for n_digits in (2, 3):
        ratios = []
        for seed in range(3):
            x = DRAWN[name](rng(seed), 2000)
            ratios.append(width(with_digits(x, n_digits), rule) / width(x, rule))
        # As for rows on one grid.
        assert np.median(ratios) == pytest.approx(1, abs=0.3)


def test_rules_of_thumb_know_the_number_of_rows():
    x = rng().lognormal(5, 1.5, 4000)
    for n_digits in (1, 2, 3):
        expected = pytest.approx(width(x, "silverman"), rel=0.03)
        assert width(with_digits(x, n_digits), "silverman") == expected


def test_steps_depend_on_size():
    x = with_digits(rng().uniform(1, 200, 5000), 2)
    found, _ = described(x, np.ones(5000))
    assert found.steps == pytest.approx((0.1, 1, 10))
    # A half of the rows are beyond 100.
    assert found.least_width == pytest.approx(5)
    assert str(found) == "grid, 2 significant digits"


def test_two_features_are_rounded_together():
    r = rng()
    x = r.lognormal(5, 1, 4000)
    X = np.column_stack([with_digits(x, 1), (0.1 * x + r.normal(size=4000)).round()])
    found = repeats(X)
    assert found.is_rounded
    assert found.n_rows == pytest.approx(4000, rel=0.05)


def test_rows_with_few_digits_that_are_drawn_again_are_copies():
    r = rng()
    few = with_digits(r.lognormal(5, 1.5, 60), 3)
    assert repeats(r.choice(few, 1000)).has_copies


def test_zeros_among_them_are_an_atom():
    r = rng()
    x = np.where(r.random(4000) < 0.2, 0, with_digits(r.lognormal(5, 1.5, 4000), 2))
    (column,) = repeats(x).columns
    assert (column.n_digits, column.atoms) == (2, (0,))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(
    "draw",
    [
        lambda r: r.normal(0, 15, 3000).round(),
        lambda r: r.normal(170, 10, 3000).round(),
        lambda r: r.gamma(2, 300, 3000).round(),
        lambda r: 10 * r.lognormal(5.2, 0.5, 3000).round(),
        lambda r: 5 * r.normal(9, 3, 3000).round(),
        lambda r: r.uniform(1, 99, 3000).round(),
    ],
)
def test_rows_on_one_grid_have_no_number_of_digits(draw, scale):
    for seed in range(5):
        values = scale * np.unique(draw(rng(seed)))
        assert digits_of(values, grid_step(values)) == 0


@pytest.mark.parametrize("unit", [1e-305, 1e-316, 5e-324])
def test_numbers_without_digits_are_silent(unit):
    values = np.unique(rng().normal(size=30) * unit)
    with np.errstate(all="raise", under="ignore"):
        digits_of(values, 0.0)
