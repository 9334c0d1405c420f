"""Tables that come block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck, sum_of_blocks
from skdensity.passes.workspace import Workspace
from skdensity.rows.block_rows import BlockRows
from skdensity.rows.row_blocks import RowBlocks
from skdensity.rows.rows import Rows


class BlockTable:
    """A table that is read block by block, and never as a whole.

    Parameters
    ----------
    X : RowBlocks
        Gives the blocks.
    """

    def __init__(self, X: RowBlocks) -> None:
        self.X = X

    def rows(
        self,
        check: TableCheck,
        sample_weight: Any,
        workspace: Workspace,
        once_known: Callable[[Rows], None],
    ) -> Rows:
        """Rows that are read in every pass."""
        _check_no_weights(sample_weight)
        return BlockRows(
            lambda: (check.block(*block) for block in self._named()),
            workspace,
            once_known,
        )

    def evaluate(self, check: TableCheck, answer: Answer) -> Iterator[np.ndarray]:
        """An iterator of arrays of values, one for every block."""
        return (answer.of_block(check, *block) for block in self._named())

    def add(
        self, term: Callable[[Any, np.ndarray | None], np.ndarray], sample_weight: Any
    ) -> np.ndarray:
        """The sum of the function of all blocks that have rows, in their order."""
        _check_no_weights(sample_weight)
        return sum_of_blocks(term, self._named())

    def check_batch(self) -> None:
        """An error: each block is one."""
        raise TypeError(
            "`partial_fit` takes a batch of rows, and RowBlocks are many. Call it for "
            "each of them: for X, weight in blocks: density.partial_fit(X, "
            "sample_weight=weight). Or call `fit`, which reads them as often as it "
            "takes."
        )

    def held(self, name: str) -> Any:
        """An error: it need not fit into memory."""
        raise TypeError(
            f"{name} needs all rows in memory, and takes no RowBlocks. Give it an "
            "array: a sample of the rows, or all of them if they fit into memory: "
            "np.concatenate([X for X, _ in blocks]). Once fitted, densities evaluate "
            "RowBlocks."
        )

    def _named(self):
        """All blocks, with weights or None, and names."""
        number = -1
        for number, (X, weight) in enumerate(self.X):
            yield X, weight, f"block {number}"
        if number < 0:
            raise ValueError(
                "`RowBlocks` gave no blocks: `make_blocks` must return a fresh "
                "iterator, with the first block again, at every call."
            )


def _check_no_weights(sample_weight):
    if sample_weight is not None:
        raise ValueError(
            "`sample_weight` of RowBlocks comes with the blocks, as pairs of rows and "
            "their weights; set `sample_weight` to None."
        )
