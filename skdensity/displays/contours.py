"""Regions of highest density of two features, with labels that keep apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.displays.drawing import COLOURS

# The width of a character in units of the font's size.
CHARACTER = 0.65
# What is this part of the peak is of the same height, but for how sums are rounded.
FLAT = 1 - 1e-5
# Outlines of fewer pixels than this are a dot.
SPECK = 1.5


def draw_regions(
    ax: Any,
    surface: tuple[np.ndarray, ...],
    coverage: tuple[float, ...],
    kw: dict,
) -> dict[str, Any]:
    """Fill and outline regions, the outermost first.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    surface : tuple of ndarray
        Values of two features, densities, and the levels of the regions.
    coverage : tuple of float
        Of the regions, in the order of the levels.
    kw : dict
        Passed to ``Axes.contourf``.

    Returns
    -------
    regions : dict
        ``lines``, the outlines, None where there are none, ``texts``, what every region
        holds, and ``fills``, a colour for each.
    """
    x, y, density, levels = surface
    texts = _texts(np.minimum(levels, FLAT * density.max()), coverage)
    edges = np.array(sorted(texts))
    # From the outermost region to the peak, ever more opaque.
    shades = np.linspace(0.2, 0.75, len(edges))
    fill = {"colors": [(COLOURS[0], shade) for shade in shades], **kw}
    top = 1.0001 * density.max()
    filled = ax.contourf(x, y, density, levels=[*edges, top], **fill)
    # A region that is all there is to see has no outline, of which contour complains.
    seen = edges[edges > density.min()]
    return {
        "texts": [texts[level] for level in edges],
        "fills": filled.get_facecolor(),
        "lines": _outlines(ax, x, y, density, seen) if len(seen) else None,
    }


def label(ax: Any, regions: dict[str, Any]) -> None:
    """Write every region's coverage on its outline; without room, in a legend."""
    lines, texts = regions["lines"], regions["texts"]
    spots = [] if lines is None else _spots(ax, lines, texts)
    if len(spots) < len(texts):
        ax.legend(**legend_of(regions), fontsize="small", framealpha=0.6)
        return
    fmt = dict(zip(lines.levels, texts, strict=True))
    colour = ax.xaxis.label.get_color()
    ax.clabel(lines, fmt=fmt, colors=colour, fontsize="small", manual=spots)


def legend_of(regions: dict[str, Any]) -> dict[str, Any]:
    """Handles and labels of a legend of regions."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=fill, edgecolor=COLOURS[0]) for fill in regions["fills"]]
    return {"handles": handles, "labels": regions["texts"]}


def _texts(levels, coverage):
    """What to write at every level; regions may coincide, where the density is flat."""
    texts: dict[float, str] = {}
    for level, share in zip(levels, coverage, strict=True):
        others = f"{texts[level]}, " if level in texts else ""
        texts[level] = f"{others}{100 * share:g}%"
    return texts


def _outlines(ax, x, y, density, levels):
    lines = ax.contour(x, y, density, levels, colors=COLOURS[0], linewidths=1)
    specks = [
        segment.mean(axis=0)
        for segments in lines.allsegs
        for segment in segments
        if _extent(ax, segment) < SPECK
    ]
    if specks:  # of which nothing would be drawn
        ax.plot(*np.transpose(specks), ".", color=COLOURS[0], markersize=3)
    return lines


def _extent(ax, line):
    """Width or height of a line in pixels, whichever is larger."""
    return np.ptp(ax.transData.transform(line), axis=0).max() if len(line) else np.inf


def _spots(ax, lines, texts):
    """Where labels are, from the innermost region on; fewer where they find no room."""
    from matplotlib.font_manager import FontProperties

    points = FontProperties(size="small").get_size_in_points()
    room = CHARACTER * max(map(len, texts)) * points * ax.figure.dpi / 72
    corners = ax.transAxes.transform([(0, 0), (1, 1)]) + room * np.array([[1], [-1]])
    placed: list[np.ndarray] = []
    for segments in reversed(lines.allsegs):
        free = _free_points(ax, segments, corners, placed, room)
        if not len(free):
            break
        # At its highest point a line is level, and so is what is written there.
        placed.append(free[free[:, 1].argmax()])
    return [tuple(ax.transData.inverted().transform(spot)) for spot in placed[::-1]]


def _free_points(ax, segments, corners, placed, room):
    """Points of lines that are long enough, away from the edge and from labels."""
    long = [segment for segment in segments if _extent(ax, segment) > 1.5 * room]
    if not long:
        return np.empty((0, 2))
    points = ax.transData.transform(np.concatenate(long))
    free = np.all((points > corners[0]) & (points < corners[1]), axis=1)
    for spot in placed:
        free &= np.hypot(*(points - spot).T) > 1.3 * room
    return points[free]
