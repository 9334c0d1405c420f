r"""Sums of kernels over all pairs, block by block: exact, in any dimension.

Exponents come from one matrix product, :math:`q \cdot x - |q|^2/2 - |x|^2/2`, which
cancels where points reach farther than `MAX_EXTENT` from their mean: such must be cut
into regions before. Kernels are added up as they are: a sum that is so small that terms
may be lost to underflow must be computed in another way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np

from skdensity.models.kernels.statistics import PairStatistic
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace

# Rows of a block: the kernels of two blocks' pairs stay in the processor's cache.
BLOCK = 512  # pragma: no mutate
# Sums below this may lack terms that were lost to underflow.
UNDERFLOW = 1e-280
# Exponents below this are raised to it: what they then add up to is still nothing
# beside UNDERFLOW, and near underflow an exponential takes fifty times as long.
LOWEST = -700.0
# Relative error of a kernel, and the distance from the mean, in bandwidths, at which an
# expanded square loses as many nats.
ROUNDING = 1e-10
MAX_EXTENT = np.sqrt(ROUNDING / np.finfo(np.float64).eps)
# Halvings of h after which the kernel is computed afresh: 4^8 ulp are 1e-11.
CHAIN = 8


@dataclass(frozen=True, eq=False)
class Expansion:
    """Weighted points, laid out for products with queries.

    Attributes
    ----------
    points : ndarray of shape (n_points, n_features)
        Where kernels stand.
    masses : ndarray of shape (n_points,)
        What they are multiplied with.
    bandwidth : float
        Standard deviation h of the kernels, the unit of what follows.
    """

    points: np.ndarray
    masses: np.ndarray
    bandwidth: float

    @cached_property
    def origin(self) -> np.ndarray:
        """The points' mean."""
        return self.points.mean(axis=0)

    @cached_property
    def centred(self) -> np.ndarray:
        """The points relative to the origin."""
        return self.relative(self.points)

    def relative(self, rows: np.ndarray) -> np.ndarray:
        """Rows relative to the origin, in bandwidths."""
        return (rows - self.origin) / self.bandwidth

    @cached_property
    def factor(self) -> np.ndarray:
        """(x, 1, −|x|²/2), a column for every point."""
        n_points, n_features = self.points.shape
        factor = np.empty((n_features + 2, n_points))
        factor[:-2] = self.centred.T
        factor[-2] = 1
        factor[-1] = -0.5 * np.einsum("dn,dn->n", factor[:-2], factor[:-2])
        return factor

    @cached_property
    def norms(self) -> np.ndarray:
        """Distances of the points from the origin."""
        return np.sqrt(-2 * self.factor[-1])

    def columns(self, statistic: PairStatistic) -> np.ndarray:
        """Mass times 1 and times what the statistic needs of every point."""
        columns = statistic.source_columns(self.centred)
        weighted = np.empty((len(columns), 1 + columns.shape[1]))
        weighted[:, 0] = self.masses
        np.multiply(self.masses[:, None], columns, out=weighted[:, 1:])
        return weighted


class Blocks(ABC):
    """Blocks of queries, and for each the blocks of points that it is paired with."""

    @property
    @abstractmethod
    def rows(self) -> list[slice]:
        """Blocks of queries."""

    @abstractmethod
    def near(self, rows: slice) -> Iterator[slice]:
        """Blocks of points that matter to a block of queries.

        Where queries are the points, the block itself comes first, and none before it.
        """


class AllBlocks(Blocks):
    """All pairs of blocks.

    Parameters
    ----------
    n_queries, n_points : int
        How many there are.
    is_symmetric : bool
        Whether queries are the points, and pairs count for both.
    """

    def __init__(self, n_queries: int, n_points: int, is_symmetric: bool) -> None:
        self._n_queries = n_queries
        self._n_points, self._is_symmetric = n_points, is_symmetric

    @property
    def rows(self) -> list[slice]:
        return list(blocks_of(self._n_queries))

    def near(self, rows: slice) -> Iterator[slice]:
        return blocks_of(self._n_points, rows.start if self._is_symmetric else 0)


class Pairs:
    """Exponents −|q − x|²/2 of queries and points, block by block.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        As :meth:`Expansion.relative` gives them.
    points : Expansion
        The points.

    Attributes
    ----------
    factor : ndarray of shape (n_queries, n_features + 2)
        (q, −|q|²/2, 1), a row for every query.
    """

    def __init__(self, queries: np.ndarray, points: Expansion) -> None:
        squares = np.einsum("nd,nd->n", queries, queries)
        self.factor = np.column_stack([queries, -0.5 * squares, np.ones_like(squares)])
        self._norms = np.sqrt(squares)
        self._points = points

    def exponents(
        self, rows: slice, block: slice, scratch: Scratch
    ) -> tuple[np.ndarray, float]:
        """The exponents of some queries and some points, and a bound below them."""
        shape = rows.stop - rows.start, block.stop - block.start
        out = scratch.array("exponents", shape)
        np.matmul(self.factor[rows], self._points.factor[:, block], out=out)
        farthest = self._norms[rows].max() + self._points.norms[block].max()
        lowest = -0.5 * farthest**2
        # Near pairs far from the origin: looking is quicker than raising them all.
        return out, float(lowest if lowest >= LOWEST else out.min())


def dense_sums(
    queries: np.ndarray,
    points: Expansion,
    statistic: PairStatistic,
    workspace: Workspace,
    blocks: Blocks | None = None,
) -> np.ndarray:
    """Sums of kernels, and of kernels times a statistic.

    Time O(n_queries · n_points · n_features), memory of some blocks.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Where to evaluate.
    points : Expansion
        Where the kernels stand; each is 1 at its centre, times its mass.
    statistic : PairStatistic
        What else to multiply them with.
    workspace : Workspace
        Threads and scratch.
    blocks : Blocks, default=None
        The pairs that are added up; None for all.

    Returns
    -------
    sums : ndarray of shape (1 + n_columns, n_queries)
        Zero where the kernels underflow; the rows of the statistic are then undefined.
    """
    queries, columns = points.relative(queries), points.columns(statistic)
    pairs = Pairs(queries, points)
    sums = np.empty((len(queries), columns.shape[1]))
    pairing = blocks or AllBlocks(len(queries), len(columns), is_symmetric=False)

    def term(rows: slice, block: slice) -> np.ndarray:
        with workspace.scratch() as scratch:
            return exponential(*pairs.exponents(rows, block, scratch)) @ columns[block]

    def fill(rows: slice) -> None:
        sums[rows] = sum(map(term, repeat(rows), pairing.near(rows)))

    if blocks is None and len(queries) <= BLOCK:
        # A few queries make up for it by longer blocks of points.
        length = BLOCK * max(1, BLOCK // len(queries))
        everything = slice(0, len(queries))
        long = blocks_of(len(columns), length=length)
        sums[...] = sum(workspace.map(lambda block: term(everything, block), long))
    else:
        workspace.each(fill, pairing.rows)
    return of_statistic(sums, queries, statistic)


def dense_left_out(
    points: Expansion,
    own: np.ndarray,
    bandwidths: Sequence[float],
    statistic: PairStatistic,
    workspace: Workspace,
    blocks: Blocks | None = None,
) -> list[np.ndarray]:
    r"""Sums at locations without their own kernels, for one or more bandwidths.

    When all locations are asked for, every pair is computed once and counts for both.
    The kernel at :math:`h / 2` is the fourth power of that at h: a bandwidth that
    follows one twice as large costs two multiplications a pair, not an exponential.

    Parameters
    ----------
    points : Expansion
        The locations, for the first bandwidth.
    own : ndarray of shape (n_queries,)
        Locations to evaluate at; if all, in ascending order.
    bandwidths : sequence of float
        Decreasing.
    statistic, workspace, blocks
        As in :func:`dense_sums`.

    Returns
    -------
    sums : list of ndarray of shape (1 + n_columns, n_queries)
        As :func:`dense_sums` has them, one for each bandwidth.
    """
    queries, columns = points.centred[own], points.columns(statistic)
    pairs = Pairs(queries, points)
    rates = (bandwidths[0] / np.asarray(bandwidths)) ** 2
    is_symmetric = len(own) == len(columns)
    shape = (len(rates), len(own), columns.shape[1])
    pairing = blocks or AllBlocks(len(own), len(columns), is_symmetric)

    def add(sums: np.ndarray, rows: slice, scratch: Scratch) -> None:
        for block in pairing.near(rows):
            kernels = _chain(pairs, rows, block, rates, scratch)
            for total, kernel in zip(sums, kernels, strict=True):
                leave_out(kernel, own[rows], block)
                total[rows] += kernel @ columns[block]
                if is_symmetric and block.start > rows.start:
                    total[block] += kernel.T @ columns[rows]

    def term(group: list[slice]) -> np.ndarray:
        sums = np.zeros(shape)
        with workspace.scratch() as scratch:
            for rows in group:
                add(sums, rows, scratch)
        return sums

    totals = np.zeros(shape)
    for sums in workspace.map(term, _grouped(pairing.rows)):
        totals += sums
    return [
        of_statistic(sums, queries, statistic, rate)
        for sums, rate in zip(totals, rates, strict=True)
    ]


def blocks_of(n_rows: int, begin: int = 0, length: int = BLOCK) -> Iterator[slice]:
    """Rows from one on, in blocks that are all as long but the last."""
    return (slice(i, min(i + length, n_rows)) for i in range(begin, n_rows, length))


def _grouped(blocks: list[slice]) -> list[list[slice]]:
    """As many blocks together as have the rows of a long one."""
    size = max(1, BLOCK // (blocks[0].stop - blocks[0].start))
    return [blocks[i : i + size] for i in range(0, len(blocks), size)]


def exponential(exponents: np.ndarray, lowest: float) -> np.ndarray:
    """Kernels from exponents, which are overwritten; `lowest` bounds them below."""
    if lowest < LOWEST:
        np.maximum(exponents, LOWEST, out=exponents)
    return np.exp(exponents, out=exponents)


def _chain(pairs, rows, block, rates, scratch):
    """The kernels at every rate, by squaring twice where the bandwidth halves."""
    exponents, lowest = pairs.exponents(rows, block, scratch)
    kernel = scratch.array("kernel", exponents.shape)
    n_halvings = CHAIN
    for g, rate in enumerate(rates):
        is_half = g > 0 and abs(rate / rates[g - 1] - 4) < 1e-12
        n_halvings = n_halvings + 1 if is_half else CHAIN
        if n_halvings < CHAIN:
            np.square(np.square(kernel, out=kernel), out=kernel)
        else:
            exponential(np.multiply(exponents, rate, out=kernel), rate * lowest)
            n_halvings = 0
        yield kernel


def leave_out(kernel: np.ndarray, own: np.ndarray, block: slice) -> None:
    """Set to zero what joins locations with themselves in a block of these."""
    column = own - block.start
    row = np.flatnonzero((column >= 0) & (column < kernel.shape[1]))
    kernel[row, column[row]] = 0


def of_statistic(
    sums: np.ndarray, queries: np.ndarray, statistic: PairStatistic, rate: float = 1.0
) -> np.ndarray:
    """Sums of the statistic from those of the sources' columns, at 1/rate of h²."""
    total = sums[:, :1]
    # Of totals that are zero, which are added up in another way.
    with np.errstate(divide="ignore", invalid="ignore"):
        means = statistic.of_columns(queries, sums[:, 1:] / total)
        return np.hstack([total, total * means * rate ** (statistic.degree / 2)]).T
