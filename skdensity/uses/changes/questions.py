"""What else is asked of a fitted transformer besides its log-Jacobian.

Each question has an answer for transformers of which nothing is known. Rows are arrays,
whatever the names of columns in the fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn import config_context

from skdensity.uses.changes.log_jacobian import log_jacobian


def as_floats(X: Any) -> np.ndarray:
    """An array of float64, or of float32 where it is."""
    X = np.asarray(X)
    return X if X.dtype == np.float32 else X.astype(np.float64, copy=False)


@singledispatch
def forward(transformer: Any, X: np.ndarray) -> np.ndarray:
    """Transformed rows, as an array of the same dtype; there may be none."""
    if len(X) == 0:
        return X
    with quietly(), np.errstate(all="ignore"):
        return np.asarray(transformer.transform(X)).astype(X.dtype, copy=False)


def changed(
    transformer: Any, X: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-Jacobians, and which rows have a transform: their places, and it.

    The log-Jacobians of all others are −∞: those where the transformer is not defined,
    which may show in NaN only, and those that it makes too large for floats, where
    densities are 0 to all digits.
    """
    with np.errstate(divide="ignore"):  # log(0) of a derivative is what is meant
        terms = log_jacobian(transformer, X)
    (inside,) = np.nonzero(terms > -np.inf)
    Z = forward(transformer, X[inside])
    fits = np.isfinite(Z).sum(axis=1) == np.isfinite(X[inside]).sum(axis=1)
    terms[inside[~fits]] = -np.inf
    return terms, inside[fits], Z[fits]


@singledispatch
def inverse(transformer: Any, Z: np.ndarray) -> np.ndarray:
    """Rows before the transform.

    Of rows that are nobody's transform anything is returned: :func:`come_back` tells.
    """
    if not hasattr(transformer, "inverse_transform"):
        raise TypeError(
            f"{type(transformer).__name__} is not invertible: it has no "
            "`inverse_transform`, which draws and means in the units of the data need."
        )
    with quietly(), np.errstate(all="ignore"):
        return np.asarray(transformer.inverse_transform(Z), dtype=np.float64)


@singledispatch
def image(transformer: Any, box: np.ndarray) -> np.ndarray | None:
    """What a box (2, n_features) becomes, if that is a box, too, and known."""
    return None


def everything(n_features: int) -> np.ndarray:
    """The box (2, n_features) that holds all rows."""
    return np.repeat([[-np.inf], [np.inf]], n_features, axis=1)


@singledispatch
def sources(transformer: Any, n_features: int) -> np.ndarray | None:
    """For every column of the output, that of the input which alone it depends on."""
    return None


@singledispatch
def matrix(transformer: Any, n_features: int) -> np.ndarray | None:
    """The matrix M of a transformer that is affine, z = M x + c."""
    return None


@contextmanager
def quietly() -> Iterator[None]:
    """Arrays in and arrays out, whatever names there were in a fit."""
    with warnings.catch_warnings(), config_context(transform_output="default"):
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        warnings.filterwarnings("ignore", message="When `set_output` is configured")
        # Told of rows that have no inverse, which are looked for.
        warnings.filterwarnings("ignore", message="invalid value encountered in power")
        warnings.filterwarnings("ignore", message="Some values in column")
        yield
