r"""The kernel density: Gaussians of one shape at weighted locations.

.. math:: \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad \sum_j m_j = 1

With :math:`H = L L^\top` and :math:`z = L^{-1} (x - o)` the kernels are standard
normal: all sums are taken there, and only there. At bounds kernels are reflected, and
around circles wrapped. Marginals and conditionals are kernel densities again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, softmax

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.shapes import SHAPES, Bandwidth, KernelShape
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import NOTHING, SHIFT, PairStatistic
from skdensity.models.kernels.sums.algorithms import DEFAULT, Summation
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.models.kernels.support import OPEN, Support
from skdensity.passes.blocks import row_blocks
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows

# Bandwidths beyond which a Gaussian's distribution function is 0 or 1 in float64.
END = 38.6
# Bandwidths around a circle up to which a kernel is flat to the last digit:
# exp(−2π² / 0.7²) is 3e-18.
FLAT = 0.7


@dataclass(frozen=True, eq=False)
class Kernels:
    """A kernel density, ready to evaluate.

    What does not depend on where it is evaluated is computed once: the more queries
    come one after the other, the less it counts.

    Attributes
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Centres of the kernels, distinct.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    kernel : Gaussian
        Its covariance is H, its mean an origin for the coordinates z.
    support : Support
        Where mass may be; anything but lines needs independent features.
    summation : Summation
        How kernels are added up.
    """

    locations: np.ndarray
    masses: np.ndarray
    kernel: Gaussian
    support: Support = OPEN
    summation: Summation = DEFAULT

    @property
    def n_features(self) -> int:
        """Dimension of the density."""
        return self.locations.shape[1]

    @property
    def shape(self) -> KernelShape:
        """The shape of the kernel."""
        return SHAPES[self.kernel.family.name]

    @property
    def bandwidth(self) -> Bandwidth:
        """What users see of the kernel: a number, widths, or its covariance."""
        return self.shape.bandwidth_of(self.kernel)

    def log_peak_at(self, scale: float) -> float:
        """Log-density, in nats, of a kernel at its centre, wider by a factor."""
        return self.kernel.log_peak - self.n_features * np.log(scale)

    @cached_property
    def _turn(self):
        """The support, its circles cut where the locations vary the least."""
        return self.support.cut(self.locations, self.masses)

    @cached_property
    def unrolled(self) -> np.ndarray:
        """The locations, from one cut of a circle to the next."""
        return self._turn.wrap(self.locations)

    @cached_property
    def points(self) -> np.ndarray:
        """The unrolled locations as z."""
        return self.kernel.whiten(self.unrolled)

    @property
    def standardised(self) -> np.ndarray:
        """Every feature of the locations, in units of the kernel's width along it."""
        centred = self.unrolled.astype(np.float64) - self.kernel.mean
        return (centred / self.kernel.deviations).T

    @cached_property
    def white_support(self) -> Support:
        """The support of z."""
        if self.support.is_open:
            return self.support
        ends = self.kernel.whiten(self._turn.ends(self.n_features))
        return self._turn.with_ends(ends)

    @property
    def flat_widths(self) -> list[float]:
        """Factors of the kernel's width from which on it is flat along a feature.

        A circle's period, where the first wave is down to exp(−2π²), 3e-9.
        """
        axes = self.white_support.axes.values()
        return [axis.period for axis in axes if axis.is_circle]

    @cached_property
    def sums(self) -> KernelSums:
        """Sums of kernels around the points."""
        sources = Sources(self.points, self.masses, self.white_support)
        return KernelSums(sources, self.summation)

    def with_kernel(self, kernel: Gaussian) -> Kernels:
        """The same locations under another kernel."""
        return replace(self, kernel=kernel)

    def scaled(self, scale: float) -> Kernels:
        """Kernels that are wider by a factor."""
        return self.with_kernel(self.kernel.scaled(scale))

    def reshaped(self, inner: np.ndarray) -> Kernels:
        """Kernels that have the Cholesky factor `inner` in the coordinates z."""
        kernel = self.kernel
        cholesky = kernel.family.factors.compose(kernel.cholesky, inner)
        return self.with_kernel(Gaussian(kernel.mean, cholesky, kernel.family))

    def log_density(self, rows: ArrayRows) -> np.ndarray:
        """Log-density of every row, in nats and in the rows' dtype."""
        log_sums, _ = self._at(rows.X, NOTHING, rows.workspace)
        return (log_sums + self.kernel.log_peak).astype(rows.X.dtype)

    def gradient(self, rows: ArrayRows) -> np.ndarray:
        """Gradient of the log-density, of the shape and dtype of the rows."""
        _, shift = self._at(rows.X, SHIFT, rows.workspace)
        kernel = self.kernel
        slopes = kernel.family.factors.colour(kernel.precision_factor, shift)
        return slopes.astype(rows.X.dtype)

    def shifted(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """The mean of the locations around every row: a step of mean shift."""
        _, shift = self._at(X, SHIFT, workspace)
        return self.support.fold(X + self.kernel.coloured_steps(shift))

    def whitened_steps(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Differences z of rows, around circles the shortest."""
        steps = self.support.nearest(end, begin) - begin
        return self.kernel.whitened_steps(steps)

    def cdf(self, rows: ArrayRows) -> np.ndarray:
        """Probability of at most a row's value, of shape (n_samples,), for one feature.

        Time O(n log n) for sorting and O(1) for every location within `END` bandwidths.
        """
        X, axis = self.support.wrap(rows.X), self.support.axis(0)
        below, outside = self._mass_below(X, rows.workspace), 0.0
        if np.isfinite(axis.lower):  # the images have mass below it, too
            lower = np.array([[axis.lower]])
            outside = self._mass_below(lower, rows.workspace)
        within, x = np.clip(below - outside, 0, 1), X[:, 0]
        probability = np.where(x >= axis.upper, 1.0, within)
        return np.where(x <= axis.lower, 0.0, probability).astype(X.dtype)

    def sample(self, n_samples: int, rng: np.random.RandomState) -> np.ndarray:
        """Draw locations, and a step from each, folded back into the support."""
        rows = rng.choice(len(self.masses), size=n_samples, p=self.masses)
        noise = rng.standard_normal((n_samples, self.n_features))
        X = self.locations[rows] + self.kernel.coloured_steps(noise)
        return self.support.wrap(self.support.fold(X).astype(self.locations.dtype))

    def marginal(self, features: np.ndarray) -> Kernels:
        r"""The density of some features, whatever the others are.

        .. math:: \hat p(x_b) = \sum_j m_j N(x_b \mid x_{jb}, H_{bb})

        Parameters
        ----------
        features : ndarray of int
            Indices, in the order that the result has. Locations may coincide.
        """
        kernel, locations = self.kernel.marginal(features), self.locations
        return self._part(features, kernel, locations[:, features])

    def conditional(self, given: np.ndarray, values: np.ndarray) -> Kernels:
        r"""The density of the other features, in their order, where some are known.

        .. math::

            \hat p(x_b \mid x_a) \propto \sum_j m_j N(x_a \mid x_{ja}, H_{aa})
            N(x_b \mid x_{jb} + H_{ba} H_{aa}^{-1} (x_a - x_{ja}), H_{b \mid a})

        Parameters
        ----------
        given : ndarray of int
            Indices of the features that are known.
        values : ndarray of shape (n_given,)
            Their values, in the support. Locations that they rule out are not there.
        """
        masses = softmax(np.log(self.masses) + self._log_kernels(given, values))
        slopes, rest, others = self.kernel.regression(given)
        steps = values - self.locations[:, given].astype(np.float64)
        locations = self.locations[:, others] + steps @ slopes.T
        kernel = Gaussian(self.kernel.mean[others], rest, self.kernel.family)
        part = self._part(others, kernel, locations.astype(self.locations.dtype))
        stays = masses > 0
        kept = masses[stays] / masses[stays].sum()
        return replace(part, locations=part.locations[stays], masses=kept)

    def _log_kernels(self, given, values):
        """Logarithms of what the kernels add to the values' density, up to a peak."""
        known = self.marginal(given)
        query, sources = known.whitened(values[None]), known.sums.sources
        with np.errstate(over="ignore"):
            log_kernels, _ = sources.kernel(1.0).log_of_rows(
                query, sources.locations, NOTHING
            )
        if not np.any(np.isfinite(log_kernels)):
            raise ValueError(
                "`values` are so far from all rows that the density there is 0: "
                f"{values}."
            )
        return log_kernels

    def _part(self, features, kernel, locations):
        support = self.support.part(features)
        return replace(self, locations=locations, kernel=kernel, support=support)

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows as z, with circles cut like those of the points."""
        return self.kernel.whiten(self._turn.wrap(X))

    def _at(
        self, X: np.ndarray, statistic: PairStatistic, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log sums and means at rows of data; −inf and NaN out of the support."""
        queries = self.whitened(X)
        if self.support.is_open:
            return self.sums.at(queries, 1.0, statistic, workspace)
        inside = self.support.contains(X)
        log_sums = np.full(len(X), -np.inf)
        means = np.full((len(X), statistic.n_columns(self.n_features)), np.nan)
        if inside.any():
            values = self.sums.at(queries[inside], 1.0, statistic, workspace)
            log_sums[inside], means[inside] = values
        return log_sums, means

    @cached_property
    def _stretch(self):
        """Factor of z in which kernels are as narrow as they can be without a change.

        Around a short circle wider ones are as flat: images without number for nothing.
        """
        period = self.support.axis(0).period / self.kernel.deviations[0]
        return max(1.0, FLAT / period)

    @cached_property
    def _sorted(self):
        """Points of one feature in their order, their masses, and the mass before.

        With all images whose distribution function is not yet 0 or 1 in the support.
        """
        axis, points = self.support.axis(0), self.support.wrap(self.locations)[:, 0]
        reach = END / self._stretch * self.kernel.deviations[0]
        images = axis.images(points.astype(np.float64), reach)
        z = self._stretch * self.kernel.whiten(np.concatenate(images)[:, None])[:, 0]
        order = np.argsort(z)
        masses = np.tile(self.masses, len(images))[order]
        return z[order], masses, np.concatenate([[0.0], np.cumsum(masses)])

    def _mass_below(self, X, workspace):
        """Mass of all kernels of one feature, images included, below some rows."""
        points, masses, before = self._sorted
        z = self._stretch * self.kernel.whiten(X)[:, 0]
        ranks, out = np.argsort(z), np.empty(len(z))

        def fill(rows: slice) -> None:
            block = z[ranks[rows]]
            first, last = np.searchsorted(points, (block[0] - END, block[-1] + END))
            near = ndtr(block[:, None] - points[first:last]) @ masses[first:last]
            out[ranks[rows]] = before[first] + near

        workspace.each(fill, row_blocks(len(z), 16 * len(points)))
        # Rounding differs from block to block, and must not make it fall.
        out[ranks] = np.maximum.accumulate(out[ranks])
        return out


def rest_of(masses: np.ndarray) -> np.ndarray:
    """1 − m_i, from the other masses where m_i is so large that it would cancel."""
    rest = 1 - masses
    top = masses.argmax()
    rest[top] = np.delete(masses, top).sum()
    return rest
