"""Graphs of tasks that add up over partitions, for whatever Dask scheduler is active.

A task for each partition, one node for what all of them share, and a tree of sums in
the order of the partitions: which worker finishes first makes no difference, and a task
that was lost with its worker is done again by another. Nothing but the graph holds what
tasks need, so that nothing can be lost; actors and scattered data could be.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from skdensity.rows.dask_homes import near

# Sums that one task adds up: whoever asks then receives one of them, and a worker holds
# no more than so many besides its own.
FAN_IN = 8  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Summand:
    """What a task returns, so that Dask knows its size; None is nothing to add.

    Attributes
    ----------
    value : object
        Anything that supports ``+``, or None.
    """

    value: Any

    def __sizeof__(self) -> int:
        # Dask asks, and would take records for no more than their references.
        return size_of(self.value)


def size_of(value: Any) -> int:
    """Bytes of a value: of its arrays, in records and records in records.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.dask_graphs import Summand, size_of
    >>> size_of(Summand(np.zeros(1000))) - size_of(Summand(np.zeros(0)))
    8000
    """
    if isinstance(value, np.ndarray):
        return object.__sizeof__(value) + value.nbytes
    parts = getattr(value, "__dict__", {}).values()
    return object.__sizeof__(value) + sum(map(size_of, parts))


def shared(value: Any) -> Any:
    """A node with a value that many tasks need.

    It travels as bytes, which every scheduler makes the same value of: one that was
    handed over as it is would differ from a copy in the layout of its arrays, and then
    in the last digits of what is computed from it.

    Parameters
    ----------
    value : object
        Anything that cloudpickle takes, closures among them.

    Returns
    -------
    node : Delayed
        The value.
    """
    import cloudpickle  # Dask brings it

    return _task(cloudpickle.loads)(cloudpickle.dumps(value))


def sum_over(
    function: Callable,
    value: Any,
    partitions: Sequence[Sequence[Any]],
    homes: Sequence[list[str]],
) -> Any:
    """Add up ``function(value, *partition)`` over partitions, in their order.

    Parameters
    ----------
    function : callable
        Of a module, so that it travels by its name. It may return None.
    value : object
        What all tasks share.
    partitions : sequence of sequences
        What each task has of its own; at least one.
    homes : sequence of lists of str
        Addresses of the workers where each partition is, as far as is known.

    Returns
    -------
    total : object
        The sum; None if there is nothing to add up.
    """
    node, task, add = shared(value), _task(summand), _task(added)
    parts = []
    for partition, home in zip(partitions, homes, strict=True):
        with near(home):
            parts.append(task(function, node, *partition))
    while len(parts) > 1:
        groups = range(0, len(parts), FAN_IN)
        parts = [add(*parts[begin : begin + FAN_IN]) for begin in groups]
    return parts[0].compute().value


def summand(function: Callable, *arguments: Any) -> Summand:
    """What a function returns, as it is added up."""
    return Summand(function(*arguments))


def added(*parts: Summand) -> Summand:
    """The sum of those that are there."""
    there = [part.value for part in parts if part.value is not None]
    return Summand(reduce(operator.add, there) if there else None)


def _task(function: Callable) -> Any:
    """A function whose calls are tasks; to look into their arguments takes time."""
    from dask import delayed

    return delayed(function, pure=False, traverse=False)
