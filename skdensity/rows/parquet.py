"""Blocks of a Parquet file, or of a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from skdensity.passes.ahead import read_ahead
from skdensity.rows.named_array import array_of_arrow, check_types

# Of a block, where its number of rows is not given: enough for the threads of a pass,
# while some of them, waiting, being converted and worked on, are little memory.
BLOCK_BYTES = 4 * 2**20  # pragma: no mutate


def parquet_blocks(
    path: str | Path | list,
    columns: list[str] | None,
    batch_size: int | None,
    sample_weight: str | None,
) -> Callable[[], Iterator[Any]]:
    """What makes blocks of Parquet files: see ``RowBlocks.from_parquet``."""
    if batch_size is not None:
        check_scalar(batch_size, "batch_size", Integral, min_val=1)
    with _named(path):  # or the first of them, whose columns count
        dataset = _arrow().dataset(path, format="parquet")
    if not dataset.files:
        raise FileNotFoundError(f"There are no files in {str(path)!r}.")
    names = _chosen(dataset.schema, columns, sample_weight)
    read = names if sample_weight is None else [*names, sample_weight]
    check_types([dataset.schema.field(name) for name in read])
    size = batch_size or max(1, BLOCK_BYTES // (8 * len(read)))

    def blocks() -> Iterator[Any]:
        for batch in _batches(dataset, read, size):
            rows = array_of_arrow(batch.select(names))
            yield rows if sample_weight is None else (rows, _weights(batch))

    return lambda: read_ahead(blocks())


def _batches(dataset, columns, size):
    """Batches of all files, one row group after the other.

    What pyarrow reads ahead, past the group that it is at, waits in memory: of a folder
    of groups of 8 MB, a scan of all of them took 310 MB with a slow consumer, and this
    one 30. One batch is read ahead, on a thread of ours.
    """
    options = _arrow().ParquetFragmentScanOptions(
        pre_buffer=False, use_buffered_stream=True
    )
    for fragment in dataset.get_fragments():
        with _named(fragment.path):
            for group in fragment.split_by_row_group():
                yield from group.to_batches(
                    schema=dataset.schema,
                    columns=columns,
                    batch_size=size,
                    batch_readahead=0,
                    fragment_readahead=0,
                    fragment_scan_options=options,
                )


@contextmanager
def _named(path):
    """Say which file it is that cannot be read."""
    try:
        yield
    except (ValueError, OSError) as error:  # pyarrow has both for the same
        if getattr(error, "errno", None) is not None:
            raise  # of the system, which names the file
        raise ValueError(
            f"{str(path)!r} cannot be read as Parquet: {error} A file has no end where "
            "writing was cut off, by a full disk for one: write it again."
        ) from error


def _arrow():
    try:
        import pyarrow.dataset
    except ImportError as error:
        raise ImportError(
            "Parquet files are read by pyarrow, which is not installed: "
            "pip install skdensity[parquet]"
        ) from error
    return pyarrow.dataset


def _chosen(schema, columns, sample_weight):
    """Names of the columns that are features."""
    names = _features(schema, sample_weight) if columns is None else columns
    wanted = names if sample_weight is None else [*names, sample_weight]
    unknown = [name for name in wanted if name not in schema.names]
    if unknown:
        raise ValueError(
            f"There is no column {unknown[0]!r}; the files have {schema.names}."
        )
    twice = [name for name in wanted if wanted.count(name) > 1]
    if twice or not names:
        which = f"column {twice[0]!r} twice" if twice else "no column"
        raise ValueError(
            f"`columns` and `sample_weight` choose {which}. Of {schema.names}, name "
            "every feature once, and none that holds the weights."
        )
    return names


def _features(schema, sample_weight):
    """All columns but weights, and what was the index of a data frame of pandas."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in schema.names if name not in [sample_weight, *index]]


def _weights(batch) -> np.ndarray:
    """The last column."""
    return array_of_arrow(batch.select([batch.num_columns - 1])).values[:, 0]
