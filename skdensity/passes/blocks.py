"""Cut the rows of a table into blocks that fit the processor's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

# Small enough that temporaries are read again before they leave the cache, large enough
# that each call into NumPy outlasts a change of threads: measured with 1 and 2 threads,
# 6 MB was within 10 % of the best size for 1 to 64 features.
BLOCK_BYTES = 6 * 2**20  # pragma: no mutate


def row_blocks(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Cut ``range(n_rows)`` into even slices of at most `BLOCK_BYTES`, if they can be.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    row_bytes : int
        Bytes of temporary storage that one row needs.

    Yields
    ------
    rows : slice
        Consecutive rows, at least 1.

    Examples
    --------
    >>> from skdensity.passes.blocks import row_blocks
    >>> list(row_blocks(5, row_bytes=2**21))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    most = max(1, BLOCK_BYTES // row_bytes)
    # Even, so that threads end at the same time.
    step = math.ceil(n_rows / max(1, math.ceil(n_rows / most)))
    for start in range(0, n_rows, max(step, 1)):
        yield slice(start, min(start + step, n_rows))


def uneven_blocks(sizes: np.ndarray, most: int) -> Iterator[slice]:
    """Cut rows of unlike sizes into slices that have about as much.

    Parameters
    ----------
    sizes : ndarray of int of shape (n_rows,)
        How much every row has.
    most : int
        What a slice has, but for its last row.

    Yields
    ------
    rows : slice
        Consecutive rows, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.passes.blocks import uneven_blocks
    >>> list(uneven_blocks(np.array([3, 4, 9, 1]), most=8))
    [slice(0, 2, None), slice(2, 4, None)]
    """
    group = np.cumsum(sizes) // most
    begins = np.flatnonzero(np.diff(group, prepend=-1)).tolist()
    for begin, end in pairwise([*begins, len(sizes)]):
        yield slice(begin, end)
