"""Tables of Arrow as arrays whose columns keep their names."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array, and the names of its columns.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_features)
        The array.
    header : pyarrow.Table
        The columns without rows, of which scikit-learn knows to read names.
    """

    values: np.ndarray
    header: Any

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """The array without names."""
        if copy is None:  # as needed, which NumPy 1 has no value of `copy` for
            return np.asarray(self.values, dtype)
        return np.array(self.values, dtype, copy=copy)


def is_arrow(X: Any) -> bool:
    """Whether X is a table or a batch of Arrow, which is not imported to tell."""
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(X, arrow.RecordBatch | arrow.Table)


def array_of_arrow(batch: Any) -> NamedArray:
    """Columns of numbers as an array; nulls are NaN.

    float32 if all columns are that, and float64 otherwise. In memory columns come one
    after the other, as they do in Arrow and in passes.

    Parameters
    ----------
    batch : pyarrow.RecordBatch or pyarrow.Table
        The columns.

    Returns
    -------
    array : NamedArray
        Of shape (n_rows, n_columns).
    """
    check_types(batch.schema)
    is_single = all(str(kind) == "float" for kind in batch.schema.types)
    dtype = np.float32 if is_single else np.float64
    columns = np.empty((batch.num_columns, batch.num_rows), dtype)
    for out, column in zip(columns, batch.columns, strict=True):
        out[:] = column.to_numpy(zero_copy_only=False)
    return NamedArray(columns.T, batch.schema.empty_table())


def check_types(schema: Any) -> None:
    """Complain of columns that are no numbers."""
    for field in schema:
        if not str(field.type).startswith(("int", "uint", "float", "double", "bool")):
            raise TypeError(
                f"Column {field.name!r} is of type {field.type}, which is no number. "
                "Choose columns of numbers, or convert it, for example to a duration "
                "in a unit of your choice or to an indicator of each category."
            )
