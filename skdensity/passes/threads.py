"""Threads: how many may be used here and now, and BLAS held to one while they work."""

from __future__ import annotations

import os
from functools import cache
from threading import Lock, local
from typing import Any

from joblib import cpu_count, effective_n_jobs
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

# One number for each library; None where one does not tell.
Limits = list[int | None]


class BlasLimit:
    """A limit of one BLAS thread for the whole process, held by any number of holders.

    The matrices of a block are small: waking a thread costs more than it computes. And
    NumPy and SciPy bring a BLAS each, whose idle threads spin and take the processor
    from the other's. The limit belongs to the process, while fits overlap: the first
    holder sets it, the last one restores what the first one found, in whatever order
    they leave. Where BLAS counts its threads for each of ours, on top of OpenMP, every
    holder sets and restores its own.

    Examples
    --------
    >>> from skdensity.passes.threads import ONE_BLAS_THREAD
    >>> with ONE_BLAS_THREAD:
    ...     pass
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_holders = 0
        self._found: Limits = []
        self._of_thread = local()
        self._survives_forks = False

    def __enter__(self) -> BlasLimit:
        with self._lock:
            if self._n_holders == 0:
                self._found = _limit(shared=True)
            self._n_holders += 1
            self._survive_forks()
        self._own.append(_limit(shared=False))
        return self

    def __exit__(self, *error: Any) -> None:
        _set_limits(self._own.pop(), shared=False)
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                _set_limits(self._found, shared=True)

    def n_threads(self) -> int | None:
        """Threads that BLAS may use where nobody holds it; None without a BLAS."""
        with self._lock:
            limits = self._found if self._n_holders else _limits(shared=True)
        own = self._own[0] if self._own else _limits(shared=False)
        return min(filter(None, [*limits, *own]), default=None)

    @property
    def _own(self) -> list[Limits]:
        """What this thread found, by library, whenever it began to hold the limit."""
        return vars(self._of_thread).setdefault("found", [])

    def _survive_forks(self) -> None:
        """A child has none of the threads that would end the limit."""
        if not self._survives_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_holders)
        self._survives_forks = True

    def _forget_holders(self) -> None:
        self._lock, self._of_thread = Lock(), local()
        if self._n_holders:
            self._n_holders = 0
            _set_limits(self._found, shared=True)


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


def hold_own_thread() -> None:
    """Hold BLAS to one thread for the calling thread, which is one of ours."""
    _limit(shared=False)


def _limit(shared: bool) -> Limits:
    """Set limits of one thread, and return those that were there."""
    found = _limits(shared)
    _set_limits([limit and 1 for limit in found], shared)
    return found


def _limits(shared: bool) -> Limits:
    """The limits of the loaded BLAS libraries; None where one does not tell."""
    return [library.num_threads for library in _blas(shared)]


def _set_limits(limits: Limits, shared: bool) -> None:
    for library, limit in zip(_blas(shared), limits, strict=True):
        if limit is None:
            continue
        # threadpoolctl lets the first thread that sets a limit of OpenBLAS alone change
        # it again, while holders of a counted limit leave on whatever thread they are.
        set_limit = getattr(library, "_real_set_num_threads", library.set_num_threads)
        set_limit(limit)


@cache
def _blas(shared: bool) -> list[Any]:
    """Those BLAS libraries whose limit threads share, or those where each has its own.

    Found once, which takes a millisecond: what NumPy and SciPy use stays the same.
    """
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    return [
        library
        for library in libraries
        if (getattr(library, "threading_layer", "") != "openmp") == shared
    ]
