"""Principal components, all of them: a rotation, whitened or not."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import image, matrix


@log_jacobian.register
def _(transformer: PCA, X: np.ndarray) -> np.ndarray:
    return np.full(len(X), -np.log(_deviations(transformer)).sum())


@image.register
def _(transformer: PCA, box: np.ndarray) -> np.ndarray | None:
    return box if np.isinf(box).all() else None


@matrix.register
def _(transformer: PCA, n_features: int) -> np.ndarray:
    return transformer.components_ / _deviations(transformer)[:, None]


def _deviations(transformer):
    """What rotated features are divided by."""
    n_components, n_features = transformer.components_.shape
    if n_components < n_features:
        raise ValueError(
            f"PCA drops features: it keeps {n_components} of {n_features} components, "
            "and rows that differ in the others become one. Set n_components=None, and "
            f"fit it to at least {n_features} rows."
        )
    if not transformer.whiten:
        return np.ones(n_components)
    # As in its transform, which whitens nothing that is constant.
    deviations = np.sqrt(transformer.explained_variance_)
    return np.maximum(deviations, np.finfo(deviations.dtype).eps)
