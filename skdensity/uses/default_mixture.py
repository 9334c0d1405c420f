"""The mixture that stands in where no density is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.solvers.result import unless_interrupted

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

    Or before the first whose fit is in doubt: a component that rests on a few rows, or
    on one value of a discrete feature, buys any likelihood, and BIC falls for ever. As
    many are tried as have rows enough.
    """
    weight = _as_counts(sample_weight)
    best = EMGaussianMixture(1, random_state=random_state).fit(X, sample_weight=weight)
    for n_components in range(2, _most_components(X, weight) + 1):
        mixture = EMGaussianMixture(n_components, random_state=random_state)
        run, doubts = mixture._fitted(X, None, weight)
        unless_interrupted(run.result, "EMGaussianMixture")
        if any(doubts) or not mixture.converged_:
            break
        if mixture.bic(X, weight) >= best.bic(X, weight):
            break
        best = mixture
    return best


def _as_counts(sample_weight):
    """Weights as numbers of repetitions, which BIC takes them for.

    Those of rows that are all there do not sum to fewer than the rows: others were
    normalised, by their sum or by their largest.
    """
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    n_rows = np.count_nonzero(weight)
    return weight if weight.sum() >= n_rows else weight * (n_rows / weight.sum())


def _most_components(X, sample_weight):
    """How many components have rows enough; a weight is worth as many repetitions."""
    # Rows without any value are none.
    is_there = ~np.isnan(X).all(axis=1)
    n_rows = np.sum(is_there if sample_weight is None else sample_weight[is_there])
    n_features = X.shape[1]
    n_parameters = 1 + n_features * (n_features + 3) // 2
    rows_each = max(ROWS_EACH, ROWS_PER_PARAMETER * n_parameters)
    return min(MOST_COMPONENTS, int(n_rows) // rows_each)
