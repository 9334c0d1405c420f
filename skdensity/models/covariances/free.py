"""Free parameters of covariances: any values of them are positive definite."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from skdensity.models.covariances.shape import Shape


class FreeParameters(ABC):
    """The lower triangle of L, with the logarithm of its diagonal, as one vector.

    Parameters
    ----------
    shape : Shape
        The layout of L.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @abstractmethod
    def ravel(self, cholesky: np.ndarray) -> np.ndarray:
        """Free parameters of L."""

    @abstractmethod
    def unravel(
        self, free: np.ndarray, n_components: int, n_features: int
    ) -> np.ndarray:
        """L from its free parameters."""

    @abstractmethod
    def floored(self, free: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Free parameters with log L_dd at least `log_minimum`, one per feature."""

    @abstractmethod
    def white_scatter(self, factors: np.ndarray, scatter: np.ndarray) -> np.ndarray:
        """Uᵀ S U, of each component or, where all have the same U, of their sum.

        Of a symmetric matrix the part above the diagonal may be missing.
        """

    @abstractmethod
    def trace(self, scatter: np.ndarray) -> np.ndarray:
        """Trace of each white scatter."""

    @abstractmethod
    def gradient(
        self, white: np.ndarray, mass: np.ndarray, factors: np.ndarray, n_features: int
    ) -> np.ndarray:
        """Gradient of the log-likelihood in the free parameters, from white scatter."""
