"""The loop that every iterative fit runs in.

A *solver* maps states to states; a *state* is a frozen record with a ``value``, the
objective that its step observed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from skdensity.solvers.result import Result
from skdensity.solvers.stopping import StoppingRule
from skdensity.solvers.watchers import Watcher


class Solver(ABC):
    """How parameters are found."""

    @abstractmethod
    def init(self, model: Any) -> Any:
        """The state to start from."""

    @abstractmethod
    def step(self, state: Any) -> Any:
        """One iteration."""

    @abstractmethod
    def finished(self, state: Any) -> tuple[Any, float]:
        """The model that a last state stands for, and the objective there."""

    def may_end(self, state: Any) -> bool:
        """Whether the values tell how far a run has come, so that it may end here.

        A solver with steps of several kinds says no after those that the stopping rule
        is not made for.
        """
        return True

    def judged(self, result: Result) -> Result:
        """The result, put right where the stopping rule can be wrong about it.

        It is not asked about a run that the user interrupted.
        """
        return result


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
    # One name for both: an interrupt between two would leave one behind.
    reached = state, len(values)
    try:
        for watcher in watchers:
            watcher.begin(max_iter)
        while not ended_by and len(values) <= max_iter:
            state = solver.step(state)
            values.append(float(state.value))
            reached = state, len(values)
            # The rule is asked after every value, whatever the solver says.
            has_converged = stop(values) and solver.may_end(state)
            ended_by = "convergence" if has_converged else ""
            is_last = bool(ended_by) or len(values) > max_iter
            # All of them hear of it, whatever the first one wants.
            wishes = [w.iteration(state, values, is_last) for w in watchers]
            if any(wishes) and not ended_by:
                ended_by = "observer"
    except KeyboardInterrupt:
        ended_by = "interrupt"  # to be raised again, once what was reached is kept
    state, n_values = reached
    result = Result(state, values[1:n_values], ended_by or "max_iter")
    if not result.interrupted:  # or the interrupt would not go on
        result = solver.judged(result)
    for watcher in watchers:
        watcher.end(result)
    return result
