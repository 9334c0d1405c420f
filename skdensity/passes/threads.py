"""Threads: who may use how many while a pass runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager:
    """Hold BLAS to one thread.

    The matrices of a block are small: waking a thread costs more than it computes. And
    NumPy and SciPy bring a BLAS each, whose idle threads spin and take the processor
    from the other's.

    Returns
    -------
    limit : context manager
        Restores the limits on exit. They hold for the whole process meanwhile.

    Examples
    --------
    >>> from skdensity.passes.threads import one_blas_thread
    >>> with one_blas_thread():
    ...     pass
    """
    return _controller().limit(limits=1, user_api="blas")


def threaded_map(
    function: Callable, items: Iterable, executor: ThreadPoolExecutor | None
) -> Iterator:
    """``map(function, items)`` on threads, with one BLAS thread each.

    NumPy and BLAS release the interpreter's lock, so that blocks run side by side. The
    results come in order, whatever finishes first: sums of them do not depend on the
    number of threads. ``numpy.errstate`` holds on them as it does for the caller.

    Parameters
    ----------
    function : callable
        Applied to every item.
    items : iterable
        Its arguments.
    executor : ThreadPoolExecutor or None
        The threads; None uses none but the caller's.

    Yields
    ------
    result : object
        ``function(item)``.

    Examples
    --------
    >>> from skdensity.passes.threads import threaded_map
    >>> list(threaded_map(abs, [-1, 2, -3], None))
    [1, 2, 3]
    """
    # Threads start with NumPy's own handling of overflow and the like.
    handling = np.geterr()

    def handled(item):
        with np.errstate(**handling):
            return function(item)

    with one_blas_thread():
        if executor is None:
            yield from map(function, items)
        else:
            yield from executor.map(handled, items)


@cache
def _controller() -> ThreadpoolController:
    # Finding the loaded libraries takes a millisecond; they stay the same.
    return ThreadpoolController()
