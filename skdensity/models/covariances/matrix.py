"""Covariances with all their entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.models.covariances.cholesky import (
    cholesky_of_correlations,
    congruence,
    fault,
    has_rank,
    inverse_of_lower,
    lower_part_of_product,
    packed,
    packed_diagonal,
    product_of_lower,
    row_norms,
    times_in_square,
    triangular_product,
    unpacked,
    upper_indices,
)
from skdensity.models.covariances.factors import Factors
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.free import FreeParameters
from skdensity.models.covariances.matrix_conditionals import MatrixConditionals
from skdensity.models.covariances.parts import Parts
from skdensity.models.covariances.products import Products
from skdensity.models.covariances.scatter import Scatter
from skdensity.models.covariances.shape import Shape


class MatrixShape(Shape):
    """Matrices (n_components or 1, n_features, n_features)."""

    feature_axes = (1, 2)

    def n_parameters(self, n_components, n_features):
        n_matrices, *_ = self.inner_shape(n_components, n_features)
        return n_matrices * n_features * (n_features + 1) // 2

    def matrices(self, inner, n_features):
        return inner

    def of_matrix(self, matrix):
        return matrix

    def variances(self, inner, n_features):
        return np.diagonal(inner, axis1=-2, axis2=-1)

    def asymmetry(self, inner):
        skew = np.abs(inner - np.swapaxes(inner, -1, -2)).max(axis=(1, 2))
        size = np.abs(inner).max(axis=(1, 2))
        return np.divide(skew, size, out=np.zeros_like(skew), where=size > 0)


class MatrixScatter(Scatter):
    """Matrices of second moments."""

    def outer(self, a, b):
        return a[:, :, None] * b[:, None, :]

    def of_residuals(self, residuals, share, out):
        np.multiply(residuals, np.sqrt(share), out=out)
        return out @ out.T  # which NumPy computes as a symmetric update: half the work

    def isolated(self, variances):
        return np.diag(variances)

    def floored(self, scatter, least):
        squares = np.einsum("kdd->kd", scatter)  # a view
        smallest = np.diagonal(least, axis1=1, axis2=2)
        is_known = squares >= smallest
        if not is_known.all():
            # Of what is unknown, products with others are no better.
            scatter *= is_known[:, :, None] & is_known[:, None, :]
            np.maximum(squares, smallest, out=squares)
        return scatter


def _faults_of(covariances):
    """Which of some matrices are no covariances, one by one, and why."""
    faults = {k: fault(matrix) for k, matrix in enumerate(covariances)}
    return {k: fault for k, fault in faults.items() if fault}


class MatrixFactors(Factors):
    """Triangular matrices."""

    def factored(self, covariances):
        with np.errstate(divide="ignore", invalid="ignore"):
            try:
                cholesky = cholesky_of_correlations(covariances)
            except np.linalg.LinAlgError:
                faults = _faults_of(covariances)
                if not faults:  # of none by itself
                    raise
                return covariances, faults
            if not has_rank(cholesky):
                return covariances, _faults_of(covariances)
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        return np.sqrt(variances)[..., :, None] * cholesky, {}

    def of_precisions(self, precisions):
        # With J the reversal of the features, J P J = R Rᵀ gives P = (J R J)(J R J)ᵀ,
        # and J R J is upper triangular: it is U, so that L = U⁻ᵀ.
        flipped, faults = self.factored(precisions[:, ::-1, ::-1])
        if faults:
            return precisions, faults
        return self.cholesky_factors(flipped[:, ::-1, ::-1]), {}

    def precision_factors(self, cholesky):
        return np.swapaxes(inverse_of_lower(cholesky), -1, -2)

    def cholesky_factors(self, precision_factors):
        return inverse_of_lower(np.swapaxes(precision_factors, -1, -2))

    def square(self, factors):
        return np.matmul(factors, np.swapaxes(factors, -1, -2))

    def compose(self, outer, inner):
        return product_of_lower(outer, inner)

    def relative(self, precision_factors, cholesky):
        return np.matmul(np.swapaxes(precision_factors, -1, -2), cholesky)

    def log_diagonal(self, factors):
        return np.log(np.diagonal(factors, axis1=-2, axis2=-1))

    def whiten(self, factor, residuals, out):
        return triangular_product(factor.T, residuals, out)

    def colour(self, cholesky, noise):
        return noise @ cholesky.T

    def solve(self, factors, vectors):
        white = np.matmul(np.swapaxes(factors, -1, -2), vectors[..., None])
        return np.matmul(factors, white)[..., 0]


class MatrixParts(Parts):
    """Blocks of Σ, in whose factors the order of features is another."""

    def marginal(self, cholesky, features):
        return self._ordered(cholesky, features)

    def conditional(self, cholesky, given, others):
        # With a first, x_a = μ_a + L_aa z_a and x_b = μ_b + L_ba z_a + L_bb z_b.
        n_given = len(given)
        ordered = self._ordered(cholesky, np.concatenate([given, others]))
        inverse = inverse_of_lower(ordered[..., :n_given, :n_given])
        slopes = np.matmul(ordered[..., n_given:, :n_given], inverse)
        return slopes, ordered[..., n_given:, n_given:]

    def deviations(self, cholesky):
        return row_norms(cholesky)

    def scaled(self, cholesky, scale):
        return cholesky * scale[:, None]

    def _ordered(self, cholesky, features):
        """L of some features in some order.

        By rotations, as Σ = L Lᵀ has half of the digits of a small pivot of L.
        """
        rows = cholesky[..., features, :]
        upper: Any = np.linalg.qr(np.swapaxes(rows, -1, -2), mode="r")
        signs = np.copysign(1, np.diagonal(upper, axis1=-2, axis2=-1))
        return np.swapaxes(upper * signs[..., None], -1, -2)


class MatrixProducts(Products):
    """All products of two features, each once."""

    def n_products(self, n_features):
        return n_features * (n_features + 1) // 2

    def of_columns(self, columns, out):
        begin = 0
        for i in range(len(columns)):
            end = begin + len(columns) - i
            np.multiply(columns[i], columns[i:], out=out[begin:end])
            begin = end

    def coefficients(self, precisions, n_features):
        rows, cols = upper_indices(n_features)
        return precisions[:, rows, cols] * times_in_square(n_features)

    def of_scatter(self, scatter):
        rows, cols = upper_indices(scatter.shape[-1])
        return scatter[:, rows, cols]

    def to_scatter(self, sums, n_features):
        rows, cols = upper_indices(n_features)
        scatter = np.empty((len(sums), n_features, n_features))
        scatter[:, rows, cols] = sums
        scatter[:, cols, rows] = sums
        return scatter

    def whitening_maps(self, factors, shift):
        lower = np.swapaxes(factors, -1, -2)
        return np.concatenate([-np.matmul(lower, shift[:, :, None]), lower], axis=2)

    def sensitivities(self, factors):
        return row_norms(factors)

    def reach(self, sensitivities, steps):
        return np.sum(sensitivities * steps, axis=-1) ** 2


class MatrixParameters(FreeParameters):
    """The lower triangle of L, with the logarithm of its diagonal."""

    def ravel(self, cholesky):
        free, diagonal = packed(cholesky), packed_diagonal(cholesky.shape[-1])
        free[:, diagonal] = np.log(free[:, diagonal])
        return free.ravel()

    def unravel(self, free, n_components, n_features):
        n_matrices, *_ = self.shape.inner_shape(n_components, n_features)
        cholesky = unpacked(free.reshape(n_matrices, -1), n_features)
        diagonal = np.einsum("kdd->kd", cholesky)  # a view
        np.exp(diagonal, out=diagonal)
        return cholesky

    def floored(self, free, log_minimum):
        diagonal = packed_diagonal(len(log_minimum))
        floored = free.reshape(-1, diagonal[-1] + 1).copy()
        floored[:, diagonal] = np.maximum(floored[:, diagonal], log_minimum)
        return floored.ravel()

    def white_scatter(self, factors, scatter):
        # Of components that share a covariance, the sum is all that counts.
        pooled = self.shape.pooled(scatter)
        return congruence(np.swapaxes(factors, -1, -2), pooled)

    def trace(self, scatter):
        return np.trace(scatter, axis1=-2, axis2=-1)

    def gradient(self, white, mass, factors, n_features):
        # ∂ℓ/∂L = tril(Σ⁻¹ S L⁻ᵀ) − N diag(1/L_dd) with Σ⁻¹ S L⁻ᵀ = U white, and
        # ∂ℓ/∂log L_dd = L_dd ∂ℓ/∂L_dd with L_dd = 1/U_dd.
        free = packed(lower_part_of_product(factors, white))
        diagonal = packed_diagonal(n_features)
        total = self.shape.pooled(mass[:, None, None])[:, 0]
        pivots = np.diagonal(factors, axis1=1, axis2=2)
        free[:, diagonal] = free[:, diagonal] / pivots - total
        return free.ravel()


def matrix_family(name: str, own: CovarianceFamily | None = None) -> CovarianceFamily:
    """Any covariance; with `own`, one for all components."""
    shape = MatrixShape(tied=own is not None)
    return CovarianceFamily(
        name,
        shape=shape,
        scatter=MatrixScatter(shape),
        factors=MatrixFactors(),
        own=own,
        parts=MatrixParts(),
        conditionals=MatrixConditionals,
        products=MatrixProducts(),
        free=MatrixParameters(shape),
    )
