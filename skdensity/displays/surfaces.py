"""Densities of features and of pairs of them, on grids that both share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.integrate import trapezoid

from skdensity.displays.bumps import Bumps
from skdensity.displays.grids import Density, around, curve, resampled

# A pair is seen well where its integral is that of the draws within the windows; the
# share of 4,000 draws is known to less than this.
MASS_ERROR = 0.01
# Points of all pairs together up to which grids are made finer for that, and how often
# as fine as asked for: ridges of strong correlation need it.
MAX_POINTS = 200_000
FINEST = 4
# Centres among which the peak of a pair is looked for.
MAX_CENTRES = 4000

Curves = list[tuple[np.ndarray, np.ndarray]]
Surfaces = dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def evaluated(
    density_of: Callable[..., Density],
    bumps: Bumps,
    draws: np.ndarray,
    windows: list[tuple],
    n_points: int,
) -> tuple[Curves, Surfaces]:
    """Curves of all features and surfaces of all pairs.

    Parameters
    ----------
    density_of : callable
        Gives the density of the features at some positions.
    bumps : Bumps
        Where the density is.
    draws : ndarray of shape (n_draws, n_features)
        Draws from it.
    windows : list of tuple of float
        What to show of every feature.
    n_points : int
        Points for every feature, at least.
    """
    n_features = len(windows)
    curves = [
        curve(density_of(i), bumps, i, window, n_points)
        for i, window in enumerate(windows)
    ]
    if n_features == 1:
        return curves, {}
    pairs = list(combinations(range(n_features), 2))
    peaks = {pair: _peak(density_of(*pair), bumps, pair) for pair in pairs}
    most = max(n_points, min(FINEST * n_points, int(np.sqrt(MAX_POINTS / len(pairs)))))
    while True:
        grids = [_grid(i, curves[i], peaks, n_points) for i in range(n_features)]
        surfaces = {
            (i, j): _surface(density_of(i, j), grids[i], grids[j]) for i, j in pairs
        }
        if n_points >= most or _are_seen(surfaces, draws):
            break
        n_points = min(2 * n_points, most)
    return [
        (grid, density_of(i)(grid[:, None])) for i, grid in enumerate(grids)
    ], surfaces


def _grid(feature, curve, peaks, n_points):
    """A feature's grid, as fine as its curve needs and about the peaks of its pairs."""
    x, values = curve
    points = [resampled(x, n_points), x[[values.argmax()]]]
    points += [
        around(peak, feature, x) for pair, peak in peaks.items() if feature in pair
    ]
    return np.unique(np.concatenate(points))


def _peak(density, bumps, pair):
    """The centre at which the density of a pair is highest."""
    some = bumps.some(MAX_CENTRES)
    return some.only(np.argmax(density(some.centres[:, pair])))


def _surface(density, x, y):
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return x, y, density(grid).reshape(len(y), len(x))


def _are_seen(surfaces, draws):
    """Whether the integral of every surface is the share of draws that it shows."""
    for pair, (x, y, density) in surfaces.items():
        ends = np.array([[x[0], y[0]], [x[-1], y[-1]]])
        part = draws[:, pair]
        share = np.mean(np.all((part >= ends[0]) & (part <= ends[1]), axis=1))
        if abs(trapezoid(trapezoid(density, x), y) - share) > MASS_ERROR:
            return False
    return True
