"""Rules that choose the kernel, from distinct locations and their masses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skdensity.models.kernels.kernels import Kernels, rest_of
from skdensity.passes.workspace import Workspace
from skdensity.rows.ties import Ties
from skdensity.solvers.bandwidths.criteria import (
    LeastSquares,
    LeaveOneOut,
    RobustLeaveOneOut,
    Trial,
)
from skdensity.solvers.bandwidths.plug_in import improved_sheather_jones
from skdensity.solvers.bandwidths.problem import Problem
from skdensity.solvers.bandwidths.progress import SILENT, Progress
from skdensity.solvers.bandwidths.search import maximise
from skdensity.solvers.bandwidths.shape import best_shape


def scott(problem: Problem) -> list[Trial]:
    r"""Scott's rule, the factor :math:`n^{-1/(d+4)}`.

    Scott (1992), doi:10.1002/9780470316849. Here n is the effective number of
    locations, :math:`1 / \sum_j m_j^2`, or that of rows if they were rounded.

    Parameters
    ----------
    problem : Problem
        The locations.

    Returns
    -------
    trials : list of Trial
        One, without a score.
    """
    factor = problem.n_rows ** (-1 / (problem.kernels.n_features + 4))
    return [Trial(factor, np.nan, np.nan)]


def silverman(problem: Problem) -> list[Trial]:
    r"""Silverman's rule, the factor :math:`(n (d+2) / 4)^{-1/(d+4)}`.

    Silverman (1986), *Density Estimation for Statistics and Data Analysis*. Parameters
    and result are those of :func:`scott`.
    """
    d = problem.kernels.n_features
    factor = (problem.n_rows * (d + 2) / 4) ** (-1 / (d + 4))
    return [Trial(factor, np.nan, np.nan)]


def isj(problem: Problem) -> list[Trial]:
    """The improved Sheather–Jones rule; as :func:`scott`.

    It is a rule for one feature. For more, the geometric mean of the features' factors
    is taken from its rate in n, :math:`n^{-1/5}`, to that of d features.
    """
    d, n_rows = problem.kernels.n_features, problem.n_rows
    factors = [
        improved_sheather_jones(column, problem.kernels.masses, n_rows)
        for column in problem.kernels.standardised
        if np.ptp(column) > 0
    ]
    factor = np.exp(np.mean(np.log(factors))) * n_rows ** (1 / 5 - 1 / (d + 4))
    return [Trial(float(factor), np.nan, np.nan)]


def loo(problem: Problem) -> list[Trial]:
    r"""Maximise the leave-one-out likelihood.

    At every stationary point :math:`d h^2 = \sum_i m_i \sum_j r_{ij} s_{ij}`, with
    squared distances s and leave-one-out responsibilities r that fall with distance. So
    every maximum lies between the bandwidths that put all of r on the nearest
    neighbour and that spread it like the masses.

    Parameters
    ----------
    problem : Problem
        The locations.

    Returns
    -------
    trials : list of Trial
        The last is the best.
    """
    d, masses = problem.kernels.n_features, problem.kernels.masses
    lower = np.sqrt(masses @ problem.nearest**2 / d)
    return _search(LeaveOneOut, problem, lower)


def robust_loo(problem: Problem) -> list[Trial]:
    """Maximise the robust leave-one-out likelihood; as :func:`loo`."""
    return _search(RobustLeaveOneOut, problem, _typical_nearest(problem))


def lscv(problem: Problem) -> list[Trial]:
    """Minimise the least-squares cross-validation score; as :func:`loo`."""
    return _search(LeastSquares, problem, _typical_nearest(problem))


def _typical_nearest(problem):
    """A width below which kernels of half of the locations do not meet."""
    return 0.25 * np.median(problem.nearest) / np.sqrt(problem.kernels.n_features)


def _search(criterion, problem, lower):
    points, masses = problem.kernels.points, problem.kernels.masses
    spread = np.sum((points - masses @ points) ** 2, axis=1)
    # Σ_j m_j s_ij = |x_i − mean|² + Σ_j m_j |x_j − mean|²; the term j = i is zero.
    mean_square = masses @ ((spread + masses @ spread) / rest_of(masses))
    upper = np.sqrt(mean_square / problem.kernels.n_features)
    upper = max(upper, *problem.kernels.flat_widths, 0.0)
    smallest = problem.smallest
    how = {"row_mass": problem.row_mass, "progress": problem.progress}
    criterion = criterion(problem.kernels, problem.workspace, **how)
    trials = maximise(criterion, min(max(lower, smallest), upper), upper)
    if trials[-1].bandwidth < smallest:
        trials = [trial for trial in trials if trial.bandwidth > smallest]
        trials += criterion.trials([smallest])
    return trials


@dataclass(frozen=True)
class Rule:
    """A way to choose the kernel.

    Attributes
    ----------
    trials : callable
        Bandwidths that it tries for a problem; the last is the one that it chooses.
    searches : bool
        Whether it scores what it tries: rows that coincide can lead it astray.
    shapes : bool
        Whether the shape of the kernel is searched for as well.
    label : str
        What its scores are, for the axis of a picture.
    """

    trials: Callable[[Problem], list[Trial]]
    searches: bool = False
    shapes: bool = False
    label: str = ""


BANDWIDTHS: dict[str, Rule] = {
    "isj": Rule(isj),
    "loo": Rule(
        loo,
        searches=True,
        shapes=True,
        label="leave-one-out log-likelihood, nats per row",
    ),
    "lscv": Rule(lscv, searches=True, label="negative squared error, up to a constant"),
    "robust_loo": Rule(robust_loo, searches=True, label="robust leave-one-out score"),
    "scott": Rule(scott),
    "silverman": Rule(silverman),
}


@dataclass(frozen=True, eq=False)
class Choice:
    """The kernels that were chosen, and those that were tried.

    Attributes
    ----------
    chosen : Kernels
        The locations under the kernel that was chosen.
    tried : list of Kernels
        All that were tried, from the narrowest to the widest.
    scores : ndarray of shape (n_tried,)
        Their scores.
    """

    chosen: Kernels
    tried: list[Kernels]
    scores: np.ndarray


def choose(
    rule: Rule,
    kernels: Kernels,
    ties: Ties | None,
    workspace: Workspace,
    progress: Progress = SILENT,
) -> Choice:
    """Apply a rule.

    Parameters
    ----------
    rule : Rule
        One of :data:`BANDWIDTHS`.
    kernels : Kernels
        At least 2 distinct locations; the kernel is their
        :func:`~skdensity.solvers.bandwidths.problem.reference`.
    ties : Ties or None
        Why rows coincide.
    workspace : Workspace
        Threads and scratch; they make no difference to the choice.
    progress : Progress, default=SILENT
        Hears of what is tried.

    Returns
    -------
    choice : Choice
        In the unit of the data.
    """
    problem = Problem.of(kernels, ties, workspace, progress)
    trials = rule.trials(problem)
    tried = [(problem.kernels.scaled(trial.bandwidth), trial.score) for trial in trials]
    if rule.shapes and not kernels.shape.is_width:
        narrowest = problem.narrowest / trials[-1].bandwidth
        tried += best_shape(tried[-1][0], problem, narrowest)
    best, _ = tried[-1]
    order = np.argsort([-each.kernel.log_peak for each, _ in tried], kind="stable")
    return Choice(
        kernels.with_kernel(best.kernel),
        [tried[i][0] for i in order],
        np.array([score for _, score in tried])[order],
    )
