"""Where densities are evaluated: points that lie close where the density bends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skdensity.displays.bumps import Bumps

Density = Callable[[np.ndarray], np.ndarray]

# A line between two points misses the root of the density in the middle by at most this
# share of its peak's: the root, since tails count in pictures, too.
MISS = 5e-4
# Nor may it rise by more than this share: across a flank it meets middles by chance.
RISE = 1 / 8
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

    Evenly spaced points are refined, and again from every centre of a bump that the
    curve does not know yet: so the peak is there, however narrow.
    """

    def root(x):
        return np.sqrt(density(x[:, None]))

    x = np.linspace(window[0], window[1], n_points)
    roots = root(x)
    centres, tops = _tops(root, bumps, feature, window)
    # First one everywhere, since there may be too many to draw every one.
    chosen = _unknown(x, roots, centres, tops)
    x, roots, _ = _put_in(x, roots, centres[chosen], tops[chosen])
    new = np.arange(1, len(x))
    while len(new) and len(x) < MAX_POINTS:
        x, roots = _halved(root, x, roots, np.unique(np.append(new - 1, new)))
        chosen = _unknown(x, roots, centres, tops)
        x, roots, new = _put_in(x, roots, centres[chosen], tops[chosen])
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


def _halved(root, x, roots, left):
    """Halve intervals, given by their left ends, until lines are the density's root."""
    left = left[left < len(x) - 1]
    while len(x) < MAX_POINTS:
        left = left[np.diff(x)[left] > 4 * np.spacing(np.abs(x[left]))]
        if not len(left):
            break
        middle = x[left] / 2 + x[left + 1] / 2
        found = root(middle)
        misses = np.abs(found - roots[left] / 2 - roots[left + 1] / 2)
        rises = np.abs(roots[left + 1] - roots[left])
        x, roots, new = _put_in(x, roots, middle, found)
        new = new[np.maximum(misses / MISS, rises / RISE) > roots.max()]
        left = np.sort(np.append(new - 1, new))
    return x, roots


def _put_in(x, roots, points, found):
    """A grid with more points, which are ascending, and their indices in it."""
    places = np.searchsorted(x, points)
    new = places + np.arange(len(points))
    return np.insert(x, places, points), np.insert(roots, places, found), new


def _tops(root, bumps, feature, window):
    """Centres of bumps within a window, ascending, and roots of the density there."""
    centres = np.unique(bumps.some(MAX_CENTRES).centres[:, feature])
    centres = centres[(centres > window[0]) & (centres < window[1])]
    return centres, root(centres) if len(centres) else centres


def _unknown(x, roots, centres, tops):
    """The centre in every interval of a grid that lines miss the most, if they do."""
    misses = np.abs(tops - np.interp(centres, x, roots))
    missed = np.flatnonzero(misses > MISS * max(roots.max(), tops.max(initial=0)))
    worst_first = missed[np.argsort(-misses[missed], kind="stable")]
    intervals = np.searchsorted(x, centres[worst_first])
    return np.sort(worst_first[np.unique(intervals, return_index=True)[1]])
