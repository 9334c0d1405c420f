"""Parts of a mixture that a user gives as initial values, checked."""

from __future__ import annotations

from typing import Any

from skdensity.densities.checks import (
    checked_array,
    checked_matrices,
    checked_mixing_weights,
    not_positive_definite,
)
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.solvers.mixtures.given import Given


def given_values(estimator: Any, family: CovarianceFamily, n_features: int) -> Given:
    """Initial weights, means and Cholesky factors, those that are given.

    Parameters
    ----------
    estimator : object
        Has `n_components`, `weights_init`, `means_init` and `precisions_init`.
    family : CovarianceFamily
        The shape of the covariances.
    n_features : int
        Number of features.
    """
    n_components = estimator.n_components
    shape = (n_components, n_features)
    weights = means = cholesky = None
    if estimator.weights_init is not None:
        weights = checked_mixing_weights(
            estimator.weights_init, "weights_init", n_components
        )
    if estimator.means_init is not None:
        means = checked_array(estimator.means_init, "means_init", shape)
    if estimator.precisions_init is not None:
        name = "precisions_init"
        precisions = checked_matrices(estimator.precisions_init, name, family, shape)
        cholesky = family.cholesky_of_precisions(
            precisions, not_positive_definite(name)
        )
    return Given(weights, means, cholesky)
