"""The loop that every iterative fit runs in.

A *solver* has ``init(...) -> state`` and ``step(state) -> state``; a *state* is a
frozen record with a ``value``, the objective that its step observed. A *stopping rule*
is a function of the values seen so far.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from skdensity.passes.threads import one_blas_thread

StoppingRule = Callable[[list[float]], bool]


@dataclass(frozen=True)
class Result:
    """What a run of the loop ends with.

    Attributes
    ----------
    state : object
        The solver's last state.
    values : list of float
        The objective that each iteration observed.
    converged : bool
        Whether the stopping rule ended the run.
    stopped : bool
        Whether `observe` did.
    """

    state: Any
    values: list[float]
    converged: bool
    stopped: bool = False


def small_change(tol: float) -> StoppingRule:
    """Stop when the value changes by less than `tol` between two iterations.

    Examples
    --------
    >>> from skdensity.solvers.loop import small_change
    >>> small_change(0.1)([1.0, 2.0]), small_change(0.1)([1.0, 1.05])
    (False, True)
    """
    return lambda values: abs(values[-1] - values[-2]) < tol


def no_improvement(tol: float | None, patience: int) -> StoppingRule:
    """Stop when the last `patience` values fall below the best before by at most `tol`.

    With ``tol=None`` the rule never stops. It must be asked after every value.

    Examples
    --------
    >>> from skdensity.solvers.loop import no_improvement
    >>> rule = no_improvement(0.1, patience=2)
    >>> values = [3.0, 2.0, 1.95, 1.93]
    >>> [rule(values[:n]) for n in (1, 2, 3, 4)]
    [False, False, False, True]
    """

    if tol is None:
        return lambda values: False
    before = float("inf")

    def stop(values: list[float]) -> bool:
        nonlocal before
        if len(values) <= patience:
            return False
        before = min(before, values[-patience - 1])
        return min(values[-patience:]) >= before - tol

    return stop


class Progress:
    """Prints what ``verbose`` asks for: iterations, runs, and at 2 values and times.

    Parameters
    ----------
    verbose : int
        0 is silent.
    interval : int
        Iterations between two lines.
    """

    def __init__(self, verbose: int, interval: int = 10) -> None:
        self.verbose, self.interval = verbose, interval
        self.n_runs = 0

    def begin(self) -> None:
        """Report the start of a run."""
        self.start = self.last = perf_counter()
        if self.verbose:
            print(f"Run {self.n_runs}")
        self.n_runs += 1

    def iteration(self, n_iter: int, values: list[float]) -> None:
        """Report one iteration."""
        if not self.verbose or n_iter % self.interval:
            return
        now = perf_counter()
        change = values[-1] - values[-2]
        detail = f"  change {change:.5g} nats  time {now - self.last:.3f} s"
        print(f"  Iteration {n_iter}{detail if self.verbose > 1 else ''}")
        self.last = now

    def end(self, result: Result) -> None:
        """Report the end of a run."""
        if not self.verbose:
            return
        outcome = "converged" if result.converged else "did not converge"
        detail = f"  time {perf_counter() - self.start:.3f} s"
        if result.values:
            detail = f"  value {result.values[-1]:.5f} nats{detail}"
        print(
            f"Run {outcome} after {len(result.values)} iterations"
            f"{detail if self.verbose > 1 else ''}"
        )


def iterate(
    solver: Any,
    state: Any,
    *,
    max_iter: int,
    stop: StoppingRule,
    progress: Progress,
    announce: Callable[[], None] = lambda: None,
    observe: Callable[[Any], bool] = lambda state: False,
) -> Result:
    """Step from `state` until the rule says stop or `max_iter` steps are done.

    Parameters
    ----------
    solver : object with a method ``step``
        Maps a state to the next one.
    state : object with an attribute ``value``
        Where to start; its value is the one before the first iteration.
    max_iter : int
        Upper bound on the number of steps; 0 returns the start.
    stop : callable
        Called with the values so far, the start's first.
    progress : Progress
        Receives the iterations.
    announce : callable, optional
        Called before every step.
    observe : callable, optional
        Called with the state after every step; returns whether to end the run.

    Returns
    -------
    result : Result
        The last state, the values, and what ended the run.
    """
    progress.begin()
    values, converged, stopped = [float(state.value)], False, False
    with one_blas_thread():
        while not (converged or stopped) and len(values) <= max_iter:
            announce()
            state = solver.step(state)
            values.append(float(state.value))
            stopped = observe(state)
            progress.iteration(len(values) - 1, values)
            converged = bool(stop(values))
    result = Result(state, values[1:], converged, stopped)
    progress.end(result)
    return result


def warn_unless_converged(result: Result, estimator: str, tol: float | None) -> None:
    """Warn, naming the estimator and the knobs, when a run used up its iterations."""
    if result.converged or result.stopped or tol is None or not result.values:
        return
    warnings.warn(
        f"{estimator} used all {len(result.values)} iterations without reaching "
        f"tol={tol:g}; the last value was {result.values[-1]:.6g} nats per row. "
        "Increase `max_iter` or `tol`, or standardise the features.",
        ConvergenceWarning,
        stacklevel=4,  # past this function, `fit` and scikit-learn's wrapper of it
    )
