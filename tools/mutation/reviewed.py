"""Survivors that somebody has looked at, and why no test can or should fail."""

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("reviewed.toml")
ROOT = FILE.parents[2]
CLASSES = ("equivalent", "speed")


def reviewed():
    """``(path, lines before, lines after)`` to ``(class, reason)``."""
    found = {}
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8")).get("mutant", []):
        if entry["class"] not in CLASSES:
            raise ValueError(f"class is one of {CLASSES}, got {entry['class']!r}")
        path, before = entry["path"], entry["before"]
        n_times = _times(before.split("\n"), ROOT / path)
        if n_times != 1:
            raise ValueError(
                f"{FILE.name}: {path} has {before!r} {n_times} times; an entry is "
                "about one place. Remove it, or quote more lines."
            )
        found[path, before, entry["after"]] = entry["class"], entry["reason"]
    return found


def _times(lines, file):
    """How often a file has these lines, one after another, whatever their indent."""
    text = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    n = len(lines)
    return sum(text[i : i + n] == lines for i in range(len(text) - n + 1))
