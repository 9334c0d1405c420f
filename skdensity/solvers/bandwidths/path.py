r"""Kernels that grow with a factor t, none narrower than what bridges steps.

With the covariance Σ of the reference and the least variances D of the features,

.. math:: H(t) = \max(t^2 \Sigma, D),

the larger of the two along each of the directions in which both are diagonal. Features
without steps have nothing in D: only those with steps are held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.statistics import DISTANCE, PairStatistic

# Relative difference of widths that rounding makes: less is none.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Stretch:
    """Bandwidths that are factors of one kernel's width.

    Attributes
    ----------
    kernels : Kernels
        The locations under this kernel.
    scales : list of float
        The factors, in descending order.
    statistic : PairStatistic
        What tells the slope of a log-density in log t.
    columns : ndarray of shape (n_columns,)
        How: the product with its means, less `n_free`.
    n_free : float
        Number of directions in which the kernel grows.
    """

    kernels: Kernels
    scales: list[float]
    statistic: PairStatistic
    columns: np.ndarray
    n_free: float

    def slopes(self, means: np.ndarray) -> np.ndarray:
        """∂ log p / ∂ log t from the means of the statistic."""
        return means @ self.columns - self.n_free


@dataclass(frozen=True, eq=False)
class Path:
    """Kernels of growing width.

    Attributes
    ----------
    kernels : Kernels
        The locations, under the reference.
    least_widths : ndarray of shape (n_features,)
        Least standard deviations, 0 for none.
    """

    kernels: Kernels
    least_widths: np.ndarray

    @property
    def least(self) -> float:
        """The factor below which nothing becomes narrower."""
        return float(np.sqrt(self._floor[0].min()))

    def at(self, bandwidth: float) -> Kernels:
        """The kernels of a factor."""
        (stretch,) = self.stretches([bandwidth])
        return stretch.kernels.scaled(stretch.scales[0])

    def stretches(self, bandwidths: list[float]) -> list[Stretch]:
        """Parts of the path for factors in descending order."""
        d, (variances, _) = self.kernels.n_features, self._floor
        n_free = int(np.sum(np.square(bandwidths) >= variances.max()))
        held = [self._held(bandwidth) for bandwidth in bandwidths[n_free:]]
        if n_free == 0:
            return held
        scales = list(bandwidths[:n_free])
        return [Stretch(self.kernels, scales, DISTANCE, np.ones(1), d), *held]

    @cached_property
    def _floor(self):
        """Least variances in the coordinates z, and their directions as columns."""
        kernel, d = self.kernels.kernel, self.kernels.n_features
        if not self.least_widths.any():  # no need of cubic work
            return np.zeros(d), np.eye(d)
        white = kernel.whitened_steps(np.diag(self.least_widths))
        variances, directions = np.linalg.eigh(white.T @ white)
        variances = np.maximum(variances, 0.0)
        if self.kernels.shape.is_width:
            variances = np.full(d, variances.max())
        return variances, directions

    def _held(self, bandwidth):
        """The part where some directions are held."""
        family, shape = self.kernels.kernel.family, self.kernels.shape
        variances, directions = self._floor
        grows = bandwidth**2 > variances
        larger = directions * np.maximum(bandwidth**2, variances) @ directions.T
        (inner,) = family.cholesky(family.shape.of_matrix(larger)[None], "{detail}")
        # What grows, in the coordinates that the kernel whitens.
        growing = directions[:, grows] * bandwidth
        growing = solve_triangular(np.linalg.cholesky(larger), growing, lower=True)
        statistic = DISTANCE if shape.is_width else shape.statistic
        columns = statistic.contraction(growing @ growing.T)
        kernels = self.kernels.reshaped(inner)
        return Stretch(kernels, [1.0], statistic, columns, float(grows.sum()))


def held(kernel: Gaussian, least_widths: np.ndarray) -> np.ndarray:
    """Which features would be narrower in a kernel that was chosen, without a floor.

    Parameters
    ----------
    kernel : Gaussian
        Of a :class:`Path`, or of a search for its shape; others are held nowhere.
    least_widths : ndarray of shape (n_features,)
        Least standard deviations, 0 for none.

    Returns
    -------
    are_held : ndarray of bool, of shape (n_features,)
        Those whose width the floor makes larger.

    Examples
    --------
    Where features are correlated, what is held is a width given the others:

    >>> import numpy as np
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.gaussian import Gaussian
    >>> from skdensity.solvers.bandwidths.path import held
    >>> H = np.array([[1.0, 0.6], [0.6, 1.0]])
    >>> kernel = Gaussian.of_matrix(np.zeros(2), H, FULL, "{detail}")
    >>> held(kernel, np.array([0.0, 0.8])), held(kernel, np.array([0.0, 0.7]))
    (array([False,  True]), array([False, False]))
    """
    return (least_widths > 0) & (
        _touching(kernel, least_widths) | _at_bounds(kernel, least_widths)
    )


def _touching(kernel, least_widths):
    """Features that differ along the directions in which H is D, on a path."""
    white = kernel.whitened_steps(np.diag(least_widths))
    variances, directions = np.linalg.eigh(white.T @ white)
    directions = directions[:, np.abs(variances - 1) <= 2 * ROUNDING]
    raised = kernel.coloured_steps(directions.T) / kernel.deviations
    return np.sum(raised**2, axis=0) > ROUNDING


def _at_bounds(kernel, least_widths):
    """Features whose width, given those before, is the least: bounds of searches."""
    widths = np.exp(kernel.family.factors.log_diagonal(kernel.cholesky))
    return np.abs(widths - least_widths) <= ROUNDING * least_widths
