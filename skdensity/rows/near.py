"""An order of rows in which neighbours are near: blocks of them are compact."""

from __future__ import annotations

import numpy as np

# Bits of a cell's place on the curve: of as many, NumPy's stable sort is a radix sort.
CURVE_BITS = 16  # pragma: no mutate


def near_order(X: np.ndarray) -> np.ndarray:
    """An order in which rows follow each other that are near.

    Of one feature it is ascending. Of several it follows Hilbert's curve through cells
    that cut every feature into equal parts of the rows, so that neither units nor a few
    far rows make a difference. Time O(n log n) for each feature.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows, of at most `CURVE_BITS` features.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
        Indices of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.near import near_order
    >>> near_order(np.array([[0.0, 0.0], [9.0, 9.0], [0.1, 9.0], [9.1, 0.0]]))
    array([0, 2, 1, 3])
    """
    n_rows, n_features = X.shape
    if n_features == 1:
        return np.argsort(X[:, 0], kind="stable")
    n_bits = CURVE_BITS // n_features
    cells = np.empty((n_features, n_rows), dtype=np.uint16)
    parts = (np.arange(n_rows) * 2**n_bits // n_rows).astype(np.uint16)
    for column, cell in zip(X.T, cells, strict=True):
        cell[np.argsort(column, kind="stable")] = parts
    return np.argsort(places_on_curve(cells, n_bits), kind="stable")


def compact_order(X: np.ndarray, length: int) -> np.ndarray:
    """An order in which every `length` rows, one block after the other, are compact.

    The leaves of a k-d tree: rows are halved along their longest side, at a multiple of
    the length, until a block is left. So clusters end up in blocks of their own, which
    cells of equal parts do not promise. Time O(n log n).

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows; the features in units in which distances make sense.
    length : int
        Rows of a block; the last one may be shorter.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
        Indices of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.near import compact_order
    >>> compact_order(np.array([[0.0], [9.0], [1.0], [8.0], [5.0]]), 2)
    array([0, 2, 4, 3, 1])
    """
    waiting, blocks = [np.arange(len(X))], []
    while waiting:
        rows = waiting.pop()
        n_blocks = -(-len(rows) // length)
        if n_blocks <= 1:
            blocks.append(rows)
            continue
        # Columns are contiguous: along them NumPy takes the ends in one go.
        columns = X[rows].T.copy()
        longest = columns[np.argmax(np.ptp(columns, axis=1))]
        middle = length * ((n_blocks + 1) // 2)
        halved = rows[np.argpartition(longest, middle)]
        waiting += [halved[middle:], halved[:middle]]
    return np.concatenate(blocks)


def places_on_curve(cells: np.ndarray, n_bits: int) -> np.ndarray:
    """Where cells of a grid lie on Hilbert's curve, whose steps lead to neighbours.

    Skilling (2004), doi:10.1063/1.1751381.

    Parameters
    ----------
    cells : ndarray of uint16 of shape (n_axes, n_cells)
        Coordinates from 0 to 2**n_bits − 1; overwritten.
    n_bits : int
        At most `CURVE_BITS` for all axes together.

    Returns
    -------
    places : ndarray of uint16 of shape (n_cells,)
        From 0 to 2**(n_axes · n_bits) − 1, another one for every cell.
    """
    first, last = cells[0], cells[-1]
    for bit in reversed(range(1, n_bits)):
        lower = np.uint16(2**bit - 1)
        for axis in cells:
            is_high = axis >> bit & 1 == 1
            exchanged = np.where(is_high, 0, (first ^ axis) & lower)
            first ^= np.where(is_high, lower, exchanged)
            axis ^= exchanged
    np.bitwise_xor.accumulate(cells, axis=0, out=cells)
    turned = np.zeros_like(last)
    for bit in range(1, n_bits):
        turned ^= (last >> bit & 1) * np.uint16(2**bit - 1)
    cells ^= turned
    places = np.zeros_like(last)
    for bit in reversed(range(n_bits)):
        for axis in cells:
            places = places << 1 | axis >> bit & 1
    return places
