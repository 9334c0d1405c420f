"""What hears of a run while it goes on."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from skdensity.solvers.result import OUTCOMES, Result


class Watcher:
    """Hears of the begin, the iterations and the end of runs; this one ignores them.

    A run that the user interrupts has an end, but maybe not of its last iteration.
    """

    def begin(self, max_iter: int) -> None:
        """A run begins."""

    def iteration(self, state: Any, values: list[float], is_last: bool) -> bool:
        """An iteration is done; whether the run is to end here.

        Parameters
        ----------
        state : object
            Where the solver stands.
        values : list of float
            Of all states so far, the start's first.
        is_last : bool
            Whether the run ends here in any case.
        """
        return False

    def end(self, result: Result) -> None:
        """A run ends."""


class Progress(Watcher):
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

    def begin(self, max_iter: int) -> None:
        """Report the start of a run."""
        self.start = self.last = perf_counter()
        if self.verbose:
            print(f"Run {self.n_runs}")
        self.n_runs += 1

    def iteration(self, state: Any, values: list[float], is_last: bool) -> bool:
        """Report one iteration."""
        n_iter = len(values) - 1
        if self.verbose and n_iter % self.interval == 0:
            now = perf_counter()
            change = values[-1] - values[-2]
            detail = f"  change {change:.5g} nats  time {now - self.last:.3f} s"
            print(f"  Iteration {n_iter}{detail if self.verbose > 1 else ''}")
            self.last = now
        return False

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
