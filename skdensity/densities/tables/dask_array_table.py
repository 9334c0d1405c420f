"""Tables that are Dask arrays."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from skdensity.densities.tables.dask_table import DaskTable, partitions_of
from skdensity.densities.tables.dask_tasks import values_of_block


def is_dask_array(X: Any) -> bool:
    """Whether X is a Dask array."""
    arrays = sys.modules.get("dask.array")
    return arrays is not None and isinstance(X, arrays.Array)


class DaskArrayTable(DaskTable):
    """A Dask array, whose blocks have all features.

    The number of rows of a block need not be known.

    Parameters
    ----------
    X : dask.array.Array of shape (n_samples, n_features)
        The array.
    """

    _noun = "block"
    _parted_alike = (
        "From an array in memory: dask.array.from_array(sample_weight, "
        "chunks=X.chunks[:1]); from a Dask array: sample_weight.rechunk(X.chunks[:1])."
    )

    def __init__(self, X: Any) -> None:
        super().__init__(X)
        if X.ndim != 2:
            raise ValueError(
                f"Expected a 2D array, got a Dask array of shape {X.shape}. Reshape "
                "your data: X[:, None] if it has a single feature, X[None] if it is a "
                "single row."
            )
        if X.numblocks[1] > 1:
            raise ValueError(
                f"`X` is cut into {X.numblocks[1]} blocks along its features; rows "
                "must be whole. Call X.rechunk({1: -1}) first."
            )

    @property
    def _nothing(self):
        n_features = self.X.shape[1]
        if n_features != n_features:
            raise ValueError(
                "The number of features of `X` is not known; call "
                "X.compute_chunk_sizes() first."
            )
        return np.empty_like(self.X._meta, shape=(0, n_features))

    def _are_alike(self, sample_weight):
        if len(partitions_of(sample_weight)) != self.X.numblocks[0]:
            return False
        chunks = getattr(sample_weight, "chunks", None)
        return chunks is None or all(
            one == other or one != one or other != other  # NaN is not known
            for one, other in zip(chunks[0], self.X.chunks[0], strict=True)
        )

    def _mapped(self, values, shape, dtype):
        layout: dict[str, Any] = {"drop_axis": 1}
        if shape:
            new_axes = list(range(2, 1 + len(shape)))
            layout = {"chunks": (self.X.chunks[0], *shape), "new_axis": new_axes}
        meta = np.empty((0,) * (1 + len(shape)), dtype)
        return self.X.map_blocks(
            values_of_block, values, dtype=dtype, meta=meta, **layout
        )
