"""Rows that every pass reads again, part by part: what their kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, Self, TypeVar

import numpy as np

from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import seed_of_hashes
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.rows.rows import Block, Rows, once
from skdensity.rows.sketch import Sketch
from skdensity.rows.survey import Found, Survey, Tally

T = TypeVar("T")
NO_ROWS = "X has no rows: all of its blocks are empty."


class StreamedRows(ABC):
    """Weighted rows that are never in memory all at once.

    A kind of them says how a function of parts is added up, in one pass: the parts are
    rows in memory, checked and in their order. What solvers ask of all rows is found on
    the side of the first pass, whatever that is made for; every other one must find as
    many rows of the same weight.

    Parameters
    ----------
    workspace : Workspace, optional
        Threads and scratch of this process.
    check : callable, optional
        Called with these rows when the first pass has told what they are, to complain.
    """

    are_near = False

    def __init__(
        self,
        workspace: Workspace | None = None,
        check: Callable[[Rows], None] = lambda rows: None,
    ) -> None:
        self.workspace = workspace or Workspace()
        self.remembered: dict[Any, Any] = {}
        self._check = check

    @abstractmethod
    def _summed(self, of_part: Callable[[ArrayRows], T]) -> T:
        """Add up a function of all parts, in their order.

        The function can be pickled if what it was made of can: it holds no rows.
        """

    @abstractmethod
    def batches(
        self, size: int, rng: np.random.RandomState | None
    ) -> Iterator[tuple[Rows, float]]:
        """All rows in batches, each with its part of the weight."""

    @property
    def is_known(self) -> bool:
        """Whether a pass has told what the rows are."""
        return "survey" in vars(self)

    @cached_property
    def survey(self) -> Survey:
        """What is known of all rows; it takes a pass if there was none."""
        return self._first(_nothing).known

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of features, which takes no pass to tell."""

    @property
    def n_rows(self) -> int:
        """Number of rows of positive weight."""
        return self.survey.tally.n_rows

    @property
    def dtype(self) -> np.dtype:
        """That of the rows."""
        return self.survey.dtype

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return self.survey.tally.total_weight

    @property
    def largest_weight(self) -> float:
        """Largest of the weights."""
        return self.survey.largest_weight

    @property
    def largest(self) -> float:
        """Largest absolute value that was observed."""
        return float(self.sizes.max())

    def reaches(self, size: float) -> np.ndarray:
        """Whether each feature has an absolute value of `size` or more that counts."""
        return self.sizes >= size

    @property
    def sizes(self) -> np.ndarray:
        """Largest absolute value of every feature that counts, or 0 if none does."""
        return self.survey.sizes

    @property
    def are_complete(self) -> bool:
        """Whether every feature of every row was observed."""
        return self.survey.are_complete

    @property
    def origin(self) -> np.ndarray:
        """The first observed value of every feature, in float64."""
        return self.survey.origin

    @property
    def near(self) -> Self:
        """These: they come in the order that they have."""
        return self

    def add(self, term: Callable[[Block, Scratch], T], row_bytes: int) -> T:
        """Add up ``term(block, scratch)`` over all blocks of all parts, in one pass."""
        return self._pass(partial(_added, term, row_bytes))

    def sample(self, n_rows: int, rng: np.random.RandomState) -> ArrayRows:
        """About `n_rows` distinct rows at random: those that memory would choose.

        In one pass. Where there are many copies, one row has the weight of all.
        """
        state, seed = rng.get_state(), seed_of_hashes(rng)
        of_part = partial(Sketch.of, n_rows, seed)
        sketch = once(self, ("sample", n_rows, seed), lambda: self._pass(of_part))
        if self.n_rows <= n_rows:
            rng.set_state(state)  # as no choice was left to make
        kind = ArrayRows if self.are_complete else IncompleteRows
        return kind(sketch.X, sketch.weight, self.workspace)

    held = sample

    def _pass(self, of_part):
        """The sum of a function of parts that have rows, after checks of the pass."""
        if not self.is_known:
            return self._first(of_part).total
        found = self._summed(partial(_found, Tally.of, of_part))
        if found.known != self.survey.tally:
            raise ValueError(
                f"The first pass found {self.survey.tally}, and a later one "
                f"{found.known}. A fit reads the table again and again: it must have "
                "the same rows every time, in the same order."
            )
        return found.total

    def _first(self, of_part):
        """What the first pass finds; rows that are of no use end it."""
        # Of values whose squares overflow, the check says so.
        with np.errstate(over="ignore", invalid="ignore"):
            found = self._summed(partial(_found, Survey.of, of_part))
        if found.known.tally.n_table == 0:
            raise ValueError(NO_ROWS)
        self.survey = found.known
        try:
            self._check(self)
        except BaseException:
            del self.survey
            raise
        return found


def _found(known_of, of_part, part):
    """What one part tells."""
    return Found(known_of(part), of_part(part) if part.n_rows else None)


def _added(term, row_bytes, part):
    return part.add(term, row_bytes)


def _nothing(part):
    return 0
