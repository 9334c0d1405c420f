"""Densities of features and of pairs of them, on grids that both share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from skdensity.displays.bumps import Bumps
from skdensity.displays.grids import Density, around, curve, resampled

# A surface is smooth enough where lines between neighbours miss points by this share of
# the density: some three points to the standard deviation of a ridge.
ROUGHNESS = 0.03
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

    def on_grids(n_points):
        grids = [_grid(i, curves[i], peaks, n_points) for i in range(n_features)]
        return grids, {
            (i, j): _surface(density_of(i, j), grids[i], grids[j]) for i, j in pairs
        }

    grids, surfaces = on_grids(n_points)
    finer = _points_needed(surfaces, n_points)
    if finer > n_points:
        grids, surfaces = on_grids(finer)
    return [
        (grid, density_of(i)(grid[:, None])) for i, grid in enumerate(grids)
    ], surfaces


def _points_needed(surfaces, n_points):
    """How many points make surfaces smooth, as far as there may be so many."""
    rough = max(_roughness(*surface) for surface in surfaces.values())
    # What a line misses falls with the square of the distance.
    needed = n_points * np.sqrt(rough / ROUGHNESS)
    most = min(FINEST * n_points, np.sqrt(MAX_POINTS / len(surfaces)))
    return int(min(needed, most))


def _grid(feature, curve, peaks, n_points):
    """A feature's grid, as fine as its curve needs and about the peaks of its pairs."""
    x, values = curve
    even = np.linspace(x[0], x[-1], n_points)
    own = [peak for pair, peak in peaks.items() if feature in pair]
    points = [around(peak, feature, even) for peak in own]
    points += [resampled(x, n_points), x[[values.argmax()]]]
    return np.unique(np.concatenate(points))


def _peak(density, bumps, pair):
    """The centre at which the density of a pair is highest."""
    some = bumps.some(MAX_CENTRES)
    return some.only(np.argmax(density(some.centres[:, pair])))


def _surface(density, x, y):
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return x, y, density(grid).reshape(len(y), len(x))


def _roughness(x, y, density):
    """How much lines between neighbours miss points, as a share of the density."""
    between = _between(y, _between(x, density).T).T
    return np.sum(np.abs(density[1:-1, 1:-1] - between)) / np.sum(density)


def _between(x, values):
    """Inner values as lines between their neighbours along the last axis have them."""
    part = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    return (1 - part) * values[..., :-2] + part * values[..., 2:]
