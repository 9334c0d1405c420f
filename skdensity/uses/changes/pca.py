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
            f"fit it to more than {n_features} rows."
        )
    _check_rounding(transformer)
    if not transformer.whiten:
        return np.ones(n_components)
    return np.sqrt(transformer.explained_variance_)


def _check_rounding(transformer):
    """Complain of components that are rounding errors: those have no density.

    Its likelihood would be as high as the errors are small.
    """
    variances = transformer.explained_variance_
    size = max(transformer.n_samples_, transformer.n_features_in_)
    lost = size * np.finfo(variances.dtype).eps
    if transformer._fit_svd_solver != "covariance_eigh":
        lost **= 2  # variances are squares of what is computed
    # Of one row they are NaN, which is not above anything.
    if not variances[-1] > lost * variances[0]:
        raise ValueError(
            f"The variances of PCA's components go from {variances[0]:.2g} down to "
            f"{variances[-1]:.2g}, which is rounding: features are constant or "
            "collinear, or very far from 0, or in units that are far apart. Remove "
            "the former; scale the others first: make_pipeline(StandardScaler(), "
            "PCA())."
        )
