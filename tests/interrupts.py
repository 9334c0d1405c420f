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
ERRSTATE = np.errstate.__enter__.__code__.co_filename


@dataclass(frozen=True)
class Moment:
    """The `count`-th time that an event happens at a place of a program."""

    place: tuple
    count: int


@dataclass(frozen=True)
class Outcome:
    """What came of a call that something was done to, and whether its moment came."""

    has_come: bool
    error: BaseException | None
    # Python swallows what is raised while an object goes, and says so.
    swallowed: bool

    @property
    def goes_on(self):
        return self.error is not None or self.swallowed


def _place(frame, event):
    # Not the code itself, whose hash takes all of it.
    return id(frame.f_code), frame.f_lasti, event


def moments_of(call, n_moments=None, are_wanted=lambda frame, event, function: True):
    """Moments of a call: all of its places, or so many, each at one of its times."""
    counts = Counter()

    def count(frame, event, function):
        # What a signal within NumPy's own context leaves behind is NumPy's matter.
        if frame.f_code.co_filename == ERRSTATE:
            return
        if are_wanted(frame, event, function):
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
    return _called(call, moment, None)


def failed(call, moment, error):
    """Call with an error at a moment: what was called there fails."""
    return _called(call, moment, error)


def _called(call, moment, error):
    n_left = moment.count
    code, instruction, kind = moment.place
    has_come = False

    def act(frame, event, function):
        nonlocal n_left, has_come
        # In the order of what is quick and tells most.
        if frame.f_lasti != instruction or id(frame.f_code) != code or event != kind:
            return None
        n_left -= 1
        if n_left > 0:
            return None
        has_come = True
        sys.setprofile(None)
        if error is not None:
            raise error
        return -CTRL_C  # last, since Python looks for signals at every call

    found = None
    with _undisturbed() as swallowed:
        try:
            sys.setprofile(act)
            call()
            sys.setprofile(None)
        except (KeyboardInterrupt, Exception) as raised:
            found = raised
        finally:
            sys.setprofile(None)
    return Outcome(has_come, found, bool(swallowed))


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
