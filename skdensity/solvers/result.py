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
    ended_by : {"convergence", "observer", "interrupt", "max_iter"}
        The stopping rule, a watcher, the user, or the number of iterations.
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
