"""Tables that are arrays, or become one: lists, data frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skdensity.densities.checks import check_weights
from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck
from skdensity.passes.workspace import Workspace
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.rows import Rows


class ArrayTable:
    """Whatever NumPy makes an array of.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The table.
    """

    def __init__(self, X: Any) -> None:
        self.X = X

    def rows(
        self,
        check: TableCheck,
        sample_weight: Any,
        workspace: Workspace,
        once_known: Callable[[Rows], None],
    ) -> Rows:
        """Rows in memory."""
        X = check(self.X)
        weight = None
        if sample_weight is not None:
            weight = check_weights(sample_weight, X, are_all=check.is_whole)
        rows = rows_of_table(X, weight, workspace)
        once_known(rows)
        return rows

    def evaluate(self, check: TableCheck, answer: Answer) -> np.ndarray:
        """An array of a value for every row."""
        return answer.of(check(self.X))

    def add(
        self, term: Callable[[Any, np.ndarray | None], np.ndarray], sample_weight: Any
    ) -> np.ndarray:
        """The function of the whole table."""
        weight = None if sample_weight is None else check_weights(sample_weight, self.X)
        return term(self.X, weight)

    def check_batch(self) -> None:
        """An array is one batch."""

    def held(self, name: str) -> Any:
        """The table."""
        return self.X
