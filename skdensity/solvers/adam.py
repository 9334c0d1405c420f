"""Adam: gradient descent with running estimates of the gradient's first two moments.

Kingma and Ba (2015), arXiv:1412.6980. The update, with bias-corrected averages m̂ of
the gradient and v̂ of its square, is θ ← θ − η m̂ / (√v̂ + ε).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from skdensity.rows.rows import Rows
from skdensity.solvers.loop import Solver
from skdensity.solvers.result import Result

# Steps shorter than the last by tens, which show whether a start is an optimum.
N_SHORTER = 10

# Of gradients: its square is far from overflow.
STEEPEST = 1e150


class Loss(Protocol):
    """A function of free parameters, to be minimised."""

    def prepared(self, rows: Rows) -> Any:
        """What the loss is evaluated on for some rows."""

    def ravel(self, model: Any) -> np.ndarray:
        """Free parameters of a model."""

    def unravel(self, parameters: np.ndarray) -> Any:
        """The model that free parameters stand for."""

    def value_and_gradient(
        self, parameters: np.ndarray, prepared: Any
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient."""


@dataclass(frozen=True, eq=False)
class AdamState:
    """Where Adam stands.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
        θ, the free parameters.
    first, second : ndarray of shape (n_parameters,)
        Running averages of the gradient and of its square.
    n_updates : int
        Updates made so far.
    value : float
        The loss before each update of the last epoch, averaged.
    best_parameters : ndarray of shape (n_parameters,)
        θ at the beginning of the epoch of lowest value.
    best_value : float
        That value.
    rate_factor : float
        What the learning rate is multiplied by.
    value_to_beat : float
        The value that the next improvement is measured from.
    n_stale : int
        Epochs since the last improvement.
    """

    parameters: np.ndarray
    first: np.ndarray
    second: np.ndarray
    best_parameters: np.ndarray
    n_updates: int = 0
    value: float = np.inf
    best_value: float = np.inf
    rate_factor: float = 1.0
    value_to_beat: float = np.inf
    n_stale: int = 0


@dataclass(frozen=True, eq=False)
class Adam(Solver):
    """One step is one epoch: an update for every batch.

    Attributes
    ----------
    loss : Loss
        What is minimised.
    rows : Rows
        What it is evaluated on.
    rng : RandomState, optional
        Source of the order of rows in batches; None keeps theirs.
    batch_size : int or None
        Rows of a batch; None is all.
    learning_rate_init, beta_1, beta_2, epsilon : float
        η, the decay rates of the two averages, and ε.
    project : callable
        Maps parameters to the nearest allowed ones after every update.
    tol : float
        What counts as an improvement.
    patience : float
        Epochs without improvement after which the descent goes back to the best
        parameters and continues at a tenth of the learning rate: steps normalised by
        the gradient's size cannot settle, and leave a good start.
    """

    loss: Loss
    rows: Rows
    rng: np.random.RandomState | None = None
    batch_size: int | None = None
    learning_rate_init: float = 0.05
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    project: Callable[[np.ndarray], np.ndarray] = lambda parameters: parameters
    tol: float = 0.0
    patience: float = np.inf

    def init(self, model: Any) -> AdamState:
        """Start from a model, with zero averages."""
        parameters = self.loss.ravel(model)
        zeros = np.zeros_like(parameters)
        return AdamState(parameters, zeros, zeros, best_parameters=parameters)

    def step(self, state: AdamState) -> AdamState:
        """One epoch."""
        moved, total = state, 0.0
        for batch, part in self._batches():
            value, gradient = self._evaluate(moved, batch)
            total += part * value
            moved = self._updated(moved, gradient)
        return self._slowed(moved, total, begin=state.parameters)

    def resume(self, state: AdamState) -> AdamState:
        """Go on from a state whose values may belong to another loss."""
        best = state.parameters
        return replace(
            state,
            best_parameters=best,
            value=np.inf,
            best_value=np.inf,
            value_to_beat=np.inf,
            rate_factor=1.0,
            n_stale=0,
        )

    def finished(self, state: AdamState) -> tuple[Any, float]:
        """The model to return, and the lowest loss observed.

        With a single batch these are the parameters of lowest loss among all visited,
        the last included: steps normalised by the gradient's size leave an optimum
        before they return to it, and a run that stops in between would lose what it
        had. The losses of random batches do not compare; the last parameters stand.
        """
        if self.batch_size is not None:
            return self._last(state), state.value
        value, _ = self._evaluate(state, self._all)
        is_last = value <= state.best_value
        best = state.parameters if is_last else state.best_parameters
        return self.loss.unravel(best), state.best_value

    def judged(self, result: Result) -> Result:
        """The result, no convergence where the descent only ever left its start.

        To find nothing better is right at an optimum. It is none if a short step along
        the gradient improves on it by more than `tol`.
        """
        values = result.values
        if len(values) <= self.patience or min(values[1:]) < values[0] - self.tol:
            return result
        start = replace(result.state, parameters=result.state.best_parameters)
        is_optimum = not self._improves_nearby(start)
        return result if is_optimum else replace(result, ended_by="stalled")

    def _improves_nearby(self, state):
        """Whether one of shorter and shorter steps along the gradient improves."""
        value, gradient = self._evaluate(state, self._all)
        longest = np.abs(gradient).max()
        rate = self.learning_rate_init * state.rate_factor
        for shorter in 0.1 ** np.arange(N_SHORTER) if longest > 0 else ():
            step = -shorter * rate / longest * gradient
            there = self.project(state.parameters + step)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                nearby, _ = self.loss.value_and_gradient(there, self._all)
            if nearby < value - self.tol:
                return True
        return False

    @cached_property
    def _all(self) -> Any:
        return self.loss.prepared(self.rows)

    def _batches(self) -> Iterable[tuple[Any, float]]:
        """The batches of one epoch, each with its part of the weight."""
        if self.batch_size is None or self.batch_size >= self.rows.n_rows:
            return [(self._all, 1.0)]
        cuts = self.rows.batches(self.batch_size, self.rng)
        return ((self.loss.prepared(rows), part) for rows, part in cuts)

    def _slowed(self, state, value, begin):
        """The state after an epoch of some value, back at the best if it is stuck."""
        best, best_value = state.best_parameters, state.best_value
        if value < best_value:
            best, best_value = begin, value
        to_beat, n_stale = state.value_to_beat, state.n_stale + 1
        if value < to_beat - self.tol:
            to_beat, n_stale = value, 0
        state = replace(
            state,
            value=value,
            best_parameters=best,
            best_value=best_value,
            value_to_beat=to_beat,
            n_stale=n_stale,
        )
        return state if n_stale < self.patience else self._restarted(state)

    def _restarted(self, state):
        """At the best parameters so far, and a tenth of the learning rate."""
        zeros = np.zeros_like(state.parameters)
        return replace(
            state,
            parameters=state.best_parameters,
            first=zeros,
            second=zeros,
            n_updates=0,
            n_stale=0,
            rate_factor=state.rate_factor / 10,
        )

    def _evaluate(self, state: AdamState, batch: Any) -> tuple[float, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = self.loss.value_and_gradient(state.parameters, batch)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            raise self._diverged(state, f"the loss is {value}")
        return value, gradient

    def _last(self, state: AdamState) -> Any:
        """The model after the last update, which no evaluation has seen yet."""
        try:
            with np.errstate(over="raise"):
                return self.loss.unravel(state.parameters)
        except FloatingPointError:
            raise self._diverged(state, "a variance is infinite") from None

    def _diverged(self, state: AdamState, how: str) -> ValueError:
        return ValueError(
            f"The descent diverged after {state.n_updates} updates: {how}. Lower "
            f"`learning_rate_init`, which is {self.learning_rate_init:g}, or "
            "standardise the features."
        )

    def _updated(self, state: AdamState, gradient: np.ndarray) -> AdamState:
        n_updates = state.n_updates + 1
        rate = state.rate_factor * self.learning_rate_init
        # The averages start at zero; dividing by 1 − βᵗ removes that bias.
        rate /= 1 - self.beta_1**n_updates
        # Steps do not grow with a slope; squares of steeper ones would overflow.
        if max(gradient.max(), -gradient.min()) > STEEPEST:
            gradient = np.clip(gradient, -STEEPEST, STEEPEST)
        # In place: fresh arrays of many parameters cost more than their arithmetic.
        part = (1 - self.beta_1) * gradient
        first = self.beta_1 * state.first
        first += part
        np.multiply(gradient, gradient, out=part)
        part *= 1 - self.beta_2
        second = self.beta_2 * state.second
        second += part
        np.divide(second, 1 - self.beta_2**n_updates, out=part)
        np.sqrt(part, out=part)
        part += self.epsilon
        np.divide(first, part, out=part)
        part *= -rate
        part += state.parameters
        return replace(
            state,
            parameters=self.project(part),
            first=first,
            second=second,
            n_updates=n_updates,
        )
