"""Factors of some features, and in other units."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Parts(ABC):
    """What is left of covariances when features are dropped, known or rescaled.

    Arrays may have leading axes, of components.
    """

    @abstractmethod
    def marginal(self, cholesky: np.ndarray, features: np.ndarray) -> np.ndarray:
        """L of some features, in the order given."""

    @abstractmethod
    def conditional(
        self, cholesky: np.ndarray, given: np.ndarray, others: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Regression of the other features on those given, and L of what is left.

        Returns
        -------
        slopes : ndarray of shape (..., n_others, n_given)
            Σ_ba Σ_aa⁻¹.
        rest : ndarray
            L of the conditional covariance.
        """

    @abstractmethod
    def deviations(self, cholesky: np.ndarray) -> np.ndarray:
        """Standard deviations of the features, (..., n_features or 1)."""

    @abstractmethod
    def scaled(self, cholesky: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """L of features that are multiplied by `scale`, of shape (n_features or 1,)."""
