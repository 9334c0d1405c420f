r"""The Gaussian mixture: its density, responsibilities and the moments of a pass.

.. math:: p(x) = \sum_k \pi_k \, N(x \mid \mu_k, \Sigma_k)

A single Gaussian is the mixture of one component.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.covariances import CovarianceFamily
from skdensity.models.moments import Moments
from skdensity.models.quadratic import ExpandedBlock, QuadraticForm, WhitenedBlock
from skdensity.passes.blocks import add_over_blocks, fill_over_blocks
from skdensity.passes.rows import columns_of

LOG_2PI = np.log(2 * np.pi)
LOWEST = np.finfo(np.float64).min

SINGULAR_ESTIMATE = (
    "The estimated covariance of component {component} is not positive definite: "
    "{detail}. Increase `reg_covar`, use fewer components or a `covariance_type` with "
    "fewer parameters, or remove constant, duplicated or collinear features."
)


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
    def form(self) -> QuadraticForm | None:
        """The log-densities expanded about the mixture's mean, if that is less work."""
        return QuadraticForm.of(self)

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row of a pass needs."""
        whitened = 8 * self.means.size
        return max(self.form.row_bytes, whitened) if self.form else whitened

    def log_constants(self) -> np.ndarray:
        """Joint log-density of every component at its mean, in nats."""
        n_features = self.means.shape[1]
        with np.errstate(divide="ignore"):  # a component may have weight 0
            log_weights = np.log(self.weights)
        log_det = self.family.log_det(self.precision_factors, n_features)
        return log_weights + log_det - 0.5 * n_features * LOG_2PI

    def block(self, X: np.ndarray, rows: slice) -> ExpandedBlock | WhitenedBlock:
        """Some rows, ready to evaluate in the faster way that keeps their digits."""
        columns = columns_of(X, rows)
        products = self.form.products(columns) if self.form else None
        if products is None:
            return WhitenedBlock(self, columns)
        return ExpandedBlock(self.form, products)

    def posterior(self, log_joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-densities and responsibilities of a block.

        Parameters
        ----------
        log_joint : ndarray of shape (n_components, n_rows)
            log π_k N(x_i | k), in nats; overwritten.

        Returns
        -------
        log_density : ndarray of shape (n_rows,)
            In nats.
        responsibilities : ndarray of shape (n_components, n_rows)
            Columns sum to 1.
        """
        terms = log_joint
        # Relative to the largest term no exponential overflows and one of them is 1,
        # unless all are −inf, whose difference would be NaN.
        peak = np.maximum(terms.max(axis=0), LOWEST)
        terms -= peak
        np.exp(terms, out=terms)
        total = terms.sum(axis=0)
        with np.errstate(divide="ignore"):
            log_density = peak + np.log(total)
        lost = total == 0
        if lost.any():
            # A row that no component reaches tells nothing of them: the prior stands.
            terms[:, lost], total[lost] = self.weights[:, None], 1
        terms /= total
        return log_density, terms

    def log_density(self, X: np.ndarray, n_threads: int = 1) -> np.ndarray:
        """Log-density of every row, of shape (n_samples,), in nats."""
        return fill_over_blocks(
            lambda rows: self.posterior(self.block(X, rows).log_joint())[0],
            np.empty(len(X), dtype=X.dtype),
            self.row_bytes,
            n_threads,
        )

    def log_completed(self, X: np.ndarray, n_threads: int = 1) -> np.ndarray:
        """Joint log-density of every row and its most probable component, in nats."""
        return fill_over_blocks(
            lambda rows: self.block(X, rows).log_joint().max(axis=0),
            np.empty(len(X), dtype=X.dtype),
            self.row_bytes,
            n_threads,
        )

    def responsibilities(self, X: np.ndarray, n_threads: int = 1) -> np.ndarray:
        """Posterior probabilities of shape (n_samples, n_components)."""
        return fill_over_blocks(
            lambda rows: self.posterior(self.block(X, rows).log_joint())[1].T,
            np.empty((len(X), len(self.weights)), dtype=X.dtype),
            self.row_bytes,
            n_threads,
        )

    def labels(self, X: np.ndarray, n_threads: int = 1) -> np.ndarray:
        """Most probable component of every row, of shape (n_samples,)."""
        return fill_over_blocks(
            lambda rows: self.block(X, rows).log_joint().argmax(axis=0),
            np.empty(len(X), dtype=np.intp),
            self.row_bytes,
            n_threads,
        )

    def moments(
        self, X: np.ndarray, sample_weight: np.ndarray, n_threads: int = 1
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
        n_threads : int, default=1
            Blocks that are worked on at a time; makes no difference to the result.

        Returns
        -------
        moments : Moments
            Taken about ``self.means``.
        """

        def term(rows: slice) -> Moments:
            block, weight = self.block(X, rows), sample_weight[rows]
            log_density, shares = self.posterior(block.log_joint())
            shares *= weight
            return block.moments(shares, float(weight @ log_density))

        return add_over_blocks(term, len(X), self.row_bytes, n_threads)

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
        # A tied family has one factor, which serves every component.
        cholesky = np.broadcast_to(
            self.cholesky, (n_components, *self.cholesky.shape[1:])
        )
        for k in range(n_components):
            X[y == k] = self.means[k] + self.family.colour(cholesky[k], X[y == k])
        return X, y

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows z with x = μ + L z, in float64, for a mixture of one component."""

        def values(rows: slice) -> np.ndarray:
            residuals = columns_of(X, rows) - self.means[:, :, None]
            return self.family.whiten(self.precision_factors, residuals)[0].T

        return fill_over_blocks(values, np.empty(X.shape), self.row_bytes)

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
