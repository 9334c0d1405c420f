"""Checks of what users pass to a kernel density."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import (
    checked_array,
    checked_matrices,
    not_positive_definite,
)
from skdensity.models.covariances.table import FULL
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.shapes import shape_of
from skdensity.models.kernels.sums.algorithms import ALGORITHMS, Algorithm
from skdensity.models.kernels.support import Support

# Of anything less the reciprocal overflows, or has lost digits.
NARROWEST = np.finfo(np.float64).tiny
# Searches try widths down to a small part of those that they begin with.
NARROWEST_OF_RULES = 2.0**20 * NARROWEST


def checked_kernel(bandwidth: ArrayLike, n_features: int) -> Gaussian:
    """The kernel that a user gives by numbers."""
    n_axes = min(np.ndim(bandwidth), 2)
    numbers = checked_array(bandwidth, "bandwidth", (n_features,) * n_axes)
    if n_axes == 2:
        checked_matrices(numbers[None], "bandwidth", FULL, (1, n_features))
    return kernel_of(numbers, np.zeros(n_features), "bandwidth")


def kernel_of(numbers: ArrayLike, mean: np.ndarray, name: str) -> Gaussian:
    """The kernel of numbers that are finite, with the mean that it is to have."""
    numbers = np.asarray(numbers, dtype=np.float64)
    shape = (len(mean),) * min(numbers.ndim, 2)
    if numbers.shape != shape:
        raise ValueError(f"`{name}` has shape {numbers.shape}; expected {shape}.")
    if numbers.ndim < 2 and not np.all(numbers >= NARROWEST):
        raise ValueError(
            f"`{name}` must be positive, from {NARROWEST:.3g} on; got {numbers}."
        )
    complaint = not_positive_definite(name, of_component=False)
    return shape_of(numbers).kernel_of(mean, numbers, complaint)


def check_widths(kernel: Gaussian, rule: str) -> None:
    """Complain of a rule in a unit so small that widths may have no reciprocals."""
    width = kernel.deviations.min()
    if width < NARROWEST_OF_RULES:
        raise ValueError(
            f"bandwidth={rule!r} looks for widths about {width:.3g}, so small that "
            "reciprocals overflow. Rescale the features, for example multiply them by "
            "1e300."
        )


def checked_algorithm(name: str) -> Algorithm:
    """How kernels are added up, by a name that may have changed since a fit."""
    if name not in ALGORITHMS:
        raise ValueError(
            f"algorithm={name!r} is not known; it must be one of {sorted(ALGORITHMS)}."
        )
    return ALGORITHMS[name]


def checked_values(
    values: ArrayLike, features: np.ndarray, support: Support, names: list
) -> np.ndarray:
    """One finite number in the support for each of some features."""
    known = checked_array(values, "values", (len(features),))
    for feature, value in zip(features, known, strict=True):
        axis = support.axis(feature)
        if not axis.contains(value[None])[0]:
            raise ValueError(
                f"`values` has {value:g} for feature {names[feature]!r}, which is "
                f"bounded by ({axis.lower:g}, {axis.upper:g})."
            )
    return known
