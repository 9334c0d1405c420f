"""The families of covariances, by the name that estimators know them by."""

from __future__ import annotations

from skdensity.models.covariances.diagonal import diagonal_family
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.isotropic import isotropic_family
from skdensity.models.covariances.matrix import matrix_family

FULL = matrix_family("full")
DIAGONAL = diagonal_family("diag")
SPHERICAL = isotropic_family("spherical")

FAMILIES: dict[str, CovarianceFamily] = {
    family.name: family
    for family in (
        FULL,
        matrix_family("tied", own=FULL),
        DIAGONAL,
        diagonal_family("tied_diag", own=DIAGONAL),
        SPHERICAL,
        isotropic_family("tied_spherical", own=SPHERICAL),
    )
}
