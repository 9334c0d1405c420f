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

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdensity.passes.threads import one_blas_thread

StoppingRule = Callable[[list[float]], bool]

# Steps below this share of the tolerance are a plateau.
PLATEAU = 0.01

# Steps below this share of the value are rounding errors of its sum over rows.
ROUNDING = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Result:
    """What a run of the loop ends with.

    Attributes
    ----------
    state : object
        The solver's last state.
    values : list of float
        The objective that each iteration observed.
    ended_by : {"convergence", "observer", "interrupt", "max_iter"}
        The stopping rule, the observer, the user, or the number of iterations.
    """

    state: Any
    values: list[float]
    ended_by: str = "max_iter"

    @property
    def converged(self) -> bool:
        """Whether the stopping rule ended the run."""
        return self.ended_by == "convergence"


def small_gain_ahead(tol: float) -> StoppingRule:
    r"""Stop when the value can be expected to rise by less than `tol` from here on.

    A small step is no sign of an optimum: EM's steps shrink by a constant factor
    :math:`\rho`, which is close to 1 where components overlap, and what is still to
    come is :math:`\delta (\rho + \rho^2 + \dots) = \delta \rho / (1 - \rho)` (Aitken's
    extrapolation; Böhning et al. 1994, doi:10.1007/BF01720593). The factor is the
    largest of the last three, so that steps that grow are not an end. On a plateau,
    where a step is less than a hundredth of `tol`, no patience would be enough; there,
    and with less than five values, the last step decides.

    Examples
    --------
    >>> from skdensity.solvers.loop import small_gain_ahead
    >>> values = [10 - 0.9**n for n in range(100)]
    >>> rule = small_gain_ahead(0.01)
    >>> n = next(n for n in range(5, 100) if rule(values[:n]))
    >>> 10 - values[n - 1] < 0.01
    True
    """

    def stop(values: list[float]) -> bool:
        with np.errstate(invalid="ignore"):  # −inf while no component reaches the rows
            steps = np.diff(values[-5:])
        step = steps[-1]
        if tol == 0:
            return False
        if step < PLATEAU * tol:  # regularisation may even lower the likelihood
            return bool(step > -tol)
        if len(steps) < 4 or not np.all(np.isfinite(steps)):
            return bool(step < tol)
        with np.errstate(divide="ignore"):
            factor = np.max(np.abs(steps[1:] / steps[:-1]))
        return bool(factor < 1 and step * factor / (1 - factor) < tol / 2)

    return stop


def small_recent_gain(tol: float, window: int = 10) -> StoppingRule:
    """Stop when the value moved by less than `tol` over the last steps.

    For steps of irregular size, of which one or two small ones mean nothing.

    Examples
    --------
    >>> from skdensity.solvers.loop import small_recent_gain
    >>> rule = small_recent_gain(0.1, window=2)
    >>> rule([1.0, 2.0, 2.0]), rule([2.0, 2.0, 2.05])
    (False, True)
    """

    def stop(values: list[float]) -> bool:
        return len(values) > window and bool(np.ptp(values[-window - 1 :]) < tol)

    return stop


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


OUTCOMES = {
    "convergence": "converged",
    "observer": "was stopped",
    "interrupt": "was interrupted",
    "max_iter": "did not converge",
}


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
        outcome = OUTCOMES[result.ended_by]
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
    values, ended_by = [float(state.value)], "max_iter"
    try:
        with one_blas_thread():
            while ended_by == "max_iter" and len(values) <= max_iter:
                announce()
                state = solver.step(state)
                values.append(float(state.value))
                progress.iteration(len(values) - 1, values)
                if observe(state):
                    ended_by = "observer"
                if stop(values):
                    ended_by = "convergence"
    except KeyboardInterrupt:
        ended_by = "interrupt"  # what has been reached is worth keeping
    result = Result(state, values[1:], ended_by)
    progress.end(result)
    return result


def warn_unless_converged(result: Result, estimator: str, tol: float | None) -> None:
    """Warn, naming the estimator and the knobs, when a run ended before its time."""
    if result.converged or result.ended_by == "observer":
        return  # an observer knows what it wanted
    n_iter = len(result.values)
    if result.ended_by == "interrupt":
        message = (
            f"{estimator} was interrupted after {n_iter} iterations; the parameters so "
            "far are kept. Set `warm_start=True` to go on from them."
        )
    elif tol is None or n_iter == 0:
        return
    else:
        message = (
            f"{estimator} used all {n_iter} iterations without reaching tol={tol:g}; "
            f"the last value was {result.values[-1]:.6g} nats per row. Increase "
            "`max_iter` or `tol`, or standardise the features."
        )
    # Past this function, `fit` and scikit-learn's wrapper of it.
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
