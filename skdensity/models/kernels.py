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

from skdensity.models.mixture import LOG_2PI, LOWEST
from skdensity.passes.blocks import fill_over_blocks

# Squarings after which the kernel is computed afresh: 2^16 ulp are 1e-11.
CHAIN = 16


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
    unit, locations = _in_units_of(bandwidth, locations)

    def values(rows: slice) -> np.ndarray:
        terms = cdist(X[rows].astype(np.float64) / unit, locations, "sqeuclidean")
        terms *= -0.5 * (unit / bandwidth) ** 2
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

    The kernel at :math:`h/\sqrt{2}` is the square of the kernel at h, so that one
    exponential per pair serves `CHAIN` bandwidths; squaring doubles the relative error,
    which then stays below 2^CHAIN ulp. Distances are taken relative to the nearest
    neighbour's, so that its term is 1 at every bandwidth and nothing underflows.

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
    unit, scaled = _in_units_of(bandwidths[0], locations)
    rates = 0.5 * (unit / bandwidths) ** 2

    def values(rows: slice) -> np.ndarray:
        block = np.arange(rows.start, rows.stop)
        distances = cdist(scaled[rows], scaled, "sqeuclidean")
        distances[block - rows.start, block] = np.inf
        nearest = distances.min(axis=1)
        distances -= nearest[:, None]
        return np.log(_kernel_sums(distances, masses, rates)) - nearest[:, None] * rates

    shape = (len(locations), len(bandwidths))
    out = fill_over_blocks(values, np.empty(shape), 16 * len(locations))
    out += _log_peak(bandwidths, locations.shape[1])
    out -= np.log(rest_of(masses))[:, None]
    return out


def rest_of(masses: np.ndarray) -> np.ndarray:
    """1 − m_i, from the other masses where m_i is so large that it would cancel."""
    rest = 1 - masses
    top = masses.argmax()
    rest[top] = np.delete(masses, top).sum()
    return rest


def _kernel_sums(
    distances: np.ndarray, masses: np.ndarray, rates: np.ndarray
) -> np.ndarray:
    """Σ_j m_j exp(−distance_ij · rate) for doubling rates."""
    sums = np.empty((len(distances), len(rates)))
    kernel = np.empty_like(distances)
    for g, rate in enumerate(rates):
        if g % CHAIN:
            np.square(kernel, out=kernel)
        else:
            np.exp(np.multiply(distances, -rate, out=kernel), out=kernel)
        sums[:, g] = kernel @ masses
    return sums


def _in_units_of(bandwidth: float, locations: np.ndarray) -> tuple[float, np.ndarray]:
    """A power of two near the bandwidth, and float64 locations divided by it.

    Such a division is exact, and squares of the quotients neither overflow nor
    underflow where the kernel is not negligible.
    """
    unit = 2.0 ** np.floor(np.log2(bandwidth))
    return unit, np.asarray(locations, dtype=np.float64) / unit


def _log_peak(bandwidth, n_features: int):
    """log N(0 | 0, h² I)."""
    return -n_features * (np.log(bandwidth) + 0.5 * LOG_2PI)


def _log_sum_exp(terms: np.ndarray) -> np.ndarray:
    """log Σ_j exp(terms_ij) of every row; eats `terms`."""
    peak = np.maximum(terms.max(axis=1), LOWEST)  # −inf − −inf would be NaN
    terms -= peak[:, None]
    with np.errstate(divide="ignore"):
        return peak + np.log(np.exp(terms, out=terms).sum(axis=1))
