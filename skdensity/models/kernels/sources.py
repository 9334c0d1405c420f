"""Weighted points whose kernels are added up, and where they can be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import KDTree

from skdensity.models.kernels.folds import FoldedKernel
from skdensity.models.kernels.support import OPEN, Support

# Rows per column from which on one call for each column is the quicker.
TALL = 48  # pragma: no mutate
# Work of a fold, in pairs of lines: measured, from 3 for a half line to 10 for kernels
# that are wide on a circle.
FOLDED = 5.0  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Sources:
    """Where kernels stand, and how much each weighs.

    What does not depend on queries is computed once.

    Attributes
    ----------
    locations : ndarray of shape (n_locations, n_features)
        In float64.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    support : Support
        What the locations are in; kernels that would leave are folded back.
    """

    locations: np.ndarray
    masses: np.ndarray
    support: Support = OPEN

    def some(self, index: np.ndarray) -> Sources:
        """Some of the locations; their masses sum to less than 1."""
        return Sources(self.locations[index], self.masses[index], self.support)

    @property
    def n_features(self) -> int:
        """Dimension."""
        return self.locations.shape[1]

    def kernel(self, bandwidth: float) -> FoldedKernel:
        """What support and bandwidth make of a kernel."""
        return FoldedKernel(self.support, bandwidth)

    @property
    def n_copies(self) -> int:
        """How many points there are of every location."""
        return 2 ** sum(axis.has_mirror for axis in self.support.axes.values())

    @cached_property
    def points(self) -> np.ndarray:
        """The locations and their reflections, which repeat after the periods.

        Of shape (n_copies * n_locations, n_features); the locations first.
        """
        return self.support.mirrored(self.locations)

    @cached_property
    def periods(self) -> np.ndarray:
        """After how much the points repeat along every feature; infinite for none."""
        return self.support.periods(self.n_features)

    @property
    def pair_work(self) -> float:
        """Work of a pair, in pairs of lines."""
        return 1 + FOLDED * len(self.support.axes)

    @cached_property
    def log_masses(self) -> np.ndarray:
        """Logarithms of the masses."""
        return np.log(self.masses)

    @cached_property
    def all_masses(self) -> np.ndarray:
        """The mass of every point."""
        return np.tile(self.masses, self.n_copies)

    @cached_property
    def origin(self) -> np.ndarray:
        """The middle of the locations: squares about it cancel the least."""
        return self.locations.mean(axis=0)

    @cached_property
    def corners(self) -> np.ndarray:
        """Those of the box that holds the locations, of shape (2, n_features)."""
        return corners_of(self.locations)

    def extent_with(self, rows: np.ndarray) -> float:
        """A bound on the distances of locations, and of some rows, from the origin.

        Without features on circles, whose differences are no squares that cancel.
        """
        ends = np.vstack([self.corners, corners_of(rows)]) - self.origin
        widths = self.support.off_circles(np.abs(ends))
        return float(np.sqrt(rows.shape[1]) * widths.max())

    @cached_property
    def tree(self) -> KDTree:
        """For questions about neighbours, with the rows of :meth:`in_tree`."""
        return tree_of(self.locations, self.support)

    def in_tree(self, rows: np.ndarray) -> np.ndarray:
        """Rows as the tree has them."""
        return self.support.unrolled(rows)


def tree_of(rows: np.ndarray, support: Support) -> KDTree:
    """For questions about neighbours, which may be across the cut of a circle.

    Across a mirror they are not: nothing reflected is nearer than the row itself.
    """
    # Splitting at the middle of a cell builds faster than at the median, and copes
    # with points that agree in most features.
    how = {"balanced_tree": False, "compact_nodes": False}
    rows, sizes = support.unrolled(rows), support.circumferences(rows.shape[1])
    return KDTree(rows, boxsize=sizes, **how)


def corners_of(rows: np.ndarray) -> np.ndarray:
    """Smallest and largest value of every feature, of shape (2, n_features).

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.sources import corners_of
    >>> corners_of(np.array([[1.0, 5.0], [3.0, 2.0]]))
    array([[1., 2.],
           [3., 5.]])
    """
    if is_tall(rows):
        return np.array([(column.min(), column.max()) for column in rows.T]).T
    return np.array([rows.min(axis=0), rows.max(axis=0)])


def is_tall(rows: np.ndarray) -> bool:
    """Whether to go feature by feature.

    Along the first axis of few columns, NumPy takes up to twenty times as long; where
    there are many columns of few rows, the calls cost more.
    """
    return len(rows) > TALL * rows.shape[1]


def inside(rows: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Which rows are between two corners, of shape (n_rows,)."""
    if not is_tall(rows):
        return np.all((rows >= lower) & (rows <= upper), axis=1)
    is_inside = np.ones(len(rows), dtype=bool)
    for column, least, most in zip(rows.T, lower, upper, strict=True):
        is_inside &= (column >= least) & (column <= most)
    return is_inside
