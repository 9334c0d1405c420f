"""What `reg_covar` stands for: a covariance that is added to every estimate."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.majority import minority_shares
from skdensity.models.mixtures.moments import Moments, moments_of
from skdensity.models.mixtures.variances import positive_covariance, without_zeros
from skdensity.rows.rows import Rows

REG_COVAR_CONSTRAINT: list = [
    Interval(Real, 0, None, closed="left"),
    StrOptions({"auto"}),
]
# Share of the rows' covariance that "auto" adds.
AUTO_SHARE = 1e-6
# The largest share of a variance that it adds where most rows have one value. Of a
# hundredth the fits to the pixels of `digits_diag` and `mnist_diag` (see
# `benchmarks/mixture/real.py`) are less likely on new rows, by 60 and 800 nats; of all
# of it more likely, by 7 and 160, but then one Gaussian is far too wide.
LARGEST_SHARE = 0.1


def added_covariance(
    reg_covar: float | Literal["auto"],
    family: CovarianceFamily,
    n_features: int,
    automatic: Callable[[], np.ndarray],
) -> np.ndarray:
    """The covariance that is added to every estimate.

    Parameters
    ----------
    reg_covar : float or "auto"
        A variance of every feature, or what `automatic` gives.
    family : CovarianceFamily
        The shape of the covariances.
    n_features : int
        Dimension.
    automatic : callable
        Asked by "auto" alone: :func:`share_of_covariance` where there is one Gaussian,
        :func:`share_for_components` where there are several.

    Returns
    -------
    covariance : ndarray
        In the family's layout, without an axis of components.

    Examples
    --------
    >>> from skdensity.densities.regularisation import added_covariance
    >>> from skdensity.models.covariances.table import FULL
    >>> added_covariance(0.5, FULL, 2, automatic=None)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    if reg_covar == "auto":
        return automatic()
    return family.scatter.isolated(np.full(n_features, float(reg_covar)))


def share_of_covariance(moments: Moments, family: CovarianceFamily) -> np.ndarray:
    """A millionth of the covariance of all rows, made positive where it is singular."""
    return AUTO_SHARE * positive_covariance(moments, family)


def share_for_components(rows: Rows, family: CovarianceFamily) -> np.ndarray:
    r"""What every component gets of the covariance of all rows.

    Where every feature has a variance of its own, components may see nothing of a
    feature but the one value that most rows have. What is added is then all of their
    width, and a millionth of :math:`\sigma_d^2` would be absurd: of a share
    :math:`q_d` of other rows, which are about :math:`\sigma_d / \sqrt{q_d}` away, each
    would cost :math:`10^6 / 2 q_d` nats. There :math:`10^{-6} \sigma_d^2 / q_d^2` is
    added, at most a tenth of :math:`\sigma_d^2`.

    Parameters
    ----------
    rows : Rows
        All rows.
    family : CovarianceFamily
        The shape of the covariances.

    Returns
    -------
    covariance : ndarray
        Positive definite, in the family's layout, without an axis of components. It
        follows every change of axes that the family allows, if no feature is constant:
        such features get the mean of what the others do.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.densities.regularisation import share_for_components
    >>> from skdensity.models.covariances.table import DIAGONAL
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> X = np.random.RandomState(0).standard_normal((1000, 2))
    >>> X[2:, 1] = 0
    >>> share_for_components(ArrayRows(X), DIAGONAL) / X.var(axis=0)
    array([1.e-06, 1.e-01])
    """
    moments = moments_of(rows, family.scatter)
    if not family.shape.has_features_apart:
        return share_of_covariance(moments, family)
    (variances,) = moments.covariances(family.scatter, 0.0)
    rarity = np.maximum(minority_shares(rows), np.sqrt(AUTO_SHARE / LARGEST_SHARE))
    return AUTO_SHARE * without_zeros(variances / rarity**2)
