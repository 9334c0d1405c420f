"""Directions that the last points of EM tell: where to go, in its free parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

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

    @cached_property
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
