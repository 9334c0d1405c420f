"""Sums of kernels to a promised relative error, by the cheapest way that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.kernels.sources import Sources, corners_of
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.sums.algorithms import DEFAULT, Summation
from skdensity.models.kernels.sums.dense import (
    MAX_EXTENT,
    ROUNDING,
    UNDERFLOW,
    Expansion,
    dense_left_out,
    dense_sums,
)
from skdensity.models.kernels.sums.folded import folded_sums
from skdensity.models.kernels.sums.fourier import (
    FULL,
    MAX_FEATURES,
    Box,
    Modes,
    fourier_sums,
)
from skdensity.models.kernels.sums.near import (
    LENGTH,
    near_left_out,
    near_sums,
)
from skdensity.models.kernels.sums.near_folded import near_folded_sums
from skdensity.models.kernels.sums.neighbours import neighbour_sums
from skdensity.models.kernels.sums.regions import (
    Region,
    is_worth_keeping,
    least_transform_work,
    regions,
    transform_work,
)
from skdensity.passes.workspace import Workspace
from skdensity.rows.near import compact_order

# Up to so many pairs, looking for something faster takes longer than adding them up.
FEW_PAIRS = 2e6  # pragma: no mutate
# From so many queries and points on, a k-d tree pays for itself.
WORTH_SORTING = 1024  # pragma: no mutate
# What is left out of a sum, relative to `rtol`.
SKIPPED = 0.5
# Threads of a transform with less work wait for each other longer than they save.
WORTH_THREADS = 4e7  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class KernelSums:
    """Sums of Gaussian kernels, each 1 at its centre times the mass of its source.

    Attributes
    ----------
    sources : Sources
        The kernels.
    summation : Summation
        How exactly, and by which ways.
    """

    sources: Sources
    summation: Summation = DEFAULT

    @cached_property
    def coarse(self) -> KernelSums:
        """The same sums, to lead a search."""
        return replace(self, summation=self.summation.coarse)

    def at(
        self,
        queries: np.ndarray,
        bandwidth: float,
        statistic: PairStatistic,
        workspace: Workspace,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log of the sum of kernels at every query, and the means of a statistic.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features)
            Where to evaluate.
        bandwidth : float
            Standard deviation h of the kernels.
        statistic : PairStatistic
            What to average over sources, with their shares of the sum as weights.
        workspace : Workspace
            Threads and scratch.

        Returns
        -------
        log_sums : ndarray of shape (n_queries,)
            In nats; finite wherever |q − x|²/h² is.
        means : ndarray of shape (n_queries, n_columns)
            Of the statistic.
        """
        # A query may be so far away that its distance has no square.
        with np.errstate(over="ignore"):
            how = bandwidth, statistic, workspace
            if self._is_cut(queries, bandwidth):
                keeps = self._keeps(queries, bandwidth)
                way = self._by_kept_modes if keeps else self._regional
                sums, least = way(queries, *how)
            else:
                sums, least = self._dense(queries, *how), self._least(bandwidth)
            return self._finished(sums, least, queries, None, *how)

    def left_out(
        self,
        own: np.ndarray,
        bandwidths: Sequence[float],
        statistic: PairStatistic,
        workspace: Workspace,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The same at locations, each without its own kernels.

        Parameters
        ----------
        own : ndarray of shape (n_queries,)
            Locations, in ascending order.
        bandwidths : sequence of float
            Decreasing; halves are cheapest.
        statistic, workspace
            As in :meth:`at`.

        Returns
        -------
        sums : list of (log_sums, means)
            One for each bandwidth.
        """
        queries = self.sources.locations[own]
        # Narrower kernels than those that are cut for are cut for, too.
        n_dense = sum(not self._is_cut(queries, bandwidth) for bandwidth in bandwidths)
        dense, found = bandwidths[:n_dense], []
        if len(dense):
            sums = self._dense_left_out(own, dense, statistic, workspace)
            found = list(zip(sums, map(self._least, dense), strict=True))
        found += [
            self._left_out_of_regions(own, bandwidth, statistic, workspace)
            for bandwidth in bandwidths[n_dense:]
        ]
        return [
            self._finished(sums, least, queries, own, bandwidth, statistic, workspace)
            for (sums, least), bandwidth in zip(found, bandwidths, strict=True)
        ]

    def own_sums(
        self, own: np.ndarray, bandwidth: float, statistic: PairStatistic
    ) -> np.ndarray:
        """What locations contribute to sums at themselves, with all images.

        Returns
        -------
        sums : ndarray of shape (1 + n_columns, n_queries)
            Of kernels, and of kernels times the statistic.
        """
        points, masses = self.sources.locations[own].T, self.sources.masses[own]
        kernel = self.sources.kernel(bandwidth)
        exponents, factors, columns = kernel.of_pairs(points, points, statistic)
        nowhere = statistic.of_differences(np.zeros((1, len(points))))[0]
        means = [at + more for at, more in zip(nowhere, columns, strict=True)]
        sums = np.empty((1 + len(means), len(own)))
        with np.errstate(over="ignore"):
            sums[0] = masses * factors * np.exp(exponents)
        for row, mean in zip(sums[1:], means, strict=True):
            row[:] = sums[0] * mean
        return sums

    def _is_cut(self, queries: np.ndarray, bandwidth: float) -> bool:
        """Whether space is cut into regions."""
        sources, algorithm = self.sources, self.summation.algorithm
        extent = sources.extent_with(queries)
        if algorithm.always or extent > MAX_EXTENT * bandwidth:
            return True
        work = float(len(sources.masses)) * len(queries) * sources.pair_work
        if not self._can_transform:
            return False
        n_points = len(sources.masses) + len(queries)
        return work > max(FEW_PAIRS, least_transform_work(sources.n_features, n_points))

    def _dense(self, queries, bandwidth, statistic, workspace):
        """Sums over all pairs."""
        if self.sources.support.is_open:
            how = statistic, workspace
            if self._skips(len(queries), len(self.sources.masses)):
                points = self._compact(bandwidth)
                return near_sums(queries, points, *how, self._share)
            return dense_sums(queries, self._expansion(bandwidth), *how)
        return self._folded(queries, bandwidth, statistic, workspace)

    def _folded(self, queries, bandwidth, statistic, workspace, own=None):
        how = bandwidth, statistic, workspace
        # Very wide kernels in many features overflow, and are then done in log space.
        with np.errstate(over="ignore", invalid="ignore"):
            if not self._skips(len(queries), len(self.sources.masses)):
                return folded_sums(queries, self.sources, *how, own)
            own = None if own is None else self._places[own]
            return near_folded_sums(
                queries, self._compact_sources, *how, self._share, own
            )

    def _dense_left_out(self, own, bandwidths, statistic, workspace):
        """Sums over all pairs of different locations, for every bandwidth."""
        sources, how = self.sources, (statistic, workspace)
        if sources.support.is_open:
            if self._skips(len(own), len(sources.masses)):
                points, own = self._compact(bandwidths[0]), self._places[own]
                return near_left_out(points, own, bandwidths, *how, self._share)
            points = self._expansion(bandwidths[0])
            return dense_left_out(points, own, bandwidths, *how)
        queries = sources.locations[own]
        return [self._folded(queries, h, *how, own) for h in bandwidths]

    def _least(self, bandwidth):
        """Sums over pairs below this may lack terms that were lost to underflow."""
        return UNDERFLOW * self._most(bandwidth)

    def _most(self, bandwidth):
        """A bound on all images of a source, relative to its nearest; may be infinite.

        Then all sums are taken in log space.
        """
        with np.errstate(over="ignore"):
            return np.exp(self.sources.kernel(bandwidth).log_most)

    def _expansion(self, bandwidth):
        """All points, laid out for sums over pairs."""
        if bandwidth == 1.0:
            return self._unscaled
        return Expansion(self.sources.locations, self.sources.masses, bandwidth)

    @cached_property
    def _unscaled(self):
        return Expansion(self.sources.locations, self.sources.masses, 1.0)

    def _skips(self, n_queries: int, n_points: int) -> bool:
        """Whether blocks of pairs are looked at before they are added up."""
        algorithm = self.summation.algorithm
        return algorithm.skips and min(n_queries, n_points) >= WORTH_SORTING

    @property
    def _share(self):
        """What may be left out of a sum."""
        return SKIPPED * self.summation.rtol

    def _compact(self, bandwidth):
        """All points, laid out for sums over near pairs."""
        sources = self._compact_sources
        return Expansion(sources.locations, sources.masses, bandwidth)

    @cached_property
    def _compact_sources(self):
        return self.sources.some(self._order)

    @cached_property
    def _order(self):
        return compact_order(self.sources.locations, LENGTH)

    @cached_property
    def _places(self):
        return np.argsort(self._order)

    def _keeps(self, queries: np.ndarray, bandwidth: float) -> bool:
        """Whether sums are taken from modes of all points, which are kept."""
        if not (self._can_transform and bandwidth == 1.0):
            return False
        n_points = len(self.sources.points)
        return is_worth_keeping(self._box, n_points, len(queries))

    @property
    def _can_transform(self):
        transforms = self.summation.algorithm.transforms
        return transforms and self.sources.n_features <= MAX_FEATURES

    @cached_property
    def _box(self):
        """All that kernels of bandwidth 1 reach, once around."""
        lower, upper = corners_of(self.sources.points)
        ends = lower - 0.5 * FULL.support, upper + 0.5 * FULL.support
        return Box(*ends, 1.0, self.sources.periods)

    @cached_property
    def _modes(self):
        box = self._box.at(self.summation.precision)
        return Modes.of(self.sources.points, self.sources.all_masses, box)

    def _by_kept_modes(self, queries, bandwidth, statistic, workspace):
        """Sums from the modes of all points, and how small is too small for `rtol`."""
        lower, upper = self._box.lower, self._box.upper
        queries = self.sources.support.nearest(queries, 0.5 * (lower + upper))
        sums = np.zeros((1 + statistic.n_columns(len(lower)), len(queries)))
        error, rest = self._loss(bandwidth), 0.5 * FULL.support
        how = (statistic, workspace)
        inside = np.all((queries >= lower - rest) & (queries <= upper + rest), 1)
        if inside.any():
            n_parts = _n_parts(transform_work(self._box, len(queries)), workspace)
            sums[:, inside], loss = fourier_sums(
                queries[inside], self._modes, *how, n_parts
            )
            error = max(error, loss)
        return sums, error / self.summation.rtol

    def _loss(self, bandwidth):
        """What is lost of a sum where kernels end."""
        return self.summation.precision.loss * self._most(bandwidth)

    def _regional(self, queries, bandwidth, statistic, workspace):
        """Sums region by region, and how small is too small for `rtol`."""
        sums = np.zeros((1 + statistic.n_columns(queries.shape[1]), len(queries)))
        error, how = self._loss(bandwidth), (statistic, workspace)
        transforms = self.summation.algorithm.transforms
        for region in regions(queries, self.sources, bandwidth, transforms):
            here = queries[region.queries]
            if not self._is_dense(region):
                n_parts = _n_parts(region.transform_work, workspace)
                box = region.box.at(self.summation.precision)
                modes = Modes.of(region.points, region.masses, box)
                values, loss = fourier_sums(here, modes, *how, n_parts)
                error = max(error, loss)
            elif region.is_flat:
                points = Expansion(region.points, region.masses, bandwidth)
                values = dense_sums(here, points, *how)
            else:
                values = folded_sums(here, region.folded, bandwidth, *how)
            sums[:, region.queries] = values
        return sums, error / self.summation.rtol

    def _is_dense(self, region: Region) -> bool:
        if self.summation.algorithm.always and np.isfinite(region.transform_work):
            return False
        return region.is_dense

    def _left_out_of_regions(self, own, bandwidth, statistic, workspace):
        queries = self.sources.locations[own]
        sums, least = self._regional(queries, bandwidth, statistic, workspace)
        own_sums = self.own_sums(own, bandwidth, statistic)
        sums -= own_sums
        # What is left of a heavy location's sum may be less than what its own lost.
        return sums, least + own_sums[0] * ROUNDING / self.summation.rtol

    def _finished(self, sums, least, queries, own, bandwidth, statistic, workspace):
        """Logarithms and means, after what is below `least` is done in log space."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_sums, means = np.log(sums[0]), (sums[1:] / sums[0]).T
        doubtful = np.flatnonzero(~(sums[0] > least))
        if len(doubtful):
            log_sums[doubtful], means[doubtful] = neighbour_sums(
                queries[doubtful],
                self.sources,
                bandwidth,
                statistic,
                workspace,
                None if own is None else own[doubtful],
            )
        return log_sums, means


def _n_parts(work, workspace):
    """Parts of the queries of a transform, each of which repeats the work on modes."""
    return workspace.n_threads if work > WORTH_THREADS else 1
