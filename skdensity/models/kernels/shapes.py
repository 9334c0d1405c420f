"""Shapes of kernels, and how users give them: a number, widths, or a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import DIAGONAL, FULL, SPHERICAL
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.statistics import (
    CROSS_PRODUCTS,
    NOTHING,
    SQUARES,
    PairStatistic,
)

Bandwidth = float | np.ndarray


@dataclass(frozen=True, eq=False)
class KernelShape:
    """What there is to know of a shape.

    Attributes
    ----------
    family : CovarianceFamily
        The shape of the kernel's covariance, which has the same name.
    bandwidth_of : callable
        What users see of a kernel.
    kernel_of : callable
        The kernel with a mean and a bandwidth; a bandwidth that is no kernel is a
        ValueError with a complaint.
    statistic : PairStatistic
        Its mean is one step of EM for the shape; `NOTHING` where there is only a width.
    is_independent : bool
        Whether features are, so that reflection at a bound leaves the kernel as it is.
    """

    family: CovarianceFamily
    bandwidth_of: Callable[[Gaussian], Bandwidth]
    kernel_of: Callable[[np.ndarray, Bandwidth, str], Gaussian]
    statistic: PairStatistic = NOTHING
    is_independent: bool = True

    @property
    def is_width(self) -> bool:
        """Whether there is only a width."""
        return self.statistic is NOTHING


def _number_of(kernel: Gaussian) -> float:
    return float(kernel.deviations.item())


def _isotropic(mean: np.ndarray, bandwidth: Bandwidth, complaint: str) -> Gaussian:
    return Gaussian(mean, np.array([bandwidth], dtype=np.float64), SPHERICAL)


def _widths_of(kernel: Gaussian) -> np.ndarray:
    return kernel.deviations.copy()


def _diagonal(mean: np.ndarray, bandwidth: Bandwidth, complaint: str) -> Gaussian:
    return Gaussian(mean, np.asarray(bandwidth, dtype=np.float64), DIAGONAL)


def _matrix_of(kernel: Gaussian) -> np.ndarray:
    with np.errstate(over="ignore"):  # in units that are out of all proportion
        return kernel.covariance


def _full(mean: np.ndarray, bandwidth: Bandwidth, complaint: str) -> Gaussian:
    return Gaussian.of_matrix(mean, np.asarray(bandwidth), FULL, complaint)


# By the number of axes of a bandwidth.
_BY_AXES = (
    KernelShape(SPHERICAL, _number_of, _isotropic),
    KernelShape(DIAGONAL, _widths_of, _diagonal, SQUARES),
    KernelShape(FULL, _matrix_of, _full, CROSS_PRODUCTS, is_independent=False),
)

SHAPES: dict[str, KernelShape] = {shape.family.name: shape for shape in _BY_AXES}


def shape_of(bandwidth: ArrayLike) -> KernelShape:
    """The shape that a bandwidth is of; that of a matrix for anything with more axes.

    Examples
    --------
    >>> from skdensity.models.kernels.shapes import shape_of
    >>> shape_of(0.5).family.name, shape_of([0.5, 1.0]).family.name
    ('spherical', 'diag')
    """
    return _BY_AXES[min(np.ndim(bandwidth), len(_BY_AXES) - 1)]
