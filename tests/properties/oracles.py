"""Log-densities by the formulas, from fitted attributes, in units of the features.

Rows are divided by standard deviations before anything is squared, so that no scale is
too large or too small. Each value comes with a bound of what rounding may cost: that of
a quadratic form is relative, and grows with the condition of the correlations.
"""

import numpy as np
from conftest import MIXTURES, dense_covariances
from scipy.special import logsumexp

from skdensity import LOOKernelDensity

EPS = np.finfo(np.float64).eps
# What is lower stands for minus infinity.
LOWEST = np.finfo(np.float64).min


def gaussians_of(density):
    """Log-weights, means and covariances that the attributes tell of."""
    if isinstance(density, LOOKernelDensity):
        n, d = density.locations_.shape
        width = np.asarray(density.bandwidth_, dtype=np.float64)
        if width.ndim == 2:
            return np.log(density.weights_), density.locations_, [width] * n
        with np.errstate(over="ignore"):
            square = np.diag(np.broadcast_to(width**2, d))
        return np.log(density.weights_), density.locations_, [square] * n
    if isinstance(density, tuple(MIXTURES)):
        k, d = np.shape(density.means_)
        matrices = dense_covariances(
            density.covariance_type, density.covariances_, k, d
        )
        with np.errstate(divide="ignore"):
            return np.log(density.weights_), density.means_, matrices
    return np.zeros(1), density.location_[None], [density.covariance_]


def log_density(density, X):
    """The log-density of every row, and the error that it may have."""
    log_weights, means, matrices = gaussians_of(density)
    terms = [
        _gaussian(X, mean, *_scaled(density, matrix))
        for mean, matrix in zip(means, matrices, strict=True)
    ]
    values = np.array([value for value, _ in terms]) + log_weights[:, None]
    errors = np.array([error for _, error in terms])
    # Of a sum, the error of its largest terms; others are too small to be seen.
    best = values.max(axis=0)
    counts = values >= best - 50 - errors
    return logsumexp(values, axis=0), np.where(counts, errors, 0).max(axis=0)


def _scaled(density, matrix):
    """Standard deviations, and correlations."""
    if isinstance(density, LOOKernelDensity) and np.ndim(density.bandwidth_) < 2:
        n_features = len(matrix)  # whose squares may not fit into float64
        return density.bandwidth_ * np.ones(n_features), np.eye(n_features)
    matrix = np.asarray(matrix, dtype=np.float64)
    deviations = np.sqrt(np.diag(matrix))
    return deviations, (matrix / deviations) / deviations[:, None]


def _gaussian(X, mean, deviations, correlations):
    X, mean = X.astype(np.float64), np.asarray(mean, dtype=np.float64)
    spectrum, axes = np.linalg.eigh(correlations)
    with np.errstate(over="ignore"):
        # Halves, whose difference cannot overflow; what is too far is as good as that.
        Z = np.clip((X / 2 - mean / 2) / deviations * 2, -1e200, 1e200) @ axes
        squares = np.sum(Z**2 / spectrum, axis=1)
    log_norm = np.log(spectrum).sum() / 2 + np.log(deviations).sum()
    value = -squares / 2 - log_norm - len(mean) / 2 * np.log(2 * np.pi)
    value = np.maximum(value, LOWEST)
    condition = spectrum.max() / max(spectrum.min(), 0.0)
    with np.errstate(over="ignore"):
        error = 100 * len(mean) * EPS * condition * (1 + np.abs(value))
        # Means far from 0 are rounded, and whitened rows move by some of that.
        moved = EPS * np.linalg.norm(mean / deviations) / np.sqrt(spectrum.min())
        return value, error + moved * (moved + np.sqrt(squares))
