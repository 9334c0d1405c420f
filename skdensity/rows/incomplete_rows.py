"""Rows with holes: features that were not observed."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from skdensity.passes.blocks import row_blocks
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows, rows_at
from skdensity.rows.patterns import pattern_order
from skdensity.rows.rows import Block


class IncompleteRows(ArrayRows):
    """Weighted rows of an array in which NaN is a hole.

    They are walked through by the pattern of their holes, complete rows first; no block
    has rows of both kinds. Where they are among the rows of a block is told by their
    place in the table. A row without any value is as if of weight zero: it counts for
    no sum, while it has a value like any other.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, of float64 or float32.
    weight : ndarray of shape (n_samples,), optional
        Non-negative weights; None when all rows count the same.
    workspace : Workspace, optional
        Threads and scratch; they make no difference to any result.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.incomplete_rows import IncompleteRows
    >>> rows = IncompleteRows(np.array([[np.nan, 1], [2, 3], [np.nan, np.nan]]))
    >>> rows.total_weight, rows.origin
    (2.0, array([2., 1.]))
    >>> blocks = rows.add(lambda block, scratch: [block.index.tolist()], row_bytes=16)
    >>> blocks
    [[1], [0]]
    """

    are_complete = False

    def __init__(
        self,
        X: np.ndarray,
        weight: np.ndarray | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self._order, n_missing = pattern_order(X)
        self._n_complete = int(np.count_nonzero(n_missing == 0))
        is_empty = n_missing == X.shape[1]
        if is_empty.any():
            weight = np.ones(len(X)) if weight is None else weight
            weight = np.where(is_empty, 0.0, weight)
        super().__init__(X, weight, workspace)

    @cached_property
    def _counted(self) -> tuple[np.ndarray, int]:
        """The order of the rows that count, and how many of these are complete."""
        if self.index is None or self.weight is None:
            return self._order, self._n_complete
        counts = self.weight[self._order] > 0
        n_complete = int(np.count_nonzero(counts[: self._n_complete]))
        return self._order[counts], n_complete

    @property
    def observed(self) -> np.ndarray:
        """Whether each feature was observed in some row of positive weight."""
        return ~np.isnan(self.origin)

    @cached_property
    def origin(self) -> np.ndarray:
        """The first observed value of every feature, in float64; NaN if there is none.

        Of the rows of positive weight.
        """
        first = np.full(self.n_features, np.nan)
        for rows in row_blocks(self.n_rows, row_bytes=8 * self.n_features):
            X = self.X[rows if self.index is None else self.index[rows]]
            is_there = ~np.isnan(X)
            found = X[is_there.argmax(axis=0), np.arange(self.n_features)]
            first = np.where(np.isnan(first), found, first)
            if not np.isnan(first).any():
                break
        return first

    @property
    def near(self) -> IncompleteRows:
        """These: they have an order already."""
        return self

    def take(self, index: np.ndarray) -> IncompleteRows:
        """Some of the rows, by their indices in the array."""
        weight = None if self.weight is None else self.weight[index]
        return IncompleteRows(self.X[index], weight, self.workspace)

    def _blocks(self, row_bytes):
        order, n_complete = self._counted
        return _cut(len(order), n_complete, row_bytes)

    def _all_blocks(self, row_bytes):
        return _cut(len(self.X), self._n_complete, row_bytes)

    def _block(self, rows: slice, scratch: Scratch) -> Block:
        return self._block_of(self._counted[0][rows], scratch)

    def _places(self, rows):
        return self._order[rows]

    def _rows_at(self, rows):
        return rows_at(self.X, self._order[rows])


def _cut(n_rows, n_complete, row_bytes):
    """Blocks of which none has rows on both sides of a border."""
    yield from row_blocks(n_complete, row_bytes)
    for rows in row_blocks(n_rows - n_complete, row_bytes):
        yield slice(n_complete + rows.start, n_complete + rows.stop)


def rows_of_table(
    X: np.ndarray, weight: np.ndarray | None, workspace: Workspace
) -> ArrayRows:
    """Rows of the kind that an array is, by whether it has holes."""
    rows = ArrayRows(X, weight, workspace)
    if np.isfinite(rows.largest) or not np.isnan(X).any():
        return rows
    return IncompleteRows(X, weight, workspace)
