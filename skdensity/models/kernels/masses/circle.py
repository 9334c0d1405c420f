"""Kernels around a circle: their mass in arcs, from their images on a line.

What images below the cut have in [0, s] is a difference of masses above, and what the
others have one of masses below: neither cancels, but for short arcs, whose mass is an
integral of the density.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev

from skdensity.models.kernels.masses.below import END, FULL, MassBelow
from skdensity.models.kernels.masses.line import NARROW, Line
from skdensity.models.kernels.support import Axis
from skdensity.models.normal_mass import mass_between

# Bandwidths around a circle up to which a kernel is flat to the last digit:
# exp(−2π² / 0.7²) is 3e-18.
FLAT = 0.7
# Length of arcs, in bandwidths, up to which the density is integrated, as a polynomial
# of so many terms: enough for kernels END away, which grow by a factor of 15,000 there.
NEAR = 0.25
N_TERMS = 28


@dataclass(frozen=True, eq=False)
class Circle(Line):
    """A circle that is cut at its ends; both ends of it are queries, too.

    Attributes
    ----------
    locations, masses : ndarray of shape (n_locations,)
        As :func:`~skdensity.models.kernels.masses.lines.line_of` has them.
    width : float
        Standard deviation of the kernels.
    axis : Axis
        The circle.
    """

    locations: np.ndarray
    masses: np.ndarray
    width: float
    axis: Axis

    def below(self, x, workspace):
        s = np.clip((x - self.axis.lower) / self._width, 0, self._length)
        mass = np.minimum(self._differences(s, workspace), 1)
        near = s < NEAR
        if near.any():
            mass[near] = s[near] * self._mean_density(s[near])
        mass[s == self._length] = 1
        return mass

    def above(self, x, workspace):
        return self._mirrored.below(self.axis.lower + self.axis.upper - x, workspace)

    def between(self, lower, upper):
        lower = lower if np.isfinite(lower) else self.axis.lower
        upper = upper if np.isfinite(upper) else self.axis.upper
        arc = min(max(upper - lower, 0.0), self.axis.period) / self._width
        # An arc may go on beyond the end of the turn, where there are images as well.
        (start,) = self.axis.wrap(np.array([lower])) - self.axis.lower
        begin = start / self._width
        shares = sum(mass_between(begin - x, begin + arc - x) for x in self._images)
        return np.minimum(shares, 1)

    @property
    def _width(self):
        """No more than what is flat: wider kernels had images without number."""
        return min(self.width, self.axis.period / FLAT)

    @property
    def _length(self):
        """Bandwidths around the circle."""
        return self.axis.period / self._width

    @property
    def _reach(self):
        """Bandwidths beyond which kernels do not count.

        Around a short circle some mass is everywhere: an absolute error will do.
        """
        return END if self._length > NARROW else FULL

    @cached_property
    def _mirrored(self):
        """The circle in the other direction."""
        ends = self.axis.lower + self.axis.upper
        return Circle(ends - self.locations, self.masses, self.width, self.axis)

    @cached_property
    def _images(self):
        """The locations in bandwidths, as far away as their kernels reach the turn."""
        turn = Axis(0.0, self._length, is_circle=True)
        points = self.axis.wrap(self.locations) - self.axis.lower
        return turn.images(points / self._width, self._reach)

    @cached_property
    def _unrolled(self):
        """All images that reach the turn, and their masses."""
        points = np.concatenate(self._images)
        masses = np.tile(self.masses, len(self._images))
        reaches = (points > -self._reach) & (points < self._length + self._reach)
        return points[reaches], masses[reaches]

    @cached_property
    def _halves(self):
        """Images above the cut, and the mirror images of those below it."""
        points, masses = self._unrolled
        is_above = points >= 0
        return [
            MassBelow.of(sign * points[here], masses[here])
            for sign, here in ((1, is_above), (-1, ~is_above))
        ]

    def _differences(self, s, workspace):
        """Mass between the cut and points at some distances from it."""
        above, below = self._halves
        cut = np.zeros(1)
        mass = above.at(s, workspace) - above.at(cut, workspace)
        return mass + (below.at(cut, workspace) - below.at(-s, workspace))

    @cached_property
    def _mean_density(self):
        """That between the cut and points near it, by their distance."""
        domain = [0, NEAR]
        density = Chebyshev.interpolate(self._density, N_TERMS - 1, domain=domain)
        mass = density.integ(lbnd=0)
        return Chebyshev.interpolate(lambda s: mass(s) / s, N_TERMS - 1, domain=domain)

    def _density(self, s):
        points, masses = self._unrolled
        near = points < NEAR + END
        steps = s[:, None] - points[near]
        return np.exp(-0.5 * steps**2) @ masses[near] / np.sqrt(2 * np.pi)
