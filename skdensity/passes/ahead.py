"""Read the next item on a thread while this one is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def read_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, each asked for before the one before is done.

    At most one waits: memory is that of two items, and of what makes the next one.

    Parameters
    ----------
    items : iterable
        Asked from threads that are not the caller's, one after the other. Each ends
        with what it was asked for, so that none stays where the reader was interrupted.

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
    iterator = _Call(iter, items).result()
    ahead = _Call(next, iterator, end)
    try:
        while (item := ahead.result()) is not end:
            ahead = _Call(next, iterator, end)
            yield item
    finally:
        ahead.join()


class _Call(Thread):
    """A call on a thread of its own, which ends with it."""

    def __init__(self, function: Callable, *arguments: Any) -> None:
        super().__init__()
        self._function, self._arguments = function, arguments
        self._outcome: Future = Future()
        self.start()

    def run(self) -> None:
        try:
            self._outcome.set_result(self._function(*self._arguments))
        except BaseException as error:
            self._outcome.set_exception(error)

    def result(self) -> Any:
        """What came of it, or its error, when it is done."""
        self.join()
        return self._outcome.result()
