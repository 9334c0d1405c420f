"""Blocks of near rows, evaluated for the components that can matter to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.forms.form import BlockForm, Form
from skdensity.models.mixtures.relevance import Relevance
from skdensity.passes.blocks import BLOCK_BYTES
from skdensity.passes.scratch import Scratch

# A block has the rows that so many components would explain if all explained the same,
# divided by the square of the number of features. With fewer, calls outweigh what is
# left to compute, and threads wait for each other; with more, too much matters to one
# of the rows.
# Measured in 1 to 3 features with 50 to 1000 components.
COMPONENTS = 10  # pragma: no mutate
MAX_ROWS = 16_384  # pragma: no mutate
# Times the memory of other blocks that one may take where everything matters after all.
MOST = 8  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class LocalForm:
    """A form that leaves out of every block the components that cannot matter there.

    Attributes
    ----------
    form : Form
        How those that are kept are evaluated.
    relevance : Relevance
        Which are kept.
    n_rows : int
        Of the table.
    """

    form: Form
    relevance: Relevance
    n_rows: int

    @property
    def row_bytes(self) -> int:
        """As if rows needed so much that blocks are as large as they should be."""
        n_components, n_features = self.relevance.components.means.shape
        n_rows = COMPONENTS * self.n_rows // (n_components * n_features**2)
        n_rows = min(max(n_rows, 1), MAX_ROWS)
        return max(self.form.row_bytes // MOST, BLOCK_BYTES // n_rows)

    def block(self, X: np.ndarray, scratch: Scratch) -> BlockForm:
        """Rows ready to evaluate, for the components that may matter to them."""
        return self.form.block(X, scratch, self.relevance.kept(X))
