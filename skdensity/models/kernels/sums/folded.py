"""Sums over all pairs where kernels are folded back, at bounds or around circles.

As over lines, but for a factor of every feature that is none. A sum that is so small
that terms may be lost to underflow must be computed in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.sums.dense import (
    Blocks,
    Expansion,
    Pairs,
    blocks_of,
    exponential,
    leave_out,
    of_statistic,
)
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace

# Queries of a block, and pairs. Its tables, one for every factor, stay in the cache and
# on the heap: measured with 1 to 4 folds, those of twice as many pairs took up to five
# times as long a pair, as memory then goes back and forth.
N_QUERIES, N_PAIRS = 64, 2**14  # pragma: no mutate


class FoldedPairs:
    """Kernels of queries and locations, block by block.

    Parameters
    ----------
    queries, sources, bandwidth, statistic
        As in :func:`folded_sums`.
    """

    def __init__(
        self,
        queries: np.ndarray,
        sources: Sources,
        bandwidth: float,
        statistic: PairStatistic,
    ) -> None:
        self.kernel, self.statistic = sources.kernel(bandwidth), statistic
        straight = self.kernel.straight(sources.locations)
        self.points = Expansion(straight, sources.masses, bandwidth)
        self.relative = self.points.relative(self.kernel.straight(queries))
        self._pairs = Pairs(self.relative, self.points)
        self._rows = queries.T[:, :, None]
        self._columns = sources.locations.T[:, None]

    def block(
        self, rows: slice, block: slice, scratch: Scratch
    ) -> tuple[np.ndarray, list]:
        """Kernels of some queries and locations, and what folds add to a statistic."""
        exponents, factors, folds = self.kernel.of_pairs(
            self._rows[:, rows], self._columns[:, :, block], self.statistic
        )
        kernels, lowest = self._pairs.exponents(rows, block, scratch)
        if np.ndim(exponents) or exponents:
            kernels, lowest = np.add(kernels, exponents, out=kernels), -np.inf
        np.multiply(exponential(kernels, lowest), factors, out=kernels)
        return kernels, folds


class EvenBlocks(Blocks):
    """All pairs, in blocks of about as many; few queries make up for it by more points.

    Parameters
    ----------
    n_queries, n_points : int
        How many there are.
    """

    def __init__(self, n_queries: int, n_points: int) -> None:
        self._n_queries, self._n_points = n_queries, n_points
        self._length = N_PAIRS // min(N_QUERIES, n_queries)

    @property
    def rows(self) -> list[slice]:
        length = N_PAIRS // min(self._length, self._n_points)
        return list(blocks_of(self._n_queries, length=length))

    def near(self, rows: slice) -> Iterator[slice]:
        return blocks_of(self._n_points, length=self._length)


def folded_sums(
    queries: np.ndarray,
    sources: Sources,
    bandwidth: float,
    statistic: PairStatistic,
    workspace: Workspace,
    own: np.ndarray | None = None,
    blocks: Blocks | None = None,
) -> np.ndarray:
    """Sums of kernels, and of kernels times a statistic.

    Time O(n_queries · n_locations · n_features), memory of some blocks.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Where to evaluate, in the support.
    sources : Sources
        The kernels; each is 1 at its centre, times its mass, without its images.
    bandwidth : float
        Their standard deviation h.
    statistic : PairStatistic
        What else to multiply them with.
    workspace : Workspace
        Threads and scratch.
    own : ndarray of shape (n_queries,), default=None
        A location that is left out with all its images, for every query.
    blocks : Blocks, default=None
        The pairs that are added up; None for all.

    Returns
    -------
    sums : ndarray of shape (1 + n_columns, n_queries)
        Zero where the kernels underflow; the rows of the statistic are then undefined.
    """
    pairs = FoldedPairs(queries, sources, bandwidth, statistic)
    pairing = blocks or EvenBlocks(len(queries), len(sources.masses))
    masses, columns = sources.masses, pairs.points.columns(statistic)
    sums = np.empty((len(queries), columns.shape[1]))
    more = np.zeros((len(queries), statistic.n_columns(sources.n_features)))

    def add(rows: slice, block: slice) -> np.ndarray:
        with workspace.scratch() as scratch:
            kernels, folds = pairs.block(rows, block, scratch)
            if own is not None:
                leave_out(kernels, own[rows], block)
            for column, fold in enumerate(folds):
                if np.ndim(fold):
                    more[rows, column] += (kernels * fold) @ masses[block]
            return kernels @ columns[block]

    def fill(rows: slice) -> None:
        sums[rows] = sum(map(add, repeat(rows), pairing.near(rows)))

    workspace.each(fill, pairing.rows)
    values = of_statistic(sums, pairs.relative, statistic)
    values[1:] += more.T
    return values
