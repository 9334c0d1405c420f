"""Quantile transforms: a distribution function of lines between quantiles."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer

from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import forward, image, sources

# scikit-learn takes what is as near as 1e-7 to an end for the end, in any unit.
SHORTEST = 1e-3


@log_jacobian.register
def _(transformer: QuantileTransformer, X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=np.float64)
    terms = np.zeros(X.shape)
    for j, x in enumerate(X.T):
        terms[:, j] = _log_slopes(x, *_knots(transformer, j))
    if transformer.output_distribution == "normal":
        terms -= norm.logpdf(forward(transformer, X))
    return np.where(np.isnan(X), 0.0, terms).sum(axis=1)


@image.register
def _(transformer: QuantileTransformer, box: np.ndarray) -> np.ndarray | None:
    knots = [_knots(transformer, j) for j in range(box.shape[1])]
    if any(np.any(below[1:-1] < above[1:-1]) for _, below, above in knots):
        return None  # Values that came again and again are steps, which leave gaps.
    levels = np.transpose([(above[0], below[-1]) for _, below, above in knots])
    if transformer.output_distribution == "normal":
        levels = norm.ppf(levels)
    ends = forward(transformer, np.clip(box, *transformer.quantiles_[[0, -1]]))
    return np.clip(ends, *levels)


@sources.register
def _(transformer: QuantileTransformer, n_features: int) -> np.ndarray:
    return np.arange(n_features)


def _knots(transformer, feature):
    """Distinct quantiles of a feature, and the levels just below and above each."""
    quantiles, levels = transformer.quantiles_[:, feature], transformer.references_
    x, first, counts = np.unique(quantiles, return_index=True, return_counts=True)
    if transformer.output_distribution == "normal" and 0 < np.ptp(x) < SHORTEST:
        raise ValueError(
            f"Feature {feature} has a range of {np.ptp(x):.2g}, and "
            "QuantileTransformer takes values within 1e-7 of an end for the end. Scale "
            "first: "
            "make_pipeline(StandardScaler(), QuantileTransformer(...))."
        )
    return x, levels[first], levels[first + counts - 1]


def _log_slopes(values, x, below, above):
    """Of the lines that values are on; at a knot of the line above, if there is one."""
    out = np.full(len(values), -np.inf)
    inside = (x[0] <= values) & (values <= x[-1])
    if len(x) > 1:
        slopes = (below[1:] - above[:-1]) / np.diff(x)
        line = np.searchsorted(x, values[inside], side="right") - 1
        out[inside] = np.log(slopes[np.minimum(line, len(slopes) - 1)])
    return out
