"""What a way of evaluating blocks offers.

A block may be evaluated for some of the components only, where the others cannot matter
to its rows: see :mod:`~skdensity.models.mixtures.relevance`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from skdensity.passes.scratch import Scratch

# Indices of components; a slice copies nothing.
Kept = slice | np.ndarray
ALL_COMPONENTS = slice(None)


class BlockForm(Protocol):
    """Some rows, ready to evaluate."""

    @property
    def kept(self) -> Kept:
        """The components that it is evaluated for."""

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_kept, n_rows), in nats."""

    def sums(self, shares: np.ndarray, log_likelihood: float) -> Any:
        """Sums for weights times responsibilities, which add up to moments of all.

        The `shares` are those of the components that are kept.
        """


class Form(Protocol):
    """A mixture, ready to evaluate blocks."""

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> BlockForm:
        """Rows ready to evaluate, for some of the components."""


def spread(sums: np.ndarray, kept: Kept, n_components: int) -> np.ndarray:
    """Sums of all components, 0 for those that are not kept."""
    if isinstance(kept, slice):
        return sums
    out = np.zeros((n_components, *sums.shape[1:]))
    out[kept] = sums
    return out
