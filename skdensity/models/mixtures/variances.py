"""Variances of the features of a table, and the Gaussian of its rows."""

from __future__ import annotations

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import DIAGONAL
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import moments_of
from skdensity.rows.rows import Rows


def positive_variances(rows: Rows) -> np.ndarray:
    """Variances of the features; that of a constant one is the others' mean, or 1.

    Parameters
    ----------
    rows : Rows
        The rows.

    Returns
    -------
    variances : ndarray of shape (n_features,)
        All positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.mixtures.variances import positive_variances
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> positive_variances(ArrayRows(np.array([[0.0, 5.0], [4.0, 5.0]])))
    array([4., 4.])
    """
    scatter = DIAGONAL.scatter
    (variances,) = moments_of(rows, scatter).covariances(scatter, 0.0)
    is_constant = variances <= 0
    if is_constant.all():
        return np.ones_like(variances)
    variances[is_constant] = variances[~is_constant].mean()
    return variances


def gaussian_of(
    rows: Rows, family: CovarianceFamily, reg_covar: float | np.ndarray, complaint: str
) -> Gaussian:
    """The Gaussian of maximum likelihood, with one covariance of a family.

    Parameters
    ----------
    rows : Rows
        The rows.
    family : CovarianceFamily
        The shape of the covariance.
    reg_covar : float or ndarray of shape (n_features,)
        Added to every variance.
    complaint : str
        What a ValueError says if the covariance is singular.

    Returns
    -------
    gaussian : Gaussian
        In closed form.
    """
    moments = moments_of(rows, family.scatter)
    covariances = moments.covariances(family.scatter, reg_covar)
    (cholesky,) = family.cholesky(covariances, complaint)
    return Gaussian(moments.mean[0], cholesky, family)
