"""Walk over the rows of a table in blocks that fit the processor's cache."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from typing import TypeVar

import numpy as np

from skdensity.passes.threads import threaded_map

T = TypeVar("T")

# Small enough that temporaries are read again before they leave the cache, large enough
# that each call into NumPy outlasts a change of threads: measured with 1 and 2 threads,
# 6 MB was within 10 % of the best size for 1 to 64 features.
BLOCK_BYTES = 6 * 2**20


class Scratch:
    """Arrays that a block writes into, kept for the next one.

    A fresh array of a block's size comes from the operating system page by page, which
    costs more than computing its entries.

    Examples
    --------
    >>> from skdensity.passes.blocks import Scratch
    >>> scratch = Scratch()
    >>> first = scratch.array("products", (3, 4))
    >>> second = scratch.array("products", (3, 2))
    >>> second.flags.c_contiguous and second.base is first.base
    True
    """

    def __init__(self) -> None:
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """An array of float64, contiguous, holding anything; the last of its name."""
        size = math.prod(shape)
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = np.empty(size)
        return self._kept[name][:size].reshape(shape)


class Workspace:
    """Threads to work on blocks, and scratch for as many, for one pass or for many.

    Parameters
    ----------
    n_threads : int, default=1
        Blocks that are worked on at a time. It makes no difference to the results.

    Attributes
    ----------
    n_threads : int
        As given.
    """

    def __init__(self, n_threads: int = 1) -> None:
        self.n_threads = n_threads
        self._executor = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        self._free: list[Scratch] = []

    def map(self, function: Callable, blocks: Iterator[slice]) -> Iterator:
        """``map(function, blocks)`` on the threads, in order."""
        blocks = list(blocks)
        # Waking threads for two blocks costs about as much as it saves.
        return threaded_map(function, blocks, self._executor if blocks[2:] else None)

    def each(self, function: Callable, blocks: list[slice]) -> None:
        """Call the function with all blocks; one alone needs no threads."""
        if len(blocks) == 1:
            function(blocks[0])
            return
        for _ in self.map(function, blocks):
            pass

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """Lend scratch that no other block uses meanwhile."""
        # Lists pop and append as a whole, whatever thread asks.
        try:
            scratch = self._free.pop()
        except IndexError:
            scratch = Scratch()
        yield scratch
        self._free.append(scratch)


def row_blocks(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Cut ``range(n_rows)`` into even slices of at most `BLOCK_BYTES`, if they can be.

    Parameters
    ----------
    n_rows : int
        Number of rows, at least 1.
    row_bytes : int
        Bytes of temporary storage that one row needs.

    Yields
    ------
    rows : slice
        Consecutive rows, at least 1.

    Examples
    --------
    >>> from skdensity.passes.blocks import row_blocks
    >>> list(row_blocks(5, row_bytes=2**21))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    most = max(1, BLOCK_BYTES // row_bytes)
    # Even, so that threads end at the same time.
    step = math.ceil(n_rows / math.ceil(n_rows / most))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def add_over_blocks(
    term: Callable[[slice], T],
    n_rows: int,
    row_bytes: int,
    workspace: Workspace | None = None,
) -> T:
    """Add up ``term(rows)`` over all blocks of rows.

    Parameters
    ----------
    term : callable
        Maps a slice of rows to anything that supports ``+``.
    n_rows, row_bytes : int
        As in :func:`row_blocks`.
    workspace : Workspace, optional
        Threads to use; the sum does not depend on them.

    Returns
    -------
    total : same type as the result of `term`
        The sum over all blocks, in their order.

    Examples
    --------
    >>> from skdensity.passes.blocks import add_over_blocks
    >>> add_over_blocks(lambda rows: rows.stop - rows.start, 1000, row_bytes=2**14)
    1000
    """
    workspace = workspace or Workspace()
    blocks = row_blocks(n_rows, row_bytes)
    return reduce(operator.add, workspace.map(term, blocks))


def for_each_block(
    function: Callable[[slice], None],
    n_rows: int,
    row_bytes: int,
    workspace: Workspace | None = None,
) -> None:
    """Call ``function(rows)`` for all blocks of rows.

    Parameters
    ----------
    function : callable
        Called with a slice of rows.
    n_rows, row_bytes : int
        As in :func:`row_blocks`.
    workspace : Workspace, optional
        Threads to use.

    Examples
    --------
    >>> from skdensity.passes.blocks import for_each_block
    >>> for_each_block(print, 2, row_bytes=1)
    slice(0, 2, None)
    """
    workspace = workspace or Workspace()
    workspace.each(function, list(row_blocks(n_rows, row_bytes)))


def fill_over_blocks(
    values: Callable[[slice], np.ndarray],
    out: np.ndarray,
    row_bytes: int,
    workspace: Workspace | None = None,
) -> np.ndarray:
    """Write ``values(rows)`` into ``out[rows]`` for all blocks of rows.

    Parameters
    ----------
    values : callable
        Maps a slice of rows to an array of that many rows.
    out : ndarray of shape (n_rows, ...)
        Receives the values, cast to its dtype.
    row_bytes : int
        As in :func:`row_blocks`.
    workspace : Workspace, optional
        Threads to use.

    Returns
    -------
    out : ndarray of shape (n_rows, ...)
        The array that was passed.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.passes.blocks import fill_over_blocks
    >>> x = np.arange(4.0)
    >>> fill_over_blocks(lambda rows: 2 * x[rows], np.empty(4), row_bytes=2**21)
    array([0., 2., 4., 6.])
    """

    def fill(rows: slice) -> None:
        out[rows] = values(rows)

    for_each_block(fill, len(out), row_bytes, workspace)
    return out
