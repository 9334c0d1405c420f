"""Sums of kernels in log space, one query at a time, over its neighbours.

The slow way that is right everywhere: differences of coordinates, terms relative to the
largest, and of the sources only those that matter.
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from skdensity.models.pair_statistics import PairStatistic
from skdensity.models.sources import Sources
from skdensity.passes.blocks import Workspace

# Pairs of a query and a source that are held at a time, times features.
MAX_PAIRS = 2**20
# From this share of all sources on, looking for neighbours costs more than it saves.
FEW = 1 / 16
# What the sources that are left out may add to a sum.
TRUNCATION = 1e-14


def neighbour_sums(
    queries: np.ndarray,
    sources: Sources,
    bandwidth: float,
    statistic: PairStatistic,
    own: np.ndarray | None = None,
    workspace: Workspace | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Log of the sum of kernels at every query, and the means of a statistic.

    Sources farther than r with ``exp(−r²/2h²) = TRUNCATION · exp(−s²/2h²) m``, where s
    is the distance of the nearest source and m its mass, are left out: together they
    add at most `TRUNCATION` of the sum.

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
    own : ndarray of shape (n_queries,), default=None
        A location whose points are left out, for every query.
    workspace : Workspace, optional
        Threads to use.

    Returns
    -------
    log_sums : ndarray of shape (n_queries,)
        In nats.
    means : ndarray of shape (n_queries, n_columns)
        Of the statistic.
    """
    workspace = workspace or Workspace()
    radii = _radii(queries, sources, bandwidth, own, workspace)
    find = sources.tree.query_ball_point
    counts = find(queries, radii, return_length=True, workers=workspace.n_threads)
    is_few = counts < FEW * len(sources.points)
    everything = np.arange(len(sources.points))
    n_pairs = MAX_PAIRS // queries.shape[1]

    def task(rows: np.ndarray):
        if is_few[rows[0]]:
            found = find(queries[rows], radii[rows])
            near = np.fromiter(chain.from_iterable(found), dtype=np.intp)
            ends = np.cumsum([len(indices) for indices in found])
        else:
            near = np.tile(everything, len(rows))
            ends = np.arange(1, len(rows) + 1) * len(everything)
        left_out = None if own is None else own[rows]
        return rows, *_pair_sums(
            queries[rows], near, ends, sources, bandwidth, statistic, left_out
        )

    sizes = np.where(is_few, counts, len(everything))
    log_sums, means = np.empty(len(queries)), None
    for rows, values, columns in workspace.map(task, _cut(is_few, sizes, n_pairs)):
        if means is None:
            means = np.empty((len(queries), columns.shape[1]))
        log_sums[rows], means[rows] = values, columns
    return log_sums, means


def _radii(queries, sources, bandwidth, own, workspace):
    """How far sources must be looked for."""
    n_nearest = 1 if own is None else 1 + sources.n_copies
    n_nearest = min(n_nearest, len(sources.points))
    ask = sources.tree.query
    distances, near = ask(queries, n_nearest, workers=workspace.n_threads)
    distances = distances.reshape(len(queries), -1)
    near = near.reshape(distances.shape)
    if own is None:
        pick = np.zeros(len(queries), dtype=np.intp)
    else:  # the nearest that is not left out; at least one of the nearest is not
        pick = np.argmax(near % len(sources.masses) != own[:, None], axis=1)
    rows = np.arange(len(queries))
    log_mass = np.log(sources.all_masses[near[rows, pick]])
    reach = 2 * (np.log(sources.n_copies / TRUNCATION) - log_mass)
    # Relative to h no square overflows before the kernel does.
    return bandwidth * np.sqrt((distances[rows, pick] / bandwidth) ** 2 + reach)


def _cut(is_few, sizes, n_pairs):
    """Groups of queries of one kind with at most `n_pairs` pairs, or of one query."""
    for kind in (True, False):
        rows = np.flatnonzero(is_few == kind)
        group = np.cumsum(sizes[rows]) // n_pairs
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        yield from (part for part in np.split(rows, starts[1:]) if len(part))


def _pair_sums(queries, near, ends, sources, bandwidth, statistic, own):
    """Log sums and means over ragged groups of sources, which end at `ends`."""
    begins = np.concatenate([[0], ends[:-1]])
    group = np.repeat(np.arange(len(queries)), ends - begins)
    delta = (sources.points[near] - queries[group]) / bandwidth
    terms = np.einsum("nd,nd->n", delta, delta)
    terms *= -0.5
    terms += np.log(sources.all_masses)[near]
    if own is not None:
        terms[near % len(sources.masses) == own[group]] = -np.inf
    peak = np.maximum.reduceat(terms, begins)
    shares = np.exp(terms - peak[group])
    total = np.add.reduceat(shares, begins)
    columns = statistic.of_differences(delta) * shares[:, None]
    means = np.add.reduceat(columns, begins, axis=0) / total[:, None]
    return peak + np.log(total), means
