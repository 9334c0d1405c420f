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
    def with_variances(
        self, scatter: np.ndarray, mass: np.ndarray, variances: np.ndarray
    ) -> np.ndarray:
        """Scatters as if every row varied by `variances`, one for each feature."""

    @abstractmethod
    def isolated(self, variances: np.ndarray) -> np.ndarray:
        """One covariance with the given variances, and no correlations."""

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
        """Maximum-likelihood covariances, plus `reg_covar` on their diagonals.

        Parameters
        ----------
        scatter : ndarray of shape (n_components, ...)
            About the components' means.
        mass : ndarray of shape (n_components,)
            Weight that each component explains.
        n_features : int
            Number of features.
        reg_covar : float or ndarray of shape (n_features,)
            Added to every variance.

        Returns
        -------
        covariances : ndarray
            In the family's inner shape.
        """
        n_pooled = n_features if self.shape.pooled_features else 1
        total = mass.reshape(-1, *(1,) * (scatter.ndim - 1))
        if self.shape.tied:
            total = total.sum(axis=0, keepdims=True)
        pooled = self.shape.pooled(scatter)
        covariances = np.divide(
            pooled, n_pooled * total, out=np.zeros_like(pooled), where=total > 0
        )
        added = np.broadcast_to(np.asarray(reg_covar, dtype=np.float64), n_features)
        return covariances + self.isolated(added)
