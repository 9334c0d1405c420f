"""How the rows of a table vary, made positive where they do not, and their Gaussian."""

from __future__ import annotations

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import Moments, moments_of
from skdensity.rows.rows import Rows

# Share of a feature's variance, for each feature, that the features before it must
# leave unexplained: less is too near to rounding errors to lend its size to anything.
# A change of axes of condition 1e6 leaves more.
COLLINEAR = 100 * np.finfo(np.float64).eps
# And share for each that all directions must leave: of features that others explain
# with large coefficients, rounding errors are more.
ROUNDING = 4 * np.finfo(np.float64).eps


def positive_covariance(moments: Moments, family: CovarianceFamily) -> np.ndarray:
    """The covariance of all rows, with more on its diagonal where it is singular.

    A constant feature gets the mean variance of the others, or 1. Where features are
    collinear, every variance is doubled. Nothing else is added, so that the result
    follows every change of axes that the family allows.

    Parameters
    ----------
    moments : Moments
        Of all rows, as one component.
    family : CovarianceFamily
        The shape of the covariance.

    Returns
    -------
    covariance : ndarray
        Positive definite, in the family's layout, without an axis of components.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.mixtures.moments import moments_of
    >>> from skdensity.models.mixtures.variances import positive_covariance
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> X = np.array([[0.0, 5.0], [4.0, 5.0]])
    >>> positive_covariance(moments_of(ArrayRows(X), FULL.scatter), FULL)
    array([[4., 0.],
           [0., 4.]])
    """
    n_features = moments.about.shape[1]
    (covariance,) = moments.covariances(family.scatter, 0.0)
    variances = family.shape.variances(covariance, n_features)
    if _is_regular(covariance, variances, family):
        return covariance
    positive = without_zeros(variances)
    covariance = covariance + family.scatter.isolated(positive - variances)
    if _is_regular(covariance, positive, family):
        return covariance
    return covariance + family.scatter.isolated(positive)


def _is_regular(covariance, variances, family):
    """Whether features leave each other more unexplained than rounding errors."""
    rounding = len(variances) * ROUNDING * family.scatter.isolated(variances)
    factors = family.factors
    cholesky, faults = factors.factored(np.stack([covariance, covariance - rounding]))
    if faults:
        return False
    cholesky = cholesky[:1]
    unexplained = np.exp(2 * family.factors.log_diagonal(cholesky)) / variances
    return unexplained.min() > len(variances) * COLLINEAR


def available_gaussian(rows: Rows, family: CovarianceFamily) -> Gaussian:
    """The Gaussian of the values that each feature has, whatever the others are.

    Parameters
    ----------
    rows : Rows
        The rows; NaN is a hole, and no feature has nothing else.
    family : CovarianceFamily
        The shape of the covariance.

    Returns
    -------
    gaussian : Gaussian
        Without correlations; its variances are positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.mixtures.variances import available_gaussian
    >>> from skdensity.rows.incomplete_rows import IncompleteRows
    >>> rows = IncompleteRows(np.array([[0.0, np.nan], [4.0, 1.0], [np.nan, 3.0]]))
    >>> gaussian = available_gaussian(rows, FULL)
    >>> gaussian.mean, gaussian.deviations
    (array([2., 2.]), array([2., 1.]))
    """
    mean = rows.origin + _averages(rows, rows.origin, power=1)
    variances = _averages(rows, mean, power=2)
    return Gaussian.isolated(mean, without_zeros(variances), family)


def moments_to_lean_on(rows: Rows, family: CovarianceFamily) -> Moments:
    """Moments of all rows, without correlations where some have holes.

    Those of what each feature has cost two passes and vanish nowhere, while how
    features with holes vary together takes a fit to tell.
    """
    # Where passes are dear the first one is for moments, and tells of holes besides.
    if rows.remembered is not None or rows.are_complete:
        moments = moments_of(rows, family.scatter)
        if rows.are_complete:
            return moments
    gaussian, mass = available_gaussian(rows, family), np.array([rows.total_weight])
    nothing = np.zeros((1, rows.n_features))
    second = family.scatter.with_covariance(
        family.scatter.outer(nothing, nothing),
        mass,
        rows.n_features,
        family.factors.square(gaussian.cholesky),
    )
    return Moments(0.0, mass, nothing, second, gaussian.mean[None])


def _averages(rows, about, power):
    """Those of powers of the values that are there."""

    def term(block, scratch):
        values = (block.X - about) ** power
        is_there = ~np.isnan(values)
        values[~is_there] = 0
        return np.stack([block.weight @ is_there, block.weight @ values])

    total, sums = rows.add(term, row_bytes=24 * rows.n_features)
    return sums / total


def without_zeros(variances: np.ndarray) -> np.ndarray:
    """Those of constant features replaced by the mean of the others, or by 1."""
    is_constant = variances <= 0
    if is_constant.all():
        return np.ones_like(variances)
    return np.where(is_constant, variances[~is_constant].mean(), variances)


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
    reg_covar : float or ndarray
        Added, as in :meth:`Scatter.estimate`.
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
