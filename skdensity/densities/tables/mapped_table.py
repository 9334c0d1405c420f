"""Arrays in a file that is mapped into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skdensity.densities.checks import check_numbers
from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck, sum_of_blocks
from skdensity.passes.mapped import let_go
from skdensity.passes.workspace import Workspace
from skdensity.rows.block_rows import PIECE_BYTES, BlockRows, pieces
from skdensity.rows.rows import Rows


def is_large_map(X: Any) -> bool:
    """Whether X is a mapped array that is larger than a piece of it.

    Smaller ones are arrays like others.
    """
    return isinstance(X, np.memmap) and X.ndim == 2 and X.nbytes > PIECE_BYTES


class MappedTable:
    """A mapped array, of which a piece at a time is read and checked.

    Parameters
    ----------
    X : memmap of shape (n_samples, n_features)
        The array.
    """

    def __init__(self, X: np.memmap) -> None:
        self.X = X

    def rows(
        self,
        check: TableCheck,
        sample_weight: Any,
        workspace: Workspace,
        once_known: Callable[[Rows], None],
    ) -> Rows:
        """Rows that are read in every pass."""
        weight = self._weight(sample_weight)

        def source():
            # The file stays as it is: to look at every value once is enough.
            known = rows.is_known
            return self._as_known(weight) if known else self._checked(check, weight)

        rows = BlockRows(source, workspace, once_known)
        return rows

    def evaluate(self, check: TableCheck, answer: Answer) -> np.ndarray:
        """An array of a value for every row."""
        out = np.empty((len(self.X), *answer.shape), answer.dtype or self._dtype)
        begin = 0
        for piece in self._named(None):
            values = answer.of_block(check, *piece)
            out[begin : begin + len(values)] = values
            begin += len(values)
        return out

    def add(
        self, term: Callable[[Any, np.ndarray | None], np.ndarray], sample_weight: Any
    ) -> np.ndarray:
        """The sum of the function of all pieces, in their order."""
        return sum_of_blocks(term, self._named(self._weight(sample_weight)))

    def check_batch(self) -> None:
        """A mapped array is one batch, as any array is."""

    def held(self, name: str) -> np.ndarray:
        """The array."""
        return self.X

    @property
    def _dtype(self):
        """That of the rows once they are checked."""
        return np.float32 if self.X.dtype == np.float32 else np.float64

    def _weight(self, sample_weight):
        """Weights that can be cut like the rows; nothing is copied or checked."""
        if sample_weight is None:
            return None
        check_numbers(sample_weight, "sample_weight")
        weight = np.asarray(sample_weight)
        if weight.shape not in ((), (len(self.X),)):
            raise ValueError(
                f"`sample_weight` has shape {weight.shape}; expected ({len(self.X)},), "
                "a number for every row."
            )
        return np.broadcast_to(weight, len(self.X))

    def _checked(self, check, weight):
        """All pieces and their weights, checked."""
        return (check.block(*piece) for piece in self._named(weight))

    def _as_known(self, weight):
        """All pieces and their weights, which were checked before."""
        for X, own, _ in self._named(weight):
            own = None if own is None else np.asarray(own, np.float64)
            yield np.asarray(X, self._dtype), own

    def _named(self, weight):
        """All pieces, with weights or None, and names."""
        for piece in pieces(self.X):
            own = None if weight is None else weight[piece]
            yield self.X[piece], own, f"rows {piece.start} to {piece.stop - 1}"
            let_go(self.X[piece])
