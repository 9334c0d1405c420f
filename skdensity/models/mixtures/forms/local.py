"""Blocks of near rows, evaluated for the components that can matter to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.forms.form import BlockForm, Form
from skdensity.models.mixtures.relevance import Relevance
from skdensity.passes.blocks import BLOCK_BYTES
from skdensity.passes.scratch import Scratch

# Rows of a block: so many that calls do not outweigh what is left to compute, and few
# enough to be compact.
BLOCK_ROWS = 2048
# Times the memory of other blocks that one may take where everything matters after all.
MOST = 4


@dataclass(frozen=True, eq=False)
class LocalForm:
    """A form that leaves out of every block the components that cannot matter there.

    Attributes
    ----------
    form : Form
        How those that are kept are evaluated.
    relevance : Relevance
        Which are kept.
    """

    form: Form
    relevance: Relevance

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row may take."""
        return max(self.form.row_bytes // MOST, BLOCK_BYTES // BLOCK_ROWS)

    def block(self, X: np.ndarray, scratch: Scratch) -> BlockForm:
        """Rows ready to evaluate, for the components that may matter to them."""
        return self.form.block(X, scratch, self.relevance.kept(X))
