"""A transformer of some features, where each is transformed by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import (
    as_floats,
    everything,
    forward,
    image,
    inverse,
    matrix,
    sources,
)


class TransformerPart(TransformerMixin, BaseEstimator):
    """What a fitted transformer does to some features: the others are NaN to it.

    Parameters
    ----------
    transformer : transformer
        Fitted, of every feature by itself.
    n_features : int
        Number of its features.
    columns : ndarray of shape (n_kept,)
        Those that are kept.
    places : ndarray of shape (n_kept,)
        Their columns in the output, in the order that the part has.
    """

    def __init__(
        self,
        transformer: Any,
        n_features: int,
        columns: np.ndarray,
        places: np.ndarray,
    ) -> None:
        self.transformer = transformer
        self.n_features = n_features
        self.columns = columns
        self.places = places

    def fit(self, X: Any = None, y: Any = None) -> TransformerPart:
        """Nothing is learnt."""
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Transform rows of these features."""
        return forward(self.transformer, self.padded(X))[:, self.places]

    def inverse_transform(self, Z: np.ndarray) -> np.ndarray:
        """Rows of these features before the transform."""
        padded = self.padded(Z, self.places)
        return inverse(self.transformer, padded)[:, self.columns]

    def padded(self, X: np.ndarray, at: np.ndarray | None = None) -> np.ndarray:
        """Rows of all features, or of all columns of the output."""
        padded = np.full((len(X), self.n_features), np.nan, dtype=X.dtype)
        padded[:, self.columns if at is None else at] = X
        return padded


@log_jacobian.register
def _(transformer: TransformerPart, X: np.ndarray) -> np.ndarray:
    return log_jacobian(transformer.transformer, transformer.padded(as_floats(X)))


@image.register
def _(transformer: TransformerPart, box: np.ndarray) -> np.ndarray | None:
    whole = everything(transformer.n_features)
    whole[:, transformer.columns] = box
    found = image(transformer.transformer, whole)
    return None if found is None else found[:, transformer.places]


@sources.register
def _(transformer: TransformerPart, n_features: int) -> np.ndarray | None:
    whole = sources(transformer.transformer, transformer.n_features)
    if whole is None:
        return None
    order = np.argsort(transformer.columns)
    return order[np.searchsorted(transformer.columns[order], whole[transformer.places])]


@matrix.register
def _(transformer: TransformerPart, n_features: int) -> np.ndarray | None:
    whole = matrix(transformer.transformer, transformer.n_features)
    kept = np.ix_(transformer.places, transformer.columns)
    return None if whole is None else whole[kept]
