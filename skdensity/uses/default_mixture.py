"""The mixture that stands in where no density is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.densities.em_gaussian_mixture import EMGaussianMixture

# Components that it has at most, and rows for each.
MOST_COMPONENTS = 10
ROWS_EACH = 20


def mixture_of_least_bic(
    X: np.ndarray, sample_weight: np.ndarray | None = None, *, random_state: Any = None
) -> EMGaussianMixture:
    """Of mixtures with 1, 2, … components the one before the first of no less BIC."""
    # Rows without any value are none.
    counts = ~np.isnan(X).all(axis=1)
    if sample_weight is not None:
        counts = counts & (sample_weight > 0)
    most = min(MOST_COMPONENTS, int(np.count_nonzero(counts)) // ROWS_EACH)
    best: Any = None
    least = np.inf
    for n_components in range(1, max(most, 1) + 1):
        mixture = EMGaussianMixture(n_components, random_state=random_state)
        mixture.fit(X, sample_weight=sample_weight)
        if most <= 1:
            return mixture  # There is no choice, for which rows may be too few.
        bic = mixture.bic(X, sample_weight)
        if bic >= least:
            break
        best, least = mixture, bic
    return best
