"""What is done with a partition of a Dask collection, where it is."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import parallel_config

from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck, of_block

Term = Callable[[Any, np.ndarray | None], np.ndarray]


@dataclass(frozen=True, eq=False)
class PartitionValues:
    """Values of the rows of every partition.

    Attributes
    ----------
    check : TableCheck
        Of the rows.
    answer : Answer
        The values.
    seeds : ndarray of int of shape (n_partitions,) or None
        Of draws: those of a partition must not be those of another.
    """

    check: TableCheck
    answer: Answer
    seeds: np.ndarray | None

    @classmethod
    def of(cls, check: TableCheck, answer: Answer, n_partitions: int) -> Any:
        """Values that are drawn, if they are, by a generator for each partition."""
        rng = answer.rng
        seeds = None if rng is None else rng.randint(2**31, size=n_partitions)
        return cls(check, replace(answer, rng=None), seeds)

    def of_partition(self, X: Any, number: int, name: str) -> np.ndarray:
        """Those of one, by the thread of the task alone."""
        answer = self.answer
        if self.seeds is not None:
            answer = replace(answer, rng=np.random.RandomState(self.seeds[number]))
        with parallel_config("sequential"):  # Dask has threads enough
            return answer.of_block(self.check, X, None, name)


def values_of_block(
    X: np.ndarray, values: PartitionValues, block_id: tuple[int, ...]
) -> np.ndarray:
    """Values of a block of a Dask array."""
    return values.of_partition(X, block_id[0], f"block {block_id[0]}")


def values_of_partition(X: Any, values: PartitionValues, number: int) -> np.ndarray:
    """Values of a partition of a Dask data frame."""
    return values.of_partition(X, number, f"partition {number}")


def term_of_partition(
    term: Term, X: Any, sample_weight: Any, name: str
) -> np.ndarray | None:
    """A function of a partition, by the thread of the task alone; None without rows."""
    with parallel_config("sequential"):
        return of_block(term, X, sample_weight, name)


def travelling(check: TableCheck) -> TableCheck:
    """A check with no more of its estimator than it looks at.

    An estimator may hold parameters for every row, and graphs should be small.
    """
    estimator, bare = check.estimator, object.__new__(type(check.estimator))
    looked_at = {"n_features_in_", "feature_names_in_"} & vars(estimator).keys()
    vars(bare).update({name: vars(estimator)[name] for name in looked_at})
    there = copy(check)
    there.estimator = bare
    return there
