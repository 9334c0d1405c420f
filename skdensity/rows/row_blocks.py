"""A table that is read block by block, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from skdensity.rows.named_array import array_of_arrow, is_arrow
from skdensity.rows.parquet import parquet_blocks


class RowBlocks:
    """Rows that come in blocks, for tables larger than memory.

    All estimators take it where they take an array, but for what would keep all rows,
    and for `partial_fit`, which takes one of the blocks. Fits read the blocks again in
    every pass, and add up what they need of each: the result is that of the rows in one
    array.

    Parameters
    ----------
    make_blocks : callable
        Called without arguments, it returns an iterable of blocks that starts from the
        first one, every time with the same rows. A block is a table that an estimator
        takes, of shape (n_rows, n_features): an array, a data frame or an Arrow batch;
        or a pair of such a table and the weights of its rows, of shape (n_rows,). It
        may be empty.

    Attributes
    ----------
    make_blocks : callable
        As given.

    See Also
    --------
    RowBlocks.from_parquet : Blocks of Parquet files.

    Notes
    -----
    What a method returns for every row of an array, such as ``score_samples``, it
    returns as an iterator of arrays, one for every block in their order. `fit` and
    `score` return what they do for an array. Weights come with the blocks.

    Width, names and dtype must be the same in all blocks, and the rows in all passes:
    what changes is an error, which names the block.

    Memory is that of one block, of a piece of 64 MB at a time if blocks are larger, and
    of the sample of some 20,000 rows that a mixture starts from.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity import GaussianMLE, RowBlocks
    >>> def make_blocks():
    ...     for seed in range(10):
    ...         yield np.random.RandomState(seed).standard_normal((1000, 2))
    >>> blocks = RowBlocks(make_blocks)
    >>> density = GaussianMLE().fit(blocks)
    >>> density.covariance_.round(2)
    array([[ 0.98, -0.01],
           [-0.01,  0.99]])
    >>> [len(log_density) for log_density in density.score_samples(blocks)][:3]
    [1000, 1000, 1000]
    """

    def __init__(self, make_blocks: Callable[[], Iterable[Any]]) -> None:
        if not callable(make_blocks):
            raise TypeError(
                f"`make_blocks` is of type {type(make_blocks).__name__}, which may be "
                "read once; a fit reads all rows again in every pass. Give a function "
                "that returns a fresh iterator of blocks, for example a generator "
                "function, not called, or lambda: iter(blocks)."
            )
        self.make_blocks = make_blocks

    @classmethod
    def from_parquet(
        cls,
        path: str | Path | list,
        *,
        columns: Sequence[str] | None = None,
        batch_size: int | None = None,
        sample_weight: str | None = None,
    ) -> Self:
        """Blocks of Parquet files, read by pyarrow.

        While one block is worked on, a thread reads the next.

        Parameters
        ----------
        path : str, Path or list
            A file, a folder with all that it holds, or a list of files.
        columns : list of str, default=None
            The columns that are features, in this order. None takes all but
            `sample_weight`, and but the index of data frames that pandas wrote.
        batch_size : int, default=None
            Largest number of rows of a block; one ends where a row group of a file
            does. None is as many as take 4 MB.
        sample_weight : str, default=None
            The column that holds weights.

        Returns
        -------
        blocks : RowBlocks
            Arrays of float32 if all columns are, and of float64 otherwise. Nulls are
            NaN, which models of Gaussians take for what was not observed.

        Raises
        ------
        ImportError
            Without pyarrow: install the extra ``parquet``.
        FileNotFoundError
            If there is no such file or folder.
        TypeError
            If a column is no number, or `columns` is a single name.
        ValueError
            If there is no such column, or one is named twice, or if a file is cut off
            or damaged, maybe only when its rows are read.

        See Also
        --------
        RowBlocks : Blocks of anything else.

        Notes
        -----
        pyarrow decodes a row group as a whole: twice its size, which whoever writes the
        files decides, is memory besides. The threads of a pass share a block: for more
        than some eight cores, a larger `batch_size` leaves each of them enough to do.

        Examples
        --------
        >>> import tempfile
        >>> import pyarrow
        >>> from pyarrow import parquet
        >>> from skdensity import GaussianMLE, RowBlocks
        >>> table = pyarrow.table({"height": [1.7, 1.8, None], "n": [4.0, 3.0, 1.0]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     parquet.write_table(table, f"{folder}/part-0.parquet")
        ...     blocks = RowBlocks.from_parquet(folder, sample_weight="n")
        ...     GaussianMLE().fit(blocks).location_.round(3)
        array([1.743])
        """
        if isinstance(columns, str):
            raise TypeError(f"`columns` is a name; give a list of them: [{columns!r}].")
        names = None if columns is None else list(columns)
        return cls(parquet_blocks(path, names, batch_size, sample_weight))

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of blocks and their weights, or None, from the first one on."""
        for block in self.make_blocks():
            is_pair = isinstance(block, tuple) and len(block) == 2
            X, sample_weight = block if is_pair else (block, None)
            yield array_of_arrow(X) if is_arrow(X) else X, sample_weight

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """An error: they need not fit into memory."""
        raise TypeError(
            "RowBlocks are no array: what takes them are `fit`, `score` and what "
            "evaluates a density. If all rows fit into memory, give "
            "np.concatenate([X for X, _ in blocks])."
        )
