"""The loop that every iterative fit runs in.

A *solver* has ``init(model) -> state``, ``step(state) -> state`` and ``finished(state)
-> (model, value)``; a *state* is a frozen record with a ``value``, the objective that
its step observed. A solver that takes steps of several kinds has states with a
``may_end``, too: whether the values tell how far it has come. One that may be wrong
about its end has ``judged(result) -> result``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from skdensity.solvers.result import Result
from skdensity.solvers.stopping import StoppingRule
from skdensity.solvers.watchers import Watcher


class Solver(Protocol):
    """How parameters are found."""

    def init(self, model: Any) -> Any:
        """The state to start from."""

    def step(self, state: Any) -> Any:
        """One iteration."""

    def finished(self, state: Any) -> tuple[Any, float]:
        """The model that a last state stands for, and the objective there."""


def iterate(
    solver: Solver,
    state: Any,
    *,
    max_iter: int,
    stop: StoppingRule,
    watchers: Sequence[Watcher] = (),
) -> Result:
    """Step from `state` until the rule says stop or `max_iter` steps are done.

    Parameters
    ----------
    solver : Solver
        Maps a state to the next one.
    state : object with an attribute ``value``
        Where to start; its value is the one before the first iteration.
    max_iter : int
        Upper bound on the number of steps; 0 returns the start.
    stop : callable
        Called with the values so far, the start's first.
    watchers : sequence of Watcher
        Hear of everything, and may end the run.

    Returns
    -------
    result : Result
        The last state, the values, and what ended the run.
    """
    values, ended_by = [float(state.value)], ""
    try:
        for watcher in watchers:
            watcher.begin(max_iter)
        while not ended_by and len(values) <= max_iter:
            state = solver.step(state)
            values.append(float(state.value))
            may_end = getattr(state, "may_end", True)
            ended_by = "convergence" if stop(values) and may_end else ""
            is_last = bool(ended_by) or len(values) > max_iter
            # All of them hear of it, whatever the first one wants.
            wishes = [w.iteration(state, values, is_last) for w in watchers]
            if any(wishes) and not ended_by:
                ended_by = "observer"
    except KeyboardInterrupt:
        ended_by = "interrupt"  # to be raised again, once what was reached is kept
    result = Result(state, values[1:], ended_by or "max_iter")
    if hasattr(solver, "judged"):
        result = solver.judged(result)
    for watcher in watchers:
        watcher.end(result)
    return result
