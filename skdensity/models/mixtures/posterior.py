"""From joint log-densities of components to densities and responsibilities."""

from __future__ import annotations

import numpy as np

LOWEST = np.finfo(np.float64).min


def log_sum(log_terms: np.ndarray) -> np.ndarray:
    """Logarithms of the sums over components of `log_terms`, which are overwritten."""
    return _exponentials(log_terms)[0]


def posterior(
    log_joint: np.ndarray, prior: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log-densities and responsibilities of a block.

    Parameters
    ----------
    log_joint : ndarray of shape (..., n_components, n_rows)
        log π_k N(x_i | k), in nats; overwritten.
    prior : ndarray of shape (..., n_components)
        π, which stands for a row that no component reaches: it tells nothing of them.
    weight : ndarray of shape (n_rows,), default=None
        What the responsibilities of a row sum to; None is 1.

    Returns
    -------
    log_density : ndarray of shape (..., n_rows)
        In nats.
    shares : ndarray of shape (..., n_components, n_rows)
        Weight times responsibility.
    """
    log_density, terms, total = _exponentials(log_joint)
    lost = total == 0
    if lost.any():
        np.copyto(terms, prior[..., None], where=lost[..., None, :])
        total[lost] = 1
    np.divide(1 if weight is None else weight, total, out=total)
    terms *= total[..., None, :]
    return log_density, terms


def _exponentials(log_terms):
    """Log of the sum over components, the terms relative to the largest, their sum."""
    # Relative to the largest no exponential overflows and one of them is 1, unless all
    # are −inf, whose difference would be NaN.
    peak = log_terms.max(axis=-2, initial=LOWEST)
    log_terms -= peak[..., None, :]
    np.exp(log_terms, out=log_terms)
    total = log_terms.sum(axis=-2)
    with np.errstate(divide="ignore"):
        log_density = np.log(total)
    log_density += peak
    return log_density, log_terms, total
