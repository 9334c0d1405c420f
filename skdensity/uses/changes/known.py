"""The log-Jacobians that are known: importing this makes all of them known."""

from skdensity.uses.changes import (
    composed,
    frozen,
    functions,
    part,
    pca,
    power,
    quantiles,
    scalers,
)
from skdensity.uses.changes.log_jacobian import log_jacobian

__all__ = [
    "composed",
    "frozen",
    "functions",
    "log_jacobian",
    "part",
    "pca",
    "power",
    "quantiles",
    "scalers",
]
