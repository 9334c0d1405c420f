"""Products of features, in which a Gaussian log-density is linear."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Products(ABC):
    """Those products y_i y_j that a family's densities and second moments need."""

    @abstractmethod
    def n_products(self, n_features: int) -> int:
        """How many there are."""

    @abstractmethod
    def of_columns(self, columns: np.ndarray, out: np.ndarray) -> None:
        """Write the products of columns (n_features, n_rows)."""

    @abstractmethod
    def coefficients(self, precisions: np.ndarray, n_features: int) -> np.ndarray:
        """c with yᵀ P y = c · products(y), a row for each precision P."""

    @abstractmethod
    def of_scatter(self, scatter: np.ndarray) -> np.ndarray:
        """Sums of products from second moments, a row for each component."""

    @abstractmethod
    def to_scatter(self, sums: np.ndarray, n_features: int) -> np.ndarray:
        """Second moments from sums of products, a row for each component."""

    def whitening_maps(
        self, factors: np.ndarray, shift: np.ndarray
    ) -> np.ndarray | None:
        """[−Uᵀs, Uᵀ] of each component, if whitening is a lower triangular matrix.

        Where there are many products, these maps are less work; None if there are none.
        """
        return None

    @abstractmethod
    def sensitivities(self, factors: np.ndarray) -> np.ndarray:
        """Norms of the rows of the factors U, of shape (..., n_features or 1).

        Relative to every feature's smallest conditional standard deviation.
        """

    @abstractmethod
    def reach(self, sensitivities: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Bound on what the products in yᵀ P y sum to in size, for each component.

        `steps` are the sizes |y| of the features, of shape (..., n_features).
        """

    def least(self, deviations: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Bound below on yᵀ P y for features of at least the sizes `steps`.

        No feature alone is farther off than all together: any covariance has this one.
        """
        return np.max((steps / deviations) ** 2, axis=-1)
