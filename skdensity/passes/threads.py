"""Threads: how many may be used here and now, and BLAS held to one while they work."""

from __future__ import annotations

import os
from functools import cache, partial
from threading import RLock, local
from typing import Any
from weakref import finalize

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
        self._of_process = Held(shared=True)
        self._of_thread = local()
        self._survives_forks = False

    def hold(self) -> Hold:
        """Hold BLAS to one thread, until what is returned is released."""
        return Hold(self)

    def n_threads(self) -> int | None:
        """Threads that BLAS may use where nobody holds it; None without a BLAS."""
        self._survive_forks()
        with self._lock:
            limits = self._of_process.unheld()
        return min(filter(None, [*limits, *self._own.unheld()]), default=None)

    def _add(self, holder: int) -> None:
        self._survive_forks()
        with self._lock:
            self._of_process.add(holder)
        self._own.add(holder)

    def _remove(self, own: Held, holder: int) -> None:
        if own is self._own:  # another thread's are not ours to restore
            own.remove(holder)
        with self._lock:
            self._of_process.remove(holder)

    @property
    def _own(self) -> Held:
        """What this thread alone is limited to."""
        return vars(self._of_thread).setdefault("held", Held(shared=False))

    def _survive_forks(self) -> None:
        """A child has none of the threads that would end the limit."""
        if not self._survives_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_holders)
        self._survives_forks = True

    def _forget_holders(self) -> None:
        self._lock, self._of_thread = RLock(), local()
        self._of_process.forget()


class Held:
    """Limits that the first of several holders finds, and the last one restores.

    An interrupt may come between any two steps: once a holder is noted, removing it
    restores what was found, and removing it again makes no difference.

    Parameters
    ----------
    shared : bool
        Whether they are those that threads share, or those that each has for itself.
    """

    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self._holders: set[int] = set()
        self._found: Limits = []

    def unheld(self) -> Limits:
        """The limits where nobody holds them."""
        return self._found if self._holders else _limits(self._shared)

    def add(self, holder: int) -> None:
        """Note a holder, and hold."""
        if not self._holders:
            self._found = _limits(self._shared)
        self._holders.add(holder)
        _set_limits(_ones(self._found), self._shared)

    def remove(self, holder: int) -> None:
        """Let go for a holder, and restore if it was the last."""
        if self._holders == {holder}:
            _restore(self._found, self._shared)
        self._holders.discard(holder)

    def forget(self) -> None:
        """Let go for all of them."""
        if self._holders:
            self._holders = set()
            _restore(self._found, self._shared)


class Hold:
    """One holder's part in a limit; it ends when it is released, or is gone.

    An interrupt can come between any two steps, before whoever holds it knows. There is
    no ``__del__``, in which Python would swallow it, even if there is nothing to do.
    """

    def __init__(self, limit: BlasLimit) -> None:
        self._end = partial(limit._remove, limit._own, id(self))
        self._when_gone = finalize(self, self._end)
        self._when_gone.atexit = False
        try:
            limit._add(id(self))
        except BaseException:  # its traceback would keep this alive, and holding
            self.release()
            raise

    def release(self) -> None:
        """End it; a second time makes no difference."""
        self._end()
        self._when_gone.detach()


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
