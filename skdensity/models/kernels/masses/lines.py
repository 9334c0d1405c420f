"""Which line the values of a feature are on: open, with bounds, or around a circle."""

from __future__ import annotations

import numpy as np

from skdensity.models.kernels.masses.below import END
from skdensity.models.kernels.masses.circle import Circle
from skdensity.models.kernels.masses.line import (
    NARROW,
    BetweenNearBounds,
    Line,
    Reflected,
)
from skdensity.models.kernels.support import LINE, Axis


def line_of(
    locations: np.ndarray, masses: np.ndarray, width: float, axis: Axis = LINE
) -> Line:
    """The line that the values of a feature are on.

    Parameters
    ----------
    locations : ndarray of shape (n_locations,)
        Centres of the kernels.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    width : float
        Standard deviation of the kernels.
    axis : Axis, optional
        The values that there are.
    """
    points, lower, upper = locations.astype(np.float64), axis.lower, axis.upper
    if axis.is_circle:
        return Circle(points, masses, width, axis)
    # A bound that no kernel reaches is none: distances must not count from there.
    if points.min() - lower > END * width:
        lower = -np.inf
    if upper - points.max() > END * width:
        upper = np.inf
    kind = BetweenNearBounds if upper - lower < NARROW * width else Reflected
    return kind(points, masses, width, lower, upper)
