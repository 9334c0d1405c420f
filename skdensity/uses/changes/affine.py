"""The density of the data where an affine transform of it has that of a class."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture

from skdensity.densities.base_gaussian import BaseGaussian
from skdensity.densities.base_mixture import BaseGaussianMixture
from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.uses.changes.questions import inverse


@singledispatch
def untransformed(density: Any, transformer: Any, matrix: np.ndarray) -> Any:
    """The density of x when z = M x + c has a fitted one, in its class."""
    raise TypeError(
        f"`untransformed` is for Gaussians and Gaussian mixtures; got "
        f"{type(density).__name__}."
    )


@untransformed.register
def _(density: BaseGaussian, transformer: Any, matrix: np.ndarray) -> BaseGaussian:
    gaussian = density._model()
    covariance = _covariances(gaussian.covariance[None], matrix)[0]
    (mean,) = inverse(transformer, gaussian.mean[None])
    return type(density).from_parameters(mean, covariance)


@untransformed.register
def _(
    density: BaseGaussianMixture, transformer: Any, matrix: np.ndarray
) -> BaseGaussianMixture:
    mixture = density._model()
    means = inverse(transformer, mixture.means)
    own = mixture.own(mixture.covariances)
    covariances = mixture.family.shape.matrices(own, means.shape[1])
    return type(density).from_parameters(
        mixture.weights, means, _covariances(covariances, matrix)
    )


@untransformed.register
def _(density: GaussianMixture, transformer: Any, matrix: np.ndarray) -> Any:
    return untransformed(EMGaussianMixture.from_sklearn(density), transformer, matrix)


def _covariances(covariances, matrix):
    back = np.linalg.inv(matrix)
    return back @ covariances @ back.T
