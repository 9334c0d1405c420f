"""Threads: how many may be used here and now, and BLAS held to one while they work."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from joblib import cpu_count, effective_n_jobs
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController


class BlasLimit:
    """A limit of one BLAS thread for the whole process, held by any number of holders.

    The matrices of a block are small: waking a thread costs more than it computes. And
    NumPy and SciPy bring a BLAS each, whose idle threads spin and take the processor
    from the other's. The limit belongs to the process, while fits overlap: the first
    holder sets it, the last one restores what the first one found, in whatever order
    they leave.

    Examples
    --------
    >>> from skdensity.passes.threads import ONE_BLAS_THREAD
    >>> with ONE_BLAS_THREAD:
    ...     pass
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_holders = 0
        self._found: list[int | None] = []

    def __enter__(self) -> BlasLimit:
        with self._lock:
            if self._n_holders == 0:
                self._found = _limits()
                _set_limits([found and 1 for found in self._found])
            self._n_holders += 1
        return self

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                _set_limits(self._found)

    def n_threads(self) -> int | None:
        """Threads that BLAS may use where nobody holds it; None without a BLAS."""
        with self._lock:
            limits = self._found if self._n_holders else _limits()
        return min(filter(None, limits), default=None)


ONE_BLAS_THREAD = BlasLimit()


def n_threads_for(n_jobs: int | None) -> int:
    """Number of threads that `n_jobs` stands for.

    Parameters
    ----------
    n_jobs : int or None
        A number is that number, negative ones count from all processors, as in joblib.
        None is what a context of ``joblib.parallel_config(n_jobs=...)`` says, and
        without one as many threads as BLAS may use here and now: so limits of
        threadpoolctl, of ``OMP_NUM_THREADS`` and of workers of joblib and Dask hold.

    Returns
    -------
    n_threads : int
        At least 1.

    Examples
    --------
    >>> from threadpoolctl import threadpool_limits
    >>> from skdensity.passes.threads import n_threads_for
    >>> n_threads_for(3)
    3
    >>> with threadpool_limits(1):
    ...     n_threads_for(None)
    1
    """
    if n_jobs is None:
        _, n_jobs = get_active_backend()
    if n_jobs is not None:
        return effective_n_jobs(n_jobs)
    return ONE_BLAS_THREAD.n_threads() or cpu_count()


def _limits() -> list[int | None]:
    """The limits of the loaded BLAS libraries; None where one does not tell."""
    return [library.num_threads for library in _blas().lib_controllers]


def _set_limits(limits: list[int | None]) -> None:
    for library, limit in zip(_blas().lib_controllers, limits, strict=True):
        if limit is None:
            continue
        # threadpoolctl lets the first thread that sets a limit of OpenBLAS alone change
        # it again, while holders of a counted limit leave on whatever thread they are.
        set_limit = getattr(library, "_real_set_num_threads", library.set_num_threads)
        set_limit(limit)


@cache
def _blas() -> ThreadpoolController:
    # Finding the loaded libraries takes a millisecond; they stay the same.
    return ThreadpoolController().select(user_api="blas")
