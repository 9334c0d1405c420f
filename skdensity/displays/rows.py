"""How rows are drawn: as a histogram, a rug or points, and at the edge if beyond."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.displays.drawing import COLOURS, flipped

# A histogram of more bins than this is a rug.
MAX_BINS = 100
# More marks or points than this hide each other.
MAX_MARKS = 1000
MAX_POINTS = 4000
# Area of a point, in points squared.
POINT_SIZE = 6
# Beside an edge, what points beyond it; the sides are left, right, bottom and top.
ARROWS = (("<", ">"), ("v", "^"))


def some_of(rows: np.ndarray, n_most: int) -> np.ndarray:
    """At most so many rows, evenly spread over their order."""
    if len(rows) <= n_most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, n_most).astype(int)]


def opacity(n_points: int) -> float:
    """Of points, so that many of them show where they are dense."""
    return float(np.clip((300 / max(n_points, 1)) ** 0.5, 0.15, 0.6))


def draw_histogram(
    ax: Any, values: np.ndarray, window: tuple, is_horizontal: bool, kw: dict
) -> float:
    """Draw shares of all values per unit, within a window; their largest is returned.

    Values beyond the window count as well: the area is the share of those within.
    """
    inside = values[(values >= window[0]) & (values <= window[1])]
    several = len(np.unique(inside)) > 1
    ends = (inside.min(), inside.max()) if several else window
    kw = {"bins": _n_bins(len(values), ends), **kw}
    counts, edges = np.histogram(values, kw.pop("bins"), range=ends)
    heights = counts / (len(values) * np.diff(edges))
    orientation = "horizontal" if is_horizontal else "vertical"
    style = {"color": COLOURS[7], "alpha": 0.35, "orientation": orientation}
    ax.hist(edges[:-1], edges, weights=heights, **{**style, **kw})
    return float(heights.max())


def _n_bins(n_values, ends):
    """NumPy's own rules have too few bins where there are several peaks."""
    told_apart = np.ptp(ends) / np.spacing(np.max(np.abs(ends))) / 2
    return int(max(1, min(MAX_BINS, np.sqrt(n_values), told_apart)))


def draw_rug(ax: Any, values: np.ndarray, is_horizontal: bool) -> None:
    """Draw a mark for every value, thinned, along the axis."""
    marks = some_of(values, MAX_MARKS)
    ax.plot(
        *flipped(marks, np.full(len(marks), 0.015), is_horizontal),
        "_" if is_horizontal else "|",
        color=COLOURS[7],
        markersize=6,
        alpha=max(0.1, min(1, 50 / len(marks))),
        transform=_along(ax, is_horizontal),
    )


def mark_values_beyond(
    ax: Any,
    values: np.ndarray,
    window: tuple,
    is_horizontal: bool = False,
    has_room: bool = True,
) -> None:
    """Mark either end beyond which there are values; where there is room, how many."""
    counts = np.sum(values < window[0]), np.sum(values > window[1])
    style = {"color": COLOURS[1], "markersize": 4, "clip_on": False}
    for count, end, marker, inwards in zip(
        counts, window, ARROWS[int(is_horizontal)], (1, -1), strict=True
    ):
        place = flipped(end, 0.06, is_horizontal)
        transform = _along(ax, is_horizontal)
        if count:
            ax.plot(*place, marker, transform=transform, **style)
        if count and has_room:
            _say(ax, f"{count:,} beyond", place, transform, is_horizontal, inwards)


def _say(ax, text, place, transform, is_horizontal, inwards):
    """Write beside a mark at one end of an axis."""
    across, along = ("va", "ha") if is_horizontal else ("ha", "va")
    ends = ("bottom", "top") if is_horizontal else ("left", "right")
    alignment = {across: ends[inwards < 0], along: "center"}
    ax.annotate(
        text,
        place,
        xycoords=transform,
        xytext=flipped(7 * inwards, 12 * is_horizontal, is_horizontal),
        textcoords="offset points",
        fontsize="small",
        color=ax.xaxis.label.get_color(),
        **alignment,
    )


def draw_points(ax: Any, rows: np.ndarray, kw: dict) -> None:
    """Draw rows as points under the regions, the fewer and the paler the more."""
    shown = some_of(rows, MAX_POINTS)
    style = {"s": POINT_SIZE, "color": COLOURS[1], "linewidths": 0, "zorder": 0.9}
    style["alpha"] = opacity(len(shown))
    ax.scatter(*shown.T, **{**style, **kw})


def mark_rows_beyond(ax: Any, rows: np.ndarray, windows: list[tuple]) -> None:
    """Mark rows outside of two windows where the edge is nearest."""
    lower, upper = np.transpose(windows)
    at_edge = np.clip(rows, lower, upper)
    for axis, arrows in enumerate(ARROWS):
        beyond = rows[:, axis] < lower[axis], rows[:, axis] > upper[axis]
        for is_beyond, marker in zip(beyond, arrows, strict=True):
            marks = some_of(at_edge[is_beyond], MAX_MARKS)
            if len(marks):
                ax.plot(*marks.T, marker, color=COLOURS[1], markersize=4, clip_on=False)


def _along(ax, is_horizontal):
    """Data along the feature's axis, shares of the axes across."""
    return ax.get_yaxis_transform() if is_horizontal else ax.get_xaxis_transform()
