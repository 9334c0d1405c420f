"""The tables that textbooks use: integers, one decimal, months, days and cylinders."""

import numpy as np
import pytest
from conftest import ON_AWKWARD_DATA
from sklearn.datasets import load_diabetes

from skdensity import LOOKernelDensity
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

# Speeds, miles per hour, and stopping distances, feet, of the 1920s; 32 cars of 1974.
SPEED = """
4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17
17 18 18 18 18 19 19 19 20 20 20 20 20 22 23 24 24 24 24 25
"""
DISTANCE = """
2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32
40 50 42 56 76 84 36 46 68 32 48 52 56 64 66 54 70 92 93 120 85
"""
MILES_PER_GALLON = """
21 21 22.8 21.4 18.7 18.1 14.3 24.4 22.8 19.2 17.8 16.4 17.3 15.2 10.4 10.4 14.7
32.4 30.4 33.9 21.5 15.5 15.2 13.3 19.2 27.3 26 30.4 15.8 19.7 15 21.4
"""
CYLINDERS = "6 6 4 6 8 6 8 4 4 6 6 8 8 8 8 8 8 4 4 4 4 8 8 8 8 4 4 4 8 6 8 4"
HORSEPOWER = """
110 110 93 110 175 105 245 62 95 123 123 180 180 180 205 215 230 66 52 65 97 150 150
245 175 66 91 113 264 175 335 109
"""
WEIGHT = """
2.62 2.875 2.32 3.215 3.44 3.46 3.57 3.19 3.15 3.44 3.44 4.07 3.73 3.78 5.25 5.424
5.345 2.2 1.615 1.835 2.465 3.52 3.435 3.84 3.845 1.935 2.14 1.513 3.17 2.77 3.57
2.78
"""


def columns(*texts):
    return np.column_stack([np.array(text.split(), dtype=float) for text in texts])


def air_quality():
    """Ozone, radiation, wind, temperature, month and day, less days with gaps."""
    rng = np.random.RandomState(0)
    month = np.repeat([5, 6, 7, 8, 9], [31, 30, 31, 31, 30])
    day = np.concatenate([np.arange(1, n + 1) for n in (31, 30, 31, 31, 30)])
    warm = 13 * np.cos((month - 7.3) / 2) + rng.normal(0, 6, len(month))
    temperature = 70 + warm
    # Half knots, of which a mile per hour is 1.15.
    wind = 0.575 * np.rint(np.clip(rng.normal(17 - 0.15 * warm, 5), 3, 36))
    radiation = np.clip(rng.normal(190, 90, len(month)), 7, 334)
    ozone = np.exp(
        3.4 + 0.04 * warm - 0.08 * (wind - 10) + rng.normal(0, 0.4, len(day))
    )
    whole = np.column_stack([ozone, radiation, temperature, month, day]).round()
    table = np.insert(whole, 2, wind.round(1), axis=1)
    return table[rng.random_sample(len(table)) > 0.27]


TABLES = {
    "cars": columns(SPEED, DISTANCE),
    "mtcars": columns(MILES_PER_GALLON, CYLINDERS, HORSEPOWER, WEIGHT),
    "air quality": air_quality()[:, :4],
    "air quality and days": air_quality(),
    "diabetes": load_diabetes().data,
    "diabetes, raw": load_diabetes(scaled=False).data,
}


def test_the_tables_are_those_of_the_textbooks():
    np.testing.assert_allclose(TABLES["cars"].mean(axis=0), [15.4, 42.98])
    expected = [20.090625, 6.1875, 146.6875, 3.21725]
    np.testing.assert_allclose(TABLES["mtcars"].mean(axis=0), expected)


@ON_AWKWARD_DATA
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("rule", sorted(BANDWIDTHS))
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
def test_every_rule_finds_widths(table, rule, covariance_type):
    X = TABLES[table]
    density = LOOKernelDensity(rule, covariance_type=covariance_type).fit(X)
    widths = np.sqrt(np.diag(density.covariance_))
    spread = X.std(axis=0)
    assert np.all((widths > 0.01 * spread) & (widths < 10 * spread))
    least = [column.least_width for column in density.columns_]
    assert np.all(widths >= (1 - 1e-6) * np.array(least))
    assert np.linalg.eigvalsh(density.covariance_).min() > 0
    assert np.isfinite(density.score_samples(X)).all()
    assert np.isfinite(density.loo_score_)
