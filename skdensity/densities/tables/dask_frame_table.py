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
        meta = np.empty((0, *shape), dtype)
        return self.X.map_partitions(values_of_partition, values, meta=meta)
