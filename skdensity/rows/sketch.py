"""A sample of distinct rows that is drawn in one pass: samples of parts add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import hashes_of, threshold

# Rows that are kept, for each distinct one that is asked for, before copies become one
# row of their weight.
MOST_COPIES = 2


@dataclass(frozen=True, eq=False)
class Sketch:
    """The rows of the smallest hashes of values, in their order.

    Which they are depends on the set of distinct rows alone: a sketch of two parts is
    the same whichever way the rows were parted (bottom-k sketches: Cohen and Kaplan
    2007, doi:10.1145/1281100.1281133).

    Attributes
    ----------
    n_distinct : int
        Most distinct rows that are kept.
    hashes : ndarray of uint64 of shape (n_kept,)
        Hashes of the rows.
    X : ndarray of shape (n_kept, n_features)
        The rows.
    weight : ndarray of shape (n_kept,) or None
        Their weights; None when all count the same.
    """

    n_distinct: int
    hashes: np.ndarray
    X: np.ndarray
    weight: np.ndarray | None

    @classmethod
    def of(cls, n_distinct: int, seed: np.uint64, part: ArrayRows) -> Sketch:
        """That of the rows of positive weight of a part."""
        rows = part.positive()
        sketch = cls(n_distinct, hashes_of(rows.X, seed), rows.X, rows.weight)
        return sketch._cut()

    def __add__(self, other: Sketch) -> Sketch:
        """That of both parts: these rows, then the others."""
        weight = None
        if self.weight is not None or other.weight is not None:
            weight = np.append(self._each_weight, other._each_weight)
        hashes = np.append(self.hashes, other.hashes)
        X = np.concatenate([self.X, other.X])
        return Sketch(self.n_distinct, hashes, X, weight)._cut()

    @property
    def _each_weight(self):
        return np.ones(len(self.X)) if self.weight is None else self.weight

    def _cut(self):
        """Without rows of larger hashes; copies are joined if they are many."""
        kept = self._take(np.flatnonzero(self.hashes < threshold(*self._sought)))
        is_many = len(kept.X) > MOST_COPIES * self.n_distinct
        return kept._joined() if is_many else kept

    @property
    def _sought(self):
        return self.hashes, self.n_distinct

    def _take(self, index):
        # A copy, so that a block of which little is kept does not stay in memory.
        weight = None if self.weight is None else self.weight[index]
        return Sketch(self.n_distinct, self.hashes[index], self.X[index], weight)

    def _joined(self):
        """Copies become one row with the sum of their weights, where the first is."""
        hashes, first, which = np.unique(
            self.hashes, return_index=True, return_inverse=True
        )
        order = np.argsort(first)
        weight = np.bincount(which, self._each_weight, minlength=len(hashes))
        index = first[order]
        return Sketch(self.n_distinct, hashes[order], self.X[index], weight[order])
