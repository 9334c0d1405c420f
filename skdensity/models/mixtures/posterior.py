"""From joint log-densities of components to densities and responsibilities."""

from __future__ import annotations

import numpy as np

LOWEST = np.finfo(np.float64).min
# Below this an exponential is taken as 0: those that underflow take ten times as long,
# and so does every product with a number that is less than normal.
DEEPEST = -700.0
# With row sums in this range, no term that was dropped shows in them.
SMALLEST_SUM, LARGEST_SUM = 1e-200, 1e300


def log_sum(log_terms: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Logarithms of the sums over components; `log_terms` and `out` are overwritten."""
    return _exponentials(log_terms, out)[0]


def log_likelihood(log_density: np.ndarray, weight: np.ndarray) -> float:
    """Sum of the weighted log-densities of a block, in nats."""
    with np.errstate(over="ignore"):  # −inf where no component reaches
        return float(weight @ log_density)


def posterior(
    log_joint: np.ndarray,
    prior: np.ndarray,
    weight: np.ndarray | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Log-densities and responsibilities of a block.

    Parameters
    ----------
    log_joint : ndarray of shape (..., n_components, n_rows)
        log π_k N(x_i | k), in nats; overwritten.
    prior : ndarray of shape (..., n_components)
        π, which stands for a row that no component reaches: it tells nothing of them.
    weight : ndarray of shape (..., n_rows) or (n_rows,), default=None
        What the responsibilities of a row sum to; None is 1.
    out : ndarray of the shape of `log_joint`, default=None
        Where the shares are written.

    Returns
    -------
    log_density : ndarray of shape (..., n_rows)
        In nats.
    shares : ndarray of shape (..., n_components, n_rows)
        Weight times responsibility.
    """
    out = np.empty_like(log_joint) if out is None else out
    log_density, terms, total = _exponentials(log_joint, out)
    lost = total == 0
    if lost.any():
        np.copyto(terms, prior[..., None], where=lost[..., None, :])
        total[lost] = 1
    np.divide(1 if weight is None else weight, total, out=total)
    terms *= total[..., None, :]
    return log_density, terms


def _exponentials(log_terms, out):
    """Log of the sum over components, the terms up to a factor, and their sum."""
    with np.errstate(over="ignore"):
        _exp(log_terms, out)
        total = out.sum(axis=-2)
    if total.min() >= SMALLEST_SUM and total.max() <= LARGEST_SUM:
        return np.log(total), out, total
    # Relative to the largest no exponential overflows and one of them is 1, unless all
    # are −inf, whose difference would be NaN.
    peak = log_terms.max(axis=-2, initial=LOWEST)
    log_terms -= peak[..., None, :]
    _exp(log_terms, out)
    total = out.sum(axis=-2)
    with np.errstate(divide="ignore"):
        log_density = np.log(total)
    log_density += peak
    return log_density, out, total


def _exp(log_terms, out):
    if log_terms.min() >= DEEPEST:
        np.exp(log_terms, out=out)
        return
    np.maximum(log_terms, DEEPEST, out=out)
    np.exp(out, out=out)
    out -= np.exp(DEEPEST)
