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

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels


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
    kernel, locations = kernels.kernel.marginal(features), kernels.locations
    return _part(kernels, features, kernel, locations[:, features])


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
    log_masses = np.log(kernels.masses) + _log_kernels(kernels, given, values)
    masses = softmax(log_masses)
    slopes, rest, others = kernels.kernel.regression(given)
    steps = values - kernels.locations[:, given].astype(np.float64)
    locations = kernels.locations[:, others] + steps @ slopes.T
    kernel = Gaussian(kernels.kernel.mean[others], rest, kernels.kernel.family)
    locations = locations.astype(kernels.locations.dtype)
    part = _part(kernels, others, kernel, locations)
    stays = masses > 0
    masses = masses[stays]
    return replace(part, locations=part.locations[stays], masses=masses / masses.sum())


def _log_kernels(kernels, given, values):
    """Logarithms of what the kernels add to the density of the values, up to a peak."""
    known = marginal(kernels, given)
    (query,) = known.kernel.whiten(values[None].astype(np.float64))
    sources = known.sums().sources
    delta = query - sources.copies_of(np.arange(len(kernels.masses)))
    with np.errstate(over="ignore"):
        log_kernels = logsumexp(-0.5 * np.sum(delta**2, axis=2), axis=0)
    if not np.any(np.isfinite(log_kernels)):
        raise ValueError(
            f"`values` are so far from all rows that the density there is 0: {values}."
        )
    return log_kernels


def _part(kernels, features, kernel, locations):
    bounds = None if kernels.bounds is None else kernels.bounds[features]
    return replace(kernels, locations=locations, kernel=kernel, bounds=bounds)
