r"""What a bandwidth is chosen by: functions of h with their slopes in log h.

All are sums over locations that leave the location itself out,

.. math::

    \hat p_{-i}(x_i) = \sum_{j \ne i} \frac{m_j}{1 - m_i} N(x_i \mid x_j, h^2 I), \qquad
    \frac{\partial \log \hat p_{-i}}{\partial \log h} = E_i |\Delta|^2 - d,

where :math:`E_i` averages over the kernels with their shares of the sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import gammaln, ndtri
from scipy.stats.qmc import Halton

from skdensity.models.kernels.kernels import Kernels, rest_of
from skdensity.models.kernels.statistics import DISTANCE, PairStatistic
from skdensity.passes.workspace import Workspace
from skdensity.solvers.bandwidths.progress import SILENT, Progress


@dataclass(frozen=True)
class Trial:
    """A bandwidth that was tried.

    Attributes
    ----------
    bandwidth : float
        h.
    score : float
        What is maximised.
    slope : float
        Its derivative in log h.
    """

    bandwidth: float
    score: float
    slope: float


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Leave-one-out densities of locations.

    Attributes
    ----------
    kernels : Kernels
        The locations, and the kernel whose width is varied.
    workspace : Workspace
        Threads and scratch.
    row_mass : float, default=inf
        Mass of one row where only that is left out of a location; infinite for all.
    every : int, default=1
        Only every so many locations are evaluated, at the density of all.
    progress : Progress, default=SILENT
        Hears of what is tried.
    """

    kernels: Kernels
    workspace: Workspace
    row_mass: float = np.inf
    every: int = 1
    progress: Progress = SILENT

    @cached_property
    def index(self) -> np.ndarray:
        """Locations that are evaluated."""
        return np.arange(self.every // 2, len(self.kernels.masses), self.every)

    @cached_property
    def weights(self) -> np.ndarray:
        """Their masses, summing to 1."""
        masses = self.kernels.masses[self.index]
        return masses / masses.sum()

    def tell(self, kernels: Kernels, score: float) -> None:
        """Report kernels that were tried."""
        how = len(self.index), self.every > 1
        self.progress.tried(kernels.bandwidth, score, *how)

    def at(
        self, bandwidths: Sequence[float], statistic: PairStatistic
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Leave-one-out log-densities, in nats, and the means of a statistic.

        `bandwidths` are factors of the kernel's width, in descending order.
        """
        sums = self.kernels.sums
        found = sums.left_out(self.index, bandwidths, statistic, self.workspace)
        if np.isfinite(self.row_mass):
            found = [
                self._with_kept(sums, h, statistic, *values)
                for h, values in zip(bandwidths, found, strict=True)
            ]
        return [
            (log_sums - self._log_rest + self.kernels.log_peak_at(h), means)
            for h, (log_sums, means) in zip(bandwidths, found, strict=True)
        ]

    @cached_property
    def _log_rest(self):
        """Logarithm of the mass that is not left out."""
        if np.isfinite(self.row_mass):
            return np.log1p(-self.row_mass)
        return np.log(rest_of(self.kernels.masses)[self.index])

    def _with_kept(self, sums, bandwidth, statistic, log_sums, means):
        """Sums from which only one row's share of the location's own is left out."""
        kept = np.maximum(1 - self.row_mass / self.kernels.masses[self.index], 0)
        own, *columns = sums.own_sums(self.index, bandwidth, statistic)
        with np.errstate(divide="ignore"):
            log_own = np.log(kept * own)
        total = np.logaddexp(log_sums, log_own)
        part = np.exp(log_own - total)[:, None]
        return total, (1 - part) * means + part * (np.array(columns) / own).T


class Criterion(LeftOut, ABC):
    """A score of bandwidths, which are factors of the kernel's width."""

    def trials(self, bandwidths: Sequence[float]) -> list[Trial]:
        """Scores and slopes of some bandwidths, which decrease."""
        trials = self.scored(bandwidths)
        for trial in trials:
            self.tell(self.kernels.scaled(trial.bandwidth), trial.score)
        return trials

    def scored(self, bandwidths: Sequence[float]) -> list[Trial]:
        """The same, and nobody hears of it."""
        n_features = self.kernels.n_features
        return [
            Trial(h, *self.score(h, log_density, distances[:, 0] - n_features))
            for h, (log_density, distances) in zip(
                bandwidths, self.at(bandwidths, DISTANCE), strict=True
            )
        ]

    @abstractmethod
    def score(
        self, bandwidth: float, log_density: np.ndarray, slope: np.ndarray
    ) -> tuple[float, float]:
        """Score and slope from leave-one-out log-densities and theirs."""

    def sampled(self, n_rows: int) -> Criterion:
        """The same on about `n_rows` rows.

        The locations are sorted: every k-th is a fair sample, the same whatever the
        order or the repetition of the rows.
        """
        return replace(self, every=max(1, len(self.kernels.masses) // n_rows))


class LeaveOneOut(Criterion):
    """The leave-one-out log-likelihood.

    Habbema, Hermans and van den Broek (1974); Duin (1976, doi:10.1109/TC.1976.1674577).
    """

    def score(self, bandwidth, log_density, slope):
        return self.weights @ log_density, self.weights @ slope


class RobustLeaveOneOut(Criterion):
    r"""The leave-one-out likelihood, for small densities their squared error.

    The logarithm is replaced by its tangent below a density a, so that a row far from
    all others cannot ask for wide kernels. What makes the score proper again is an
    integral over the density itself,

    .. math::

        \sum_i m_i \log^* \hat p_{-i}(x_i) + \int \psi(\hat p(x)) \, dx, \qquad
        \psi(p) = \min(p, a) - \min(p, a)^2 / 2a,

    which is the term :math:`\int \hat p^2` of least squares where the density is low
    (Wu 2019, doi:10.1080/07350015.2018.1424633). The threshold is the density that one
    row of a Gaussian sample is expected to fall below,
    :math:`\Gamma(d/2) (\log n)^{1-d/2} / n` of the peak of a Gaussian whose spread is
    that of the middle half of the rows. The integral is a mean over draws from a kernel
    density, by a Halton sequence, so that it is the same in every call.
    """

    def score(self, bandwidth, log_density, slope):
        log_threshold = self.log_threshold
        # Relative to the threshold, so that no unit of the data overflows.
        small = np.exp(np.minimum(log_density - log_threshold, 0))
        robust = np.maximum(log_density, log_threshold) - 1 + small
        robust_slope = np.where(log_density < log_threshold, small, 1) * slope
        low, low_slope = self._low_mass(bandwidth)
        return self.weights @ robust + low, self.weights @ robust_slope + low_slope

    @cached_property
    def log_threshold(self) -> float:
        """log a, in nats."""
        d, masses = self.kernels.n_features, self.kernels.masses
        n_rows = (
            1 / self.row_mass if np.isfinite(self.row_mass) else 1 / np.sum(masses**2)
        )
        log_n = max(np.log(n_rows), 1.0)
        expected = gammaln(d / 2) + (1 - d / 2) * np.log(log_n) - log_n
        return self.kernels.log_peak_at(self._scale) + float(expected)

    @cached_property
    def _scale(self):
        """Geometric mean of the features' spreads."""
        masses, columns = self.kernels.masses, self.kernels.standardised
        spreads = [_spread(column, masses) for column in columns]
        return float(np.exp(np.mean(np.log(spreads))))

    def _low_mass(self, bandwidth):
        """∫ ψ and its slope in log h."""
        draws, log_draw_density = self._draws
        log_density, slope = self._anywhere(draws, bandwidth)
        part = np.exp(np.minimum(log_density - self.log_threshold, 0))  # min(p, a) / a
        weight = self.weights * np.exp(self.log_threshold - log_draw_density)
        return weight @ (part - part**2 / 2), weight @ ((1 - part) * part * slope)

    @cached_property
    def _draws(self):
        """One draw from the kernel of every row, and their log-densities."""
        kernels, d = self.kernels, self.kernels.n_features
        bandwidth = self._scale * len(kernels.masses) ** (-1 / (d + 4))
        sequence = Halton(d, scramble=False).fast_forward(1)  # the first is 0
        noise = ndtri(sequence.random(len(self.index)))
        draws = kernels.points[self.index] + bandwidth * noise
        draws = kernels.white_support.fold(draws)
        return draws, self._anywhere(draws, bandwidth)[0]

    def _anywhere(self, points, bandwidth):
        """Log-densities of points, and their slopes in log h."""
        sums = self.kernels.sums
        log_sums, distances = sums.at(points, bandwidth, DISTANCE, self.workspace)
        log_density = log_sums + self.kernels.log_peak_at(bandwidth)
        return log_density, distances[:, 0] - self.kernels.n_features


class LeastSquares(Criterion):
    r"""Least squares, :math:`2 \sum_i m_i \hat p_{-i}(x_i) - \int \hat p^2`.

    In units of the peak of the kernels' own Gaussian. The integral is a sum of kernels
    of :math:`\sqrt 2 h` (Rudemo 1982; Bowman 1984, doi:10.1093/biomet/71.2.353).
    """

    def scored(self, bandwidths):
        wider = [np.sqrt(2) * h for h in bandwidths]
        integrals = [self._integral(h) for h in wider]
        crosses = super().scored(bandwidths)
        return [
            Trial(cross.bandwidth, cross.score - value, cross.slope - slope)
            for cross, (value, slope) in zip(crosses, integrals, strict=True)
        ]

    def score(self, bandwidth, log_density, slope):
        density = np.exp(log_density - self.kernels.kernel.log_peak)
        return 2 * self.weights @ density, 2 * self.weights @ (density * slope)

    def _integral(self, bandwidth):
        """Σ_i m_i of the density at the locations, at √2 h, and its slope in log h."""
        d, sums = self.kernels.n_features, self.kernels.sums
        queries = sums.sources.locations[self.index]
        log_sums, distances = sums.at(queries, bandwidth, DISTANCE, self.workspace)
        density = np.exp(log_sums) / bandwidth**d
        return self.weights @ density, self.weights @ (density * (distances[:, 0] - d))


def _spread(column, masses):
    """The smaller of the standard deviation and what a Gaussian's middle half tells."""
    order = np.argsort(column)
    below = np.cumsum(masses[order]) - 0.5 * masses[order]
    lower, upper = np.interp([0.25, 0.75], below, column[order])
    deviation = np.sqrt(masses @ (column - masses @ column) ** 2)
    half = (upper - lower) / (2 * ndtri(0.75))
    # A constant feature has none: it says nothing.
    return (min(deviation, half) if half > 0 else deviation) or 1.0
