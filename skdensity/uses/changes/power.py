"""Power transforms, Yeo and Johnson's or Box and Cox's, standardised or not."""

from __future__ import annotations

import numpy as np
from scipy.special import boxcox
from scipy.stats import yeojohnson
from sklearn.preprocessing import PowerTransformer

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import as_floats, image, sources

# Powers beyond these, in nats, are too large for numbers of a type.
TOO_LARGE = {
    dtype: np.log(np.finfo(dtype).max) - 10
    for dtype in (np.dtype(np.float32), np.dtype(np.float64))
}


@log_jacobian.register
def _(transformer: PowerTransformer, X: np.ndarray) -> np.ndarray:
    X = as_floats(X)
    too_large, X = TOO_LARGE[X.dtype], X.astype(np.float64, copy=False)
    _, deviations = _standardised(transformer)
    log_base, powers = _log_base(transformer, X), transformer.lambdas_
    slopes = (powers - 1) * log_base - np.log(deviations)
    terms = np.where(np.isnan(X), 0.0, slopes)
    if transformer.method == "box-cox":
        terms[X <= 0] = -np.inf
    else:
        powers = np.where(X < 0, powers - 2, powers)
    terms[powers * log_base > too_large] = -np.inf
    return terms.sum(axis=1)


@image.register
def _(transformer: PowerTransformer, box: np.ndarray) -> np.ndarray:
    means, deviations = _standardised(transformer)
    with np.errstate(all="ignore"):
        ends = np.array([_powers(transformer, ends) for ends in box])
    return (ends - means) / deviations


@sources.register
def _(transformer: PowerTransformer, n_features: int) -> np.ndarray:
    return np.arange(n_features)


def _log_base(transformer, X):
    """The logarithm, with its sign, of what λ − 1 is the power of in the slope."""
    if transformer.method == "box-cox":
        return np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sign(X) * np.log1p(np.abs(X))


def _powers(transformer, x):
    """One row before it is standardised; the limits at infinity and at 0."""
    if transformer.method == "box-cox":
        return boxcox(np.maximum(x, 0), transformer.lambdas_)
    values = zip(x, transformer.lambdas_, strict=True)
    return [yeojohnson(np.array([value]), power)[0] for value, power in values]


def _standardised(transformer):
    """What is subtracted from powers, and then divided by."""
    if not transformer.standardize:
        return 0.0, np.ones(len(transformer.lambdas_))
    return transformer._scaler.mean_, transformer._scaler.scale_
