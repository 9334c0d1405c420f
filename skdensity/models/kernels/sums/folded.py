"""Sums over all pairs where kernels are folded back, at bounds or around circles.

Differences are taken feature by feature, so that nothing cancels, and exponents are
those of the nearest image. A sum that is so small that terms may be lost to underflow
must be computed in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from skdensity.models.kernels.product import ProductKernel
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.sums.dense import LOWEST
from skdensity.passes.workspace import Workspace

# Queries and points of a block: its tables stay in the processor's cache.
N_QUERIES, N_POINTS = 64, 512


def folded_sums(
    queries: np.ndarray,
    sources: Sources,
    bandwidth: float,
    statistic: PairStatistic,
    workspace: Workspace,
    own: np.ndarray | None = None,
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
        Threads to use.
    own : ndarray of shape (n_queries,), default=None
        A location that is left out with all its images, for every query.

    Returns
    -------
    sums : ndarray of shape (1 + n_columns, n_queries)
        Too small where the kernels underflow.
    """
    kernel, masses = sources.kernel(bandwidth), sources.masses
    columns, rows = sources.locations.T, queries.T
    sums = np.zeros((1 + statistic.n_columns(len(rows)), len(queries)))
    blocks = list(_blocks(len(masses), N_POINTS))

    def term(some: slice, block: slice) -> np.ndarray:
        pairs = rows[:, some, None], columns[:, None, block]
        without = None if own is None else own[some] - block.start
        return _block_sums(kernel, *pairs, masses[block], statistic, without)

    def fill(some: slice) -> None:
        sums[:, some] = sum(map(term, repeat(some), blocks))

    workspace.each(fill, _blocks(len(queries), N_QUERIES))
    return sums


def _blocks(n_rows: int, length: int) -> Iterator[slice]:
    return (slice(i, min(i + length, n_rows)) for i in range(0, n_rows, length))


def _block_sums(
    kernel: ProductKernel,
    queries: np.ndarray,
    points: np.ndarray,
    masses: np.ndarray,
    statistic: PairStatistic,
    own: np.ndarray | None,
) -> np.ndarray:
    """Sums over some points for some queries, of shape (1 + n_columns, n_queries)."""
    exponents, factors, columns = kernel.pairs(queries, points, statistic)
    kernels = np.exp(np.maximum(exponents, LOWEST)) * factors
    if own is not None:
        (rows,) = np.nonzero((own >= 0) & (own < len(masses)))
        kernels[rows, own[rows]] = 0
    return np.array([kernels @ masses, *((kernels * c) @ masses for c in columns)])
