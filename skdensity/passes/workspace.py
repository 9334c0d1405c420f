"""Threads that work on blocks, and the scratch memory that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from skdensity.passes.scratch import Scratch
from skdensity.passes.threads import ONE_BLAS_THREAD, Hold, hold_own_thread

# Waking threads for so many blocks costs about as much as it saves.
FEW_BLOCKS = 2


class Workspace:
    """Threads to work on blocks, and scratch for as many, for one pass or for many.

    As a context manager it holds BLAS to one thread, and ends its own threads on
    leaving; outside of the context all blocks are worked on by the caller's thread.

    Parameters
    ----------
    n_threads : int, default=1
        Blocks that are worked on at a time. It makes no difference to the results.

    Attributes
    ----------
    n_threads : int
        As given.

    Examples
    --------
    >>> from skdensity.passes.workspace import Workspace
    >>> with Workspace(2) as workspace:
    ...     list(workspace.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, n_threads: int = 1) -> None:
        self.n_threads = n_threads
        self._free: list[Scratch] = []
        self._executor: ThreadPoolExecutor | None = None
        self._hold: Hold | None = None

    def __enter__(self) -> Workspace:
        self._hold = ONE_BLAS_THREAD.hold()
        return self

    def __exit__(self, *error: Any) -> None:
        hold, self._hold = self._hold, None
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()
        if hold is not None:
            hold.release()

    def map(self, function: Callable, items: Iterable) -> Iterator:
        """``map(function, items)`` on the threads, in order.

        NumPy and BLAS release the interpreter's lock, so that blocks run side by side.
        The results come in order, whatever finishes first: sums of them do not depend
        on the number of threads. ``numpy.errstate`` holds on them as for the caller.
        """
        items = list(items)
        if self.n_threads == 1 or len(items) <= FEW_BLOCKS or not self._hold:
            return map(function, items)
        # Threads start with NumPy's own handling of overflow and the like.
        handling = np.geterr()

        def handled(item: Any) -> Any:
            with np.errstate(**handling):
                return function(item)

        if self._executor is None:
            self._executor = ThreadPoolExecutor(
                self.n_threads, initializer=hold_own_thread
            )
        return self._executor.map(handled, items)

    def each(self, function: Callable, items: Iterable) -> None:
        """Call the function with all items."""
        for _ in self.map(function, items):
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
