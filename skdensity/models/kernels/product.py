r"""Kernels on a support: of every pair, a product of one sum of images per feature.

.. math::

    k(q, x) = \prod_a \sum_{y \in \text{images of } x_a} e^{-(q_a - y)^2 / 2 h^2}

The images of a row are all combinations of those of its features. Their sum factorises,
so that its work adds up over features, where that of images would multiply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.support import Axis, Support
from skdensity.models.kernels.wrapped import Wrapped, wrapped


@dataclass(frozen=True)
class AxisKernel:
    """The kernel along one feature.

    Attributes
    ----------
    axis : Axis
        The values that the feature has.
    bandwidth : float
        Standard deviation h.
    """

    axis: Axis
    bandwidth: float

    @cached_property
    def wrapped(self) -> Wrapped:
        """The Gaussian and what it repeats, in bandwidths."""
        return wrapped(self.axis.period / self.bandwidth)

    @property
    def log_most(self) -> float:
        """A bound on how much all images are, relative to the nearest."""
        is_doubled = self.axis.mirror is not None
        return self.wrapped.log_most + np.log(1 + is_doubled)

    def moments(
        self, q: np.ndarray, x: np.ndarray, degree: int
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Where the nearest image is, and sums over all, relative to that one.

        Parameters
        ----------
        q, x : ndarray
            Queries and sources on the axis; they broadcast.
        degree : int
            Sums are of the kernel, times Δ, times Δ², up to this power.
        """
        near = self._nearest(x - q)
        sums = self.wrapped.moments(near, 0.0, degree)
        if self.axis.mirror is not None:
            # No reflection is nearer than the source itself.
            other = self._nearest(2 * self.axis.mirror - x - q)
            more = self.wrapped.moments(other, 0.5 * (near**2 - other**2), degree)
            sums = [own + reflected for own, reflected in zip(sums, more, strict=True)]
        return near, sums

    def _nearest(self, steps):
        period = self.axis.period
        if np.isfinite(period):
            steps = steps - period * np.rint(steps / period)
        return steps / self.bandwidth


@dataclass(frozen=True)
class ProductKernel:
    """The kernel of all features.

    Attributes
    ----------
    support : Support
        Where queries and sources are.
    bandwidth : float
        Standard deviation h along every feature.
    n_features : int
        How many there are.
    """

    support: Support
    bandwidth: float
    n_features: int

    @cached_property
    def factors(self) -> list[AxisKernel]:
        """One for every feature."""
        axes = map(self.support.axis, range(self.n_features))
        return [AxisKernel(axis, self.bandwidth) for axis in axes]

    @property
    def log_most(self) -> float:
        """A bound on how much all images are, relative to the nearest."""
        return float(sum(factor.log_most for factor in self.factors))

    def pairs(
        self,
        queries: Sequence[np.ndarray],
        points: Sequence[np.ndarray],
        statistic: PairStatistic,
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Kernels of pairs, and the means of a statistic over the images of each.

        Parameters
        ----------
        queries, points : sequence of n_features ndarray
            Every feature by itself; queries and points broadcast.
        statistic : PairStatistic
            What to average.

        Returns
        -------
        exponents : ndarray
            −|Δ|²/2 of the nearest image.
        factors : ndarray
            What all images are, relative to that one; at least 1.
        columns : list of n_columns ndarray
            Of the statistic.
        """
        exponents, factors, means = 0.0, 1.0, [[], [], []]
        for factor, q, x in zip(self.factors, queries, points, strict=True):
            near, (total, *higher) = factor.moments(q, x, statistic.degree)
            exponents = exponents - 0.5 * near**2
            factors = factors * total
            for power, sums in enumerate(higher, start=1):
                means[power].append(sums / total)
        return exponents, factors, statistic.of_moments(*means[1:])
