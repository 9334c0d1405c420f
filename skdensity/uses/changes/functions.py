"""Functions of every value: a table of those that are known, and what users tell."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import exp10, expit, log_expit, logit
from sklearn.preprocessing import FunctionTransformer

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import (
    forward,
    image,
    inverse,
    matrix,
    quietly,
    sources,
)

Values = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Elementwise:
    """An increasing or decreasing function, as a change of variables.

    Attributes
    ----------
    inverse : callable
        Its inverse.
    log_slope : callable
        Log of the absolute value of its derivative.
    domain : tuple of float
        Ends of where it is defined, and invertible; they do not belong to it.
    """

    inverse: Values
    log_slope: Values
    domain: tuple[float, float] = (-np.inf, np.inf)


def _log_cosh(x):
    return np.logaddexp(x, -x) - np.log(2)


IDENTITY = Elementwise(lambda z: z, np.zeros_like)
FUNCTIONS: dict[Callable, Elementwise] = {
    np.log: Elementwise(np.exp, lambda x: -np.log(x), (0.0, np.inf)),
    np.exp: Elementwise(np.log, lambda x: x),
    np.log2: Elementwise(
        np.exp2, lambda x: -np.log(x) - np.log(np.log(2)), (0.0, np.inf)
    ),
    np.exp2: Elementwise(np.log2, lambda x: x * np.log(2) + np.log(np.log(2))),
    np.log10: Elementwise(
        exp10, lambda x: -np.log(x) - np.log(np.log(10)), (0.0, np.inf)
    ),
    exp10: Elementwise(np.log10, lambda x: x * np.log(10) + np.log(np.log(10))),
    np.log1p: Elementwise(np.expm1, lambda x: -np.log1p(x), (-1.0, np.inf)),
    np.expm1: Elementwise(np.log1p, lambda x: x),
    np.sqrt: Elementwise(np.square, lambda x: -np.log(4 * x) / 2, (0.0, np.inf)),
    np.square: Elementwise(np.sqrt, lambda x: np.log(2 * x), (0.0, np.inf)),
    logit: Elementwise(expit, lambda x: -np.log(x) - np.log1p(-x), (0.0, 1.0)),
    expit: Elementwise(logit, lambda x: log_expit(x) + log_expit(-x)),
    np.arcsinh: Elementwise(np.sinh, lambda x: -np.log(np.hypot(1, x))),
    np.sinh: Elementwise(np.arcsinh, _log_cosh),
}


@log_jacobian.register
def _(transformer: FunctionTransformer, X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=np.float64)
    function = _known(transformer)
    lower, upper = function.domain
    inside = (lower < X) & (upper > X)
    with np.errstate(all="ignore"):
        terms = np.asarray(function.log_slope(np.where(inside, X, np.nan)))
    # Infinite slopes are those at ends: one row there must not decide a likelihood.
    terms = np.where(np.isfinite(terms), terms, -np.inf)
    return np.where(np.isnan(X), 0.0, terms).sum(axis=1)


@inverse.register
def _(transformer: FunctionTransformer, Z: np.ndarray) -> np.ndarray:
    with quietly(), np.errstate(all="ignore"):
        return np.asarray(_known(transformer).inverse(Z), dtype=np.float64)


@image.register
def _(transformer: FunctionTransformer, box: np.ndarray) -> np.ndarray | None:
    with np.errstate(all="ignore"):
        # NumPy's functions have their limits at infinity and at the ends.
        ends = forward(transformer, np.clip(box, *_known(transformer).domain))
    return None if np.isnan(ends).any() else np.sort(ends, axis=0)


@sources.register
def _(transformer: FunctionTransformer, n_features: int) -> np.ndarray:
    return np.arange(n_features)


@matrix.register
def _(transformer: FunctionTransformer, n_features: int) -> np.ndarray | None:
    return np.eye(n_features) if transformer.func is None else None


def _known(transformer) -> Elementwise:
    """What is known of a function: from its user, or from the table."""
    func = transformer.func
    if func is None:
        return IDENTITY
    if hasattr(func, "derivative"):
        return _told_by_user(transformer)
    if isinstance(func, Hashable) and func in FUNCTIONS and not transformer.kw_args:
        return FUNCTIONS[func]
    name = _name(func)
    known = ", ".join(map(_name, FUNCTIONS))
    raise TypeError(
        f"The derivative of {name} is not known; those of {known} are. Write a Python "
        "function of an array, give it one, as in "
        f"`{name}.derivative = lambda x: ...`, and its inverse to FunctionTransformer "
        "as `inverse_func`."
    )


def _told_by_user(transformer):
    derivative, arguments = transformer.func.derivative, transformer.kw_args or {}
    if transformer.inverse_func is None:
        raise TypeError(
            f"{_name(transformer.func)} is not invertible as it is given: "
            "FunctionTransformer has no `inverse_func`. Give it one."
        )
    return Elementwise(
        transformer.inverse_transform,
        lambda x: np.log(np.abs(derivative(x, **arguments))),
    )


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))
