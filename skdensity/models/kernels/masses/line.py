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

from skdensity.models.kernels.masses.below import MassBelow
from skdensity.models.kernels.masses.normal import mass_between
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


class Line(ABC):
    """Weighted points with standard normal kernels, and what holds at bounds."""

    @abstractmethod
    def below(self, z: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Mass below queries, with its relative error where it is small."""

    @abstractmethod
    def above(self, z: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Mass above queries, with its relative error where it is small."""

    @abstractmethod
    def between(self, lower: float, upper: float) -> np.ndarray:
        """Mass of every kernel between two points, if its point had mass 1."""


def line_of(points: np.ndarray, masses: np.ndarray, limits: np.ndarray | None) -> Line:
    """The line that points are on.

    Parameters
    ----------
    points : ndarray of shape (n_points,)
        In bandwidths.
    masses : ndarray of shape (n_points,)
        Positive, summing to 1.
    limits : ndarray of shape (2,), optional
        Lower and upper bound, infinite where there is none.
    """
    lower, upper = (-np.inf, np.inf) if limits is None else limits
    kind = BetweenNearBounds if upper - lower < NARROW else Reflected
    return kind(points, masses, lower, upper)


@dataclass(frozen=True, eq=False)
class Reflected(Line):
    """A line with two bounds, one, or none.

    Attributes
    ----------
    points, masses : ndarray of shape (n_points,)
        As in :func:`line_of`.
    lower, upper : float
        Bounds; the points are within.
    """

    points: np.ndarray
    masses: np.ndarray
    lower: float
    upper: float

    def below(self, z, workspace):
        out = np.where(z >= self.upper, 1.0, 0.0)
        inside = np.flatnonzero((z > self.lower) & (z < self.upper))
        out[inside] = np.minimum(self._below(z[inside], workspace), 1)
        return out

    def above(self, z, workspace):
        return self._mirrored.below(-z, workspace)

    def between(self, lower, upper):
        lower, upper = max(lower, self.lower), min(upper, self.upper)
        if lower >= upper:
            return np.zeros(len(self.points))
        intervals = [(lower, upper), *self._images(lower, upper)]
        return sum(mass_between(a - self.points, b - self.points) for a, b in intervals)

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
        return Reflected(-self.points, self.masses, -self.upper, -self.lower)

    @cached_property
    def _open(self):
        """The kernels without bounds."""
        return MassBelow.of(self.points, self.masses)

    def _open_above(self, z, workspace):
        return self._mirrored._open.at(-z, workspace)

    def _below(self, z, workspace):
        if self.lower == -np.inf:
            mass = self._open.at(z, workspace)
            if self.upper < np.inf:
                mass += self._open_above(2 * self.upper - z, workspace)
            return mass
        distances = z - self.lower
        mass = self._within(distances, workspace)
        near = distances < NEAR
        if near.any():
            mass[near] = distances[near] * self._slope(distances[near] ** 2)
        return mass

    def _within(self, s, workspace):
        """Mass between the lower bound and points at some distances from it."""
        a, period = self.lower, 2 * (self.upper - self.lower)
        mass = self._open.at(a + s, workspace) - self._open.at(a - s, workspace)
        if np.isfinite(period):
            b, c = a + period, a - period
            mass += self._open_above(b - s, workspace)
            mass -= self._open_above(b + s, workspace)
            mass += self._open.at(c + s, workspace) - self._open.at(c - s, workspace)
        return mass

    @cached_property
    def _slope(self):
        """Mass near the lower bound over the distance from it, by its square."""

        def slope(squares):
            s = np.sqrt(squares)
            return self._within(s, Workspace()) / s

        return Chebyshev.interpolate(slope, N_TERMS - 1, domain=[0, NEAR**2])


@dataclass(frozen=True, eq=False)
class BetweenNearBounds(Line):
    """A line between two bounds that are at most NARROW bandwidths apart.

    Attributes
    ----------
    points, masses : ndarray of shape (n_points,)
        As in :func:`line_of`.
    lower, upper : float
        Bounds; the points are within.
    """

    points: np.ndarray
    masses: np.ndarray
    lower: float
    upper: float

    def below(self, z, workspace):
        s = np.clip(z - self.lower, 0, self.upper - self.lower)
        return self._integral(s, self._means)

    def above(self, z, workspace):
        s = np.clip(self.upper - z, 0, self.upper - self.lower)
        # cos(n (π − x)) = (−1)ⁿ cos(n x)
        return self._integral(s, self._means * (-1.0) ** np.arange(len(self._means)))

    def between(self, lower, upper):
        ends = np.clip([lower, upper], self.lower, self.upper) - self.lower
        wide, narrow = ends.sum() / 2, np.diff(ends) / 2
        waves = self._damped * np.cos(self._frequencies * wide)
        terms = 2 * narrow * np.sinc(self._frequencies * narrow / np.pi) * waves
        return self._cosines @ terms

    @cached_property
    def _frequencies(self):
        width = self.upper - self.lower
        return np.pi / width * np.arange(int(HIGHEST * width / np.pi) + 2)

    @cached_property
    def _damped(self):
        """Transform of the kernel, twice but for the constant, over the width."""
        both = np.where(self._frequencies > 0, 2, 1)
        width = self.upper - self.lower
        return both * np.exp(-0.5 * self._frequencies**2) / width

    @cached_property
    def _cosines(self):
        return np.cos(np.outer(self.points - self.lower, self._frequencies))

    @cached_property
    def _means(self):
        return self.masses @ self._cosines

    def _integral(self, s, means):
        waves = s[:, None] * np.sinc(np.outer(s, self._frequencies) / np.pi)
        return waves @ (self._damped * means)
