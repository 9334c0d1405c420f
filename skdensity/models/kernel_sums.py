"""Sums of kernels to a promised relative error, by the cheapest way that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from skdensity.models.dense_sums import (
    MAX_REACH,
    ROUNDING,
    UNDERFLOW,
    dense_left_out,
    dense_sums,
)
from skdensity.models.fourier_sums import LOSS, MAX_FEATURES, fourier_sums
from skdensity.models.neighbour_sums import neighbour_sums
from skdensity.models.pair_statistics import NOTHING, PairStatistic
from skdensity.models.regions import Region, regions
from skdensity.models.sources import Sources
from skdensity.passes.blocks import Workspace
from skdensity.passes.threads import one_blas_thread

# Up to so many pairs, looking for something faster takes longer than adding them up.
FEW_PAIRS = 2e6
# Threads of a transform with less work wait for each other longer than they save.
WORTH_THREADS = 4e7


@dataclass(frozen=True)
class KernelSums:
    """Sums of Gaussian kernels, each 1 at its centre times the mass of its source.

    Attributes
    ----------
    sources : Sources
        The kernels.
    rtol : float
        Largest relative error of a sum, wherever it is taken.
    algorithm : {"auto", "exact", "nufft"}
        ``"exact"`` adds up pairs, ``"nufft"`` transforms where that is possible at all,
        ``"auto"`` does what is expected to be faster.
    workspace : Workspace
        Threads and scratch.
    """

    sources: Sources
    rtol: float = 1e-6
    algorithm: str = "auto"
    workspace: Workspace = field(default_factory=Workspace, repr=False)

    def at(
        self, queries: np.ndarray, bandwidth: float, statistic: PairStatistic = NOTHING
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

        Returns
        -------
        log_sums : ndarray of shape (n_queries,)
            In nats; finite wherever |q − x|²/h² is.
        means : ndarray of shape (n_queries, n_columns)
            Of the statistic.
        """
        # A query may be so far away that its distance has no square.
        with one_blas_thread(), np.errstate(over="ignore"):
            if self._is_cut(queries, bandwidth):
                sums, floor = self._regional(queries, bandwidth, statistic)
            else:
                points, masses = self.sources.points, self.sources.all_masses
                floor = UNDERFLOW
                sums = dense_sums(
                    queries, points, masses, bandwidth, statistic, self.workspace
                )
            return self._finished(sums, floor, queries, None, bandwidth, statistic)

    def left_out(
        self, own: np.ndarray, bandwidths: Sequence[float], statistic: PairStatistic
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The same at locations, each without its own kernels.

        Parameters
        ----------
        own : ndarray of shape (n_queries,)
            Locations, in ascending order.
        bandwidths : sequence of float
            Decreasing; halves are cheapest.
        statistic : PairStatistic
            As in :meth:`at`.

        Returns
        -------
        sums : list of (log_sums, means)
            One for each bandwidth.
        """
        with one_blas_thread():
            if self._is_cut(self.sources.locations[own], min(bandwidths)):
                return [
                    self._left_out_of_regions(own, bandwidth, statistic)
                    for bandwidth in bandwidths
                ]
            return self._left_out_of_all(own, bandwidths, statistic)

    def own_sums(
        self, own: np.ndarray, bandwidth: float, statistic: PairStatistic
    ) -> np.ndarray:
        """What the points of locations contribute to sums at these locations.

        Returns
        -------
        sums : ndarray of shape (1 + n_columns, n_queries)
            Of kernels, and of kernels times the statistic.
        """
        total = 0
        for points in self.sources.copies_of(own):
            delta = (points - self.sources.locations[own]) / bandwidth
            kernel = np.exp(-0.5 * np.einsum("nd,nd->n", delta, delta))
            columns = statistic.of_differences(delta).T
            both = np.vstack([np.ones(len(own)), columns])
            total = total + self.sources.masses[own] * kernel * both
        return total

    def _is_cut(self, queries: np.ndarray, bandwidth: float) -> bool:
        """Whether space is cut into regions."""
        points = self.sources.points
        origin = points.mean(axis=0)
        reach = max(_reach(points, origin), _reach(queries, origin)) / bandwidth
        if self.algorithm == "nufft" or reach > MAX_REACH:
            return True
        is_large = len(points) * len(queries) > FEW_PAIRS
        return self.algorithm == "auto" and is_large and points.shape[1] <= MAX_FEATURES

    def _regional(self, queries, bandwidth, statistic):
        """Sums region by region, and how small is too small for `rtol`."""
        points, masses = self.sources.points, self.sources.all_masses
        sums = np.zeros((1 + statistic.n_columns(points.shape[1]), len(queries)))
        error = LOSS * self.sources.n_copies
        transforms = self.algorithm != "exact"
        for region in regions(queries, points, bandwidth, transforms):
            here, near = queries[region.queries], points[region.points]
            weights = masses[region.points]
            if self._is_dense(region):
                values = dense_sums(
                    here, near, weights, bandwidth, statistic, self.workspace
                )
            else:
                is_large = region.transform_work > WORTH_THREADS
                n_threads = self.workspace.n_threads if is_large else 1
                values, loss = fourier_sums(
                    here, near, weights, region.box, statistic, n_threads
                )
                error = max(error, loss)
            sums[:, region.queries] = values
        return sums, error / self.rtol

    def _is_dense(self, region: Region) -> bool:
        if self.algorithm == "nufft" and np.isfinite(region.transform_work):
            return False
        return region.is_dense

    def _left_out_of_regions(self, own, bandwidth, statistic):
        queries = self.sources.locations[own]
        sums, floor = self._regional(queries, bandwidth, statistic)
        own_sums = self.own_sums(own, bandwidth, statistic)
        sums -= own_sums
        # What is left of a heavy location's sum may be less than what its own lost.
        floor = floor + own_sums[0] * ROUNDING / self.rtol
        return self._finished(sums, floor, queries, own, bandwidth, statistic)

    def _left_out_of_all(self, own, bandwidths, statistic):
        queries = self.sources.locations[own]
        sums = dense_left_out(self.sources, own, bandwidths, statistic, self.workspace)
        return [
            self._finished(each, UNDERFLOW, queries, own, bandwidth, statistic)
            for each, bandwidth in zip(sums, bandwidths, strict=True)
        ]

    def _finished(self, sums, floor, queries, own, bandwidth, statistic):
        """Logarithms and means, after what is too small is done in log space."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_sums, means = np.log(sums[0]), (sums[1:] / sums[0]).T
        doubtful = np.flatnonzero(~(sums[0] > floor))
        if len(doubtful):
            log_sums[doubtful], means[doubtful] = neighbour_sums(
                queries[doubtful],
                self.sources,
                bandwidth,
                statistic,
                None if own is None else own[doubtful],
                self.workspace,
            )
        return log_sums, means


def _reach(rows, origin):
    """A bound on the distances from an origin."""
    return np.sqrt(rows.shape[1]) * np.abs(rows - origin).max()
