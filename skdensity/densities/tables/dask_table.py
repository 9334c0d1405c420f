"""Tables that are Dask collections: what arrays and data frames have in common."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from skdensity.densities.tables.dask_tasks import (
    PartitionValues,
    term_of_partition,
    travelling,
)
from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck, whole_sum
from skdensity.passes.workspace import Workspace
from skdensity.rows.dask_graphs import shared, sum_over
from skdensity.rows.dask_homes import Homes
from skdensity.rows.dask_rows import DaskRows
from skdensity.rows.rows import Rows


class DaskTable(ABC):
    """A Dask collection, whose partitions are blocks of rows.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame
        The collection.
    """

    def __init__(self, X: Any) -> None:
        self.X = X

    # What a partition is called, and how weights come to be parted as X is.
    _noun: str
    _parted_alike: str

    @property
    @abstractmethod
    def _nothing(self) -> Any:
        """No rows, with the features of X."""

    @abstractmethod
    def _mapped(self, values: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """A Dask array of the values of every partition."""

    @abstractmethod
    def _are_alike(self, sample_weight: Any) -> bool:
        """Whether weights may have the partitions of X, as far as these are known."""

    def rows(
        self,
        check: TableCheck,
        sample_weight: Any,
        workspace: Workspace,
        once_known: Callable[[Rows], None],
    ) -> Rows:
        """Rows of which each pass is one graph of tasks."""
        check = self._checked(check)
        partitions = self._partitions(sample_weight)
        homes, n_features = Homes.of(self.X), self._nothing.shape[1]
        return DaskRows(
            partitions, check.block, homes, n_features, workspace, once_known
        )

    def evaluate(self, check: TableCheck, answer: Answer) -> Any:
        """A Dask array of values, which are computed when they are asked for."""
        check = self._checked(check)
        values = PartitionValues.of(check, answer, len(partitions_of(self.X)))
        dtype = np.dtype(answer.dtype or check.dtype)
        return self._mapped(shared(values), answer.shape, dtype)

    def add(
        self, term: Callable[[Any, np.ndarray | None], np.ndarray], sample_weight: Any
    ) -> np.ndarray:
        """The sum of the function of all partitions that have rows, in their order."""
        partitions = self._partitions(sample_weight)
        homes = Homes.of(self.X).now()
        return whole_sum(sum_over(term_of_partition, term, partitions, homes))

    def check_batch(self) -> None:
        """An error: each partition is one, once it is computed."""
        raise TypeError(
            f"`partial_fit` takes a batch of rows, and {self._noun}s of a Dask "
            "collection are many. Call it for each number of range(X.npartitions): "
            "density.partial_fit(X.partitions[number].compute()). Or call `fit`, which "
            "works where they are."
        )

    def held(self, name: str) -> Any:
        """An error: it need not fit into memory."""
        raise TypeError(
            f"{name} needs all rows in memory, and takes no Dask collection. Give it "
            "an array: a sample of the rows, or, if they fit into memory, X.compute(). "
            "Once fitted, densities evaluate Dask collections."
        )

    def _checked(self, check):
        """A check of partitions, after one of all but their values."""
        check.features(self._nothing)
        return travelling(check)

    def _partitions(self, sample_weight):
        """The partitions, their weights or None, and what they are called."""
        own = partitions_of(self.X)
        weights = [None] * len(own)
        if sample_weight is not None:
            self._check_weights(sample_weight)
            weights = partitions_of(sample_weight)
        names = [f"{self._noun} {number}" for number in range(len(own))]
        return list(zip(own, weights, names, strict=True))

    def _check_weights(self, sample_weight):
        """Complain of weights that are not parted as the rows are."""
        if not is_dask(sample_weight) or sample_weight.ndim != 1:
            raise TypeError(
                "`sample_weight` of rows in Dask must be a Dask array or series with a "
                f"number for each; got {type(sample_weight)}. {self._parted_alike}"
            )
        if not self._are_alike(sample_weight):
            raise ValueError(
                "`sample_weight` has other partitions than `X`, while weights must lie "
                f"beside their rows; repartition them. {self._parted_alike}"
            )


def is_dask(X: Any) -> bool:
    """Whether X is a Dask collection, which an imported Dask alone can have made."""
    base = sys.modules.get("dask.base")
    return base is not None and base.is_dask_collection(X)


def partitions_of(collection: Any) -> list[Any]:
    """The partitions along the rows, in their order, as delayed objects."""
    partitions = collection.to_delayed()
    if isinstance(partitions, np.ndarray):
        return partitions.ravel().tolist()
    return list(partitions)
