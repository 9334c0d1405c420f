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
from skdensity.models.kernels.lattice import surplus
from skdensity.models.kernels.statistics import PairStatistic
from skdensity.passes.workspace import Workspace
from skdensity.rows.spread import spread_of
from skdensity.solvers.bandwidths.path import Path, Stretch
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
    doubt : str
        What a user should know of it, if anything.
    """

    bandwidth: float
    score: float = np.nan
    slope: float = np.nan
    doubt: str = ""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Leave-one-out densities of locations.

    Attributes
    ----------
    kernels : Kernels
        The locations, and the kernel whose width is varied.
    workspace : Workspace
        Threads and scratch.
    left_out : ndarray of shape (n_locations,)
        The part of every location's mass that is left out of its own density.
    every : int, default=1
        Only every so many locations are evaluated, at the density of all.
    steps : ndarray of shape (n_features,), optional
        Of grids that rows are on; densities are then those of cells, over what a kernel
        adds up to on them. 0 for features that can have any value, as for None.
    progress : Progress, default=SILENT
        Hears of what is tried.
    is_coarse : bool, default=False
        Whether sums are as exact as leads a search, and no more.
    """

    kernels: Kernels
    workspace: Workspace
    left_out: np.ndarray
    every: int = 1
    steps: np.ndarray | None = None
    progress: Progress = SILENT
    is_coarse: bool = False

    @cached_property
    def index(self) -> np.ndarray:
        """Locations that are evaluated."""
        return np.arange(self.every // 2, len(self.kernels.masses), self.every)

    @cached_property
    def weights(self) -> np.ndarray:
        """Their masses, summing to 1."""
        masses = self.kernels.masses[self.index]
        return masses / masses.sum()

    def announce(self) -> None:
        """Report that some kernels are about to be tried."""
        self.progress.begin(self.every > 1)

    def tell(self, kernels: Kernels, score: float) -> None:
        """Report kernels that were tried."""
        self.progress.tried(kernels, score, len(self.index), self.every > 1)

    def at(
        self,
        bandwidths: Sequence[float],
        statistic: PairStatistic,
        kernels: Kernels | None = None,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Leave-one-out log-densities, in nats, and the means of a statistic.

        `bandwidths` are factors of the width of the kernels, in descending order.
        """
        kernels = kernels or self.kernels
        sums = self._sums_of(kernels)
        found = sums.left_out(self.index, bandwidths, statistic, self.workspace)
        if self._kept.any():
            found = [
                self._with_kept(sums, h, statistic, *values)
                for h, values in zip(bandwidths, found, strict=True)
            ]
        found = [
            (log_sums - self._log_rest + kernels.log_peak_at(h), means)
            for h, (log_sums, means) in zip(bandwidths, found, strict=True)
        ]
        return [
            self._of_cells(kernels.scaled(h), statistic, *values)
            for h, values in zip(bandwidths, found, strict=True)
        ]

    @cached_property
    def _grids(self) -> np.ndarray | None:
        """The steps, if any feature has one."""
        return None if self.steps is None or not self.steps.any() else self.steps

    def _of_cells(self, kernels, statistic, log_density, means):
        """Densities over what the kernel adds up to on the grids."""
        if self._grids is None:
            return log_density, means
        log_sum, more = surplus(kernels, self._grids, statistic)
        return log_density - log_sum, means + more

    def _sums_of(self, kernels):
        return kernels.sums.coarse if self.is_coarse else kernels.sums

    @cached_property
    def _kept(self):
        """Shares of the locations' masses that are not left out."""
        kept = (1 - self.left_out / self.kernels.masses)[self.index]
        return np.maximum(kept, 0)  # rounding leaves less than nothing of some

    @cached_property
    def _log_rest(self):
        """Logarithm of the mass that is not left out."""
        kept = self._kept * self.kernels.masses[self.index]
        return np.log(rest_of(self.kernels.masses)[self.index] + kept)

    def _with_kept(self, sums, bandwidth, statistic, log_sums, means):
        """Sums from which only a part of the location's own is left out."""
        own_sums = sums.own_sums(self.index, bandwidth, statistic)
        own, columns = own_sums[0], own_sums[1:]
        with np.errstate(divide="ignore"):
            log_own = np.log(self._kept * own)
        total = np.logaddexp(log_sums, log_own)
        part = np.exp(log_own - total)[:, None]
        return total, (1 - part) * means + part * (columns / own).T


@dataclass(frozen=True, eq=False)
class Criterion(LeftOut, ABC):
    """A score of bandwidths, which are factors along a path.

    Attributes
    ----------
    least_widths : ndarray of shape (n_features,), optional
        Those of the path; None for none.
    """

    least_widths: np.ndarray | None = None

    @cached_property
    def path(self) -> Path:
        """The kernels of bandwidths."""
        none = np.zeros(self.kernels.n_features)
        widths = none if self.least_widths is None else self.least_widths
        return Path(self.kernels, widths)

    def trials(self, bandwidths: Sequence[float]) -> list[Trial]:
        """Scores and slopes of some bandwidths, which decrease."""
        self.announce()
        trials = self.scored(bandwidths)
        for trial in trials:
            self.tell(self.path.at(trial.bandwidth), trial.score)
        return trials

    def scored(self, bandwidths: Sequence[float]) -> list[Trial]:
        """The same, and nobody hears of it."""
        stretches = self.path.stretches(list(bandwidths))
        scores = [score for stretch in stretches for score in self._scores(stretch)]
        return [Trial(h, *score) for h, score in zip(bandwidths, scores, strict=True)]

    def _scores(self, stretch):
        found = self.at(stretch.scales, stretch.statistic, stretch.kernels)
        return [
            self.score(stretch, scale, log_density, stretch.slopes(means))
            for scale, (log_density, means) in zip(stretch.scales, found, strict=True)
        ]

    @abstractmethod
    def score(
        self,
        stretch: Stretch,
        scale: float,
        log_density: np.ndarray,
        slope: np.ndarray,
    ) -> tuple[float, float]:
        """Score and slope from leave-one-out log-densities and theirs."""

    def sampled(self, n_rows: int) -> Criterion:
        """The same on about `n_rows` rows.

        The locations are sorted: every k-th is a fair sample, the same whatever the
        order or the repetition of the rows.
        """
        return replace(self, every=max(1, len(self.kernels.masses) // n_rows))

    @cached_property
    def coarse(self) -> Criterion:
        """The same, as exact as leads a search, and no more."""
        return replace(self, is_coarse=True)

    def _anywhere(self, stretch, scale, rows):
        """Log-densities of rows of data, and their slopes in log t."""
        kernels = stretch.kernels
        how = scale, stretch.statistic, self.workspace
        log_sums, means = self._sums_of(kernels).at(kernels.whitened(rows), *how)
        return log_sums + kernels.log_peak_at(scale), stretch.slopes(means)


class LeaveOneOut(Criterion):
    """The leave-one-out log-likelihood.

    Habbema, Hermans and van den Broek (1974); Duin (1976, doi:10.1109/TC.1976.1674577).
    """

    def score(self, stretch, scale, log_density, slope):
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

    def score(self, stretch, scale, log_density, slope):
        log_threshold = self.log_threshold
        # Relative to the threshold, so that no unit of the data overflows.
        small = np.exp(np.minimum(log_density - log_threshold, 0))
        robust = np.maximum(log_density, log_threshold) - 1 + small
        robust_slope = np.where(log_density < log_threshold, small, 1) * slope
        low, low_slope = self._low_mass(stretch, scale)
        return self.weights @ robust + low, self.weights @ robust_slope + low_slope

    @cached_property
    def log_threshold(self) -> float:
        """log a, in nats."""
        d, masses = self.kernels.n_features, self.kernels.masses
        log_n = max(-np.log(masses @ self.left_out), 1.0)
        expected = gammaln(d / 2) + (1 - d / 2) * np.log(log_n) - log_n
        return self.kernels.log_peak_at(self._scale) + float(expected)

    @cached_property
    def _scale(self):
        """Geometric mean of the features' spreads."""
        masses, columns = self.kernels.masses, self.kernels.standardised
        # A constant feature has none: it says nothing.
        spreads = [spread_of(column, masses) or 1.0 for column in columns]
        return float(np.exp(np.mean(np.log(spreads))))

    def _low_mass(self, stretch, scale):
        """∫ ψ and its slope in log t."""
        draws, log_draw_density = self._draws
        log_density, slope = self._anywhere(stretch, scale, draws)
        part = np.exp(np.minimum(log_density - self.log_threshold, 0))  # min(p, a) / a
        weight = self.weights * np.exp(self.log_threshold - log_draw_density)
        return weight @ (part - part**2 / 2), weight @ ((1 - part) * part * slope)

    @cached_property
    def _draws(self):
        """One draw from the kernel of every row, and their log-densities."""
        kernels, d = self.kernels, self.kernels.n_features
        factor = self._scale * len(kernels.masses) ** (-1 / (d + 4))
        (stretch,) = self.path.stretches([factor])
        (scale,) = stretch.scales
        sequence = Halton(d, scramble=False).fast_forward(1)  # the first is 0
        noise = scale * ndtri(sequence.random(len(self.index)))
        draws = kernels.locations[self.index]
        draws = draws + stretch.kernels.kernel.coloured_steps(noise)
        draws = kernels.support.fold(draws)
        return draws, self._anywhere(stretch, scale, draws)[0]


class LeastSquares(Criterion):
    r"""Least squares, :math:`2 \sum_i m_i \hat p_{-i}(x_i) - \int \hat p^2`.

    In units of the peak of the kernels' own Gaussian. The integral is a sum of kernels
    of :math:`\sqrt 2 h` (Rudemo 1982; Bowman 1984, doi:10.1093/biomet/71.2.353). On
    grids it is one over cells, where the square of a row's own kernel has more; pairs
    of others have as much on the average.
    """

    def score(self, stretch, scale, log_density, slope):
        unit = self.kernels.kernel.log_peak
        density = np.exp(log_density - unit)
        cross = 2 * self.weights @ density, 2 * self.weights @ (density * slope)
        # Σ_i m_i of the density at the locations, at √2 h.
        rows = self.kernels.locations[self.index]
        log_wide, wide_slope = self._anywhere(stretch, np.sqrt(2) * scale, rows)
        wide = np.exp(log_wide - unit)
        square = self.weights @ wide, self.weights @ (wide * wide_slope)
        more = self._more_of_own(stretch, scale)
        return cross[0] - square[0] - more[0], cross[1] - square[1] - more[1]

    def _more_of_own(self, stretch, scale):
        """What sums over cells have more than the integral, and its slope in log t."""
        if self._grids is None:
            return 0.0, 0.0
        kernels = stretch.kernels
        (log_sum, means), (log_square, of_square) = (
            surplus(kernels.scaled(t), self._grids, stretch.statistic)
            for t in (scale, scale / np.sqrt(2))
        )
        ratio = np.exp(log_square - 2 * log_sum)
        ratio_slope = ratio * (2 * means - of_square) @ stretch.columns
        log_own = kernels.log_peak_at(np.sqrt(2) * scale) - self.kernels.kernel.log_peak
        own = self.weights @ self.left_out[self.index] * np.exp(log_own)
        return own * (ratio - 1), own * (ratio_slope - stretch.n_free * (ratio - 1))
