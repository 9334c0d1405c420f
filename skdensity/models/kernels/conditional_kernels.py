r"""One feature of every row, given what was observed of it: kernels with shares.

.. math:: p(x_m \mid x_o) = \sum_j r_j \, k(x_m \mid x_j + s)

The kernels are those of all locations, of one width, and folded back at the ends of
the axis; of a row's own are the shares r and the step s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from skdensity.models.kernels.averages import average_of
from skdensity.models.kernels.masses.below import END, FULL, reach_of
from skdensity.models.kernels.masses.circle import FLAT
from skdensity.models.kernels.masses.line import NARROW
from skdensity.models.kernels.support import Axis
from skdensity.models.normal_mass import mass_between


@dataclass(frozen=True, eq=False)
class ConditionalKernels:
    """A kernel density of one feature for every row.

    Attributes
    ----------
    shares : ndarray of shape (n_locations, n_rows)
        Columns sum to 1.
    steps : ndarray of shape (n_rows,)
        How far all kernels are moved for a row; 0 unless the axis is a line.
    locations : ndarray of shape (n_locations,)
        Where the kernels are, in float64.
    width : float
        Their standard deviation, before they are folded.
    axis : Axis
        The values of the feature.
    """

    shares: np.ndarray
    steps: np.ndarray
    locations: np.ndarray
    width: float
    axis: Axis

    @property
    def n_rows(self) -> int:
        """How many densities there are."""
        return self.shares.shape[1]

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of where the densities are positive."""
        return self.axis.lower, self.axis.upper

    def std(self) -> np.ndarray:
        """Standard deviations, of shape (n_rows,); on a circle circular ones."""
        # Halfway to the largest: squares neither overflow nor underflow.
        largest = max(np.abs(self.locations).max(), self.width)
        unit = np.sqrt(self.width) * np.sqrt(largest)
        lower, upper = (end / unit for end in self.ends)
        average = average_of(Axis(lower, upper, self.axis.is_circle), self.width / unit)
        return unit * average.deviations(self.locations / unit, self.shares)

    def below(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mass below x, with its relative error where it is small.

        Parameters
        ----------
        x : ndarray of shape (n_some,)
            One value for each of some rows.
        rows : ndarray of int of shape (n_some,)
            Which they are, ascending.
        """
        if self._is_line:
            return self._on_line(x, rows, 1.0)
        return self._folded(np.full_like(x, self.axis.lower), x, rows)

    def above(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mass above x, as :meth:`below`."""
        if self._is_line:
            return self._on_line(x, rows, -1.0)
        return self._folded(x, np.full_like(x, self.axis.upper), rows)

    def bracket(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """Values on both sides of a quantile."""
        lower, upper = (np.full(self.n_rows, end) for end in self.ends)
        if self.axis.is_circle:
            return lower, upper
        least = self.locations.min() - self.width * reach_of(share) + self.steps
        most = self.locations.max() + self.width * reach_of(1 - share) + self.steps
        return np.maximum(least, lower), np.minimum(most, upper)

    @property
    def _is_line(self):
        return not (self.axis.is_circle or self.axis.has_mirror)

    def _on_line(self, x, rows, sign):
        z = sign * (x - self.steps[rows] - self.locations[:, None]) / self.width
        mass = np.einsum("jn,jn->n", self.shares[:, rows], ndtr(z))
        return np.minimum(mass, 1.0)

    def _folded(self, lower, upper, rows):
        """Mass between values within the axis: what all images have there."""
        shares, width = self.shares[:, rows], self._width
        mass = np.zeros(len(rows))
        for image in self._images:
            z = ((end - image[:, None]) / width for end in (lower, upper))
            mass += np.einsum("jn,jn->n", shares, mass_between(*z))
        return np.minimum(mass, 1.0)

    @property
    def _width(self):
        """No more than what is flat: wider kernels had images without number."""
        return min(self.width, self.axis.period / FLAT)

    @cached_property
    def _images(self):
        """The locations and their images, as far as they reach the axis."""
        # Where the axis is short some mass is everywhere: an absolute error will do.
        reach = END if self.axis.period > NARROW * self._width else FULL
        reach *= self._width
        return [
            image
            for image in self.axis.images(self.locations, reach)
            if image.max() > self.axis.lower - reach
            and image.min() < self.axis.upper + reach
        ]
