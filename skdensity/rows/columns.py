"""What a column of a table is: continuous, on grids, with atoms among it, or discrete.

Decided by how many rows share a value, which rounding and chance cannot exceed by much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import poisson

from skdensity.rows.digits import digits_of, places, steps_of
from skdensity.rows.grids import cells, explains, grid_step
from skdensity.rows.heaps import HEAVY, N_ATOMS, around, heaps_on
from skdensity.rows.spread import spread_of

# Share of rows that must share values for a column to be more than continuous.
MIN_REPEATED = 0.01
# Up to so many values, with so many rows to each, a column is discrete: too few to see
# what is smooth.
MAX_DISCRETE, MIN_ROWS = 20, 3
# On a grid of up to so many values a group may be as narrow as an atom is.
MAX_COARSE = 40
# Values that are this close, in cells to a value, cannot but be there again.
MAX_GAPS = 2
# Without a grid, values are discrete from so many rows to each on.
MIN_SHARING = 1.5
# An atom has `HEAVY` times the rows that are usual around it; on a grid not once in a
# thousand columns by chance.
P_CHANCE = 1e-3
# Without a grid it has so many rows among values that are there once, and so many times
# those of values that are all there again.
AMONG_SINGLES, AMONG_COPIES = 5, 10
# On a grid it has so many times the rows of the values beside it, which have not so
# many times those of the third and fourth.
AMONG_CELLS = 2.0
# What counts of it is the mean of so many values to either side.
N_BESIDE = 2
# With more values that are heavy than this share they are no exceptions.
MAX_ATOMS = 0.05
# From this share of the rows the coarser of two grids is that of the column.
MAJORITY = 0.5
# Narrowest kernels on a grid, in its steps: narrower ones show its gaps.
NARROWEST = 0.5
# Where steps depend on size, so many rows have no coarser one than that of the column.
MOST_ROWS = 0.8
# Atoms that a representation names.
MAX_NAMED = 3


@dataclass(frozen=True)
class Column:
    """What a feature's values are.

    Attributes
    ----------
    kind : {"continuous", "grid", "discrete", "constant"}
        On a grid are numbers that were rounded; discrete are few values that all rows
        share.
    n_values : int
        Number of distinct values.
    steps : tuple of float
        Distance of neighbouring values on the grid, ascending where some values are on
        a coarser one; of a discrete column the typical distance.
    atoms : tuple of float
        Values that come again and again among others that do not, the most frequent
        first, unless they are those of a coarser grid.
    atom_share : float
        Share of the rows that are there, or on the coarser grid.
    least_width : float
        Half a step: narrower kernels show the gaps between the values. For many values
        without a grid that all rows share, the width that as many rows would have.
    n_digits : int
        Significant digits of numbers that were rounded to few, so that the larger they
        are, the wider are their steps: the width is half of one that few exceed. 0 for
        others.
    """

    kind: str
    n_values: int
    steps: tuple[float, ...] = ()
    atoms: tuple[float, ...] = ()
    atom_share: float = 0.0
    least_width: float = 0.0
    n_digits: int = 0

    @property
    def step(self) -> float:
        """That of the grid which most values are on; 0 without a grid."""
        return self.least_width / NARROWEST if self.steps else 0.0

    @property
    def is_smooth(self) -> bool:
        """Whether a density along it has more to show than a few values."""
        return self.kind in ("continuous", "grid")

    @property
    def is_mostly_coarse(self) -> bool:
        """Whether most rows are on the coarser of two grids."""
        return self.kind == "grid" and self.atom_share > MAJORITY

    def cells(self, values: np.ndarray) -> np.ndarray:
        """Numbers of the cells that values of it are in."""
        if self.n_digits:
            return places(values, self.n_digits)
        return _cells(values, self.step)[:, 0]

    def __repr__(self) -> str:
        return f"Column({self})"

    def __str__(self) -> str:
        steps = " and ".join(f"{step:.6g}" for step in self.steps)
        text = self.kind
        if self.kind == "discrete":
            text += f", {self.n_values} values" + (f" {steps} apart" if steps else "")
        elif self.n_digits:
            text += f", {self.n_digits} significant digit{'s' * (self.n_digits > 1)}"
        elif self.steps:
            grid = (
                f"multiples of {steps}" if self.kind == "grid" else f"some on {steps}"
            )
            text += f", {grid}"
        if self.atoms:
            named = ", ".join(f"{atom:.6g}" for atom in self.atoms[:MAX_NAMED])
            more = ", ..." if len(self.atoms) > MAX_NAMED else ""
            text += f", atoms at {named}{more} ({self.atom_share:.0%} of the rows)"
        return text


def described(column: np.ndarray, counts: np.ndarray) -> tuple[Column, np.ndarray]:
    """What a column is, and how much of every row counts when a width is chosen.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        Numbers.
    counts : ndarray of shape (n_rows,)
        How many rows each stands for.

    Returns
    -------
    column : Column
        The description.
    part : ndarray of shape (n_rows,)
        1, or less for rows at an atom, which together count as one place among those
        around it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.columns import described
    >>> described(np.array([0.0, 1.0, 1.0] * 9), np.ones(27))[0]
    Column(discrete, 2 values 1 apart)
    """
    values, index = distinct_values(column)
    shared = np.bincount(index, counts)
    n_values, n_rows = len(values), shared.sum()
    part = np.ones(n_values)
    if n_values == 1:
        found = Column("constant", 1)
    elif 1 - n_values / n_rows < MIN_REPEATED and shared.max() < AMONG_SINGLES:
        found = Column("continuous", n_values)
    elif n_values <= MAX_DISCRETE and n_rows >= MIN_ROWS * n_values:
        step = float(np.median(np.diff(values.astype(np.float64))))
        found = Column("discrete", n_values, (step,), least_width=NARROWEST * step)
    else:
        found, part = _of_many(values, shared)
    return found, part[index]


def distinct_values(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values that differ by more than rounding errors, and which of them each one is.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.columns import distinct_values
    >>> distinct_values(np.array([0.3, 3 * 0.1, 0.5]))
    (array([0.3, 0.5]), array([0, 0, 1]))
    """
    values, index = np.unique(column, return_inverse=True)
    error = 8 * np.finfo(np.float64).eps * np.abs(values[1:])
    is_new = np.append(True, np.diff(values) > error)
    return values[is_new], (np.cumsum(is_new) - 1)[index]


def _of_many(values, shared):
    """The column of many values that rows share, and the part of each that counts."""
    step = grid_step(values)
    found = _of_digits(values, shared, step)
    if not found and step:
        found = _on_grids(values, shared, step)
    column, kept = found or _without_grid(values, shared)
    return column, kept / shared


def _of_digits(values, shared, step):
    """The column of numbers with few significant digits, and what counts; else None."""
    n_digits = digits_of(values, step)
    if n_digits == 0:
        return None
    numbers, steps = places(values, n_digits), steps_of(values, n_digits)
    kept, atoms = _apart_on_grid(values, numbers, shared)
    if not explains(numbers[:, None], kept):
        return None
    steps, index = np.unique(steps, return_inverse=True)
    below, share = np.cumsum(np.bincount(index, kept)), _share(kept, shared)
    width = NARROWEST * float(steps[np.searchsorted(below, MOST_ROWS * below[-1])])
    sizes = tuple(steps.tolist())
    return Column("grid", len(values), sizes, atoms, share, width, n_digits), kept


def _on_grids(values, shared, step):
    """The column on a grid, or on two, and what counts; else None."""
    if len(values) <= MAX_COARSE:
        return _coarse(values, shared, step)
    return _heaped(values, shared, step) or _on_grid(values, shared, shared, (step,))


def _coarse(values, shared, step):
    """The column on a grid of few steps, and what counts; else None."""
    found = _on_grid(values, shared, shared, (step,))
    if found or np.ptp(_cells(values, step)) >= MAX_GAPS * len(values):
        return found
    # A group may be narrower than the steps.
    width = NARROWEST * step
    return Column("discrete", len(values), (step,), least_width=width), shared


def _heaped(values, shared, step):
    """The column if some values are on a coarser grid, and what counts; else None."""
    multiple, is_member = heaps_on(_cells(values, step)[:, 0], shared)
    if multiple == 0:
        return None
    coarse, steps = multiple * step, (step, multiple * step)
    kept = _without(shared, is_member)
    share = _share(kept, shared)
    if share <= MAJORITY:
        return _on_grid(values, kept, shared, steps)
    if not explains(_cells(values, coarse), shared):
        return None
    width = NARROWEST * coarse
    return Column("grid", len(values), steps, (), share, width), shared


def _on_grid(values, counted, shared, steps):
    """The column if rounding explains what is no atom, and what counts; else None."""
    numbers = _cells(values, steps[0])
    kept, atoms = _apart_on_grid(values, numbers[:, 0], counted)
    if not explains(numbers, kept):
        return None
    share, width = _share(kept, shared), NARROWEST * steps[0]
    return Column("grid", len(values), steps, atoms, share, width), kept


def _without_grid(values, shared):
    """The column of values without a grid, and what counts of each."""
    kept, atoms = _apart_from_atoms(values, shared)
    n_values, share = len(values), _share(kept, shared)
    if kept.sum() < MIN_SHARING * n_values:
        return Column("continuous", n_values, (), atoms, share), kept
    spread = spread_of(values, np.full(n_values, 1 / n_values))
    width = float((4 / 3 / n_values) ** 0.2 * spread)
    return Column("discrete", n_values, (), atoms, share, width), kept


def _apart_from_atoms(values, shared):
    """What counts of every value, and those that are atoms, the most frequent first.

    Atoms have many more rows than the values around them, and are few.
    """
    everywhere = np.arange(len(shared))
    usual = np.maximum(around(shared, everywhere, everywhere + 1), 1)
    is_atom = shared >= HEAVY * usual
    is_atom &= shared >= np.where(usual < 2, AMONG_SINGLES, AMONG_COPIES * usual)
    is_atom &= _are_few(is_atom)
    return _without(shared, is_atom), _named(values, shared, is_atom)


def _apart_on_grid(values, numbers, shared):
    """The same on a grid, where atoms have many more than the values beside them.

    Around the end of a range, where the density falls or rises, these tell more than
    the others around it. Beside the top of a narrow group are more than farther away.
    """
    rows, at = _in_order(numbers, shared)
    beside, near, far = (
        np.maximum(_beside(rows, *places)[at], 1) for places in ((1, 1), (1, 2), (3, 4))
    )
    is_atom = shared >= AMONG_CELLS * beside
    is_atom &= beside <= AMONG_CELLS * far
    usual = 1.5 * np.maximum(beside, near)
    is_atom &= poisson.sf(shared - 1, usual) * len(shared) < P_CHANCE
    is_atom &= _are_few(is_atom)
    return _without(shared, is_atom), _named(values, shared, is_atom)


def _in_order(numbers, shared):
    """Rows in cells, where few are empty, or else at values; and the place of each.

    Over the gap beside a narrow group the next value is in another group.
    """
    if np.ptp(numbers) < MAX_GAPS * len(numbers):
        return np.bincount(numbers, shared), numbers
    return shared, np.arange(len(shared))


def _beside(shared, first, last):
    """Mean of the rows some places away, on the side with more."""
    padded, n_values = np.pad(shared, last), len(shared)
    places = np.arange(first, last + 1)
    sides = [
        np.mean([padded[last + k : last + k + n_values] for k in side * places], axis=0)
        for side in (-1, 1)
    ]
    return np.max(sides, axis=0)


def _are_few(is_atom):
    return is_atom.sum() <= max(N_ATOMS, MAX_ATOMS * len(is_atom))


def _named(values, shared, is_atom):
    """Atoms, the most frequent first."""
    order = np.argsort(-shared[is_atom], kind="stable")
    return tuple(values[is_atom][order].tolist())


def _cells(values, step):
    return cells(values[:, None], np.array([step]))


def _share(kept, shared):
    """Share of the rows that do not count."""
    return float(1 - kept.sum() / shared.sum())


def _without(shared, which):
    """Rows of some values replaced by what others next to them have on the average.

    Any bias would be a wave along a coarser grid, which narrow kernels show.
    """
    others = np.flatnonzero(~which)
    below = np.append(0, np.cumsum(shared[others]))
    place = np.searchsorted(others, np.flatnonzero(which))
    begin, end = np.maximum(place - N_BESIDE, 0), place + N_BESIDE
    end = np.minimum(end, len(others))
    usual = np.maximum((below[end] - below[begin]) / (end - begin), 1)
    kept = shared.astype(np.float64)
    kept[which] = np.minimum(usual, kept[which])
    return kept
