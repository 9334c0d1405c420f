"""Covariance families: how the covariances of K components are shaped and estimated.

A family is one object, looked up once by the name that estimators know it by.
"""

from __future__ import annotations

from skdensity.models.diagonal_family import DiagonalFamily, IsotropicFamily
from skdensity.models.family import CovarianceFamily
from skdensity.models.matrix_family import MatrixFamily

FAMILIES: dict[str, CovarianceFamily] = {
    "full": MatrixFamily(),
    "tied": MatrixFamily(tied=True),
    "diag": DiagonalFamily(),
    "tied_diag": DiagonalFamily(tied=True),
    "spherical": IsotropicFamily(),
    "tied_spherical": IsotropicFamily(tied=True),
}
