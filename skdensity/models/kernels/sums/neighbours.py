"""Sums of kernels in log space, one query at a time, over its neighbours.

The slow way that is right everywhere: differences of coordinates, terms relative to the
largest, and of the sources only those that matter.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.passes.blocks import uneven_blocks
from skdensity.passes.workspace import Workspace

# Pairs of a query and a source that are held at a time, times features.
MAX_PAIRS = 2**20  # pragma: no mutate
# From this share of all sources on, looking for neighbours costs more than it saves.
FEW = 1 / 16  # pragma: no mutate
# Coordinates from which on squares may overflow.
LARGEST = 1e150
# What the sources that are left out may add to a sum.
TRUNCATION = 1e-14
# What radii are widened by: the tree's own distances are rounded several times, and one
# that is far away would find nobody, not even the nearest.
WIDER = 1 + 1e-12


def neighbour_sums(
    queries: np.ndarray,
    sources: Sources,
    bandwidth: float,
    statistic: PairStatistic,
    workspace: Workspace,
    own: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Log of the sum of kernels at every query, and the means of a statistic.

    Sources farther than r with ``exp(−r²/2h²) = TRUNCATION · exp(−s²/2h²) m / c``,
    where s is the distance of the nearest source, m its mass, and c what all images of
    a source can be, relative to the nearest, are left out: together they add at most
    `TRUNCATION` of the sum.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Where to evaluate.
    sources : Sources
        The kernels; each is 1 at its centre, times its mass.
    bandwidth : float
        Their standard deviation h.
    statistic : PairStatistic
        What to average.
    workspace : Workspace
        Threads to use.
    own : ndarray of shape (n_queries,), default=None
        A location that is left out, for every query.

    Returns
    -------
    log_sums : ndarray of shape (n_queries,)
        In nats.
    means : ndarray of shape (n_queries, n_columns)
        Of the statistic.
    """
    log_sums = np.full(len(queries), -np.inf)
    means = np.full((len(queries), statistic.n_columns(queries.shape[1])), np.nan)
    # No kernel reaches a query whose distance has no square.
    within = np.flatnonzero(np.abs(queries).max(axis=1) < LARGEST)
    own = None if own is None else own[within]
    log_sums[within], means[within] = _of_neighbours(
        queries[within], sources, bandwidth, statistic, workspace, own
    )
    return log_sums, means


def _of_neighbours(queries, sources, bandwidth, statistic, workspace, own):
    radii = _radii(queries, sources, bandwidth, workspace, own)
    find = partial(sources.tree.query_ball_point, return_sorted=False)
    centres, n_locations = sources.in_tree(queries), len(sources.masses)
    n_threads = workspace.n_threads_for_rows(len(queries))
    counts = find(centres, radii, return_length=True, workers=n_threads)
    is_few = counts < FEW * n_locations
    sizes = np.where(is_few, counts, n_locations)
    log_sums = np.empty(len(queries))
    means = np.empty((len(queries), statistic.n_columns(queries.shape[1])))

    def fill(rows: np.ndarray) -> None:
        if is_few[rows[0]]:
            near = np.concatenate(find(centres[rows], radii[rows])).astype(np.intp)
        else:
            near = np.tile(np.arange(n_locations), len(rows))
        log_sums[rows], means[rows] = _pair_sums(
            queries[rows],
            near,
            np.cumsum(sizes[rows]),
            sources,
            bandwidth,
            statistic,
            None if own is None else own[rows],
        )

    for kind in (True, False):
        rows = np.flatnonzero(is_few == kind)
        cuts = uneven_blocks(sizes[rows], MAX_PAIRS // queries.shape[1])
        workspace.each(fill, [rows[cut] for cut in cuts])
    return log_sums, means


def _radii(queries, sources, bandwidth, workspace, own):
    """How far sources must be looked for."""
    # At least one of two is not the query's own.
    n_nearest = 1 if own is None else min(2, len(sources.masses))
    distances, near = sources.tree.query(
        sources.in_tree(queries),
        [*range(1, n_nearest + 1)],
        workers=workspace.n_threads_for_rows(len(queries)),
    )
    order = np.zeros(len(queries), dtype=np.intp)
    if own is not None:
        order = np.argmax(near != own[:, None], axis=1)
    pick = np.arange(len(queries)), order
    log_masses = sources.log_masses[near[pick]]
    log_most = sources.kernel(bandwidth).log_most
    beyond = 2 * (log_most - np.log(TRUNCATION) - log_masses)
    # Relative to h no square overflows before the kernel does.
    return WIDER * bandwidth * np.sqrt((distances[pick] / bandwidth) ** 2 + beyond)


def _pair_sums(queries, near, ends, sources, bandwidth, statistic, own):
    """Log sums and means over ragged groups of sources, which end at `ends`."""
    begins = np.concatenate([[0], ends[:-1]])
    group = np.repeat(np.arange(len(queries)), ends - begins)
    terms, columns = sources.kernel(bandwidth).log_of_rows(
        queries[group], sources.locations[near], statistic
    )
    terms += sources.log_masses[near]
    if own is not None:
        terms[near == own[group]] = -np.inf
    # −inf − −inf would be NaN.
    peak = np.maximum(np.maximum.reduceat(terms, begins), np.finfo(np.float64).min)
    kernels = np.exp(terms - peak[group])
    total = np.add.reduceat(kernels, begins)
    columns *= kernels[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # no kernel reaches that far
        means = np.add.reduceat(columns, begins, axis=0) / total[:, None]
        return peak + np.log(total), means
