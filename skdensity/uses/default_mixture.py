"""The mixture that stands in where no density is given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdensity.densities.em_gaussian_mixture import EMGaussianMixture

# Components that it has at most, rows for each, and for each of its parameters: of
# fewer, BIC is no guard against columns of few values, which buy any likelihood, and
# intervals that follow from the mixture are too short.
MOST_COMPONENTS = 10
ROWS_EACH = 20
ROWS_PER_PARAMETER = 5


def mixture_of_least_bic(
    X: np.ndarray, sample_weight: np.ndarray | None = None, *, random_state: Any = None
) -> EMGaussianMixture:
    """Of mixtures with 1, 2, … components the one before the first of no less BIC.

    As many are tried as have rows enough.
    """
    # Rows without any value are none.
    counts = ~np.isnan(X).all(axis=1)
    if sample_weight is not None:
        counts = counts & (sample_weight > 0)
    n_features = X.shape[1]
    n_parameters = 1 + n_features * (n_features + 3) // 2
    rows_each = max(ROWS_EACH, ROWS_PER_PARAMETER * n_parameters)
    most = min(MOST_COMPONENTS, int(np.count_nonzero(counts)) // rows_each)
    if most <= 1:  # there is no choice, and no criterion to ask
        alone = EMGaussianMixture(random_state=random_state)
        return alone.fit(X, sample_weight=sample_weight)
    best: Any = None
    least, told = np.inf, []
    for n_components in range(1, most + 1):
        mixture = EMGaussianMixture(n_components, random_state=random_state)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            bic = mixture.fit(X, sample_weight=sample_weight).bic(X, sample_weight)
        if bic >= least:
            break
        best, least, told = mixture, bic, caught
    # What is doubtful about a mixture that is not taken concerns nobody.
    for warning in told:
        warnings.warn(warning.message, stacklevel=3)
    return best
