"""A start by many short EM runs, of which the best goes on.

Biernacki, Celeux and Govaert (2003), doi:10.1016/S0167-9473(02)00163-9: EM climbs to
the optimum above its start, so the time is better spent on many short climbs than on a
long one. They climb side by side on a sample of the rows, and the worse ones are given
up on the way. How many there are follows from what a fit costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import moments_of
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.climbs import (
    DIGITS,
    OUTWEIGHING,
    Climbs,
    ClimbStep,
    one_row,
    ranked,
)
from skdensity.solvers.mixtures.moves import moved
from skdensity.solvers.mixtures.partitions import (
    Table,
    kmeans_labels,
    nearest_seeds,
)
from skdensity.solvers.mixtures.problem import StartProblem

# Rows that the climbs look at: at least so many, and so many for each component, or for
# each component and feature where covariances are matrices.
CLIMB_ROWS = 2000
CLIMB_ROWS_PER_COMPONENT = 50
CLIMB_ROWS_PER_FEATURE = 4
# First steps, in which the components of climbs in invariant coordinates share a
# covariance: it finds the directions that clusters are narrow in.
SHARED_STEPS = 3
# Steps of each round, and the climbs that go on after it, of two kinds as many of each.
ROUNDS = ((4, 8), (8, 2))
# Nats per row by which a climb from the axes as they are given must be ahead of those
# that do not know them: with 0 or .2, fits end within .03 nats on the tables that
# `partitions` names.
MARGIN = 0.05
MIN_CLIMBS, MAX_CLIMBS = 2, 32
# With so few, each begins with more care.
FEW = 4
# Multiplications of a start: as many as take a few milliseconds, and the part of a fit
# that so many iterations take. An exponential, and each of the d² entries of a factor,
# take as long as so many in large products.
FREE_WORK = 6e7
FIT_ITERATIONS = 15
EXPONENTIAL_WORK = 30
FACTOR_WORK = 400
# Where a fit takes more, k-means and moves cost less than they save.
KMEANS_WORK = 1e7
MOVES_WORK = 1e8
# Rows, or entries of a matrix, times components, of which moves keep tables.
MAX_MOVED = 4e5


def small_em(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """The best of many short EM runs, its components by weight."""
    if problem.n_components == 1:
        return problem.mixture(moments_of(problem.rows, problem.family.scatter))
    found = Search(problem, rng).best()
    # By weight, whatever its last digits: those of runs from elsewhere are others.
    order = np.argsort(-found.weights.round(DIGITS), kind="stable")
    cholesky = found.cholesky[order]
    if problem.family.shape.tied:
        cholesky = cholesky[:1]
    means, weights = found.means[order], found.weights[order]
    return Mixture.from_cholesky(weights, means, cholesky, problem.family)


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
    def n_climb_rows(self) -> int:
        """Rows that the climbs look at, if there are as many."""
        shape, d = self.problem.family.shape, self.problem.rows.n_features
        each = CLIMB_ROWS_PER_FEATURE * d if shape.is_oriented else 0
        each = max(CLIMB_ROWS_PER_COMPONENT, each)
        return max(CLIMB_ROWS, each * self.problem.n_components)

    @cached_property
    def table(self) -> tuple[ArrayRows, Table]:
        """The rows of the sample, and their coordinates."""
        rows, units = self.problem.rows, self.problem.units
        white = units.whiten(rows.X)
        # By their distance from the mean: neither the order of the rows nor a change of
        # axes is to make a difference. Opposite rows may be as far.
        distance = np.einsum("nd,nd->n", white, white)
        side = white @ np.arange(1.0, 1 + white.shape[1])
        order = np.lexsort((side, distance.round(9)))
        if len(order) > self.n_climb_rows:
            some = self.rng.choice(len(order), self.n_climb_rows, replace=False)
            order = order[np.sort(some)]
        weight = rows.each_weight
        shape = self.problem.family.shape
        covariance = units.family.factors.square(units.cholesky)
        deviations = np.sqrt(shape.variances(covariance, rows.n_features))
        return ArrayRows(rows.X[order], weight[order]), Table(
            scaled=(rows.X[order] - units.mean) / deviations,
            white=white[order],
            weight=weight[order],
            is_oriented=shape.is_oriented,
        )

    @cached_property
    def row_work(self) -> float:
        """Multiplications that a row costs in a step of EM."""
        d, products = self.problem.rows.n_features, self.problem.family.products
        n_products = d * d if products is None else products.n_products(d)
        each = 2.0 * (1 + d + n_products) + EXPONENTIAL_WORK
        return self.problem.n_components * each

    @cached_property
    def affordable(self) -> float:
        """Multiplications that are a small part of what the fit takes.

        Of so many rows as the problem has: how many there are of each tells nothing.
        """
        return FIT_ITERATIONS * self.problem.rows.n_rows * self.row_work

    @cached_property
    def n_climbs(self) -> int:
        """Climbs that are worth their time."""
        problem, (rows, _) = self.problem, self.table
        step = rows.n_rows * self.row_work
        if problem.family.shape.is_oriented:
            step += FACTOR_WORK * problem.n_components * rows.n_features**2
        (first, n_left), (second, _) = ROUNDS
        n_steps = SHARED_STEPS + first + second * n_left / MAX_CLIMBS
        n_climbs = int((FREE_WORK + self.affordable) / (n_steps * step))
        return min(max(n_climbs, MIN_CLIMBS), MAX_CLIMBS)

    def best(self) -> Mixture:
        """The most likely of the climbs."""
        rows, table = self.table
        # One for each kind of partitions, and one for moves: what the axes change in
        # the ones is not to change the others.
        seeds = self.rng.randint(2**31, size=3)
        given, invariant, moving = map(np.random.RandomState, seeds)
        tables, is_invariant = table.coordinates(self.n_climbs)
        labels = np.concatenate(
            [
                self._cut(tables[~is_invariant], given),
                self._cut(tables[is_invariant], invariant),
            ]
        )
        found = self._climbed(rows, self._moments_of(rows, labels), is_invariant)
        if not self.may_move:
            return found
        # One climb that is moved reaches farther than one more.
        return moved(found, rows, self.m_step, moving)

    @property
    def may_move(self) -> bool:
        """Whether moves are worth their time and their memory."""
        n_components, n_rows = self.problem.n_components, self.table[0].n_rows
        oriented = self.problem.family.shape.is_oriented
        size = max(n_rows, oriented * self.problem.rows.n_features**2)
        is_small = n_components * size <= MAX_MOVED
        return n_components > 2 and is_small and self.affordable > MOVES_WORK

    @cached_property
    def m_step(self) -> ClimbStep:
        """What climbs and moves are estimated by."""
        return ClimbStep.of(self.problem)

    def _cut(self, tables, rng):
        """Labels of the parts of tables, at a price that suits the fit."""
        weight, n_components = self.table[1].weight, self.problem.n_components
        # One of k-means at least: wide clusters draw most seeds of the others.
        all_by_kmeans = self.n_climbs <= FEW and self.affordable > MOVES_WORK
        n_kmeans = len(tables) if all_by_kmeans else min(1, len(tables))
        n_kmeans *= self.affordable > KMEANS_WORK
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
        problem, n_climbs = self.problem, self.n_climbs
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
