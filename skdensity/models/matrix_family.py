"""Covariances with all their entries."""

from __future__ import annotations

import numpy as np

from skdensity.models.family import CovarianceFamily
from skdensity.models.triangles import (
    cholesky_of_correlations,
    fault,
    has_rank,
    inverse_of_lower,
    lower_indices,
    triangular_product,
    upper_indices,
)


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
        rows, cols = upper_indices(n_features)
        # yᵀ P y holds every product of two different features twice.
        return matrices[:, rows, cols] * np.where(rows == cols, 1, 2)

    def to_products(self, second):
        rows, cols = upper_indices(second.shape[-1])
        return second[:, rows, cols]

    def from_products(self, sums, n_features):
        rows, cols = upper_indices(n_features)
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
                cholesky = cholesky_of_correlations(matrices)
                if has_rank(cholesky):
                    variances = np.diagonal(matrices, axis1=1, axis2=2)
                    return np.sqrt(variances)[:, :, None] * cholesky, {}
            except np.linalg.LinAlgError:
                pass  # one by one, it will show which matrix it is, and why
            faults = {k: fault(matrix) for k, matrix in enumerate(matrices)}
        return matrices, {k: fault for k, fault in faults.items() if fault}

    def precision_factors(self, cholesky):
        return self.transposed(inverse_of_lower(cholesky))

    def cholesky_factors(self, precision_factors):
        return inverse_of_lower(self.transposed(precision_factors))

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
        rows, cols = lower_indices(cholesky.shape[-1])
        free = cholesky[:, rows, cols]
        free[:, rows == cols] = np.log(free[:, rows == cols])
        return free.ravel()

    def unravel(self, free, n_components, n_features):
        rows, cols = lower_indices(n_features)
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
        rows, cols = lower_indices(len(scale))
        return np.where(rows == cols, 1, scale[rows])

    def floored(self, free, log_minimum):
        rows, cols = lower_indices(len(log_minimum))
        minimum = np.where(rows == cols, log_minimum[rows], -np.inf)
        return np.maximum(free.reshape(-1, len(minimum)), minimum).ravel()

    def gradient(self, white, mass, factors, n_features):
        # ∂ℓ/∂L = tril(Σ⁻¹ S2 L⁻ᵀ) − N diag(1/L_dd) with Σ⁻¹ S2 L⁻ᵀ = U white, and
        # ∂ℓ/∂log L_dd = L_dd ∂ℓ/∂L_dd with L_dd = 1/U_dd.
        gradient = self.pooled(np.matmul(factors, white))
        rows, cols = lower_indices(factors.shape[-1])
        free = gradient[:, rows, cols]
        diagonal = np.diagonal(factors, axis1=1, axis2=2)
        total = self.pooled(mass[:, None, None])[:, 0]
        free[:, rows == cols] = free[:, rows == cols] / diagonal - total
        return free.ravel()
