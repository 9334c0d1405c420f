"""What every kind of table offers to the models and to their solvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from skdensity.passes.scratch import Scratch

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a table.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows, as the user gave them.
    weight : ndarray of shape (n_rows,)
        Their weights.
    index : slice or ndarray
        Where they are among the rows, in the order that these have.
    """

    X: np.ndarray
    weight: np.ndarray
    index: slice | np.ndarray

    def columns(self, scratch: Scratch) -> np.ndarray:
        """The rows as float64 of shape (n_features, n_rows), contiguous.

        float32 rows are widened block by block, so that all sums accumulate in float64.
        """
        columns = scratch.array("columns", self.X.shape[::-1])
        columns[...] = self.X.T
        return columns


class Rows(Protocol):
    """Weighted rows that a density can be fitted to.

    Solvers ask for these few things, and never for the table itself: it may be larger
    than the memory, or be read block by block.
    """

    @property
    def n_features(self) -> int:
        """Number of features."""

    @property
    def n_rows(self) -> int:
        """Number of rows of positive weight."""

    @property
    def dtype(self) -> np.dtype:
        """That of the table, and of what is computed for every row."""

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""

    @property
    def largest_weight(self) -> float:
        """Largest of the weights."""

    @property
    def largest(self) -> float:
        """No observed value is further from 0; NaN or infinity take a closer look."""

    def reaches(self, size: float) -> np.ndarray:
        """Whether each feature has an absolute value of `size` or more that counts.

        Of most tables the first rows tell, where `sizes` takes a look at all.
        """

    @property
    def sizes(self) -> np.ndarray:
        """Largest absolute value of every feature that counts, or 0 if none does."""

    @property
    def are_complete(self) -> bool:
        """Whether every feature of every row was observed."""

    @property
    def origin(self) -> np.ndarray:
        """A row of positive weight, in float64: sums relative to it do not cancel.

        Of rows with holes, a value of every feature that was observed.
        """

    @property
    def near(self) -> Rows:
        """The same rows, in an order in which neighbours are near, if there is one.

        Made once: for passes that many components make long.
        """

    @property
    def are_near(self) -> bool:
        """Whether they are in such an order."""

    @property
    def remembered(self) -> dict[Any, Any] | None:
        """What was found in passes that are dear, to be found once; else None.

        Where it is a dictionary, a pass reads the table again.
        """

    def add(self, term: Callable[[Block, Scratch], T], row_bytes: int) -> T:
        """Add up a function of blocks, in their order; `row_bytes` is what it needs.

        The function must not hold the rows themselves: it may be sent elsewhere.
        """

    def sample(self, n_rows: int, rng: np.random.RandomState) -> Any:
        """About `n_rows` distinct rows with all their copies, as rows in memory.

        Chosen by a hash of their values: neither order nor repetition makes a
        difference.
        """

    def held(self, n_rows: int, rng: np.random.RandomState) -> Any:
        """Rows in memory that stand for these: all, or where they are not a sample."""

    def batches(
        self, size: int, rng: np.random.RandomState | None
    ) -> Iterator[tuple[Rows, float]]:
        """All rows in batches, each with its part of the weight.

        In an order that is drawn, where rows are in memory and `rng` is given.
        """


class HeldRows(Rows, Protocol):
    """Rows in memory, for which there is room for a value each."""

    def fill(
        self,
        values: Callable[[np.ndarray, Scratch], np.ndarray],
        row_bytes: int,
        *,
        shape: tuple[int, ...] = (),
        dtype: np.typing.DTypeLike | None = None,
    ) -> np.ndarray:
        """A value for every row of the table, whatever its weight."""


def effective_number(rows: Rows) -> float:
    """Kish's effective number of rows: so many of equal weight would tell as much.

    (Σ w)² / Σ w² (Kish 1965, *Survey Sampling*, section 11.7), in one pass.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> from skdensity.rows.rows import effective_number
    >>> effective_number(ArrayRows(np.zeros((3, 1)), np.array([2.0, 1.0, 1.0]))) * 6
    16.0
    """

    largest = rows.largest_weight

    def term(block: Block, scratch: Scratch) -> np.ndarray:
        # Relative to the largest, squares of tiny weights are not lost.
        part = block.weight / largest
        return np.array([part.sum(), part @ part])

    total, squares = rows.add(term, row_bytes=16)
    return float(total**2 / squares)


def once(rows: Rows, key: Any, find: Callable[[], T]) -> T:
    """What is found in passes over rows; where these are dear, it is found once.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.block_rows import BlockRows
    >>> from skdensity.rows.rows import once
    >>> rows = BlockRows(lambda: iter([(np.ones((2, 1)), None)]))
    >>> once(rows, "answer", lambda: 42), once(rows, "answer", lambda: 0)
    (42, 42)
    """
    if rows.remembered is None:
        return find()
    if key not in rows.remembered:
        rows.remembered[key] = find()
    return rows.remembered[key]
