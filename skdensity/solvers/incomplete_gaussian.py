"""One Gaussian of rows with holes: most likely for what was observed, by EM."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import available_gaussian
from skdensity.rows.rows import Rows
from skdensity.solvers.mixtures.directions import Point, anderson

SINGULAR = (
    "The covariance of rows with missing values is singular: {detail}. What is missing "
    "cannot be told from what was observed. Add rows, set a positive `reg_covar`, or "
    "remove constant, duplicated or collinear features."
)
# Steps of a fit; where half of the information is missing, it takes some 30.
MAX_STEPS = 1000
# Share of a variance that stands for none: rounding errors are about as large.
NOTHING = 1e-14
# Length of a step, in standard deviations, below which a fit has converged. Rounding
# may keep steps longer, which shows where many in a row are no shorter.
SETTLED = 1e-11
ROUNDING = 1e-7
N_NO_SHORTER = 10
# EM's own steps before they are mixed, how short these must be, and how many are mixed:
# with half of the information missing, a fifth of the steps.
N_OWN = 3  # pragma: no mutate
SHORT = 0.1  # pragma: no mutate
N_MIXED = 10  # pragma: no mutate


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


@dataclass(frozen=True, eq=False)
class GaussianEM:
    """EM for one Gaussian, its last steps mixed.

    EM's steps shrink by the share of the information that is missing, a constant: the
    mixture that leaves least of the last ones jumps ahead (Anderson's; see
    :func:`~skdensity.solvers.mixtures.directions.anderson`). A jump after which steps
    are longer is taken back.

    Attributes
    ----------
    rows : Rows
        The rows; NaN is a hole.
    family : CovarianceFamily
        The shape of the covariance.
    added : ndarray
        Covariance that is added to every estimate, in the family's layout, without an
        axis of components.
    """

    rows: Rows
    family: CovarianceFamily
    added: np.ndarray

    def run(
        self, start: Gaussian | None = None, max_steps: int = MAX_STEPS
    ) -> GaussianState:
        """Step until steps are short; by default from one without correlations."""
        start = start or available_gaussian(self.rows, self.family)
        path, parameters = _Path(), MixtureParameters(1, start)
        here = parameters.ravel(Mixture.alone(start))
        for _ in range(max_steps):
            mixture = parameters.unravel(here)
            moments = mixture.moments(self.rows)
            after = self.maximised(moments, start)
            size = _length(mixture.gaussian(0), after)
            image = parameters.ravel(Mixture.alone(after))
            here = path.next(Point(here, image - here, image), size)
            if path.has_settled:
                return GaussianState(moments, after, converged=True)
        return GaussianState(moments, after, converged=False)

    def maximised(self, moments: Moments, start: Gaussian) -> Gaussian:
        """The M-step; a ValueError where next to nothing is left of the start."""
        covariances = moments.covariances(self.family.scatter, self.added)
        (cholesky,) = self.family.cholesky(covariances, SINGULAR)
        log_diagonal = self.family.factors.log_diagonal
        left = log_diagonal(cholesky) - log_diagonal(start.cholesky)
        if 2 * left.min() < np.log(NOTHING):
            # EM would take it down, and down, until it is no number.
            detail = f"nothing is left of the variance of feature {left.argmin()}"
            raise ValueError(SINGULAR.format(detail=detail))
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
