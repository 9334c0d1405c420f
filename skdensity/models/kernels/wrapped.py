r"""Gaussians that repeat around a circle, and what their images add up to.

.. math::

    \theta(\delta) = \sum_k e^{-(\delta + k T)^2 / 2} = \frac{\sqrt{2 \pi}}{T} \Bigl(
    1 + 2 \sum_{n \ge 1} e^{-\omega_n^2 / 2} \cos \omega_n \delta \Bigr), \qquad
    \omega_n = 2 \pi n / T

for a circle of T bandwidths. The images end soon where T is long, the Fourier series
where it is short, so that a kernel of any width takes a handful of terms. All sums are
relative to the nearest image, which no width lets underflow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

# Bandwidths around the circle up to which the series is taken: both are then down to
# five terms, and nothing cancels, as the kernel is at least 0.4 of its mean anywhere.
SHORT = 4.0
# Terms with less than exp(−EXPONENT) of the largest show in no digit.
EXPONENT = 40.0


class Wrapped(ABC):
    """A Gaussian of bandwidth 1 around a circle."""

    @abstractmethod
    def moments(
        self, near: np.ndarray, log_scale: np.ndarray | float, degree: int
    ) -> list[np.ndarray]:
        r"""Sums :math:`\sum_k \delta_k^p e^{-\delta_k^2 / 2}` for p = 0 to `degree`.

        Parameters
        ----------
        near : ndarray
            Where the nearest image is, at most T/2 away.
        log_scale : ndarray or float
            Sums are multiplied by the exponential of `log_scale` + near² / 2.
        degree : int
            0, 1 or 2.
        """

    @property
    @abstractmethod
    def log_most(self) -> float:
        """A bound on how much all images are, relative to the nearest."""


class Images(Wrapped):
    """One by one.

    Parameters
    ----------
    period : float
        T, of any length; infinite for a line.
    """

    def __init__(self, period: float) -> None:
        self._shifts = []
        if np.isfinite(period):
            # The nearest is within T/2: (jT − δ)² − δ² ≥ j (j − 1) T², on the side of
            # the nearest; (jT + δ)² − δ² ≥ j² T² on the other.
            for j in range(1, 3 + int(np.sqrt(2 * EXPONENT) / period)):
                squares = {-j: j * (j - 1) * period**2, j: (j * period) ** 2}
                self._shifts += [
                    k * period for k, least in squares.items() if least < 2 * EXPONENT
                ]

    @property
    def log_most(self) -> float:
        """Every image is at most as large as the nearest."""
        return float(np.log1p(len(self._shifts)))

    def moments(self, near, log_scale, degree):
        """As promised by :class:`Wrapped`."""
        sums = _powers(np.exp(log_scale), near, degree)
        if not self._shifts:
            return sums
        side, signs = np.abs(near), [1.0, np.sign(near), 1.0]
        for shift in self._shifts:
            weight = np.exp(log_scale - shift * (side + 0.5 * shift))
            terms = _powers(weight, side + shift, degree)
            sums = [a + s * b for a, s, b in zip(sums, signs, terms, strict=False)]
        return sums


class Series(Wrapped):
    """As a Fourier series.

    Parameters
    ----------
    period : float
        T, at most `SHORT` for nothing to cancel.
    """

    def __init__(self, period: float) -> None:
        n_terms = int(np.sqrt(2 * EXPONENT) * period / (2 * np.pi))
        self._omega = 2 * np.pi / period * np.arange(1, n_terms + 1)
        self._mean = np.sqrt(2 * np.pi) / period
        self._amplitudes = 2 * self._mean * np.exp(-0.5 * self._omega**2)
        self._period = period

    @property
    def log_most(self) -> float:
        """Where all waves have their crest, half a circle from the nearest."""
        most = self._mean + self._amplitudes.sum()
        return float(np.log(most) + self._period**2 / 8)

    def moments(self, near, log_scale, degree):
        """As promised by :class:`Wrapped`; means of δ are derivatives of θ."""
        scale = np.exp(log_scale + 0.5 * near**2)
        value, slope, curvature = self._mean + 0 * near, 0 * near, 0 * near
        for omega, amplitude in zip(self._omega, self._amplitudes, strict=True):
            wave = amplitude * np.cos(omega * near)
            value = value + wave
            curvature = curvature - omega**2 * wave
            if degree:
                slope = slope - omega * amplitude * np.sin(omega * near)
        sums = [value, -slope, value + curvature]
        return [scale * total for total in sums[: degree + 1]]


def wrapped(period: float) -> Wrapped:
    """The Gaussian around a circle of so many bandwidths, in few terms.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.wrapped import wrapped
    >>> (total,) = wrapped(6.0).moments(np.array([3.0]), 0.0, degree=0)
    >>> total  # two images are equally near
    array([2.])
    """
    return Series(period) if period <= SHORT else Images(period)


def _powers(weight, offset, degree):
    """Weight times 1, the offset, and its square, up to a degree."""
    sums = [weight]
    for _ in range(degree):
        sums.append(sums[-1] * offset)
    return sums
