"""A region of highest density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DensityRegion:
    """The smallest region that holds a share of the probability.

    It is where the log-density is at least a level: no region of that share is smaller,
    and none has higher densities.

    Attributes
    ----------
    coverage : float
        The share.
    log_density : float
        The level, in nats.
    intervals : ndarray of shape (n_intervals, 2) or None
        Where the density of one feature is as high, in ascending order; None for more
        features.

    See Also
    --------
    LOOKernelDensity.region : Finds it; all other densities have it, too.

    Examples
    --------
    >>> from skdensity import LOOKernelDensity
    >>> LOOKernelDensity(bandwidth=1.0).fit([[0.0], [9.0]]).region(0.95)
    DensityRegion(coverage=0.95, log_density=-3.5329, intervals=array([[-1.95996,
        1.95996], [ 7.04004, 10.95996]]))
    """

    coverage: float
    log_density: float
    intervals: np.ndarray | None = None
