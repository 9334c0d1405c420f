"""Rows that come in blocks from somewhere else, one after the other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, reduce
from itertools import chain
from typing import TypeVar

import numpy as np

from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.rows import Rows
from skdensity.rows.streamed_rows import StreamedRows

T = TypeVar("T")
# A fresh iterator of arrays (n_rows, n_features), each with its weights or None.
Source = Callable[[], Iterator[tuple[np.ndarray, np.ndarray | None]]]

# Larger blocks are cut: rows with holes are put in order within a piece.
PIECE_BYTES = 64 * 2**20  # pragma: no mutate


class BlockRows(StreamedRows):
    """Weighted rows of a source that is read from its begin in every pass.

    Parameters
    ----------
    source : callable
        Gives a fresh iterator of blocks, and their weights or None.
    workspace : Workspace, optional
        Threads and scratch; they make no difference to any result.
    check : callable, optional
        Called with these rows when the first pass has told what they are, to complain.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.block_rows import BlockRows
    >>> blocks = [(np.ones((2, 1)), None), (np.ones((3, 1)), None)]
    >>> rows = BlockRows(lambda: iter(blocks))
    >>> rows.add(lambda block, scratch: block.weight @ block.X, row_bytes=16)
    array([5.])
    >>> rows.n_rows
    5
    """

    def __init__(
        self,
        source: Source,
        workspace: Workspace | None = None,
        check: Callable[[Rows], None] = lambda rows: None,
    ) -> None:
        super().__init__(workspace, check)
        self._source = source
        self._begun: Iterator | None = None

    @cached_property
    def n_features(self) -> int:
        """Number of features, by the first block; the next pass goes on from there."""
        if self.is_known:
            return len(self.survey.origin)
        blocks = self._source()
        first = next(blocks)
        self._begun = chain([first], blocks)
        X, _ = first
        return X.shape[1]

    def after(self, before: ArrayRows) -> BlockRows:
        """Other rows as the first block, then these."""
        first = before.X, before.weight
        return BlockRows(lambda: chain([first], self._source()), self.workspace)

    def batches(
        self, size: int, rng: np.random.RandomState | None
    ) -> Iterator[tuple[ArrayRows, float]]:
        """Consecutive rows, whatever blocks they are in."""
        total = self.total_weight
        for X, weight in recut(self._parts(), size):
            batch = rows_of_table(X, weight, self.workspace)
            yield batch, batch.total_weight / total

    def _summed(self, of_part: Callable[[ArrayRows], T]) -> T:
        return reduce(operator.add, map(of_part, self._parts()))

    def _parts(self) -> Iterator[ArrayRows]:
        begun, self._begun = self._begun, None
        for X, weight in begun or self._source():
            for piece in pieces(X):
                own = None if weight is None else weight[piece]
                yield rows_of_table(X[piece], own, self.workspace)


def recut(
    parts: Iterable[ArrayRows], size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of positive weight and their weights, so many at a time from all parts.

    A block of a few rows would be a batch that tells nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> from skdensity.rows.block_rows import recut
    >>> parts = [ArrayRows(np.ones((n_rows, 1))) for n_rows in (1, 0, 5, 2)]
    >>> [len(X) for X, weight in recut(parts, 3)]
    [3, 3, 2]
    """
    held: list[tuple[np.ndarray, np.ndarray]] = []
    n_held = 0
    for part in parts:
        rows, begin = part.positive(), 0
        while begin < rows.n_rows:
            some = slice(begin, begin + size - n_held)
            # Copied, since blocks may come in the same memory.
            held.append((rows.X[some].copy(), rows.each_weight[some].copy()))
            n_held += len(held[-1][0])
            begin = some.stop
            if n_held == size:
                yield _joined(held)
                held, n_held = [], 0
    if held:
        yield _joined(held)


def _joined(held):
    X, weight = map(np.concatenate, zip(*held, strict=True))
    return X, weight


def pieces(X: np.ndarray) -> Iterator[slice]:
    """Cut a block into pieces of at most `PIECE_BYTES`, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.block_rows import pieces
    >>> list(pieces(np.empty((0, 3)))), list(pieces(np.empty((5, 3))))
    ([slice(0, 0, None)], [slice(0, 5, None)])
    """
    step = max(1, PIECE_BYTES // max(1, X.itemsize * X.shape[1]))
    for begin in range(0, max(len(X), 1), step):
        yield slice(begin, min(begin + step, len(X)))
