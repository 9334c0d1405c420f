"""Sums of kernels to a promised relative error, by the cheapest way that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.kernels.sources import Sources
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
from skdensity.models.kernels.sums.fourier import (
    LOSS,
    MAX_FEATURES,
    SUPPORT,
    Box,
    Modes,
    fourier_sums,
)
from skdensity.models.kernels.sums.neighbours import neighbour_sums
from skdensity.models.kernels.sums.regions import (
    Region,
    is_worth_keeping,
    regions,
    transform_work,
)
from skdensity.passes.workspace import Workspace

# Up to so many pairs, looking for something faster takes longer than adding them up.
FEW_PAIRS = 2e6
# Threads of a transform with less work wait for each other longer than they save.
WORTH_THREADS = 4e7


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
            least, how = UNDERFLOW, (bandwidth, statistic, workspace)
            if self._is_cut(queries, bandwidth):
                keeps = self._keeps(queries, bandwidth)
                way = self._by_kept_modes if keeps else self._regional
                sums, least = way(queries, *how)
            else:
                points = self._expansion(bandwidth)
                sums = dense_sums(queries, points, statistic, workspace)
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
        if self._is_cut(queries, min(bandwidths)):
            found = [
                self._left_out_of_regions(own, bandwidth, statistic, workspace)
                for bandwidth in bandwidths
            ]
        else:
            points = self._expansion(bandwidths[0])
            how = points, own, bandwidths, statistic, workspace
            found = [(sums, UNDERFLOW) for sums in dense_left_out(self.sources, *how)]
        return [
            self._finished(sums, least, queries, own, bandwidth, statistic, workspace)
            for (sums, least), bandwidth in zip(found, bandwidths, strict=True)
        ]

    def own_sums(
        self, own: np.ndarray, bandwidth: float, statistic: PairStatistic
    ) -> np.ndarray:
        """What the points of locations contribute to sums at these locations.

        Returns
        -------
        sums : ndarray of shape (1 + n_columns, n_queries)
            Of kernels, and of kernels times the statistic.
        """
        # The first of the points is the location itself.
        itself, *copies = self.sources.copies_of(own)
        nowhere = statistic.of_differences(np.zeros((1, itself.shape[1])))
        masses = self.sources.masses[own]
        total = masses * np.vstack([np.ones(1), nowhere.T])
        for points in copies:
            delta = (points - itself) / bandwidth
            kernel = np.exp(-0.5 * np.einsum("nd,nd->n", delta, delta))
            columns = statistic.of_differences(delta).T
            total += masses * kernel * np.vstack([np.ones(len(own)), columns])
        return total

    def _is_cut(self, queries: np.ndarray, bandwidth: float) -> bool:
        """Whether space is cut into regions."""
        n_points, n_features = self.sources.points.shape
        extent = self.sources.extent_with(queries)
        algorithm = self.summation.algorithm
        if algorithm.always or extent > MAX_EXTENT * bandwidth:
            return True
        is_large = n_points * len(queries) > FEW_PAIRS
        return algorithm.transforms and is_large and n_features <= MAX_FEATURES

    def _expansion(self, bandwidth):
        """All points, laid out for sums over pairs."""
        if bandwidth == 1.0:
            return self._unscaled
        return Expansion(self.sources.points, self.sources.all_masses, bandwidth)

    @cached_property
    def _unscaled(self):
        return Expansion(self.sources.points, self.sources.all_masses, 1.0)

    def _keeps(self, queries: np.ndarray, bandwidth: float) -> bool:
        """Whether sums are taken from modes of all points, which are kept."""
        is_possible = self.summation.algorithm.transforms and bandwidth == 1.0
        n_points = len(self.sources.points)
        return is_possible and is_worth_keeping(self._box, n_points, len(queries))

    @cached_property
    def _box(self):
        """All that kernels of bandwidth 1 reach, once around."""
        lower, upper = self.sources.corners
        return Box(lower - 0.5 * SUPPORT, upper + 0.5 * SUPPORT, 1.0)

    @cached_property
    def _modes(self):
        return Modes.of(self.sources.points, self.sources.all_masses, self._box)

    def _by_kept_modes(self, queries, bandwidth, statistic, workspace):
        """Sums from the modes of all points, and how small is too small for `rtol`."""
        lower, upper = self.sources.corners
        sums = np.zeros((1 + statistic.n_columns(len(lower)), len(queries)))
        error = LOSS * self.sources.n_copies
        inside = np.all((queries >= lower - SUPPORT) & (queries <= upper + SUPPORT), 1)
        if inside.any():
            n_threads = _n_threads(transform_work(self._box, len(queries)), workspace)
            sums[:, inside], loss = fourier_sums(
                queries[inside], self._modes, statistic, n_threads
            )
            error = max(error, loss)
        return sums, error / self.summation.rtol

    def _regional(self, queries, bandwidth, statistic, workspace):
        """Sums region by region, and how small is too small for `rtol`."""
        points, masses = self.sources.points, self.sources.all_masses
        sums = np.zeros((1 + statistic.n_columns(points.shape[1]), len(queries)))
        error = LOSS * self.sources.n_copies
        transforms = self.summation.algorithm.transforms
        for region in regions(queries, points, bandwidth, transforms):
            here, near = queries[region.queries], points[region.points]
            weights = masses[region.points]
            if self._is_dense(region):
                near = Expansion(near, weights, bandwidth)
                values = dense_sums(here, near, statistic, workspace)
            else:
                n_threads = _n_threads(region.transform_work, workspace)
                modes = Modes.of(near, weights, region.box)
                values, loss = fourier_sums(here, modes, statistic, n_threads)
                error = max(error, loss)
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


def _n_threads(work, workspace):
    """Threads of a transform."""
    return workspace.n_threads if work > WORTH_THREADS else 1
