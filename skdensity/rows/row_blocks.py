"""A table that is read block by block, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class RowBlocks:
    """Rows that come in blocks, for tables larger than memory.

    All Gaussian models take it where they take an array in `fit` and `score`: only one
    block is in memory at a time.

    Parameters
    ----------
    make_blocks : callable
        Called without arguments, it returns an iterable of blocks that starts from the
        first one, every time with the same rows. A block is a table that an estimator
        takes: an array, a data frame or an Arrow batch of shape (n_rows, n_features),
        or a pair of such a table and the weights of its rows, of shape (n_rows,).
    """

    def __init__(self, make_blocks: Callable[[], Iterable[Any]]) -> None:
        if not callable(make_blocks):
            raise TypeError(
                f"`make_blocks` is of type {type(make_blocks).__name__}, which can be "
                "read once; a fit reads all rows again in every pass. Give a function "
                "that returns a fresh iterator of blocks, for example a generator "
                "function without calling it."
            )
        self.make_blocks = make_blocks

    def __iter__(self) -> Iterator[Any]:
        return iter(self.make_blocks())
