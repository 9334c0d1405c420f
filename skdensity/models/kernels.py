r"""The kernel density: Gaussians of one shape at weighted locations.

.. math:: \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad \sum_j m_j = 1

With :math:`H = L L^\top` and :math:`z = L^{-1} (x - o)` the kernels are standard
normal: all sums are taken there, and only there. Within bounds, kernels are reflected.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from scipy.special import ndtr

from skdensity.models.kernel_sums import KernelSums
from skdensity.models.mixture import Mixture
from skdensity.models.pair_statistics import NOTHING, SHIFT
from skdensity.models.sources import Sources, images
from skdensity.passes.blocks import fill_over_blocks

# Bandwidths beyond which a Gaussian's distribution function is 0 or 1 in float64.
END = 38.6


@dataclass(frozen=True)
class Kernels:
    """A kernel density, ready to evaluate.

    Attributes
    ----------
    locations : ndarray of shape (n_locations, n_features)
        Centres of the kernels, distinct.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    kernel : Mixture
        One Gaussian: its covariance is H, its mean an origin for the coordinates z.
    bounds : ndarray of shape (n_features, 2), optional
        Where mass may be; needs independent features.
    summation : callable
        Makes the :class:`~skdensity.models.kernel_sums.KernelSums` of sources.
    """

    locations: np.ndarray
    masses: np.ndarray
    kernel: Mixture
    bounds: np.ndarray | None = None
    summation: partial = field(default=partial(KernelSums), repr=False)

    @property
    def n_features(self) -> int:
        """Dimension of the density."""
        return self.locations.shape[1]

    @cached_property
    def log_peak(self) -> float:
        """Log-density of one kernel at its centre, in nats."""
        return float(self.kernel.log_constants()[0])

    def log_peak_at(self, scale: float) -> float:
        """The same for kernels that are wider by a factor."""
        return self.log_peak - self.n_features * np.log(scale)

    @cached_property
    def points(self) -> np.ndarray:
        """The locations as z."""
        return self.kernel.whitened(self.locations)

    @property
    def columns(self) -> np.ndarray:
        """Every feature of the locations, in units of the kernel's width along it."""
        (widths,) = self.kernel.cholesky
        if widths.ndim > 1:
            widths = np.hypot.reduce(widths, axis=1)
        return ((self.locations.astype(np.float64) - self.kernel.means[0]) / widths).T

    @cached_property
    def limits(self) -> np.ndarray | None:
        """The bounds as z, of shape (n_features, 2)."""
        if self.bounds is None:
            return None
        return self.kernel.whitened(self.bounds.T.astype(np.float64)).T

    def sums(self, scale: float = 1.0) -> KernelSums:
        """Sums of kernels around the points, images included.

        Parameters
        ----------
        scale : float, default=1.0
            Widest standard deviation that will be asked for.
        """
        if self.limits is None:
            return self._sums
        points = images(self.points, self.limits, scale)
        return self.summation(Sources(points, self.masses))

    @cached_property
    def _sums(self) -> KernelSums:
        return self.summation(Sources(self.points, self.masses))

    def with_kernel(self, kernel: Mixture) -> Kernels:
        """The same locations under another kernel."""
        return replace(self, kernel=kernel)

    def scaled(self, scale: float) -> Kernels:
        """Kernels that are wider by a factor."""
        cholesky = scale * self.kernel.cholesky
        return self.with_kernel(self._gaussian(cholesky))

    def reshaped(self, inner: np.ndarray) -> Kernels:
        """Kernels that have the Cholesky factor `inner` in the coordinates z."""
        cholesky = self.kernel.family.compose(self.kernel.cholesky, inner)
        return self.with_kernel(self._gaussian(cholesky))

    def log_density(self, X: np.ndarray) -> np.ndarray:
        """Log-density of every row of `X`, in nats and in its dtype."""
        log_sums, _ = self._at(X, NOTHING)
        return (log_sums + self.log_peak).astype(X.dtype)

    def gradient(self, X: np.ndarray) -> np.ndarray:
        """Gradient of the log-density, of the shape and dtype of `X`."""
        _, shift = self._at(X, SHIFT)
        (factor,) = self.kernel.precision_factors
        return self.kernel.family.colour(factor, shift).astype(X.dtype)

    def shifted(self, X: np.ndarray) -> np.ndarray:
        """The mean of the locations around every row: a step of mean shift."""
        _, shift = self._at(X, SHIFT)
        (factor,) = self.kernel.cholesky
        return self.folded(X + self.kernel.family.colour(factor, shift))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Probability of being at most `x`, of shape (n_samples,), for one feature.

        Time O(n log n) for sorting and O(1) for every location within `END` bandwidths.
        """
        z = self.kernel.whitened(x[:, None])[:, 0]
        if self.limits is None:
            return self._mass_below(z)
        lower, upper = self.limits[0]
        # The images have mass below the lower bound, too.
        outside = self._mass_below(np.array([lower])) if np.isfinite(lower) else 0
        within = np.clip(self._mass_below(z) - outside, 0, 1)
        return np.where(z <= lower, 0.0, np.where(z >= upper, 1.0, within))

    def sample(self, n_samples: int, rng: np.random.RandomState) -> np.ndarray:
        """Draw locations, and a step from each; steps out of bounds are reflected."""
        rows = rng.choice(len(self.masses), size=n_samples, p=self.masses)
        noise = rng.standard_normal((n_samples, self.n_features))
        (cholesky,) = self.kernel.cholesky
        X = self.locations[rows] + self.kernel.family.colour(cholesky, noise)
        return self.folded(X).astype(self.locations.dtype)

    def folded(self, X: np.ndarray) -> np.ndarray:
        """Rows reflected at the bounds, if there are any."""
        return X if self.bounds is None else reflected(X, self.bounds)

    def _gaussian(self, cholesky: np.ndarray) -> Mixture:
        (origin,) = self.kernel.means
        return Mixture.gaussian(origin, cholesky, self.kernel.family)

    def _at(self, X, statistic):
        """Log sums and means at rows of data; −inf and NaN out of bounds."""
        queries = self.kernel.whitened(X)
        if self.limits is None:
            return self.sums().at(queries, 1.0, statistic)
        inside = np.all(
            (queries >= self.limits[:, 0]) & (queries <= self.limits[:, 1]), 1
        )
        log_sums = np.full(len(X), -np.inf)
        means = np.full((len(X), statistic.n_columns(self.n_features)), np.nan)
        if inside.any():
            values = self.sums().at(queries[inside], 1.0, statistic)
            log_sums[inside], means[inside] = values
        return log_sums, means

    def _mass_below(self, z):
        """Mass of all kernels, images included, below some points."""
        sources = self.sums().sources
        order = np.argsort(sources.points[:, 0])
        points, masses = sources.points[order, 0], sources.all_masses[order]
        before = np.concatenate([[0.0], np.cumsum(masses)])
        ranks = np.argsort(z)

        def values(rows: slice) -> np.ndarray:
            block = z[ranks[rows]]
            first, last = np.searchsorted(points, (block[0] - END, block[-1] + END))
            near = ndtr(block[:, None] - points[first:last]) @ masses[first:last]
            return before[first] + near

        below = fill_over_blocks(values, np.empty(len(z)), 16 * len(points))
        out = np.empty(len(z))
        # Rounding differs from block to block, and must not make it fall.
        out[ranks] = np.maximum.accumulate(below)
        return out


def reflected(X: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Rows folded back into the bounds.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows anywhere.
    bounds : ndarray of shape (n_features, 2)
        Infinite where there is no bound.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows within the bounds.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels import reflected
    >>> reflected(np.array([[-0.25], [2.75]]), np.array([[0.0, 1.0]])).ravel()
    array([0.25, 0.75])
    """
    X = X.copy()
    for column, (lower, upper) in zip(X.T, bounds, strict=True):
        if np.isfinite(upper) and np.isfinite(lower):
            phase = np.mod(column - lower, 2 * (upper - lower))
            column[:] = lower + np.minimum(phase, 2 * (upper - lower) - phase)
        elif np.isfinite(lower):
            column[:] = lower + np.abs(column - lower)
        elif np.isfinite(upper):
            column[:] = upper - np.abs(upper - column)
    return X


def rest_of(masses: np.ndarray) -> np.ndarray:
    """1 − m_i, from the other masses where m_i is so large that it would cancel."""
    rest = 1 - masses
    top = masses.argmax()
    rest[top] = np.delete(masses, top).sum()
    return rest
