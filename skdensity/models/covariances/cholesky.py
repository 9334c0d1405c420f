"""Triangular and positive definite matrices, several at a time."""

from __future__ import annotations

from functools import cache

import numpy as np

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


@cache  # one for each number of features; to find them costs more than to use them
def upper_indices(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle."""
    return np.triu_indices(n_features)


@cache
def lower_indices(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the lower triangle."""
    return np.tril_indices(n_features)


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


def inverse_of_lower(factors: np.ndarray) -> np.ndarray:
    """Inverses of lower triangular matrices, all at once, by halves.

    The inverse of [[A, 0], [B, C]] is [[A⁻¹, 0], [−C⁻¹ B A⁻¹, C⁻¹]].
    """
    n = factors.shape[-1]
    if n == 1:
        return 1 / factors
    half = n // 2
    inverse = np.zeros_like(factors)
    inverse[..., :half, :half] = inverse_of_lower(factors[..., :half, :half])
    inverse[..., half:, half:] = inverse_of_lower(factors[..., half:, half:])
    inverse[..., half:, :half] = -(
        inverse[..., half:, half:]
        @ factors[..., half:, :half]
        @ inverse[..., :half, :half]
    )
    return inverse
