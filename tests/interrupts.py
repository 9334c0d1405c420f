"""Ctrl-C at any moment of a call, always at the same one.

A signal may come at any time, but Python hears of it only here and there: when a
function begins, when a call returns, when a loop turns. Raising KeyboardInterrupt
elsewhere would ask for more than Python can give: it never comes between the body of a
``with`` and the call of ``__exit__``. So the signal is sent when a function or a call
begins or ends, by a way in which Python does not look for signals on its own, and
Python delivers it where it next would.
"""

import _thread
import gc
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


class _Terminal:
    # Called for `-_Terminal()`, where Python does not look for signals.
    __neg__ = _thread.interrupt_main


CTRL_C = _Terminal()


@dataclass(frozen=True)
class Moment:
    """The `count`-th time that an event happens at a place of a program."""

    place: tuple
    count: int


@dataclass(frozen=True)
class Interrupted:
    """What came of a call with Ctrl-C: whether it was pressed, and what was raised."""

    pressed: bool
    error: KeyboardInterrupt | None
    # Python swallows what is raised while an object goes, and says so.
    swallowed: bool

    @property
    def goes_on(self):
        return self.error is not None or self.swallowed


def _place(frame, event):
    # Not the code itself, whose hash takes all of it.
    return id(frame.f_code), frame.f_lasti, event


def moments_of(call, n_moments=None):
    """Moments of a call: all of its places, or so many, each at one of its times."""
    counts = Counter()

    def count(frame, event, argument):
        counts[_place(frame, event)] += 1

    with _undisturbed():
        sys.setprofile(count)
        try:
            call()
        finally:
            sys.setprofile(None)
    places = list(counts)  # as they were first met
    chosen = np.arange(len(places))
    if n_moments is not None:
        chosen = np.linspace(0, len(places) - 1, n_moments).astype(int)
    # Early, late and in between.
    rng = np.random.RandomState(0)
    return [
        Moment(places[i], rng.randint(counts[places[i]]) + 1) for i in np.unique(chosen)
    ]


def interrupted(call, moment):
    """Call with Ctrl-C at a moment."""
    n_left = moment.count
    code, instruction, kind = moment.place
    pressed = False

    def press(frame, event, argument):
        nonlocal n_left, pressed
        # In the order of what is quick and tells most.
        if frame.f_lasti != instruction or id(frame.f_code) != code or event != kind:
            return
        n_left -= 1
        if n_left == 0:
            pressed = True
            sys.setprofile(None)
            return -CTRL_C  # last, since Python looks for signals at every call

    error = None
    with _undisturbed() as swallowed:
        try:
            sys.setprofile(press)
            call()
            sys.setprofile(None)
        except KeyboardInterrupt as raised:
            error = raised
        finally:
            sys.setprofile(None)
    return Interrupted(pressed, error, bool(swallowed))


@contextmanager
def _undisturbed():
    """Without collections of garbage, whose time is not told, and Python's handler."""
    swallowed = []
    hook, sys.unraisablehook = sys.unraisablehook, swallowed.append
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()
    try:
        yield swallowed
    finally:
        gc.enable()
        signal.signal(signal.SIGINT, handler)
        sys.unraisablehook = hook
