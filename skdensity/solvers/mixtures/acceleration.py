r"""EM in fewer passes: directions from its last steps, with safeguards.

Where components overlap, EM creeps: its steps :math:`f = g(\theta) - \theta` shrink by
a factor close to 1. A *direction* looks at the last points, in the free parameters
(log π, μ, log-Cholesky), and says where to go. It leads only where EM converges
linearly and slowly, only to points that are more likely, and only while it gains more
in a pass than EM's own steps would. EM's own steps begin every run and end it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.solvers.loop import Solver
from skdensity.solvers.mixtures.em import EM, EMState

# Points that a direction looks at: more cost more than they tell.
N_POINTS = 20
# Lengths of a step that are tried before EM's own.
N_TRIALS = 2
# Share of the gain that the gradient promises that a step must keep (Armijo's rule).
KEPT_GAIN = 1e-4
# Combinations of steps smaller than this share of the largest are rounding errors.
RANK = 1e-10
# EM's own steps in a row from which its stopping rule can tell what is ahead.
N_OWN = 4
# Nats per row that EM may have ahead when a direction first leads: with more ahead, EM
# is still on its way to an optimum, and jumps may miss the one that it goes to.
MAX_AHEAD = 1e-4
# Steps that EM must need by itself: fewer are not worth another pass.
MANY_STEPS = 20
# Share of EM's own gain, to first order, that a pass in a direction must reach. EM's
# step gains between half of it and all of it.
LEAST_SHARE = 0.5
# Most of EM's own steps between two directions that gained too little.
MAX_PATIENCE = 16
# Share of `tol` that Newton's step may still promise at the end: a curvature learned
# from few points promises too little, by some tens where EM is slow.
NEAR = 0.01
# Nats per row by which `reg_covar` may hold a mixture away from its most likely
# covariances: with more, EM does not climb the likelihood that steps are judged by.
MAX_HELD = 0.01


@dataclass(frozen=True, eq=False)
class Point:
    """Parameters, and what a pass over the rows tells of them.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
        θ, in units of the features.
    gradient : ndarray of shape (n_parameters,)
        Of the mean log-likelihood; it vanishes where EM does not move.
    image : ndarray of shape (n_parameters,)
        g(θ), one EM step further.
    """

    parameters: np.ndarray
    gradient: np.ndarray
    image: np.ndarray

    @property
    def step(self) -> np.ndarray:
        """EM's step from here."""
        return self.image - self.parameters

    @property
    def own_gain(self) -> float:
        """What EM's step gains, to first order."""
        return float(self.step @ self.gradient)


Direction = Callable[[tuple[Point, ...]], np.ndarray]


def anderson(points: tuple[Point, ...]) -> np.ndarray:
    r"""Mix the last steps so that least is left of them.

    :math:`\min_\gamma \lVert f_t - \Delta F \gamma \rVert` and
    :math:`\theta_{t+1} = g(\theta_t) - \Delta G \gamma`, with the differences of
    successive steps and images as columns (Walker and Ni 2011, doi:10.1137/10078356X).
    """
    steps = np.diff([point.step for point in points], axis=0).T
    images = np.diff([point.image for point in points], axis=0).T
    mix, *_ = np.linalg.lstsq(steps, points[-1].step, rcond=RANK)
    return points[-1].step - images @ mix


def lbfgs(points: tuple[Point, ...]) -> np.ndarray:
    r"""Newton's direction with the curvature that the last points show beyond EM's.

    The two-loop recursion of limited-memory BFGS (Nocedal 1980,
    doi:10.1090/S0025-5718-1980-0572855-7), begun with EM's own inverse Hessian
    :math:`H_0`, that of the complete data, of which only products are known: EM's step
    is :math:`H_0` times the gradient, and differences of steps are :math:`H_0` times
    differences of gradients (Jamshidian and Jennrich 1997,
    doi:10.1111/1467-9868.00083).
    """
    pairs, last = _curved(points), points[-1]
    gradient, direction, alphas = last.gradient.copy(), last.step.copy(), []
    for move, change, fall in reversed(pairs):
        alphas.append(move @ gradient / (move @ change))
        gradient -= alphas[-1] * change
        direction -= alphas[-1] * fall
    for (move, change, _), alpha in zip(pairs, reversed(alphas), strict=True):
        direction += (alpha - change @ direction / (move @ change)) * move
    return direction


def _curved(points):
    """Moves, and the falls of the gradient and of the step along them."""
    pairs = [
        (
            after.parameters - before.parameters,
            before.gradient - after.gradient,
            before.step - after.step,
        )
        for before, after in pairwise(points)
    ]
    return [
        (move, change, fall)
        for move, change, fall in pairs
        if move @ change > RANK * np.sqrt((move @ move) * (change @ change))
    ]


ACCELERATIONS: dict[str, Direction] = {"anderson": anderson, "lbfgs": lbfgs}


@dataclass(frozen=True, eq=False)
class AcceleratedState(EMState):
    """Where accelerated EM stands.

    Attributes
    ----------
    points : tuple of Point
        The last points, each at least as likely as the one before.
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

    points: tuple[Point, ...] = ()
    gains: tuple[float, ...] = ()
    n_own: int = N_OWN
    patience: int = 1
    may_end: bool = True


@dataclass(frozen=True, eq=False)
class AcceleratedEM(Solver):
    """EM whose likelihood does not fall, in fewer steps; each is a pass or a few.

    From the same start it need not end in the same optimum as EM does.

    Attributes
    ----------
    em : EM
        The iteration that is accelerated.
    parameters : MixtureParameters
        What is free, in the units that directions are taken in.
    direction : callable
        An entry of :data:`ACCELERATIONS`.
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
        """Whether EM climbs the likelihood, by steps that shrink, and slowly."""
        gains = state.gains
        if len(state.points) < 2 or not all(a > b > 0 for a, b in pairwise(gains)):
            return False
        if state.may_end and not self._is_slow(gains):
            return False
        return self._held(state.mixture) <= MAX_HELD

    def _is_slow(self, gains):
        """Whether EM's optimum is near, but takes many steps, as its last ones tell."""
        if len(gains) < 2:
            return False
        factor = gains[-1] / gains[-2]
        ahead = gains[-1] * factor / (1 - factor)  # Aitken's extrapolation
        return ahead <= MAX_AHEAD and ahead * factor**MANY_STEPS > self.tol / 2

    def _is_near(self, state):
        """Whether little can be gained, as far as the curvature of the points tells."""
        if len(state.points) < 2:
            return True
        promise = 0.5 * lbfgs(state.points) @ state.points[-1].gradient
        return not promise >= NEAR * self.tol

    def _held(self, mixture):
        """½ Σ_k π_k tr(Σ_k⁻¹ R), the price of the variances R that are added."""
        added = self._regularised(mixture, mixture.weights, 0.0)
        free = self.parameters.gaussians.free
        white = free.white_scatter(mixture.precision_factors, added)
        return 0.5 * free.trace(white).sum()

    def _own(self, state):
        """EM's step."""
        after = self._moved(state, state.mixture, self._moments(state.mixture))
        if not after.points or not np.isfinite(state.value):
            return after
        gains = (*state.gains, after.value - state.value)[-N_OWN:]
        in_a_row = len(gains) == N_OWN
        may_end = state.may_end or (in_a_row and self._is_near(after))
        return replace(after, gains=gains, may_end=may_end)

    def _led(self, state):
        """A step in the direction, and what follows from its gain."""
        n_passes, after = self._searched(state)
        if after is None:
            return self._own(_put_off(state))
        if not after.points:
            return after
        own_gain, gain = state.points[-1].own_gain, after.value - state.value
        after = replace(after, gains=(), may_end=False)
        if gain < LEAST_SHARE * n_passes * own_gain:
            return _put_off(after)
        # Where EM's steps grow it leaves a saddle, and finds its way by itself.
        has_grown = after.points[-1].own_gain > own_gain
        return replace(after, n_own=N_OWN * has_grown, patience=1)

    def _searched(self, state):
        """The first of shorter and shorter steps that keeps some of its promise."""
        last = state.points[-1]
        direction, length = self.direction(state.points), 1.0
        slope = direction @ last.gradient
        for n_passes in range(1, N_TRIALS + 1 if slope > 0 else 0):
            mixture = self._unravel(last.parameters + length * direction)
            moments = self._moments(mixture)
            gain = moments.log_likelihood / self._weight - state.value
            if gain >= KEPT_GAIN * length * slope:
                return n_passes, self._moved(state, mixture, moments)
            length = _shortened(length, slope, gain)
        return N_TRIALS, None

    def _moved(self, state, mixture, moments):
        """The state at a mixture, given its moments."""
        value = moments.log_likelihood / self._weight
        after = self.em.maximised(EMState(mixture, 0, state.n_revivals), moments, value)
        if after.n_revivals > state.n_revivals:  # another mixture altogether
            return AcceleratedState(after.mixture, value, after.n_revivals)
        point = Point(
            self.parameters.ravel(mixture),
            self._gradient(mixture, moments),
            self.parameters.ravel(after.mixture),
        )
        return replace(
            state,
            mixture=after.mixture,
            value=value,
            moments=moments,
            points=(*state.points, point)[-N_POINTS:],
            n_own=max(state.n_own - 1, 0),
        )

    def _gradient(self, mixture: Mixture, moments: Moments) -> np.ndarray:
        """That of the mean log-likelihood, were every row to vary by `reg_covar`."""
        # So that it vanishes where EM, with its regularisation, rests.
        second = self._regularised(mixture, moments.mass, moments.second)
        moments = replace(moments, second=second)
        return self.parameters.gradient(mixture, moments) / self._weight

    def _regularised(self, mixture, mass, second):
        """Second moments of rows that vary by `reg_covar`, besides."""
        scatter, d = mixture.family.scatter, mixture.n_features
        return scatter.with_covariance(second, mass, d, self.em.reg_covar)

    def _moments(self, mixture):
        # A trial may go so far that there is no such mixture: its value says so.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.em.moments(mixture)

    def _unravel(self, parameters):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.parameters.unravel(parameters)

    @property
    def _weight(self):
        return self.em.rows.total_weight


def _put_off(state):
    """The state with EM's own steps ahead, more of them each time; what led is lost."""
    return replace(
        state,
        points=state.points[-1:],
        n_own=state.patience,
        patience=min(2 * state.patience, MAX_PATIENCE),
    )


def _shortened(length, slope, gain):
    """Where the parabola through value, slope and the gain peaks, within bounds."""
    bend = length * slope - gain
    peak = 0.5 * slope * length**2 / bend if np.isfinite(bend) else 0.0
    return float(np.clip(peak, 0.1 * length, 0.5 * length))
