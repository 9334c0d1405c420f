"""What a family of covariances offers, whatever their shape.

Inside the library a family's arrays keep every axis, with length 1 where it pools
components or features, so that plain broadcasting replaces case distinctions;
:meth:`CovarianceFamily.public` drops those axes, which gives scikit-learn's shapes.

Throughout, Σ = L Lᵀ with L lower triangular, and U = L⁻ᵀ is scikit-learn's
``precisions_cholesky_``: Σ⁻¹ = U Uᵀ, and Uᵀ(x − μ) is white.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skdensity.models.moments import Moments


class CovarianceFamily(ABC):
    """What the families share: shapes, pooling, and the interface.

    Parameters
    ----------
    tied : bool
        Whether all components share one covariance.
    isotropic : bool
        Whether all features share one variance.
    """

    rank: int  # number of feature axes that a covariance has

    def __init__(self, *, tied: bool = False, isotropic: bool = False) -> None:
        self.tied = tied
        self.isotropic = isotropic

    @property
    def pooled_axes(self) -> tuple[int, ...]:
        """Axes that the family pools over."""
        return (0,) * self.tied + (1,) * self.isotropic

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Inner shape of the covariances, pooled axes of length 1."""
        shape = (n_components, *(n_features,) * self.rank)
        return tuple(1 if i in self.pooled_axes else n for i, n in enumerate(shape))

    def public_shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """scikit-learn's shape: the pooled axes are not there."""
        shape = (n_components, *(n_features,) * self.rank)
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

    def estimate(self, moments: Moments, reg_covar: float | np.ndarray) -> np.ndarray:
        """Maximum-likelihood covariances, plus `reg_covar` on their diagonals.

        Parameters
        ----------
        moments : Moments
            The sufficient statistics.
        reg_covar : float or ndarray of shape (n_features,)
            Added to every variance.

        Returns
        -------
        covariances : ndarray of shape ``shape(n_components, n_features)``
            In the inner layout.
        """
        shift = moments.shift
        scatter = moments.second - self.outer(moments.mass[:, None] * shift, shift)
        mass = moments.mass.reshape(-1, *(1,) * self.rank)
        n_pooled = shift.shape[1] if self.isotropic else 1
        total = n_pooled * (mass.sum(axis=0, keepdims=True) if self.tied else mass)
        pooled = self.pooled(scatter)
        covariances = np.divide(
            pooled, total, out=np.zeros_like(pooled), where=total > 0
        )
        return self.with_added_variance(covariances, reg_covar)

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Number of free covariance parameters."""

    @abstractmethod
    def matrices(self, inner: np.ndarray, n_features: int) -> np.ndarray:
        """Covariances as matrices (n_components or 1, n_features, n_features)."""

    @abstractmethod
    def asymmetry(self, matrices: np.ndarray) -> np.ndarray:
        """Largest difference of each matrix to its transpose, by its largest entry."""

    @abstractmethod
    def outer(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """a bᵀ of each component (or its diagonal) from (n_components, n_features)."""

    @abstractmethod
    def second_moment(
        self, residuals: np.ndarray, share: np.ndarray, out: np.ndarray
    ) -> np.ndarray:
        """Σ_i s_i ρ_i ρ_iᵀ (or its diagonal) from residuals features × rows.

        `out`, of the residuals' shape, is overwritten.
        """

    @abstractmethod
    def n_products(self, n_features: int) -> int:
        """Number of products of features that the density needs."""

    @abstractmethod
    def products(self, columns: np.ndarray, out: np.ndarray) -> list[np.ndarray]:
        """Write the products of features that the density needs; return the squares."""

    @abstractmethod
    def product_coefficients(self, matrices: np.ndarray, n_features: int) -> np.ndarray:
        """c with yᵀ P y = c · products(y), a row for each matrix P."""

    @abstractmethod
    def to_products(self, second: np.ndarray) -> np.ndarray:
        """Sums of products from second moments, a row for each component."""

    @abstractmethod
    def from_products(self, sums: np.ndarray, n_features: int) -> np.ndarray:
        """Second moments from sums of products, a row for each component."""

    @abstractmethod
    def squared_norm(self, factors: np.ndarray, n_features: int) -> np.ndarray:
        """Squared Frobenius norm of each factor."""

    @abstractmethod
    def with_added_variance(
        self, covariances: np.ndarray, value: float | np.ndarray
    ) -> np.ndarray:
        """Covariances with `value`, or one for each feature, added to the variances."""

    def cholesky(self, matrices: np.ndarray, complaint: str) -> np.ndarray:
        """Lower Cholesky factors L.

        Where there is none, a ValueError says `complaint`, a template with the fields
        ``component`` and ``detail``.
        """
        factors, faults = self.factored(matrices)
        for component, detail in faults.items():
            raise ValueError(complaint.format(component=component, detail=detail))
        return factors

    @abstractmethod
    def regularised(
        self, second: np.ndarray, mass: np.ndarray, reg_covar: np.ndarray
    ) -> np.ndarray:
        """Second moments as if every row varied by `reg_covar`, one per feature."""

    @abstractmethod
    def factored(self, matrices: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        """Cholesky factors, and what keeps some matrices from having one.

        Returns
        -------
        factors : ndarray of the shape of `matrices`
            Undefined when there are faults.
        faults : dict of int to str
            Descriptions of singular matrices, by component.
        """

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
    def cholesky_of_inverse(self, precisions: np.ndarray, complaint: str) -> np.ndarray:
        """L with L Lᵀ = P⁻¹, from precision matrices P, without inverting them."""

    @abstractmethod
    def compose(self, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
        """Product of lower triangular factors: that of L_outer z when z has L_inner."""

    @abstractmethod
    def transposed(self, factors: np.ndarray) -> np.ndarray:
        """Transposes of the factors."""

    @abstractmethod
    def log_diagonal(self, factors: np.ndarray) -> np.ndarray:
        """Logarithms of the diagonals (n_components or 1, n_features or 1)."""

    def log_det(self, factors: np.ndarray, n_features: int) -> np.ndarray:
        """log |F| of each triangular factor."""
        log_diagonal = self.log_diagonal(factors)
        # One entry stands for all features when the family is isotropic.
        return log_diagonal.sum(axis=1) * (n_features / log_diagonal.shape[1])

    @abstractmethod
    def whiten(
        self, factor: np.ndarray, residuals: np.ndarray, out: np.ndarray
    ) -> np.ndarray:
        """Uᵀ ρ for one component's residuals, of shape (n_features, n_rows)."""

    @abstractmethod
    def solve(self, factors: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Σ⁻¹ v = U Uᵀ v for vectors of shape (n_components, n_features)."""

    @abstractmethod
    def white_scatter(self, factors: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Uᵀ S2 U of each component (or its diagonal), before pooling."""

    @abstractmethod
    def trace(self, scatter: np.ndarray) -> np.ndarray:
        """Trace of each component's matrix."""

    @abstractmethod
    def colour(self, cholesky: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """L z for one component's L and white rows z of shape (n_rows, n_features)."""

    @abstractmethod
    def ravel(self, cholesky: np.ndarray) -> np.ndarray:
        """Free parameters: the lower triangle of L, with the log of its diagonal."""

    @abstractmethod
    def unravel(self, free: np.ndarray, n_components: int, n_features: int):
        """L from its free parameters."""

    @abstractmethod
    def free_scale(self, scale: np.ndarray) -> np.ndarray:
        """How one factor's free parameters scale with the units of the features."""

    @abstractmethod
    def floored(self, free: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Free parameters with log L_dd at least `log_minimum`, one per feature."""

    @abstractmethod
    def gradient(
        self, white: np.ndarray, mass: np.ndarray, factors: np.ndarray, n_features: int
    ) -> np.ndarray:
        """Gradient of the log-likelihood in the free parameters, from white scatter."""
