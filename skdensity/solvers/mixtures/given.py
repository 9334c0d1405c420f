"""Parts of a start that are given, and the others, which must belong to them.

Weights and covariances of components that were found elsewhere say nothing about the
neighbourhood of a mean that is given. The rows that are nearest to it do. Without
means, components that were found are matched with what is given. The other parts then
adapt, in some steps of EM that hold those given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import linear_sum_assignment

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, moments_about, shares_of_parts
from skdensity.solvers.mixtures.climbs import ClimbStep, one_row
from skdensity.solvers.mixtures.problem import StartProblem

# Steps in which the other parts adapt, and the rise of the mean log-likelihood below
# which there are no more. Half or twice of the first and ten times more or less of the
# second lead to the same optima, from each of the three parts alone, on 20 tables of a
# narrow cluster beside two wide ones.
MAX_STEPS = 15
SETTLED = 1e-5
# Stands for an infinite loss, with which no two sums of losses would differ.
LARGEST_LOSS = 1e100


@dataclass(frozen=True, eq=False)
class Given:
    """Parts of a start that are given; None are to be found.

    Attributes
    ----------
    weights : ndarray of shape (n_components,) or None
        Non-negative, summing to 1.
    means : ndarray of shape (n_components, n_features) or None
        The components' means.
    cholesky : ndarray or None
        L with Σ = L Lᵀ, in the family's inner shape.
    """

    weights: np.ndarray | None = None
    means: np.ndarray | None = None
    cholesky: np.ndarray | None = None

    @property
    def n_parts(self) -> int:
        """How many of the three parts are given."""
        parts = (self.weights, self.means, self.cholesky)
        return sum(part is not None for part in parts)

    def instead_of(self, found: Mixture) -> Mixture:
        """A mixture whose parts are replaced by those given."""
        return Mixture.from_cholesky(
            found.weights if self.weights is None else self.weights,
            found.means if self.means is None else self.means,
            found.cholesky if self.cholesky is None else self.cholesky,
            found.family,
        )


@dataclass(frozen=True, eq=False)
class Completion:
    """Finds the parts of a start that belong to those given.

    Attributes
    ----------
    given : Given
        Some of the parts, or none.
    problem : StartProblem
        What the start is sought for.
    """

    given: Given
    problem: StartProblem

    def around(self, means: np.ndarray) -> Mixture:
        """The start that follows from means, which are given.

        Every row belongs to the nearest mean, in the units that the family allows for;
        where covariances are given, to the components that they make probable.
        """
        problem, cholesky = self.problem, self.given.cholesky
        if cholesky is None:
            return self.adapted(self._of_nearest_rows(means))
        even = np.full(len(means), 1 / len(means))
        return self.adapted(
            Mixture.from_cholesky(even, means, cholesky, problem.family)
        )

    def matched(self, found: Mixture) -> Mixture:
        """Components that were found, each in the place of what is given for it.

        Parameters
        ----------
        found : Mixture
            Components in any order.

        Returns
        -------
        matched : Mixture
            The same, in the order in which the likelihood loses least when their parts
            are replaced by those given.
        """
        n = found.n_components
        losses = np.stack([self._losses(found, place) for place in range(n)])
        _, order = linear_sum_assignment(losses)
        return found.taken(order)

    def adapted(self, found: Mixture) -> Mixture:
        """The mixture with the given parts, after the others have adapted to them."""
        rows, mixture = self.problem.rows, self.given.instead_of(found)
        value = -np.inf
        for _ in range(MAX_STEPS):
            moments, before = mixture.moments(rows), value
            mixture = self._maximised(moments)
            value = moments.log_likelihood / rows.total_weight
            if value - before < SETTLED:
                break
        return mixture

    def _losses(self, found, place):
        r"""What each component loses in a place: π_k (log π_k/π_j + KL(N_k ‖ N_j)).

        So much does the log-likelihood of rows fall, were they and the components that
        they came from as found.
        """
        given, family, d = self.given, found.family, found.n_features
        losses, algebra = np.zeros(found.n_components), family.factors
        # Of weights that are 0, and of precisions beyond all bounds.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if given.weights is not None:
                losses += np.log(found.weights / given.weights[place])
            if given.cholesky is not None:
                white = algebra.precision_factors(found.own(given.cholesky)[[place]])
                change = algebra.relative(white, found.own(found.cholesky))
                traces = family.shape.variances(algebra.square(change), d).sum(axis=-1)
                losses += 0.5 * (traces - d) - algebra.log_det(change, d)
            losses = np.nan_to_num(found.weights * losses)
        return np.clip(losses, -LARGEST_LOSS, LARGEST_LOSS)

    def _of_nearest_rows(self, means):
        """The M-step of rows that belong to the nearest mean."""
        problem, n = self.problem, len(means)
        units = problem.units
        alike = np.repeat(units.cholesky[None], n, axis=0)
        nearest = Mixture.from_cholesky(np.full(n, 1 / n), means, alike, units.family)
        shares_of = shares_of_parts(nearest.labels(problem.rows), n)
        scatter = problem.family.scatter
        return self._maximised(moments_about(problem.rows, means, shares_of, scatter))

    @cached_property
    def _step(self):
        return ClimbStep.of(self.problem)

    def _maximised(self, moments: Moments) -> Mixture:
        """The M-step of the parts that are not given.

        Every component counts one row more, which lies as those of all components do:
        none is lost that has no rows yet.
        """
        rows, family = self.problem.rows, self.problem.family
        if self.given.means is not None:
            # The covariance about a mean that is held is not that about the rows' own.
            moments = replace(moments, first=np.zeros_like(moments.first))
        climbed = self._step(moments, one_row(rows, n_climbs=1)).mixture
        mass = moments.mass + rows.smallest_weight
        cholesky = climbed.cholesky[:1] if family.shape.tied else climbed.cholesky
        return self.given.instead_of(
            Mixture.from_cholesky(mass / mass.sum(), climbed.means, cholesky, family)
        )
