"""Triangular factors as they travel: half of their entries are zeros.

What comes out has the layout of what went in, as the layout decides the last digits:
who has travelled finds what those find who stayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.covariances.cholesky import packed, unpacked


@dataclass(frozen=True, eq=False)
class PackedFactors:
    """Factors U, without the zeros of triangles.

    Attributes
    ----------
    values : ndarray
        The triangles, row by row of Uᵀ, or the factors as they are.
    n_features : int or None
        Of triangles; None of factors of another shape.
    by_columns : bool
        Whether the columns of a matrix are contiguous, not its rows.
    """

    values: np.ndarray
    n_features: int | None
    by_columns: bool

    @classmethod
    def of(cls, factors: np.ndarray) -> PackedFactors:
        """Factors of any family, of shape (n_components, ...)."""
        by_columns = factors.ndim > 2 and factors.strides[-2] < factors.strides[-1]
        lower = np.swapaxes(factors, -1, -2)
        if factors.ndim < 3 or np.triu(lower, 1).any():
            return cls(factors, None, by_columns)
        return cls(packed(lower), lower.shape[-1], by_columns)

    def factors(self) -> np.ndarray:
        """The factors, to the bit, in memory of their own."""
        if self.n_features is None:
            rows = self.values.copy(order="C")
        else:
            rows = np.swapaxes(unpacked(self.values, self.n_features), -1, -2)
        if not self.by_columns:
            return np.ascontiguousarray(rows)
        columns = np.ascontiguousarray(np.swapaxes(rows, -1, -2))
        return np.swapaxes(columns, -1, -2)
