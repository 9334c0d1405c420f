"""Covariances with one variance for all features."""

from __future__ import annotations

import numpy as np

from skdensity.models.covariances.diagonal import (
    DiagonalConditionals,
    DiagonalFactors,
    DiagonalParameters,
    DiagonalParts,
    DiagonalProducts,
    DiagonalScatter,
    DiagonalShape,
)
from skdensity.models.covariances.family import CovarianceFamily


class IsotropicShape(DiagonalShape):
    """Variances (n_components or 1, 1)."""

    pooled_features = (1,)

    def of_matrix(self, matrix):
        return np.diagonal(matrix)[:1].copy()


class IsotropicScatter(DiagonalScatter):
    """Sums of squares over all features: a squared norm is all that is needed."""

    def outer(self, a, b):
        return np.sum(a * b, axis=1, keepdims=True)

    def of_residuals(self, residuals, share, out):
        return super().of_residuals(residuals, share, out).sum(keepdims=True)

    def isolated(self, variances):
        return np.mean(variances, keepdims=True)


class IsotropicParts(DiagonalParts):
    """The same width, whatever the features."""

    def marginal(self, cholesky, features):
        return cholesky


class IsotropicConditionals(DiagonalConditionals):
    """Each feature that is missing adds the same variance."""

    def complete(self, residuals, patterns, scratch):
        log_det = np.empty(residuals.shape[1])
        for some in patterns:
            log_det[some.rows] = 2 * some.n_missing * np.log(self.factor)
        return log_det

    def scatter(self, share, patterns, scratch):
        n_missing = sum(some.n_missing * share[some.rows].sum() for some in patterns)
        return n_missing / self.factor / self.factor


class IsotropicProducts(DiagonalProducts):
    """The squared norm."""

    def n_products(self, n_features):
        return 1

    def of_columns(self, columns, out):
        np.einsum("dn,dn->n", columns, columns, out=out[0])


class IsotropicParameters(DiagonalParameters):
    """Logarithm of the standard deviation."""

    def gradient(self, white, mass, factors, n_features):
        return self.shape.pooled(white - n_features * mass[:, None]).ravel()


def isotropic_family(
    name: str, own: CovarianceFamily | None = None
) -> CovarianceFamily:
    """One variance; with `own`, the same for all components."""
    shape = IsotropicShape(tied=own is not None)
    return CovarianceFamily(
        name,
        shape=shape,
        scatter=IsotropicScatter(shape),
        factors=DiagonalFactors(),
        own=own,
        parts=IsotropicParts(),
        conditionals=IsotropicConditionals,
        products=IsotropicProducts(),
        free=IsotropicParameters(shape),
    )
