r"""Kernels on a line, open or with bounds: their mass below, above and between points.

A kernel that is reflected at the lower bound a has in [a, a + s] what it has itself in
[a − s, a + s]. With another bound at a distance R this repeats at every 2R. Where R is
some bandwidths only, the reflected kernels are sums of a few cosines,

.. math::

    \sum_j m_j \Bigl[ \frac{1}{R} + \frac{2}{R} \sum_n e^{-\omega_n^2 / 2}
    \cos(\omega_n (x_j - a)) \cos(\omega_n (x - a)) \Bigr], \qquad
    \omega_n = n \pi / R.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev
from scipy.special import ndtr

from skdensity.models.kernels.masses.below import MassBelow
from skdensity.models.normal_mass import mass_between
from skdensity.passes.workspace import Workspace

# Bandwidths between two bounds up to which cosines are taken. Here some mass is
# everywhere, at least 1e-3 of the mean, so that an absolute error will do.
NARROW = 4.0
# The frequency, in bandwidths, from which on a kernel's transform is below rounding.
HIGHEST = 8.5
# So near a bound, in bandwidths, mass is its distance times an even polynomial of the
# distance: the difference that it is farther away would cancel. Of so many terms, their
# error is below 1e-11 for kernels within END of the bound.
NEAR = 0.25
N_TERMS = 16
# What may be missing from a sum.
NEGLIGIBLE = 1e-15


class Line(ABC):
    """Weighted Gaussian kernels of one width, and what holds at bounds.

    Bounds and queries are in the unit of the data: the distance of a query from a bound
    would lose its digits in a difference from any other origin.
    """

    @abstractmethod
    def below(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Mass below queries, with its relative error where it is small."""

    @abstractmethod
    def above(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Mass above queries, with its relative error where it is small."""

    @abstractmethod
    def between(self, lower: float, upper: float) -> np.ndarray:
        """Share of every kernel that is between two values."""


@dataclass(frozen=True, eq=False)
class Reflected(Line):
    """A line with two bounds, one, or none.

    Attributes
    ----------
    locations, masses : ndarray of shape (n_locations,)
        As :func:`~skdensity.models.kernels.masses.lines.line_of` has them.
    width : float
        Standard deviation of the kernels.
    lower, upper : float
        Bounds; the locations are within.
    """

    locations: np.ndarray
    masses: np.ndarray
    width: float
    lower: float
    upper: float

    def below(self, x, workspace):
        out = np.where(x >= self.upper, 1.0, 0.0)
        inside = np.flatnonzero((x > self.lower) & (x < self.upper))
        out[inside] = np.minimum(self._below(x[inside], workspace), 1)
        return out

    def above(self, x, workspace):
        return self._mirrored.below(-x, workspace)

    def between(self, lower, upper):
        lower, upper = max(lower, self.lower), min(upper, self.upper)
        if lower >= upper:
            return np.zeros(len(self.locations))
        ends = np.array([(lower, upper), *self._images(lower, upper)]).T
        steps = (ends[..., None] - self.locations) / self.width
        return mass_between(*steps).sum(axis=0)

    def _images(self, lower, upper):
        """Where kernels have what their images have within an interval."""
        ends = np.array([lower, upper])
        for bound in (self.lower, self.upper):
            if np.isfinite(bound):
                yield 2 * bound - ends[::-1]
        period = 2 * (self.upper - self.lower)
        if np.isfinite(period):
            yield ends + period
            yield ends - period

    @cached_property
    def _mirrored(self):
        return Reflected(
            -self.locations, self.masses, self.width, -self.upper, -self.lower
        )

    @cached_property
    def _origin(self):
        """Where bandwidths are counted from: a bound, or the middle, not an outlier."""
        if np.isfinite(self.lower):
            return self.lower
        return self.upper if np.isfinite(self.upper) else np.median(self.locations)

    @cached_property
    def _open(self):
        """The kernels without bounds."""
        points = (self.locations - self._origin) / self.width
        return MassBelow.of(points, self.masses)

    def _open_above(self, z, workspace):
        mirrored = self._mirrored
        origins = (self._origin + mirrored._origin) / self.width
        return mirrored._open.at(-z - origins, workspace)

    def _below(self, x, workspace):
        z = (x - self._origin) / self.width
        if np.isfinite(self.lower):
            return self._within(z, workspace)
        mass = self._open.at(z, workspace)
        if np.isfinite(self.upper):  # where what is above is reflected from
            _add(mass, -z, lambda near: self._open_above(-z[near], workspace))
        return mass

    def _within(self, s, workspace):
        """Mass between the lower bound and points at some distances from it."""
        mass = self._differences(s, workspace)
        near = s < NEAR
        if near.any():
            mass[near] = s[near] * self._slope(s[near] ** 2)
        return mass

    def _differences(self, s, workspace):
        mass, length = (
            self._open.at(s, workspace),
            (self.upper - self.lower) / self.width,
        )
        _add(mass, s, lambda near: -self._open.at(-s[near], workspace))

        def repeated(near: np.ndarray) -> np.ndarray:
            far, near_by = 2 * length + s[near], 2 * length - s[near]
            above = self._open_above(near_by, workspace)
            above -= self._open_above(far, workspace)
            below = self._open.at(-near_by, workspace) - self._open.at(-far, workspace)
            return above + below

        _add(mass, length - s, repeated)
        return mass

    @cached_property
    def _slope(self):
        """Mass near the lower bound over the distance from it, by its square."""

        def slope(squares):
            s = np.sqrt(squares)
            return self._differences(s, Workspace()) / s

        return Chebyshev.interpolate(slope, N_TERMS - 1, domain=[0, NEAR**2])


def _add(mass, distances, term):
    """Add what is not more than a kernel has beyond some distances, where it counts."""
    near = np.flatnonzero(ndtr(-distances) > NEGLIGIBLE * mass)
    if len(near):
        mass[near] += term(near)


@dataclass(frozen=True, eq=False)
class BetweenNearBounds(Line):
    """A line between two bounds that are at most NARROW bandwidths apart.

    Attributes
    ----------
    locations, masses : ndarray of shape (n_locations,)
        As :func:`~skdensity.models.kernels.masses.lines.line_of` has them.
    width : float
        Standard deviation of the kernels.
    lower, upper : float
        Bounds; the locations are within.
    """

    locations: np.ndarray
    masses: np.ndarray
    width: float
    lower: float
    upper: float

    def below(self, x, workspace):
        return self._integral(x - self.lower, self._means)

    def above(self, x, workspace):
        # cos(n (π − x)) = (−1)ⁿ cos(n x)
        signs = (-1.0) ** np.arange(len(self._means))
        return self._integral(self.upper - x, signs * self._means)

    def between(self, lower, upper):
        ends = np.clip([lower, upper], self.lower, self.upper) - self.lower
        middle, half = ends.sum() / (2 * self.width), np.diff(ends) / (2 * self.width)
        waves = self._damped * np.cos(self._frequencies * middle)
        terms = 2 * half * np.sinc(self._frequencies * half / np.pi) * waves
        return self._cosines @ terms

    @property
    def _length(self):
        """Bandwidths between the bounds."""
        return (self.upper - self.lower) / self.width

    @cached_property
    def _frequencies(self):
        return np.pi / self._length * np.arange(int(HIGHEST * self._length / np.pi) + 2)

    @cached_property
    def _damped(self):
        """Transform of the kernel, twice but for the constant, over the length."""
        both = np.where(self._frequencies > 0, 2, 1)
        return both * np.exp(-0.5 * self._frequencies**2) / self._length

    @cached_property
    def _cosines(self):
        s = (self.locations - self.lower) / self.width
        return np.cos(np.outer(s, self._frequencies))

    @cached_property
    def _means(self):
        return self.masses @ self._cosines

    def _integral(self, distances, means):
        s = np.clip(distances / self.width, 0, self._length)
        waves = s[:, None] * np.sinc(np.outer(s, self._frequencies) / np.pi)
        return waves @ (self._damped * means)
