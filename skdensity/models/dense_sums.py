r"""Sums of kernels over all pairs, block by block: exact, in any dimension.

Exponents come from one matrix product, :math:`q \cdot x - |q|^2/2 - |x|^2/2`, which
cancels where points reach farther than `MAX_REACH` from their mean: such must be cut
into regions before. Kernels are added up as they are: a sum that is so small that terms
may be lost to underflow must be computed in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from skdensity.models.pair_statistics import PairStatistic
from skdensity.models.sources import Sources
from skdensity.passes.blocks import Scratch, Workspace

# Rows of a block: the kernels of two blocks' pairs stay in the processor's cache.
BLOCK = 512
# Sums below this may lack terms that were lost to underflow.
UNDERFLOW = 1e-280
# Relative error of a kernel, and the distance from the mean, in bandwidths, at which an
# expanded square loses as many nats.
ROUNDING = 1e-10
MAX_REACH = np.sqrt(ROUNDING / np.finfo(np.float64).eps)
# Halvings of h after which the kernel is computed afresh: 4^8 ulp are 1e-11.
CHAIN = 8

# Exponents of the kernels between two slices of rows.
Exponents = Callable[[slice, slice, Scratch], np.ndarray]


def dense_sums(
    queries: np.ndarray,
    points: np.ndarray,
    masses: np.ndarray,
    bandwidth: float,
    statistic: PairStatistic,
    workspace: Workspace,
) -> np.ndarray:
    """Sums of kernels, and of kernels times a statistic.

    Time O(n_queries · n_points · n_features), memory of some blocks.

    Parameters
    ----------
    queries, points : ndarray of shape (n, n_features)
        Where to evaluate, and where the kernels stand.
    masses : ndarray of shape (n_points,)
        What the kernels are multiplied with; each is 1 at its centre.
    bandwidth : float
        Their standard deviation.
    statistic : PairStatistic
        What else to multiply them with.
    workspace : Workspace
        Threads and scratch.

    Returns
    -------
    sums : ndarray of shape (1 + n_columns, n_queries)
        Zero where the kernels underflow; the rows of the statistic are then undefined.
    """
    origin = points.mean(axis=0)
    queries, points = (queries - origin) / bandwidth, (points - origin) / bandwidth
    exponents = _exponents(queries, points)
    columns = _weighted_columns(points, masses, statistic)
    sums = np.empty((len(queries), columns.shape[1]))

    def fill(rows: slice) -> None:
        with workspace.scratch() as scratch:
            sums[rows] = sum(
                _exp(exponents(rows, block, scratch)) @ columns[block]
                for block in _blocks(len(points))
            )

    workspace.each(fill, list(_blocks(len(queries))))
    return _of_statistic(sums, queries, statistic)


def dense_left_out(
    sources: Sources,
    own: np.ndarray,
    bandwidths: Sequence[float],
    statistic: PairStatistic,
    workspace: Workspace,
) -> list[np.ndarray]:
    r"""Sums at locations without their own kernels, for one or more bandwidths.

    When all locations are asked for, every pair is computed once and counts for both.
    The kernel at :math:`h / 2` is the fourth power of that at h: a bandwidth that
    follows one twice as large costs two multiplications a pair, not an exponential.

    Parameters
    ----------
    sources : Sources
        The kernels.
    own : ndarray of shape (n_queries,)
        Locations to evaluate at, in ascending order.
    bandwidths : sequence of float
        Decreasing.
    statistic, workspace
        As in :func:`dense_sums`.

    Returns
    -------
    sums : list of ndarray of shape (1 + n_columns, n_queries)
        As :func:`dense_sums` has them, one for each bandwidth.
    """
    largest, n_locations = bandwidths[0], len(sources.masses)
    points = (sources.points - sources.points.mean(axis=0)) / largest
    queries = points[own]
    rates = (largest / np.asarray(bandwidths)) ** 2
    exponents = _exponents(queries, points)
    columns = _weighted_columns(points, sources.all_masses, statistic)
    is_symmetric = len(own) == len(points)
    shape = (len(rates), len(own), columns.shape[1])

    def term(rows: slice) -> np.ndarray:
        sums = np.zeros(shape)
        with workspace.scratch() as scratch:
            begin = rows.start if is_symmetric else 0
            for block in _blocks(len(points), begin):
                kernels = _chain(exponents(rows, block, scratch), rates, scratch)
                for total, kernel in zip(sums, kernels, strict=True):
                    _leave_out(kernel, own[rows], block, n_locations)
                    total[rows] += kernel @ columns[block]
                    if is_symmetric and block.start > rows.start:
                        total[block] += kernel.T @ columns[rows]
        return sums

    totals = np.zeros(shape)
    for sums in workspace.map(term, _blocks(len(own))):
        totals += sums
    return [
        _of_statistic(sums, queries, statistic, rate)
        for sums, rate in zip(totals, rates, strict=True)
    ]


def _blocks(n_rows: int, begin: int = 0) -> Iterator[slice]:
    return (slice(i, min(i + BLOCK, n_rows)) for i in range(begin, n_rows, BLOCK))


def _weighted_columns(points, masses, statistic):
    """Mass times 1 and times the columns that the statistic needs of every point."""
    columns = [np.ones((len(points), 1)), statistic.source_columns(points)]
    return masses[:, None] * np.hstack(columns)


def _exp(exponents):
    return np.exp(exponents, out=exponents)


def _exponents(queries: np.ndarray, points: np.ndarray) -> Exponents:
    """−|q − x|²/2 as one product, (q, −|q|²/2, 1) · (x, 1, −|x|²/2)."""
    norms = [np.einsum("nd,nd->n", rows, rows) for rows in (queries, points)]
    one = [np.ones_like(norm) for norm in norms]
    left = np.column_stack([queries, -0.5 * norms[0], one[0]])
    right = np.column_stack([points, one[1], -0.5 * norms[1]])

    def exponents(rows: slice, block: slice, scratch: Scratch) -> np.ndarray:
        out = scratch.array("exponents", (_length(rows), _length(block)))
        return np.matmul(left[rows], right[block].T, out=out)

    return exponents


def _length(rows: slice) -> int:
    return rows.stop - rows.start


def _chain(exponents, rates, scratch):
    """The kernels at every rate, by squaring twice where the bandwidth halves."""
    kernel = scratch.array("kernel", exponents.shape)
    n_halvings = CHAIN
    for g, rate in enumerate(rates):
        is_half = g > 0 and abs(rate / rates[g - 1] - 4) < 1e-12
        n_halvings = n_halvings + 1 if is_half else CHAIN
        if n_halvings < CHAIN:
            np.square(np.square(kernel, out=kernel), out=kernel)
        else:
            np.exp(np.multiply(exponents, rate, out=kernel), out=kernel)
            n_halvings = 0
        yield kernel


def _leave_out(kernel, own, block, n_locations):
    """Set to zero what joins locations with their own points in a block."""
    for copy in range(block.start // n_locations, (block.stop - 1) // n_locations + 1):
        column = own + copy * n_locations - block.start
        row = np.flatnonzero((column >= 0) & (column < kernel.shape[1]))
        kernel[row, column[row]] = 0


def _of_statistic(sums, queries, statistic, rate=1.0):
    """Sums of the statistic from those of the sources' columns, at 1/rate of h²."""
    total = sums[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = statistic.of_columns(queries, sums[:, 1:] / total)
    return np.hstack([total, total * means * rate ** (statistic.degree / 2)]).T
