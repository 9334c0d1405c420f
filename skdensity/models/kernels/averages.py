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


class Straight(Average):
    """On a line a kernel has its mean where it stands."""

    def columns(self, x):
        return x[:, None]

    def of(self, means):
        return means[:, 0]


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
    """

    def columns(self, x):
        distance = np.abs(x - self.axis.node)
        is_short = self.axis.period <= SHORT * self.width
        mean = (self._of_waves if is_short else self._of_turns)(distance)
        sign = 1 if self.axis.node == self.axis.lower else -1
        return (self.axis.node + sign * mean)[:, None]

    def _of_turns(self, distance):
        between, h = 0.5 * self.axis.period, self.width
        most = 0 if np.isinf(between) else int(REACH * h / between) + 1
        mean = distance.copy()
        for k in range(-most, most + 2 if most else 1):
            a = np.abs(distance - (k * between if k else 0.0)) / h
            density = np.exp(-0.5 * a**2) / np.sqrt(2 * np.pi)
            mean += (-1) ** k * 2 * h * (density - a * ndtr(-a))
        return mean

    def _of_waves(self, distance):
        between = 0.5 * self.axis.period
        n = np.arange(1, 2 * N_WAVES, 2)
        heights = np.exp(-0.5 * (n * np.pi * self.width / between) ** 2) / n**2
        waves = np.cos(np.multiply.outer(distance, n * np.pi / between)) @ heights
        return between * (0.5 - 4 / np.pi**2 * waves)

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
