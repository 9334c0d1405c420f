"""Frozen transformers: what is known of those that were frozen."""

from __future__ import annotations

import numpy as np
from sklearn.frozen import FrozenEstimator

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import forward, image, inverse, matrix, sources


@log_jacobian.register
def _(transformer: FrozenEstimator, X: np.ndarray) -> np.ndarray:
    return log_jacobian(transformer.estimator, X)


@forward.register
def _(transformer: FrozenEstimator, X: np.ndarray) -> np.ndarray:
    return forward(transformer.estimator, X)


@inverse.register
def _(transformer: FrozenEstimator, Z: np.ndarray) -> np.ndarray:
    return inverse(transformer.estimator, Z)


@image.register
def _(transformer: FrozenEstimator, box: np.ndarray) -> np.ndarray | None:
    return image(transformer.estimator, box)


@sources.register
def _(transformer: FrozenEstimator, n_features: int) -> np.ndarray | None:
    return sources(transformer.estimator, n_features)


@matrix.register
def _(transformer: FrozenEstimator, n_features: int) -> np.ndarray | None:
    return matrix(transformer.estimator, n_features)
