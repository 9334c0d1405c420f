"""Rows of a table: a block of them as columns, and the distinct ones."""

from __future__ import annotations

import numpy as np


def columns_of(X: np.ndarray, rows: slice) -> np.ndarray:
    """A block of rows as a contiguous float64 array of shape (n_features, n_rows).

    float32 rows are widened block by block, so that all sums accumulate in float64.
    """
    return np.array(X[rows].T, dtype=np.float64, order="C")


def merge_duplicates(
    X: np.ndarray, sample_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct rows in lexicographic order, and their share of the weight.

    A row that is repeated and a row that carries the sum of the weights become the same
    location, so that nothing computed from the result can tell them apart; nor can it
    see the order of the rows or the unit of the weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.

    Returns
    -------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows.
    masses : ndarray of shape (n_locations,)
        Their weights, summing to 1.
    first : ndarray of shape (n_locations,)
        Where each of them first appears in `X`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.passes.rows import merge_duplicates
    >>> X = np.array([[2.0], [1.0], [2.0]])
    >>> locations, masses, first = merge_duplicates(X, np.ones(3))
    >>> locations.ravel(), masses.round(3), first
    (array([1., 2.]), array([0.333, 0.667]), array([1, 0]))
    """
    order = np.lexsort(X.T[::-1])
    X, sample_weight = X[order], sample_weight[order]
    is_new = np.append(True, np.any(X[1:] != X[:-1], axis=1))
    begin = np.flatnonzero(is_new)
    masses = np.add.reduceat(sample_weight, begin)
    # lexsort is stable: the first of a group is the one that appears first.
    return X[begin], masses / masses.sum(), order[begin]
