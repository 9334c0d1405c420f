"""A coarser grid among the numbers on a grid, where more of them are than by chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import poisson

from skdensity.rows.spread import spread_of

# Coarsest grid that is looked for, in steps of the finer one.
MAX_MULTIPLE = 200
# Rows on it, in multiples of those on the grids beside it (next to the mode of a
# distribution of counts there are up to 2.1 times as many), and how improbable that is;
# and in median deviations of all of these grids, where copies add up to lumps.
HEAVY, P_CHANCE, MIN_DEVIATIONS = 2.5, 1e-7, 10.0
# So many values are needed to see a grid, and so many grids to see what deviates.
MIN_VALUES, MIN_GRIDS = 4, 8
# Of grids within each other the coarsest with so much of the best score.
NEARLY = 0.95
# Values that may be atoms, and not count.
N_ATOMS = 2
# Values to either side that show what is usual.
N_AROUND = 4


def around(shared: np.ndarray, ends: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """A typical number of rows next to some values.

    The median of the four that end where the value is, or of the four that begin there,
    whichever is more: next to an edge, there are others on one side only.

    Parameters
    ----------
    shared : ndarray of shape (n_values,)
        Rows at every value.
    ends, begins : ndarray of int
        Where what is before a value ends, and where what is after it begins.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.heaps import around
    >>> shared = np.array([9, 8, 9, 50, 7, 7, 6, 7])
    >>> around(shared, np.array([3]), np.array([4]))
    array([8.5])
    """
    padded = np.pad(shared, N_AROUND)
    window = np.lib.stride_tricks.sliding_window_view(padded, N_AROUND)
    middle = np.median(window, axis=1)
    return np.maximum(middle[ends], middle[begins + N_AROUND])


def heaps_on(numbers: np.ndarray, shared: np.ndarray) -> tuple[int, np.ndarray]:
    """The coarser grid that stands out most, if any does.

    Numbers modulo k are spread evenly, unless they are fewer than the k themselves;
    numbers that were rounded to k steps, while others were not, have one remainder.

    Parameters
    ----------
    numbers : ndarray of shape (n_values,)
        Distinct integers.
    shared : ndarray of shape (n_values,)
        Rows at each of them.

    Returns
    -------
    multiple : int
        Its step, in those of the finer grid; 0 without such a grid.
    is_member : ndarray of bool, of shape (n_values,)
        Which values are on it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.heaps import heaps_on
    >>> numbers, ages = np.arange(100), np.full(100, 4)
    >>> ages[5::10] = 20
    >>> multiple, is_member = heaps_on(numbers, ages)
    >>> multiple, numbers[is_member][:3]
    (10, array([ 5, 15, 25]))
    >>> heaps_on(numbers, np.full(100, 4))[0]
    0
    """
    # An atom or two, such as the ends of clipped values, are no heap.
    rows = np.minimum(shared, np.partition(shared, -N_ATOMS - 1)[-N_ATOMS - 1])
    # A step as wide as the spread makes remainders of its own.
    most = int(min(MAX_MULTIPLE, spread_of(numbers, shared / shared.sum())))
    found = [_heaviest(numbers, rows, multiple) for multiple in range(2, most + 1)]
    best = max(found, default=(0.0, 0, 0))
    if best[0] <= 0:
        return 0, np.zeros(len(numbers), dtype=bool)
    # What a finer one has besides is what all numbers have.
    as_good = [each for each in found if each[0] >= NEARLY * best[0]]
    multiple, remainder = max(each[1:] for each in as_good if each[1] % best[1] == 0)
    return multiple, numbers % multiple == remainder


def _heaviest(numbers, shared, multiple):
    """How far the heaviest remainder stands out, the divisor, and the remainder."""
    remainders = numbers % multiple
    rows = np.bincount(remainders, shared, multiple)
    remainder = int(rows.argmax())
    others, heaviest = np.delete(rows, remainder), rows[remainder]
    # Those beside it, where the density is about the same.
    places = np.arange(remainder - N_AROUND, remainder + N_AROUND)
    usual = max(float(np.median(np.take(others, places, mode="wrap"))), 1.0)
    lump = np.median(np.abs(others - np.median(others))) if multiple >= MIN_GRIDS else 0
    stands_out = (
        np.sum(remainders == remainder) >= MIN_VALUES
        and heaviest >= HEAVY * usual
        and heaviest - usual >= MIN_DEVIATIONS * lump
        and poisson.sf(heaviest - 1, 1.2 * usual) < P_CHANCE
    )
    return stands_out * (heaviest - usual) ** 2 / heaviest, multiple, remainder
