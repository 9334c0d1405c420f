"""The picture of time against the number of rows."""

from io import StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

# Okabe and Ito's colours, dark enough for text on white, with a marker for each.
STYLES = {
    "skdensity": ("#0072B2", "o"),
    "scikit-learn": ("#C44E00", "s"),
    "SciPy": ("#00805F", "^"),
    "statsmodels": ("#B0508A", "D"),
    "KDEpy": ("#6B6B6B", "v"),
}
TIMES = {
    1e-4: "0.1 ms",
    1e-3: "1 ms",
    1e-2: "10 ms",
    0.1: "0.1 s",
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
}
ROWS = {
    100: "100",
    1_000: "1,000",
    10_000: "10,000",
    100_000: "100,000",
    1_000_000: "1 million",
}
SETTINGS = {
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "skdensity",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def picture(panels):
    """An SVG with a panel for each task and a line for each library."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(10, 4.4), facecolor="white", layout="constrained")
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, (title, lines) in zip(axes, panels.items(), strict=True):
            panel(ax, title, lines)
        axes[0].set_ylabel("time, logarithmic")
        content = StringIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def panel(ax, title, lines):
    """One task: lines in log-log, labelled where they end."""
    for name, line in lines.items():
        color, marker = style(name)
        ours = name.startswith("skdensity")
        ax.plot(
            list(line),
            list(line.values()),
            marker + ("--" if "FFT" in name else "-"),
            color=color,
            linewidth=3 if ours else 1.5,
            markersize=6 if ours else 4,
            zorder=3 if ours else 2,
        )
    scales(ax, title)
    label_ends(ax, lines)


def style(name):
    """Colour and marker of a library."""
    return next(look for library, look in STYLES.items() if name.startswith(library))


def scales(ax, title):
    """Axes in words rather than in powers of ten."""
    ax.set(
        xscale="log", yscale="log", title=title, xlabel="number of rows N, logarithmic"
    )
    ax.set_xlim(80, 1.3e6)
    ax.set_xticks(list(ROWS), list(ROWS.values()))
    ax.set_yticks(list(TIMES), list(TIMES.values()))
    ax.minorticks_off()
    ax.grid(color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)


def label_ends(ax, lines, gap=0.32):
    """Names to the right of the last points, at least `gap` decades apart."""
    ends = sorted((*list(line.items())[-1], name) for name, line in lines.items())
    heights = spread(
        [np.log10(time) for _, time, _ in ends], [n for n, *_ in ends], gap
    )
    for (n_samples, _, name), height in zip(ends, heights, strict=True):
        color, _ = style(name)
        weight = "bold" if name.startswith("skdensity") else "normal"
        ax.text(
            n_samples * 1.25, 10**height, name, color=color, weight=weight, va="center"
        )


def spread(heights, groups, gap):
    """Heights of labels moved apart within groups that end at the same place."""
    heights, groups = np.array(heights), np.array(groups)
    for group in set(groups):
        own = np.flatnonzero(groups == group)
        order = own[np.argsort(heights[own])]
        steps = gap * np.arange(len(order))
        level = np.maximum.accumulate(heights[order] - steps) + steps
        heights[order] = level - np.mean(level - heights[order])
    return heights
