"""What the two estimators fitted by Adam share: its parameters, and the solver."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from skdensity.rows.rows import Rows
from skdensity.solvers.adam import Adam, AdamState, Loss
from skdensity.solvers.stopping import StoppingRule, no_improvement

# A tenth of a tenth of the learning rate is the last that a fit tries.
N_RATES = 3

ADAM_CONSTRAINTS: dict = {
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 0, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left"), None],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
}


def adam_for(
    estimator: Any, loss: Loss, rows: Rows, rng: np.random.RandomState, **options: Any
) -> Adam:
    """The solver that an estimator's parameters ask for.

    Parameters
    ----------
    estimator : object
        Has the attributes named in `ADAM_CONSTRAINTS`.
    loss : Loss
        What is minimised.
    rows : Rows
        What it is evaluated on.
    rng : RandomState
        Source of the order of rows.
    **options
        Passed to :class:`~skdensity.solvers.adam.Adam`.

    Returns
    -------
    solver : Adam
        Full-batch when ``batch_size`` is None.
    """
    return Adam(
        loss,
        rows,
        rng,
        estimator.batch_size,
        tol=estimator.tol or 0.0,
        patience=inf if estimator.tol is None else estimator.n_iter_no_change,
        **_steps(estimator),
        **options,
    )


def stream_adam_for(estimator: Any, loss: Loss, rows: Rows, **options: Any) -> Adam:
    """The same for a batch of a stream: an update for all of it, or its own batches.

    It never goes back to earlier parameters: losses of different rows do not compare.
    """
    size = estimator.batch_size or rows.n_rows
    return Adam(loss, rows, batch_size=size, **_steps(estimator), **options)


def _steps(estimator):
    """What the length of steps follows from."""
    return {
        "learning_rate_init": estimator.learning_rate_init,
        "beta_1": estimator.beta_1,
        "beta_2": estimator.beta_2,
        "epsilon": estimator.epsilon,
    }


def stopping_rule_of(estimator: Any) -> StoppingRule:
    """Stop when the third rate does not improve by more than `tol` nats, either."""
    return no_improvement(estimator.tol, N_RATES * estimator.n_iter_no_change)


def stored(state: AdamState) -> dict[str, Any]:
    """A state as plain arrays and numbers, which any format of pickles can trust."""
    return asdict(state)


def restored(stored: dict[str, Any]) -> AdamState:
    """The state that was stored."""
    return AdamState(**stored)


def state_in_stream(solver: Adam, last: dict[str, Any], streamed: bool) -> AdamState:
    """Where a batch finds the descent: after another one, or after `fit`.

    After `fit` the learning rate may be a hundredth, to settle on its rows.
    """
    state = restored(last)
    return state if streamed else solver.resume(state)
