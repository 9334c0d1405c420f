"""What a table is: its columns, and what its rows count when a width is chosen.

Only distinct locations and their masses are looked at, so that a weight of 2 and a row
that is there twice are the same. Masses that are multiples of one unit are counts;
others are weights, and say nothing of how many rows there were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skdensity.rows.columns import (
    MAX_DISCRETE,
    MIN_REPEATED,
    Column,
    described,
    distinct_values,
)
from skdensity.rows.grids import cells, explains, grid_step, paired
from skdensity.rows.heaps import HEAVY, around
from skdensity.rows.restored import restored

# Most rows that the location with the least mass can stand for, and how many times
# that the largest can.
MAX_FEWEST, MAX_COUNT = 1e5, 1e9
# How far counts may be off: many pairs of numbers have a rough common divisor.
OFF_COUNTS = 1e-6
# Numbers with few digits are multiples of a small unit, too: so many times as unlike as
# counts, masses in neighbouring cells are no counts.
UNLIKE = 50
# Weights that are no counts have a gap of this factor below those of atoms, which are
# no more than this share of the locations.
GAP, MAX_ATOMS = 10.0, 0.05
# Weights on grids need so many pairs of neighbours to tell the mass of a row.
MIN_PAIRED = 0.2
# Up to so many rows are one: of a rounding error's share of a row nothing stays, nor of
# a row that is heavier than others.
SINGLE, SINGLE_HEAVY = 1 + 1e-6, 1.5
# Rows that weights on few values are taken for, at the lightest of them.
MANY_ROWS = 100
# Fewer equidistant values may be chance.
MIN_CELLS = 4


@dataclass(frozen=True, eq=False)
class Repeats:
    """What is known of a table from values and rows that are there again.

    Attributes
    ----------
    columns : list of Column
        One for every feature.
    locations : ndarray of shape (n_locations, n_features)
        Where they were before float32, or a conversion, rounded them again.
    masses : ndarray of shape (n_locations,)
        What locations count when a width is chosen, summing to 1: an atom counts as the
        one place that it is.
    shares : ndarray of shape (n_locations,)
        The share of a location that is left out with a row: that of the one row at
        atoms and where values were rounded, and all of it otherwise.
    repeated : float
        Share of the rows that coincide with others.
    is_rounded : bool
        Whether rounding explains that.
    has_copies : bool
        Whether neither rounding nor atoms do.
    """

    columns: list[Column]
    locations: np.ndarray
    masses: np.ndarray
    shares: np.ndarray
    repeated: float
    is_rounded: bool
    has_copies: bool

    @property
    def left_out(self) -> np.ndarray:
        """What is left out of the masses with a row."""
        return self.masses * self.shares

    @property
    def n_rows(self) -> float:
        """Effective number of independent rows."""
        return float(1 / (self.masses @ self.left_out))

    @property
    def least_widths(self) -> np.ndarray:
        """Narrowest kernels that show no gaps between values, for every feature."""
        return np.array([column.least_width for column in self.columns])

    @property
    def steps(self) -> np.ndarray:
        """Step of the grid of every feature, 0 for none."""
        return np.array([column.step for column in self.columns])


def repeats_in(locations: np.ndarray, masses: np.ndarray) -> Repeats:
    """Describe a table.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.

    Returns
    -------
    repeats : Repeats
        The description.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.repeats import repeats_in
    >>> locations, counts = np.arange(6.0)[:, None], np.array([1, 4, 9, 9, 4, 1])
    >>> repeats = repeats_in(locations, counts / counts.sum())
    >>> repeats.columns, round(repeats.n_rows)
    ([Column(discrete, 6 values 1 apart)], 28)
    """
    given = locations
    locations = np.column_stack([restored(column) for column in given.T])
    ordinary = np.minimum(masses, _largest_but_atoms(masses))
    common = unit_of(masses)
    unit = _unit_on_grids(locations, ordinary, common)
    single = SINGLE if unit == common else SINGLE_HEAVY
    counts = masses / (unit or ordinary)
    columns, part = _columns(locations, counts)
    is_rounded = unit > 0 and _is_rounded(locations, columns, counts * part)
    has_copies = not is_rounded and _repeated(counts * part) >= MIN_REPEATED
    if has_copies:
        # Copies of a row tell nothing of a column that one of them does not.
        columns, part = _columns(locations, np.where(part < 1, counts, 1.0))
    kept = masses * part
    stays = ((part < 1) | is_rounded) & (counts > single)
    shares = np.where(stays, 1 / counts, 1.0)
    repeated, kept = _repeated(counts), kept / kept.sum()
    columns = [
        _as_given(*each) for each in zip(columns, locations.T, given.T, strict=True)
    ]
    return Repeats(columns, locations, kept, shares, repeated, is_rounded, has_copies)


def unit_of(masses: np.ndarray) -> float:
    """The largest unit that all masses are multiples of; 0 without one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.repeats import unit_of
    >>> round(unit_of(np.array([0.4, 0.6])), 3)
    0.2
    """
    least = masses.min()
    if masses.max() > MAX_COUNT * least:
        return 0.0
    unit = grid_step(np.unique(np.append(0.0, masses / least)), OFF_COUNTS)
    return float(unit * least) if unit > 1 / MAX_FEWEST else 0.0


def _largest_but_atoms(masses):
    """The largest of the masses below a gap, if those above it are few."""
    n_largest = int(MAX_ATOMS * len(masses))
    largest = np.sort(masses)[-n_largest - 1 :][::-1]
    above = np.flatnonzero(largest[:-1] > GAP * largest[1:])
    return largest[above[-1] + 1] if len(above) else largest[0]


def _unit_on_grids(locations, masses, unit):
    """Mass of a typical row on grids, from how unlike masses in neighbouring cells are.

    With rows of masses w, what is not explained by pairs of cells is E w² / E w. It is
    the common unit of the masses unless these are too unlike to be counts.
    """
    values = [distinct_values(column)[0] for column in locations.T]
    sizes = np.array([len(column) for column in values])
    steps = np.array([grid_step(c) if len(c) > 1 else 0.0 for c in values])
    if np.any(steps == 0):
        return unit
    numbers, axes = cells(locations, steps), sizes > MAX_DISCRETE
    if not axes.any():
        # On few values it is of no account, as long as it is small.
        few = masses.min() / MANY_ROWS if _are_full(numbers, sizes) else 0.0
        return float(unit or few)
    if len(axes) == 1:  # atoms and heaps among the neighbours of one another
        everywhere = np.arange(len(masses))
        usual = around(masses, everywhere, everywhere + 1)
        masses = np.where(masses > HEAVY * usual, usual, masses)
    itself, apart = masses @ masses, paired(numbers, masses, axes)
    if apart < MIN_PAIRED * itself:
        return unit
    found = float(max(itself - apart, masses.min() ** 2) / masses.sum())
    return found if found > UNLIKE * unit else unit


def _are_full(numbers, sizes):
    """Whether the cells along every feature have no gaps."""
    return len(numbers) >= MIN_CELLS and np.all(np.ptp(numbers, axis=0) < sizes)


def _columns(locations, counts):
    """Descriptions of the columns, and the part of every row that counts."""
    found = [described(column, counts) for column in locations.T]
    parts = np.array([part for _, part in found])
    # Where two atoms cross they count as one place along either column.
    return [column for column, _ in found], parts.prod(axis=0)


def _as_given(column, restored, given):
    """A column whose atoms are values of the table."""
    nearest = [np.abs(restored - atom).argmin() for atom in column.atoms]
    return replace(column, atoms=tuple(given[nearest].tolist()))


def _is_rounded(locations, columns, counts):
    """Whether all columns have steps that explain which rows coincide."""
    if not all(column.step for column in columns):
        return False
    axes = np.array([column.kind == "grid" for column in columns])
    numbers = [c.cells(x) for c, x in zip(columns, locations.T, strict=True)]
    return not axes.any() or explains(np.column_stack(numbers), counts, axes)


def _repeated(counts):
    """Share of rows that coincide with others."""
    return float(max(1 - len(counts) / counts.sum(), 0.0))
