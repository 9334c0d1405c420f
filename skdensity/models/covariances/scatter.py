"""Second moments, and the covariances that are estimated from them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from skdensity.models.covariances.shape import Shape


class Scatter(ABC):
    """What a family needs of Σ_i s_i ρ_i ρ_iᵀ, all of it, its diagonal or its trace.

    Scatters have an entry for every component, whether or not a family is tied.

    Parameters
    ----------
    shape : Shape
        Says what covariances pool.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @abstractmethod
    def outer(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """a bᵀ of each component from arrays (n_components, n_features)."""

    @abstractmethod
    def of_residuals(
        self, residuals: np.ndarray, share: np.ndarray, out: np.ndarray
    ) -> np.ndarray:
        """Σ_i s_i ρ_i ρ_iᵀ from residuals features × rows.

        `out`, of the residuals' shape, is overwritten.
        """

    @abstractmethod
    def isolated(self, variances: np.ndarray) -> np.ndarray:
        """One covariance with the given variances, and no correlations."""

    @abstractmethod
    def floored(self, scatter: np.ndarray, least: np.ndarray) -> np.ndarray:
        """Scatters with sums of squares of at least those of others; overwritten."""

    def moved(
        self, scatter: np.ndarray, first: np.ndarray, mass: np.ndarray, step: np.ndarray
    ) -> np.ndarray:
        """The same about points that lie `step` behind (parallel axis theorem).

        First moments are (n_components, n_features), about the points before.
        """
        cross = self.outer(first, step) + self.outer(step, first)
        return scatter + cross + self.outer(mass[:, None] * step, step)

    def estimate(
        self,
        scatter: np.ndarray,
        mass: np.ndarray,
        n_features: int,
        reg_covar: float | np.ndarray,
    ) -> np.ndarray:
        """Maximum-likelihood covariances, each plus `reg_covar`.

        Parameters
        ----------
        scatter : ndarray of shape (n_components, ...)
            About the components' means.
        mass : ndarray of shape (n_components,)
            Weight that each component explains.
        n_features : int
            Number of features.
        reg_covar : float or ndarray
            A number is added to every variance; an array is a covariance in the
            family's layout, without an axis of components.

        Returns
        -------
        covariances : ndarray
            In the family's inner shape.
        """
        total = mass.reshape(-1, *(1,) * (scatter.ndim - 1))
        if self.shape.tied:
            total = total.sum(axis=0, keepdims=True)
        pooled = self.shape.pooled(scatter)
        covariances = np.divide(
            pooled,
            self._n_pooled(n_features) * total,
            out=np.zeros_like(pooled),
            where=total > 0,
        )
        if np.ndim(reg_covar) == 0:
            reg_covar = self.isolated(np.full(n_features, float(reg_covar)))
        return covariances + reg_covar

    def with_covariance(
        self,
        scatter: np.ndarray,
        mass: np.ndarray,
        n_features: int,
        covariance: np.ndarray,
    ) -> np.ndarray:
        """Scatters as if every row had a covariance of its own, in their layout."""
        mass = mass.reshape(-1, *(1,) * covariance.ndim)
        return scatter + self._n_pooled(n_features) * mass * covariance

    def _n_pooled(self, n_features):
        """Features whose squares add up to one scatter."""
        return n_features if self.shape.pooled_features else 1
