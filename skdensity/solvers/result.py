"""What a run of an iterative fit ends with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from sklearn.exceptions import ConvergenceWarning

OUTCOMES = {
    "convergence": "converged",
    "observer": "was stopped",
    "interrupt": "was interrupted",
    "stalled": "never improved on its start",
    "max_iter": "did not converge",
}


@dataclass(frozen=True)
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


def warn_unless_converged(result: Result, estimator: str, tol: float | None) -> None:
    """Warn, naming the estimator and the knobs, when a run ended before its time."""
    if result.converged or result.ended_by == "observer":
        return  # an observer knows what it wanted
    n_iter = len(result.values)
    if result.interrupted:
        message = (
            f"{estimator} was interrupted after {n_iter} iterations; the parameters so "
            "far are kept. Set `warm_start=True` to go on from them."
        )
    elif result.ended_by == "stalled":
        message = (
            f"{estimator} never improved on its start in {n_iter} epochs, although it "
            f"is no optimum: the value there is {result.values[0]:.6g} nats per row. "
            "The steps are too long beside the covariances of the start. Start at "
            "covariances nearer to those of the data, lower `learning_rate_init`, or "
            "standardise the features."
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
