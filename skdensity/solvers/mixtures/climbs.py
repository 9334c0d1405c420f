"""Short EM runs side by side, as one mixture of all their components.

A step of all of them is a pass or two of matrix products, and costs little more than
one of a single run while the rows are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily, unless_faulty
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.posterior import posterior
from skdensity.models.mixtures.relevance import are_many
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.rows import Block
from skdensity.solvers.mixtures.em import SINGULAR_ESTIMATE
from skdensity.solvers.mixtures.problem import StartProblem

# The weight of rows that outweigh all others: components then share their covariance.
OUTWEIGHING = np.inf
# Part of the covariance of all rows that is added to every component's, so that none
# is singular. A hundred times more or less changes no fit by more than .001 nats, on
# the tables that `partitions` names.
RIDGE = 1e-6
# Digits after the point that mean log-likelihoods are compared in: far above rounding
# errors, and far below what tells a better climb.
DIGITS = 6
# From so many parts on, most are in few of the blocks when the rows are sorted by them;
# the moments are the same either way.
MANY = 64  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Climbs:
    """Mixtures of the same size, evaluated as one mixture of all their components.

    Attributes
    ----------
    mixture : Mixture
        The components of all; their weights sum to 1 within each climb.
    n_climbs : int
        Number of climbs.
    """

    mixture: Mixture
    n_climbs: int

    @classmethod
    def of(cls, mixture: Mixture, components: np.ndarray) -> Climbs:
        """Climbs of some components of a mixture of an untied family.

        Parameters
        ----------
        mixture : Mixture
            Where the components are from.
        components : ndarray of int of shape (n_climbs, n_components)
            Which those of each climb are.
        """
        weights = _normalised(mixture.weights[components])
        index = components.ravel()
        means, cholesky = mixture.means[index], mixture.cholesky[index]
        mixture = Mixture.from_cholesky(
            weights.ravel(), means, cholesky, mixture.family
        )
        return cls(mixture, len(components))

    def moments(self, rows: ArrayRows, weight: np.ndarray | None = None) -> Moments:
        """One pass over the rows; the log-likelihood has an entry for every climb.

        Parameters
        ----------
        rows : ArrayRows
            The rows.
        weight : ndarray of shape (n_climbs, n_rows), optional
            Weights of the rows for every climb; by default those that they have.
        """
        if are_many(self.n_components, rows.n_features, rows.n_rows):
            return self._one_by_one(lambda _, climb: climb.moments(climb.near(rows)))
        prior = self._by_climb(self.mixture.weights)

        def shares_of(form, block, scratch):
            own = block.weight if weight is None else weight[:, block.index]
            joint = self._by_climb(form.log_joint())
            out = scratch.array("shares", joint.shape)
            log_density, shares = posterior(joint, prior, own, out)
            return shares, np.sum(log_density * own, axis=1)

        return self._moments(rows, shares_of)

    def moments_of_parts(self, rows: ArrayRows, labels: np.ndarray) -> Moments:
        """The same for given parts of the rows, of shape (n_climbs, n_rows)."""
        if self.n_components >= MANY:
            return self._one_by_one(
                lambda c, climb: _moments_of_parts(climb, rows, labels[c])
            )
        components = np.arange(self.n_components)[:, None]

        def shares_of(form, block, scratch):
            is_part = labels[:, None, block.index] == components
            return block.weight * is_part, np.zeros(self.n_climbs)

        return self._moments(rows, shares_of)

    def _moments(self, rows, shares_of):
        form = self.mixture.pass_form

        def term(block: Block, scratch: Scratch):
            found = form.block(block.X, scratch)
            shares, log_likelihood = shares_of(found, block, scratch)
            shares = shares.reshape(self.mixture.n_components, -1)
            return found.sums(shares, log_likelihood)

        return rows.add(term, form.row_bytes).moments()

    def _one_by_one(self, moments_of):
        """Moments of each climb by itself, for what is left out for one of them."""
        found = [moments_of(c, self.climb(c)) for c in range(self.n_climbs)]
        mass, first, second = (
            np.concatenate([getattr(moments, name) for moments in found])
            for name in ("mass", "first", "second")
        )
        log_likelihood: Any = np.array([moments.log_likelihood for moments in found])
        return Moments(log_likelihood, mass, first, second, self.mixture.means)

    @property
    def n_components(self) -> int:
        """Components of each climb."""
        return self.mixture.n_components // self.n_climbs

    def climb(self, index: int) -> Mixture:
        """One of them."""
        return self.some(np.array([index])).mixture

    def some(self, index: np.ndarray) -> Climbs:
        """Some of them, in the order of their indices."""
        components = np.arange(self.mixture.n_components)
        return Climbs.of(self.mixture, self._by_climb(components)[index])

    def _by_climb(self, values):
        return values.reshape(self.n_climbs, -1, *values.shape[1:])


def ranked(log_likelihood: np.ndarray) -> np.ndarray:
    """Indices of climbs by their mean log-likelihoods, the most likely first.

    Of climbs that reach the same height, up to `DIGITS` digits, the first: or rounding,
    of which units and axes make another, would choose among them.
    """
    behind = (log_likelihood.max(initial=-np.inf) - log_likelihood).round(DIGITS)
    return np.argsort(behind, kind="stable")


def by_weight(found: Mixture, family: CovarianceFamily) -> Mixture:
    """A climb as a mixture of the fit's family, its components by weight.

    Whatever the last digits of the weights: those of runs from elsewhere are others.
    """
    order = np.argsort(-found.weights.round(DIGITS), kind="stable")
    return found.taken(order, family)


def one_row(rows: ArrayRows, n_climbs: int) -> np.ndarray:
    """The weight of one row, to be lent to the components of every climb."""
    return np.full(n_climbs, rows.smallest_weight)


@dataclass(frozen=True, eq=False)
class ClimbStep:
    """The M-step of climbs, whose components lean on what they have in common.

    The covariance of a component is that of its rows and of some more rows, which vary
    as all components of the climb do on average: a component on a few rows would look
    better than it is. With :data:`OUTWEIGHING` rows more, components share their
    covariance.

    Attributes
    ----------
    family : CovarianceFamily
        The family of the fit.
    added : ndarray
        Covariance that is added to each, in the family's layout, without an axis of
        components.
    of_all : ndarray, optional
        Covariance of all rows, in the same layout. It takes the place of one that is
        singular, which is an error otherwise.
    """

    family: CovarianceFamily
    added: np.ndarray
    of_all: np.ndarray | None = None

    @classmethod
    def of(cls, problem: StartProblem) -> ClimbStep:
        """Adds what a fit adds, and as much as keeps a covariance regular."""
        units = problem.units
        of_all = units.family.factors.square(units.cholesky)
        return cls(problem.family, problem.reg_covar + RIDGE * of_all, of_all)

    def __call__(self, moments: Moments, lent: np.ndarray) -> Climbs:
        """Climbs of the largest likelihood.

        Parameters
        ----------
        moments : Moments
            Of the components of all climbs.
        lent : ndarray of shape (n_climbs,)
            Weight of the rows that are lent to each component of a climb; always
            :data:`OUTWEIGHING` where the family has one covariance for all components.
        """
        n_climbs, own = len(lent), self.family.untied
        mass = moments.mass.reshape(n_climbs, -1)
        each = moments.covariances(own.scatter, 0.0)
        each = each.reshape(*mass.shape, *each.shape[1:])
        weights = _normalised(mass)
        common = np.einsum("ck,ck...->c...", weights, each)[:, None]
        if self.family.shape.tied:
            lent = np.full(n_climbs, OUTWEIGHING)
        # A row of next to no weight lends nothing, however large the quotient.
        with np.errstate(divide="ignore", over="ignore"):
            part = 1 / (1 + mass / lent[:, None])
        part = part.reshape(*mass.shape, *(1,) * (each.ndim - 2))
        covariances = (each + part * (common - each)).reshape(moments.second.shape)
        cholesky = self._factors(covariances + self.added)
        mixture = Mixture.from_cholesky(weights.ravel(), moments.mean, cholesky, own)
        return Climbs(mixture, n_climbs)

    def _factors(self, covariances):
        factors = self.family.untied.factors
        cholesky, faults = factors.factored(covariances)
        if faults and self.of_all is not None:
            # A variance far below the distance to `about`, or to an outlier, is a
            # rounding error, and may be negative: no reason to end a fit that has not
            # begun.
            covariances[list(faults)] = self.of_all
            cholesky, faults = factors.factored(covariances)
        return unless_faulty((cholesky, faults), SINGULAR_ESTIMATE)


def _normalised(weights):
    """Weights that sum to 1 within each climb."""
    total = weights.sum(axis=1, keepdims=True)
    # A component that explains no rows may be a climb of its own: 0 / 0 is no weight.
    even = np.full_like(weights, 1 / weights.shape[1])
    return np.divide(weights, total, out=even, where=total > 0)


def _moments_of_parts(mixture, rows, labels):
    """Moments of components of which each explains a part of the rows."""
    order = np.argsort(labels, kind="stable")
    rows, labels, form = rows.take(order), labels[order], mixture.pass_form

    def term(block: Block, scratch: Scratch):
        own = labels[block.index]
        kept = np.arange(own.min(), own.max() + 1)
        shares = block.weight * np.equal.outer(kept, own)
        return form.block(block.X, scratch, kept).sums(shares, 0.0)

    return rows.add(term, form.row_bytes).moments()
