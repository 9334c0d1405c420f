"""Regions of highest density: the smallest that hold a share of the mass."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.models.draws import rows_of
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.roots import find_roots

# Draws that a level is a quantile of, in up to three features and in more: the share
# that lies above it has standard deviations of 0.001 and 0.004 at most.
N_DRAWS = 2**18
FEWER_DRAWS = 2**14
MANY_FEATURES = 4
# What a share may lack.
ROUNDING = 1e-9


def level_of(model: Any, coverage: float, workspace: Workspace) -> float:
    """Log-density above which a model has a share of its mass, from draws.

    A quantile of the log-densities of draws (Hyndman 1996,
    doi:10.1080/00031305.1996.10474359), with a fixed seed.

    Parameters
    ----------
    model : object
        With methods ``sample(n_samples, rng)``, whose draws are rows or a tuple that
        begins with them, and ``log_density(rows)``.
    coverage : float
        The share, between 0 and 1.
    workspace : Workspace
        Threads and scratch.

    Returns
    -------
    level : float
        In nats.
    """
    n_draws = N_DRAWS if model.n_features < MANY_FEATURES else FEWER_DRAWS
    draws = rows_of(model.sample(n_draws, np.random.RandomState(0)))
    rows = ArrayRows(draws.astype(np.float64), workspace=workspace)
    log_density = model.log_density(rows)
    return float(np.quantile(log_density, 1 - coverage))


class Intervals:
    """Where the density of one feature is above levels.

    Parameters
    ----------
    model : object
        With methods ``log_density(rows)``, ``gradient(rows)`` and ``cdf(rows)``, and an
        ascending `mesh` of values between which its density has at most one extremum.
    workspace : Workspace
        Threads and scratch.
    """

    def __init__(self, model: Any, workspace: Workspace) -> None:
        self._model = model
        self._workspace = workspace
        mesh = model.mesh
        self._knots = np.sort(np.concatenate([mesh, self._extrema(mesh)]))
        self._heights = self._of("log_density", self._knots)

    def of_share(self, coverage: float) -> tuple[float, np.ndarray]:
        """The highest level above which there is a share of the mass.

        Returns
        -------
        level : float
            A log-density, in nats.
        intervals : ndarray of shape (n_intervals, 2)
            Where it is exceeded; they hold the share to rounding.
        """
        if len(self._knots) == 1:  # all of it is within the spacing of floats
            return float(self._heights[0]), self._knots[[0, 0]][None]
        masses = np.diff(self._of("cdf", self._knots))
        ends = np.stack([self._heights[:-1], self._heights[1:]])
        # Parts that are above a level with both ends are in its intervals, and those
        # that are with none are not.
        lower = _quantile_from_above(ends.min(axis=0), masses, coverage)
        upper = _quantile_from_above(ends.max(axis=0), masses, coverage)

        def lack(levels: np.ndarray, index: np.ndarray) -> np.ndarray:
            return np.array([coverage - self._share(self.above(c)) for c in levels])

        one = np.zeros(1, dtype=np.intp)
        level = find_roots(lack, np.array([lower]), np.array([upper]))
        # Where the density is flat no level has the share, and the lower one has more.
        (level,) = level if lack(level, one) < ROUNDING else (lower,)
        return float(level), self.above(level)

    def above(self, level: float) -> np.ndarray:
        """Intervals in which the log-density exceeds a level."""
        is_above = self._heights >= level
        (rises,) = np.nonzero(~is_above[:-1] & is_above[1:])
        (falls,) = np.nonzero(is_above[:-1] & ~is_above[1:])
        starts, stops = self._crossings(level, rises), self._crossings(level, falls)
        if is_above[0]:
            starts = np.append(self._knots[0], starts)
        if is_above[-1]:
            stops = np.append(stops, self._knots[-1])
        return np.column_stack([starts, stops])

    def _share(self, intervals):
        masses = self._of("cdf", intervals.ravel()).reshape(intervals.shape)
        return float(np.sum(masses[:, 1] - masses[:, 0]))

    def _crossings(self, level, before):
        """Where the log-density is a level, right of some knots."""

        def excess(x: np.ndarray, index: np.ndarray) -> np.ndarray:
            return self._of("log_density", x) - level

        return find_roots(excess, self._knots[before], self._knots[before + 1])

    def _extrema(self, mesh):
        (before,) = np.nonzero(np.diff(np.sign(self._of("gradient", mesh)[:, 0])))

        def slope(x: np.ndarray, index: np.ndarray) -> np.ndarray:
            return self._of("gradient", x)[:, 0]

        return find_roots(slope, mesh[before], mesh[before + 1])

    def _of(self, method, x):
        rows = ArrayRows(x[:, None], workspace=self._workspace)
        return getattr(self._model, method)(rows)


def _quantile_from_above(values, masses, share):
    """The value at which the largest add up to a share of the masses."""
    order = np.argsort(-values)
    place = np.searchsorted(np.cumsum(masses[order]), share)
    return values[order[min(place, len(order) - 1)]]
