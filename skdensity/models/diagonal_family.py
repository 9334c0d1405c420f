"""Covariances of independent features."""

from __future__ import annotations

import math

import numpy as np

from skdensity.models.family import CovarianceFamily


class DiagonalFamily(CovarianceFamily):
    """Independent features: ``"diag"``, and ``"tied_diag"`` when pooled.

    Inner shape (n_components or 1, n_features); the Cholesky factors are standard
    deviations.
    """

    rank = 1

    def n_parameters(self, n_components, n_features):
        return math.prod(self.shape(n_components, n_features))

    def matrices(self, inner, n_features):
        matrices = np.zeros((len(inner), n_features, n_features))
        diagonal = np.arange(n_features)
        matrices[:, diagonal, diagonal] = inner
        return matrices

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
