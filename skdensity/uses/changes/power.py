"""Power transforms, Yeo and Johnson's or Box and Cox's, standardised or not."""

from __future__ import annotations

import numpy as np
from scipy.special import boxcox
from scipy.stats import yeojohnson
from sklearn.preprocessing import PowerTransformer

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import image, sources


@log_jacobian.register
def _(transformer: PowerTransformer, X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=np.float64)
    _, deviations = _standardised(transformer)
    slopes = (transformer.lambdas_ - 1) * _log_base(transformer, X) - np.log(deviations)
    terms = np.where(np.isnan(X), 0.0, slopes)
    if transformer.method == "box-cox":
        terms[X <= 0] = -np.inf
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
