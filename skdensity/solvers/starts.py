"""Where mixture fits start: responsibilities from the data.

Each start maps distinct rows X, their masses, n_components and a generator to
responsibilities of shape (n_components, n_rows); the first M-step turns them into
parameters. Names and meanings are those of scikit-learn's ``GaussianMixture``. Working
on distinct rows in canonical order, a start cannot tell a weight from a repetition, nor
see the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

Start = Callable[[np.ndarray, np.ndarray, int, np.random.RandomState], np.ndarray]


def kmeans(X, masses, n_components, rng):
    """Hard assignments of one k-means run."""
    labels = (
        KMeans(n_components, n_init=1, random_state=rng)
        .fit(X, sample_weight=masses)
        .labels_
    )
    return np.equal.outer(np.arange(n_components), labels).astype(np.float64)


def kmeans_plus_plus(X, masses, n_components, rng):
    """One row per component, spread out by k-means++."""
    _, rows = kmeans_plusplus(X, n_components, sample_weight=masses, random_state=rng)
    return _singletons(rows, len(X))


def random(X, masses, n_components, rng):
    """Uniform responsibilities, normalised per row."""
    shares = rng.uniform(size=(len(X), n_components)).T
    return shares / shares.sum(axis=0)


def random_from_data(X, masses, n_components, rng):
    """One row per component, drawn by mass without replacement."""
    rows = rng.choice(len(X), size=n_components, replace=False, p=masses)
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
}
