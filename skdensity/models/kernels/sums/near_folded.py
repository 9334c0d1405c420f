"""Sums over the pairs that matter, where kernels are folded back.

As in :mod:`~skdensity.models.kernels.sums.near`, with distances around circles. What a
bound reflects is never nearer than the row itself: all images of a row are at most a
few times the nearest, and that bounds what is left out.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.sums.folded import folded_sums
from skdensity.models.kernels.sums.near import (
    LENGTH,
    QUERIES,
    Boxes,
    NearBlocks,
    Nearest,
    unsorted,
)
from skdensity.passes.workspace import Workspace
from skdensity.rows.near import compact_order


def near_folded_sums(
    queries: np.ndarray,
    sources: Sources,
    bandwidth: float,
    statistic: PairStatistic,
    workspace: Workspace,
    share: float,
    own: np.ndarray | None = None,
) -> np.ndarray:
    """As :func:`~skdensity.models.kernels.sums.folded.folded_sums`, up to a share.

    Sources must be in compact blocks.
    """
    order = compact_order(queries, QUERIES)
    queries, own = queries[order], None if own is None else own[order]
    nearest = FoldedNearest(queries, sources, bandwidth, own)
    reaches = nearest.reaches(np.ones(1), share, workspace)
    blocks = NearBlocks(nearest.boxes, nearest.others, reaches, False, QUERIES, run=1)
    how = bandwidth, statistic, workspace, own
    near = blocks if np.isfinite(reaches).any() else None
    return unsorted(folded_sums(queries, sources, *how, near), order)


class FoldedNearest(Nearest):
    """What the nearest locations add to sums, within bounds and around circles.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        In compact blocks.
    sources : Sources
        The same.
    bandwidth : float
        Standard deviation h.
    own : ndarray of shape (n_queries,), optional
        A location that is left out, for every query.
    """

    def __init__(
        self,
        queries: np.ndarray,
        sources: Sources,
        bandwidth: float,
        own: np.ndarray | None,
    ) -> None:
        axes, h = sources.support.axes.items(), bandwidth
        self._circles = {k: axis.period / h for k, axis in axes if axis.is_circle}
        self._queries, self._points = queries / h, sources.locations / h
        super().__init__(
            Boxes.around(self._queries, QUERIES, self._circles),
            Boxes.around(self._points, LENGTH, self._circles),
            sources.masses,
            own,
            most=float(np.exp(sources.kernel(h).log_most)),
        )

    def exponents(self, rows: slice, near: np.ndarray) -> np.ndarray:
        """From differences, around circles the shortest: an image is as near."""
        queries, points = self._queries[rows], self._points[near]
        flat = (np.delete(X, list(self._circles), axis=1) for X in (queries, points))
        squares = cdist(*flat, "sqeuclidean")
        for k, period in self._circles.items():
            steps = np.abs(points[:, k] - queries[:, k, None])
            squares += np.minimum(steps, period - steps) ** 2
        return -0.5 * squares
