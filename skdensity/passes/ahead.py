"""Read the next item on a thread while this one is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def read_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, each asked for before the one before is done.

    At most one waits: memory is that of two items, and of what makes the next one.

    Parameters
    ----------
    items : iterable
        Asked from one thread, which is not the caller's.

    Yields
    ------
    item : object
        As it came. An error of the iterable is raised where its item would be.

    Examples
    --------
    >>> from skdensity.passes.ahead import read_ahead
    >>> list(read_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    end: Any = object()
    with ThreadPoolExecutor(1) as thread:
        iterator = thread.submit(iter, items).result()
        ahead = thread.submit(next, iterator, end)
        while (item := ahead.result()) is not end:
            ahead = thread.submit(next, iterator, end)
            yield item
