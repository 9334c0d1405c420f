"""What a start may cost, as a part of what the fit takes, in multiplications."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from skdensity.solvers.mixtures.problem import StartProblem

# First steps, in which the components of climbs in invariant coordinates share a
# covariance: it finds the directions that clusters are narrow in.
SHARED_STEPS = 3
# Steps of each round, and the climbs that go on after it, of two kinds as many of each.
ROUNDS = ((4, 8), (8, 2))
MIN_CLIMBS, MAX_CLIMBS = 3, 32
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


@dataclass(frozen=True, eq=False)
class Budget:
    """What is worth its time.

    Attributes
    ----------
    problem : StartProblem
        What is sought.
    n_rows : int
        Rows of the sample that climbs look at.
    """

    problem: StartProblem
    n_rows: int

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
    def worthwhile(self) -> float:
        """Climbs that are worth their time, before there are at least a few of them."""
        problem, step = self.problem, self.n_rows * self.row_work
        if problem.family.shape.is_oriented:
            step += FACTOR_WORK * problem.n_components * problem.rows.n_features**2
        (first, n_left), (second, _) = ROUNDS
        n_steps = SHARED_STEPS + first + second * n_left / MAX_CLIMBS
        return (FREE_WORK + self.affordable) / (n_steps * step)

    @property
    def n_climbs(self) -> int:
        """Climbs to begin with."""
        return min(max(int(self.worthwhile), MIN_CLIMBS), MAX_CLIMBS)

    @property
    def n_by_kmeans(self) -> int:
        """Tables of each kind that k-means cuts, one at least if it pays."""
        if self.affordable <= KMEANS_WORK:
            return 0
        with_care = self.n_climbs <= FEW and self.affordable > MOVES_WORK
        # Wide clusters draw most seeds of the others.
        return self.n_climbs if with_care else 1

    @property
    def may_move(self) -> bool:
        """Whether moves are worth their time and their memory."""
        problem, n_components = self.problem, self.problem.n_components
        oriented = problem.family.shape.is_oriented
        size = max(self.n_rows, oriented * problem.rows.n_features**2)
        is_small = n_components * size <= MAX_MOVED
        return n_components > 2 and is_small and self.affordable > MOVES_WORK
