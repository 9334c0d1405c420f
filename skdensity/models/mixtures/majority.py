"""Features that hardly vary: most rows have one value, as blank pixels do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.passes.scratch import Scratch
from skdensity.rows.rows import Block, Rows


@dataclass(frozen=True, eq=False)
class Votes:
    """For every feature the one value that may hold more than half of the weight.

    Votes of two sets of rows add up: what is not for the winner of one set cancels as
    much of what is for it in the other. Where a value holds more than half of all, it
    is the one that is left, since it cannot be cancelled (R. S. Boyer and J. S. Moore
    1991, doi:10.1007/978-94-011-3488-0_5).

    Attributes
    ----------
    values : ndarray of shape (n_features,) or (n_rows, n_features)
        The values, of one set or of many.
    surplus : ndarray of the same shape
        Weight that is left for them.
    """

    values: np.ndarray
    surplus: np.ndarray

    def __add__(self, other: Votes) -> Votes:
        """Votes of both."""
        if not isinstance(other, Votes):
            return NotImplemented
        are_equal = self.values == other.values
        difference = self.surplus - other.surplus
        return Votes(
            np.where(difference >= 0, self.values, other.values),
            np.where(are_equal, self.surplus + other.surplus, np.abs(difference)),
        )

    def __getitem__(self, rows: slice | int) -> Votes:
        """Those of some of the sets."""
        return Votes(self.values[rows], self.surplus[rows])


def minority_shares(rows: Rows) -> np.ndarray:
    """Share of the weight that is not at the one value of most rows, per feature.

    Parameters
    ----------
    rows : Rows
        The rows.

    Returns
    -------
    shares : ndarray of shape (n_features,)
        Below one half; 1 where no value holds more than half of the weight.

    Notes
    -----
    Exact, in two passes of O(n_samples · n_features) without sorting.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.mixtures.majority import minority_shares
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> X = np.array([[0.0, 1.0], [0.0, 2.0], [9.0, 3.0], [0.0, 4.0]])
    >>> minority_shares(ArrayRows(X))
    array([0.25, 1.  ])
    """
    winners = rows.add(_votes, row_bytes=24 * rows.n_features).values

    def others(block: Block, scratch: Scratch) -> np.ndarray:
        return block.weight @ (winners != block.X)

    shares = rows.add(others, row_bytes=10 * rows.n_features) / rows.total_weight
    return np.where(shares < 0.5, shares, 1.0)


def _votes(block, scratch):
    """Votes of a block: halves of the rows are added until one is left."""
    votes = Votes(block.X, np.broadcast_to(block.weight[:, None], block.X.shape))
    while (n_sets := len(votes.values)) > 1:
        half = n_sets // 2
        added = votes[:half] + votes[half : 2 * half]
        # The last of an odd number is added to what the next round begins with.
        votes = added if n_sets % 2 == 0 else _with_first(added, votes[-1])
    return votes[0]


def _with_first(votes, odd):
    """Votes of which the first has another one added."""
    first = votes[0] + odd
    votes.values[0], votes.surplus[0] = first.values, first.surplus
    return votes
