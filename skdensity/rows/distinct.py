"""Rows of which some are equal: the distinct ones, and a fair sample of them."""

from __future__ import annotations

import numpy as np

from skdensity.passes.blocks import row_blocks

# Multipliers of splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195),
# which spread every bit of a word over all others.
MULTIPLIERS = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


def merge_duplicates(
    X: np.ndarray, sample_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distinct rows in lexicographic order, and their share of the weight.

    A row that is repeated and a row that carries the sum of the weights become the same
    location, so that nothing computed from the result can tell them apart; nor can it
    see the order of the rows or the unit of the weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Non-negative weights; a row of weight zero is not there, nor is one whose share
        of the weight is no normal number.

    Returns
    -------
    locations : ndarray of shape (n_locations, n_features)
        Distinct rows.
    masses : ndarray of shape (n_locations,)
        Their weights, summing to 1.
    first : ndarray of shape (n_locations,)
        Where each of them first appears in `X`.
    places : ndarray of shape (n_samples,)
        Which of them each row is; −1 for rows that are not there.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.distinct import merge_duplicates
    >>> X = np.array([[2.0], [1.0], [2.0]])
    >>> locations, masses, first, places = merge_duplicates(X, np.ones(3))
    >>> locations.ravel(), masses.round(3), first, places
    (array([1., 2.]), array([0.333, 0.667]), array([1, 0]), array([1, 0, 1]))
    """
    order = np.lexsort(X.T[::-1])
    # Shares below that have no reciprocals, or are zero.
    least = np.finfo(np.float64).tiny * sample_weight.sum()
    order = order[sample_weight[order] > least]
    places = np.full(len(X), -1)
    X, sample_weight = X[order], sample_weight[order]
    is_new = np.append(True, np.any(_differ(X[1:], X[:-1]), axis=1))
    begin = np.flatnonzero(is_new)
    places[order] = np.cumsum(is_new) - 1
    masses = np.add.reduceat(sample_weight, begin)
    # lexsort is stable: the first of a group is the one that appears first.
    return X[begin], masses / masses.sum(), order[begin], places


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether values differ; NaN, a hole, is equal to itself."""
    differ = one != other
    if differ.any():
        differ &= (one == one) | (other == other)
    return differ


def sample_distinct(
    X: np.ndarray,
    n_rows: int,
    rng: np.random.RandomState,
    index: np.ndarray | None = None,
) -> np.ndarray:
    """Choose about `n_rows` distinct rows at random, each with all its copies.

    Rows are chosen by a hash of their values: neither their order nor how often they
    are repeated makes a difference to which values are chosen.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    n_rows : int
        Number of distinct rows.
    rng : RandomState
        Source of randomness.
    index : ndarray of int, optional
        The rows to choose among, in ascending order; None is all.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,)
        Indices, in ascending order; all rows if no more than `n_rows` are distinct.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.distinct import sample_distinct
    >>> X = np.repeat(np.arange(4.0), 3)[:, None]
    >>> chosen = sample_distinct(X, 2, np.random.RandomState(0))
    >>> len(chosen), len(np.unique(X[chosen]))
    (6, 2)
    """
    hashes = hashes_of(X, seed_of_hashes(rng))
    index = np.arange(len(X)) if index is None else index
    hashes = hashes[index]
    return index[hashes < threshold(hashes, n_rows)]


def seed_of_hashes(rng: np.random.RandomState) -> np.uint64:
    """What makes hashes of the same values others."""
    return np.uint64(rng.randint(2**31))


def threshold(hashes: np.ndarray, n_distinct: int) -> float | np.uint64:
    """The least hash that is too large to be among some number of distinct ones.

    Infinite if there are no more than these.
    """
    if len(hashes) <= n_distinct:
        return np.inf
    # The smallest hashes are enough, unless many of them belong to copies.
    for n_smallest in (n_distinct + 1, 4 * n_distinct, len(hashes)):
        n_smallest = min(n_smallest, len(hashes))
        smallest = np.sort(np.partition(hashes, n_smallest - 1)[:n_smallest])
        distinct = smallest[np.append(True, smallest[1:] != smallest[:-1])]
        if len(distinct) > n_distinct:
            return distinct[n_distinct]
    return np.inf


def hashes_of(X: np.ndarray, seed: np.uint64) -> np.ndarray:
    """A number for every row, equal for equal rows."""
    hashes = np.full(len(X), seed)
    for rows in row_blocks(len(X), row_bytes=32):
        hashed = hashes[rows]
        for column in X[rows].T:
            # Adding 0 turns −0 into 0, which it equals; one NaN is as good as another.
            values = column.astype(np.float64) + 0.0
            np.copyto(values, np.nan, where=np.isnan(values))
            hashed ^= values.view(np.uint64)
            for multiplier in MULTIPLIERS:
                hashed ^= hashed >> np.uint64(31)
                hashed *= multiplier
        hashed ^= hashed >> np.uint64(31)
    return hashes
