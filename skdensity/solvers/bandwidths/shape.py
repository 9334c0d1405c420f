r"""The shape of the kernel that maximises the leave-one-out likelihood.

Where the gradient vanishes, the covariance of the kernel is the mean scatter of the
locations about each other, with leave-one-out responsibilities,

.. math:: H = \sum_i m_i \sum_{j \ne i} r_{ij} (x_i - x_j)(x_i - x_j)^\top,

one step of EM (Leiva-Murillo and Artés-Rodríguez 2012,
doi:10.1016/j.patrec.2012.06.006). The same scatter gives the gradient in log-Cholesky
parameters, with which a quasi-Newton method needs fewer passes than EM.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels
from skdensity.solvers.bandwidths.criteria import LeftOut
from skdensity.solvers.bandwidths.problem import Problem

# Largest entry of the gradient at the end, which is about the relative error of H.
GTOL = 1e-8
MAX_ITER = 200
# Ratio of widths after a step of EM from which on a search begins with them: up to 2 on
# tables of scikit-learn, 30 with one row at distance 1000, 100 and more on t^5.
UNLIKE = 10.0


def best_shape(kernels: Kernels, problem: Problem) -> list[tuple[Kernels, float]]:
    """Shapes that were tried and their scores, the last of which is the best.

    Parameters
    ----------
    kernels : Kernels
        Where to start; their shape is more than a width.
    problem : Problem
        What the shape is chosen for; it knows the smallest width of every feature,
        given the features before it.

    Returns
    -------
    trials : list of (Kernels, float)
        Kernels and their leave-one-out log-likelihoods, in nats per unit of weight.
    """
    free = kernels.kernel.family.asked("free", "a search for the shape of the kernel")
    trials: list[tuple[Kernels, float]] = []
    begun = _begun(kernels, problem, trials)
    if begun is None:
        return sorted(trials, key=itemgetter(1))
    kernels, known = begun
    family, ones = kernels.kernel.family, np.ones(kernels.n_features)
    identity = Gaussian.isolated(0 * ones, ones, family)
    start = free.ravel(identity.cholesky[None])
    with np.errstate(divide="ignore"):
        log_least = np.log(problem.repeats.least_widths) - family.factors.log_diagonal(
            kernels.kernel.cholesky
        )
    least = free.floored(np.full_like(start, -np.inf), log_least)
    found = minimize(
        _loss(kernels, problem, trials, start, known),
        np.maximum(start, least),
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in least],
        options={"gtol": GTOL, "ftol": 0.0, "maxiter": MAX_ITER, "maxcor": 20},
    )
    best = kernels.reshaped(_factor(kernels, found.x))
    factor = best.kernel.cholesky
    others = [t for t in trials if not np.array_equal(t[0].kernel.cholesky, factor)]
    return [*others, (best, -float(found.fun))]


def _begun(
    kernels: Kernels, problem: Problem, trials: list
) -> tuple[Kernels, Evaluated | None] | None:
    """Kernels to begin a search with, and what is known of them, if they were tried.

    Outliers may ask for one width and the middle of the rows for another by many powers
    of ten, which the steps of the search would overshoot: after a step of EM the widths
    are those. Where outliers hide it, features are looked at one by one; where no
    matrix can tell it, there are none.
    """
    first = _tried(kernels, problem, trials)
    step, faults = _step_of(first, kernels)
    if faults and not kernels.shape.is_independent:
        apart = kernels.kernel.whitened_steps(np.diag(kernels.kernel.deviations)).T
        kernels = kernels.reshaped(apart)
        step, faults = _step_of(_tried(kernels, problem, trials), kernels)
    if faults:
        return None
    if np.ptp(kernels.kernel.family.factors.log_diagonal(step)) < np.log(UNLIKE):
        return kernels, first
    return kernels.reshaped(step), None


def _step_of(tried, kernels):
    """The factor L after a step of EM, in the coordinates z, and its faults."""
    (factor, *_), faults = kernels.kernel.family.factors.factored(tried.white)
    return factor, faults


class Evaluated(NamedTuple):
    """What a trial gives: its score, and the mean white scatter."""

    score: float
    white: np.ndarray


def _tried(kernels: Kernels, problem: Problem, trials: list) -> Evaluated:
    """Try some kernels, and note them."""
    left_out = problem.left_out(LeftOut, kernels)
    left_out.announce()
    ((log_density, means),) = left_out.at([1.0], kernels.shape.statistic)
    trials.append((kernels, float(left_out.weights @ log_density)))
    left_out.tell(*trials[-1])
    family, mean = kernels.kernel.family, (left_out.weights @ means)[None]
    products = family.asked("products", "a search for the shape of the kernel")
    return Evaluated(trials[-1][1], products.to_scatter(mean, kernels.n_features))


def _loss(
    kernels: Kernels,
    problem: Problem,
    trials: list,
    start: np.ndarray,
    known: Evaluated | None,
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The negative score of free parameters, and its gradient; notes the trials.

    What is known of the start is not computed again.
    """
    family, d = kernels.kernel.family, kernels.n_features
    free = family.asked("free", "a search for the shape of the kernel")

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        inner = _factor(kernels, parameters)
        if known is not None and np.array_equal(parameters, start):
            found = known
        else:
            found = _tried(kernels.reshaped(inner), problem, trials)
        factors = family.factors.precision_factors(inner[None])
        return -found.score, -free.gradient(found.white, np.ones(1), factors, d)

    return loss


def _factor(kernels, parameters):
    """L in the coordinates z, from its free parameters."""
    free = kernels.kernel.family.asked("free", "a search for the shape of the kernel")
    (inner,) = free.unravel(parameters, 1, kernels.n_features)
    return inner
