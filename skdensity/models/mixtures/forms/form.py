"""What a way of evaluating blocks offers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from skdensity.passes.scratch import Scratch


class BlockForm(Protocol):
    """Some rows, ready to evaluate."""

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_components, n_rows), in nats."""

    def sums(self, shares: np.ndarray, log_likelihood: float) -> Any:
        """Sums for weights times responsibilities, which add up to moments."""


class Form(Protocol):
    """A mixture, ready to evaluate blocks."""

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""

    def block(self, X: np.ndarray, scratch: Scratch) -> BlockForm:
        """Rows ready to evaluate."""
