r"""EM in fewer passes: directions from its last steps, with safeguards.

Where components overlap, EM creeps: its steps :math:`f = g(\theta) - \theta` shrink by
a factor close to 1. A *direction* looks at the last points, in the free parameters
(log π, μ, log-Cholesky), and says where to go. It leads only where EM converges
linearly and slowly, only to points that are better, and only while it gains more in a
pass than EM's own steps would. EM's own steps begin every run and end it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.solvers.loop import Solver
from skdensity.solvers.mixtures.directions import Direction, Point, lbfgs
from skdensity.solvers.mixtures.em import EM, EMState
from skdensity.solvers.mixtures.visits import Landscape, Visit

# Visits that a direction looks at: more cost more than they tell.
N_VISITS = 10  # pragma: no mutate
# Lengths of a step that are tried before EM's own.
N_TRIALS = 2  # pragma: no mutate
# Share of the gain that the gradient promises that a step must keep (Armijo's rule).
KEPT_GAIN = 1e-4  # pragma: no mutate
# EM's own steps in a row from which its stopping rule can tell what is ahead.
N_OWN = 4  # pragma: no mutate
# Nats per row that EM may have ahead when a direction first leads: with more ahead, EM
# is still on its way to an optimum, and jumps may miss the one that it goes to. On the
# tables of `benchmarks.mixture`, half of it saves few steps; with five times as much a
# search for the number of components takes a tenth longer.
MAX_AHEAD = 2e-4  # pragma: no mutate
# With no more ahead, what EM gains in one of many steps is less.
SLOW_GAIN = 1e-4  # pragma: no mutate
# Steps that EM must need by itself: fewer are not worth another pass.
MANY_STEPS = 20  # pragma: no mutate
# Share of EM's own gain, to first order, that a pass in a direction must reach. EM's
# step gains between half of it and all of it.
LEAST_SHARE = 0.5  # pragma: no mutate
# Most of EM's own steps between two directions that gained too little.
MAX_PATIENCE = 16  # pragma: no mutate
# Share of `tol` that Newton's step may still promise at the end: a curvature learned
# from few points promises too little, by some tens where EM is slow.
NEAR = 0.01  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class AcceleratedState(EMState):
    """Where accelerated EM stands.

    Attributes
    ----------
    visits : tuple of Visit
        The last ones, each at least as good as the one before.
    gains : tuple of float
        What EM's own steps gained, those since the last step in a direction.
    n_own : int
        How many of EM's own steps come first, before a direction may lead.
    patience : int
        How many will follow on a direction that gains too little.
    may_end : bool
        Whether the last gains tell how far the run has come: EM's stopping rule holds
        for its own steps, where the curvature does not promise more than they show.
    """

    visits: tuple[Visit, ...] = ()
    gains: tuple[float, ...] = ()
    n_own: int = N_OWN
    patience: int = 1
    may_end: bool = True

    @property
    def points(self) -> tuple[Point, ...]:
        """What the visits tell a direction."""
        return tuple(visit.point for visit in self.visits)


@dataclass(frozen=True, eq=False)
class AcceleratedEM(Solver):
    """EM whose likelihood does not fall, in fewer steps; each is a pass or a few.

    With a `reg_covar`, EM does not climb the likelihood alone; steps are then judged by
    its rise less that of the penalty that `reg_covar` stands for (see
    :meth:`Visit.rise_in_penalty`). From the same start it need not end in the same
    optimum as EM does.

    Attributes
    ----------
    em : EM
        The iteration that is accelerated.
    parameters : MixtureParameters
        What is free, in the units that directions are taken in.
    direction : callable
        An entry of :data:`~skdensity.solvers.mixtures.directions.ACCELERATIONS`.
    tol : float
        Nats per row that may be missing at the end.
    """

    em: EM
    parameters: MixtureParameters
    direction: Direction
    tol: float = 0.0

    def init(self, mixture: Mixture, value: float = -np.inf) -> AcceleratedState:
        """Start from a mixture."""
        return AcceleratedState(mixture, value)

    def step(self, state: AcceleratedState) -> AcceleratedState:
        """A step in the direction, if it may lead and gains enough, or else EM's."""
        if state.n_own > 0 or not self._is_linear(state):
            return self._own(state)
        if self._is_near(state):
            return self._own(replace(state, n_own=N_OWN))
        return self._led(state)

    def finished(self, state: AcceleratedState) -> tuple[Mixture, float]:
        """The mixture, and the mean log-likelihood before its last step."""
        return self.em.finished(state)

    def may_end(self, state: AcceleratedState) -> bool:
        """Whether the last steps were EM's own, by which its rule can tell."""
        return state.may_end

    def _is_linear(self, state):
        """Whether EM climbs by steps that shrink, and slowly."""
        gains = state.gains
        if len(state.visits) < 2 or not all(a > b > 0 for a, b in pairwise(gains)):
            return False
        return not state.may_end or self._is_slow(gains)

    def _is_slow(self, gains):
        """Whether EM's optimum is near, but takes many steps, as its last ones tell."""
        if len(gains) < 2:
            return False
        factor = gains[-1] / gains[-2]
        ahead = gains[-1] * factor / (1 - factor)  # Aitken's extrapolation
        return ahead <= MAX_AHEAD and ahead * factor**MANY_STEPS > self.tol / 2

    def _is_near(self, state):
        """Whether little can be gained, as far as the curvature of the points tells."""
        if len(state.visits) < 2:
            return True
        promise = 0.5 * lbfgs(state.points) @ state.points[-1].gradient
        return not promise >= NEAR * self.tol

    def _own(self, state):
        """EM's step."""
        after = self._moved(state, state.mixture, self.em.moments(state.mixture))
        if not after.visits or not np.isfinite(state.value):
            return after
        gains = (*state.gains, _gain(state, after))[-N_OWN:]
        # The curvature is asked where the rule may end the run.
        is_small = len(gains) == N_OWN and gains[-1] <= self.tol
        may_end = state.may_end or (is_small and self._is_near(after))
        return replace(after, gains=gains, may_end=may_end)

    def _led(self, state):
        """A step in the direction, and what follows from its gain."""
        n_passes, after, gain = self._searched(state)
        if after is None:
            return self._own(_put_off(state))
        if not after.visits:
            return after
        own_gain = state.visits[-1].point.own_gain
        after = replace(after, gains=(), may_end=False)
        if gain < LEAST_SHARE * n_passes * own_gain:
            return _put_off(after)
        # Where EM's steps grow it leaves a saddle, and finds its way by itself.
        has_grown = after.visits[-1].point.own_gain > own_gain
        return replace(after, n_own=N_OWN * has_grown, patience=1)

    def _searched(self, state):
        """The first of shorter and shorter steps that keeps some of its promise."""
        last, length = state.visits[-1], 1.0
        direction = self.direction(state.points)
        slope = direction @ last.point.gradient
        for n_passes in range(1, N_TRIALS + 1 if slope > 0 else 0):
            # It may go so far that there is no such mixture: the gain says so.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                parameters = last.point.parameters + length * direction
                mixture = self.parameters.unravel(parameters)
                moments = self.em.moments(mixture)
                trial = Visit(self._landscape, mixture, moments, mixture)
                gain = moments.log_likelihood / self._weight - state.value
                gain -= trial.rise_in_penalty(last)
            if gain >= KEPT_GAIN * length * slope:
                return n_passes, self._moved(state, mixture, moments), gain
            length = _shortened(length, slope, gain)
        return N_TRIALS, None, 0.0

    def _moved(self, state, mixture, moments):
        """The state at a mixture, given its moments."""
        value = moments.log_likelihood / self._weight
        after = self.em.maximised(EMState(mixture, 0, state.n_revivals), moments, value)
        if after.n_revivals > state.n_revivals:  # another mixture altogether
            return AcceleratedState(after.mixture, value, after.n_revivals)
        visit = Visit(self._landscape, mixture, moments, after.mixture)
        return replace(
            state,
            mixture=after.mixture,
            value=value,
            moments=moments,
            visits=(*state.visits, visit)[-N_VISITS:],
            n_own=max(state.n_own - 1, 0),
        )

    @cached_property
    def _landscape(self):
        return Landscape(self.parameters, np.asarray(self.em.reg_covar), self._weight)

    @property
    def _weight(self):
        return self.em.rows.total_weight


def _gain(before, after):
    """What a step of EM gained, as far as a direction will ask."""
    gain = after.value - before.value
    if abs(gain) > SLOW_GAIN or not before.visits:
        return gain  # EM is on its way, whatever `reg_covar` takes of it
    return gain - after.visits[-1].rise_in_penalty(before.visits[-1])


def _put_off(state):
    """The state with EM's own steps ahead, more of them each time; what led is lost."""
    return replace(
        state,
        visits=state.visits[-1:],
        n_own=state.patience,
        patience=min(2 * state.patience, MAX_PATIENCE),
    )


def _shortened(length, slope, gain):
    """Where the parabola through value, slope and the gain peaks, within bounds."""
    bend = length * slope - gain
    peak = 0.5 * slope * length**2 / bend if np.isfinite(bend) else 0.0
    return float(np.clip(peak, 0.1 * length, 0.5 * length))
