"""Recognise why rows coincide: they were rounded, or one value occurs again and again.

Only distinct locations and their masses are looked at, so that a weight of 2 and a row
that is there twice are the same. Masses that are not whole multiples of one unit are
weights, and say nothing of how many rows there were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Share of the mass that must coincide with other mass.
MIN_REPEATED = 0.05
# Most rows that the location with the least mass can stand for.
MAX_FEWEST = 50
# How far masses may be off whole multiples, relative to them.
TOLERANCE = 1e-6
# With more locations that repeat than this share they are no exceptions.
MAX_ATOMS = 0.05
# How far values may be off their grid, as a share of its step.
OFF_GRID = 1e-4
# A grid of so many steps says nothing: any number is a multiple of a small one.
MAX_STEPS = 1e5
# With fewer values a grid would be found by chance.
MIN_VALUES = 4


@dataclass(frozen=True)
class Ties:
    """Why rows coincide.

    Attributes
    ----------
    row_mass : float
        Mass of one row.
    steps : ndarray of shape (n_features,), optional
        Distance of neighbouring values on the grid of each feature, if rows were
        rounded.
    """

    row_mass: float
    steps: np.ndarray | None = None

    def without_atoms(self, masses: np.ndarray) -> np.ndarray:
        """Masses, summing to 1, among which those of atoms are that of one row."""
        if self.steps is not None:
            return masses
        masses = np.minimum(masses, self.row_mass)
        return masses / masses.sum()


def ties_of(locations: np.ndarray, masses: np.ndarray) -> Ties | None:
    """The grid that rows were rounded to, or that a few values are atoms.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.

    Returns
    -------
    ties : Ties or None
        None if nearly all rows are distinct, or many coincide for no obvious reason.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.ties import ties_of
    >>> locations, counts = np.arange(6.0)[:, None], np.array([1, 4, 9, 9, 4, 1])
    >>> ties = ties_of(locations, counts / counts.sum())
    >>> ties.steps, round(1 / ties.row_mass)
    (array([1.]), 28)
    >>> ties_of(np.sqrt(locations), counts / counts.sum()) is None
    True
    """
    row_mass = mass_of_a_row(masses)
    if (masses - row_mass).sum() < MIN_REPEATED:
        return None
    steps = np.array([grid_step(column) for column in locations.T])
    if np.all(steps > 0):
        return Ties(row_mass, steps)
    is_exception = np.mean(masses > 1.5 * row_mass) <= MAX_ATOMS
    return Ties(row_mass) if is_exception else None


def mass_of_a_row(masses: np.ndarray) -> float:
    """The largest unit that all masses are multiples of; the largest mass without one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.ties import mass_of_a_row
    >>> round(mass_of_a_row(np.array([0.4, 0.6])), 3)
    0.2
    """
    least = masses.min()
    for fewest in range(1, MAX_FEWEST + 1):
        counts = masses * (fewest / least)
        if np.all(np.abs(counts - np.round(counts)) <= TOLERANCE * counts):
            return float(least / fewest)
    return float(masses.max())


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
    is_grid = off <= OFF_GRID + rounding < 0.01 and gaps.sum() / step <= MAX_STEPS
    return float(step) if is_grid else 0.0
