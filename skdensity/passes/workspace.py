"""Threads that work on blocks, and the scratch memory that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from skdensity.passes.scratch import Scratch
from skdensity.passes.threads import (
    ONE_BLAS_THREAD,
    Hold,
    hold_own_thread,
    n_threads_for,
)

T = TypeVar("T")

# Waking threads for so many blocks costs about as much as it saves.
FEW_BLOCKS = 2  # pragma: no mutate
# Starting threads costs as much as looking so many rows up in a tree.
FEW_ROWS = 2000  # pragma: no mutate


class Workspace:
    """Threads to work on blocks, and scratch for as many, for one pass or for many.

    Inside of its context BLAS is held to one thread; on leaving, BLAS has its threads
    back and those of the workspace end. Outside of the context all blocks are worked on
    by the caller's thread. Inside, underflow is no error, whatever NumPy is set to;
    everything else is as the caller has it.

    Enter it twice, as below, where the user may interrupt: Python may raise
    KeyboardInterrupt on the way into ``__exit__``, before its first line. The other
    one then finds everything still open.

    Parameters
    ----------
    n_jobs : int or None, default=1
        How many blocks are worked on at a time, as in
        :func:`~skdensity.passes.threads.n_threads_for`. It makes no difference to the
        results.

    Examples
    --------
    >>> from skdensity.passes.workspace import Workspace
    >>> with Workspace(2) as workspace, workspace:
    ...     list(workspace.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, n_jobs: int | None = 1) -> None:
        if n_jobs == 0:
            raise ValueError(
                "n_jobs=0 leaves nobody to work; give a number of threads, −1 for "
                "all processors, or None for as many as BLAS may use."
            )
        self.n_jobs = n_jobs
        self._free: list[Scratch] = []
        self._executor: ThreadPoolExecutor | None = None
        self._hold: Hold | None = None
        self._handling: Any = None  # what NumPy did about errors before
        self._is_open = False

    def __enter__(self) -> Workspace:
        try:
            if not self._is_open:
                self._handling = np.geterr()
                self._is_open = True
                # A density far from all rows is too small for a float: 0 is its right
                # value, and a user who lets NumPy raise must not lose a fit to it.
                np.seterr(under="ignore")
            if self._hold is None:
                # At once: products outside of blocks have other digits with other
                # threads, too.
                self._hold = ONE_BLAS_THREAD.hold()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        self._close()

    def _close(self) -> None:
        """End what was begun; each step makes no difference the second time."""
        self._is_open = False
        if self._handling is not None:
            np.seterr(**self._handling)
            self._handling = None
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)  # after an error some may wait
            self._executor = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    @cached_property
    def n_threads(self) -> int:
        """Blocks that are worked on at a time."""
        return n_threads_for(self.n_jobs)  # when needed: joblib may take a while

    def n_threads_for_rows(self, n_rows: int) -> int:
        """Threads for a library that starts its own at every call; one for few rows."""
        return self.n_threads if n_rows > FEW_ROWS else 1

    def map(
        self, function: Callable, items: Iterable, few: int = FEW_BLOCKS
    ) -> Iterator:
        """``map(function, items)`` on the threads, in order; so few on the caller's.

        NumPy and BLAS release the interpreter's lock, so that blocks run side by side.
        The results come in order, whatever finishes first: sums of them do not depend
        on the number of threads. ``numpy.errstate`` holds on them as for the caller.
        """
        items = list(items)
        if len(items) <= few or not self._is_open or self.n_threads == 1:
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


def as_in_a_pass(work: Callable[..., T], *arguments: Any) -> T:
    """What a function returns that runs as passes do: underflow is no error.

    And BLAS has one thread, so that digits do not depend on how many it might have.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.passes.workspace import as_in_a_pass
    >>> with np.errstate(all="raise"):
    ...     float(as_in_a_pass(np.exp, -1000.0))
    0.0
    """
    with Workspace() as workspace, workspace:
        return work(*arguments)
