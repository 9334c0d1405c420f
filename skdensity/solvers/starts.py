"""Where mixture fits start: responsibilities from the data.

Each start maps rows X, their weights (None when all count the same), n_components, the
family of the covariances and a generator to responsibilities of shape (n_components,
n_rows); the first M-step turns them into parameters. Names and meanings are those of
scikit-learn's ``GaussianMixture``, and ``"small_em"`` is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from skdensity.models.family import CovarianceFamily
from skdensity.passes.rows import merge_duplicates, sample_distinct
from skdensity.solvers.small_em import small_em

Start = Callable[
    [np.ndarray, np.ndarray | None, int, CovarianceFamily, np.random.RandomState],
    np.ndarray,
]

# Rows that a start looks at: it sets out near an optimum, and need not find it.
MAX_ROWS = 20_000
ROWS_PER_COMPONENT = 100


def kmeans(X, weight, n_components, family, rng):
    """Hard assignments of one k-means run."""
    labels = (
        KMeans(n_components, n_init=1, random_state=rng)
        .fit(X, sample_weight=weight)
        .labels_
    )
    return np.equal.outer(np.arange(n_components), labels).astype(np.float64)


def kmeans_plus_plus(X, weight, n_components, family, rng):
    """One row per component, spread out by k-means++."""
    _, rows = kmeans_plusplus(X, n_components, sample_weight=weight, random_state=rng)
    return _singletons(rows, len(X))


def random(X, weight, n_components, family, rng):
    """Uniform responsibilities, normalised per row."""
    shares = rng.uniform(size=(len(X), n_components)).T
    return shares / shares.sum(axis=0)


def random_from_data(X, weight, n_components, family, rng):
    """One row per component, drawn by weight without replacement."""
    share = None if weight is None else weight / weight.sum()
    rows = rng.choice(len(X), size=n_components, replace=False, p=share)
    return _singletons(rows, len(X))


def _singletons(rows, n_rows):
    shares = np.zeros((len(rows), n_rows))
    shares[np.arange(len(rows)), rows] = 1
    return shares


STARTS: dict[str, Start] = {
    "kmeans": kmeans,
    "k-means++": kmeans_plus_plus,
    "random": random,
    "random_from_data": random_from_data,
    "small_em": small_em,
}


class StartRows(NamedTuple):
    """Rows to start on, and their weights; None when all count the same."""

    X: np.ndarray
    weight: np.ndarray | None


def start_rows(
    X: np.ndarray,
    sample_weight: np.ndarray,
    n_components: int,
    rng: np.random.RandomState,
) -> StartRows:
    """Distinct rows, so that a start cannot tell a weight from a repetition.

    Rows that all count the same keep their order, which makes seeds mean what they mean
    in scikit-learn; otherwise they are sorted, and their order makes no difference. Of
    many rows it is a random sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.
    n_components : int
        Number of components.
    rng : RandomState
        Source of randomness, for many rows only.

    Returns
    -------
    rows : StartRows
        Distinct rows; all rows when there are fewer distinct ones than components.
    """
    n_rows = max(MAX_ROWS, ROWS_PER_COMPONENT * n_components)
    if len(X) > n_rows:
        chosen = sample_distinct(X, n_rows, rng)
        X, sample_weight = X[chosen], sample_weight[chosen]
    rows, masses, first = merge_duplicates(X, sample_weight)
    if len(rows) < n_components:
        rows, masses, first = X, sample_weight, np.arange(len(X))
    if np.ptp(masses) <= 1e-12 * masses.max():
        return StartRows(X[np.sort(first)], None)
    return StartRows(rows, masses)


def start_shares(
    name: str,
    rows: StartRows,
    n_components: int,
    family: CovarianceFamily,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Weights times responsibilities that a start gives to rows.

    Parameters
    ----------
    name : str
        A key of :data:`STARTS`.
    rows : StartRows
        The rows to start on.
    n_components : int
        Number of components.
    family : CovarianceFamily
        The shape of the covariances.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    shares : ndarray of shape (n_components, n_rows)
        A component's mass is the sum of its row.
    """
    shares = STARTS[name](rows.X, rows.weight, n_components, family, rng)
    return shares if rows.weight is None else rows.weight * shares
