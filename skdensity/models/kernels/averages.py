"""The mean of kernels along a feature: on a line, between mirrors, around a circle.

Every kernel has columns, of which the mean over kernels tells their common mean: its
place on a line; the mean of the reflected kernel where there are mirrors; and on a
circle the direction of the place, of which kernels of one width make as much.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import ndtr

from skdensity.models.kernels.folds import SHORT
from skdensity.models.kernels.support import Axis

# Widths from a mirror at which a kernel has nothing beyond it that shows.
REACH = 9.0
# Waves of a zigzag, of which mirrors that are near to each other leave this many: the
# next is down to exp(−1.23 · 81).
N_WAVES = 4


class Average(ABC):
    """The mean along a feature of kernels that all have one width.

    Parameters
    ----------
    axis : Axis
        The values of the feature.
    width : float
        Standard deviation of the kernels, before they are folded.
    """

    def __init__(self, axis: Axis, width: float) -> None:
        self.axis, self.width = axis, width

    @abstractmethod
    def columns(self, x: np.ndarray) -> np.ndarray:
        """What is averaged of kernels at x, of shape (n_locations, n_columns)."""

    @abstractmethod
    def of(self, means: np.ndarray) -> np.ndarray:
        """Their mean, of shape (n_rows,), from those of the columns."""

    def deviations(self, x: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Standard deviation of kernels at x, of shape (n_rows,).

        Parameters
        ----------
        x : ndarray of shape (n_locations,)
            Where they are.
        shares : ndarray of shape (n_locations, n_rows)
            What each counts; columns sum to 1.
        """
        centres = self.columns(x)[:, 0]
        squares = (centres[:, None] - centres @ shares) ** 2
        squares += self.variances(x)[:, None]
        return np.sqrt(np.einsum("jn,jn->n", shares, squares))

    @abstractmethod
    def variances(self, x: np.ndarray) -> np.ndarray:
        """Variance of every kernel at x, folded, of shape (n_locations,)."""


class Straight(Average):
    """On a line a kernel has its mean where it stands."""

    def columns(self, x):
        return x[:, None]

    def of(self, means):
        return means[:, 0]

    def variances(self, x):
        return np.full(len(x), self.width**2)


class Mirrored(Average):
    r"""Between mirrors the mean moves inwards.

    With the distance δ from one mirror and T between them, reflection is a zigzag of
    which the slope turns at every kT. So

    .. math::

        E = \delta + h \sum_k (-1)^k g(|\delta - k T| / h), \qquad
        g(a) = 2 (\varphi(a) - a \Phi(-a)),

    and where T is short beside h, its Fourier series

    .. math::

        E = \frac{T}{2} - \frac{4T}{\pi^2} \sum_{n \text{ odd}} n^{-2}
        e^{-(n \pi h / T)^2 / 2} \cos(n \pi \delta / T).

    The square of the zigzag is smooth where it touches the first mirror, and its slope
    turns at the other, at every odd k. With :math:`t_k = h g(|\delta - k T| / h)` its
    mean and its series are

    .. math::

        \delta^2 + h^2 - 2 T \sum_{k \text{ odd}} t_k, \qquad
        \frac{T^2}{3} + \frac{4T^2}{\pi^2} \sum_n (-1)^n n^{-2}
        e^{-(n \pi h / T)^2 / 2} \cos(n \pi \delta / T).
    """

    def columns(self, x):
        distance = np.abs(x - self.axis.node)
        mean = self._mean(distance)
        sign = 1 if self.axis.node == self.axis.lower else -1
        return (self.axis.node + sign * mean)[:, None]

    def variances(self, x):
        distance = np.abs(x - self.axis.node)
        if self._is_short:
            return self._waves_of_square(distance) - self._mean(distance) ** 2
        # Differences of what mirrors add: the squares of a far kernel would cancel.
        terms = self._turns(distance)
        more = sum((-1) ** k * term for k, term in terms.items())
        squares = sum(term for k, term in terms.items() if k % 2)
        squares = self._between * squares if np.isfinite(self._between) else 0
        return self.width**2 - 2 * squares - more * (2 * distance + more)

    @property
    def _between(self):
        """The distance of one mirror from the other."""
        return 0.5 * self.axis.period

    @property
    def _is_short(self):
        return self.axis.period <= SHORT * self.width

    def _mean(self, distance):
        if self._is_short:
            return self._waves_of_mean(distance)
        turns = self._turns(distance).items()
        return distance + sum((-1) ** k * term for k, term in turns)

    def _turns(self, distance):
        """h g(|δ − k T| / h) of every k that counts."""
        between, h = self._between, self.width
        most = 0 if np.isinf(between) else int(REACH * h / between) + 1
        terms = {}
        for k in range(-most, most + 2 if most else 1):
            a = np.abs(distance - (k * between if k else 0.0)) / h
            density = np.exp(-0.5 * a**2) / np.sqrt(2 * np.pi)
            terms[k] = 2 * h * (density - a * ndtr(-a))
        return terms

    def _waves_of_mean(self, distance):
        n = np.arange(1, 2 * N_WAVES, 2)
        waves = self._waves(distance, n) @ n**-2.0
        return self._between * (0.5 - 4 / np.pi**2 * waves)

    def _waves_of_square(self, distance):
        n = np.arange(1, 2 * N_WAVES)
        waves = self._waves(distance, n) @ ((-1.0) ** n / n**2)
        return self._between**2 * (1 / 3 + 4 / np.pi**2 * waves)

    def _waves(self, distance, n):
        """Cosines that the kernel damps, of shape (n_locations, n_waves)."""
        heights = np.exp(-0.5 * (n * np.pi * self.width / self._between) ** 2)
        return heights * np.cos(np.multiply.outer(distance, n * np.pi / self._between))

    def of(self, means):
        return means[:, 0]


class Circular(Average):
    """Around a circle it is the direction of the mean on the plane."""

    def columns(self, x):
        angle = 2 * np.pi / self.axis.period * (x - self.axis.lower)
        return np.column_stack([np.cos(angle), np.sin(angle)])

    def of(self, means):
        turns = np.arctan2(means[:, 1], means[:, 0]) / (2 * np.pi)
        return self.axis.wrap(self.axis.lower + self.axis.period * turns)

    def deviations(self, x, shares):
        """Circular ones: that of a Gaussian around the circle is its own."""
        length = np.minimum(np.hypot(*(self.columns(x).T @ shares)), 1)
        radius = self.axis.period / (2 * np.pi)
        with np.errstate(divide="ignore"):  # infinite without any direction
            return np.sqrt(self.variances(x)[0] - 2 * radius**2 * np.log(length))

    def variances(self, x):
        return np.full(len(x), self.width**2)


def average_of(axis: Axis, width: float) -> Average:
    """The mean along a feature.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.averages import average_of
    >>> from skdensity.models.kernels.support import Axis
    >>> day = average_of(Axis(0.0, 24.0, is_circle=True), width=1.0)
    >>> day.of(day.columns(np.array([23.0, 2.0])).mean(axis=0)[None]).round(3)
    array([0.5])
    """
    if axis.is_circle:
        return Circular(axis, width)
    return (Mirrored if axis.has_mirror else Straight)(axis, width)
