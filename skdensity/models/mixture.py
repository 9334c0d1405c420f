r"""The Gaussian mixture: its density, responsibilities and the moments of a pass.

.. math:: p(x) = \sum_k \pi_k \, N(x \mid \mu_k, \Sigma_k)

A single Gaussian is the mixture of one component.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.family import CovarianceFamily
from skdensity.models.moments import Moments
from skdensity.models.quadratic import (
    ExpandedBlock,
    ProductSums,
    QuadraticForm,
    WhitenedBlock,
)
from skdensity.models.triangular import TriangularBlock, TriangularForm
from skdensity.passes.blocks import (
    Scratch,
    Workspace,
    add_over_blocks,
    for_each_block,
)
from skdensity.passes.rows import columns_of

# From here on whitening is less work than forming all products of features.
MAX_PRODUCTS = 600
LOG_2PI = np.log(2 * np.pi)
LOWEST = np.finfo(np.float64).min

SINGULAR_ESTIMATE = (
    "The estimated covariance of component {component} is not positive definite: "
    "{detail}. Increase `reg_covar`, use fewer components or a `covariance_type` with "
    "fewer parameters, or remove constant, duplicated or collinear features."
)


def log_sum(log_terms: np.ndarray) -> np.ndarray:
    """Logarithms of the sums over components of `log_terms`, which are overwritten."""
    return _exponentials(log_terms)[0]


def posterior(
    log_joint: np.ndarray, prior: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log-densities and responsibilities of a block.

    Parameters
    ----------
    log_joint : ndarray of shape (..., n_components, n_rows)
        log π_k N(x_i | k), in nats; overwritten.
    prior : ndarray of shape (..., n_components)
        π, which stands for a row that no component reaches: it tells nothing of them.
    weight : ndarray of shape (n_rows,), default=None
        What the responsibilities of a row sum to; None is 1.

    Returns
    -------
    log_density : ndarray of shape (..., n_rows)
        In nats.
    shares : ndarray of shape (..., n_components, n_rows)
        Weight times responsibility.
    """
    log_density, terms, total = _exponentials(log_joint)
    lost = total == 0
    if lost.any():
        np.copyto(terms, prior[..., None], where=lost[..., None, :])
        total[lost] = 1
    np.divide(1 if weight is None else weight, total, out=total)
    terms *= total[..., None, :]
    return log_density, terms


def _exponentials(log_terms):
    """Log of the sum over components, the terms relative to the largest, their sum."""
    # Relative to the largest no exponential overflows and one of them is 1, unless all
    # are −inf, whose difference would be NaN.
    peak = log_terms.max(axis=-2, initial=LOWEST)
    log_terms -= peak[..., None, :]
    np.exp(log_terms, out=log_terms)
    total = log_terms.sum(axis=-2)
    with np.errstate(divide="ignore"):
        log_density = np.log(total)
    log_density += peak
    return log_density, log_terms, total


@dataclass(frozen=True)
class Mixture:
    """Parameters of a Gaussian mixture, factored and ready to evaluate.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        Non-negative, summing to 1.
    means : ndarray of shape (n_components, n_features)
        The components' means.
    cholesky : ndarray of shape ``family.shape(n_components, n_features)``
        L with Σ = L Lᵀ.
    precision_factors : ndarray of the same shape
        U = L⁻ᵀ, which whitens residuals.
    family : CovarianceFamily
        The shape of the covariances.
    """

    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray
    precision_factors: np.ndarray
    family: CovarianceFamily

    @classmethod
    def from_cholesky(cls, weights, means, cholesky, family) -> Mixture:
        """Build a mixture from the Cholesky factors L of its covariances."""
        return cls(weights, means, cholesky, family.precision_factors(cholesky), family)

    @classmethod
    def gaussian(cls, mean, cholesky, family) -> Mixture:
        """One Gaussian, from its mean and the inner shape of its Cholesky factor."""
        return cls.from_cholesky(np.ones(1), mean[None], cholesky, family)

    @classmethod
    def from_moments(
        cls, moments: Moments, family: CovarianceFamily, reg_covar: float
    ) -> Mixture:
        """The maximum-likelihood mixture given moments: EM's M-step."""
        covariances = family.estimate(moments, reg_covar)
        return cls.from_cholesky(
            moments.weights,
            moments.mean,
            family.cholesky(covariances, SINGULAR_ESTIMATE),
            family,
        )

    @property
    def covariances(self) -> np.ndarray:
        """Covariances Σ = L Lᵀ, in the family's inner shape."""
        return self.family.square(self.cholesky)

    @cached_property
    def form(self) -> QuadraticForm | TriangularForm:
        """How rows near the mixture's mean are evaluated with the least work."""
        n_features = self.means.shape[1]
        if self.family.n_products(n_features) > max(MAX_PRODUCTS, n_features):
            return TriangularForm(self)
        return QuadraticForm.of(self)

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row of a pass needs."""
        n_components, n_features = self.means.shape
        whitened = 8 * (3 * n_features + n_components)
        return max(self.form.row_bytes, whitened)

    def log_constants(self) -> np.ndarray:
        """Joint log-density of every component at its mean, in nats."""
        n_features = self.means.shape[1]
        with np.errstate(divide="ignore"):  # a component may have weight 0
            log_weights = np.log(self.weights)
        log_det = self.family.log_det(self.precision_factors, n_features)
        return log_weights + log_det - 0.5 * n_features * LOG_2PI

    def block(
        self, X: np.ndarray, rows: slice, scratch: Scratch
    ) -> ExpandedBlock | TriangularBlock | WhitenedBlock:
        """Some rows, ready to evaluate in the fastest way that keeps their digits."""
        near = self.form.block(X[rows], scratch)
        if near is None:
            return WhitenedBlock(self, columns_of(X, rows), scratch)
        return near

    def log_density(
        self, X: np.ndarray, workspace: Workspace | None = None
    ) -> np.ndarray:
        """Log-density of every row, of shape (n_samples,), in nats."""
        out = np.empty(len(X), dtype=X.dtype)
        return self._fill(out, log_sum, X, workspace)

    def log_completed(
        self, X: np.ndarray, workspace: Workspace | None = None
    ) -> np.ndarray:
        """Joint log-density of every row and its most probable component, in nats."""
        out = np.empty(len(X), dtype=X.dtype)
        return self._fill(out, lambda joint: joint.max(axis=0), X, workspace)

    def responsibilities(
        self, X: np.ndarray, workspace: Workspace | None = None
    ) -> np.ndarray:
        """Posterior probabilities of shape (n_samples, n_components)."""
        out = np.empty((len(X), len(self.weights)), dtype=X.dtype)
        return self._fill(
            out, lambda joint: posterior(joint, self.weights)[1].T, X, workspace
        )

    def labels(self, X: np.ndarray, workspace: Workspace | None = None) -> np.ndarray:
        """Most probable component of every row, of shape (n_samples,)."""
        out = np.empty(len(X), dtype=np.intp)
        return self._fill(out, lambda joint: joint.argmax(axis=0), X, workspace)

    def _fill(self, out, values, X, workspace):
        """Fill an array with a function of every block's joint log-densities."""
        workspace = workspace or Workspace()

        def fill(rows: slice) -> None:
            with workspace.scratch() as scratch:
                out[rows] = values(self.block(X, rows, scratch).log_joint())

        for_each_block(fill, len(X), self.row_bytes, workspace)
        return out

    def moments(
        self,
        X: np.ndarray,
        sample_weight: np.ndarray,
        workspace: Workspace | None = None,
    ) -> Moments:
        """One pass over the rows: the likelihood and the moments about the means.

        This is EM's E-step and all that a gradient needs. Time
        O(n_samples · n_components · n_features²) for matrices, less a factor
        n_features for diagonals; memory of one block beyond `X`.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The rows.
        sample_weight : ndarray of shape (n_samples,)
            Their weights.
        workspace : Workspace, optional
            Threads to use, and scratch to keep from pass to pass; makes no difference
            to the result.

        Returns
        -------
        moments : Moments
            Taken about ``self.means``.
        """
        workspace = workspace or Workspace()

        def term(rows: slice) -> ProductSums | Moments:
            weight = sample_weight[rows]
            with workspace.scratch() as scratch:
                block = self.block(X, rows, scratch)
                log_density, shares = posterior(block.log_joint(), self.weights, weight)
                with np.errstate(over="ignore"):  # −inf where no component reaches
                    log_likelihood = float(weight @ log_density)
                return block.sums(shares, log_likelihood)

        return add_over_blocks(term, len(X), self.row_bytes, workspace).moments()

    def sample(self, n_samples: int, rng: np.random.RandomState):
        """Ancestral sampling: draw components, then rows.

        Parameters
        ----------
        n_samples : int
            Number of rows.
        rng : RandomState
            Source of randomness.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws.
        y : ndarray of shape (n_samples,)
            The component that each row came from.
        """
        n_components, n_features = self.means.shape
        y = rng.choice(n_components, size=n_samples, p=self.weights)
        X = rng.standard_normal((n_samples, n_features))
        cholesky = self.family.untied(self.cholesky, n_components)
        for k in range(n_components):
            X[y == k] = self.means[k] + self.family.colour(cholesky[k], X[y == k])
        return X, y

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows z with x = μ + L z, in float64, for a mixture of one component."""

        (mean,), (factor,) = self.means, self.precision_factors

        out = np.empty(X.shape)

        def fill(rows: slice) -> None:
            residuals = columns_of(X, rows) - mean[:, None]
            white = np.empty_like(residuals)
            out[rows] = self.family.whiten(factor, residuals, white).T

        for_each_block(fill, len(X), row_bytes=24 * X.shape[1])
        return out

    def measured_in(self, units: Mixture) -> Mixture:
        """The mixture of ``units.whitened(X)`` when `X` has this one."""
        lower = self.family.transposed(units.precision_factors)
        means = units.whitened(self.means)
        cholesky = self.family.compose(lower, self.cholesky)
        return Mixture.from_cholesky(self.weights, means, cholesky, self.family)

    def measured_out_of(self, units: Mixture) -> Mixture:
        """The mixture of `X` when ``units.whitened(X)`` has this one."""
        means = units.means[0] + self.family.colour(units.cholesky[0], self.means)
        cholesky = self.family.compose(units.cholesky, self.cholesky)
        return Mixture.from_cholesky(self.weights, means, cholesky, self.family)
