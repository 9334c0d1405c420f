"""Tables that are Dask data frames."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from skdensity.densities.tables.dask_table import DaskTable, partitions_of
from skdensity.densities.tables.dask_tasks import values_of_partition


def is_dask_frame(X: Any) -> bool:
    """Whether X is a Dask data frame or series."""
    frames = sys.modules.get("dask.dataframe")
    return frames is not None and isinstance(X, frames.DataFrame | frames.Series)


class DaskFrameTable(DaskTable):
    """A Dask data frame.

    Parameters
    ----------
    X : dask.dataframe.DataFrame
        The data frame.
    """

    _noun = "partition"
    _parted_alike = (
        "A column of the frame that `X` is taken from has the partitions of `X`."
    )

    def __init__(self, X: Any) -> None:
        super().__init__(X)
        if X.ndim != 2:
            raise ValueError(
                "Expected a table, got a Dask series; X.to_frame() makes a table of it."
            )

    @property
    def _nothing(self):
        return self.X._meta

    def _are_alike(self, sample_weight):
        return len(partitions_of(sample_weight)) == self.X.npartitions

    def _mapped(self, values, shape, dtype):
        # From its partitions: Dask joins those of files that it reads little of, and
        # such an array could not be assigned to the frame.
        from dask import array, delayed

        task = delayed(values_of_partition, pure=False, traverse=False)
        meta = np.empty((0,) * (1 + len(shape)), dtype)
        parts = [
            array.from_delayed(task(part, values, number), (np.nan, *shape), meta=meta)
            for number, part in enumerate(partitions_of(self.X))
        ]
        return array.concatenate(parts, allow_unknown_chunksizes=True)
