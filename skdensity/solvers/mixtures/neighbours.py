"""A start from neighbours in a table of mixtures: larger, smaller, of other families.

A mixture that gets one component more where that pays most is a good start for the next
larger one (Vlassis and Likas 2002, doi:10.1023/A:1013844811137), and one of which two
components become one for the next smaller. Moves know where that is. What the rows of
another family's components are tells where those of this one may be. Of all starts the
best goes on, after some steps side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import shared_moments
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.rows import Block
from skdensity.solvers.mixtures.climbs import ClimbStep, by_weight, one_row
from skdensity.solvers.mixtures.moves import Moves, ranked_after_steps
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.sample import sampled
from skdensity.solvers.mixtures.small_em import small_em

# Moves that are tried, those that promise most, and steps that they and all starts are
# judged after. A table has many fits, and its best cells are tried again: half or twice
# of each changes the time by a fifth, and no choice on the tables of
# `benchmarks.uses.search`.
N_MOVES = 2
CUT_STEPS = 3
STEPS = 4


@dataclass(frozen=True, eq=False)
class NeighbourStart:
    """The best of what neighbours lead to, and of a start without them.

    Attributes
    ----------
    smaller : Mixture, optional
        With one component fewer, of the same family.
    larger : Mixture, optional
        With one component more, of the same family.
    equal : sequence of Mixture
        With as many components, of any family.
    is_fresh : bool
        Whether a start without neighbours is tried, too.
    place : int
        Which of the starts is taken: 0 for the best, 1 for the next.
    """

    smaller: Mixture | None = None
    larger: Mixture | None = None
    equal: Sequence[Mixture] = ()
    is_fresh: bool = True
    place: int = 0

    def __call__(self, problem: StartProblem, rng: np.random.RandomState) -> Mixture:
        """The start, its components by weight."""
        if problem.n_components == 1:
            return small_em(problem, rng)
        # One for each: what there is of one must not change the others.
        seeds = rng.randint(2**31, size=3)
        fresh, sampling, cutting = map(np.random.RandomState, seeds)
        (rows, _), m_step = sampled(problem, sampling), ClimbStep.of(problem)
        starts = [_converted(mixture, rows, m_step) for mixture in self.equal]
        if self.smaller is not None:
            moves = Moves(_untied(self.smaller), rows, m_step)
            starts += moves.one_by_one(moves.cuts(cutting, CUT_STEPS), N_MOVES)
        if self.larger is not None:
            moves = Moves(_untied(self.larger), rows, m_step)
            starts += moves.one_by_one(moves.fusions(), N_MOVES)
        if self.is_fresh or not starts:
            starts.append(_untied(small_em(problem, fresh)))
        if len(starts) > 1:
            starts = ranked_after_steps(starts, rows, m_step, STEPS)
        return by_weight(starts[min(self.place, len(starts) - 1)], problem.family)


def _untied(mixture: Mixture) -> Mixture:
    """The same with a covariance for every component."""
    every = np.arange(mixture.n_components)
    return mixture.taken(every, mixture.family.untied)


def _converted(mixture: Mixture, rows: ArrayRows, m_step: ClimbStep) -> Mixture:
    """The mixture of the step's family that the rows of components lead to."""
    shares = rows.each_weight * mixture.responsibilities(rows).T

    def shares_of(block: Block, scratch: Scratch) -> np.ndarray:
        return shares[:, block.index]

    scatter = m_step.family.untied.scatter
    moments = shared_moments(rows, mixture.n_components, shares_of, scatter)
    return m_step(moments, one_row(rows, n_climbs=1)).mixture
