"""Choose the kernel of a kernel density, from distinct locations and their masses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.family import CovarianceFamily
from skdensity.models.kernels import Kernels, rest_of
from skdensity.models.mixture import Mixture
from skdensity.models.moments import moments_of
from skdensity.passes.ties import Ties
from skdensity.solvers.bandwidth_search import maximise
from skdensity.solvers.criteria import (
    LeastSquares,
    LeaveOneOut,
    RobustLeaveOneOut,
    Trial,
)
from skdensity.solvers.kernel_shape import best_shape
from skdensity.solvers.plug_in import improved_sheather_jones

SINGULAR = (
    "The covariance of the rows is not positive definite: {detail}. Give `bandwidth` "
    "numbers, or remove constant or collinear features{simpler}."
)
# Narrowest kernels on a grid, in its steps: narrower ones show its gaps.
NARROWEST = 0.5


@dataclass(frozen=True)
class Problem:
    """What a bandwidth is to be chosen for.

    Attributes
    ----------
    kernels : Kernels
        The locations; the kernel's covariance is that of the rows, so that a bandwidth
        is a factor, and the same for rows in any unit.
    ties : Ties or None
        Why rows coincide.
    """

    kernels: Kernels
    ties: Ties | None

    @classmethod
    def of(cls, kernels: Kernels, ties: Ties | None) -> Problem:
        """The problem in which atoms weigh as much as any row."""
        if ties is not None:
            kernels = replace(kernels, masses=ties.without_atoms(kernels.masses))
        return cls(kernels, ties)

    @property
    def unit(self) -> float:
        """Mass that is left out of a location; infinite for all of it."""
        return self.ties.unit if self.is_rounded else np.inf

    @property
    def is_rounded(self) -> bool:
        """Whether rows coincide because they were rounded."""
        return self.ties is not None and self.ties.steps is not None

    @cached_property
    def n_rows(self) -> float:
        """Effective number of independent rows."""
        if self.is_rounded:
            return 1 / self.unit
        return 1 / np.sum(self.kernels.masses**2)

    @cached_property
    def narrowest(self) -> np.ndarray:
        """Width that bridges the steps of the grid along every feature, as factors."""
        if not self.is_rounded:
            return np.zeros(self.kernels.n_features)
        kernel = self.kernels.kernel
        (log_diagonal,) = kernel.family.log_diagonal(kernel.cholesky)
        return NARROWEST * self.ties.steps / np.exp(log_diagonal)

    @cached_property
    def floor(self) -> float:
        """Smallest factor that bridges the steps of the grid in every direction."""
        if not self.is_rounded:
            return 0.0
        steps = np.diag(NARROWEST * self.ties.steps)
        origin = self.kernels.kernel.means
        white = self.kernels.kernel.whitened(steps + origin)
        return float(np.linalg.norm(white, 2))

    @cached_property
    def nearest(self) -> np.ndarray:
        """Distance of every location to the nearest other point."""
        sums = self.kernels.sums()
        tree, n_threads = sums.sources.tree, sums.workspace.n_threads
        distances, _ = tree.query(self.kernels.points, k=[2], workers=n_threads)
        return distances[:, 0]


Rule = Callable[[Problem], list[Trial]]


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
        for column in problem.kernels.columns
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
    criterion = criterion(problem.kernels, problem.unit)
    trials = maximise(criterion, min(max(lower, problem.floor), upper), upper)
    if trials[-1].bandwidth < problem.floor:
        trials = [trial for trial in trials if trial.bandwidth > problem.floor]
        trials += criterion.trials([problem.floor])
    return trials


BANDWIDTHS: dict[str, Rule] = {
    "isj": isj,
    "loo": loo,
    "lscv": lscv,
    "robust_loo": robust_loo,
    "scott": scott,
    "silverman": silverman,
}
# Rules that score bandwidths, and are led astray by rows that coincide.
SEARCHES = frozenset({"loo", "lscv", "robust_loo"})


@dataclass(frozen=True)
class Choice:
    """The kernel that was chosen, and those that were tried.

    Attributes
    ----------
    cholesky : ndarray in the inner shape of the family
        L of the kernel's covariance.
    tried : ndarray of shape (n_tried, ...)
        The same of all that were scored, from the smallest to the largest.
    scores : ndarray of shape (n_tried,)
        Their scores.
    """

    cholesky: np.ndarray
    tried: np.ndarray
    scores: np.ndarray


def choose(
    name: str,
    locations: np.ndarray,
    masses: np.ndarray,
    family: CovarianceFamily,
    bounds: np.ndarray | None,
    ties: Ties | None,
    summation: Callable,
) -> Choice:
    """Apply a rule.

    Parameters
    ----------
    name : str
        A key of :data:`BANDWIDTHS`.
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    family : CovarianceFamily
        The shape of the kernel.
    bounds : ndarray of shape (n_features, 2) or None
        Where mass may be.
    ties : Ties or None
        Why rows coincide.
    summation : callable
        As in :class:`~skdensity.models.kernels.Kernels`.

    Returns
    -------
    choice : Choice
        In the unit of the data.
    """
    gaussian = reference(locations, masses, family)
    kernels = Kernels(locations, masses, gaussian, bounds, summation)
    problem = Problem.of(kernels, ties)
    kernels = problem.kernels
    trials = BANDWIDTHS[name](problem)
    tried = [(kernels.scaled(trial.bandwidth), trial.score) for trial in trials]
    if name == "loo" and not family.isotropic:
        best, _ = tried[-1]
        narrowest = problem.narrowest / trials[-1].bandwidth
        tried += best_shape(best, problem.unit, narrowest)
    chosen, _ = tried[-1]
    factors = np.array([kernels.kernel.cholesky for kernels, _ in tried])
    order = np.argsort([-kernels.log_peak for kernels, _ in tried], kind="stable")
    scores = np.array([score for _, score in tried])
    return Choice(chosen.kernel.cholesky, factors[order], scores[order])


def reference(
    locations: np.ndarray, masses: np.ndarray, family: CovarianceFamily
) -> Mixture:
    """The Gaussian of the rows, of the family's shape, unbiased under their masses."""
    # A power of two divides exactly, and squares of the quotients are safe.
    ranges = np.ptp(locations, axis=0).astype(np.float64)
    if family.isotropic:
        ranges = ranges.max(keepdims=True)
    unit = 2.0 ** np.floor(np.log2(np.where(ranges > 0, ranges, 1)))
    scaled = (locations.astype(np.float64) - locations[0]) / unit
    moments = moments_of(scaled, masses[None], family)
    covariance = family.estimate(moments, 0.0) / (masses @ rest_of(masses))
    simpler = "" if family.isotropic else ", or use covariance_type='spherical'"
    complaint = SINGULAR.replace("{simpler}", simpler)
    inner = family.cholesky(covariance, complaint)
    cholesky = inner * (unit[:, None] if family.rank == 2 else unit)
    mean = unit * moments.mean[0] + locations[0]
    return Mixture.gaussian(mean, cholesky, family)
