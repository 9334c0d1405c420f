"""Rules that choose the kernel, from distinct locations and their masses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from skdensity.models.kernels.kernels import Kernels, rest_of
from skdensity.passes.workspace import Workspace
from skdensity.rows.columns import NARROWEST
from skdensity.rows.repeats import Repeats
from skdensity.solvers.bandwidths.criteria import (
    Criterion,
    LeastSquares,
    LeaveOneOut,
    RobustLeaveOneOut,
    Trial,
)
from skdensity.solvers.bandwidths.plug_in import improved_sheather_jones
from skdensity.solvers.bandwidths.problem import Problem
from skdensity.solvers.bandwidths.progress import SILENT, Enough, Progress, Tried
from skdensity.solvers.bandwidths.search import maximise
from skdensity.solvers.bandwidths.shape import best_shape

# Of the least width, where slopes are told still: below, nothing becomes narrower.
ABOVE_LEAST = 1 + 1e-9
FLAT = (
    "bandwidth='isj' finds no structure, as in uniform rows: its equation has no root, "
    "and the widest candidate is taken"
)


def scott(problem: Problem) -> list[Trial]:
    r"""Scott's rule, the factor :math:`n^{-1/(d+4)}`.

    Scott (1992), doi:10.1002/9780470316849. Here n is the effective number of
    locations, :math:`1 / \sum_j m_j^2`, or that of rows if they were rounded; and the
    factor is that of the spread of the middle of the rows.

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
    return [Trial(factor)]


def silverman(problem: Problem) -> list[Trial]:
    r"""Silverman's rule, the factor :math:`(n (d+2) / 4)^{-1/(d+4)}`.

    Silverman (1986), *Density Estimation for Statistics and Data Analysis*. Parameters
    and result are those of :func:`scott`.
    """
    d = problem.kernels.n_features
    factor = (problem.n_rows * (d + 2) / 4) ** (-1 / (d + 4))
    return [Trial(factor)]


def isj(problem: Problem) -> list[Trial]:
    """The improved Sheather–Jones rule; as :func:`scott`.

    It is a rule for one feature. For more, the geometric mean of the features' factors
    is taken from its rate in n, :math:`n^{-1/5}`, to that of d features. A discrete
    feature has no say, unless all are, and a constant one none beside any others.
    """
    d, n_rows = problem.kernels.n_features, problem.n_rows
    columns = problem.repeats.columns
    smooth = [a for a in range(d) if columns[a].is_smooth]
    varied = smooth or [a for a in range(d) if columns[a].kind != "constant"]
    # Far from 0, rows may differ in every feature, and in none by more than rounding.
    varied = varied or list(range(d))
    factors, are_flat = np.transpose([_plug_in(problem, a) for a in varied])
    factor = np.exp(np.mean(np.log(factors))) * n_rows ** (1 / 5 - 1 / (d + 4))
    return [Trial(float(factor), doubt=FLAT if are_flat.any() else "")]


def _plug_in(problem, feature):
    """Bandwidth of a feature in its own unit, and whether the density is flat."""
    kernels = problem.kernels
    unit = np.resize(kernels.kernel.deviations, kernels.n_features)[feature]
    axis = kernels.white_support.axis(feature)
    # A circle reflects where it is cut, where there is little.
    bounds = axis.lower, axis.upper
    step = problem.repeats.columns[feature].least_width / NARROWEST / unit
    column = kernels.standardised[feature]
    n_rows = problem.n_rows
    return improved_sheather_jones(column, kernels.masses, n_rows, bounds, step)


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
    least = problem.path.least
    least_widths = problem.repeats.least_widths
    criterion = problem.left_out(criterion, least_widths=least_widths)
    lower = max(lower, least)
    if least > 0:  # a maximum next to the floor must not hide between two octaves
        anchor = ABOVE_LEAST * least
        upper = anchor * 2.0 ** max(np.ceil(np.log2(upper / anchor)), 0)
    trials = maximise(criterion, min(lower, upper), upper)
    if trials[-1].bandwidth < least:
        trials = [trial for trial in trials if trial.bandwidth > least]
        trials += criterion.trials([least])
    return trials


@dataclass(frozen=True)
class Rule:
    """A way to choose the kernel.

    Attributes
    ----------
    trials : callable
        Bandwidths that it tries for a problem; the last is the one that it chooses.
    criterion : type of Criterion, optional
        What it maximises, if it searches.
    shapes : bool
        Whether the shape of the kernel is searched for as well.
    label : str
        What its scores are, for the axis of a picture.
    """

    trials: Callable[[Problem], list[Trial]]
    criterion: type[Criterion] | None = None
    shapes: bool = False
    label: str = ""

    @property
    def searches(self) -> bool:
        """Whether it scores what it tries: rows that coincide can lead it astray."""
        return self.criterion is not None


BANDWIDTHS: dict[str, Rule] = {
    "isj": Rule(isj),
    "loo": Rule(
        loo,
        LeaveOneOut,
        shapes=True,
        label="leave-one-out log-likelihood, nats per row",
    ),
    "lscv": Rule(lscv, LeastSquares, label="negative squared error, up to a constant"),
    "robust_loo": Rule(
        robust_loo, RobustLeaveOneOut, label="robust leave-one-out score"
    ),
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
    doubt : str
        What a user should know of the choice, if anything.
    """

    chosen: Kernels
    tried: list[Kernels]
    scores: np.ndarray
    doubt: str

    @classmethod
    def of(cls, kernels: Kernels, tried: Tried, doubt: str = "") -> Choice:
        """The last of some that were tried, for the locations with all their mass."""
        order = np.argsort([-each.kernel.log_peak for each, _ in tried], kind="stable")
        return cls(
            kernels.with_kernel(tried[-1][0].kernel),
            [tried[i][0] for i in order],
            np.array([score for _, score in tried])[order],
            doubt,
        )

    @classmethod
    def best_of(cls, kernels: Kernels, tried: Tried) -> Choice:
        """The one of the highest score, where a search has not come to its end."""
        return cls.of(kernels, sorted(tried, key=itemgetter(1)))


def choose(
    rule: Rule,
    kernels: Kernels,
    repeats: Repeats,
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
    repeats : Repeats
        What the table is.
    workspace : Workspace
        Threads and scratch; they make no difference to the choice.
    progress : Progress, default=SILENT
        Hears of what is tried, and may have had enough.

    Returns
    -------
    choice : Choice
        In the unit of the data.
    """
    problem = Problem.of(kernels, repeats, workspace, progress)
    try:
        trials = rule.trials(problem)
        tried = [(problem.path.at(trial.bandwidth), trial.score) for trial in trials]
        if rule.shapes and not kernels.shape.is_width:
            tried += best_shape(tried[-1][0], problem)
    except Enough as enough:
        return Choice.best_of(kernels, enough.tried)
    return Choice.of(kernels, tried, trials[-1].doubt)
