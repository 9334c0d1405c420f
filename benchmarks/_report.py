"""What the benchmarks share: turns, checks, Markdown tables and their context."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from math import inf
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_info


@dataclass(frozen=True)
class Turns:
    """What one contender measured in every turn, and the result of the last."""

    values: list[float]
    result: Any

    @property
    def median(self) -> float:
        """Median of the measurements."""
        return median(self.values)


def timed(function: Callable) -> tuple[float, Any]:
    """Seconds of a call, and what it returned."""
    begin = perf_counter()
    result = function()
    return perf_counter() - begin, result


def take_turns(repeats: int, *contenders: Callable, budget: float = inf) -> list[Turns]:
    """Let all contenders run once per turn, so that a busy machine slows them alike.

    A contender is called without arguments and returns a measurement and a result. One
    that has run for `budget` seconds sits out the turns that follow.
    """
    spent = [0.0] * len(contenders)
    turns: list[list] = [[] for _ in contenders]
    for _ in range(repeats):
        for i, contender in enumerate(contenders):
            if spent[i] < budget:
                taken, outcome = timed(contender)
                spent[i] += taken
                turns[i].append(outcome)
    return [Turns([value for value, _ in own], own[-1][1]) for own in turns]


def difference(ours, theirs) -> float:
    """Largest difference of two results, relative to the largest number in them."""
    return float(np.max(np.abs(np.subtract(ours, theirs))) / np.max(np.abs(theirs)))


def checked_difference(ours, theirs, tolerance: float = 1e-9) -> float:
    """The same; ends the script if it is too large for a comparison of times."""
    found = difference(ours, theirs)
    if not found <= tolerance:
        raise SystemExit(
            f"The results differ by {found:.0e}: the times do not compare."
        )
    return found


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


def factor(value: float) -> str:
    """A ratio to as many digits as can be trusted."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def environment(*packages: str) -> str:
    """Versions, processors, BLAS and thread limits, as a Markdown list."""
    versions = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    return "\n".join(
        [
            f"- {', '.join(versions)}",
            f"- {platform.system()} {platform.machine()}, {joblib.cpu_count()} cores",
            f"- {'; '.join(_thread_pools())}",
            f"- thread limits: {', '.join(_thread_limits()) or 'none'}",
        ]
    )


def _thread_pools():
    """The BLAS and OpenMP libraries in use, each once."""
    keys = ("internal_api", "version", "architecture")
    return sorted(
        {
            " ".join(pool[key] for key in keys if pool.get(key))
            + f" ({pool['num_threads']} threads)"
            for pool in threadpool_info()
        }
    )


def _thread_limits():
    """The environment variables that limit threads."""
    return [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.endswith("_NUM_THREADS")
    ]


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
