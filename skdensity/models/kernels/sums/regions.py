"""Parts of space in which kernels are added up, each in the cheapest way.

Kernels end: sums in a part of space need the sources in it and around it. A region is
cut in two while that saves work, or as long as it is too wide for sums over pairs to
keep their digits. So a transform is spared the empty space between clusters and before
outliers, and sums over all pairs those that are far apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.kernels.sources import Sources, corners_of, inside
from skdensity.models.kernels.sums.dense import MAX_EXTENT
from skdensity.models.kernels.sums.fourier import FULL, Box, can_transform

# The work of transforms, in kernels of a pair: for a mode, for a point in 0 to 3
# dimensions, and to begin with.
MODE = 100  # pragma: no mutate
POINT = (100, 110, 210, 1800)  # pragma: no mutate
BEGIN = 1e5  # pragma: no mutate
# Less than this is not worth a cut.
SMALL = 1e6  # pragma: no mutate


def transform_work(box: Box, n_points: float) -> float:
    """Work of transforms of sources and to queries, so many together, in pairs."""
    n_features = len(box.lower)
    if not (can_transform(n_features) and box.fits):
        return np.inf
    return BEGIN + MODE * box.size + POINT[n_features] * n_points


def least_transform_work(n_features: int, n_points: float) -> float:
    """Work that no transform of so many points is below, however few its modes are."""
    return BEGIN + POINT[n_features] * n_points


def is_worth_keeping(box: Box, n_points: int, n_queries: int) -> bool:
    """Whether all points are to be transformed once, and kept for the next queries.

    The first queries may take twice as long as they would by regions, no more: all
    points are transformed, where some are enough, and modes are fewer than these.
    """
    if transform_work(box, n_points + n_queries) >= float(n_points) * n_queries:
        return False
    return MODE * box.size <= POINT[len(box.lower)] * n_points


@dataclass(frozen=True, eq=False)
class Region:
    """Queries in a part of space, and the sources whose kernels reach it.

    Attributes
    ----------
    queries, index : ndarray of int
        Of queries, and of the sources' points.
    box : Box
        Around them, the points being moved by whole periods.
    transforms : bool
        Whether transforms are allowed.
    sources : Sources
        What the points are of.
    is_flat : bool
        Whether the points are all that reaches the queries. Otherwise some have images
        that do, too.
    """

    queries: np.ndarray
    index: np.ndarray
    box: Box
    transforms: bool
    sources: Sources
    is_flat: bool

    @property
    def points(self) -> np.ndarray:
        """The points in the box."""
        middle = 0.5 * (self.box.lower + self.box.upper)
        points = self.sources.points[self.index]
        return self.sources.support.nearest(points, middle)

    @property
    def masses(self) -> np.ndarray:
        """Their masses."""
        return self.sources.all_masses[self.index]

    @cached_property
    def folded(self) -> Sources:
        """The sources without reflections: where one of these is, so are they."""
        index = self.index[self.index < len(self.sources.masses)]
        return self.sources.some(index)

    @cached_property
    def n_pairs(self) -> float:
        """Work of summing over all pairs."""
        n_queries = float(len(self.queries))
        if self.is_flat:
            return n_queries * len(self.index)
        n_locations = np.count_nonzero(self.index < len(self.sources.masses))
        return n_queries * n_locations * self.sources.pair_work

    @cached_property
    def transform_work(self) -> float:
        """Work of transforms, in pairs; infinite where they are not possible."""
        if not self.transforms:
            return np.inf
        return transform_work(self.box, len(self.queries) + len(self.index))

    @property
    def work(self) -> float:
        """Work of the cheaper way."""
        return min(self.n_pairs, self.transform_work)

    @property
    def is_dense(self) -> bool:
        """Whether sums over all pairs are the cheaper way."""
        return self.n_pairs <= self.transform_work

    @property
    def must_be_cut(self) -> bool:
        """Whether it is too wide for sums over all pairs."""
        # Squares of rows in large units overflow.
        width = np.hypot.reduce(self.box.upper - self.box.lower)
        return self.is_dense and width > MAX_EXTENT * self.box.bandwidth


def regions(
    queries: np.ndarray, sources: Sources, bandwidth: float, transforms: bool
) -> Iterator[Region]:
    """Cut space into regions whose work adds up to little.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Where sums are wanted.
    sources : Sources
        The kernels.
    bandwidth : float
        Their standard deviation.
    transforms : bool
        Whether transforms are allowed.

    Yields
    ------
    region : Region
        Every query that a kernel reaches is in one of them.
    """
    # Reflections are for transforms: pairs have them as factors, in any dimension.
    is_mirrored = transforms and can_transform(sources.n_features)
    points = sources.points if is_mirrored else sources.locations
    everything = np.arange(len(queries)), np.arange(len(points))
    waiting = [_region(queries, points, sources, bandwidth, transforms, *everything)]
    while waiting:
        region = waiting.pop()
        halves = []
        if region.must_be_cut or region.work > SMALL:
            halves = _halves(region, queries, points)
        work = sum(half.work for half in halves)
        if halves and (region.must_be_cut or work < region.work):
            waiting.extend(halves)
        elif len(region.index):
            yield region


def _region(queries, points, sources, bandwidth, transforms, of_queries, of_points):
    """The points near some queries, and the box around both."""
    lower, upper = corners_of(queries[of_queries])
    near = points if len(of_points) == len(points) else points[of_points]
    near = sources.support.nearest(near, 0.5 * (lower + upper))
    beyond = FULL.support * bandwidth
    is_near = inside(near, lower - beyond, upper + beyond)
    is_flat = bool(np.all(upper - lower + 2 * beyond < sources.periods))
    if not is_near.all():
        near, of_points = near[is_near], of_points[is_near]
    if len(near):
        inner, outer = corners_of(near)
        lower, upper = np.minimum(lower, inner), np.maximum(upper, outer)
    box = Box(lower, upper, bandwidth, sources.periods)
    is_flat &= len(points) == sources.n_copies * len(sources.masses)
    return Region(of_queries, of_points, box, transforms, sources, is_flat)


def _halves(region, queries, points):
    """The region, cut in the middle of its longest side."""
    within = queries[region.queries]
    lower, upper = corners_of(within)
    axis = np.argmax(upper - lower)
    if upper[axis] - lower[axis] < FULL.support * region.box.bandwidth:
        return []  # the halves would need nearly all sources, both
    middle = 0.5 * (lower[axis] + upper[axis])
    # Between neighbouring numbers the middle is one of them: no half may be empty.
    is_left = within[:, axis] < max(middle, np.nextafter(lower[axis], np.inf))
    how = region.sources, region.box.bandwidth, region.transforms
    return [
        _region(queries, points, *how, region.queries[half], region.index)
        for half in (is_left, ~is_left)
    ]
