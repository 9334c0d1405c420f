r"""Moves that leave a poor optimum: two components become one, another becomes two.

EM cannot carry a component across a gap, and so ends with two where one is enough and
one where two are needed (split and merge; Ueda, Nakano, Ghahramani and Hinton 2000,
doi:10.1162/089976600300015088). What a move gains is told by the rows of the components
concerned: with the sum of their responsibilities :math:`r_i` as weights, a rise of
:math:`\sum_i r_i \log p(x_i)` of the part of the mixture that explains them is a lower
bound of the rise of the whole likelihood, by Jensen's inequality.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.climbs import Climbs, ClimbStep, one_row, ranked
from skdensity.solvers.mixtures.partitions import passed

# Half or twice of each number changes no fit by more than .006 nats on the tables that
# `partitions` names, and no time by more than a twentieth.

# Pairs of rows that a component is cut at, of which the best one counts.
N_CUTS = 2
# Steps in which the halves of a cut find their places.
CUT_STEPS = 6
# Steps of the mixtures with and without moves, after which the better one stays.
STEPS = 8


@dataclass(frozen=True, eq=False)
class Move:
    """Components, and others that may take their place.

    Attributes
    ----------
    components : tuple of int
        Which.
    instead : Mixture
        The others; their weights sum to 1.
    gain : float
        Rise of the log-likelihood, negative if it falls.
    """

    components: tuple[int, ...]
    instead: Mixture
    gain: float


@dataclass(frozen=True, eq=False)
class Moves:
    """What a mixture gains where one component becomes two, or two become one.

    Attributes
    ----------
    mixture : Mixture
        Of an untied family, at least two components where pairs are fused.
    rows : ArrayRows
        Weighted rows to judge by.
    m_step : ClimbStep
        Estimates components.
    """

    mixture: Mixture
    rows: ArrayRows
    m_step: ClimbStep

    def cuts(self, rng: np.random.RandomState, n_steps: int = CUT_STEPS) -> list[Move]:
        """Each component as the best of some pairs, after so many steps."""
        which = np.repeat(np.arange(self.mixture.n_components), N_CUTS)
        weight, lent = self._shares[which], one_row(self.rows, len(which))
        pairs = self._at_two_rows(which, weight, rng)
        for _ in range(n_steps):
            pairs = self.m_step(pairs.moments(self.rows, weight), lent)
        whole = Climbs.of(self.mixture, which[:, None])
        gains = self._gains(pairs, whole, weight)
        best = [
            begin + int(gains[begin : begin + N_CUTS].argmax())
            for begin in range(0, len(which), N_CUTS)
        ]
        return [Move((int(which[c]),), pairs.climb(c), gains[c]) for c in best]

    def fusions(self) -> list[Move]:
        """Pairs that share many rows, each as one component."""
        pairs = _overlapping(self._shares)
        weight, lent = self._shares[pairs].sum(axis=1), one_row(self.rows, len(pairs))
        first = Climbs.of(self.mixture, pairs[:, :1])
        fused = self.m_step(first.moments(self.rows, weight), lent)
        gains = self._gains(fused, Climbs.of(self.mixture, pairs), weight)
        return [
            Move(tuple(pair), fused.climb(c), gains[c])
            for c, pair in enumerate(pairs.tolist())
        ]

    def made(self, moves: list[Move]) -> Mixture:
        """The mixture after moves of which no two concern a component."""
        weights, n_components = self.mixture.weights, self.mixture.n_components
        replaced = [k for move in moves for k in move.components]
        kept = np.setdiff1d(np.arange(n_components), replaced)
        mixtures = [move.instead for move in moves]
        shares = [weights[list(move.components)].sum() for move in moves]
        if len(kept):
            mixtures.append(Climbs.of(self.mixture, kept[None]).mixture)
            shares.append(weights[kept].sum())
        return _together(mixtures, shares)

    def one_by_one(self, moves: list[Move], n_most: int) -> list[Mixture]:
        """The mixtures after one move each, of those that promise most."""
        best = sorted(moves, key=lambda move: -move.gain)[:n_most]
        return [self.made([move]) for move in best]

    @cached_property
    def _shares(self):
        """Weights times responsibilities, of shape (n_components, n_rows)."""
        return self.rows.weight * self.mixture.responsibilities(self.rows).T

    def _at_two_rows(self, which, weight, rng):
        """Pairs about rows of the components, as wide as these."""
        heights = np.cumsum(weight, axis=1)
        draws = rng.uniform(size=(2, len(which), 1)) * heights[:, -1:]
        chosen = np.stack([passed(heights, draw) for draw in draws], axis=1)
        index = np.repeat(which, 2)
        means = self.rows.X[chosen.ravel()].astype(np.float64)
        halves, cholesky = np.full(len(index), 0.5), self.mixture.cholesky[index]
        pairs = Mixture.from_cholesky(halves, means, cholesky, self.mixture.family)
        return Climbs(pairs, len(which))

    def _gains(self, others, climbs, weight):
        """What the likelihood of weighted rows gains by others."""
        after, before = (
            some.moments(self.rows, weight).log_likelihood for some in (others, climbs)
        )
        return after - before


def moved(
    mixture: Mixture, rows: ArrayRows, m_step: ClimbStep, rng: np.random.RandomState
) -> Mixture:
    """The mixture after all moves that promise a gain, if they keep the promise.

    Parameters
    ----------
    mixture, rows, m_step
        As those of :class:`Moves`.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    mixture : Mixture
        Some steps of EM further.
    """
    moves = Moves(mixture, rows, m_step)
    other = moves.made(_chosen(moves.cuts(rng), moves.fusions()))
    return ranked_after_steps([mixture, other], rows, m_step)[0]


def _overlapping(shares):
    """For every component the one that it shares most rows with, each pair once."""
    together = shares @ shares.T
    size = np.sqrt(np.diagonal(together))
    size[size == 0] = 1
    together = together / np.outer(size, size)
    np.fill_diagonal(together, -1)
    pairs = np.sort(np.column_stack([np.arange(len(size)), together.argmax(axis=1)]))
    return np.unique(pairs, axis=0)


def _chosen(cuts, fusions):
    """Cuts and fusions that gain together, as many as do not touch."""
    cuts = sorted(cuts, key=lambda move: -move.gain)
    taken: set[int] = set()
    chosen: list[Move] = []
    for fusion in sorted(fusions, key=lambda move: -move.gain):
        busy = taken.union(fusion.components)
        cut = next((c for c in cuts if not busy.intersection(c.components)), None)
        if cut is None or taken.intersection(fusion.components):
            continue
        if cut.gain + fusion.gain > 0:
            chosen += [cut, fusion]
            taken = busy.union(cut.components)
    return chosen


def ranked_after_steps(
    mixtures: list[Mixture],
    rows: ArrayRows,
    m_step: ClimbStep,
    n_steps: int = STEPS,
) -> list[Mixture]:
    """Mixtures some steps of EM further, the most likely first.

    Parameters
    ----------
    mixtures : list of Mixture
        Of an untied family, all with as many components.
    rows : ArrayRows
        Weighted rows to judge by.
    m_step : ClimbStep
        Estimates components.
    n_steps : int, default=STEPS
        Number of steps.
    """
    climbs = Climbs(_together(mixtures, [1.0] * len(mixtures)), len(mixtures))
    for _ in range(n_steps):
        moments = climbs.moments(rows)
        climbs = m_step(moments, one_row(rows, len(mixtures)))
    value = np.asarray(moments.log_likelihood) / rows.total_weight
    return [climbs.climb(index) for index in ranked(value)]


def _together(mixtures: list[Mixture], shares: list[float]) -> Mixture:
    """All components of some mixtures, which have shares of the weight."""
    weights = [s * m.weights for s, m in zip(shares, mixtures, strict=True)]
    return Mixture.from_cholesky(
        np.concatenate(weights),
        np.concatenate([m.means for m in mixtures]),
        np.concatenate([m.cholesky for m in mixtures]),
        mixtures[0].family,
    )
