"""Patterns of holes: which features are missing in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.passes.blocks import row_blocks

# Rows that share a stack of patterns have at most so many pairs of missing features, so
# that matrices of them stay in the cache, however many features are missing.
MAX_PAIRS = 2**16  # pragma: no mutate
# Bytes of a word that patterns are sorted by.
WORD = 8


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns of as many holes each, and the consecutive rows that have them.

    Attributes
    ----------
    rows : slice
        Where the rows are in their block.
    missing : ndarray of int of shape (n_missing, n_patterns)
        Indices of the missing features, ascending in every column.
    begin : ndarray of int of shape (n_patterns,)
        The first row of each pattern, relative to those here.
    n_block : int
        Number of rows of the block.
    """

    rows: slice
    missing: np.ndarray
    begin: np.ndarray
    n_block: int

    @property
    def n_missing(self) -> int:
        """How many features each of the patterns misses."""
        return len(self.missing)

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of rows of each pattern."""
        return np.diff(self.begin, append=self.rows.stop - self.rows.start)

    @cached_property
    def holes(self) -> np.ndarray:
        """Where all holes are in a raveled array (n_features, n_block).

        Of shape (n_missing, n_rows).
        """
        places = np.arange(self.rows.start, self.rows.stop)
        return self.each_row(self.missing) * self.n_block + places

    def rows_of(self, pattern: int) -> slice:
        """The rows of one of the patterns, relative to those here."""
        begin = self.begin[pattern]
        return slice(begin, begin + self.counts[pattern])

    def each_row(self, values: np.ndarray) -> np.ndarray:
        """Values of patterns, repeated for their rows, along the last axis."""
        if len(self.begin) == self.rows.stop - self.rows.start:
            return values
        return np.repeat(values, self.counts, axis=-1)


def patterns_of(is_missing: np.ndarray) -> list[Patterns]:
    """The patterns of a block, in stacks of those with as many holes.

    Parameters
    ----------
    is_missing : ndarray of bool of shape (n_rows, n_features)
        Where the holes are. The fewer the changes from row to row, the less work is
        left to do: rows should be sorted by their patterns.

    Returns
    -------
    patterns : list of Patterns
        In the order of the rows; together they have all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.patterns import patterns_of
    >>> (one, two) = patterns_of(np.array([[0, 1], [0, 1], [1, 0], [1, 1]]) == 1)
    >>> one.missing, one.begin, one.counts
    (array([[1, 0]]), array([0, 2]), array([2, 1]))
    >>> two.rows, two.missing.ravel()
    (slice(3, 4, None), array([0, 1]))
    """
    n_missing = np.count_nonzero(is_missing, axis=1)
    is_new = np.append(True, np.any(is_missing[1:] != is_missing[:-1], axis=1))
    cuts = np.append(np.flatnonzero(np.diff(n_missing, prepend=-1)), len(n_missing))
    return [
        _stacked(is_missing[rows], is_new[rows], rows, len(is_missing))
        for begin, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        for rows in _parts(begin, end, int(n_missing[begin]))
    ]


def _parts(begin: int, end: int, n_missing: int) -> Iterator[slice]:
    """Slices of rows that miss as many features, with not too many pairs of them."""
    step = max(1, MAX_PAIRS // max(n_missing, 1) ** 2)
    for start in range(begin, end, step):
        yield slice(start, min(start + step, end))


def _stacked(is_missing, is_new, rows, n_block):
    """The patterns of rows that miss as many features."""
    is_new = is_new.copy()
    is_new[0] = True
    begin = np.flatnonzero(is_new)
    _, missing = np.nonzero(is_missing[begin])
    missing = np.ascontiguousarray(missing.reshape(len(begin), -1).T)
    return Patterns(rows, missing, begin, n_block)


def pattern_order(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An order by number of holes, then by which these are, and that number.

    Complete rows come first, and rows of a pattern keep their order.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows; NaN is a hole.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
        Indices of the rows.
    n_missing : ndarray of int of shape (n_rows,)
        How many features each row misses, in the order of the table.
    """
    n_rows, n_features = X.shape
    n_missing = np.empty(n_rows, dtype=np.intp)
    n_words = -(-n_features // (8 * WORD))
    packed = np.zeros((n_rows, n_words * WORD), dtype=np.uint8)
    for rows in row_blocks(n_rows, row_bytes=n_features):
        is_missing = np.isnan(X[rows])
        n_missing[rows] = np.count_nonzero(is_missing, axis=1)
        bits = np.packbits(is_missing, axis=1)
        packed[rows, : bits.shape[1]] = bits
    words = packed.view(np.uint64)
    return np.lexsort([*words.T, n_missing]), n_missing


def by_pattern(X: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group the rows of an array by what they miss, complete ones first.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        At least one row; NaN is a hole.

    Yields
    ------
    index : ndarray of int of shape (n_alike,)
        Rows with the same holes, in their order.
    known : ndarray of int of shape (n_known,)
        The features that they have.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.patterns import by_pattern
    >>> X = np.array([[1.0, np.nan], [2.0, 3.0], [4.0, np.nan]])
    >>> list(by_pattern(X))
    [(array([1]), array([0, 1])), (array([0, 2]), array([0]))]
    """
    order, _ = pattern_order(X)
    is_missing = np.isnan(X)[order]
    is_new = np.any(is_missing[1:] != is_missing[:-1], axis=1)
    for index in np.split(order, 1 + np.flatnonzero(is_new)):
        yield index, np.flatnonzero(~np.isnan(X[index[0]]))
