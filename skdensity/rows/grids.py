"""Grids that numbers were rounded to, and whether rounding explains what coincides.

Two rows drawn from a smooth density and rounded to cells are in one cell as often as in
two cells next to each other: with rates λ that hardly change from cell to cell, the
expected number of ordered pairs in a cell is λ², and λ² in a cell and the next. Copies
coincide without having neighbours. So pairs a step apart tell how many coincidences
rounding explains, in any number of features and without any width to smooth by.
"""

from __future__ import annotations

import numpy as np

# How far values may be off their grid, as a share of its step, besides rounding errors.
OFF_GRID = 1e-4
# Most that rounding errors may be of a step: on a finer grid is any number.
MAX_ROUNDING = 0.01
# Coincidences that rounding explains, in multiples of pairs a step apart: one, and more
# where the density changes within a few steps.
MAX_EXCESS = 1.5
# Odd numbers: a cell's key is a sum of products with them, modulo 2^64.
KEYS = np.random.RandomState(0).randint(1, 2**62, size=64, dtype=np.int64) | 1


def grid_step(values: np.ndarray, off_grid: float = OFF_GRID) -> float:
    """Step of the coarsest grid that holds all of some numbers; 0 without one.

    Euclid's algorithm on the gaps between them, which ends at rounding errors where
    there is no common divisor.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Distinct, in ascending order, at least 2.
    off_grid : float
        How far they may be off the grid, as a share of its step.

    Returns
    -------
    step : float
        In the unit of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.grids import grid_step
    >>> round(grid_step(np.array([0.4, 0.6, 0.9, 1.3])), 12)
    0.1
    >>> grid_step(np.sqrt(np.arange(2.0, 9.0)))
    0.0
    """
    values = values.astype(np.float64)
    error = 4 * np.finfo(np.float64).eps * np.abs(values).max()
    gaps = np.sort(np.diff(values))
    n_seen, step = 1, float(gaps[0])
    while error < MAX_ROUNDING * step:
        seen = gaps[:n_seen]
        numbers = np.round(seen / step)
        off = np.abs(seen - step * numbers)
        is_off = off > off_grid * step + error
        if is_off.any():
            n_seen, step = 1, float(off[is_off].min())
        elif n_seen == len(gaps):
            return float((values[-1] - values[0]) / numbers.sum())
        else:
            # Errors of the step count as often as it is in a gap. That of all smaller
            # gaps is exact enough for the next.
            n_seen, step = min(2 * n_seen, len(gaps)), float(seen.sum() / numbers.sum())
    return 0.0


def cells(columns: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Numbers of the cells that rows are in, of shape (n_rows, n_features)."""
    offsets = (columns.astype(np.float64) - columns[0]) / steps
    return np.round(offsets).astype(np.int64)


def paired(
    numbers: np.ndarray, masses: np.ndarray, axes: np.ndarray | None = None
) -> float:
    r"""What :math:`\sum_i m_i^2` would be if no cell were paired with itself.

    The sum over pairs of cells that are t steps apart is an even function of t, whose
    value at 0 follows from those at 1 and 2. The axis with most pairs is taken: along
    others, the density may change too fast.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_features)
        Numbers of cells.
    masses : ndarray of shape (n_rows,)
        What each row adds to its cell.
    axes : ndarray of bool, of shape (n_features,), optional
        Along which cells are paired; None is all.

    Returns
    -------
    sum : float
        In squared units of the masses.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.grids import paired
    >>> counts = np.random.RandomState(0).poisson(5.0, 10_000)
    >>> round(paired(np.arange(10_000)[:, None], counts) / 10_000)
    25
    """
    factors = np.resize(KEYS, numbers.shape[1])
    keys, masses = _in_cells(numbers, masses)

    def apart(shift):
        found = np.minimum(np.searchsorted(keys, keys + shift), len(keys) - 1)
        return masses @ np.where(keys[found] == keys + shift, masses[found], 0)

    axes = factors if axes is None else factors[axes]
    return float(max((4 * apart(key) - apart(2 * key)) / 3 for key in axes))


def explains(
    numbers: np.ndarray, counts: np.ndarray, axes: np.ndarray | None = None
) -> bool:
    """Whether rounding explains how many rows share a cell.

    Parameters
    ----------
    numbers : ndarray of shape (n_cells, n_features)
        Numbers of cells.
    counts : ndarray of shape (n_cells,)
        Rows in them.
    axes : ndarray of bool, of shape (n_features,), optional
        As in :func:`paired`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.grids import explains
    >>> explains(np.arange(4)[:, None], np.array([2, 3, 3, 1]))
    True
    >>> explains(np.array([[2], [9], [23], [50]]), np.array([2, 3, 3, 1]))
    False
    """
    apart = max(paired(numbers, counts, axes), 0.0)
    by_chance = 2 + 4 * np.sqrt(apart)  # two standard deviations of both sums
    _, counts = _in_cells(numbers, counts)
    return bool(counts @ (counts - 1) <= MAX_EXCESS * (apart + by_chance))


def _in_cells(numbers, masses):
    """Keys of distinct cells, in ascending order, and what is in them."""
    # Products wrap around: neighbours differ by a factor, others by anything.
    keys = numbers @ np.resize(KEYS, numbers.shape[1])
    keys, index = np.unique(keys, return_inverse=True)
    return keys, np.bincount(index, masses)
