"""Weighted points whose kernels are added up, and their mirror images at bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy.spatial import KDTree

# Rows per column from which on one call for each column is the quicker.
TALL = 48


@dataclass(frozen=True, eq=False)
class Sources:
    """Where kernels stand, and how much each weighs.

    What does not depend on queries is computed once.

    Attributes
    ----------
    points : ndarray of shape (n_copies * n_locations, n_features)
        In float64; copies of all locations follow one another, the first being the
        locations themselves.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1; every copy of a location has its mass.
    """

    points: np.ndarray
    masses: np.ndarray

    @property
    def locations(self) -> np.ndarray:
        """The points that are no images, of shape (n_locations, n_features)."""
        return self.points[: len(self.masses)]

    @property
    def n_copies(self) -> int:
        """How many points every location has."""
        return len(self.points) // len(self.masses)

    @cached_property
    def all_masses(self) -> np.ndarray:
        """The mass of every point."""
        return np.tile(self.masses, self.n_copies)

    @cached_property
    def log_masses(self) -> np.ndarray:
        """Logarithms of the masses of all points."""
        return np.log(self.all_masses)

    @cached_property
    def origin(self) -> np.ndarray:
        """The middle of the points: squares about it cancel the least."""
        return self.points.mean(axis=0)

    @cached_property
    def corners(self) -> np.ndarray:
        """Those of the box that holds the points, of shape (2, n_features)."""
        return corners_of(self.points)

    def extent_with(self, rows: np.ndarray) -> float:
        """A bound on the distances of the points, and of some rows, from the origin."""
        ends = np.vstack([self.corners, corners_of(rows)])
        return float(np.sqrt(rows.shape[1]) * np.abs(ends - self.origin).max())

    @cached_property
    def tree(self) -> KDTree:
        """For questions about neighbours."""
        # Splitting at the middle of a cell builds faster than at the median, and copes
        # with points that agree in most features.
        return KDTree(self.points, balanced_tree=False, compact_nodes=False)

    def copies_of(self, own: np.ndarray) -> np.ndarray:
        """All points of some locations, of shape (n_copies, n_own, n_features)."""
        return self.points.reshape(self.n_copies, *self.locations.shape)[:, own]


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


def images(locations: np.ndarray, bounds: np.ndarray, bandwidth: float) -> np.ndarray:
    r"""The locations, and their reflections at the bounds.

    Reflected kernels keep within the bounds all the mass that would leave them. Between
    two bounds the images of x repeat at :math:`2 k R \pm x`; as many are kept as
    matter to sixteen digits for kernels of the given bandwidth.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Within the bounds.
    bounds : ndarray of shape (n_features, 2)
        Lower and upper bounds; infinite where there is none.
    bandwidth : float
        Standard deviation of the kernels along every feature.

    Returns
    -------
    points : ndarray of shape (n_copies * n_locations, n_features)
        The locations first.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.sources import images
    >>> images(np.array([[1.0]]), np.array([[0.0, np.inf]]), bandwidth=0.5).ravel()
    array([ 1., -1.])
    """
    axes = [
        _images_along(column, lower, upper, bandwidth)
        for column, (lower, upper) in zip(locations.T, bounds, strict=True)
    ]
    return np.vstack([np.column_stack(copy) for copy in product(*axes)])


def _images_along(column, lower, upper, bandwidth):
    """One feature's values and their images, the values first."""
    has_lower, has_upper = np.isfinite(lower), np.isfinite(upper)
    if not (has_lower or has_upper):
        return [column]
    if not (has_lower and has_upper):
        return [column, 2 * (lower if has_lower else upper) - column]
    width = upper - lower
    # What is left out is farther than 2 n R, what is kept nearer than R: it adds less
    # than exp(−((2n)² − 1) R² / 2h²), which is 1e-16 from here on.
    n_periods = int(np.ceil(0.5 * np.sqrt(1 + 74 * (bandwidth / width) ** 2)))
    shifts = 2 * width * np.arange(-n_periods, n_periods + 1)
    mirrored = 2 * lower - column
    return [
        column,
        *(column + shift for shift in shifts if shift),
        *(mirrored + shift for shift in shifts),
    ]
