"""What a run of an iterative fit ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from skdensity.callers import warn_caller

OUTCOMES = {
    "convergence": "converged",
    "observer": "was stopped",
    "interrupt": "was interrupted",
    "stalled": "never improved on its start",
    "max_iter": "did not converge",
}


@dataclass(frozen=True, eq=False)
class Result:
    """What a run of the loop ends with.

    Attributes
    ----------
    state : object
        The solver's last state.
    values : list of float
        The objective that each iteration observed.
    ended_by : {"convergence", "observer", "interrupt", "stalled", "max_iter"}
        The stopping rule, a watcher, the user, steps that led nowhere, or the number of
        iterations.
    """

    state: Any
    values: list[float]
    ended_by: str = "max_iter"

    @property
    def converged(self) -> bool:
        """Whether the stopping rule ended the run."""
        return self.ended_by == "convergence"

    @property
    def interrupted(self) -> bool:
        """Whether the user ended the run."""
        return self.ended_by == "interrupt"


def unless_interrupted(result: Result, estimator: str) -> None:
    """Go on with the user's interrupt, now that what was reached is stored.

    A fit that swallowed it would let the loop or the search around it go on.
    """
    if result.interrupted:
        raise KeyboardInterrupt(
            f"{estimator} was interrupted after {len(result.values)} iterations; the "
            "parameters so far are kept. Set `warm_start=True` to go on from them."
        )


def warn_unless_converged(result: Result, estimator: str, tol: float | None) -> None:
    """Warn, naming the estimator and the knobs, when a run ended before its time.

    The values of `result` are mean log-likelihoods.
    """
    if result.ended_by == "stalled":
        message = _stalled(result)
    elif result.ended_by == "max_iter" and tol is not None and result.values:
        message = _cut_off(result, tol)
    else:
        return  # an observer knows what it wanted
    warn_caller(f"{estimator} {message}", ConvergenceWarning)


def _stalled(result):
    return (
        f"never improved on its start in {len(result.values)} epochs, although it is "
        f"no optimum: the log-likelihood there is {result.values[0]:.6g} nats per row. "
        "The steps are too long beside the covariances of the start. Start at "
        "covariances nearer to those of the data, lower `learning_rate_init`, or "
        "standardise the features."
    )


def _cut_off(result, tol):
    return (
        f"used all {len(result.values)} iterations without reaching tol={tol:g}; the "
        f"last log-likelihood was {result.values[-1]:.6g} nats per row. Increase "
        "`max_iter` or `tol`, or standardise the features."
    )
