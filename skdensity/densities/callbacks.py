"""A fit as scikit-learn's callbacks see it: a task, with runs and iterations inside.

Callbacks hear of the begin and the end of every task, and may answer an end with the
wish that no more of its siblings follow: after an iteration that ends the run, after a
run the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from skdensity.models.kernels.kernels import Kernels
from skdensity.solvers.bandwidths.progress import Enough, SearchWatcher, Tried
from skdensity.solvers.result import Result
from skdensity.solvers.watchers import Watcher

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9 has no callbacks to set
    CallbackSupportMixin = object


class Task:
    """A task of a fit without callbacks: nobody hears of it."""

    def subtask(self, name: str, max_subtasks: int = 0) -> Task:
        """Begin a part of the task; 0 is for one without parts."""
        return self

    def end(self, store: Callable[[Any], None] = lambda estimator: None) -> bool:
        """End the task; whether its siblings are to stop.

        Parameters
        ----------
        store : callable
            Sets on an estimator what `fit` would set, had it ended here. It is called
            only for a callback that asks for the fitted estimator.
        """
        return False


class WatchedTask(Task):
    """A task that callbacks hear of; it begins when it is made.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The task's place in the tree of tasks.
    shown : dict
        What a callback may look at besides: ``estimator``, ``X``, ``y``, ``metadata``.
    """

    def __init__(self, context: Any, shown: dict) -> None:
        self.context, self.shown = context, shown
        context.call_on_fit_task_begin(**shown)

    def subtask(self, name: str, max_subtasks: int = 0) -> Task:
        """Begin a part of the task, and tell the callbacks."""
        context = self.context.subcontext(name, max_subtasks=max_subtasks)
        return WatchedTask(context, self.shown)

    def end(self, store: Callable[[Any], None] = lambda estimator: None) -> bool:
        """End the task; whether a callback wants its siblings to stop."""

        def attributes():
            fitted = copy(self.shown["estimator"])
            store(fitted)
            return vars(fitted)

        return self.context.call_on_fit_task_end(
            **self.shown, reconstruction_attributes=attributes
        )


class Iterations(Watcher):
    """The iterations of a run, as its subtasks.

    Parameters
    ----------
    run : Task
        The run.
    store : callable
        Sets on an estimator what a result of the loop amounts to.
    """

    def __init__(self, run: Task, store: Callable[[Any, Result], None]) -> None:
        self.run, self.store = run, store

    def begin(self, max_iter: int) -> None:
        """Begin the first iteration, if there is to be one."""
        if max_iter > 0:
            self.task = self.run.subtask("iteration")

    def iteration(self, state: Any, values: list[float], is_last: bool) -> bool:
        """End an iteration, and begin the next; whether the run is to stop."""
        result = Result(state, values[1:])
        is_enough = self.task.end(lambda estimator: self.store(estimator, result))
        if not (is_last or is_enough):
            self.task = self.run.subtask("iteration")
        return is_enough


class Trials(SearchWatcher):
    """What a search tries on all rows, as iterations of the fit.

    Parameters
    ----------
    fit : Task
        The fit.
    store : callable
        Sets on an estimator what a search that has tried so much amounts to.
    """

    def __init__(self, fit: Task, store: Callable[[Any, Tried], None]) -> None:
        self.fit, self.store = fit, store
        self.all: Tried = []
        self._next: Task | None = None

    def begin(self) -> None:
        """Begin an iteration."""
        self._next = self.fit.subtask("iteration")

    def tried(self, kernels: Kernels, score: float) -> None:
        """End it. Of several that were tried at once, the others begin only here."""
        task, self._next = self._next or self.fit.subtask("iteration"), None
        self.all.append((kernels, score))
        tried = list(self.all)
        if task.end(lambda estimator: self.store(estimator, tried)):
            raise Enough(tried)


def fit_task(
    estimator: Any, max_subtasks: int | None, X: Any, y: Any, sample_weight: Any
) -> Task:
    """Begin the task that is the whole fit, with None for who knows how many parts.

    Call it outside `unchanged_on_error`: what scikit-learn notes on the estimator here
    is how it finds the callbacks to tear down after an error.
    """
    if not hasattr(estimator, "_skl_callbacks"):
        return Task()  # a context per iteration would cost, and nobody would look
    context = estimator._init_callback_context(max_subtasks=max_subtasks)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    shown = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    return WatchedTask(context, shown)
