"""Covariances of independent features; their factors are standard deviations."""

from __future__ import annotations

import math

import numpy as np

from skdensity.models.covariances.conditionals import Conditionals
from skdensity.models.covariances.factors import Factors
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.free import FreeParameters
from skdensity.models.covariances.parts import Parts
from skdensity.models.covariances.products import Products
from skdensity.models.covariances.scatter import Scatter
from skdensity.models.covariances.shape import Shape


class DiagonalShape(Shape):
    """Variances (n_components or 1, n_features)."""

    feature_axes = (1,)

    def n_parameters(self, n_components, n_features):
        return math.prod(self.inner_shape(n_components, n_features))

    def matrices(self, inner, n_features):
        matrices = np.zeros((*inner.shape[:-1], n_features, n_features))
        diagonal = np.arange(n_features)
        matrices[..., diagonal, diagonal] = inner
        return matrices

    def of_matrix(self, matrix):
        return np.diagonal(matrix).copy()

    def variances(self, inner, n_features):
        return np.broadcast_to(inner, (*inner.shape[:-1], n_features))

    def asymmetry(self, inner):
        return np.zeros(len(inner))


class DiagonalScatter(Scatter):
    """Sums of squares, one for each feature."""

    def outer(self, a, b):
        return a * b

    def of_residuals(self, residuals, share, out):
        return np.multiply(residuals, residuals, out=out) @ share

    def isolated(self, variances):
        return variances

    def floored(self, scatter, least):
        return np.maximum(scatter, least, out=scatter)


class DiagonalFactors(Factors):
    """Standard deviations, and their reciprocals."""

    def factored(self, covariances):
        singular = np.flatnonzero(~(covariances.min(axis=1) > 0))
        if not len(singular):
            return np.sqrt(covariances), {}
        return covariances, {int(k): _fault(covariances[k]) for k in singular}

    def of_precisions(self, precisions):
        factors, faults = self.factored(precisions)
        return (factors if faults else 1 / factors), faults

    def precision_factors(self, cholesky):
        return 1 / cholesky

    def cholesky_factors(self, precision_factors):
        return 1 / precision_factors

    def square(self, factors):
        return factors**2

    def compose(self, outer, inner):
        return outer * inner

    def relative(self, precision_factors, cholesky):
        return precision_factors * cholesky

    def log_diagonal(self, factors):
        return np.log(factors)

    def whiten(self, factor, residuals, out):
        return np.multiply(factor[:, None], residuals, out=out)

    def colour(self, cholesky, noise):
        return noise * cholesky

    def solve(self, factors, vectors):
        return factors**2 * vectors


class DiagonalParts(Parts):
    """Independent features tell nothing of each other."""

    def marginal(self, cholesky, features):
        return cholesky[..., features]

    def conditional(self, cholesky, given, others):
        slopes = np.zeros((*cholesky.shape[:-1], len(others), len(given)))
        return slopes, self.marginal(cholesky, others)

    def deviations(self, cholesky):
        return cholesky

    def scaled(self, cholesky, scale):
        return cholesky * scale


class DiagonalConditionals(Conditionals):
    """Features that are missing keep their means and variances."""

    def __init__(self, factor):
        self.factor = factor

    def complete(self, residuals, patterns, scratch):
        log_det, logs = np.empty(residuals.shape[1]), 2 * np.log(self.factor)
        for some in patterns:
            log_det[some.rows] = some.each_row(logs[some.missing].sum(axis=0))
        return log_det

    def deviations(self, patterns, scratch, out):
        raveled, each = out.reshape(-1), 1 / np.broadcast_to(self.factor, len(out))
        for some in patterns:
            raveled[some.holes] = some.each_row(each[some.missing])

    def scatter(self, share, patterns, scratch):
        sums = np.zeros_like(self.factor)
        for some in patterns:
            shares = np.add.reduceat(share[some.rows], some.begin)
            each = np.broadcast_to(shares, some.missing.shape)
            sums += np.bincount(some.missing.ravel(), each.ravel(), len(sums))
        return sums / self.factor / self.factor  # whose square might overflow


class DiagonalProducts(Products):
    """The squares of the features."""

    def n_products(self, n_features):
        return n_features

    def of_columns(self, columns, out):
        np.multiply(columns, columns, out=out)

    def coefficients(self, precisions, n_features):
        return precisions

    def of_scatter(self, scatter):
        return scatter

    def to_scatter(self, sums, n_features):
        return sums

    def sensitivities(self, factors):
        return factors

    def reach(self, sensitivities, steps):
        return np.sum((sensitivities * steps) ** 2, axis=-1)

    def least(self, deviations, steps):
        return np.sum((steps / deviations) ** 2, axis=-1)


class DiagonalParameters(FreeParameters):
    """Logarithms of the standard deviations."""

    def ravel(self, cholesky):
        return np.log(cholesky).ravel()

    def unravel(self, free, n_components, n_features):
        return np.exp(free).reshape(self.shape.inner_shape(n_components, n_features))

    def floored(self, free, log_minimum):
        return np.maximum(free.reshape(-1, len(log_minimum)), log_minimum).ravel()

    def white_scatter(self, factors, scatter):
        return factors**2 * scatter

    def trace(self, scatter):
        return scatter.sum(axis=1)

    def gradient(self, white, mass, factors, n_features):
        return self.shape.pooled(white - mass[:, None]).ravel()


def _fault(variances):
    """Which variance is not positive; a single one may be that of all features."""
    smallest = variances.argmin()
    of_feature = f" of feature {smallest}" * (len(variances) > 1)
    return f"variance {variances[smallest]:.3g}{of_feature}"


def diagonal_family(name: str, own: CovarianceFamily | None = None) -> CovarianceFamily:
    """Independent features; with `own`, one covariance for all components."""
    shape = DiagonalShape(tied=own is not None)
    return CovarianceFamily(
        name,
        shape=shape,
        scatter=DiagonalScatter(shape),
        factors=DiagonalFactors(),
        own=own,
        parts=DiagonalParts(),
        conditionals=DiagonalConditionals,
        products=DiagonalProducts(),
        free=DiagonalParameters(shape),
    )
