"""Threads: how many may be used here and now, and BLAS held to one while they work."""

from __future__ import annotations

import os
import sys
from functools import cache
from threading import RLock, local
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
    >>> hold = ONE_BLAS_THREAD.hold()
    >>> hold.release()
    """

    def __init__(self) -> None:
        self._lock = RLock()  # a holder may be collected while its thread is inside
        self._holders: set[int] = set()
        self._found: Limits = []
        self._of_thread = local()
        self._survives_forks = False

    def hold(self) -> Hold:
        """Hold BLAS to one thread, until what is returned is released."""
        return Hold(self)

    def n_threads(self) -> int | None:
        """Threads that BLAS may use where nobody holds it; None without a BLAS."""
        self._survive_forks()
        with self._lock:
            limits = self._found if self._holders else _limits(shared=True)
        own = self._own[0] if self._own else _limits(shared=False)
        return min(filter(None, [*limits, *own]), default=None)

    def _add(self, holder: int) -> None:
        self._survive_forks()
        with self._lock:
            if not self._holders:
                self._found = _limits(shared=True)
            # An interrupt may come anywhere; from here on, removing restores.
            self._holders.add(holder)
            _set_limits(_ones(self._found), shared=True)

    def _remove(self, holder: int) -> None:
        with self._lock:
            if self._holders == {holder}:
                _restore(self._found, shared=True)
            self._holders.discard(holder)

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
        self._lock, self._of_thread = RLock(), local()
        if self._holders:
            self._holders = set()
            _restore(self._found, shared=True)


class Hold:
    """One holder's part in a limit; it ends when it is released, or is gone.

    An interrupt can come between any two steps, before whoever holds it knows.
    """

    def __init__(self, limit: BlasLimit) -> None:
        self._found_by_thread, self._limit = limit._own, limit
        limit._add(id(self))
        self._found_by_thread.append(_limits(shared=False))
        _set_limits(_ones(self._found_by_thread[-1]), shared=False)

    def release(self) -> None:
        """End it; a second time makes no difference."""
        found, self._found_by_thread = self._found_by_thread, []
        # Another thread's limits are not ours to restore.
        if found and found is self._limit._own:
            _restore(found.pop(), shared=False)
        self._limit._remove(id(self))

    def __del__(self) -> None:
        if hasattr(self, "_limit") and not sys.is_finalizing():
            self.release()


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
    _set_limits(_ones(_limits(shared=False)), shared=False)


def _ones(limits: Limits) -> Limits:
    return [limit and 1 for limit in limits]


def _restore(found: Limits, shared: bool) -> None:
    """Set limits back, unless somebody else has set another one since."""
    current = _limits(shared)
    _set_limits(
        [
            limit if now == 1 else None
            for limit, now in zip(found, current, strict=True)
        ],
        shared,
    )


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
