"""Fits of any density, to rows with weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

TAKES_NONE = (
    "`sample_weight` has unequal weights, and the `fit` of density={density} takes "
    "none. Choose a density that does, such as GaussianMLE() or EMGaussianMixture(), "
    "or repeat rows where weights are counts."
)


def fitted(density: Any, X: np.ndarray, weight: np.ndarray | None = None) -> Any:
    """A clone of a density, fitted to rows with positive weights.

    Equal weights are none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdensity.uses.weighted import fitted
    >>> X, weight = np.array([[0.0], [2.0]]), np.array([3.0, 3.0])
    >>> fitted(GaussianMixture(), X, weight).means_
    array([[1.]])
    """
    if weight is None:
        return clone(density).fit(X)
    if len(X) == 1 and weight[0] > 1:
        # There more than once, and so no single row, which most densities refuse.
        X, weight = np.repeat(X, 2, axis=0), np.repeat(weight / 2, 2)
    if has_fit_parameter(density, "sample_weight"):
        return clone(density).fit(X, sample_weight=weight)
    if weight.min() < weight.max():
        raise ValueError(TAKES_NONE.format(density=density))
    return clone(density).fit(X)
