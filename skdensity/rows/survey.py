"""What is to be known of rows that are read block by block, and add up over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdensity.rows.array_rows import ArrayRows


@dataclass(frozen=True)
class Tally:
    """What a second pass over the same rows must find again.

    Attributes
    ----------
    n_table : int
        Number of rows, whatever their weight.
    n_rows : int
        Number of those of positive weight.
    total_weight : float
        Sum of the weights.
    """

    n_table: int
    n_rows: int
    total_weight: float

    @classmethod
    def of(cls, part: ArrayRows) -> Tally:
        """That of some rows in memory."""
        return cls(len(part.X), part.n_rows, part.total_weight)

    def __add__(self, other: Tally) -> Tally:
        """That of both."""
        return Tally(
            self.n_table + other.n_table,
            self.n_rows + other.n_rows,
            self.total_weight + other.total_weight,
        )

    def __str__(self) -> str:
        return f"{self.n_table} rows of total weight {self.total_weight:.6g}"


@dataclass(frozen=True, eq=False)
class Survey:
    """What solvers ask of all rows before their own passes.

    Attributes
    ----------
    tally : Tally
        How many there are.
    largest_weight : float
        Largest of the weights.
    sizes : ndarray of shape (n_features,)
        Largest absolute value of every feature that was observed in a row of positive
        weight; 0 if none was.
    origin : ndarray of shape (n_features,)
        The first value of every feature that was observed in such a row, or NaN.
    are_complete : bool
        Whether no row has a hole.
    dtype : dtype
        That of the rows.
    """

    tally: Tally
    largest_weight: float
    sizes: np.ndarray
    origin: np.ndarray
    are_complete: bool
    dtype: np.dtype

    @classmethod
    def of(cls, part: ArrayRows) -> Survey:
        """That of some rows in memory."""
        has_rows = part.n_rows > 0
        return cls(
            Tally.of(part),
            part.largest_weight if has_rows else 0.0,
            part.sizes,
            part.origin if has_rows else np.full(part.n_features, np.nan),
            part.are_complete,
            part.dtype,
        )

    def __add__(self, other: Survey) -> Survey:
        """That of both: these rows, then the others."""
        return Survey(
            self.tally + other.tally,
            max(self.largest_weight, other.largest_weight),
            np.maximum(self.sizes, other.sizes),
            np.where(np.isnan(self.origin), other.origin, self.origin),
            self.are_complete and other.are_complete,
            # An empty block has any dtype, a frame without rows even that of objects.
            self.dtype if self.tally.n_table > 0 else other.dtype,
        )


@dataclass(frozen=True, eq=False)
class Found:
    """What one pass found: what it was made for, and what is known besides.

    Attributes
    ----------
    known : Survey or Tally
        Of all rows.
    total : object
        What was added up; None where no row counts.
    """

    known: Any
    total: Any

    def __add__(self, other: Found) -> Found:
        """What was found in both."""
        known = self.known + other.known
        if self.total is None or other.total is None:
            return Found(known, self.total if other.total is None else other.total)
        return Found(known, self.total + other.total)
