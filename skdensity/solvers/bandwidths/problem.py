"""What a bandwidth is chosen for: locations in units of their spread, and a floor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels, rest_of
from skdensity.models.kernels.shapes import KernelShape
from skdensity.models.mixtures.moments import moments_of
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.repeats import Repeats
from skdensity.rows.spread import drawn_in, middle_scatter, quantiles, spread_of
from skdensity.solvers.bandwidths.criteria import LeftOut
from skdensity.solvers.bandwidths.path import Path
from skdensity.solvers.bandwidths.progress import SILENT, Progress

SINGULAR = (
    "The covariance of the rows is not positive definite: {detail}. Give `bandwidth` "
    "numbers, or remove constant or collinear features"
)

# How far from the middle a row may be, in spreads of every feature, to have a say in
# the units that a scatter is looked for in. The middle's is then at least some 1e-4 of
# the covariance, and the 1e-12 that keep a scatter regular are of no account.
FAR = 100.0
# Farther rows say no more, and distances would overflow.
FARTHEST = 1e50

Left = TypeVar("Left", bound=LeftOut)


@dataclass(frozen=True, eq=False)
class Problem:
    """What a bandwidth is to be chosen for.

    Attributes
    ----------
    kernels : Kernels
        The locations, with the masses that count when a width is chosen; the kernel's
        covariance is that of the middle of the rows, so that a bandwidth is a factor,
        and the same for rows in any unit.
    repeats : Repeats
        What the table is.
    workspace : Workspace
        Threads and scratch.
    progress : Progress, default=SILENT
        Hears of what is tried.
    """

    kernels: Kernels
    repeats: Repeats
    workspace: Workspace
    progress: Progress = SILENT

    @classmethod
    def of(
        cls,
        kernels: Kernels,
        repeats: Repeats,
        workspace: Workspace,
        progress: Progress = SILENT,
    ) -> Problem:
        """The problem in which atoms count as one place, and grids are exact."""
        kernels = replace(kernels, locations=repeats.locations, masses=repeats.masses)
        return cls(kernels, repeats, workspace, progress)

    def left_out(
        self, kind: type[Left], kernels: Kernels | None = None, **more: Any
    ) -> Left:
        """Leave-one-out densities of the locations, or a criterion that is of them."""
        return kind(
            kernels or self.kernels,
            self.workspace,
            self.repeats.left_out,
            steps=self.repeats.steps,
            progress=self.progress,
            **more,
        )

    @property
    def n_rows(self) -> float:
        """Effective number of independent rows."""
        return self.repeats.n_rows

    @cached_property
    def path(self) -> Path:
        """Kernels of growing width that show no gaps between values."""
        return Path(self.kernels, self.repeats.least_widths)

    @cached_property
    def nearest(self) -> np.ndarray:
        """Distance of every location to the nearest row that is not left out with it.

        0 where rows of its own stay.
        """
        sources = self.kernels.sums.sources
        points = sources.in_tree(sources.locations)
        n_threads = self.workspace.n_threads_for_rows(len(points))
        distances, _ = sources.tree.query(points, k=[2], workers=n_threads)
        stays = self.repeats.left_out < self.kernels.masses
        return np.where(stays, 0.0, distances[:, 0])


def reference(locations: np.ndarray, repeats: Repeats, shape: KernelShape) -> Gaussian:
    """The Gaussian of the middle of the rows, of the kernel's shape.

    Parameters
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows, at least 2.
    repeats : Repeats
        What the table is.
    shape : KernelShape
        The shape of the covariance.

    Returns
    -------
    gaussian : Gaussian
        In the unit of the data.
    """
    family, masses = shape.family, repeats.masses
    parts = family.asked("parts", "a reference for bandwidths")
    spreads = spreads_of(locations, masses)
    # A power of two divides exactly, and squares of the quotients are safe.
    widths = parts.deviations(family.scatter.isolated(spreads))
    step = 2.0 ** np.floor(np.log2(np.where(widths > 0, widths, 1)))
    # Any mean, and any far row, may be so far from most that their differences would be
    # lost.
    origin = _value_in_the_middle(locations, masses)
    scaled = (locations.astype(np.float64) - origin) / step
    middle = _medians(scaled, masses)
    if shape.is_independent or len(middle) == 1:
        covariance = family.scatter.isolated((spreads / step) ** 2)
        gaussian = _gaussian(middle, covariance, shape)
    else:
        scaled = drawn_in(scaled - middle, FARTHEST)
        covariance = _covariance(drawn_in(scaled, FAR), masses, family)
        gaussian = _gaussian(np.zeros_like(middle), covariance, shape)
        gaussian = _of_the_middle(gaussian, scaled, masses, repeats.least_widths / step)
    cholesky = parts.scaled(gaussian.cholesky, step)
    return Gaussian(step * middle + origin, cholesky, family)


def _medians(X, masses):
    return np.concatenate([quantiles(column, masses, [0.5]) for column in X.T])


def _value_in_the_middle(X, masses):
    """The value of every feature that is nearest to its median, in float64.

    Differences of values from one of them are exact where they are close.
    """
    nearest = np.abs(X - _medians(X, masses)).argmin(axis=0)
    return X[nearest, np.arange(X.shape[1])].astype(np.float64)


def _covariance(X, masses, family):
    """That of rows, without bias."""
    moments = moments_of(ArrayRows(X, masses), family.scatter)
    (covariance,) = moments.covariances(family.scatter, 0.0)
    return covariance / (masses @ rest_of(masses))


def _gaussian(mean, covariance, shape):
    """The Gaussian of a covariance, which may turn out to be singular."""
    simpler = "" if shape.is_width else ", or use covariance_type='spherical'"
    (inner,) = shape.family.cholesky(covariance[None], SINGULAR + simpler + ".")
    return Gaussian(mean, inner, shape.family)


def _of_the_middle(gaussian, X, masses, least_widths):
    """The Gaussian of rows, made narrower where their middle is."""
    family = gaussian.family
    white = gaussian.whitened_steps(np.diag(least_widths))
    scatter = middle_scatter(gaussian.whiten(X), masses, white.T @ white)
    (inner,) = family.cholesky(family.shape.of_matrix(scatter)[None], "{detail}")
    cholesky = family.factors.compose(gaussian.cholesky, inner)
    covariance = family.factors.square(cholesky)[None]
    # What users are told is the matrix, which must not be singular to rounding.
    (cholesky,) = family.cholesky(family.lifted(covariance, X.shape[1]), "{detail}")
    return Gaussian(gaussian.mean, cholesky, family)


def spreads_of(locations: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Spread of the middle of every feature, of shape (n_features,)."""
    return np.array([spread_of(column, masses) for column in locations.T])
