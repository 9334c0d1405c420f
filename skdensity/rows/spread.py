"""How far numbers and rows spread, by the middle of them."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtri
from scipy.stats import chi2

# Steps of the fixed point, and the relative change at which it ends.
MAX_ITER, TOL = 200, 1e-10
# The least variance along a direction, of 1: with less, equations of the scatter of
# rows on a plane would be singular to rounding. Solutions err by some eps / NARROWEST.
NARROWEST = 1e-12
# Distances, in units of the middle, beyond which a row is only far: its share of a mean
# square is all there is, and errors of eps × FAR are of no account.
FAR = 1e8


def spread_of(column: np.ndarray, masses: np.ndarray) -> float:
    """The smaller of the standard deviation and what a Gaussian's middle half tells.

    Silverman (1986). Where half of the mass is at one value, the middle half tells
    nothing, and it is the standard deviation.

    Parameters
    ----------
    column : ndarray of shape (n_values,)
        Numbers.
    masses : ndarray of shape (n_values,)
        Positive, summing to 1.

    Returns
    -------
    spread : float
        In the unit of the numbers; 0 if all are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.spread import spread_of
    >>> numbers = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1000.0])
    >>> round(spread_of(numbers, np.full(8, 0.125)), 2)
    2.97
    """
    lower, upper = quantiles(column, masses, [0.25, 0.75])
    # Relative to the range, so that no unit overflows.
    width = np.ptp(column).astype(np.float64) or 1.0
    relative = (column.astype(np.float64) - column.min()) / width
    variance = masses @ (relative - masses @ relative) ** 2 / _unlike(masses)
    deviation, half = width * np.sqrt(variance), (upper - lower) / (2 * ndtri(0.75))
    return float(min(deviation, half) if half > 0 else deviation)


def quantiles(column: np.ndarray, masses: np.ndarray, levels: list) -> np.ndarray:
    """Quantiles of numbers with masses, each in the middle of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.spread import quantiles
    >>> quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.25, 0.25]), [0.5])
    array([2.33333333])
    """
    order = np.argsort(column)
    below = np.cumsum(masses[order]) - 0.5 * masses[order]
    return np.interp(levels, below, column[order].astype(np.float64))


def drawn_in(Z: np.ndarray, radius: float) -> np.ndarray:
    """Rows that are farther than a radius from the origin along a feature, drawn in.

    Their directions stay.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
        The rows.
    radius : float
        No feature of the result is larger.

    Returns
    -------
    Z : ndarray of shape (n_rows, n_features)
        The same array if no row is far.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.spread import drawn_in
    >>> drawn_in(np.array([[1.0, 2.0], [-300.0, 400.0]]), 8.0)
    array([[ 1.,  2.],
           [-6.,  8.]])
    """
    reach = np.abs(Z).max(axis=1)
    is_far = reach > radius
    if not is_far.any():
        return Z
    Z = Z.copy()
    Z[is_far] *= (radius / reach[is_far])[:, None]
    return Z


def middle_scatter(Z: np.ndarray, masses: np.ndarray, least: np.ndarray) -> np.ndarray:
    r"""What the middle of rows tells of their scatter.

    By maximum likelihood for a multivariate Cauchy distribution, which has one maximum
    (Kent, Tyler and Vardi 1994, doi:10.1080/03610919408813180) and breaks down only
    with a share of more than :math:`1 / (d + 1)` of outliers, scaled so that half of
    the rows are as near as they are for a Gaussian. Along no direction is it more than
    the covariance.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
        The rows, about a point in their middle, in units of a covariance that may be
        too wide along some directions; any rotation of them has the same result,
        rotated.
    masses : ndarray of shape (n_rows,)
        Positive, summing to 1.
    least : ndarray of shape (n_features, n_features)
        Added at every step, with a little of I, so that rows on few planes leave a
        scatter.

    Returns
    -------
    scatter : ndarray of shape (n_features, n_features)
        Symmetric and positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.spread import middle_scatter
    >>> Z = np.random.RandomState(0).standard_normal((5000, 2))
    >>> Z[::20, 0] += 1000
    >>> Z /= Z.std(axis=0)
    >>> scatter = middle_scatter(Z, np.full(5000, 1 / 5000), np.zeros((2, 2)))
    >>> float((Z[::20, 0].mean() / np.sqrt(scatter[0, 0])).round(-2))
    900.0
    """
    d = Z.shape[1]
    mean, scatter = _cauchy(Z, masses, least + NARROWEST * np.eye(d))
    (middle,) = quantiles(_distances(Z - mean, scatter), masses, [0.5])
    factor = np.linalg.cholesky(scatter * middle / chi2.median(d))
    white = solve_triangular(factor, (Z - mean).T, lower=True).T
    deviations, directions = _axes(drawn_in(white, FAR), masses)
    inner = factor @ (directions * np.minimum(deviations, 1.0))
    return inner @ inner.T


def _cauchy(Z, masses, least):
    """Location and scatter of a multivariate Cauchy distribution."""
    scatter, mean = np.eye(Z.shape[1]), np.zeros(Z.shape[1])
    for _ in range(MAX_ITER):
        before, distances = scatter, _distances(Z - mean, scatter)
        weights = masses / (1 + distances)
        weights /= weights.sum()
        mean = weights @ Z
        scatter = (weights * (Z - mean).T) @ (Z - mean) + least
        if np.abs(np.linalg.solve(before, scatter) - np.eye(len(mean))).max() < TOL:
            break
    return mean, scatter


def _axes(Z, masses):
    """Standard deviations along the principal axes, and these as columns.

    From the rows: a far one would hide small deviations among the squares.
    """
    centred = np.sqrt(masses / _unlike(masses))[:, None] * (Z - masses @ Z)
    _, deviations, axes = np.linalg.svd(np.linalg.qr(centred, mode="r"))
    return deviations, axes.T


def _distances(Z, scatter):
    """Squared distances from the origin, in units of a scatter."""
    return np.einsum("nd,nd->n", Z, np.linalg.solve(scatter, Z.T).T)


def _unlike(masses):
    """1 − Σ m², without cancelling where one mass is nearly all."""
    top = masses.argmax()
    others = np.delete(masses, top)
    return others.sum() * (1 + masses[top]) - others @ others
