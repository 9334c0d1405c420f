"""What is told of a search for a bandwidth while it goes on."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from skdensity.models.kernels.kernels import Kernels

Tried = list[tuple[Kernels, float]]


class Enough(Exception):
    """A watcher wants a search to end here.

    Parameters
    ----------
    tried : list of (Kernels, float)
        What was tried on all rows, with its scores; at least one.
    """

    def __init__(self, tried: Tried) -> None:
        super().__init__(f"{len(tried)} bandwidths are enough")
        self.tried = tried


class SearchWatcher:
    """Hears of what a search tries on all rows; this one ignores it."""

    def begin(self) -> None:
        """One or more bandwidths are about to be tried."""

    def tried(self, kernels: Kernels, score: float) -> None:
        """One of them has been. Raises :class:`Enough` to end the search."""


class Progress:
    """Prints the bandwidths that are tried, with their scores.

    Parameters
    ----------
    verbose : int, default=0
        0 is silent; 1 prints what is tried on all rows, 2 also what is tried on a
        sample of them.
    watcher : SearchWatcher, optional
        Hears of the same, but for the sample.
    """

    def __init__(self, verbose: int = 0, watcher: SearchWatcher | None = None) -> None:
        self.verbose = verbose
        self.watcher = watcher or SearchWatcher()
        self._last = perf_counter()

    def begin(self, is_sample: bool) -> None:
        """One or more bandwidths are about to be tried."""
        if not is_sample:
            self.watcher.begin()

    def tried(
        self, kernels: Kernels, score: float, n_rows: int, is_sample: bool
    ) -> None:
        """Report one of them, in units of the data."""
        if self.verbose > is_sample:
            now = perf_counter()
            bandwidth = np.asarray(kernels.bandwidth)
            shown = np.array2string(bandwidth, precision=5, separator=", ")
            print(
                f"  bandwidth {shown}, score {score:.6f} on {n_rows} rows, "
                f"time {now - self._last:.3f} s"
            )
            self._last = now
        if not is_sample:
            self.watcher.tried(kernels, score)


SILENT = Progress()
