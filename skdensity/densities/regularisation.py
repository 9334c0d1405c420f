"""What `reg_covar` stands for: a covariance that is added to every estimate."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.variances import positive_covariance

REG_COVAR_CONSTRAINT: list = [
    Interval(Real, 0, None, closed="left"),
    StrOptions({"auto"}),
]
# Share of the rows' covariance that "auto" adds.
AUTO_SHARE = 1e-6


def added_covariance(
    reg_covar: float | Literal["auto"],
    family: CovarianceFamily,
    n_features: int,
    moments: Callable[[], Moments],
) -> np.ndarray:
    """The covariance that is added to every estimate.

    Parameters
    ----------
    reg_covar : float or "auto"
        A variance of every feature, or a share of the covariance of all rows.
    family : CovarianceFamily
        The shape of the covariances.
    n_features : int
        Dimension.
    moments : callable
        Gives the moments of all rows; asked by "auto" alone.

    Returns
    -------
    covariance : ndarray
        In the family's layout, without an axis of components.

    Examples
    --------
    >>> from skdensity.densities.regularisation import added_covariance
    >>> from skdensity.models.covariances.table import FULL
    >>> added_covariance(0.5, FULL, 2, moments=None)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    if reg_covar == "auto":
        return AUTO_SHARE * positive_covariance(moments(), family)
    return family.scatter.isolated(np.full(n_features, float(reg_covar)))
