"""Where densities are evaluated: points that lie close where the density bends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skdensity.displays.bumps import Bumps

Density = Callable[[np.ndarray], np.ndarray]

# A line between two points misses the root of the density by at most this share of its
# peak's: the root, since tails count in pictures, too. A peak is then missed by .1 %.
MISS = 5e-4
# A picture has a thousand pixels: a curve of more points than this is done.
MAX_POINTS = 20_000
# Centres of bumps that are looked at.
MAX_CENTRES = 20_000
# Widths from a centre at which a bump is seen to rise and fall.
AROUND = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])


def curve(
    density: Density, bumps: Bumps, feature: int, window: tuple, n_points: int
) -> tuple[np.ndarray, np.ndarray]:
    """A feature's grid and the density on it.

    Evenly spaced points, the highest centre between any two of them, and what
    :func:`refined` adds: so the peak is there, however narrow.
    """
    even = np.linspace(window[0], window[1], n_points)

    def at(x):
        return density(x[:, None])

    tops = around(_tops(at, bumps, feature, even), feature, even)
    return refined(at, np.append(even, tops))


def refined(density: Density, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid halved wherever a line between two points is not the density yet.

    Parameters
    ----------
    density : callable
        Densities of points.
    x : ndarray of shape (n_points,)
        Where to begin.

    Returns
    -------
    x : ndarray of shape (n_more_points,)
        The grid, ascending.
    values : ndarray of shape (n_more_points,)
        The density there.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.integrate import trapezoid
    >>> from scipy.stats import norm
    >>> from skdensity.displays.grids import refined
    >>> x, values = refined(norm(3, 0.1).pdf, np.array([0.0, 3.01, 10.0]))
    >>> float(trapezoid(values, x).round(3)), float(values.max().round(2))
    (1.0, 3.99)
    """
    x = np.unique(x)
    roots = np.sqrt(density(x))
    left = np.arange(len(x) - 1)
    while len(left) and len(x) < MAX_POINTS:
        middle = x[left] / 2 + x[left + 1] / 2
        found = np.sqrt(density(middle))
        misses = np.abs(found - roots[left] / 2 - roots[left + 1] / 2)
        x, roots = np.insert(x, left + 1, middle), np.insert(roots, left + 1, found)
        # Every point that was put in moves those behind it by one.
        halves = np.repeat(left + np.arange(len(left)), 2)
        halves[1::2] += 1
        left = halves[np.repeat(misses > MISS * roots.max(), 2)]
        left = left[np.diff(x)[left] > 4 * np.spacing(np.abs(x[left]))]
    return x, roots**2


def resampled(x: np.ndarray, n_points: int) -> np.ndarray:
    """Another number of points, spaced like those of a grid, with the same ends."""
    order = np.arange(len(x))
    return np.interp(np.linspace(0, order[-1], n_points), order, x)


def around(bumps: Bumps, feature: int, even: np.ndarray) -> np.ndarray:
    """Centres between two ends, and points about those narrower than even steps."""
    centres, widths = bumps.centres[:, feature], bumps.widths[:, feature]
    narrow = widths < even[1] - even[0]
    near = centres[narrow] + np.multiply.outer(AROUND, widths[narrow])
    points = np.append(centres, near)
    return points[(points > even[0]) & (points < even[-1])]


def _tops(density, bumps, feature, edges):
    """The highest bump of every cell."""
    some = bumps.some(MAX_CENTRES)
    centres = some.centres[:, feature]
    inside = np.flatnonzero((centres > edges[0]) & (centres < edges[-1]))
    if not len(inside):
        return some.only(inside)
    heights = density(centres[inside])
    order = inside[np.argsort(-heights, kind="stable")]
    cells = np.searchsorted(edges, centres[order])
    return some.only(order[np.unique(cells, return_index=True)[1]])
