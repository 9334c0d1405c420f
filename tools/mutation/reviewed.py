"""Survivors that somebody has looked at, and why no test can or should fail."""

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("reviewed.toml")
CLASSES = ("equivalent", "speed")


def reviewed():
    """``(path, line before, line after)`` to ``(class, reason)``."""
    found = {}
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8")).get("mutant", []):
        if entry["class"] not in CLASSES:
            raise ValueError(f"class is one of {CLASSES}, got {entry['class']!r}")
        key = entry["path"], entry["before"], entry["after"]
        found[key] = entry["class"], entry["reason"]
    return found
