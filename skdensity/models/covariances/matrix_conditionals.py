"""Missing features under covariances with all their entries."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.lapack import dtrtrs

from skdensity.models.covariances.cholesky import inverse_of_lower
from skdensity.models.covariances.conditionals import Conditionals

# Features from which a call of LAPACK for each matrix costs less than sweeps of all.
LARGE = 16  # pragma: no mutate
# Share of a precision that the missing features before must leave, as they do unless
# features that are nearly equal are missing together. Of less, more than six digits
# cancel in Λ_mm; and of a product with its inverse more than are left, where a hole
# that is filled with the mean is that many conditional deviations off.
THIN = 1e-6
THIN_PER_DEVIATION = 1e-10
# With more than that, neither can be.
THICK = 0.01


class MatrixConditionals(Conditionals):
    """Blocks of the precision Λ = U Uᵀ, inverted for many patterns at a time."""

    def __init__(self, factor):
        self.factor = factor
        self.precision = factor @ factor.T

    def complete(self, residuals, patterns, scratch):
        log_det = np.empty(residuals.shape[1])
        pulls = scratch.array("pulls", residuals.shape)
        np.matmul(self.precision, residuals, out=pulls)
        raveled = residuals.reshape(-1)  # a view
        for some in patterns:
            covariances, each, left = self._inverted(some, scratch)
            log_det[some.rows] = some.each_row(each)
            pulled = pulls.take(some.holes)
            # A density is least sensitive here: its distance is smallest at the mean,
            # so that an error enters squared, and an inverse is as good as a solution.
            means = -(some.each_row(covariances) * pulled).sum(axis=1)
            for pattern in self._thin(some, left, pulled):
                own = some.rows_of(pattern)
                rows = residuals[:, some.rows][:, own]
                means[:, own] = self._projected(some.missing[:, pattern], rows)
            raveled[some.holes] = means
        return log_det

    def deviations(self, patterns, scratch, out):
        raveled = out.reshape(-1)  # a view
        for some in patterns:
            covariances, _, _ = self._inverted(some, scratch)
            raveled[some.holes] = some.each_row(np.sqrt(np.diagonal(covariances).T))

    def scatter(self, share, patterns, scratch):
        n_features = len(self.precision)
        sums = np.zeros(n_features**2)
        for some in patterns:
            covariances, _, _ = self._inverted(some, scratch)
            shares = np.add.reduceat(share[some.rows], some.begin)
            pairs, weights = self._pairs(some.missing), covariances * shares
            sums += np.bincount(pairs.ravel(), weights.ravel(), n_features**2)
        return sums.reshape(n_features, n_features)

    def _pairs(self, missing):
        """Where pairs of missing features are in the raveled precision."""
        return missing[:, None] * len(self.precision) + missing

    def _inverted(self, patterns, scratch):
        """Λ_mm⁻¹ of shape (m, m, n_patterns), log |Λ_mm|, and what is left of it."""
        missing = patterns.missing
        blocks = scratch.array("inverses", (len(missing), *missing.shape))
        self.precision.take(self._pairs(missing), out=blocks, mode="clip")
        inverses, log_det, left = inverted(blocks, scratch)
        thin = np.flatnonzero(~(left >= THIN))
        if len(thin):
            inverses[:, :, thin], log_det[thin] = self._of_thin(missing[:, thin])
        return inverses, log_det, left

    def _thin(self, some, left, pulled):
        """Patterns of which an inverse is not good enough."""
        if not left.min() < THICK:  # nor if factors are no numbers
            return ()
        scale = np.sqrt(np.diagonal(self.precision))
        off = np.abs(pulled / some.each_row(scale[some.missing])).max()
        return np.flatnonzero(left < max(THIN, THIN_PER_DEVIATION * off))

    def _projected(self, missing, residuals):
        """Conditional means as least squares, by projection on U_mᵀ = Q R."""
        orthogonal, triangle = np.linalg.qr(self.factor[missing].T)
        white = self.factor.T @ residuals
        means, _ = dtrtrs(triangle, -(orthogonal.T @ white))
        return means

    def _of_thin(self, missing):
        """The same from Uᵀ_m = Q R: half as many digits cancel in Λ_mm = Rᵀ R."""
        columns = self.factor[missing.T].swapaxes(1, 2)
        triangles: Any = np.linalg.qr(columns, mode="r")
        with np.errstate(all="ignore"):  # of factors that are no numbers
            inverses = inverse_of_lower(triangles.swapaxes(1, 2))
            products = np.matmul(inverses.swapaxes(1, 2), inverses)
            pivots = np.abs(np.diagonal(triangles, axis1=1, axis2=2))
            return products.transpose(1, 2, 0), 2 * np.log(pivots).sum(axis=1)


def inverted(matrices, scratch):
    """Inverses and log-determinants of many small positive definite matrices.

    Parameters
    ----------
    matrices : ndarray of shape (n, n, n_matrices)
        Overwritten.
    scratch : Scratch
        Where temporaries are kept.

    Returns
    -------
    inverses : ndarray of shape (n, n, n_matrices)
        A⁻¹.
    log_det : ndarray of shape (n_matrices,)
        log |A|.
    left : ndarray of shape (n_matrices,)
        The smallest share of a diagonal entry that the rows before leave; NaN, or no
        positive number, where rounding errors are all that is left.
    """
    diagonals = np.einsum("iin->in", matrices).copy()
    invert = _swept if len(matrices) < LARGE else _by_lapack
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverses, pivots = invert(matrices, scratch)
        left = (pivots / diagonals).min(axis=0, initial=1.0)
        return inverses, np.log(pivots).sum(axis=0), left


def _swept(matrices, scratch):
    """By sweeps (Goodnight 1979, doi:10.1080/00031305.1979.10482685), all at once."""
    pivots = np.empty(matrices.shape[1:])
    products = scratch.array("products of pivots", matrices.shape)
    for i, pivot in enumerate(pivots):
        pivot[...] = matrices[i, i]
        column, row = matrices[:, i].copy(), matrices[i] / pivot
        matrices -= np.multiply(column[:, None], row, out=products)
        matrices[i] = matrices[:, i] = row
        matrices[i, i] = -1 / pivot
    return np.negative(matrices, out=matrices), pivots


def _by_lapack(matrices, scratch):
    stack = np.ascontiguousarray(matrices.transpose(2, 0, 1))
    try:
        factors = np.linalg.cholesky(stack)
        inverses = np.linalg.inv(stack).transpose(1, 2, 0)
    except np.linalg.LinAlgError:
        return _swept(matrices, scratch)
    return inverses, np.diagonal(factors, axis1=1, axis2=2).T ** 2
