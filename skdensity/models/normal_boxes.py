"""Mass of correlated Gaussians in a box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri

from skdensity.models.normal_mass import mass_between
from skdensity.passes.blocks import row_blocks

# Gaussians that lack less than this, or have less than this of the largest, need no
# integral.
NEGLIGIBLE = 1e-15
# Sums that differ in their random shifts alone: their spread is the error.
N_SHIFTS = 8
# Standard errors that must fit into the error that is asked for.
N_ERRORS = 3
# Points of a Gaussian to begin with, and points times Gaussians, shifts and features to
# end with, which take half a second.
FEWEST = 8
MOST = 2**22


def correlated_mass(
    means: np.ndarray,
    masses: np.ndarray,
    covariance: np.ndarray,
    box: np.ndarray,
    rtol: float,
) -> float:
    """Mass of weighted Gaussians in a box, by a quasi-random rule with fixed seeds.

    Feature by feature, a Gaussian is integrated over what the box leaves of it, given
    the features before (Genz 1992, doi:10.1080/10618600.1992.10477010), over a
    Richtmyer lattice with random shifts. Every one has shifts of its own, so that
    errors average out.

    Parameters
    ----------
    means : ndarray of shape (n_gaussians, n_features)
        Their means.
    masses : ndarray of shape (n_gaussians,)
        Their weights.
    covariance : ndarray of shape (n_features, n_features)
        Of all of them, positive definite.
    box : ndarray of shape (2, n_features)
        Lower and upper corner; infinite where it has no end.
    rtol : float
        Relative error at which to stop; beyond `MOST` evaluations that takes too long.

    Returns
    -------
    mass : float
        From 0 to 1.
    """
    ends = box[:, None] - means.astype(np.float64)
    deviations = np.sqrt(np.diag(covariance))
    each = mass_between(*(ends / deviations))
    most = masses * each.min(axis=1)
    lacks = np.sum(1 - each, axis=1)
    is_inside = lacks <= NEGLIGIBLE
    whole = float(masses[is_inside].sum())
    open_ = np.flatnonzero(~is_inside & (most > NEGLIGIBLE * most.max()))
    if not len(open_):
        return whole
    # The narrowest sides first: what follows then varies the least.
    order = np.argsort(masses @ each)
    cholesky = np.linalg.cholesky(covariance[np.ix_(order, order)])
    part = _integrated(ends[:, open_][..., order], masses[open_], cholesky, rtol, whole)
    return min(whole + part, 1.0)


def _integrated(ends, masses, cholesky, rtol, whole):
    """Mass of those that are cut by the box."""
    rng, n_points = np.random.RandomState(0), FEWEST
    while True:
        parts = [_sum(ends, masses, cholesky, n_points, rng) for _ in range(N_SHIFTS)]
        mean, error = np.mean(parts), np.std(parts, ddof=1) / np.sqrt(N_SHIFTS)
        n_points *= 2
        is_enough = N_ERRORS * error <= rtol * (whole + mean)
        if is_enough or n_points * N_SHIFTS * ends[0].size > MOST:
            return float(mean)


def _sum(ends, masses, cholesky, n_points, rng):
    """The sum over a lattice with new shifts for every Gaussian."""
    steps = np.sqrt(list(_primes(len(cholesky) - 1)))
    shifts = rng.random_sample((len(masses), len(steps)))
    lattice = np.outer(np.arange(1, n_points + 1), steps)
    total = 0.0
    for rows in row_blocks(len(masses), 8 * n_points * (len(cholesky) + 4)):
        uniform = np.mod(lattice[:, None] + shifts[rows], 1)
        # Folded, an integrand is periodic, for which lattices are right.
        volumes = _volumes(ends[:, rows], cholesky, np.abs(2 * uniform - 1))
        total += float(volumes.mean(axis=0) @ masses[rows])
    return total


def _volumes(ends, cholesky, uniform):
    """Genz's integrand at points (n_points, n_gaussians, n_features − 1)."""
    noise = np.zeros((*uniform.shape[:2], len(cholesky)))
    volume = 1.0
    for a, row in enumerate(cholesky):
        lower, upper = ndtr((ends[..., a][:, None] - noise @ row) / row[a])
        volume = volume * (upper - lower)
        if a < uniform.shape[2]:
            place = lower + uniform[..., a] * (upper - lower)
            # Beyond 1 − eps/2 there is no float64, and the noise would be infinite.
            noise[..., a] = ndtri(np.clip(place, 1e-300, 1 - 2**-53))
    return volume


def _primes(n_primes) -> Iterator[int]:
    """The first prime numbers."""
    found: list[int] = []
    number = 2
    while len(found) < n_primes:
        if all(number % prime for prime in found):
            found.append(number)
            yield number
        number += 1
