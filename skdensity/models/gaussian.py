r"""One Gaussian: its density, its draws, and those of some of its features.

.. math:: \log N(x \mid \mu, L L^\top) =
    -\tfrac{1}{2} \lVert L^{-1} (x - \mu) \rVert^2 - \log |L| - \tfrac{d}{2} \log 2\pi
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.completed import LOG_2PI, HoledBlock
from skdensity.models.conditional_normals import HoleNormals, Statistic
from skdensity.models.covariances.conditionals import Conditionals
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.normal_sums import NormalSums
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.rows.rows import HeldRows


@dataclass(frozen=True, eq=False)
class Gaussian(NormalSums):
    """A Gaussian, factored and ready to evaluate.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        μ.
    cholesky : ndarray
        L with Σ = L Lᵀ, in the layout of the family, without an axis of components.
    family : CovarianceFamily
        The shape of the covariance.
    """

    mean: np.ndarray
    cholesky: np.ndarray
    family: CovarianceFamily

    @classmethod
    def of_matrix(
        cls,
        mean: np.ndarray,
        covariance: np.ndarray,
        family: CovarianceFamily,
        complaint: str,
    ) -> Gaussian:
        """The Gaussian with a covariance matrix; without a factor, a ValueError."""
        inner = family.shape.of_matrix(covariance)
        (cholesky,) = family.cholesky(inner[None], complaint)
        return cls(mean, cholesky, family)

    @classmethod
    def isolated(
        cls, mean: np.ndarray, variances: np.ndarray, family: CovarianceFamily
    ) -> Gaussian:
        """The Gaussian with given variances and no correlations.

        Families with one variance for all features take their mean.
        """
        covariance = family.scatter.isolated(variances)
        (cholesky,) = family.cholesky(covariance[None], "{detail}")
        return cls(mean, cholesky, family)

    @property
    def n_features(self) -> int:
        """Dimension."""
        return len(self.mean)

    @cached_property
    def precision_factor(self) -> np.ndarray:
        """U = L⁻ᵀ, which whitens residuals."""
        return self.family.factors.precision_factors(self.cholesky)

    @property
    def covariance(self) -> np.ndarray:
        """Σ as a matrix."""
        inner = self.family.factors.square(self.cholesky)
        return self.family.shape.matrices(inner, self.n_features)

    @property
    def precision(self) -> np.ndarray:
        """Σ⁻¹ as a matrix, not finite where it overflows."""
        inner = self.family.precisions(self.precision_factor)
        return self.family.shape.matrices(inner, self.n_features)

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviations of the features, of shape (n_features or 1,)."""
        parts = self.family.asked("parts", "a standard deviation")
        return parts.deviations(self.cholesky)

    @cached_property
    def log_volume(self) -> float:
        """log |L|: how much larger a unit cube of whitened rows is in the data."""
        return float(self.family.factors.log_det(self.cholesky, self.n_features))

    @property
    def log_peak(self) -> float:
        """Log-density at the mean, in nats."""
        return -self.log_volume - 0.5 * self.n_features * LOG_2PI

    @cached_property
    def conditionals(self) -> Conditionals:
        """What features that are missing are, given the others."""
        conditionals = self.family.asked("conditionals", "a row with missing values")
        return conditionals(self.precision_factor)

    def log_density(self, rows: HeldRows) -> np.ndarray:
        """Log-density of every row, of shape (n_samples,), in nats."""

        def values(X, scratch):
            if rows.are_complete:
                residuals, corrections = self._residuals(X, scratch), 0.0
            else:
                residuals, corrections = self._completed(X, scratch)
            white = scratch.array("white", residuals.shape)
            self.family.factors.whiten(self.precision_factor, residuals, white)
            squares = np.einsum("dn,dn->n", white, white)
            squares[np.isnan(squares)] = np.inf  # ∞ − ∞ on the way
            return self.log_peak - 0.5 * squares + corrections

        # −inf where a distance has no square, or is no float itself
        with np.errstate(over="ignore", invalid="ignore"):
            return rows.fill(values, row_bytes=32 * self.n_features)

    def gradient(self, rows: HeldRows) -> np.ndarray:
        """Gradient of the log-density, of the shape and dtype of complete rows."""

        def values(X, scratch):
            return self.slopes(self._residuals(X, scratch), scratch)

        return rows.fill(values, 40 * self.n_features, shape=self.mean.shape)

    def slopes(self, residuals: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Gradients −Σ⁻¹ r of shape (n_rows, n_features), of residuals' columns."""
        white = scratch.array("white", residuals.shape)
        self.family.factors.whiten(self.precision_factor, residuals, white)
        return -self.family.factors.colour(self.precision_factor, white.T)

    def normals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Itself, of weight 1."""
        deviations = np.broadcast_to(self.deviations, self.mean.shape)
        return np.ones(1), self.mean[None], deviations[None]

    def correlated(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Its covariance, if features may be correlated."""
        is_oriented = self.family.shape.is_oriented
        return [(self.covariance, np.array([0]))] * is_oriented

    def whiten(self, X: np.ndarray) -> np.ndarray:
        """Rows z with x = μ + L z, in float64."""

        def values(X, scratch):
            residuals = self._residuals(X, scratch)
            out = scratch.array("white", residuals.shape)
            return self.family.factors.whiten(self.precision_factor, residuals, out).T

        shape, row_bytes = X.shape[1:], 32 * self.n_features
        return ArrayRows(X).fill(values, row_bytes, shape=shape, dtype=np.float64)

    def colour(self, Z: np.ndarray) -> np.ndarray:
        """Rows x = μ + L z from whitened ones."""
        return self.mean + self.coloured_steps(Z)

    def coloured_steps(self, Z: np.ndarray) -> np.ndarray:
        """Differences L z of rows from those of whitened rows."""
        return self.family.factors.colour(self.cholesky, Z)

    def whitened_steps(self, steps: np.ndarray) -> np.ndarray:
        """Differences of whitened rows from those of rows."""
        columns = np.ascontiguousarray(steps.T, dtype=np.float64)
        out = np.empty_like(columns)
        return self.family.factors.whiten(self.precision_factor, columns, out).T

    def sample(self, n_samples: int, rng: np.random.RandomState) -> np.ndarray:
        """Independent draws, of shape (n_samples, n_features)."""
        # Of the one component of a mixture, so that seeds mean the same in both.
        rng.random_sample(n_samples)
        return self.colour(rng.standard_normal((n_samples, self.n_features)))

    def scaled(self, scale: float) -> Gaussian:
        """The Gaussian that is wider by a factor, about the same mean."""
        return Gaussian(self.mean, scale * self.cholesky, self.family)

    def marginal(self, features: np.ndarray) -> Gaussian:
        """The Gaussian of some features, whatever the others are.

        Parameters
        ----------
        features : ndarray of int
            Indices, in the order that the result has.
        """
        parts = self.family.asked("parts", "a marginal")
        cholesky = parts.marginal(self.cholesky, features)
        return Gaussian(self.mean[features], cholesky, self.family)

    def conditional(self, given: np.ndarray, values: np.ndarray) -> Gaussian:
        """The Gaussian of the other features, in their order, where some are known.

        Parameters
        ----------
        given : ndarray of int
            Indices of the features that are known; not all of them.
        values : ndarray of shape (n_given,)
            Their values.
        """
        slopes, rest, others = self.regression(given)
        mean = self.mean[others] + slopes @ (values - self.mean[given])
        return Gaussian(mean, rest, self.family)

    def regression(
        self, given: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How the other features follow those given.

        Returns
        -------
        slopes : ndarray of shape (n_others, n_given)
            Σ_ba Σ_aa⁻¹.
        rest : ndarray
            L of the covariance that is left, in the layout of the family.
        others : ndarray of int
            The other features.
        """
        others = np.setdiff1d(np.arange(self.n_features), given)
        parts = self.family.asked("parts", "a conditional density")
        slopes, rest = parts.conditional(self.cholesky, given, others)
        return slopes, rest, others

    def completed(self, rows: IncompleteRows) -> np.ndarray:
        """Rows with the conditional mean of what is missing, in float64."""

        def values(X, scratch):
            residuals, _ = self._completed(X, scratch)
            return np.where(np.isnan(X), self.mean + residuals.T, X)

        shape, row_bytes = self.mean.shape, 40 * self.n_features
        return rows.fill(values, row_bytes, shape=shape, dtype=np.float64)

    def conditioned(
        self,
        rows: IncompleteRows,
        features: np.ndarray,
        statistic: Statistic,
        shape: tuple[int, ...] = (),
    ) -> np.ndarray:
        """A statistic of some features where rows miss them, given the others.

        Of shape (n_samples, n_some) + `shape`, in float64; NaN where a feature is
        there. Every row has a hole.
        """

        def values(X, scratch):
            block = HoledBlock.of(X, scratch)
            residuals = scratch.array("residuals", block.columns.shape)
            block.completed(self.mean, self.conditionals, residuals)
            deviations = scratch.array("deviations", block.columns.shape)
            block.deviations(self.conditionals, deviations)
            alone = np.ones((1, len(X))), self.mean[None], residuals[None]
            normals = HoleNormals(block, *alone, deviations[None])
            return normals.each(features, statistic, shape)

        each, row_bytes = (len(features), *shape), 64 * self.n_features
        return rows.fill(values, row_bytes, shape=each, dtype=np.float64)

    def drawn(self, X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Rows with draws of what is missing (NaN), given what was observed.

        To a draw of a whole row is added what the row differs from it, completed: that
        has the conditional mean and covariance, without a factor for each pattern
        (Hoffman and Ribak 1991, doi:10.1086/186160).
        """
        draws = self.coloured_steps(rng.standard_normal(X.shape))
        return np.where(
            np.isnan(X), draws + self.completed(IncompleteRows(X - draws)), X
        )

    def _residuals(self, X, scratch):
        residuals = scratch.array("residuals", X.shape[::-1])
        return np.subtract(X.T, self.mean[:, None], out=residuals)

    def _completed(self, X, scratch):
        """Completed residuals, and what the log-densities of completed rows lack."""
        rows = HoledBlock.of(X, scratch)
        out = scratch.array("residuals", rows.columns.shape)
        return out, rows.completed(self.mean, self.conditionals, out)
