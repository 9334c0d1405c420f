"""A start by many short EM runs, of which the best goes on.

Biernacki, Celeux and Govaert (2003), doi:10.1016/S0167-9473(02)00163-9: EM climbs to
the optimum above its start, so the time is better spent on many short climbs than on a
long one. They climb side by side on a sample of the rows, and the worse ones are given
up on the way. How many there are follows from what a fit costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import moments_of
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.budget import ROUNDS, SHARED_STEPS, Budget
from skdensity.solvers.mixtures.climbs import (
    OUTWEIGHING,
    Climbs,
    ClimbStep,
    by_weight,
    one_row,
    ranked,
)
from skdensity.solvers.mixtures.moves import moved
from skdensity.solvers.mixtures.partitions import (
    Table,
    distinct_partitions,
    kmeans_labels,
    nearest_seeds,
)
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.sample import rows_for_matrices, sampled

# Nats per row by which a climb from the axes as they are given must be ahead of those
# that do not know them: with 0 or .2, fits end within .03 nats on the tables that
# `partitions` names.
MARGIN = 0.05
# Where rows are few for the matrices of all components, these keep the rows that they
# begin with: clusters of so many runs of k-means, after so many steps, tell as much as
# climbs, and each step is dear. Measured on raw digits.
N_PARTITIONS = 4
PARTITION_STEPS = 2


def small_em(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """The best of many short EM runs, its components by weight."""
    if problem.n_components == 1:
        return problem.mixture(moments_of(problem.rows, problem.family.scatter))
    return by_weight(Search(problem, rng).best(), problem.family)


@dataclass(frozen=True, eq=False)
class Search:
    """A search for a start, on a sample of the rows.

    Attributes
    ----------
    problem : StartProblem
        What is sought.
    rng : RandomState
        Source of randomness.
    """

    problem: StartProblem
    rng: np.random.RandomState

    @cached_property
    def sample(self) -> tuple[ArrayRows, Table]:
        """The rows that climbs look at, and their coordinates; drawn once."""
        return sampled(self.problem, self.rng)

    @cached_property
    def budget(self) -> Budget:
        """What it may cost."""
        return Budget(self.problem, self.sample[0].n_rows)

    @cached_property
    def m_step(self) -> ClimbStep:
        """What climbs and moves are estimated by."""
        return ClimbStep.of(self.problem)

    def best(self) -> Mixture:
        """The most likely of the climbs."""
        rows, table = self.sample
        # One for each kind of partitions, and one for moves: what the axes change in
        # the ones is not to change the others.
        seeds = self.rng.randint(2**31, size=3)
        given, invariant, moving = map(np.random.RandomState, seeds)
        if self.is_short_of_rows:
            return self._best_partition(given)
        tables, is_invariant = table.coordinates(self.budget.n_climbs)
        labels = np.concatenate(
            [
                self._cut(tables[~is_invariant], given),
                self._cut(tables[is_invariant], invariant),
            ]
        )
        found = self._climbed(rows, self._moments_of(rows, labels), is_invariant)
        if not self.budget.may_move:
            return found
        # One climb that is moved reaches farther than one more.
        return moved(found, rows, self.m_step, moving)

    @property
    def is_short_of_rows(self) -> bool:
        """Whether climbs would cost more than they are worth, and tell little."""
        is_few = self.problem.rows.n_rows < rows_for_matrices(self.problem)
        return is_few and self.budget.worthwhile < self.budget.n_climbs

    def _best_partition(self, rng):
        """The most likely of some partitions after a few steps, one by one."""
        rows, table = self.sample
        tables = np.broadcast_to(table.scaled, (N_PARTITIONS, *table.scaled.shape))
        labels = kmeans_labels(tables, table.weight, self.problem.n_components, rng)
        found = distinct_partitions(labels)
        climbs = (self._first_step(rows, of_one[None]) for of_one in found)
        if len(found) == 1:
            return next(climbs).mixture
        return max((self._valued(climb) for climb in climbs), key=itemgetter(0))[1]

    def _first_step(self, rows, labels):
        one = one_row(rows, len(labels))
        return self.m_step(self._moments_of(rows, labels), one)

    def _valued(self, climb):
        """The log-likelihood of a climb after some steps, and its mixture."""
        rows, _ = self.sample
        for _ in range(PARTITION_STEPS):
            moments = climb.moments(rows)
            climb = self.m_step(moments, one_row(rows, 1))
        return moments.log_likelihood[0], climb.mixture

    def _cut(self, tables, rng):
        """Labels of the parts of tables, at a price that suits the fit."""
        weight, n_components = self.sample[1].weight, self.problem.n_components
        n_kmeans = min(self.budget.n_by_kmeans, len(tables))
        found = [np.empty((0, len(weight)), dtype=np.intp)]
        for cut, some in (
            (kmeans_labels, tables[:n_kmeans]),
            (nearest_seeds, tables[n_kmeans:]),
        ):
            if len(some):
                found.append(cut(some, weight, n_components, rng))
        return np.concatenate(found)

    def _moments_of(self, rows, labels):
        """Those of the parts of rows, about the mean of all."""
        problem, n_climbs = self.problem, len(labels)
        units, n = problem.units, n_climbs * problem.n_components
        means, cholesky = (
            np.repeat(of_all[None], n, axis=0)
            for of_all in (units.mean, units.cholesky)
        )
        mixture = Mixture.from_cholesky(
            np.full(n, 1 / n), means, cholesky, units.family
        )
        return Climbs(mixture, n_climbs).moments_of_parts(rows, labels)

    def _climbed(self, rows, moments, is_invariant):
        """The most likely after all rounds, from moments of parts of the rows."""
        m_step, n_climbs = self.m_step, len(is_invariant)
        # A component on a few rows looks better than it is.
        one = one_row(rows, n_climbs)
        lent = np.where(is_invariant, OUTWEIGHING, one)
        climbs = m_step(moments, lent)
        for _ in range(SHARED_STEPS):
            climbs = m_step(climbs.moments(rows), lent)
        for n_steps, n_left in ROUNDS:
            for _ in range(n_steps):
                moments = climbs.moments(rows)
                climbs = m_step(moments, one[: climbs.n_climbs])
            value = moments.log_likelihood / rows.total_weight
            left = survivors(value, is_invariant, n_left)
            climbs, value, is_invariant = (
                climbs.some(left),
                value[left],
                is_invariant[left],
            )
        # The last is the most likely of the invariant ones, if there are any.
        is_ahead = value[0] > value[-1] + MARGIN
        return climbs.climb(0 if is_ahead or not is_invariant[-1] else -1)


def survivors(value: np.ndarray, is_invariant: np.ndarray, n_left: int) -> np.ndarray:
    """Indices of the most likely of each kind of climbs, those as given first."""
    kinds = [np.flatnonzero(~is_invariant), np.flatnonzero(is_invariant)]
    n_each = n_left // sum(len(kind) > 0 for kind in kinds)
    return np.concatenate([kind[ranked(value[kind])[:n_each]] for kind in kinds])
