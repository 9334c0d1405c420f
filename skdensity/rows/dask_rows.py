"""Rows that are partitions of Dask collections, wherever these are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from threading import local
from typing import Any, TypeVar

import numpy as np

from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.block_rows import BlockRows, pieces
from skdensity.rows.dask_graphs import sum_over
from skdensity.rows.dask_homes import Homes
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.rows import Rows
from skdensity.rows.streamed_rows import StreamedRows

T = TypeVar("T")
# Maps a partition, its weights or None and its name to both as arrays, checked.
Checked = Callable[[Any, Any, str], tuple[np.ndarray, np.ndarray | None]]

# Scratch of every thread of a worker, kept from one task to the next.
OF_THREAD = local()


class DaskRows(StreamedRows):
    """Weighted rows of which each pass is one graph of tasks.

    Parameters
    ----------
    partitions : sequence of (Delayed, Delayed or None, str)
        Partitions, their weights and their names.
    checked : callable
        Makes arrays of them, in the task. It travels.
    homes : Homes
        Where the partitions are.
    n_features : int
        Number of features.
    workspace : Workspace, optional
        Threads and scratch of this process, for samples.
    check : callable, optional
        Called with these rows when the first pass has told what they are, to complain.
    """

    def __init__(
        self,
        partitions: Sequence[tuple[Any, Any, str]],
        checked: Checked,
        homes: Homes,
        n_features: int,
        workspace: Workspace | None = None,
        check: Callable[[Rows], None] = lambda rows: None,
    ) -> None:
        super().__init__(workspace, check)
        self._partitions = partitions
        self._checked = checked
        self._homes = homes
        self._n_features = n_features

    @property
    def n_features(self) -> int:
        """Number of features, which Dask knows."""
        return self._n_features

    def batches(
        self, size: int, rng: np.random.RandomState | None
    ) -> Iterator[tuple[ArrayRows, float]]:
        """Consecutive rows of partitions, which come here one after the other."""
        here = BlockRows(self._blocks, self.workspace)
        here.survey = self.survey
        return here.batches(size, rng)

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        for X, weight, name in self._partitions:
            weight = None if weight is None else weight.compute()
            yield self._checked(X.compute(), weight, name)

    def _summed(self, of_part: Callable[[ArrayRows], T]) -> T:
        part_sum = PartSum(self._checked, of_part, dict(np.geterr()))
        homes = self._homes.now()
        return sum_over(PartSum.of_partition, part_sum, self._partitions, homes)


@dataclass(frozen=True, eq=False)
class PartSum:
    """What tasks share that add up a function of the rows of a partition.

    Attributes
    ----------
    checked : callable
        Makes arrays of a partition.
    of_part : callable
        Maps rows in memory to anything that supports ``+``.
    handling : dict
        What NumPy does about floating-point errors: elsewhere it has its own ways.
    """

    checked: Checked
    of_part: Callable[[ArrayRows], Any]
    handling: dict[str, Any]

    def of_partition(self, X: Any, weight: Any, name: str) -> Any:
        """The sum over one partition, by the thread of the task alone."""
        X, weight = self.checked(X, weight, name)
        with np.errstate(**self.handling), workspace_of_thread() as workspace:
            return reduce(operator.add, map(self.of_part, _parts(X, weight, workspace)))


def _parts(X, weight, workspace):
    """Rows of a partition, in pieces."""
    for piece in pieces(X):
        own = None if weight is None else weight[piece]
        yield rows_of_table(X[piece], own, workspace)


def workspace_of_thread() -> Workspace:
    """The workspace of this thread, which works alone: Dask has threads enough."""
    return vars(OF_THREAD).setdefault("workspace", Workspace(n_jobs=1))
