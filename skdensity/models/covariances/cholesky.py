"""Triangular and positive definite matrices, several at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.linalg.lapack import dtrtri

# Features whose whitened values one product of matrices computes: few enough to skip
# most of a triangle's zeros, enough to fill the product's tiles.
STRIP = 32  # pragma: no mutate
# Features from which a call of LAPACK for each costs less than substitution in all.
LARGE = 24  # pragma: no mutate
# Rounding errors by which the least eigenvalue of lifted correlations exceeds zero.
LIFT = 100


def triangular_product(
    lower: np.ndarray, columns: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Product of a lower triangular matrix, full columns before it allowed."""
    n_full = lower.shape[1] - len(lower)
    for rows in _strips(len(lower)):
        end = n_full + rows.stop
        np.matmul(lower[rows, :end], columns[:end], out=out[rows])
    return out


def product_of_lower(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products of lower triangular matrices, several at once: a third of the work."""
    if left.shape[-1] <= STRIP:
        return np.matmul(left, right)
    out = np.zeros(np.broadcast_shapes(left.shape, right.shape))
    for rows in _strips(left.shape[-1]):
        end = rows.stop
        np.matmul(
            left[..., rows, :end], right[..., :end, :end], out=out[..., rows, :end]
        )
    return out


def congruence(lower: np.ndarray, symmetric: np.ndarray) -> np.ndarray:
    """V S Vᵀ for lower triangular V, as far as :func:`lower_part_of_product` reads it.

    Above the diagonal only entries within a strip are there. Of V S, too, no more than
    the lower triangle is needed, so that the work is a quarter of two full products.
    """
    if lower.shape[-1] <= STRIP:
        return np.matmul(np.matmul(lower, symmetric), np.swapaxes(lower, -1, -2))
    half, out = (
        np.zeros(np.broadcast_shapes(lower.shape, symmetric.shape)) for _ in range(2)
    )
    for rows in _strips(lower.shape[-1]):
        end = rows.stop
        np.matmul(
            lower[..., rows, :end],
            symmetric[..., :end, :end],
            out=half[..., rows, :end],
        )
    for cols in _strips(lower.shape[-1]):
        begin, end = cols.start, cols.stop
        part = np.swapaxes(lower[..., cols, :end], -1, -2)
        np.matmul(half[..., begin:, :end], part, out=out[..., begin:, cols])
    return out


def lower_part_of_product(upper: np.ndarray, symmetric: np.ndarray) -> np.ndarray:
    """tril(U W) for upper triangular U, where what is above strips is left as zero.

    Of a symmetric W it reads what :func:`congruence` computes.
    """
    if upper.shape[-1] <= STRIP:
        return np.matmul(upper, symmetric)
    out = np.zeros(np.broadcast_shapes(upper.shape, symmetric.shape))
    for rows in _strips(upper.shape[-1]):
        begin, end = rows.start, rows.stop
        np.matmul(
            upper[..., rows, begin:],
            symmetric[..., begin:, :end],
            out=out[..., rows, :end],
        )
    return out


def _strips(n_features):
    return (
        slice(begin, min(begin + STRIP, n_features))
        for begin in range(0, n_features, STRIP)
    )


def packed(lower: np.ndarray) -> np.ndarray:
    """The lower triangles of matrices, row by row: arrays of (..., n (n + 1) / 2)."""
    n_features = lower.shape[-1]
    out = np.empty((*lower.shape[:-2], n_features * (n_features + 1) // 2))
    # A thousand slices take a tenth of the time of half a million indices.
    for i, row in enumerate(_packed_rows(n_features)):
        out[..., row] = lower[..., i, : i + 1]
    return out


def unpacked(triangle: np.ndarray, n_features: int) -> np.ndarray:
    """Lower triangular matrices, from what :func:`packed` makes of them."""
    lower = np.zeros((*triangle.shape[:-1], n_features, n_features))
    for i, row in enumerate(_packed_rows(n_features)):
        lower[..., i, : i + 1] = triangle[..., row]
    return lower


@cache
def _packed_rows(n_features):
    ends = np.cumsum(np.arange(1, n_features + 1)).tolist()
    return [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


@cache
def packed_diagonal(n_features: int) -> np.ndarray:
    """Where the diagonal is in what :func:`packed` makes."""
    return np.cumsum(np.arange(1, n_features + 1)) - 1


@cache  # one for each number of features; to find them costs more than to use them
def upper_indices(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle."""
    return np.triu_indices(n_features)


@cache
def times_in_square(n_features: int) -> np.ndarray:
    """How often yᵀ P y holds each product of the upper triangle of P."""
    rows, cols = upper_indices(n_features)
    return np.where(rows == cols, 1.0, 2.0)


def row_norms(matrices: np.ndarray) -> np.ndarray:
    """Norms of the rows, of which no square overflows or underflows."""
    largest = np.abs(matrices).max(axis=-1, keepdims=True)
    # A power of two divides exactly.
    sizes = np.ldexp(1.0, np.frexp(largest)[1] - 1)
    relative = matrices / sizes
    # For small matrices a third of the time of NumPy's own.
    squares = np.einsum("...ij,...ij->...i", relative, relative)
    return sizes[..., 0] * np.sqrt(squares)


def fault(matrix: np.ndarray) -> str | None:
    """What keeps a matrix from being a covariance, for an error message."""
    variances = np.diagonal(matrix)
    if not np.all(variances > 0):
        return f"variance {variances.min():.3g} of feature {variances.argmin()}"
    try:
        cholesky = cholesky_of_correlations(matrix)
    except np.linalg.LinAlgError:
        return "it has a negative or zero eigenvalue"
    if not has_rank(cholesky):
        feature = np.diagonal(cholesky).argmin()
        return f"feature {feature} is a linear combination of others"
    return None


def cholesky_of_correlations(matrices: np.ndarray) -> np.ndarray:
    """Cholesky factors of the matrices scaled to unit diagonal."""
    # Features in different units then cannot hide a singularity.
    scale = np.sqrt(np.diagonal(matrices, axis1=-2, axis2=-1))
    return np.linalg.cholesky(matrices / (scale[..., :, None] * scale[..., None, :]))


def has_rank(cholesky: np.ndarray) -> bool:
    """Whether factors of matrices with unit diagonal are more than rounding errors."""
    # L_dd² is the share of feature d's variance that the features before it do not
    # explain. At rounding level it is noise, and so would be every density.
    unexplained = np.diagonal(cholesky, axis1=-2, axis2=-1) ** 2
    return bool(unexplained.min() > cholesky.shape[-1] * np.finfo(np.float64).eps)


def lifted_matrix(matrix: np.ndarray) -> np.ndarray:
    """A covariance whose correlations have no eigenvalue near rounding errors."""
    scale = np.sqrt(np.maximum(np.diagonal(matrix), 0))
    if not np.all(scale > 0):
        return matrix
    size = np.outer(scale, scale)
    # Where digits have cancelled, rounding errors may exceed the variances.
    correlations = np.clip(matrix / size, -1, 1)
    eigenvalues, vectors = np.linalg.eigh(correlations)
    least = LIFT * len(matrix) * np.finfo(np.float64).eps * eigenvalues[-1]
    return (vectors * np.maximum(eigenvalues, least)) @ vectors.T * size


def inverse_of_lower(factors: np.ndarray) -> np.ndarray:
    """Inverses of lower triangular matrices, several at a time.

    Small matrices by forward substitution, a row of all of them at once: row i of L⁻¹
    is −L_ij (L⁻¹)_j / L_ii, summed over j < i. Large ones by LAPACK, one after the
    other.
    """
    n = factors.shape[-1]
    if n >= LARGE:
        return _inverses_by_lapack(factors)
    diagonal = 1 / np.diagonal(factors, axis1=-2, axis2=-1)
    scaled = factors * -diagonal[..., None]
    inverse = np.zeros_like(factors)
    for i in range(n):
        above, row = inverse[..., :i, :i], inverse[..., i : i + 1, :i]
        np.matmul(scaled[..., i : i + 1, :i], above, out=row)
        inverse[..., i, i] = diagonal[..., i]
    return inverse


def _inverses_by_lapack(factors):
    inverse = np.empty(factors.shape)
    stack = factors.reshape(-1, *factors.shape[-2:])
    out = inverse.reshape(stack.shape)
    for k, factor in enumerate(stack):
        # Of the transpose, which is in LAPACK's order.
        upper, first_zero = dtrtri(np.tril(factor).T, lower=0, overwrite_c=True)
        out[k] = np.nan if first_zero else upper.T
    return inverse
