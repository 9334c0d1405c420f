"""What a bandwidth is chosen for: locations in units of their spread, and ties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels, rest_of
from skdensity.models.kernels.shapes import KernelShape
from skdensity.models.mixtures.moments import moments_of
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.ties import Ties
from skdensity.solvers.bandwidths.progress import SILENT, Progress

SINGULAR = (
    "The covariance of the rows is not positive definite: {detail}. Give `bandwidth` "
    "numbers, or remove constant or collinear features"
)
# Narrowest kernels on a grid, in its steps: narrower ones show its gaps.
NARROWEST = 0.5


@dataclass(frozen=True, eq=False)
class Problem:
    """What a bandwidth is to be chosen for.

    Attributes
    ----------
    kernels : Kernels
        The locations; the kernel's covariance is that of the rows, so that a bandwidth
        is a factor, and the same for rows in any unit.
    ties : Ties or None
        Why rows coincide.
    workspace : Workspace
        Threads and scratch.
    progress : Progress, default=SILENT
        Hears of what is tried.
    """

    kernels: Kernels
    ties: Ties | None
    workspace: Workspace
    progress: Progress = SILENT

    @classmethod
    def of(
        cls,
        kernels: Kernels,
        ties: Ties | None,
        workspace: Workspace,
        progress: Progress = SILENT,
    ) -> Problem:
        """The problem in which atoms weigh as much as any row."""
        if ties is not None:
            kernels = replace(kernels, masses=ties.without_atoms(kernels.masses))
        return cls(kernels, ties, workspace, progress)

    @property
    def steps(self) -> np.ndarray | None:
        """Steps of the grids that features were rounded to, if they were."""
        return None if self.ties is None else self.ties.steps

    @property
    def row_mass(self) -> float:
        """Mass of one row where only that is left out; infinite for all of it."""
        if self.ties is None or self.steps is None:
            return np.inf
        return self.ties.row_mass

    @cached_property
    def n_rows(self) -> float:
        """Effective number of independent rows."""
        if self.steps is not None:
            return 1 / self.row_mass
        return 1 / np.sum(self.kernels.masses**2)

    @cached_property
    def narrowest(self) -> np.ndarray:
        """Width that bridges the steps of the grid along every feature, as factors."""
        if self.steps is None:
            return np.zeros(self.kernels.n_features)
        kernel = self.kernels.kernel
        log_diagonal = kernel.family.factors.log_diagonal(kernel.cholesky)
        return NARROWEST * self.steps / np.exp(log_diagonal)

    @cached_property
    def smallest(self) -> float:
        """Smallest factor that bridges the steps of the grid in every direction."""
        if self.steps is None:
            return 0.0
        white = self.kernels.kernel.whitened_steps(np.diag(NARROWEST * self.steps))
        return float(np.linalg.norm(white, 2))

    @cached_property
    def nearest(self) -> np.ndarray:
        """Distance of every location to the nearest other one."""
        sources, n_threads = self.kernels.sums.sources, self.workspace.n_threads
        points = sources.in_tree(sources.locations)
        distances, _ = sources.tree.query(points, k=[2], workers=n_threads)
        return distances[:, 0]


def reference(
    locations: np.ndarray, masses: np.ndarray, shape: KernelShape
) -> Gaussian:
    """The Gaussian of the rows, of the kernel's shape, unbiased under their masses.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    shape : KernelShape
        The shape of the covariance.

    Returns
    -------
    gaussian : Gaussian
        In the unit of the data.
    """
    family = shape.family
    parts = family.asked("parts", "a reference for bandwidths")
    # A power of two divides exactly, and squares of the quotients are safe.
    ranges = np.ptp(locations, axis=0).astype(np.float64)
    widths = parts.deviations(family.scatter.isolated(ranges))
    step = 2.0 ** np.floor(np.log2(np.where(widths > 0, widths, 1)))
    scaled = (locations.astype(np.float64) - locations[0]) / step
    moments = moments_of(ArrayRows(scaled, masses), family.scatter)
    covariances = moments.covariances(family.scatter, 0.0)
    simpler = "" if shape.is_width else ", or use covariance_type='spherical'"
    complaint = SINGULAR + simpler + "."
    (inner,) = family.cholesky(covariances / (masses @ rest_of(masses)), complaint)
    (mean,) = step * moments.mean + locations[0]
    return Gaussian(mean, parts.scaled(inner, step), family)
