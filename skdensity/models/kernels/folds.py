r"""Kernels that are folded back: of a pair, a product of one sum of images per feature.

.. math::

    k(q, x) = \prod_a \sum_{y \in \text{images of } x_a} e^{-(q_a - y)^2 / 2 h^2}

The images of a row are all combinations of those of its features, but their sum
factorises: work adds up over features, where that of images would multiply. Along one
feature images end soon where their period T is long. Where it is short the Fourier
series does,

.. math::

    \sum_k e^{-(\delta + k T)^2 / 2} = \frac{\sqrt{2 \pi}}{T} \Bigl(1 + 2 \sum_{n \ge 1}
    e^{-\omega_n^2 / 2} \cos \omega_n \delta \Bigr), \qquad \omega_n = 2 \pi n / T,

so that a kernel of any width takes a handful of terms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from skdensity.models.kernels.statistics import PairStatistic
from skdensity.models.kernels.support import Axis, Support

# Period, in bandwidths, up to which the series is taken: both are then down to five
# terms, and nothing cancels, as the kernel is at least 0.4 of its mean anywhere.
SHORT = 4.0
# Terms with less than exp(−EXPONENT) of the largest show in no digit.
EXPONENT = 40.0
# That is so many bandwidths away.
REACH = np.sqrt(2 * EXPONENT)

Folded = tuple[np.ndarray | float, np.ndarray, np.ndarray | float]


class Fold(ABC):
    """The kernel along a feature that is more than a line.

    Parameters
    ----------
    axis : Axis
        The values of the feature.
    bandwidth : float
        Standard deviation h.

    Attributes
    ----------
    is_straight : bool
        Whether images are added to a Gaussian of the difference, which is that of a
        line and counted there.
    """

    is_straight: bool

    def __init__(self, axis: Axis, bandwidth: float) -> None:
        self.axis, self.bandwidth = axis, bandwidth

    @property
    @abstractmethod
    def log_most(self) -> float:
        """A bound on how much all images are, relative to the nearest."""

    @abstractmethod
    def of_pairs(self, q: np.ndarray, x: np.ndarray, degree: int) -> Folded:
        r"""Pairs of queries and sources on the axis, which broadcast.

        Returns
        -------
        exponents : ndarray or float
            Of what the sum of images is relative to, beyond a Gaussian of a difference.
        factors : ndarray
            The sum, relative to that.
        means : ndarray or float
            Of Δ to the power of `degree` over the images, beyond that of a difference.
        """


class Reflections(Fold):
    """Mirrors so far from each other that few images matter."""

    is_straight = True

    @cached_property
    def _terms(self):
        """Images x + s and c − x, as s and c."""
        return list(self._shifts()), list(self._centres())

    def _shifts(self) -> Iterator[float]:
        period = self.axis.period
        if np.isfinite(period):
            for k in (-2, -1, 1, 2):
                # (|δ| − |k| T)² − δ² with |δ| of at most T / 2, as any difference is.
                if self._matters(np.sqrt(abs(k) * (abs(k) - 1)) * period):
                    yield k * period

    def _centres(self) -> Iterator[float]:
        period, twice = self.axis.period, 2 * self.axis.node
        yield twice
        if np.isfinite(period):
            for k in (1, -1, 2, -2, 3):
                # Mirrors are T / 2 apart: c is at least |k| T or (k − 1) T from 2x.
                if self._matters(max(k - 1, -k) * period):
                    yield twice + k * period

    def _matters(self, least):
        """Whether kernels do not vanish at a distance, whose square may overflow."""
        return least < REACH * self.bandwidth

    @property
    def log_most(self) -> float:
        """Every image is at most as large as the source's own kernel."""
        shifts, centres = self._terms
        return float(np.log(1 + len(shifts) + len(centres)))

    def of_pairs(self, q, x, degree):
        """As :class:`Fold` says."""
        total, excess = _constant(1.0, q, x), _constant(0.0, q, x)
        for exponents, move in self._images(q, x):
            weight = np.exp(exponents)
            total += weight
            if degree:
                weight *= move if degree == 1 else -2 * exponents
                excess += weight
        return 0.0, total, np.divide(excess, total, out=excess) if degree else 0.0

    def _images(self, q, x):
        """What exponents of images have besides that of the difference, and Δ has."""
        (shifts, centres), h = self._terms, self.bandwidth
        for s in shifts:
            # (x + s − q)² − (x − q)² = 2 s (x + s/2 − q)
            yield (-s / h**2) * (x + 0.5 * s) + (s / h**2) * q, s / h
        for c in centres:
            # (c − x − q)² − (x − q)² = (c − 2q)(c − 2x)
            yield (-0.5 / h**2 * (c - 2 * q)) * (c - 2 * x), (c - 2 * x) / h


class Turns(Fold):
    """A circle so long that few images matter."""

    is_straight = False

    @cached_property
    def _shifts(self):
        """Whole periods, on the side of the nearest image and on the other."""
        period = self.axis.period / self.bandwidth
        near = [-k * period for k in (1, 2) if np.sqrt(k * (k - 1)) * period < REACH]
        return near + [k * period for k in (1, 2) if k * period < REACH]

    @property
    def log_most(self) -> float:
        """Every image is at most as large as the nearest."""
        return float(np.log(1 + len(self._shifts)))

    def of_pairs(self, q, x, degree):
        """As :class:`Fold` says."""
        steps, period = x - q, self.axis.period
        side = np.abs(steps)
        side = np.minimum(side, np.abs(period - side)) / self.bandwidth
        total, powers = _constant(1.0, q, x), side**degree if degree else 0.0
        for shift in self._shifts:
            weight = np.exp(-shift * (side + 0.5 * shift))
            total += weight
            if degree:
                weight *= (side + shift) ** degree
                powers += weight
        if degree == 1:
            powers *= np.sign(steps - period * np.rint(steps / period))
        return -0.5 * side**2, total, powers / total


class Waves(Fold):
    """A circle, or mirrors, so short that few waves matter."""

    is_straight = False

    @cached_property
    def _waves(self):
        """Amplitudes, relative to the mean, and frequencies in units of 1/h."""
        n_waves = int(REACH * self._period / (2 * np.pi))
        omega = 2 * np.pi / self._period * np.arange(1, n_waves + 1)
        return 2 * np.exp(-0.5 * omega**2), omega

    @cached_property
    def _log_mean(self):
        """Of a source and, beyond a mirror, its reflection."""
        n_copies = 1 if self.axis.is_circle else 2
        return float(np.log(n_copies * np.sqrt(2 * np.pi) / self._period))

    @property
    def _period(self):
        return self.axis.period / self.bandwidth

    @property
    def log_most(self) -> float:
        """Where all waves have their crest, half a period from the nearest image."""
        amplitudes, _ = self._waves
        crest = self._log_mean + np.log(1 + amplitudes.sum())
        return float(crest + self._period**2 / 8)

    def of_pairs(self, q, x, degree):
        """As :class:`Fold` says; means of Δ and Δ² − 1 are derivatives."""
        q, x = ((z - self.axis.node) / self.bandwidth for z in (q, x))
        total, moment = _constant(1.0, q, x), _constant(0.0, q, x)
        for amplitude, omega in zip(*self._waves, strict=True):
            wave, slope = self._wave(omega * q, omega * x, amplitude, degree)
            total += wave
            if degree == 1:
                moment += omega * slope
            if degree == 2:
                moment -= omega**2 * wave
        if degree == 2:
            moment += total
        return self._log_mean, total, np.divide(moment, total, out=moment)

    def _wave(self, q, x, amplitude, degree):
        """A wave between two places, and its slope in that of the query."""
        cos_q, sin_q = amplitude * np.cos(q), amplitude * np.sin(q)
        wave = cos_q * np.cos(x)
        slope = -sin_q * np.cos(x) if degree == 1 else 0.0
        if self.axis.is_circle:
            wave += sin_q * np.sin(x)
            slope = slope + cos_q * np.sin(x) if degree == 1 else slope
        return wave, slope


def _constant(value, q, x):
    """A table of all pairs, filled with a value."""
    return np.full(np.broadcast_shapes(q.shape, x.shape), value)


def fold_of(axis: Axis, bandwidth: float) -> Fold:
    """The kernel along a feature, in few terms.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.folds import fold_of
    >>> from skdensity.models.kernels.support import Axis
    >>> day = fold_of(Axis(0.0, 24.0, is_circle=True), bandwidth=2.0)
    >>> exponent, factor, _ = day.of_pairs(np.array([23.0]), np.array([1.0]), degree=0)
    >>> exponent, factor  # two hours apart are one bandwidth
    (array([-0.5]), array([1.]))
    """
    if axis.period <= SHORT * bandwidth:
        return Waves(axis, bandwidth)
    return (Turns if axis.is_circle else Reflections)(axis, bandwidth)


@dataclass(frozen=True)
class FoldedKernel:
    """The kernel of all features, some of which may be folded.

    Attributes
    ----------
    support : Support
        Where queries and sources are.
    bandwidth : float
        Standard deviation h along every feature.
    """

    support: Support
    bandwidth: float

    @cached_property
    def folds(self) -> dict[int, Fold]:
        """By feature."""
        axes = self.support.axes.items()
        return {k: fold_of(axis, self.bandwidth) for k, axis in axes}

    @property
    def log_most(self) -> float:
        """A bound on how much all images are, relative to the nearest."""
        return float(sum(fold.log_most for fold in self.folds.values()))

    def straight(self, X: np.ndarray) -> np.ndarray:
        """Rows, or differences, without the features that no line stands for."""
        bent = [k for k, fold in self.folds.items() if not fold.is_straight]
        if bent:
            X = X.copy()
            X[:, bent] = 0
        return X

    def of_pairs(
        self, queries: np.ndarray, points: np.ndarray, statistic: PairStatistic
    ) -> tuple[np.ndarray | float, np.ndarray | float, list]:
        """What folds make of pairs, beyond a Gaussian of their straight differences.

        Parameters
        ----------
        queries, points : ndarray of shape (n_features, ...)
            Feature by feature; the pairs broadcast.
        statistic : PairStatistic
            What to average over images.

        Returns
        -------
        exponents : ndarray or float
            What the exponents of the Gaussian have besides.
        factors : ndarray or float
            What its value is then multiplied with.
        columns : list of ndarray or float
            What the columns of the statistic have besides.
        """
        means: list[np.ndarray | float] = [0.0] * len(queries)
        parts = []
        for k, fold in self.folds.items():
            *part, means[k] = fold.of_pairs(queries[k], points[k], statistic.degree)
            parts.append(part)
        exponents = [part for part, _ in parts if np.ndim(part) or part]
        factors = [factor for _, factor in parts]
        return (
            reduce(np.add, exponents) if exponents else 0.0,
            reduce(np.multiply, factors) if factors else 1.0,
            statistic.of_folds(means),
        )

    def log_of_rows(
        self, queries: np.ndarray, points: np.ndarray, statistic: PairStatistic
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log-kernels of pairs that are given row by row, and columns of a statistic.

        Parameters
        ----------
        queries, points : ndarray of shape (n_pairs or 1, n_features)
            One of each for every pair.
        statistic : PairStatistic
            What to average over images.

        Returns
        -------
        log_kernels : ndarray of shape (n_pairs,)
            Of all images; a kernel is 1 at its centre.
        columns : ndarray of shape (n_pairs, n_columns)
            Of the statistic.
        """
        exponents, factors, more = self.of_pairs(queries.T, points.T, statistic)
        delta = self.straight(points - queries) / self.bandwidth
        log_kernels = np.einsum("nd,nd->n", delta, delta)
        log_kernels *= -0.5
        log_kernels += exponents + np.log(factors)
        columns = statistic.of_differences(delta)
        for column, besides in zip(columns.T, more, strict=True):
            column += besides
        return log_kernels, columns
