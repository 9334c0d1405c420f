"""Numbers as they were before they were rounded once more than to their grid.

By float32, which knows no decimals, or after a conversion: inches in centimetres are on
a grid of 2.54, and with one decimal on it no longer, but near it. What is left is a
grid that is far finer, most of it empty, on which rows of a cell look like copies.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from skdensity.rows.columns import distinct_values
from skdensity.rows.grids import grid_step
from skdensity.rows.rounding import is_single, rounded

# Numbers are near a grid if all would be by chance once in so many columns, as a power
# of ten.
LOG_CHANCE = -6.0
# How wide the band around a grid is that numbers rounded to finer steps are in, in
# these, with rounding errors; and by least squares, whose slope may be a bit wrong.
BAND, WIDEST = 1.01, 3.0
# Where so many numbers are in the middle of the band, within so much of a fine step, a
# few are on the finer of two grids. Of those rounded again no more than half are.
MOST, EXACT = 0.8, 0.1


def restored(column: np.ndarray) -> np.ndarray:
    """Numbers as they were before float32, or a conversion, rounded them again.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        Finite numbers.

    Returns
    -------
    column : ndarray of shape (n_rows,)
        As it is if it is near no grid.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.restored import restored
    >>> tenths = np.array([0.1, 25.7, -3.2], dtype=np.float32)
    >>> restored(tenths.astype(np.float64))
    array([ 0.1, 25.7, -3.2])
    >>> inches = np.arange(60, 80)
    >>> np.diff(restored((2.54 * inches).round(1)))[:3].round(2)
    array([2.54, 2.54, 2.54])
    """
    decimals = _decimals(column) if is_single(column) else column
    values, index = distinct_values(decimals.astype(np.float64))
    on_grid = _multiples(values) if len(values) > 2 else None
    return decimals if on_grid is None else on_grid[index]


def _decimals(column):
    """The decimals that numbers of float32 are roundings of; else as they are.

    0.1 and 0.2 in float32 are 0.1 + 1.5e-9 and 0.2 + 3e-9, which have no step in common
    but the spacing of float32: a grid would be lost, and its rows be taken for copies.
    """
    exact, largest = column.astype(np.float64), np.abs(column).max()
    if largest == 0:
        return column
    # By chance, as many are decimals as there are of these among their neighbours.
    spacing = _spacing(column[column != 0])
    n_digits, is_left, found = -int(np.floor(np.log10(largest))), True, exact
    while np.log10(np.minimum(spacing * 10.0**n_digits, 1)).sum() < LOG_CHANCE:
        # Of large numbers more digits are those of float32.
        found = np.where(is_left, np.round(exact, n_digits), found)
        is_left = rounded(found, np.float32) != exact
        if not is_left.any():
            return found
        n_digits += 1
    return column


def _multiples(values):
    """Multiples of a step that numbers on a finer grid are roundings of; else None."""
    fine = max(grid_step(values), _spacing(values).max() if is_single(values) else 0.0)
    if fine == 0:
        return None
    gaps = np.diff(values)
    # Neighbours are so many fine steps apart, or one more.
    near = gaps[gaps <= gaps.min() + 1.5 * fine]
    numbers = np.append(0, np.cumsum(np.round(gaps / near.mean())))
    step = np.polyfit(numbers, values, 1)[0]
    off = values - step * numbers
    is_exact = np.abs(off - np.median(off)) < EXACT * fine
    if np.ptp(off) > WIDEST * fine or is_exact.mean() > MOST:
        return None
    step = _slope(values, numbers, step, WIDEST * fine / numbers[-1])
    off = values - step * numbers
    by_chance = (len(values) - 2) * np.log10(BAND * fine / step)
    if np.ptp(off) > BAND * fine or by_chance > LOG_CHANCE:
        return None
    return step * numbers + (off.min() + off.max()) / 2


def _slope(values, numbers, step, within):
    """Slope of the narrowest band that holds numbers."""
    found = minimize_scalar(
        lambda slope: np.ptp(values - slope * numbers),
        bounds=(step - within, step + within),
        options={"xatol": 1e-3 * within},
    )
    return found.x


def _spacing(values):
    """Distance to the next number of float32."""
    return np.abs(np.spacing(values.astype(np.float32))).astype(np.float64)
