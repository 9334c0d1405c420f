"""Scalers: every feature is shifted and stretched."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import as_floats, forward, image, matrix, sources

Scaler: TypeAlias = StandardScaler | MinMaxScaler | MaxAbsScaler | RobustScaler

CLIPPED = (
    "MinMaxScaler(clip=True) is not invertible: all that is beyond its range becomes "
    "one value. Set clip=False."
)


@log_jacobian.register
def _(transformer: Scaler, X: np.ndarray) -> np.ndarray:
    return ~np.isnan(as_floats(X)) @ np.log(_slopes(transformer))


@image.register
def _(transformer: Scaler, box: np.ndarray) -> np.ndarray:
    is_end = np.isfinite(box)
    return np.where(is_end, forward(transformer, np.where(is_end, box, 0.0)), box)


@sources.register
def _(transformer: Scaler, n_features: int) -> np.ndarray:
    return np.arange(n_features)


@matrix.register
def _(transformer: Scaler, n_features: int) -> np.ndarray:
    return np.diag(_slopes(transformer))


def _slopes(transformer):
    """Units after the transform for each before, which are positive."""
    if isinstance(transformer, MinMaxScaler):
        if transformer.clip:
            raise ValueError(CLIPPED)
        return transformer.scale_
    if transformer.scale_ is None:
        return np.ones(transformer.n_features_in_)
    return 1 / transformer.scale_
