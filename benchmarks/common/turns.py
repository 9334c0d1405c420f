"""Measurements that take turns."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from statistics import median
from time import perf_counter
from typing import Any


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
