"""Transformers one after the other, and side by side."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skdensity.densities.feature_names import names_of_features
from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import (
    as_floats,
    changed,
    forward,
    image,
    inverse,
    matrix,
    sources,
)

# A part of a ColumnTransformer, and which columns are its input and its output.
Part = tuple[Any, np.ndarray, np.ndarray]


# ---- One after the other ----


@log_jacobian.register
def _(transformer: Pipeline, X: np.ndarray) -> np.ndarray:
    rows = as_floats(X)
    total = np.zeros(len(rows))
    index = np.arange(len(rows))
    for step in _steps(transformer):
        terms, inside, rows = changed(step, rows)
        total[index] += terms
        index = index[inside]
    return total


@forward.register
def _(transformer: Pipeline, X: np.ndarray) -> np.ndarray:
    return reduce(lambda X, step: forward(step, X), _steps(transformer), X)


@inverse.register
def _(transformer: Pipeline, Z: np.ndarray) -> np.ndarray:
    return reduce(lambda Z, step: inverse(step, Z), reversed(_steps(transformer)), Z)


@image.register
def _(transformer: Pipeline, box: np.ndarray) -> np.ndarray | None:
    found: np.ndarray | None = box
    for step in _steps(transformer):
        found = None if found is None else image(step, found)
    return found


@sources.register
def _(transformer: Pipeline, n_features: int) -> np.ndarray | None:
    known = _of_all_steps(sources, transformer, n_features)
    if known is None:
        return None
    return reduce(operator.getitem, known, np.arange(n_features))


@matrix.register
def _(transformer: Pipeline, n_features: int) -> np.ndarray | None:
    known = _of_all_steps(matrix, transformer, n_features)
    if known is None:
        return None
    return reduce(lambda before, step: step @ before, known, np.eye(n_features))


def _of_all_steps(question, pipeline, n_features) -> list[np.ndarray] | None:
    """What is known of every step; None if nothing is of one."""
    known = [question(step, n_features) for step in _steps(pipeline)]
    return None if any(answer is None for answer in known) else known


def _steps(pipeline) -> list:
    return [step for _, step in pipeline.steps if step not in (None, "passthrough")]


# ---- Side by side ----


@log_jacobian.register
def _(transformer: ColumnTransformer, X: np.ndarray) -> np.ndarray:
    X = as_floats(X)
    total = np.zeros(len(X))
    for part, columns, _ in _parts(transformer):
        total += log_jacobian(part, X[:, columns])
    return total


@forward.register
def _(transformer: ColumnTransformer, X: np.ndarray) -> np.ndarray:
    # Its own transform takes no array after a fit to columns by name.
    Z = np.empty(X.shape, X.dtype)
    for part, columns, places in _parts(transformer):
        Z[:, places] = forward(part, X[:, columns])
    return Z


@inverse.register
def _(transformer: ColumnTransformer, Z: np.ndarray) -> np.ndarray:
    X = np.empty(Z.shape)
    for part, columns, places in _parts(transformer):
        X[:, columns] = inverse(part, Z[:, places])
    return X


@image.register
def _(transformer: ColumnTransformer, box: np.ndarray) -> np.ndarray | None:
    out = np.empty(box.shape)
    for part, columns, places in _parts(transformer):
        found = image(part, box[:, columns])
        if found is None:
            return None
        out[:, places] = found
    return out


@sources.register
def _(transformer: ColumnTransformer, n_features: int) -> np.ndarray | None:
    out = np.empty(n_features, dtype=np.intp)
    for part, columns, places in _parts(transformer):
        found = sources(part, len(columns))
        if found is None:
            return None
        out[places] = columns[found]
    return out


@matrix.register
def _(transformer: ColumnTransformer, n_features: int) -> np.ndarray | None:
    out = np.zeros((n_features, n_features))
    for part, columns, places in _parts(transformer):
        found = matrix(part, len(columns))
        if found is None:
            return None
        out[np.ix_(places, columns)] = found
    return out


def _parts(transformer) -> Iterator[Part]:
    """All parts that have columns, each of which is to be in one of them."""
    columns_of = transformer._transformer_to_input_indices
    _check_every_column_once(transformer, columns_of)
    for name, part, _ in transformer.transformers_:
        columns = np.asarray(columns_of[name], dtype=np.intp)
        if part == "passthrough":  # as older releases have it
            part = FunctionTransformer()
        if len(columns):
            places = np.arange(transformer.n_features_in_)
            yield part, columns, places[transformer.output_indices_[name]]


def _check_every_column_once(transformer, columns_of):
    names = names_of_features(transformer, transformer.n_features_in_)
    for name, part, _ in transformer.transformers_:
        columns = columns_of[name]
        if isinstance(part, str) and part == "drop" and len(columns):
            raise ValueError(
                f"ColumnTransformer drops features: {[names[i] for i in columns]!r}. "
                "Set remainder='passthrough', or 'passthrough' in the place of 'drop'."
            )
    counts = np.bincount(
        np.concatenate([np.asarray(c, dtype=np.intp) for c in columns_of.values()])
    )
    if np.any(counts > 1):
        raise ValueError(
            f"ColumnTransformer takes {names[counts.argmax()]!r} twice, so that its "
            "output has columns that depend on each other. Take every column once."
        )
