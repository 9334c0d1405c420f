"""Triangular factors as they travel: half of their entries are zeros.

What comes out has one layout, whatever went in: the layout decides the last digits.
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
    """

    values: np.ndarray
    n_features: int | None

    @classmethod
    def of(cls, factors: np.ndarray) -> PackedFactors:
        """Factors of any family, of shape (n_components, ...)."""
        lower = np.swapaxes(factors, -1, -2)
        if factors.ndim < 3 or np.triu(lower, 1).any():
            return cls(factors, None)
        return cls(packed(lower), lower.shape[-1])

    def factors(self) -> np.ndarray:
        """The factors, to the bit, in memory of their own."""
        if self.n_features is None:
            return self.values.copy(order="C")
        return np.swapaxes(unpacked(self.values, self.n_features), -1, -2)
