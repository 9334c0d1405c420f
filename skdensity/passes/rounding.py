"""Recognise rows that were rounded: values on a grid, some of them several times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# How far values may be off their grid, as a share of its step.
TOLERANCE = 1e-4
# A grid of so many steps says nothing: any number is a multiple of a small one.
MAX_STEPS = 1e5
# With fewer values a grid would be found by chance.
MIN_VALUES = 4
# Share of the mass that must coincide with other mass.
MIN_REPEATED = 0.05


@dataclass(frozen=True)
class Rounding:
    """How rows were rounded.

    Attributes
    ----------
    steps : ndarray of shape (n_features,)
        Distance of neighbouring values on the grid of each feature.
    unit : float
        Mass of one row, of which the location with the least mass has one.
    """

    steps: np.ndarray
    unit: float


def rounding_of(locations: np.ndarray, masses: np.ndarray) -> Rounding | None:
    """The grid and the mass of one row, if rows were rounded so that many coincide.

    Only distinct locations and their masses are looked at, so that a weight of 2 and a
    row that is there twice are the same. Masses that are not whole multiples of the
    smallest are weights, and say nothing of how many rows there were.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.

    Returns
    -------
    rounding : Rounding or None
        None if rows are not on a grid, or nearly all are distinct.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.passes.rounding import rounding_of
    >>> locations, counts = np.arange(6.0)[:, None], np.array([1, 4, 9, 9, 4, 1])
    >>> rounding = rounding_of(locations, counts / counts.sum())
    >>> rounding.steps, round(1 / rounding.unit)
    (array([1.]), 28)
    >>> rounding_of(np.sqrt(locations), counts / counts.sum()) is None
    True
    """
    unit = masses.min()
    counts = masses / unit
    if np.any(np.abs(counts - np.round(counts)) > 1e-6 * counts):
        return None
    if (masses - unit).sum() < MIN_REPEATED:
        return None
    steps = np.array([grid_step(column) for column in locations.T])
    return Rounding(steps, unit) if np.all(steps > 0) else None


def grid_step(column: np.ndarray) -> float:
    """Step of the coarsest grid that holds all values of a column; 0 without one."""
    values = np.unique(column)
    if len(values) < MIN_VALUES:
        return 0.0
    gaps = np.diff(values.astype(np.float64))
    step = gaps.min()
    rounding = 4 * np.finfo(column.dtype).eps * np.abs(values).max() / step
    n_steps = gaps / step
    off = np.abs(n_steps - np.round(n_steps)).max()
    is_grid = off <= TOLERANCE + rounding < 0.01 and gaps.sum() / step <= MAX_STEPS
    return float(step) if is_grid else 0.0
