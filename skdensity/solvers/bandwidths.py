"""Bandwidths of Gaussian kernel densities, from distinct locations and their masses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.spatial import KDTree

from skdensity.models.kernels import leave_one_out, rest_of

Rule = Callable[[np.ndarray, np.ndarray], float]


def scott(locations: np.ndarray, masses: np.ndarray) -> float:
    r"""Scott's rule, :math:`\sigma\, n^{-1/(d+4)}`.

    Scott (1992), doi:10.1002/9780470316849. Here n is the effective number of
    locations, :math:`1 / \sum_j m_j^2`, and σ² the features' mean variance, unbiased
    under n; in one dimension that is ``scipy.stats.gaussian_kde``'s.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.

    Returns
    -------
    bandwidth : float
        In the unit of the data.
    """
    n_features = locations.shape[1]
    return _spread(locations, masses) * _n_effective(masses) ** (-1 / (n_features + 4))


def silverman(locations: np.ndarray, masses: np.ndarray) -> float:
    r"""Silverman's rule, :math:`\sigma\, (n (d+2) / 4)^{-1/(d+4)}`.

    Silverman (1986), *Density Estimation for Statistics and Data Analysis*. Parameters
    and the meaning of n and σ are those of :func:`scott`.
    """
    n_features = locations.shape[1]
    factor = (4 / (n_features + 2)) ** (1 / (n_features + 4))
    return factor * scott(locations, masses)


def loo(locations: np.ndarray, masses: np.ndarray) -> float:
    r"""Maximise the leave-one-out likelihood :math:`\sum_i m_i \log \hat p_{-i}(x_i)`.

    Habbema, Hermans and van den Broek (1974); Duin (1976, doi:10.1109/TC.1976.1674577).

    At every stationary point :math:`d h^2 = \sum_i m_i \sum_j r_{ij} s_{ij}`, with
    squared distances s and leave-one-out responsibilities r that fall with distance. So
    every local maximum lies between the bandwidths that put all of r on the nearest
    neighbour and that spread it like the masses. A grid over this interval finds the
    best basin, a bounded search its maximum.

    Time O(n_locations² · n_features) for the grid and for each step of the search.
    Parameters are those of :func:`scott`.
    """

    def score(bandwidths):
        return masses @ leave_one_out(locations, masses, bandwidths)

    lower, upper = _stationary_interval(locations, masses)
    n_steps = int(np.ceil(2 * np.log2(upper / lower)))
    grid = upper * np.sqrt(2.0) ** -np.arange(n_steps + 1)
    best = grid[np.argmax(score(grid))]
    search = minimize_scalar(
        lambda log_h: -score([np.exp(log_h)])[0],
        bounds=np.log(best) + 0.5 * np.log(2) * np.array([-1, 1]),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return float(np.exp(search.x))


def _stationary_interval(locations, masses):
    """The interval that holds every maximum of the leave-one-out likelihood."""
    n_features = locations.shape[1]
    distances, _ = KDTree(locations).query(locations, k=2)
    centred = locations - masses @ locations
    spread = (centred**2).sum(axis=1)
    # Σ_j m_j s_ij = |x_i − mean|² + Σ_j m_j |x_j − mean|²; the term j = i is zero.
    mean_square = (spread + masses @ spread) / rest_of(masses)
    lower = np.sqrt(masses @ distances[:, 1] ** 2 / n_features)
    upper = np.sqrt(masses @ mean_square / n_features)
    return lower, upper


def _n_effective(masses):
    return 1 / np.sum(masses**2)


def _spread(locations, masses):
    centred = locations - masses @ locations
    variance = np.mean(masses @ centred**2)
    return np.sqrt(variance / (masses @ rest_of(masses)))


def choose(name: str, locations: np.ndarray, masses: np.ndarray) -> float:
    """Apply a rule, in a unit in which squares of distances are safe.

    Parameters
    ----------
    name : str
        A key of :data:`BANDWIDTHS`.
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.

    Returns
    -------
    bandwidth : float
        In the unit of the data.
    """
    # A power of two divides exactly; the rules are equivariant.
    unit = 2.0 ** np.floor(np.log2(np.ptp(locations, axis=0).max()))
    centred = locations.astype(np.float64) - locations[0]
    return float(unit * BANDWIDTHS[name](centred / unit, masses))


BANDWIDTHS: dict[str, Rule] = {"loo": loo, "scott": scott, "silverman": silverman}
