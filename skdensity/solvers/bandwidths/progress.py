"""What is told of a search for a bandwidth while it goes on."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from skdensity.models.kernels.shapes import Bandwidth


class Progress:
    """Prints the bandwidths that are tried, with their scores.

    Parameters
    ----------
    verbose : int, default=0
        0 is silent; 1 prints what is tried on all rows, 2 also what is tried on a
        sample of them.

    Examples
    --------
    >>> from skdensity.solvers.bandwidths.progress import Progress
    >>> Progress(verbose=1).tried(0.25, -1.5, n_rows=100, is_sample=True)
    """

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose
        self._last = perf_counter()

    def tried(
        self, bandwidth: Bandwidth, score: float, n_rows: int, is_sample: bool
    ) -> None:
        """Report a bandwidth, in units of the data."""
        if self.verbose > is_sample:
            now = perf_counter()
            shown = np.array2string(np.asarray(bandwidth), precision=5, separator=", ")
            print(
                f"  bandwidth {shown}, score {score:.6f} on {n_rows} rows, "
                f"time {now - self._last:.3f} s"
            )
            self._last = now


SILENT = Progress()
