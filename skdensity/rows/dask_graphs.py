"""Graphs of tasks that add up over partitions, for whatever Dask scheduler is active.

A task for each partition, one node for what all of them share, and a tree of sums in
the order of the partitions: which worker finishes first makes no difference, and a task
that was lost with its worker is done again by another. Nothing but the graph holds what
tasks need, so that nothing can be lost; actors and scattered data could be.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

# Sums that one task adds up: whoever asks then receives one of them, and a worker holds
# no more than so many besides its own.
FAN_IN = 8


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


def tasks(
    function: Callable, value: Any, partitions: Sequence[Sequence[Any]]
) -> list[Any]:
    """A task ``function(value, *partition)`` for each of the partitions.

    Parameters
    ----------
    function : callable
        Of a module, so that it travels by its name.
    value : object
        What all tasks share.
    partitions : sequence of sequences
        What each of them has of its own.

    Returns
    -------
    tasks : list of Delayed
        In the order of the partitions.
    """
    node, task = shared(value), _task(function)
    return [task(node, *partition) for partition in partitions]


def tree_sum(parts: Sequence[Any]) -> Any:
    """The sum of tasks' results, in their order; those that are None are not there.

    Parameters
    ----------
    parts : sequence of Delayed
        At least one.

    Returns
    -------
    total : Delayed
        The sum; None if there is nothing to add up.

    Examples
    --------
    >>> from skdensity.rows.dask_graphs import added
    >>> added("a", None, "b")
    'ab'
    """
    add = _task(added)
    parts = list(parts)
    while len(parts) > 1:
        groups = range(0, len(parts), FAN_IN)
        parts = [add(*parts[begin : begin + FAN_IN]) for begin in groups]
    return parts[0]


def added(*parts: Any) -> Any:
    """The sum of those that are not None; None if all are."""
    there = [part for part in parts if part is not None]
    return reduce(operator.add, there) if there else None


def _task(function: Callable) -> Any:
    """A function whose calls are tasks; to look into their arguments takes time."""
    from dask import delayed

    return delayed(function, pure=False, traverse=False)
