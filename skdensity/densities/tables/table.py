"""What an estimator asks of any kind of table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from skdensity.densities.tables.table_check import TableCheck, named
from skdensity.passes.workspace import Workspace
from skdensity.rows.rows import Rows


@dataclass(frozen=True, eq=False)
class Answer:
    """What an estimator answers for every row, and how that will look.

    Attributes
    ----------
    values : callable
        Maps a checked array of rows, and `rng` if there is one, to as many values.
    shape : tuple of int
        Shape of one value.
    dtype : dtype, optional
        Of the values; None is that of the rows.
    rng : RandomState, optional
        Source of randomness of values that are drawn.
    """

    values: Callable[..., np.ndarray]
    shape: tuple[int, ...] = ()
    dtype: np.typing.DTypeLike | None = None
    rng: np.random.RandomState | None = None

    def of(self, X: np.ndarray) -> np.ndarray:
        """Values of checked rows; none for none, which models need not know of."""
        if len(X) == 0:
            return np.empty((0, *self.shape), self.dtype or X.dtype)
        return self.values(X) if self.rng is None else self.values(X, self.rng)

    def of_block(
        self, check: TableCheck, X: Any, sample_weight: Any, name: str
    ) -> np.ndarray:
        """Values of a block that is to be checked; errors tell its name."""
        X, _ = check.block(X, sample_weight, name)
        with named(name):
            return self.of(X)


class Table(Protocol):
    """A table of some kind, of which nothing was read or checked so far."""

    def rows(
        self,
        check: TableCheck,
        sample_weight: Any,
        workspace: Workspace,
        once_known: Callable[[Rows], None],
    ) -> Rows:
        """Rows to fit to.

        `check` is for every block; `once_known` is called with the rows as soon as it
        is known what they are.
        """

    def evaluate(self, check: TableCheck, answer: Answer) -> Any:
        """The answer for every row: of arrays an array, of others what suits them."""

    def add(
        self, term: Callable[[Any, np.ndarray | None], np.ndarray], sample_weight: Any
    ) -> np.ndarray:
        """Add up a function of blocks as they came, and of their checked weights."""

    def check_batch(self) -> None:
        """Complain of what is not one batch of a stream."""

    def held(self, name: str) -> Any:
        """The same as what an array is made of, for who needs all rows in memory.

        `name` is theirs, for the error of tables that may be too large.
        """
