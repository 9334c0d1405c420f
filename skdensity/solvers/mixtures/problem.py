"""What a start is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, moments_of
from skdensity.models.mixtures.variances import positive_covariance
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.em import m_step


@dataclass(frozen=True, eq=False)
class StartProblem:
    """What a start is asked for.

    Attributes
    ----------
    rows : ArrayRows
        Distinct rows to start on; their `weight` is None when all count the same.
    n_components : int
        Number of components.
    family : CovarianceFamily
        The shape of the covariances.
    reg_covar : ndarray
        Covariance that is added to each, in the family's layout, without an axis of
        components.
    of_all : callable, optional
        Gives the moments of the rows, where they are known from elsewhere.
    """

    rows: ArrayRows
    n_components: int
    family: CovarianceFamily
    reg_covar: np.ndarray
    of_all: Callable[[], Moments] | None = None

    @cached_property
    def units(self) -> Gaussian:
        """The Gaussian of all rows, as wide as `reg_covar` makes it."""
        own = self.family.untied
        moments = self.of_all() if self.of_all else moments_of(self.rows, own.scatter)
        covariance = positive_covariance(moments, own) + self.reg_covar
        (cholesky,) = own.cholesky(covariance[None], "{detail}")
        return Gaussian(moments.mean[0], cholesky, own)

    def mixture(self, moments: Moments) -> Mixture:
        """The first M-step."""
        mixture, _ = m_step(moments, self.family, self.reg_covar)
        return mixture
