"""Warnings that are kept, to be told by whoever knows what they are about."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

Warned = tuple[type[Warning], str]


@contextmanager
def overheard() -> Iterator[list[Warned]]:
    """Collect the categories and texts of warnings, instead of showing them.

    The filters of warnings belong to all threads of a process, so that only the main
    one may change them; in others warnings take their usual way.

    Examples
    --------
    >>> import warnings
    >>> from skdensity.uses.overheard import overheard
    >>> with overheard() as heard:
    ...     warnings.warn("Few rows.")
    >>> heard
    [(<class 'UserWarning'>, 'Few rows.')]
    """
    heard: list[Warned] = []
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    with warnings.catch_warnings(record=True) as recorded:
        for category in (UserWarning, RuntimeWarning):
            # The filters have their say when the warning is told.
            warnings.simplefilter("always", category)
        yield heard
    heard += [(warned.category, str(warned.message)) for warned in recorded]
