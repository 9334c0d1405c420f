r"""Kernel densities of some features: marginals and conditionals are kernel densities.

.. math::

    \hat p(x_b) = \sum_j m_j N(x_b \mid x_{jb}, H_{bb}), \qquad
    \hat p(x_b \mid x_a) \propto \sum_j m_j N(x_a \mid x_{ja}, H_{aa})
    N(x_b \mid x_{jb} + H_{ba} H_{aa}^{-1} (x_a - x_{ja}), H_{b \mid a})
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp, softmax

from skdensity.models.family import CovarianceFamily
from skdensity.models.kernels import Kernels
from skdensity.models.mixture import Mixture


def marginal(kernels: Kernels, features: np.ndarray) -> Kernels:
    """The density of some features, whatever the others are.

    Parameters
    ----------
    kernels : Kernels
        The joint density.
    features : ndarray of int
        Indices, in the order that the result has.

    Returns
    -------
    kernels : Kernels
        Locations may coincide.
    """
    cholesky = _ordered(kernels, features)
    return _part(kernels, features, cholesky, kernels.locations[:, features])


def conditional(kernels: Kernels, given: np.ndarray, values: np.ndarray) -> Kernels:
    """The density of the other features where some are known.

    Parameters
    ----------
    kernels : Kernels
        The joint density.
    given : ndarray of int
        Indices of the features that are known.
    values : ndarray of shape (n_given,)
        Their values, within bounds.

    Returns
    -------
    kernels : Kernels
        Of the other features in their order; locations that the values rule out are
        not there.
    """
    d, n_given = kernels.n_features, len(given)
    others = np.setdiff1d(np.arange(d), given)
    known = marginal(kernels, given)
    (query,) = known.kernel.whitened(values[None].astype(np.float64))
    sources = known.sums().sources
    delta = query - sources.copies_of(np.arange(len(kernels.masses)))
    with np.errstate(over="ignore"):
        log_kernel = logsumexp(-0.5 * np.sum(delta**2, axis=2), axis=0)
    if not np.any(np.isfinite(log_kernel)):
        raise ValueError(
            f"`values` are so far from all rows that the density there is 0: {values}."
        )
    masses = softmax(np.log(kernels.masses) + log_kernel)
    stays = masses > 0
    locations = kernels.locations[:, others].astype(np.float64)
    cholesky = _ordered(kernels, np.concatenate([given, others]))
    if kernels.kernel.family.rank == 2:
        # With H = L Lᵀ, x_a first: H_ba H_aa⁻¹ (x_a − x_ja) = L_ba z_a.
        locations = locations + delta[0] @ cholesky[0, n_given:, :n_given].T
    rest = _tail(kernels.kernel.family, cholesky, n_given)
    part = _part(kernels, others, rest, locations.astype(kernels.locations.dtype))
    masses = masses[stays]
    return replace(part, locations=part.locations[stays], masses=masses / masses.sum())


def _ordered(kernels, features):
    """Cholesky factor of the kernel's covariance of some features in some order."""
    family, cholesky = kernels.kernel.family, kernels.kernel.cholesky
    if family.isotropic:
        return cholesky
    if family.rank == 1:
        return cholesky[:, features]
    (covariance,) = kernels.kernel.covariances
    part = covariance[np.ix_(features, features)]
    return family.cholesky(part[None], "{detail}")


def _tail(family: CovarianceFamily, cholesky: np.ndarray, begin: int) -> np.ndarray:
    """Cholesky factor of the features from `begin` on, given those before."""
    if family.isotropic:
        return cholesky
    return cholesky[(slice(None), *[slice(begin, None)] * family.rank)]


def _part(kernels, features, cholesky, locations):
    (origin,) = kernels.kernel.means
    kernel = Mixture.gaussian(origin[features], cholesky, kernels.kernel.family)
    bounds = None if kernels.bounds is None else kernels.bounds[features]
    return replace(kernels, locations=locations, kernel=kernel, bounds=bounds)
