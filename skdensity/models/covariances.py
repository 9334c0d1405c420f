"""Covariance families: how the covariances of K components are shaped and estimated.

A family is one object, looked up once in :data:`FAMILIES`. Inside the library its
arrays keep every axis, with length 1 where a family pools components or features, so
that plain broadcasting replaces case distinctions; :meth:`CovarianceFamily.public`
drops those axes, which gives scikit-learn's shapes.

Throughout, Σ = L Lᵀ with L lower triangular, and U = L⁻ᵀ is scikit-learn's
``precisions_cholesky_``: Σ⁻¹ = U Uᵀ, and Uᵀ(x − μ) is white.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skdensity.models.moments import Moments


# Features whose whitened values one product of matrices computes: few enough to skip
# most of a triangle's zeros, enough to fill the product's tiles.
STRIP = 32


def triangular_product(
    lower: np.ndarray, columns: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Product of a lower triangular matrix, full columns before it allowed."""
    n_full = lower.shape[1] - len(lower)
    for begin in range(0, len(lower), STRIP):
        rows = slice(begin, begin + STRIP)
        end = n_full + rows.stop
        np.matmul(lower[rows, :end], columns[:end], out=out[rows])
    return out


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


class MatrixFamily(CovarianceFamily):
    """Covariances with all their entries: ``"full"``, and ``"tied"`` when pooled.

    Inner shape (n_components or 1, n_features, n_features).
    """

    rank = 2

    def n_parameters(self, n_components, n_features):
        n_matrices, *_ = self.shape(n_components, n_features)
        return n_matrices * self.n_products(n_features)

    def matrices(self, inner, n_features):
        return inner

    def asymmetry(self, matrices):
        skew = np.abs(matrices - self.transposed(matrices)).max(axis=(1, 2))
        size = np.abs(matrices).max(axis=(1, 2))
        return np.divide(skew, size, out=np.zeros_like(skew), where=size > 0)

    def outer(self, a, b):
        return a[:, :, None] * b[:, None, :]

    def second_moment(self, residuals, share, out):
        np.multiply(residuals, np.sqrt(share), out=out)
        return out @ out.T  # which NumPy computes as a symmetric update: half the work

    def n_products(self, n_features):
        return n_features * (n_features + 1) // 2

    def products(self, columns, out):
        squares, begin = [], 0
        for i in range(len(columns)):
            end = begin + len(columns) - i
            np.multiply(columns[i], columns[i:], out=out[begin:end])
            squares.append(out[begin])
            begin = end
        return squares

    def product_coefficients(self, matrices, n_features):
        rows, cols = _upper(n_features)
        # yᵀ P y holds every product of two different features twice.
        return matrices[:, rows, cols] * np.where(rows == cols, 1, 2)

    def to_products(self, second):
        rows, cols = _upper(second.shape[-1])
        return second[:, rows, cols]

    def from_products(self, sums, n_features):
        rows, cols = _upper(n_features)
        second = np.empty((len(sums), n_features, n_features))
        second[:, rows, cols] = sums
        second[:, cols, rows] = sums
        return second

    def squared_norm(self, factors, n_features):
        return np.sum(factors**2, axis=(1, 2))

    def with_added_variance(self, covariances, value):
        return covariances + np.eye(covariances.shape[-1]) * value

    def regularised(self, second, mass, reg_covar):
        return second + mass[:, None, None] * np.diag(reg_covar)

    def factored(self, matrices):
        with np.errstate(divide="ignore", invalid="ignore"):
            try:
                cholesky = _cholesky_of_correlations(matrices)
                if _has_rank(cholesky):
                    variances = np.diagonal(matrices, axis1=1, axis2=2)
                    return np.sqrt(variances)[:, :, None] * cholesky, {}
            except np.linalg.LinAlgError:
                pass  # one by one, it will show which matrix it is, and why
            faults = {k: _fault(matrix) for k, matrix in enumerate(matrices)}
        return matrices, {k: fault for k, fault in faults.items() if fault}

    def precision_factors(self, cholesky):
        return self.transposed(_inverse_of_lower(cholesky))

    def cholesky_factors(self, precision_factors):
        return _inverse_of_lower(self.transposed(precision_factors))

    def square(self, factors):
        return np.matmul(factors, self.transposed(factors))

    def cholesky_of_inverse(self, precisions, complaint):
        # With J the reversal of the features, J P J = R Rᵀ gives P = (J R J)(J R J)ᵀ,
        # and J R J is upper triangular: it is U, so that L = U⁻ᵀ.
        flipped = self.cholesky(precisions[:, ::-1, ::-1], complaint)
        return self.cholesky_factors(flipped[:, ::-1, ::-1])

    def compose(self, outer, inner):
        return np.matmul(outer, inner)

    def transposed(self, factors):
        return factors.transpose(0, 2, 1)

    def log_diagonal(self, factors):
        return np.log(np.diagonal(factors, axis1=1, axis2=2))

    def whiten(self, factor, residuals, out):
        return triangular_product(factor.T, residuals, out)

    def colour(self, cholesky, noise):
        return noise @ cholesky.T

    def ravel(self, cholesky):
        rows, cols = _lower(cholesky.shape[-1])
        free = cholesky[:, rows, cols]
        free[:, rows == cols] = np.log(free[:, rows == cols])
        return free.ravel()

    def unravel(self, free, n_components, n_features):
        rows, cols = _lower(n_features)
        cholesky = np.zeros(self.shape(n_components, n_features))
        cholesky[:, rows, cols] = free.reshape(len(cholesky), -1)
        diagonal = np.arange(n_features)
        cholesky[:, diagonal, diagonal] = np.exp(cholesky[:, diagonal, diagonal])
        return cholesky

    def solve(self, factors, vectors):
        white = np.matmul(self.transposed(factors), vectors[:, :, None])
        return np.matmul(factors, white)[:, :, 0]

    def white_scatter(self, factors, second):
        return np.matmul(np.matmul(self.transposed(factors), second), factors)

    def trace(self, scatter):
        return np.trace(scatter, axis1=1, axis2=2)

    def free_scale(self, scale):
        rows, cols = _lower(len(scale))
        return np.where(rows == cols, 1, scale[rows])

    def floored(self, free, log_minimum):
        rows, cols = _lower(len(log_minimum))
        minimum = np.where(rows == cols, log_minimum[rows], -np.inf)
        return np.maximum(free.reshape(-1, len(minimum)), minimum).ravel()

    def gradient(self, white, mass, factors, n_features):
        # ∂ℓ/∂L = tril(Σ⁻¹ S2 L⁻ᵀ) − N diag(1/L_dd) with Σ⁻¹ S2 L⁻ᵀ = U white, and
        # ∂ℓ/∂log L_dd = L_dd ∂ℓ/∂L_dd with L_dd = 1/U_dd.
        gradient = self.pooled(np.matmul(factors, white))
        rows, cols = _lower(factors.shape[-1])
        free = gradient[:, rows, cols]
        diagonal = np.diagonal(factors, axis1=1, axis2=2)
        total = self.pooled(mass[:, None, None])[:, 0]
        free[:, rows == cols] = free[:, rows == cols] / diagonal - total
        return free.ravel()


class DiagonalFamily(CovarianceFamily):
    """Independent features: ``"diag"``, and ``"tied_diag"`` when pooled.

    Inner shape (n_components or 1, n_features); the Cholesky factors are standard
    deviations.
    """

    rank = 1

    def n_parameters(self, n_components, n_features):
        return math.prod(self.shape(n_components, n_features))

    def matrices(self, inner, n_features):
        return inner[:, :, None] * np.eye(n_features)

    def asymmetry(self, matrices):
        return np.zeros(len(matrices))

    def outer(self, a, b):
        return a * b

    def second_moment(self, residuals, share, out):
        return np.multiply(residuals, residuals, out=out) @ share

    def n_products(self, n_features):
        return n_features

    def products(self, columns, out):
        np.multiply(columns, columns, out=out)
        return list(out)

    def product_coefficients(self, matrices, n_features):
        return np.broadcast_to(matrices, (len(matrices), n_features))

    def to_products(self, second):
        return second

    def from_products(self, sums, n_features):
        return sums

    def squared_norm(self, factors, n_features):
        return np.sum(factors**2, axis=1) * (n_features / factors.shape[1])

    def with_added_variance(self, covariances, value):
        return covariances + value

    def regularised(self, second, mass, reg_covar):
        return second + mass[:, None] * reg_covar

    def factored(self, matrices):
        smallest = matrices.min(axis=1)
        if np.all(smallest > 0):
            return np.sqrt(matrices), {}
        singular = np.flatnonzero(~(smallest > 0))
        return matrices, {int(k): f"variance {smallest[k]:.3g}" for k in singular}

    def precision_factors(self, cholesky):
        return 1 / cholesky

    def cholesky_factors(self, precision_factors):
        return 1 / precision_factors

    def square(self, factors):
        return factors**2

    def cholesky_of_inverse(self, precisions, complaint):
        return 1 / self.cholesky(precisions, complaint)

    def compose(self, outer, inner):
        return outer * inner

    def transposed(self, factors):
        return factors

    def log_diagonal(self, factors):
        return np.log(factors)

    def whiten(self, factor, residuals, out):
        return np.multiply(factor[:, None], residuals, out=out)

    def colour(self, cholesky, noise):
        return noise * cholesky

    def ravel(self, cholesky):
        return np.log(cholesky).ravel()

    def unravel(self, free, n_components, n_features):
        return np.exp(free).reshape(self.shape(n_components, n_features))

    def solve(self, factors, vectors):
        return factors**2 * vectors

    def white_scatter(self, factors, second):
        return factors**2 * second

    def trace(self, scatter):
        return scatter.sum(axis=1)

    def free_scale(self, scale):
        return np.ones_like(scale)

    def floored(self, free, log_minimum):
        return np.maximum(free.reshape(-1, len(log_minimum)), log_minimum).ravel()

    def gradient(self, white, mass, factors, n_features):
        return self.pooled(white - mass[:, None]).ravel()


class IsotropicFamily(DiagonalFamily):
    """One variance for all features: ``"spherical"``, and ``"tied_spherical"``.

    Inner shape (n_components or 1, 1). Second moments are summed over the features,
    too: a squared norm is the only product that the density needs.
    """

    def __init__(self, *, tied: bool = False) -> None:
        super().__init__(tied=tied, isotropic=True)

    def outer(self, a, b):
        return np.sum(a * b, axis=1, keepdims=True)

    def second_moment(self, residuals, share, out):
        return super().second_moment(residuals, share, out).sum(keepdims=True)

    def with_added_variance(self, covariances, value):
        return covariances + np.mean(value)

    def regularised(self, second, mass, reg_covar):
        return second + mass[:, None] * np.sum(reg_covar)

    def free_scale(self, scale):
        return np.ones(1)

    def n_products(self, n_features):
        return 1

    def products(self, columns, out):
        np.einsum("dn,dn->n", columns, columns, out=out[0])
        return [out[0]]

    def product_coefficients(self, matrices, n_features):
        return matrices

    def gradient(self, white, mass, factors, n_features):
        return self.pooled(white - n_features * mass[:, None]).ravel()


@cache  # one for each number of features; to find them costs more than to use them
def _upper(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n_features)


@cache
def _lower(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(n_features)


def _fault(matrix: np.ndarray) -> str | None:
    """What keeps a matrix from being a covariance, for an error message."""
    variances = np.diagonal(matrix)
    if not np.all(variances > 0):
        return f"variance {variances.min():.3g} of feature {variances.argmin()}"
    try:
        cholesky = _cholesky_of_correlations(matrix)
    except np.linalg.LinAlgError:
        return "it has a negative or zero eigenvalue"
    if not _has_rank(cholesky):
        feature = np.diagonal(cholesky).argmin()
        return f"feature {feature} is a linear combination of others"
    return None


def _cholesky_of_correlations(matrices: np.ndarray) -> np.ndarray:
    """Cholesky factors of the matrices scaled to unit diagonal."""
    # Features in different units then cannot hide a singularity.
    scale = np.sqrt(np.diagonal(matrices, axis1=-2, axis2=-1))
    return np.linalg.cholesky(matrices / (scale[..., :, None] * scale[..., None, :]))


def _has_rank(cholesky: np.ndarray) -> bool:
    """Whether factors of matrices with unit diagonal are more than rounding errors."""
    # L_dd² is the share of feature d's variance that the features before it do not
    # explain. At rounding level it is noise, and so would be every density.
    share = np.diagonal(cholesky, axis1=-2, axis2=-1) ** 2
    return bool(share.min() > cholesky.shape[-1] * np.finfo(np.float64).eps)


def _inverse_of_lower(factors: np.ndarray) -> np.ndarray:
    """Inverses of lower triangular matrices, all at once, by halves.

    The inverse of [[A, 0], [B, C]] is [[A⁻¹, 0], [−C⁻¹ B A⁻¹, C⁻¹]].
    """
    n = factors.shape[-1]
    if n == 1:
        return 1 / factors
    half = n // 2
    inverse = np.zeros_like(factors)
    inverse[..., :half, :half] = _inverse_of_lower(factors[..., :half, :half])
    inverse[..., half:, half:] = _inverse_of_lower(factors[..., half:, half:])
    inverse[..., half:, :half] = -(
        inverse[..., half:, half:]
        @ factors[..., half:, :half]
        @ inverse[..., :half, :half]
    )
    return inverse


FAMILIES: dict[str, CovarianceFamily] = {
    "full": MatrixFamily(),
    "tied": MatrixFamily(tied=True),
    "diag": DiagonalFamily(),
    "tied_diag": DiagonalFamily(tied=True),
    "spherical": IsotropicFamily(),
    "tied_spherical": IsotropicFamily(tied=True),
}
