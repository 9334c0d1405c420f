"""What a start is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
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
    reg_covar : float or ndarray
        Added to every covariance, as in :meth:`Scatter.estimate`.
    n_rows : int
        Rows of the table that the fit will look at.
    """

    rows: ArrayRows
    n_components: int
    family: CovarianceFamily
    reg_covar: float | np.ndarray
    n_rows: int

    def mixture(self, moments: Moments) -> Mixture:
        """The first M-step."""
        mixture, _ = m_step(moments, self.family, self.reg_covar)
        return mixture
