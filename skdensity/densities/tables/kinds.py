"""The kinds of tables: which of them X is, by its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from skdensity.densities.tables.array_table import ArrayTable
from skdensity.densities.tables.block_table import BlockTable
from skdensity.densities.tables.dask_array_table import DaskArrayTable, is_dask_array
from skdensity.densities.tables.dask_frame_table import DaskFrameTable, is_dask_frame
from skdensity.densities.tables.mapped_table import MappedTable, is_large_map
from skdensity.densities.tables.table import Table
from skdensity.rows.row_blocks import RowBlocks


@dataclass(frozen=True)
class Kind:
    """An entry of :data:`KINDS`.

    Attributes
    ----------
    is_one : callable
        Whether some X is of the kind. Of a library that need not be there it asks
        ``sys.modules``: what was never imported made no X.
    table : callable
        Maps such an X to its table.
    """

    is_one: Callable[[Any], bool]
    table: Callable[[Any], Table]


def refused(X: Iterator) -> Table:
    """Complain of what can be read once."""
    raise TypeError(
        f"X is a {type(X).__name__}, which can be read once; a fit reads all rows "
        "again in every pass. Give `skdensity.RowBlocks` a function that returns a "
        "fresh iterator of blocks, for example a generator function, not called."
    )


# All but arrays, and what NumPy makes an array of.
KINDS: list[Kind] = [
    Kind(lambda X: isinstance(X, RowBlocks), BlockTable),
    Kind(is_large_map, MappedTable),
    Kind(is_dask_array, DaskArrayTable),
    Kind(is_dask_frame, DaskFrameTable),
    Kind(lambda X: isinstance(X, Iterator), refused),
]


def table_of(X: Any) -> Table:
    """The table that X is.

    Examples
    --------
    >>> from skdensity.densities.tables.kinds import table_of
    >>> type(table_of([[1.0], [2.0]])).__name__
    'ArrayTable'
    """
    return next((kind.table(X) for kind in KINDS if kind.is_one(X)), ArrayTable(X))
