r"""The Gaussian mixture: its density, responsibilities and the moments of a pass.

.. math:: p(x) = \sum_k \pi_k \, N(x \mid \mu_k, \Sigma_k)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skdensity.models.conditional_normals import Statistic
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.form import Form, spread
from skdensity.models.mixtures.forms.incomplete import IncompleteForm
from skdensity.models.mixtures.forms.local import LocalForm
from skdensity.models.mixtures.forms.table import (
    MAX_EXPANDED,
    MAX_EXPANDED_IN_PASSES,
    form_of,
)
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.posterior import log_likelihood, log_sum, posterior
from skdensity.models.mixtures.relevance import Relevance, are_many, relevance_of
from skdensity.passes.scratch import Scratch
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.rows.rows import Block, HeldRows, Rows, effective_number

# Components for each feature from which on a single pass pays for an order of the rows.
MIN_TO_ORDER = 100  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Mixture(Components):
    """Parameters of a Gaussian mixture, factored and ready to evaluate."""

    @classmethod
    def alone(cls, gaussian: Gaussian) -> Mixture:
        """A mixture of one component."""
        mean, cholesky = gaussian.mean[None], gaussian.cholesky[None]
        return cls.from_cholesky(np.ones(1), mean, cholesky, gaussian.family)

    @cached_property
    def form(self) -> Form:
        """How rows are evaluated with the least work that keeps their digits."""
        return form_of(self, MAX_EXPANDED)

    @cached_property
    def pass_form(self) -> Form:
        """How rows are evaluated whose log-densities and moments only add up."""
        return form_of(self, MAX_EXPANDED_IN_PASSES)

    @cached_property
    def relevance(self) -> Relevance | None:
        """Which components matter where, if most matter nowhere near a row."""
        return relevance_of(self)

    def near(self, rows: Rows) -> Rows:
        """The rows in the order that makes passes short, where that pays for many."""
        may_pay = are_many(self.n_components, self.n_features, rows.n_rows)
        return rows.near if may_pay and self.relevance is not None else rows

    def log_density(self, rows: HeldRows) -> np.ndarray:
        """Log-density of every row, of shape (n_samples,), in nats."""
        return self._filled(rows, log_sum)

    def log_completed(self, rows: HeldRows) -> np.ndarray:
        """Joint log-density of every row and its most probable component, in nats."""
        return self._filled(rows, lambda joint, _: joint.max(axis=0))

    def responsibilities(self, rows: HeldRows) -> np.ndarray:
        """Posterior probabilities of shape (n_samples, n_components)."""

        def of_joint(joint, out):
            return posterior(joint, self.weights, out=out)[1].T

        form, shape = self._suited(self.form, rows), (self.n_components,)
        return rows.fill(self._of_joint(form, of_joint), form.row_bytes, shape=shape)

    def log_responsibilities(self, rows: HeldRows) -> np.ndarray:
        """Logarithms of the same, which keep what is too small for an exponential."""
        with np.errstate(divide="ignore"):
            log_prior = np.log(self.weights)

        def of_joint(joint, out):
            # Relative to the largest: far from all components its digits are all of a
            # log-density, and none are left for the shares.
            peak = joint.max(axis=0)
            is_lost = np.isneginf(peak)
            joint -= np.where(is_lost, 0.0, peak)
            joint[:, is_lost] = log_prior[:, None]
            joint[np.isneginf(log_prior)] = -np.inf
            return (joint - log_sum(joint.copy(), out)).T

        form, shape = self._suited(self.form, rows), (self.n_components,)
        return rows.fill(self._of_joint(form, of_joint), form.row_bytes, shape=shape)

    def log_components(self, rows: HeldRows) -> np.ndarray:
        """log N(x_i | k), of shape (n_samples, n_components), in nats."""
        # Of equal weights, since a component may have weight 0.
        equal = replace(self, weights=np.full_like(self.weights, 1 / len(self.weights)))
        form, shape = equal._suited(equal.form, rows), (self.n_components,)

        def of_joint(joint, _):
            return (joint + np.log(self.n_components)).T

        return rows.fill(self._of_joint(form, of_joint), form.row_bytes, shape=shape)

    def gradient(self, rows: HeldRows) -> np.ndarray:
        r"""Gradient of the log-density, of the shape and dtype of complete rows.

        .. math:: \nabla \log p(x) = \sum_k r_k(x) \, \Sigma_k^{-1} (\mu_k - x)
        """
        gaussians = [self.gaussian(k) for k in range(self.n_components)]

        def values(X, scratch):
            joint = self.form.block(X, scratch).log_joint()
            _, shares = posterior(joint, self.weights)
            out, columns = np.zeros(X.shape), X.T.astype(np.float64)
            for share, gaussian in zip(shares, gaussians, strict=True):
                residuals = columns - gaussian.mean[:, None]
                out += share[:, None] * gaussian.slopes(residuals, scratch)
            return out

        row_bytes = self.form.row_bytes + 48 * self.n_features
        return rows.fill(values, row_bytes, shape=self.means.shape[1:])

    def completed(self, rows: HeldRows) -> np.ndarray:
        """Rows with holes, with the conditional mean in these, in float64."""
        form = self._suited(self.form, rows)

        def values(X, scratch):
            found: Any = form.block(X, scratch)
            _, shares = posterior(found.log_joint(), self.weights)
            residuals = np.einsum("kn,kdn->nd", shares, found.residuals)
            return np.where(np.isnan(X), residuals + shares.T @ self.means, X)

        shape, row_bytes = self.means.shape[1:], form.row_bytes
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
        form = IncompleteForm(self.form, self)

        def values(X, scratch):
            found: Any = form.block(X, scratch)
            _, shares = posterior(found.log_joint(), self.weights)
            return found.normals(shares).each(features, statistic, shape)

        each = (len(features), *shape)
        return rows.fill(values, 2 * form.row_bytes, shape=each, dtype=np.float64)

    def drawn(self, X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Rows with draws of what is missing (NaN), given what was observed.

        A component by its responsibility, then a draw from its conditional Gaussian.
        """
        shares = self.responsibilities(IncompleteRows(X.astype(np.float64)))
        below = np.cumsum(shares, axis=1)
        places = rng.random_sample(len(X)) * below[:, -1]
        y = np.sum(below <= places[:, None], axis=1)
        out = np.empty(X.shape)
        for k in np.unique(y):
            out[y == k] = self.gaussian(k).drawn(X[y == k], rng)
        return out

    def labels(self, rows: HeldRows) -> np.ndarray:
        """Most probable component of every row, of shape (n_samples,)."""
        form = self._suited(self.form, rows)
        values = self._of_joint(form, lambda joint, _: joint.argmax(axis=0))
        return rows.fill(values, form.row_bytes, dtype=np.intp)

    def effective_rows(self, rows: Rows) -> np.ndarray:
        """Kish's effective number of rows behind each covariance, in one pass.

        (Σ w r)² / Σ (w r)²: see :func:`~skdensity.rows.rows.effective_number`. One
        number where all components share a covariance; then r is 1. Rows in near order
        may do without responsibilities of less than 2e-22: only a component that has no
        others is then said to have none.
        """
        if self.family.shape.tied:
            return np.array([effective_number(rows)])
        form, largest = self.local_form(self.pass_form, rows), rows.largest_weight

        def term(block: Block, scratch: Scratch):
            # Relative to the largest, squares of tiny weights are not lost.
            part = block.weight / largest
            found = form.block(block.X, scratch)
            _, shares = posterior(found.log_joint(), self.weights[found.kept], part)
            squares = np.einsum("kn,kn->k", shares, shares)
            sums = np.stack([shares.sum(axis=1), squares], axis=1)
            return spread(sums, found.kept, self.n_components)

        total, squares = rows.add(term, form.row_bytes).T
        none = np.zeros_like(total)
        return np.divide(total**2, squares, out=none, where=squares > 0)

    def _filled(self, rows, values):
        """What only depends on components that matter, for every row."""
        if self.n_components >= MIN_TO_ORDER * self.n_features:
            rows = self.near(rows)
        form = self.local_form(self.form, rows)
        return rows.fill(self._of_joint(form, values), form.row_bytes)

    def local_form(self, form: Form, rows: Rows) -> Form | LocalForm:
        """The form that does without what does not matter, where blocks are compact."""
        if not rows.are_near or self.relevance is None:
            return self._suited(form, rows)
        return LocalForm(form, self.relevance, rows.n_rows)

    def _suited(self, form: Form, rows: Rows) -> Form:
        """The form that the kind of rows takes."""
        return form if rows.are_complete else IncompleteForm(form, self)

    @staticmethod
    def _of_joint(
        form: Form | LocalForm, values: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ) -> Callable[[np.ndarray, Scratch], np.ndarray]:
        """A function of blocks, from one of joint log-densities and room for shares."""

        def of_block(X, scratch):
            joint = form.block(X, scratch).log_joint()
            return values(joint, scratch.array("shares", joint.shape))

        return of_block

    def moments(self, rows: Rows) -> Moments:
        """One pass over the rows: the likelihood and the moments about the means.

        This is EM's E-step and all that a gradient needs. Time
        O(n_samples · n_components · n_features²) for matrices, less a factor
        n_features for diagonals; memory of one block beyond the rows. Where rows are in
        near order and most components far from most of them, blocks do without the
        components that cannot matter there; that shows in no digit.

        Parameters
        ----------
        rows : Rows
            Weighted rows.

        Returns
        -------
        moments : Moments
            Taken about ``self.means``.
        """
        form = self.local_form(self.pass_form, rows)

        def term(block: Block, scratch: Scratch):
            found = form.block(block.X, scratch)
            log_joint = found.log_joint()
            out = scratch.array("shares", log_joint.shape)
            prior = self.weights[found.kept]
            log_density, shares = posterior(log_joint, prior, block.weight, out)
            value = log_likelihood(log_density, block.weight)
            return found.sums(shares, value)

        return rows.add(term, form.row_bytes).moments()

    def sample(
        self, n_samples: int, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
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
        y = rng.choice(self.n_components, size=n_samples, p=self.weights)
        X = rng.standard_normal((n_samples, self.n_features))
        for k in range(self.n_components):
            X[y == k] = self.gaussian(k).colour(X[y == k])
        return X, y

    def taken(
        self, components: np.ndarray, family: CovarianceFamily | None = None
    ) -> Mixture:
        """Components in another order, as a mixture of this family or of another.

        Parameters
        ----------
        components : ndarray of int
            Their indices in the new order.
        family : CovarianceFamily, optional
            Another family of the same shape; of a tied one, all components have the
            covariance of the first.
        """
        family = family or self.family
        order = components[:1] if family.shape.tied else components
        cholesky = self.own(self.cholesky)[order]
        weights, means = self.weights[components], self.means[components]
        return Mixture.from_cholesky(weights, means, cholesky, family)

    def marginal(self, features: np.ndarray) -> Mixture:
        """The mixture of some features, whatever the others are.

        Parameters
        ----------
        features : ndarray of int
            Indices, in the order that the result has.
        """
        parts = self.family.asked("parts", "a marginal")
        cholesky = parts.marginal(self.cholesky, features)
        means = self.means[:, features]
        return Mixture.from_cholesky(self.weights, means, cholesky, self.family)

    def conditional(self, given: np.ndarray, values: np.ndarray) -> Mixture:
        """The mixture of the other features, in their order, where some are known.

        Every component counts by how probable it makes the values.

        Parameters
        ----------
        given : ndarray of int
            Indices of the features that are known; not all of them.
        values : ndarray of shape (n_given,)
            Their values.
        """
        others = np.setdiff1d(np.arange(self.n_features), given)
        known = np.asarray(values, dtype=np.float64)[None]
        joint = self.marginal(given).form.block(known, Scratch()).log_joint()
        _, responsibilities = posterior(joint, self.weights)
        parts = self.family.asked("parts", "a conditional density")
        slopes, rest = parts.conditional(self.cholesky, given, others)
        steps = (known - self.means[:, given])[:, :, None]
        means = self.means[:, others] + np.matmul(slopes, steps)[:, :, 0]
        return Mixture.from_cholesky(responsibilities[:, 0], means, rest, self.family)
