"""Triangular factors of covariances, and what is done with them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Factors(ABC):
    """The algebra of L and U, for one covariance or for several at a time.

    Arrays may have leading axes, of components; `whiten` and `colour` take one factor.
    """

    @abstractmethod
    def factored(self, covariances: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        """Cholesky factors L, and what keeps some covariances from having one.

        Returns
        -------
        factors : ndarray of the shape of `covariances`
            Undefined when there are faults.
        faults : dict of int to str
            Descriptions of singular covariances, by component.
        """

    @abstractmethod
    def of_precisions(
        self, precisions: np.ndarray
    ) -> tuple[np.ndarray, dict[int, str]]:
        """L with L Lᵀ = P⁻¹ and faults, from precisions P, without inverting them."""

    @abstractmethod
    def precision_factors(self, cholesky: np.ndarray) -> np.ndarray:
        """U = L⁻ᵀ, by back-substitution."""

    @abstractmethod
    def cholesky_factors(self, precision_factors: np.ndarray) -> np.ndarray:
        """L = U⁻ᵀ, by back-substitution."""

    @abstractmethod
    def square(self, factors: np.ndarray) -> np.ndarray:
        """F Fᵀ: covariances from L, precisions from U."""

    @abstractmethod
    def compose(self, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
        """Product of lower triangular factors: that of L_outer z when z has L_inner."""

    @abstractmethod
    def relative(
        self, precision_factors: np.ndarray, cholesky: np.ndarray
    ) -> np.ndarray:
        """Uᵀ L: the factors of whitened rows whose own are L."""

    @abstractmethod
    def log_diagonal(self, factors: np.ndarray) -> np.ndarray:
        """Logarithms of the diagonals, (..., n_features or 1)."""

    def log_det(self, factors: np.ndarray, n_features: int) -> np.ndarray:
        """log |F| of each triangular factor."""
        log_diagonal = self.log_diagonal(factors)
        # One entry may stand for all features.
        return log_diagonal.sum(axis=-1) * (n_features / log_diagonal.shape[-1])

    @abstractmethod
    def whiten(
        self, factor: np.ndarray, residuals: np.ndarray, out: np.ndarray
    ) -> np.ndarray:
        """Uᵀ ρ for one component's residuals, of shape (n_features, n_rows)."""

    @abstractmethod
    def colour(self, cholesky: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """L z for one component's L and white rows z of shape (n_rows, n_features)."""

    @abstractmethod
    def solve(self, factors: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Σ⁻¹ v = U Uᵀ v for vectors of shape (..., n_features)."""
