"""The components of a mixture: weights, means and factored covariances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.packing import PackedFactors
from skdensity.models.gaussian import LOG_2PI, Gaussian
from skdensity.models.normal_sums import NormalSums


@dataclass(frozen=True, eq=False)
class Components(NormalSums):
    """Weighted Gaussians: what any way of evaluating a mixture needs to know of it.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        Non-negative, summing to 1.
    means : ndarray of shape (n_components, n_features)
        The components' means.
    precision_factors : ndarray
        U with Σ⁻¹ = U Uᵀ, in the family's inner shape; whitens residuals.
    family : CovarianceFamily
        The shape of the covariances.
    """

    weights: np.ndarray
    means: np.ndarray
    precision_factors: np.ndarray
    family: CovarianceFamily

    @classmethod
    def from_cholesky(
        cls,
        weights: np.ndarray,
        means: np.ndarray,
        cholesky: np.ndarray,
        family: CovarianceFamily,
    ) -> Self:
        """Components with given Cholesky factors of the covariances."""
        factors = family.factors.precision_factors(cholesky)
        made = cls(weights, means, factors, family)
        vars(made)["cholesky"] = cholesky  # which needs no back-substitution then
        return made

    @classmethod
    def unpacked(
        cls,
        weights: np.ndarray,
        means: np.ndarray,
        factors: PackedFactors,
        family: CovarianceFamily,
    ) -> Self:
        """Components that have travelled, in memory of their own."""
        return cls(weights.copy(), means.copy(order="K"), factors.factors(), family)

    def __reduce__(self) -> tuple:
        # What is derived from the parameters would be several times as large.
        factors = PackedFactors.of(self.precision_factors)
        return self.unpacked, (self.weights, self.means, factors, self.family)

    @property
    def n_components(self) -> int:
        """Number of components."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """Dimension."""
        return self.means.shape[1]

    @cached_property
    def cholesky(self) -> np.ndarray:
        """L with Σ = L Lᵀ, in the family's inner shape."""
        return self.family.factors.cholesky_factors(self.precision_factors)

    @property
    def covariances(self) -> np.ndarray:
        """Covariances Σ = L Lᵀ, in the family's inner shape."""
        return self.family.factors.square(self.cholesky)

    @cached_property
    def log_peaks(self) -> np.ndarray:
        """Joint log-density of every component at its mean, in nats."""
        with np.errstate(divide="ignore"):  # a component may have weight 0
            log_weights = np.log(self.weights)
        factors, d = self.precision_factors, self.n_features
        log_det = self.family.factors.log_det(factors, d)
        return log_weights + log_det - 0.5 * d * LOG_2PI

    def own(self, factors: np.ndarray) -> np.ndarray:
        """Factors with an entry for every component, even where they share one."""
        return self.family.shape.untied(factors, self.n_components)

    def normals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, means and deviations of the components."""
        parts = self.family.asked("parts", "a standard deviation")
        deviations = parts.deviations(self.cholesky)
        return self.weights, self.means, np.broadcast_to(deviations, self.means.shape)

    def correlated(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Covariances that may have correlations, and whose they are."""
        shape = self.family.shape
        if not shape.is_oriented:
            return []
        matrices = shape.matrices(self.covariances, self.n_features)
        every = np.arange(self.n_components)
        return list(zip(matrices, np.split(every, len(matrices)), strict=True))

    def gaussian(self, k: int) -> Gaussian:
        """One of the components."""
        return Gaussian(self.means[k], self.own(self.cholesky)[k], self.family)
