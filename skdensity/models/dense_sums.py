r"""Sums of kernels over all pairs, block by block: exact, in any dimension.

Exponents come from one matrix product, :math:`q \cdot x - |q|^2/2 - |x|^2/2`, where the
points do not reach so far from their mean that the square cancels, and from differences
of coordinates elsewhere. Kernels are added up as they are: a sum that is so small that
terms may be lost to underflow must be computed in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.pair_statistics import PairStatistic
from skdensity.models.sources import Sources
from skdensity.passes.blocks import Scratch, Workspace

# Rows of a block: the kernels of two blocks' pairs stay in the processor's cache.
BLOCK = 512
# Sums below this may lack terms that were lost to underflow.
UNDERFLOW = 1e-280
# Rounding of an expanded square that is allowed, in nats.
ROUNDING = 1e-10
# Squarings after which the kernel is computed afresh: 2^16 ulp are 1e-11.
CHAIN = 16

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
    exponents = _exponents(queries, points, smallest=1.0)
    columns = _weighted_columns(points, masses, statistic)
    sums = np.empty((len(queries), columns.shape[1]))

    def fill(rows: slice) -> None:
        with workspace.scratch() as scratch:
            sums[rows] = sum(
                _exp(exponents(rows, block, scratch)) @ columns[block]
                for block in _blocks(len(points))
            )

    for _ in workspace.map(fill, _blocks(len(queries))):
        pass
    return _of_statistic(sums, queries, statistic)


def dense_left_out(
    sources: Sources,
    bandwidths: Sequence[float],
    statistic: PairStatistic,
    workspace: Workspace,
) -> list[np.ndarray]:
    r"""Sums at every location without its own kernels, for one or more bandwidths.

    Every pair is computed once and counts for both of its locations. The kernel at
    :math:`h / \sqrt{2}` is the square of that at h: a bandwidth that follows one
    :math:`\sqrt{2}` larger costs a multiplication for each pair, not an exponential.

    Parameters
    ----------
    sources : Sources
        The kernels.
    bandwidths : sequence of float
        Decreasing.
    statistic, workspace
        As in :func:`dense_sums`.

    Returns
    -------
    sums : list of ndarray of shape (1 + n_columns, n_locations)
        As :func:`dense_sums` has them, one for each bandwidth.
    """
    largest, n_locations = bandwidths[0], len(sources.masses)
    points = (sources.points - sources.points.mean(axis=0)) / largest
    locations = points[:n_locations]
    rates = (largest / np.asarray(bandwidths)) ** 2
    exponents = _exponents(locations, points, smallest=bandwidths[-1] / largest)
    columns = _weighted_columns(points, sources.all_masses, statistic)
    is_symmetric = sources.n_copies == 1
    shape = (len(rates), n_locations, columns.shape[1])

    def term(rows: slice) -> np.ndarray:
        sums = np.zeros(shape)
        with workspace.scratch() as scratch:
            begin = rows.start if is_symmetric else 0
            for block in _blocks(len(points), begin):
                kernels = _chain(exponents(rows, block, scratch), rates, scratch)
                for total, kernel in zip(sums, kernels, strict=True):
                    _leave_out(kernel, rows, block, n_locations)
                    total[rows] += kernel @ columns[block]
                    if is_symmetric and block.start > rows.start:
                        total[block] += kernel.T @ columns[rows]
        return sums

    totals = np.zeros(shape)
    for sums in workspace.map(term, _blocks(n_locations)):
        totals += sums
    return [
        _of_statistic(sums, locations, statistic, rate)
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


def _exponents(queries: np.ndarray, points: np.ndarray, smallest: float) -> Exponents:
    """−|q − x|²/2, by the fastest way that keeps its digits down to a bandwidth."""
    norms = [np.einsum("nd,nd->n", rows, rows) for rows in (queries, points)]
    reach = max(norm.max() for norm in norms) / smallest**2
    if not reach * np.finfo(np.float64).eps < ROUNDING:
        return _direct(queries, points)
    # One product: (q, −|q|²/2, 1) · (x, 1, −|x|²/2).
    one = [np.ones_like(norm) for norm in norms]
    left = np.column_stack([queries, -0.5 * norms[0], one[0]])
    right = np.column_stack([points, one[1], -0.5 * norms[1]])

    def expanded(rows: slice, block: slice, scratch: Scratch) -> np.ndarray:
        out = scratch.array("exponents", (_length(rows), _length(block)))
        return np.matmul(left[rows], right[block].T, out=out)

    return expanded


def _direct(queries, points):
    def direct(rows: slice, block: slice, scratch: Scratch) -> np.ndarray:
        out = scratch.array("exponents", (_length(rows), _length(block)))
        cdist(queries[rows], points[block], "sqeuclidean", out=out)
        out *= -0.5
        return out

    return direct


def _length(rows: slice) -> int:
    return rows.stop - rows.start


def _chain(exponents, rates, scratch):
    """The kernels at every rate, by squaring where the rate doubles."""
    kernel = scratch.array("kernel", exponents.shape)
    n_squarings = CHAIN
    for g, rate in enumerate(rates):
        doubles = g > 0 and abs(rate / rates[g - 1] - 2) < 1e-12
        n_squarings = n_squarings + 1 if doubles else CHAIN
        if n_squarings < CHAIN:
            np.square(kernel, out=kernel)
        else:
            np.exp(np.multiply(exponents, rate, out=kernel), out=kernel)
            n_squarings = 0
        yield kernel


def _leave_out(kernel, rows, block, n_locations):
    """Set to zero what joins a location with its own points."""
    own = np.arange(rows.start, rows.stop)
    first = own + n_locations * ((block.start - own + n_locations - 1) // n_locations)
    inside = first < block.stop
    kernel[own[inside] - rows.start, first[inside] - block.start] = 0


def _of_statistic(sums, queries, statistic, rate=1.0):
    """Sums of the statistic from those of the sources' columns, at 1/rate of h²."""
    total = sums[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = statistic.of_columns(queries, sums[:, 1:] / total)
    return np.hstack([total, total * means * rate ** (statistic.degree / 2)]).T
