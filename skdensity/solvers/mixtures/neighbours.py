"""A start from neighbours in a table of mixtures: of other families, or smaller by one.

Vlassis and Likas (2002), doi:10.1023/A:1013844811137: a mixture that gets one component
more where that pays most is a good start for the next larger one. Moves know where
that is. What the rows of another family's components are tells where those of this one
may be. Of all starts the best goes on, after some steps side by side.
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
from skdensity.solvers.mixtures.moves import Moves, better_of
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.sample import sampled
from skdensity.solvers.mixtures.small_em import small_em

# Components whose cuts are tried, those that promise most.
N_CUTS = 3


@dataclass(frozen=True, eq=False)
class NeighbourStart:
    """The best of what neighbours lead to, and of a start without them.

    Attributes
    ----------
    smaller : Mixture, optional
        With one component fewer, of the same family.
    others : sequence of Mixture
        With as many components, of any family.
    is_alone : bool
        Whether a start without neighbours is tried, too.
    """

    smaller: Mixture | None = None
    others: Sequence[Mixture] = ()
    is_alone: bool = True

    def __call__(self, problem: StartProblem, rng: np.random.RandomState) -> Mixture:
        """The most likely after some steps."""
        alone, cutting, sampling = map(
            np.random.RandomState, rng.randint(2**31, size=3)
        )
        if problem.n_components == 1 or not (self.smaller or self.others):
            return small_em(problem, alone)
        (rows, _), m_step = sampled(problem, sampling), ClimbStep.of(problem)
        starts = [_converted(mixture, rows, m_step) for mixture in self.others]
        if self.smaller is not None:
            starts += _enlarged(_untied(self.smaller), rows, m_step, cutting)
        if self.is_alone:
            starts.append(_untied(small_em(problem, alone)))
        return by_weight(better_of(starts, rows, m_step), problem.family)


def _untied(mixture: Mixture) -> Mixture:
    """The same with a covariance for every component."""
    every = np.arange(mixture.n_components)
    return mixture.taken(every, mixture.family.untied)


def _converted(mixture: Mixture, rows: ArrayRows, m_step: ClimbStep) -> Mixture:
    """The mixture of another family that the components' rows lead to."""
    shares = rows.each_weight * mixture.responsibilities(rows).T

    def shares_of(block: Block, scratch: Scratch) -> np.ndarray:
        return shares[:, block.index]

    n_components, scatter = mixture.n_components, m_step.family.untied.scatter
    moments = shared_moments(rows, n_components, shares_of, scatter)
    return m_step(moments, one_row(rows, n_climbs=1)).mixture


def _enlarged(
    mixture: Mixture, rows: ArrayRows, m_step: ClimbStep, rng: np.random.RandomState
) -> list[Mixture]:
    """The mixture with one of its components cut in two, where that promises most."""
    moves = Moves(mixture, rows, m_step)
    cuts = sorted(moves.cuts(rng), key=lambda cut: -cut.gain)
    return [moves.made([cut]) for cut in cuts[:N_CUTS]]
