r"""Sums of Gaussian kernels over weighted locations, exact and in log space.

.. math:: \hat p(x) = \sum_j m_j \, N(x \mid x_j, h^2 I), \qquad \sum_j m_j = 1

Squared distances are taken from differences of coordinates, never from an expanded
square, which would cancel between near neighbours far from the origin. Every sum is
relative to its largest term, so that no log-density is −inf where the exact one is
finite.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.mixture import LOG_2PI
from skdensity.passes.blocks import fill_over_blocks


def log_density(
    X: np.ndarray, locations: np.ndarray, masses: np.ndarray, bandwidth: float
) -> np.ndarray:
    """Log-density of every row of `X`, in nats.

    Time O(n_samples · n_locations · n_features), memory of one block of distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Where to evaluate.
    locations : ndarray of shape (n_locations, n_features)
        Centres of the kernels.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    bandwidth : float
        Standard deviation h of the kernels.

    Returns
    -------
    log_density : ndarray of shape (n_samples,)
        In the dtype of `X`.
    """
    log_masses = np.log(masses)

    def values(rows: slice) -> np.ndarray:
        terms = cdist(X[rows] / bandwidth, locations / bandwidth, "sqeuclidean")
        terms *= -0.5
        terms += log_masses
        return _log_sum_exp(terms)

    out = fill_over_blocks(values, np.empty(len(X)), 8 * len(locations))
    return (out + _log_peak(bandwidth, X.shape[1])).astype(X.dtype)


def leave_one_out(
    locations: np.ndarray, masses: np.ndarray, bandwidths: Sequence[float]
) -> np.ndarray:
    r"""Leave-one-out log-density of every location, for a halving chain of variances.

    .. math::

        \hat p_{-i}(x_i) = \sum_{j \ne i} \frac{m_j}{1 - m_i} N(x_i \mid x_j, h^2 I)

    All bandwidths are served by one exponential per pair: the kernel at
    :math:`h/\sqrt{2}` is the square of the kernel at h. Distances are taken relative to
    the nearest neighbour's, so that its term is 1 at every bandwidth and nothing
    underflows. Squaring doubles the relative error: after k squarings it is about
    :math:`2^k` times the unit roundoff.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    bandwidths : sequence of float
        Decreasing, each the one before over √2; one number is exact.

    Returns
    -------
    log_density : ndarray of shape (n_locations, n_bandwidths)
        In nats.
    """
    bandwidths = np.asarray(bandwidths)
    rest = np.log1p(-masses)

    def values(rows: slice) -> np.ndarray:
        block = np.arange(rows.start, rows.stop)
        distances = cdist(locations[rows], locations, "sqeuclidean")
        distances[block - rows.start, block] = np.inf
        nearest = distances.min(axis=1)
        distances -= nearest[:, None]
        sums = _kernel_sums(distances, masses, bandwidths)
        return np.log(sums) - 0.5 * nearest[:, None] / bandwidths**2

    shape = (len(locations), len(bandwidths))
    out = fill_over_blocks(values, np.empty(shape), 8 * len(locations))
    out += _log_peak(bandwidths, locations.shape[1])
    out -= rest[:, None]
    return out


def _kernel_sums(
    distances: np.ndarray, masses: np.ndarray, bandwidths: np.ndarray
) -> np.ndarray:
    """Σ_j m_j exp(−distance_ij / 2h²) for a halving chain of h²; eats `distances`."""
    distances /= -2 * bandwidths[0] ** 2
    kernel = np.exp(distances, out=distances)
    sums = np.empty((len(distances), len(bandwidths)))
    sums[:, 0] = kernel @ masses
    for g in range(1, len(bandwidths)):
        np.square(kernel, out=kernel)
        sums[:, g] = kernel @ masses
    return sums


def _log_peak(bandwidth, n_features: int):
    """log N(0 | 0, h² I)."""
    return -n_features * (np.log(bandwidth) + 0.5 * LOG_2PI)


def _log_sum_exp(terms: np.ndarray) -> np.ndarray:
    """log Σ_j exp(terms_ij) of every row; eats `terms`."""
    peak = terms.max(axis=1)
    terms -= peak[:, None]
    return peak + np.log(np.exp(terms, out=terms).sum(axis=1))
