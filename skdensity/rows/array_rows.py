"""Rows that are an array in memory."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import cached_property, reduce
from typing import TypeVar

import numpy as np

from skdensity.passes.blocks import row_blocks
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.distinct import sample_distinct
from skdensity.rows.near import near_order
from skdensity.rows.rounding import rounded
from skdensity.rows.rows import Block

T = TypeVar("T")


class ArrayRows:
    """Weighted rows of an array; those of weight zero are not there.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, of float64 or float32.
    weight : ndarray of shape (n_samples,), optional
        Non-negative weights; None when all rows count the same.
    workspace : Workspace, optional
        Threads and scratch; they make no difference to any result.
    places : ndarray of int of shape (n_samples,), optional
        Where each row is in the table, if they are in another order.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> rows = ArrayRows(np.array([[1.0], [5.0], [3.0]]), np.array([2.0, 0.0, 1.0]))
    >>> rows.add(lambda block, scratch: block.weight @ block.X, row_bytes=16)
    array([5.])
    """

    # Whether every feature of every row was observed.
    are_complete = True
    # Passes cost little: nothing is remembered.
    remembered = None

    def __init__(
        self,
        X: np.ndarray,
        weight: np.ndarray | None = None,
        workspace: Workspace | None = None,
        places: np.ndarray | None = None,
    ) -> None:
        self.X = X
        self.weight = weight
        self.workspace = workspace or Workspace()
        self.places = places
        self._largest: float | None = None

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.X.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """That of the table, and of what is computed for every row."""
        return self.X.dtype

    @cached_property
    def index(self) -> np.ndarray | None:
        """Where the rows of positive weight are; None if they are all."""
        if self.weight is None or self.weight.min(initial=np.inf) > 0:
            return None
        return np.flatnonzero(self.weight > 0)

    @property
    def n_rows(self) -> int:
        """Number of rows of positive weight."""
        return len(self.X) if self.index is None else len(self.index)

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(len(self.X) if self.weight is None else self.weight.sum())

    @property
    def largest_weight(self) -> float:
        """Largest of the weights."""
        return 1.0 if self.weight is None else float(self.weight.max())

    @property
    def largest(self) -> float:
        """A bound of values, whatever their weights; NaN if there are holes.

        Their norm, which costs less than to look at each; infinite if squares overflow.
        """
        # Not a cached_property: in Python 3.11 those hold a lock that all rows share,
        # and a child that is forked meanwhile would wait for it for ever.
        if self._largest is None:
            self._largest = norm(self.X)
        return self._largest

    def reaches(self, size: float) -> np.ndarray:
        """Whether each feature has an absolute value of `size` or more that counts.

        Parameters
        ----------
        size : float
            What is asked for.

        Returns
        -------
        reached : ndarray of bool of shape (n_features,)
            The answers. Most tables give all of them in the first block.
        """
        short = np.arange(self.n_features)
        for X in self._parts():
            short = short[~(np.abs(X[:, short]) >= size).any(axis=0)]
            if not len(short):
                break
        return ~np.isin(np.arange(self.n_features), short)

    @property
    def sizes(self) -> np.ndarray:
        """Largest absolute value of every feature that counts, or 0 if none does.

        In one pass, in float64.
        """
        sizes = np.zeros(self.n_features)
        for X in self._parts():
            sizes = np.fmax(sizes, np.fmax.reduce(np.abs(X), initial=0.0))
        return sizes

    @property
    def smallest_weight(self) -> float:
        """Smallest of the weights that are positive."""
        if self.weight is None:
            return 1.0
        return float(self.weight.min(initial=np.inf, where=self.weight > 0))

    @property
    def each_weight(self) -> np.ndarray:
        """Weight of every row of the array, 1 where all count the same."""
        return np.ones(len(self.X)) if self.weight is None else self.weight

    @property
    def origin(self) -> np.ndarray:
        """The first row, in float64: sums relative to it do not cancel."""
        first = 0 if self.index is None else self.index[0]
        return self.X[first].astype(np.float64)

    def add(self, term: Callable[[Block, Scratch], T], row_bytes: int) -> T:
        """Add up ``term(block, scratch)`` over all blocks, in their order.

        Parameters
        ----------
        term : callable
            Maps a block to anything that supports ``+``.
        row_bytes : int
            Bytes of temporaries that one row needs.

        Returns
        -------
        total : same type as the result of `term`
            The sum; it does not depend on the threads.
        """

        def of_block(rows: slice) -> T:
            with self.workspace.scratch() as scratch:
                return term(self._block(rows, scratch), scratch)

        blocks = self._blocks(row_bytes)
        return reduce(operator.add, self.workspace.map(of_block, blocks))

    def fill(
        self,
        values: Callable[[np.ndarray, Scratch], np.ndarray],
        row_bytes: int,
        *,
        shape: tuple[int, ...] = (),
        dtype: np.typing.DTypeLike | None = None,
    ) -> np.ndarray:
        """A value for every row of the table, whatever its weight.

        Parameters
        ----------
        values : callable
            Maps the rows of a block, and scratch, to an array of as many values.
        row_bytes : int
            Bytes of temporaries that one row needs.
        shape : tuple of int, default=()
            Shape of a value.
        dtype : dtype, optional
            Of the values; by default that of the rows.

        Returns
        -------
        out : ndarray of shape (n_samples, *shape)
            The values.
        """
        out = np.empty((len(self.X), *shape), dtype=dtype or self.dtype)

        def fill(rows: slice) -> None:
            with self.workspace.scratch() as scratch:
                found = values(self._rows_at(rows), scratch)
                out[self._places(rows)] = rounded(found, out.dtype)

        self.workspace.each(fill, self._all_blocks(row_bytes))
        return out

    @cached_property
    def near(self) -> ArrayRows:
        """A copy of the rows in which neighbours follow each other."""
        if self.are_near:
            return self
        order = near_order(self.X)
        weight = None if self.weight is None else self.weight[order]
        return ArrayRows(self.X[order], weight, self.workspace, places=order)

    @property
    def are_near(self) -> bool:
        """Whether they are in such an order."""
        return self.places is not None

    def positive(self) -> ArrayRows:
        """The rows of positive weight, as rows of their own."""
        return self if self.index is None else self.take(self.index)

    def take(self, index: np.ndarray) -> ArrayRows:
        """Some of the rows, by their indices in the array."""
        weight = None if self.weight is None else self.weight[index]
        return ArrayRows(self.X[index], weight, self.workspace)

    def sample(self, n_rows: int, rng: np.random.RandomState) -> ArrayRows:
        """About `n_rows` distinct rows at random, each with all its copies.

        Parameters
        ----------
        n_rows : int
            Number of distinct rows.
        rng : RandomState
            Source of randomness.

        Returns
        -------
        rows : ArrayRows
            In their order; all of them if no more than `n_rows` are distinct.
        """
        if self.n_rows <= n_rows:
            return self.positive()
        return self.take(sample_distinct(self.X, n_rows, rng, self.index))

    def after(self, before: ArrayRows) -> ArrayRows:
        """Other rows, then these."""
        is_even = before.weight is None and self.weight is None
        weights = before.each_weight, self.each_weight
        weight = None if is_even else np.concatenate(weights)
        kind = type(before if self.are_complete else self)  # with holes if either has
        return kind(np.concatenate([before.X, self.X]), weight, self.workspace)

    def held(self, n_rows: int, rng: np.random.RandomState) -> ArrayRows:
        """These: all of them are in memory."""
        return self

    def batches(
        self, size: int, rng: np.random.RandomState | None
    ) -> Iterator[tuple[ArrayRows, float]]:
        """Cut the rows into batches, each with its part of the weight.

        Parameters
        ----------
        size : int
            Rows of a batch; the last may hold fewer.
        rng : RandomState or None
            Source of a random order; None keeps theirs.

        Yields
        ------
        rows : ArrayRows
            The batch.
        part : float
            Its weight over the total.
        """
        order = np.arange(self.n_rows) if rng is None else rng.permutation(self.n_rows)
        if self.index is not None:
            order = self.index[order]
        for begin in range(0, len(order), size):
            rows = self.take(order[begin : begin + size])
            yield rows, rows.total_weight / self.total_weight

    def _parts(self) -> Iterator[np.ndarray]:
        """The rows of positive weight, some at a time, in the order of the table."""
        for rows in row_blocks(self.n_rows, row_bytes=16 * self.n_features):
            yield rows_at(self.X, rows if self.index is None else self.index[rows])

    def _blocks(self, row_bytes: int) -> Iterator[slice]:
        """Blocks of the rows of positive weight."""
        return row_blocks(self.n_rows, row_bytes)

    def _all_blocks(self, row_bytes: int) -> Iterator[slice]:
        """Blocks of all rows."""
        return row_blocks(len(self.X), row_bytes)

    def _places(self, rows: slice) -> slice | np.ndarray:
        """Where some of all rows are in the table."""
        return rows if self.places is None else self.places[rows]

    def _rows_at(self, rows: slice) -> np.ndarray:
        """Some of all rows."""
        return self.X[rows]

    def _block(self, rows: slice, scratch: Scratch) -> Block:
        return self._block_of(rows if self.index is None else self.index[rows], scratch)

    def _block_of(self, index: slice | np.ndarray, scratch: Scratch) -> Block:
        X = rows_at(self.X, index)
        # Copied, so that sums do not depend on where the user's weights are in memory.
        weight = scratch.array("weight", (len(X),))
        weight[...] = 1 if self.weight is None else self.weight[index]
        return Block(X, weight, index)


def rows_at(X: np.ndarray, index: slice | np.ndarray) -> np.ndarray:
    """Some rows of an array; the same as indexing, in less time where it can be."""
    if isinstance(index, slice) or not X.flags.c_contiguous:
        return X[index]
    # Which copies whole rows, where indexing goes value by value; of other layouts it
    # would first copy the array.
    return X.take(index, axis=0)


def norm(X: np.ndarray) -> float:
    """Root of the sum of squares: finite only if all values are.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.array_rows import norm
    >>> norm(np.array([[3.0, 4.0]])), norm(np.array([[1e200, 0.0]]))
    (5.0, inf)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if X.flags.forc:
            values = X.ravel(order="K")  # a view
            return float(np.sqrt(values @ values))
        return float(np.sqrt(np.einsum("ij,ij->", X, X)))
