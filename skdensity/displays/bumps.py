"""The Gaussians that a density is the sum of: they tell where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any, Self

import numpy as np
from scipy.stats import norm

from skdensity.densities.base import BaseDensity
from skdensity.densities.support_checks import checked_bounds, checked_periods
from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.support import OPEN, Support
from skdensity.models.normal_sums import NormalSums

# A window holds the largest of these shares that leaves it no wider than so many times
# the window of the smallest: what is farther away than that would make a line of all
# the rest. A normal density takes 1.7 times, Student's with 3 degrees of freedom 4.
SHARES = 0.999, 0.99, 0.95
WIDEST = 5
# How far beyond a window more mass, and rows, still widen it, and its margins at
# most and at least, as parts of its length.
NEAR = 0.25
MARGINS = 0.15, 0.03
# No Gaussian is seen beyond so many standard deviations.
REACH = 4
# Quantiles that stand for all Gaussians together, and for each of them.
MAX_QUANTILES = 20_000
PER_BUMP = 3, 200


@dataclass(frozen=True, eq=False)
class Bumps:
    """Weighted Gaussians, as far as their places and widths along each feature go.

    Attributes
    ----------
    centres : ndarray of shape (n_bumps, n_features)
        Their means.
    masses : ndarray of shape (n_bumps,)
        Their weights, summing to 1.
    widths : ndarray of shape (n_bumps, n_features)
        Their standard deviations.
    bounds : ndarray of shape (n_features, 2)
        Beyond these there is no mass; infinite where there is no bound.
    periods : ndarray of shape (n_features,)
        Of features that go round; infinite of the others.
    """

    centres: np.ndarray
    masses: np.ndarray
    widths: np.ndarray
    bounds: np.ndarray
    periods: np.ndarray

    @classmethod
    def of(cls, estimator: Any, features: np.ndarray, draws: np.ndarray) -> Self:
        """Those of some features of a density; of others' densities, of draws."""
        if not isinstance(estimator, BaseDensity):
            return cls.unbounded(*kernels_of(draws[:, features]))
        model = estimator._model().marginal(features)
        centres, masses, widths, support = gaussians_of(model)
        bounds = _bounds(support.bounds(len(features)), len(features))
        periods = checked_periods(support.circles(len(features)), len(features))
        return cls(centres, masses, widths, bounds, periods)

    @classmethod
    def unbounded(
        cls, centres: np.ndarray, masses: np.ndarray, widths: np.ndarray
    ) -> Self:
        """Those of a density on all numbers."""
        n_features = centres.shape[1]
        bounds, periods = _bounds(None, n_features), checked_periods(None, n_features)
        return cls(centres, masses, widths, bounds, periods)

    def window(self, feature: int, rows: np.ndarray | None = None) -> tuple:
        """Where a feature is worth looking at: its two ends.

        A round feature is shown from 0 to its period. Rows that are not far out widen
        the window.
        """
        if np.isfinite(self.periods[feature]):
            return 0.0, float(self.periods[feature])
        points, masses = self._quantiles(feature)
        lower, upper = self._with_margins(feature, *_main_part(points, masses))
        lower, upper = _widened(lower, upper, points)
        if rows is not None:
            lower, upper = _widened(lower, upper, rows[:, feature])
        return _apart(*np.clip((lower, upper), *self.bounds[feature]))

    def wrapped(self, rows: np.ndarray | None) -> np.ndarray | None:
        """Rows with features that go round within their first period."""
        if rows is None:
            return rows
        goes_round = np.isfinite(self.periods)
        return np.mod(rows, self.periods, out=rows.copy(), where=goes_round)

    def some(self, n_most: int) -> Self:
        """At most so many of them, evenly spread over the order that they are in."""
        n_bumps = len(self.centres)
        if n_bumps <= n_most:
            return self
        return self.only(np.linspace(0, n_bumps - 1, n_most).round().astype(int))

    def only(self, chosen: np.ndarray | int) -> Self:
        """One of them, or several."""
        chosen = np.atleast_1d(chosen)
        return replace(
            self,
            centres=self.centres[chosen],
            masses=self.masses[chosen],
            widths=self.widths[chosen],
        )

    def _with_margins(self, feature, lower, upper):
        """Room for tails, no more than they need."""
        centres, reach = self.centres[:, feature], REACH * self.widths[:, feature]
        ends = np.min(centres - reach), np.max(centres + reach)
        most, least = np.multiply(MARGINS, upper - lower)
        return (
            max(lower - most, min(lower - least, ends[0])),
            min(upper + most, max(upper + least, ends[1])),
        )

    def _quantiles(self, feature):
        """Weighted points that stand for one feature, in their order."""
        n_bumps = len(self.centres)
        n_each = int(np.clip(MAX_QUANTILES // n_bumps, *PER_BUMP))
        normal = norm.ppf((np.arange(n_each) + 0.5) / n_each)
        steps = np.multiply.outer(self.widths[:, feature], normal)
        points = np.clip(self.centres[:, [feature]] + steps, *self.bounds[feature])
        order = np.argsort(points, axis=None)
        return points.ravel()[order], np.repeat(self.masses / n_each, n_each)[order]


@singledispatch
def gaussians_of(model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, Support]:
    """Centres, masses and widths of what a model is the sum of, and its support."""
    raise TypeError(f"Nothing says where {type(model).__name__} is.")


@gaussians_of.register
def _(model: Kernels):
    centres = model.locations.astype(np.float64)
    widths = np.broadcast_to(model.kernel.deviations, centres.shape)
    return centres, model.masses, widths, model.support


@gaussians_of.register
def _(model: NormalSums):
    weights, means, deviations = model.normals()
    return means, weights, deviations, OPEN


def kernels_of(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws as kernels, of the width that suits a normal density of their spread."""
    n_draws = len(draws)
    lower, upper = np.quantile(draws, (0.16, 0.84), axis=0)
    spread = np.where(lower < upper, (upper - lower) / 2, draws.std(axis=0))
    widths = np.broadcast_to(spread * n_draws**-0.2, draws.shape)
    return draws, np.full(n_draws, 1 / n_draws), widths


def _bounds(bounds, n_features):
    return checked_bounds((None, None) if bounds is None else bounds, n_features)


def _main_part(points, masses):
    """The ends of what a window is for; the points are sorted."""
    intervals = [_shortest(points, masses, share) for share in SHARES]
    longest = WIDEST * np.ptp(intervals[-1])
    return next(ends for ends in intervals if np.ptp(ends) <= longest)


def _shortest(points, masses, share):
    """The ends of the shortest interval that holds a share."""
    until = np.cumsum(masses)
    before = until - masses
    # Rounding must not make the last point one too few.
    last = np.searchsorted(until, before + share * until[-1] * (1 - 1e-9))
    first = np.flatnonzero(last < len(points))
    last = last[first]
    best = np.argmin(points[last] - points[first])
    return points[first[best]], points[last[best]]


def _widened(lower, upper, values):
    """A window that also holds, off its edges, values which are not far from it."""
    reach, edge = np.multiply((NEAR, MARGINS[1]), upper - lower)
    near = values[(values > lower - reach) & (values < upper + reach)]
    if not len(near):
        return lower, upper
    return min(lower, near.min() - edge), max(upper, near.max() + edge)


def _apart(lower, upper):
    """Two ends that float64 tells apart, with numbers between them."""
    least = 1000 * np.spacing(max(abs(lower), abs(upper)))
    middle = lower / 2 + upper / 2
    return min(lower, middle - least), max(upper, middle + least)
