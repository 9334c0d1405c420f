r"""How much more than its mass a kernel adds up to on a grid.

Where features can have the values :math:`\dots, -s, 0, s, \dots` only, a density says
what the share of every cell is: its value there, times the cell's volume. Of a kernel
on the grid these shares sum to

.. math:: A = \sum_\kappa e^{-|v_\kappa|^2 / 2}, \qquad v_\kappa = 2 \pi L^\top \kappa,

over all frequencies :math:`\kappa = (k_1 / s_1, k_2 / s_2, \dots)` with integers k, by
Poisson's formula: 1 for kernels that are wide in steps, 1.0144 for half a step, and
more and more below. What is chosen by densities at rows on a grid is chosen by
densities over A. Otherwise narrow kernels gain log A at every row, which outweighs all
that many rows have to say of the width.

A is a sum of kernels itself, so that its derivatives are means of the same statistics:
with respect to log L they are those that ΔΔᵀ has, of v.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.statistics import PairStatistic

# Waves along a feature: the third is down to 5e-20 for kernels half a step wide.
N_WAVES = 2
# How far from the longest wave across a direction others still count: further ones are
# down to 4e-14.
REACH = 2


def surplus(
    kernels: Kernels, steps: np.ndarray, statistic: PairStatistic
) -> tuple[float, np.ndarray]:
    """log A, and what it takes from the means of a statistic.

    Correlated features are added up in pairs; what three have besides is below 1e-5 for
    kernels that are half a step wide, whatever the other features are.

    Parameters
    ----------
    kernels : Kernels
        Their widths are at least half a step, that of a feature given those before it.
    steps : ndarray of shape (n_features,)
        Steps of the grids; 0 for features that can have any value.
    statistic : PairStatistic
        Of degree 2, or `NOTHING`.

    Returns
    -------
    log_sum : float
        In nats.
    means : ndarray of shape (n_columns,)
        To be added to means over kernels, so that slopes are those of densities over A.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.kernels import Kernels
    >>> from skdensity.models.kernels.lattice import surplus
    >>> from skdensity.models.kernels.shapes import shape_of
    >>> from skdensity.models.kernels.statistics import DISTANCE
    >>> kernel = shape_of(0.5).kernel_of(np.zeros(1), 0.5, "")
    >>> kernels = Kernels(np.zeros((1, 1)), np.ones(1), kernel)
    >>> log_sum, means = surplus(kernels, np.array([1.0]), DISTANCE)
    >>> float(np.exp(log_sum).round(4)), means.round(2)
    (1.0144, array([0.14]))
    """
    kernel, features = kernels.kernel, np.flatnonzero(steps)
    each = [_added_up(kernel, _along(a, steps), statistic) for a in features]
    if kernels.shape.is_independent or len(features) == 1:
        return _total(each, 1)
    pairs = [
        _added_up(kernel, _across(a, b, steps, kernel.covariance), statistic)
        for a, b in combinations(features, 2)
    ]
    # Every feature is in all pairs with the others.
    (log_sum, means), (log_twice, twice) = _total(pairs, 1), _total(each, 2 - len(each))
    return log_sum + log_twice, means + twice


def _total(parts, factor):
    log_sums, means = zip(*parts, strict=True)
    return factor * float(np.sum(log_sums)), factor * np.sum(means, axis=0)


def _along(feature, steps):
    """Frequencies of one feature; those with the other sign are the same."""
    frequencies = np.zeros((N_WAVES, len(steps)))
    frequencies[:, feature] = np.arange(1, N_WAVES + 1) / steps[feature]
    return frequencies


def _across(one, other, steps, covariance):
    """Frequencies of two features; those with the other sign are the same."""
    slope = covariance[one, other] / covariance[one, one] * steps[one] / steps[other]
    numbers = np.arange(1, N_WAVES + 1)
    # Correlated features have waves that are longest across their direction.
    beside = np.add.outer(-np.round(numbers * slope), np.arange(-REACH, REACH + 1))
    frequencies = np.zeros((beside.size, len(steps)))
    frequencies[:, one] = beside.ravel() / steps[one]
    frequencies[:, other] = np.repeat(numbers, beside.shape[1]) / steps[other]
    return np.vstack([_along(one, steps), frequencies])


def _added_up(kernel, frequencies, statistic):
    """log A and the means of a statistic, from half of the frequencies but for 0."""
    waves = np.empty(frequencies.T.shape)
    kernel.family.factors.whiten(kernel.cholesky, frequencies.T, waves)
    waves = 2 * np.pi * waves.T
    parts = 2 * np.exp(-0.5 * np.einsum("nd,nd->n", waves, waves))
    means = parts @ statistic.of_differences(waves) / (1 + parts.sum())
    return np.log1p(parts.sum()), means
