r"""The kernel density: Gaussians of one shape at weighted locations.

.. math:: \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad \sum_j m_j = 1

With :math:`H = L L^\top` and :math:`z = L^{-1} (x - o)` the kernels are standard
normal: all sums are taken there, and only there. Within bounds, kernels are reflected.
Marginals and conditionals are kernel densities again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logsumexp, ndtri, softmax

from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.masses.below import END
from skdensity.models.kernels.masses.boxes import correlated_mass
from skdensity.models.kernels.masses.line import Line, line_of
from skdensity.models.kernels.shapes import SHAPES, Bandwidth, KernelShape
from skdensity.models.kernels.sources import Sources, images
from skdensity.models.kernels.statistics import NOTHING, SHIFT, PairStatistic
from skdensity.models.kernels.sums.algorithms import DEFAULT, Summation
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows

# Step of a mesh, in bandwidths: between its values the density has at most one top. And
# how far it reaches beyond the locations: further out there is less than 1e-15.
MESH = 0.25
MESH_REACH = 8.0


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
    bounds : ndarray of shape (n_features, 2), optional
        Where mass may be; needs independent features.
    summation : Summation
        How kernels are added up.
    """

    locations: np.ndarray
    masses: np.ndarray
    kernel: Gaussian
    bounds: np.ndarray | None = None
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
    def points(self) -> np.ndarray:
        """The locations as z."""
        return self.kernel.whiten(self.locations)

    @property
    def standardised(self) -> np.ndarray:
        """Every feature of the locations, in units of the kernel's width along it."""
        centred = self.locations.astype(np.float64) - self.kernel.mean
        return (centred / self.kernel.deviations).T

    @cached_property
    def limits(self) -> np.ndarray | None:
        """The bounds as z, of shape (n_features, 2)."""
        if self.bounds is None:
            return None
        return self.kernel.whiten(self.bounds.T.astype(np.float64)).T

    def sums(self, scale: float = 1.0) -> KernelSums:
        """Sums of kernels around the points, images included.

        Parameters
        ----------
        scale : float, default=1.0
            Widest standard deviation that will be asked for.
        """
        if self.limits is None or scale == 1.0:
            return self._sums
        return self._sums_at(scale)

    @cached_property
    def _sums(self) -> KernelSums:
        return self._sums_at(1.0)

    def _sums_at(self, scale):
        points = self.points
        if self.limits is not None:
            points = images(points, self.limits, scale)
        return KernelSums(Sources(points, self.masses), self.summation)

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
        return self.folded(X + self.kernel.coloured_steps(shift))

    def cdf(self, rows: ArrayRows) -> np.ndarray:
        """Mass below every row, of shape (n_samples,), for one feature."""
        x = rows.X[:, 0].astype(np.float64)
        return self._lines[0].below(x, rows.workspace).astype(rows.X.dtype)

    def sf(self, rows: ArrayRows) -> np.ndarray:
        """Mass above every row, of shape (n_samples,), for one feature."""
        x = rows.X[:, 0].astype(np.float64)
        return self._lines[0].above(x, rows.workspace).astype(rows.X.dtype)

    def probability(self, box: np.ndarray) -> float:
        """Mass in a box with corners (2, n_features), infinite where it has no end."""
        if not self._has_lines:
            covariance, rtol = self.kernel.covariance, self.summation.rtol
            return correlated_mass(self.locations, self.masses, covariance, box, rtol)
        sides = zip(self._lines, box.T, strict=True)
        each = [line.between(*side) for line, side in sides]
        return min(float(self.masses @ np.prod(each, axis=0)), 1.0)

    @property
    def support(self) -> np.ndarray:
        """Ends of where the density of one feature is positive, of shape (2,)."""
        return np.array([-np.inf, np.inf]) if self.bounds is None else self.bounds[0]

    def bracket(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of one feature on both sides of quantiles, of the shape of q."""
        # A reflected kernel has at most twice the mass of an open one beyond a point.
        below, above = (np.minimum(-ndtri(share / 2), END) for share in (q, 1 - q))
        width = self.kernel.deviations[0]
        lower = self.locations.min() - width * below
        upper = self.locations.max() + width * above
        return tuple(np.clip([lower, upper], *self.support))

    @property
    def mesh(self) -> np.ndarray:
        """Ascending values of one feature; between two the density turns once at most.

        They reach as far as there is mass; gaps that are wide in bandwidths have none.
        """
        cells = np.unique(np.floor(self.points[:, 0] / MESH))
        reach = np.arange(-int(MESH_REACH / MESH), int(MESH_REACH / MESH) + 2)
        z = MESH * np.unique(np.add.outer(cells, reach))
        x = self.kernel.colour(z[:, None])[:, 0]
        return np.unique(np.clip(x, *self.support))

    @property
    def _has_lines(self) -> bool:
        """Whether features are independent, so that each is a line of its own."""
        return self.shape.is_independent or self.n_features == 1

    @cached_property
    def _lines(self) -> list[Line]:
        """The locations along every feature."""
        widths = np.broadcast_to(self.kernel.deviations, self.n_features)
        bounds = [None] * self.n_features if self.bounds is None else self.bounds
        return [
            line_of(locations, self.masses, float(width), ends)
            for locations, width, ends in zip(
                self.locations.T, widths, bounds, strict=True
            )
        ]

    def sample(self, n_samples: int, rng: np.random.RandomState) -> np.ndarray:
        """Draw locations, and a step from each; steps out of bounds are reflected."""
        rows = rng.choice(len(self.masses), size=n_samples, p=self.masses)
        noise = rng.standard_normal((n_samples, self.n_features))
        X = self.locations[rows] + self.kernel.coloured_steps(noise)
        return self.folded(X).astype(self.locations.dtype)

    def folded(self, X: np.ndarray) -> np.ndarray:
        """Rows reflected at the bounds, if there are any."""
        return X if self.bounds is None else reflected(X, self.bounds)

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
            Their values, within bounds. Locations that they rule out are not there.
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
        (query,) = known.kernel.whiten(values[None].astype(np.float64))
        sources = known.sums().sources
        delta = query - sources.copies_of(np.arange(len(self.masses)))
        with np.errstate(over="ignore"):
            log_kernels = logsumexp(-0.5 * np.sum(delta**2, axis=2), axis=0)
        if not np.any(np.isfinite(log_kernels)):
            raise ValueError(
                "`values` are so far from all rows that the density there is 0: "
                f"{values}."
            )
        return log_kernels

    def _part(self, features, kernel, locations):
        bounds = None if self.bounds is None else self.bounds[features]
        return replace(self, locations=locations, kernel=kernel, bounds=bounds)

    def _at(
        self, X: np.ndarray, statistic: PairStatistic, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log sums and means at rows of data; −inf and NaN out of bounds."""
        queries = self.kernel.whiten(X)
        if self.limits is None:
            return self._sums.at(queries, 1.0, statistic, workspace)
        inside = np.all(
            (queries >= self.limits[:, 0]) & (queries <= self.limits[:, 1]), 1
        )
        log_sums = np.full(len(X), -np.inf)
        means = np.full((len(X), statistic.n_columns(self.n_features)), np.nan)
        if inside.any():
            values = self._sums.at(queries[inside], 1.0, statistic, workspace)
            log_sums[inside], means[inside] = values
        return log_sums, means


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
    >>> from skdensity.models.kernels.kernels import reflected
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
