"""A family of covariances: what it is called, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdensity.models.covariances.cholesky import lifted_matrix
from skdensity.models.covariances.conditionals import Conditionals
from skdensity.models.covariances.factors import Factors
from skdensity.models.covariances.free import FreeParameters
from skdensity.models.covariances.parts import Parts
from skdensity.models.covariances.products import Products
from skdensity.models.covariances.scatter import Scatter
from skdensity.models.covariances.shape import Shape


@dataclass(frozen=True, eq=False)
class CovarianceFamily:
    """A record of capabilities.

    A family must have the first four. Without `products` its densities are evaluated
    from whitened residuals; without `parts` there are no marginals; without
    `conditionals` no feature may be missing; without `free` nothing can descend on it.

    Attributes
    ----------
    name : str
        What estimators call it.
    shape : Shape
        Layout and counting.
    scatter : Scatter
        Second moments, and estimation from them.
    factors : Factors
        L and U: whiten, colour, solve, log-determinant.
    own : CovarianceFamily, optional
        The family in which every component has its own covariance, where this one
        ties them.
    parts : Parts, optional
        Factors of some features.
    conditionals : type of Conditionals, optional
        Features that are missing, under the covariance that has a given U.
    products : Products, optional
        Products of features.
    free : FreeParameters, optional
        What descent and acceleration move.
    """

    name: str
    shape: Shape
    scatter: Scatter
    factors: Factors
    own: CovarianceFamily | None = None
    parts: Parts | None = None
    conditionals: type[Conditionals] | None = None
    products: Products | None = None
    free: FreeParameters | None = None

    @property
    def untied(self) -> CovarianceFamily:
        """The family in which every component has its own covariance."""
        return self.own or self

    def asked(self, capability: str, purpose: str) -> Any:
        """A capability, or an error that says what for it is missing."""
        found = getattr(self, capability)
        if found is None:
            raise ValueError(
                f"covariance_type={self.name!r} has no `{capability}`, which {purpose} "
                "needs. Choose another covariance_type."
            )
        return found

    def cholesky(self, covariances: np.ndarray, complaint: str) -> np.ndarray:
        """Lower Cholesky factors L.

        Where there is none, a ValueError says `complaint`, a template with the fields
        ``component`` and ``detail``.
        """
        return unless_faulty(self.factors.factored(covariances), complaint)

    def lifted(self, covariances: np.ndarray, n_features: int) -> np.ndarray:
        """Covariances that are singular to rounding made regular; others as they are.

        A variance that is not positive stays so.
        """
        _, faults = self.factors.factored(covariances)
        lifted = covariances.copy()
        for k in faults:
            matrix = self.shape.matrices(covariances[k], n_features)
            lifted[k] = self.shape.of_matrix(lifted_matrix(matrix))
        return lifted

    def cholesky_of_precisions(
        self, precisions: np.ndarray, complaint: str
    ) -> np.ndarray:
        """L with L Lᵀ = P⁻¹, from precisions; complains as :meth:`cholesky`."""
        return unless_faulty(self.factors.of_precisions(precisions), complaint)

    def precisions(self, factors: np.ndarray) -> np.ndarray:
        """U Uᵀ = Σ⁻¹, in the layout of covariances, from factors U that whiten.

        Infinite or NaN where it overflows: a density needs only its factor.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self.factors.square(factors)


def unless_faulty(
    factored: tuple[np.ndarray, dict[int, str]], complaint: str
) -> np.ndarray:
    """Factors, or an error about the first fault."""
    factors, faults = factored
    for component, detail in faults.items():
        raise ValueError(complaint.format(component=component, detail=detail))
    return factors
