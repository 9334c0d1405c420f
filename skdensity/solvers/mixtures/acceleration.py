r"""EM in fewer passes: directions from its last steps, with a safeguard.

Where components overlap, EM creeps: its steps :math:`f = g(\theta) - \theta` shrink by
a factor close to 1. A *direction* looks at the last points, in the free parameters
(log π, μ, log-Cholesky), and says where to go. What is reached that way is less likely
only by mistake; then the step is shortened, and in the end EM's own is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.solvers.mixtures.em import EM, EMState

# Points that a direction looks at: more cost more than they tell.
N_POINTS = 20
# Shorter and shorter steps that are tried before EM's own.
N_TRIALS = 3
# Share of the gain that the gradient promises that a step must keep (Armijo's rule).
KEPT_GAIN = 1e-4
# Combinations of steps smaller than this share of the largest are rounding errors.
RANK = 1e-10


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
    """Newton's direction with the curvature that the last gradients show.

    The two-loop recursion of limited-memory BFGS (Nocedal 1980,
    doi:10.1090/S0025-5718-1980-0572855-7).
    """
    direction, pairs = points[-1].gradient.copy(), _curved(points)
    if not pairs:
        return points[-1].step
    alphas = []
    for move, change in reversed(pairs):
        alphas.append(move @ direction / (move @ change))
        direction -= alphas[-1] * change
    move, change = pairs[-1]
    direction *= move @ change / (change @ change)
    for (move, change), alpha in zip(pairs, reversed(alphas), strict=True):
        direction += (alpha - change @ direction / (move @ change)) * move
    return direction


def _curved(points):
    """Moves, and the fall of the gradient along them where it falls."""
    pairs = [
        (after.parameters - before.parameters, before.gradient - after.gradient)
        for before, after in pairwise(points)
    ]
    return [
        (move, change)
        for move, change in pairs
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
    """

    points: tuple[Point, ...] = ()


@dataclass(frozen=True, eq=False)
class AcceleratedEM:
    """EM whose likelihood does not fall, in fewer steps; each is a pass or a few.

    Attributes
    ----------
    em : EM
        The iteration that is accelerated.
    parameters : MixtureParameters
        What is free, in the units that directions are taken in.
    direction : callable
        An entry of :data:`ACCELERATIONS`.
    """

    em: EM
    parameters: MixtureParameters
    direction: Direction

    def init(self, mixture: Mixture, value: float = -np.inf) -> AcceleratedState:
        """Start from a mixture."""
        return AcceleratedState(mixture, value)

    def step(self, state: AcceleratedState) -> AcceleratedState:
        """A step in the direction, if one is likely enough, or else EM's own."""
        searched = self._searched(state) if len(state.points) > 1 else None
        if searched is not None:
            return searched
        moments = self._moments(state.mixture)
        return self._moved(
            replace(state, points=state.points[-1:]), state.mixture, moments
        )

    def _searched(self, state):
        """The first of shorter and shorter steps that keeps some of its promise."""
        last = state.points[-1]
        direction, length = self.direction(state.points), 1.0
        slope = direction @ last.gradient
        for _ in range(N_TRIALS if slope > 0 else 0):
            mixture = self._unravel(last.parameters + length * direction)
            moments = self._moments(mixture)
            gain = moments.log_likelihood / self._weight - state.value
            if gain >= KEPT_GAIN * length * slope:
                return self._moved(state, mixture, moments)
            length = _shortened(length, slope, gain)
        return None

    def _moved(self, state, mixture, moments):
        """The state at a mixture, given its moments."""
        value = moments.log_likelihood / self._weight
        after = self.em.maximised(EMState(mixture, 0, state.n_revivals), moments, value)
        regularised = replace(
            moments,
            # So that the gradient vanishes where EM, with its regularisation, rests.
            second=mixture.family.scatter.with_covariance(
                moments.second, moments.mass, mixture.n_features, self.em.reg_covar
            ),
        )
        gradient = self.parameters.gradient(mixture, regularised) / self._weight
        point = Point(
            self.parameters.ravel(mixture),
            gradient,
            self.parameters.ravel(after.mixture),
        )
        is_new = after.n_revivals > state.n_revivals  # another mixture altogether
        points = () if is_new else (*state.points, point)[-N_POINTS:]
        return AcceleratedState(
            after.mixture, value, after.n_revivals, points, moments=moments
        )

    def _moments(self, mixture):
        # A trial may go so far that there is no such mixture: its value says so.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.em.moments(mixture)

    def finished(self, state: AcceleratedState) -> tuple[Mixture, float]:
        """The mixture, and the mean log-likelihood before its last step."""
        return self.em.finished(state)

    def _unravel(self, parameters):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.parameters.unravel(parameters)

    @property
    def _weight(self):
        return self.em.rows.total_weight


def _shortened(length, slope, gain):
    """Where the parabola through value, slope and the gain peaks, within bounds."""
    bend = length * slope - gain
    peak = 0.5 * slope * length**2 / bend if np.isfinite(bend) else 0.0
    return float(np.clip(peak, 0.1 * length, 0.5 * length))
