"""How the covariances of a family are laid out, and how many free numbers they hold."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Shape(ABC):
    """Layout and counting.

    Inside the library a family's arrays keep every axis, with length 1 where it pools
    components or features, so that plain broadcasting replaces case distinctions;
    `public` drops those axes, which gives scikit-learn's shapes. A single covariance
    has no axis of components.

    Parameters
    ----------
    tied : bool
        Whether all components share one covariance.
    """

    feature_axes: tuple[int, ...]  # axes that features run along, after the components'
    pooled_features: tuple[int, ...] = ()  # those of them that have length 1

    def __init__(self, *, tied: bool = False) -> None:
        self.tied = tied
        self.pooled_axes = (0,) * tied + self.pooled_features

    @property
    def is_oriented(self) -> bool:
        """Whether covariances may lie across the axes of the features."""
        return len(self.feature_axes) > 1

    def inner_shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Shape inside the library, pooled axes of length 1."""
        shape = (n_components, *(n_features,) * len(self.feature_axes))
        return tuple(1 if i in self.pooled_axes else n for i, n in enumerate(shape))

    def public_shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """scikit-learn's shape: the pooled axes are not there."""
        shape = (n_components, *(n_features,) * len(self.feature_axes))
        return tuple(n for i, n in enumerate(shape) if i not in self.pooled_axes)

    def public(self, inner: np.ndarray) -> np.ndarray:
        """Drop the pooled axes; where none is left, a number of the same dtype."""
        return np.squeeze(inner, self.pooled_axes)[()]

    def inner(self, public: np.ndarray) -> np.ndarray:
        """Put the pooled axes back, with length 1."""
        return np.expand_dims(np.asarray(public, dtype=np.float64), self.pooled_axes)

    def untied(self, inner: np.ndarray, n_components: int) -> np.ndarray:
        """The array with an entry for every component, even where they share one."""
        return np.broadcast_to(inner, (n_components, *inner.shape[1:]))

    def pooled(self, values: np.ndarray) -> np.ndarray:
        """Sum over the pooled axes: the transpose of broadcasting along them."""
        return values.sum(axis=self.pooled_axes, keepdims=True)

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Number of free covariance parameters."""

    @abstractmethod
    def matrices(self, inner: np.ndarray, n_features: int) -> np.ndarray:
        """Covariances as matrices (..., n_features, n_features)."""

    @abstractmethod
    def of_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """The family's array of one covariance that is given as a matrix."""

    @abstractmethod
    def variances(self, inner: np.ndarray, n_features: int) -> np.ndarray:
        """Variances of the features, (..., n_features)."""

    @abstractmethod
    def asymmetry(self, inner: np.ndarray) -> np.ndarray:
        """Largest difference of each matrix to its transpose, by its largest entry."""
