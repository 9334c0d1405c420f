"""One comparison, and whether its ratio still is what it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.common.turns import take_turns

TURNS = 5
# A ratio may fall to this share of the stored one: machines and BLAS libraries differ.
SHARE = 0.6


@dataclass(frozen=True)
class Comparison:
    """Ours and the peer's: each returns seconds and a result.

    ``agree(our result, their result)`` ends the script where the times do not compare.
    """

    ours: Callable[[], tuple[float, Any]]
    theirs: Callable[[], tuple[float, Any]]
    agree: Callable[[Any, Any], object]

    def ratio(self) -> float:
        """The peer's median time over ours, from turns in this process."""
        ours, theirs = take_turns(TURNS, self.ours, self.theirs)
        self.agree(ours.result, theirs.result)
        return theirs.median / ours.median


@dataclass(frozen=True)
class Verdict:
    """What is stored of a comparison, and what was measured: once, or twice.

    Without a stored ratio nothing is tried again, and nothing passes.
    """

    stored: float | None
    found: list[float]

    @property
    def is_kept(self) -> bool:
        """Whether one of the attempts came near enough to what is stored."""
        return self.stored is not None and max(self.found) >= SHARE * self.stored


def judge(comparison: Comparison, stored: float | None) -> Verdict:
    """Measure a comparison, and once more if its ratio has fallen."""
    verdict = Verdict(stored, [comparison.ratio()])
    if stored is None or verdict.is_kept:
        return verdict
    return Verdict(stored, [*verdict.found, comparison.ratio()])


def problems(verdicts: Mapping[str, Verdict], stored: Mapping[str, float]) -> list[str]:
    """What has fallen, what is not stored, and what is stored but not compared."""
    found = [
        f"{name} is not stored"
        if verdict.stored is None
        else f"{name} fell below {SHARE:g} of {verdict.stored:.2f}, twice"
        for name, verdict in verdicts.items()
        if not verdict.is_kept
    ]
    return found + [
        f"{name} is not compared" for name in sorted(stored.keys() - verdicts)
    ]
