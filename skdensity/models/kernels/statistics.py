r"""Averages over kernels: what a sum of kernels can tell besides its value.

With :math:`\Delta_j = (x_j - q) / h` and :math:`r_j \propto m_j \exp(-|\Delta_j|^2/2)`,
a statistic s has the mean :math:`\sum_j r_j s(\Delta_j)` at the query q. The mean of Δ
is the gradient of the log-density, times h; that of :math:`|\Delta|^2 - d` is its
derivative in log h; that of ΔΔᵀ is one EM step for the shape of the kernel.

A statistic can be had in three ways, one for each way of adding up kernels: from
differences; from products of sources and kernels; and, as a derivative of the kernel,
from Fourier modes. What images of a source add to it is told feature by feature.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from skdensity.models.covariances.cholesky import upper_indices


class PairStatistic(ABC):
    """A function of Δ with one or more columns, all of one degree in Δ."""

    degree: int

    def n_columns(self, n_features: int) -> int:
        """Number of columns."""
        return self.of_differences(np.zeros((1, n_features))).shape[1]

    @abstractmethod
    def of_differences(self, delta: np.ndarray) -> np.ndarray:
        """Columns (n_pairs, n_columns) from Δ of shape (n_pairs, n_features)."""

    @abstractmethod
    def of_folds(self, means: Sequence[np.ndarray | float]) -> list:
        """What columns have besides, where :math:`\\Delta_a` to the degree has."""

    @abstractmethod
    def source_columns(self, points: np.ndarray) -> np.ndarray:
        """Columns of sources whose means, with those of the query, give the result."""

    @abstractmethod
    def of_columns(self, queries: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Means of the statistic from those of :meth:`source_columns`."""

    def contraction(self, matrix: np.ndarray) -> np.ndarray:
        """Factors of the columns that add up to the trace of a matrix times ΔΔᵀ.

        The matrix is one of the kernels' shape; only squares of Δ tell it.
        """
        raise NotImplementedError

    @abstractmethod
    def multipliers(self, omega: list[np.ndarray]) -> list[np.ndarray | float]:
        """What the transform of the kernel is multiplied by, for each column.

        `omega` holds the frequency along every axis, shaped to broadcast.
        """


class Nothing(PairStatistic):
    """No columns: only the sum of kernels is of interest."""

    degree = 0

    def of_differences(self, delta):
        return np.empty((len(delta), 0))

    def of_folds(self, means):
        return []

    def source_columns(self, points):
        return np.empty((len(points), 0))

    def of_columns(self, queries, means):
        return means

    def multipliers(self, omega):
        return []


class Distance(PairStatistic):
    """|Δ|², for isotropic kernels."""

    degree = 2

    def of_differences(self, delta):
        return np.einsum("nd,nd->n", delta, delta)[:, None]

    def of_folds(self, means):
        return [sum(means)]

    def source_columns(self, points):
        return np.column_stack([points, np.einsum("nd,nd->n", points, points)])

    def of_columns(self, queries, means):
        first, second = means[:, :-1], means[:, -1]
        # |q|² + E|x|² − 2 q·E x
        squares = np.einsum("nd,nd->n", queries, queries - 2 * first)
        return (squares + second)[:, None]

    def contraction(self, matrix):
        return matrix[:1, 0]

    def multipliers(self, omega):
        return [len(omega) - sum(axis**2 for axis in omega)]


class Shift(PairStatistic):
    """Δ, of which the mean is the gradient of the log-density."""

    degree = 1

    def of_differences(self, delta):
        return delta

    def of_folds(self, means):
        return list(means)

    def source_columns(self, points):
        return points

    def of_columns(self, queries, means):
        return means - queries

    def multipliers(self, omega):
        return [1j * axis for axis in omega]


class Squares(PairStatistic):
    """Δ_a², for kernels with one width per feature."""

    degree = 2

    def of_differences(self, delta):
        return delta**2

    def of_folds(self, means):
        return list(means)

    def source_columns(self, points):
        return np.hstack([points, points**2])

    def of_columns(self, queries, means):
        first, second = np.hsplit(means, 2)
        return queries * (queries - 2 * first) + second

    def contraction(self, matrix):
        return matrix.diagonal()

    def multipliers(self, omega):
        return [1 - axis**2 for axis in omega]


class CrossProducts(PairStatistic):
    """Δ_a Δ_b for a ≤ b, for kernels of any shape."""

    degree = 2

    def of_differences(self, delta):
        rows, cols = upper_indices(delta.shape[1])
        return delta[:, rows] * delta[:, cols]

    def of_folds(self, means):
        if any(np.ndim(mean) for mean in means):
            raise NotImplementedError("only kernels of independent features are folded")
        return [0.0] * self.n_columns(len(means))

    def source_columns(self, points):
        return np.hstack([points, self.of_differences(points)])

    def of_columns(self, queries, means):
        n_features = queries.shape[1]
        rows, cols = upper_indices(n_features)
        first, second = means[:, :n_features], means[:, n_features:]
        shift = first - queries
        # E (x−q)(x−q)ᵀ = E (x−x̄)(x−x̄)ᵀ + (x̄−q)(x̄−q)ᵀ
        spread = second - self.of_differences(first)
        return spread + shift[:, rows] * shift[:, cols]

    def contraction(self, matrix):
        rows, cols = upper_indices(len(matrix))
        return np.where(rows == cols, 1, 2) * matrix[rows, cols]

    def multipliers(self, omega):
        rows, cols = upper_indices(len(omega))
        pairs = zip(rows, cols, strict=True)
        return [(a == b) - omega[a] * omega[b] for a, b in pairs]


NOTHING, DISTANCE, SHIFT = Nothing(), Distance(), Shift()
SQUARES, CROSS_PRODUCTS = Squares(), CrossProducts()
