"""One Gaussian of rows with holes: most likely for what was observed, by EM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, moments_of
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import available_gaussian
from skdensity.rows.rows import Rows
from skdensity.solvers.mixtures.acceleration import Point, anderson

SINGULAR = (
    "The covariance of rows with missing values is singular: {detail}. What is missing "
    "cannot be told from what was observed. Add rows, set a positive `reg_covar`, or "
    "remove constant, duplicated or collinear features."
)
# Steps of a fit; where half of the information is missing, it takes some 30.
MAX_STEPS = 1000
# Length of a step, in standard deviations, below which a fit has converged. Rounding
# may keep steps longer, which shows where many in a row are no shorter.
SETTLED = 1e-11
ROUNDING = 1e-7
N_NO_SHORTER = 10
# EM's own steps before they are mixed, how short these must be, and how many are mixed:
# with half of the information missing, a fifth of the steps.
N_OWN = 3
SHORT = 0.1
N_MIXED = 10


AddedOf = Callable[[Moments], np.ndarray]


@dataclass(frozen=True, eq=False)
class GaussianState:
    """Where EM stands.

    Attributes
    ----------
    moments : Moments
        Expected moments of the rows.
    gaussian : Gaussian
        What is estimated from them.
    converged : bool
        Whether it moves no longer.
    """

    moments: Moments
    gaussian: Gaussian
    converged: bool


def gaussian_moments(
    rows: Rows, family: CovarianceFamily, added_of: AddedOf
) -> tuple[Moments, bool]:
    """The moments that the most likely Gaussian is estimated from, and whether it is.

    Parameters
    ----------
    rows : Rows
        The rows; complete ones have moments by themselves.
    family : CovarianceFamily
        The shape of the covariance.
    added_of : callable
        Covariance that is added to an estimate, in the family's layout, from moments.

    Returns
    -------
    moments : Moments
        Of one component.
    converged : bool
        Whether steps were enough for what holes hide.
    """
    if rows.are_complete:
        return moments_of(rows, family.scatter), True
    state = GaussianEM(rows, family, added_of).run()
    return state.moments, state.converged


@dataclass(frozen=True, eq=False)
class GaussianEM:
    """EM for one Gaussian, its last steps mixed.

    EM's steps shrink by the share of the information that is missing, a constant: the
    mixture that leaves least of the last ones jumps ahead (Anderson's; see
    :func:`~skdensity.solvers.mixtures.acceleration.anderson`). A jump after which steps
    are longer is taken back.

    Attributes
    ----------
    rows : Rows
        The rows; NaN is a hole.
    family : CovarianceFamily
        The shape of the covariance.
    added_of : callable
        Covariance that is added to an estimate, in the family's layout, from moments.
    """

    rows: Rows
    family: CovarianceFamily
    added_of: AddedOf

    @cached_property
    def parameters(self) -> MixtureParameters:
        """What is free, in units of the values that are there."""
        return MixtureParameters(1, available_gaussian(self.rows, self.family))

    def run(
        self, start: Gaussian | None = None, max_steps: int = MAX_STEPS
    ) -> GaussianState:
        """Step until steps are short; by default from one without correlations."""
        path, start = _Path(), start or self.parameters.units
        here = self.parameters.ravel(Mixture.alone(start))
        for _ in range(max_steps):
            mixture = self.parameters.unravel(here)
            moments = mixture.moments(self.rows)
            after = self.maximised(moments)
            size = _length(mixture.gaussian(0), after)
            image = self.parameters.ravel(Mixture.alone(after))
            here = path.next(Point(here, image - here, image), size)
            if path.has_settled:
                return GaussianState(moments, after, converged=True)
        return GaussianState(moments, after, converged=False)

    def maximised(self, moments: Moments) -> Gaussian:
        """The M-step."""
        added = self.added_of(moments)
        covariances = moments.covariances(self.family.scatter, added)
        (cholesky,) = self.family.cholesky(covariances, SINGULAR)
        return Gaussian(moments.mean[0], cholesky, self.family)


@dataclass(eq=False)
class _Path:
    """Points that are mixed, and the lengths of the steps from all that were seen."""

    points: list[Point] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    has_jumped: bool = False

    def next(self, point: Point, size: float) -> np.ndarray:
        """Where to look next: ahead of the last steps, or where EM's own leads."""
        if self.has_jumped and not size < self.sizes[-1]:
            self.has_jumped = False
            self.points = self.points[-1:]
            return self.points[-1].image
        self.sizes.append(size)
        self.points = [*self.points, point][-N_MIXED:]
        self.has_jumped = len(self.points) > N_OWN and size <= SHORT
        if not self.has_jumped:
            return point.image
        jump = anderson(tuple(self.points))
        return point.parameters + jump / max(1, np.abs(jump).max() / SHORT)

    @property
    def has_settled(self) -> bool:
        """Whether steps are short, and will not become shorter."""
        shortest = min(self.sizes)
        n_since = len(self.sizes) - 1 - self.sizes.index(shortest)
        at_rounding = shortest <= ROUNDING and n_since >= N_NO_SHORTER
        return shortest <= SETTLED or at_rounding


def _length(before: Gaussian, after: Gaussian) -> float:
    """How far a Gaussian moved, in its own standard deviations."""
    step = before.whitened_steps((after.mean - before.mean)[None])
    relative = before.family.factors.relative(
        before.precision_factor, after.cholesky - before.cholesky
    )
    return float(max(np.abs(step).max(), np.abs(relative).max()))
