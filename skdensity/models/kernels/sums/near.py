r"""Sums of kernels over the pairs that matter, block by block, in any dimension.

Points and queries are sorted into compact blocks, the leaves of k-d trees. Blocks of
points are left out, the farthest first, as long as

.. math:: \sum_b m_b e^{-r_b^2/2} \le \epsilon \min_q s(q),

where :math:`m_b` is a block's mass, :math:`r_b` its distance from the block of queries
in bandwidths, and s(q) what the nearest blocks add to the sum at a query (Gray and
Moore 2003, doi:10.1137/1.9781611972733.19). So the sums lose at most ε, relative to
each of them: a query far from all points keeps its digits, as it needs them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.sums.dense import (
    BLOCK,
    LOWEST,
    UNDERFLOW,
    Blocks,
    Expansion,
    Pairs,
    dense_left_out,
    dense_sums,
)
from skdensity.passes.workspace import Workspace
from skdensity.rows.near import compact_order

# Rows of a block: shorter ones follow clusters better, but the calls take longer than
# the pairs. Measured on 50,000 rows in 4 and 6 features, from 64 to 128.
LENGTH = 128  # pragma: no mutate
# Blocks of points that are taken together at most, where they follow each other.
RUN = 4  # pragma: no mutate
# Rows of a block of queries, unless these are the points: a block needs whatever one
# of them does. With 64, 30 clusters take a fifth less time, and one cluster 3 % more.
QUERIES = 96  # pragma: no mutate
# Where less than this share of the points can be left out, all of them are added up.
FEW = 0.2  # pragma: no mutate
# Blocks of queries of which one is looked at before all are: in a single cluster, where
# none can do without points, looking at all takes 3 % of the time of all pairs.
FIRST = 8  # pragma: no mutate
# Blocks of points, the nearest, whose kernels bound sums from below.
N_NEAREST = 1  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes around every so many rows.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_boxes, n_features)
        Corners.
    n_rows : int
        How many rows there are.
    length : int
        Of a block of them.
    circles : dict of int to float
        Features that go around, and how far; boxes are within one turn.
    """

    lower: np.ndarray
    upper: np.ndarray
    n_rows: int
    length: int
    circles: dict[int, float] = field(default_factory=dict)

    @classmethod
    def around(
        cls, rows: np.ndarray, length: int, circles: dict[int, float] | None = None
    ) -> Boxes:
        """The boxes of rows in their order."""
        starts = np.arange(0, len(rows), length)
        lower, upper = (f.reduceat(rows, starts) for f in (np.minimum, np.maximum))
        return cls(lower, upper, len(rows), length, circles or {})

    def rows(self, box: int, n_boxes: int = 1) -> slice:
        """The rows in some boxes that follow each other."""
        end = min((box + n_boxes) * self.length, self.n_rows)
        return slice(box * self.length, end)

    def squares(self, others: Boxes, other: int) -> np.ndarray:
        """Squared distances of all boxes from one of the others."""
        gaps = np.maximum(self.lower - others.upper[other], 0)
        np.maximum(gaps, others.lower[other] - self.upper, out=gaps)
        for k, period in self.circles.items():
            ends = np.maximum(self.upper[:, k], others.upper[other, k])
            begins = np.minimum(self.lower[:, k], others.lower[other, k])
            around = np.maximum(period - (ends - begins), 0)
            gaps[:, k] = np.minimum(gaps[:, k], around)
        return np.einsum("bd,bd->b", gaps, gaps)

    def nearest(self, others: Boxes, other: int) -> np.ndarray:
        """Rows of the boxes whose middles are the nearest to that of one of others."""
        steps = self.lower + self.upper - (others.lower + others.upper)[other]
        order = np.argsort(np.einsum("bd,bd->b", steps, steps), kind="stable")
        rows = map(self.rows, order[:N_NEAREST])
        return np.concatenate([np.arange(each.start, each.stop) for each in rows])


class NearBlocks(Blocks):
    """For every block of queries those blocks of points that matter to it.

    Parameters
    ----------
    boxes, others : Boxes
        Of the queries, and of the points, relative to the same origin in bandwidths.
    reaches : ndarray of shape (n_boxes,)
        Squared distances beyond which points do not matter to a block of queries.
    is_symmetric : bool
        Whether queries are the points, and pairs count for both.
    n_queries, run : int
        Queries, and blocks of points, that are taken together at most, where they
        follow each other.
    """

    def __init__(
        self,
        boxes: Boxes,
        others: Boxes,
        reaches: np.ndarray,
        is_symmetric: bool,
        n_queries: int = BLOCK,
        run: int = RUN,
    ) -> None:
        self._boxes, self._others = boxes, others
        self._reaches, self._is_symmetric = reaches, is_symmetric
        self._n_queries, self._run = n_queries, run

    @property
    def rows(self) -> list[slice]:
        return list(_together(self._boxes, self._reaches, self._n_queries))

    def near(self, rows: slice) -> Iterator[slice]:
        is_near = self._is_near(rows.start // self._boxes.length)
        if self._is_symmetric:
            yield rows
            is_near[: -(-rows.stop // LENGTH)] = False
        ends = np.flatnonzero(np.diff(is_near, prepend=False, append=False))
        for begin, end in ends.reshape(-1, 2):
            for start in range(begin, end, self._run):
                yield self._others.rows(start, min(self._run, end - start))

    def _is_near(self, box):
        """Which blocks of points matter to a block of queries, or it to them."""
        reach = self._reaches[box]
        if np.isinf(reach):
            return np.ones(len(self._others.lower), dtype=bool)
        if self._is_symmetric:
            reach = np.maximum(reach, self._reaches)
        return self._others.squares(self._boxes, box) <= reach


def near_sums(
    queries: np.ndarray,
    points: Expansion,
    statistic: PairStatistic,
    workspace: Workspace,
    share: float,
) -> np.ndarray:
    """As :func:`~skdensity.models.kernels.sums.dense.dense_sums`, up to a share.

    Time that of the pairs that matter, and O(n_queries · n_points / `LENGTH`²) to find
    them. Points must be in compact blocks.
    """
    order = compact_order(queries, QUERIES)
    queries = queries[order]
    blocks = _near_blocks(queries, points, np.ones(1), workspace, share)
    sums = dense_sums(queries, points, statistic, workspace, blocks)
    return unsorted(sums, order)


def near_left_out(
    points: Expansion,
    own: np.ndarray,
    bandwidths: Sequence[float],
    statistic: PairStatistic,
    workspace: Workspace,
    share: float,
) -> list[np.ndarray]:
    """As :func:`~skdensity.models.kernels.sums.dense.dense_left_out`, up to a share.

    With several bandwidths a pair is left out if it does not matter at any.
    """
    is_all = len(own) == len(points.masses)
    order = np.argsort(own) if is_all else compact_order(points.points[own], QUERIES)
    own, rates = own[order], (bandwidths[0] / np.asarray(bandwidths)) ** 2
    blocks = _near_blocks(points.points[own], points, rates, workspace, share, own)
    found = dense_left_out(points, own, bandwidths, statistic, workspace, blocks)
    return [unsorted(sums, order) for sums in found]


def _together(boxes, reaches, n_queries):
    """The rows of boxes, long blocks where these need everything."""
    box, most = 0, max(1, n_queries // boxes.length)
    while box < len(reaches):
        n_boxes = 1
        if np.isinf(reaches[box]):
            ends = np.flatnonzero(np.isfinite(reaches[box : box + most]))
            n_boxes = ends[0] if len(ends) else min(most, len(reaches) - box)
        yield boxes.rows(box, n_boxes)
        box += n_boxes


def unsorted(sums: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Columns that are in an order, as they were before."""
    out = np.empty_like(sums)
    out[:, order] = sums
    return out


def _near_blocks(queries, points, rates, workspace, share, own=None):
    """The blocks that matter at one of the rates of h² at least."""
    is_symmetric = own is not None and len(own) == len(points.masses)
    nearest = FlatNearest(points.relative(queries), points, is_symmetric, own)
    reaches = nearest.reaches(rates, share, workspace)
    return NearBlocks(nearest.boxes, nearest.others, reaches, is_symmetric)


class Nearest(ABC):
    """What the nearest points add to sums, and what the others are beside it.

    Parameters
    ----------
    boxes, others : Boxes
        Of the queries, and of the points.
    masses : ndarray of shape (n_points,)
        Those of the points.
    own : ndarray of shape (n_queries,), optional
        A point that is left out, for every query.
    most : float, default=1
        A bound on how much all images of a point are, relative to the nearest.
    """

    def __init__(
        self,
        boxes: Boxes,
        others: Boxes,
        masses: np.ndarray,
        own: np.ndarray | None,
        most: float = 1.0,
    ) -> None:
        self.boxes, self.others = boxes, others
        self._masses, self._own = masses, own
        starts = np.arange(0, len(masses), others.length)
        self._most_of_boxes = most * np.add.reduceat(masses, starts)

    @abstractmethod
    def exponents(self, rows: slice, near: np.ndarray) -> np.ndarray:
        """−r²/2 of some queries and points, at most those of their kernels."""

    def reaches(
        self, rates: np.ndarray, share: float, workspace: Workspace
    ) -> np.ndarray:
        """How far points matter to a block of queries, at one of the rates at least.

        As squared distances: infinite where too few points are farther, −1 where none
        matter.
        """

        def reach(box: int) -> float:
            return max(self._reaches(box, rates, share))

        n_boxes = len(self.boxes.lower)
        if np.all(np.isinf([*workspace.map(reach, range(0, n_boxes, FIRST))])):
            return np.full(n_boxes, np.inf)
        return np.array([*workspace.map(reach, range(n_boxes))])

    def _reaches(self, box, rates, share):
        exponents, masses = self._kernels(box)
        squares = self.others.squares(self.boxes, box)
        order = np.argsort(-squares, kind="stable")
        farthest, left_out = squares[order], self._most_of_boxes[order]
        for rate in rates:
            sums = np.exp(np.maximum(rate * exponents, LOWEST)) @ masses
            lost = np.cumsum(left_out * np.exp(-0.5 * rate * farthest))
            most = share * max(sums.min(), UNDERFLOW)
            n_left_out = np.searchsorted(lost, most, side="right")
            if n_left_out < FEW * len(lost):
                yield np.inf
            else:
                yield farthest[n_left_out] if n_left_out < len(lost) else -1.0

    def _kernels(self, box):
        """Exponents of the nearest points' kernels at h, and the points' masses."""
        rows, near = self.boxes.rows(box), self.others.nearest(self.boxes, box)
        exponents = self.exponents(rows, near)
        if self._own is not None:
            exponents[near == self._own[rows, None]] = LOWEST
        return exponents, self._masses[near]


class FlatNearest(Nearest):
    """The same without bounds or circles.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        As :meth:`Expansion.relative` gives them, in compact blocks.
    points : Expansion
        The points, in compact blocks.
    are_points : bool
        Whether the queries are the points, and cut like these.
    own : ndarray of shape (n_queries,), optional
        A point that is left out, for every query.
    """

    def __init__(
        self,
        queries: np.ndarray,
        points: Expansion,
        are_points: bool,
        own: np.ndarray | None = None,
    ) -> None:
        boxes = Boxes.around(queries, LENGTH if are_points else QUERIES)
        super().__init__(
            boxes, Boxes.around(points.centred, LENGTH), points.masses, own
        )
        self._factor, self._points = Pairs(queries, points).factor, points

    def exponents(self, rows: slice, near: np.ndarray) -> np.ndarray:
        """From one product of matrices."""
        return self._factor[rows] @ self._points.factor[:, near]
