r"""The kernel density: Gaussians of one shape at weighted locations.

.. math:: \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad \sum_j m_j = 1

With :math:`H = L L^\top` and :math:`z = L^{-1} (x - o)` the kernels are standard
normal: all sums are taken there, and only there. At bounds kernels are reflected, and
around circles wrapped. Marginals and conditionals are kernel densities again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.conditional_normals import Statistic
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.given import Given
from skdensity.models.kernels.masses.below import reach_of
from skdensity.models.kernels.masses.line import Line
from skdensity.models.kernels.masses.lines import line_of
from skdensity.models.kernels.shapes import SHAPES, Bandwidth, KernelShape
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import NOTHING, SHIFT, PairStatistic
from skdensity.models.kernels.sums.algorithms import DEFAULT, Summation
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.models.kernels.support import OPEN, Support
from skdensity.models.normal_boxes import correlated_mass
from skdensity.models.normal_sums import MESH, MESH_REACH
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.rows.patterns import by_pattern
from skdensity.rows.rounding import rounded

# Cells of a mesh around a circle, at least: wide kernels leave one wave there.
FEWEST = 8


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
        """Log-density of every row, in nats and in the rows' dtype.

        Of rows with holes that of the features that they have.
        """
        if not rows.are_complete:
            return self._log_density_of_known(rows)
        log_sums, _ = self._at(rows.X, NOTHING, rows.workspace)
        return rounded(log_sums + self.kernel.log_peak, rows.X.dtype)

    def _log_density_of_known(self, rows):
        """One evaluation for every pattern of holes."""
        X = rows.X
        out = np.zeros(len(X), dtype=X.dtype)  # that of a row without any value
        for index, known in by_pattern(X):
            if len(known):
                part = self if len(known) == X.shape[1] else self.marginal(known)
                alike = ArrayRows(X[np.ix_(index, known)], workspace=rows.workspace)
                out[index] = part.log_density(alike)
        return out

    def completed(self, rows: IncompleteRows) -> np.ndarray:
        """Rows with the conditional mean of what is missing, in their dtype.

        On a circle the circular mean, in a direction of no meaning where there is none.
        """
        return self._filled(rows.X, lambda given, X: given.means(X, rows.workspace))

    def conditioned(
        self,
        rows: IncompleteRows,
        features: np.ndarray,
        statistic: Statistic,
        shape: tuple[int, ...] = (),
    ) -> np.ndarray:
        """A statistic of some features where rows miss them, given the others.

        Of shape (n_samples, n_some) + `shape`, in float64; NaN where a feature is
        there. Every row has a hole.
        """
        X = rows.X
        out = np.full((len(X), len(features), *shape), np.nan)
        for index, known in by_pattern(X):
            given, missing = self._given(known), np.isnan(X[index[0], features])
            others = np.setdiff1d(np.arange(self.n_features), known)
            places = np.searchsorted(others, features[missing])
            found = given.each(
                X[np.ix_(index, known)], places, statistic, shape, rows.workspace
            )
            out[np.ix_(index, np.flatnonzero(missing))] = found
        return out

    def drawn(self, X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Rows with draws of what is missing (NaN), given what was observed."""
        return self._filled(X, lambda given, known: given.draws(known, rng))

    def _filled(
        self, X: np.ndarray, values: Callable[[Given, np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Rows with values in their holes, from what is known of them."""
        out = X.copy()
        for index, known in by_pattern(X):
            missing = np.setdiff1d(np.arange(self.n_features), known)
            if len(missing):
                found = values(self._given(known), X[np.ix_(index, known)])
                out[np.ix_(index, missing)] = found
        # After rounding to their dtype: a whole turn is none.
        return self.support.wrap(out)

    def gradient(self, rows: ArrayRows) -> np.ndarray:
        """Gradient of the log-density, of the shape and dtype of the rows."""
        _, shift = self._at(rows.X, SHIFT, rows.workspace)
        kernel = self.kernel
        slopes = kernel.family.factors.colour(kernel.precision_factor, shift)
        return rounded(slopes, rows.X.dtype)

    def shifted(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """The mean of the locations around every row: a step of mean shift."""
        _, shift = self._at(X, SHIFT, workspace)
        return self.support.fold(X + self.kernel.coloured_steps(shift))

    def whitened_steps(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Differences z of rows, around circles the shortest."""
        steps = self.support.nearest(end, begin) - begin
        return self.kernel.whitened_steps(steps)

    def between(self, begin: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
        """Rows on the shortest ways, after a share of them."""
        return begin + share * (self.support.nearest(end, begin) - begin)

    def cdf(self, rows: ArrayRows) -> np.ndarray:
        """Mass below every row, of shape (n_samples,), for one feature."""
        mass = self._lines[0].below(self._on_line(rows.X), rows.workspace)
        return mass.astype(rows.X.dtype)

    def sf(self, rows: ArrayRows) -> np.ndarray:
        """Mass above every row, of shape (n_samples,), for one feature."""
        mass = self._lines[0].above(self._on_line(rows.X), rows.workspace)
        return mass.astype(rows.X.dtype)

    def _on_line(self, X):
        """Values of one feature in float64; a whole turn is the end of the first."""
        axis, x = self.support.axis(0), X[:, 0]
        is_turn = x == X.dtype.type(axis.upper)
        wrapped = axis.wrap(x.astype(np.float64))
        return np.where(is_turn, axis.upper, wrapped) if axis.is_circle else wrapped

    def probability(self, box: np.ndarray) -> float:
        """Mass in a box with corners (2, n_features), infinite where it has no end."""
        if not self._has_lines:
            covariance, rtol = self.kernel.covariance, self.summation.rtol
            return correlated_mass(self.locations, self.masses, covariance, box, rtol)
        sides = zip(self._lines, box.T, strict=True)
        each = [line.between(*side) for line, side in sides]
        return min(float(self.masses @ np.prod(each, axis=0)), 1.0)

    @property
    def ends(self) -> np.ndarray:
        """Those of where the density of one feature is positive, of shape (2,)."""
        axis = self.support.axis(0)
        return np.array([axis.lower, axis.upper])

    def bracket(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of one feature on both sides of quantiles, of the shape of q."""
        if self.support.axis(0).is_circle:
            lower, upper = self.ends
            return np.full(q.shape, lower), np.full(q.shape, upper)
        width = self.kernel.deviations[0]
        lower = self.locations.min() - width * reach_of(q)
        upper = self.locations.max() + width * reach_of(1 - q)
        return tuple(np.clip([lower, upper], *self.ends))

    @property
    def mesh(self) -> np.ndarray:
        """Ascending values of one feature; between two the density turns once at most.

        They reach as far as there is mass; gaps that are wide in bandwidths have none.
        """
        axis, step = self.support.axis(0), MESH * self.kernel.deviations[0]
        x, origin = self.locations[:, 0].astype(np.float64), self.kernel.mean[0]
        if axis.is_circle:
            n_cells = int(np.ceil(axis.period / min(step, axis.period / FEWEST)))
            origin, step = axis.lower, axis.period / n_cells
        cells = np.unique(np.floor((axis.wrap(x) - origin) / step))
        reach = np.arange(-int(MESH_REACH / MESH), int(MESH_REACH / MESH) + 2)
        knots = np.unique(np.add.outer(cells, reach))
        if axis.is_circle:
            turned = np.unique(np.mod(knots, n_cells))
            # The cut is at either end.
            knots = np.append(turned, n_cells) if turned[0] == 0 else turned
        return np.unique(np.clip(origin + step * knots, *self.ends))

    @property
    def _has_lines(self) -> bool:
        """Whether features are independent, so that each is a line of its own."""
        return self.shape.is_independent or self.n_features == 1

    @cached_property
    def _lines(self) -> list[Line]:
        """The locations along every feature."""
        widths = np.broadcast_to(self.kernel.deviations, self.n_features)
        return [
            line_of(x, self.masses, float(width), self.support.axis(feature))
            for feature, (x, width) in enumerate(
                zip(self.locations.T, widths, strict=True)
            )
        ]

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
        return replace(
            self,
            locations=self.locations[:, features],
            kernel=self.kernel.marginal(features),
            support=self.support.part(features),
        )

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
        rest = self._given(given)
        log_sums, shares = rest.shares(values[None])
        if not np.isfinite(log_sums[0]):
            raise ValueError(
                "`values` are so far from all rows that the density there is 0: "
                f"{values}."
            )
        masses = shares[:, 0]
        stays = masses > 0
        return replace(
            self,
            locations=rest.at(values)[stays].astype(self.locations.dtype),
            masses=masses[stays] / masses[stays].sum(),
            kernel=rest.kernel,
            support=rest.support,
        )

    def _given(self, known: np.ndarray) -> Given:
        """The other features, where some are known: maybe none."""
        slopes, left, others = self.kernel.regression(known)
        origin = self.kernel.mean
        X = self.locations.astype(np.float64, copy=False)
        steps = origin[known] - X[:, known]
        part = self.marginal(known) if len(known) else None
        return Given(
            part.whitened if part else np.asarray,
            part.sums.sources if part else Sources(X[:, known], self.masses),
            origin[known],
            slopes,
            X[:, others] + steps @ slopes.T,
            Gaussian(origin[others], left, self.kernel.family),
            self.support.part(others),
        )

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows as z, with circles cut like those of the points."""
        return self.kernel.whiten(self._turn.wrap(X))

    def _at(
        self, X: np.ndarray, statistic: PairStatistic, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Log sums and means at rows of data; −inf and NaN out of the support."""
        queries = self.whitened(X)
        if self.support.is_open and len(X):
            return self.sums.at(queries, 1.0, statistic, workspace)
        inside = self.support.contains(X)
        log_sums = np.full(len(X), -np.inf)
        means = np.full((len(X), statistic.n_columns(self.n_features)), np.nan)
        if inside.any():
            values = self.sums.at(queries[inside], 1.0, statistic, workspace)
            log_sums[inside], means[inside] = values
        return log_sums, means


def rest_of(masses: np.ndarray) -> np.ndarray:
    """1 − m_i, from the other masses where m_i is so large that it would cancel."""
    rest = 1 - masses
    top = masses.argmax()
    rest[top] = np.delete(masses, top).sum()
    return rest
