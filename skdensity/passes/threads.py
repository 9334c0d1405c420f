"""Threads: who may use how many while a pass runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

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


@cache
def _controller() -> ThreadpoolController:
    # Finding the loaded libraries takes a millisecond; they stay the same.
    return ThreadpoolController()
