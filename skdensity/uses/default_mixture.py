"""The mixture that stands in where no density is given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdensity.densities.em_gaussian_mixture import EMGaussianMixture

# Components that it has at most, and rows for each.
MOST_COMPONENTS = 10
ROWS_EACH = 20


def mixture_of_least_bic(
    X: np.ndarray, sample_weight: np.ndarray | None = None, *, random_state: Any = None
) -> EMGaussianMixture:
    """Of mixtures with 1, 2, … components the one before the first of no less BIC.

    Or before the first whose fit is in doubt: a component that rests on a few rows, or
    on one value of a discrete feature, buys any likelihood, and BIC falls for ever.
    """

    def fitted(n_components):
        mixture = EMGaussianMixture(n_components, random_state=random_state)
        return mixture.fit(X, sample_weight=sample_weight)

    best = fitted(1)
    # Rows without any value are none.
    counts = ~np.isnan(X).all(axis=1)
    if sample_weight is not None:
        counts = counts & (sample_weight > 0)
    most = min(MOST_COMPONENTS, int(np.count_nonzero(counts)) // ROWS_EACH)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # as doubts are told
        try:
            for n_components in range(2, most + 1):
                mixture = fitted(n_components)
                if mixture.bic(X, sample_weight) >= best.bic(X, sample_weight):
                    break
                best = mixture
        except UserWarning:
            pass
    return best
