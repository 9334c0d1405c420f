"""Tables in Markdown: numbers in words, and a report that collects them."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.turns import Turns


def seconds(value: float) -> str:
    """A time in a readable unit."""
    if value >= 1000:
        return f"{value:,.0f} s"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def megabytes(value: float) -> str:
    """A number of bytes, in millions."""
    return f"{value / 1e6:.0f} MB"


def size(shape: Sequence[int] | np.ndarray) -> str:
    """Rows × features of an array, or of a tuple that begins with them."""
    n_samples, n_features = getattr(shape, "shape", shape)[:2]
    return f"{n_samples:,} × {n_features}"


def ratio(theirs: Turns, ours: Turns) -> str:
    """Theirs over ours: the ratio of the medians, and its range over the turns.

    Where one side took fewer turns, the range is that of all pairs.
    """
    is_paired = len(theirs.values) == len(ours.values)
    pairs = (zip if is_paired else product)(theirs.values, ours.values)
    turns = [t / o for t, o in pairs]
    low, high = (factor(turn) for turn in (min(turns), max(turns)))
    return f"{factor(theirs.median / ours.median)}× ({low}–{high})"


def times(ours: Turns, theirs: Turns) -> tuple[str, str, str]:
    """Our time, theirs and their ratio, as cells."""
    return seconds(ours.median), seconds(theirs.median), ratio(theirs, ours)


def factor(value: float) -> str:
    """A ratio to as many digits as can be trusted."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


class Report:
    """Markdown that is printed as it comes and kept for a file, and its pictures."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pictures: dict[str, str] = {}

    def text(self, text: str) -> None:
        """Add a paragraph or a line of a table."""
        print(text, flush=True)
        self.lines.append(text)

    def table(self, title: str, note: str, columns: str) -> None:
        """Begin a table: its heading, what it shows, and its columns, by comma."""
        names = columns.split(", ")
        self.text(f"\n## {title}\n\n{note}\n")
        self.row(*names)
        self.row(*["---"] * len(names))

    def row(self, *cells: Any) -> None:
        """Add a row to the last table."""
        self.text(f"| {' | '.join(map(str, cells))} |")

    def picture(self, name: str, content: str) -> None:
        """Keep a picture for a file of that name."""
        self.pictures[name] = content

    def write(self, path: Path) -> None:
        """Write all of it to a file, and the pictures beside it."""
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        for name, content in self.pictures.items():
            (path.parent / name).write_text(content, encoding="utf-8")
