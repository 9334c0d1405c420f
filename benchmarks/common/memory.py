"""Peak memory of calls, each in a process of its own.

It needs Linux: ``ru_maxrss`` of a process begins at the peak of the process that
started it, while ``VmHWM`` in ``/proc`` is its own.
"""

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import inf
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.turns import Turns, take_turns, timed


def peaks(
    X: np.ndarray,
    calls: Iterable[Callable],
    outcome: Callable,
    repeats: int,
    budget: float = inf,
) -> list[Turns]:
    """Bytes that calls need beyond what a process held with the rows loaded.

    Each of `calls` is a function of rows that returns the call to measure, and
    ``outcome(X, seconds, result)`` is what is kept of it. Both are pickled, so they are
    functions of a module. The rows go through a file: a pipe would hold copies of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        runs = [partial(apart, own_peak, path, call, outcome) for call in calls]
        return take_turns(repeats, *runs, budget=budget)


def apart(function: Callable, *arguments: Any) -> Any:
    """What a function returns in a process of its own, which shares nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def own_peak(path: Path, prepare: Callable, outcome: Callable) -> tuple[int, Any]:
    """Call it for some rows, which loads all that is loaded once, and then for all."""
    X = np.load(path)
    prepare(X[:1000])()
    call = prepare(X)
    before = own_memory("VmRSS")
    taken, result = timed(call)
    peak = own_memory("VmHWM") - before
    return peak, outcome(X, taken, result)


def own_memory(field: str) -> int:
    """Resident bytes of this process: ``VmRSS`` are the present, ``VmHWM`` the peak."""
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * int(fields[field].split()[0])


def fit_call(estimator: Any, X: np.ndarray) -> Callable:
    """The fit of an estimator, to measure."""
    return partial(estimator.fit, X)
