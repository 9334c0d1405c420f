"""Adam: gradient descent with running estimates of the gradient's first two moments.

Kingma and Ba (2015), arXiv:1412.6980. The update, with bias-corrected averages m̂ of
the gradient and v̂ of its square, is θ ← θ − η m̂ / (√v̂ + ε).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
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
    pace : float
        What the learning rate is multiplied by.
    mark : float
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
    pace: float = 1.0
    mark: float = np.inf
    n_stale: int = 0


@dataclass(frozen=True)
class Adam:
    """One step is one epoch: an update for every batch.

    Attributes
    ----------
    loss : object with a method ``value_and_gradient(parameters, batch)``
        What is minimised.
    batches : callable
        Returns the batches of one epoch, each with its share of the weight.
    full_batch : object
        The batch of all rows, when it is the only one; None otherwise.
    learning_rate_init, beta_1, beta_2, epsilon : float
        η, the decay rates of the two averages, and ε.
    project : callable
        Maps parameters to the nearest allowed ones after every update.
    tol : float
        What counts as an improvement.
    patience : float
        Epochs without improvement after which the descent goes back to the best
        parameters and continues at a tenth of the pace: steps normalised by the
        gradient's size cannot settle, and leave a good start.
    """

    loss: Any
    batches: Callable[[], Iterable[tuple[Any, float]]]
    full_batch: Any = None
    learning_rate_init: float = 0.05
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    project: Callable[[np.ndarray], np.ndarray] = lambda parameters: parameters
    tol: float = 0.0
    patience: float = np.inf

    def init(self, parameters: np.ndarray) -> AdamState:
        """Start with zero averages."""
        zeros = np.zeros_like(parameters)
        return AdamState(parameters, zeros, zeros, best_parameters=parameters)

    def step(self, state: AdamState) -> AdamState:
        """One epoch."""
        begin, total = state.parameters, 0.0
        for batch, share in self.batches():
            value, gradient = self._evaluate(state, batch)
            total += share * value
            state = self._update(state, gradient)
        if total < state.best_value:
            state = replace(state, best_parameters=begin, best_value=total)
        return self._paced(replace(state, value=total))

    def resume(self, state: AdamState) -> AdamState:
        """Go on from a state whose values may belong to another loss."""
        best = state.parameters
        unknown = {"value": np.inf, "best_value": np.inf, "mark": np.inf}
        return replace(state, best_parameters=best, pace=1.0, n_stale=0, **unknown)

    def finished(self, state: AdamState) -> tuple[np.ndarray, float]:
        """Parameters to return, and the lowest loss observed.

        With a single batch these are the parameters of lowest loss among all visited,
        the last included: steps normalised by the gradient's size leave an optimum
        before they return to it, and a run that stops in between would lose what it
        had. The losses of random batches do not compare; the last parameters stand.
        """
        if self.full_batch is None:
            return state.parameters, state.value
        value, _ = self._evaluate(state, self.full_batch)
        is_last = value <= state.best_value
        return (
            state.parameters if is_last else state.best_parameters,
            state.best_value,
        )

    def _paced(self, state: AdamState) -> AdamState:
        if state.value < state.mark - self.tol:
            return replace(state, mark=state.value, n_stale=0)
        if state.n_stale + 1 < self.patience:
            return replace(state, n_stale=state.n_stale + 1)
        zeros = np.zeros_like(state.parameters)
        return replace(
            state,
            parameters=state.best_parameters,
            first=zeros,
            second=zeros,
            n_updates=0,
            n_stale=0,
            pace=state.pace / 10,
        )

    def _evaluate(self, state: AdamState, batch: Any) -> tuple[float, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = self.loss.value_and_gradient(state.parameters, batch)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            raise ValueError(
                f"The descent diverged after {state.n_updates} updates: the loss is "
                f"{value}. Lower `learning_rate_init`, which is "
                f"{self.learning_rate_init:g}, or standardise the features."
            )
        return value, gradient

    def _update(self, state: AdamState, gradient: np.ndarray) -> AdamState:
        n_updates = state.n_updates + 1
        first = self.beta_1 * state.first + (1 - self.beta_1) * gradient
        second = self.beta_2 * state.second + (1 - self.beta_2) * gradient**2
        # The averages start at zero; dividing by 1 − βᵗ removes that bias.
        scale = np.sqrt(second / (1 - self.beta_2**n_updates)) + self.epsilon
        rate = state.pace * self.learning_rate_init
        move = rate / (1 - self.beta_1**n_updates) * first / scale
        return replace(
            state,
            parameters=self.project(state.parameters - move),
            first=first,
            second=second,
            n_updates=n_updates,
        )


def minibatches(
    sample_weight: np.ndarray, batch_size: int, rng: np.random.RandomState
) -> Iterable[tuple[np.ndarray, float]]:
    """Shuffle the rows and cut them into batches, each with its share of the weight.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.
    batch_size : int
        Rows per batch; the last may hold fewer.
    rng : RandomState
        Source of the order.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
        Indices of the batch.
    share : float
        The batch's weight over the total.
    """
    order = rng.permutation(len(sample_weight))
    total = sample_weight.sum()
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, sample_weight[rows].sum() / total
