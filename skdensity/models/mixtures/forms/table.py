"""Which way of evaluating blocks is the least work for a mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.expansion import Expansion
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, BlockForm, Form, Kept
from skdensity.models.mixtures.forms.quadratic import QuadraticForm
from skdensity.models.mixtures.forms.triangular import MAX_PRODUCTS, TriangularForm
from skdensity.models.mixtures.forms.whitened import WhitenedForm
from skdensity.passes.scratch import Scratch

# The largest reach (see `Expansion`) whose squares are expanded. Log-densities of rows
# keep 1e-9 nats; those of a pass, which only add up, keep 1e-7 each.
MAX_EXPANDED = 8e6
MAX_EXPANDED_IN_PASSES = 8e8
# The largest whose second moments are expanded: the smallest variances then keep five
# digits.
MAX_SUMMED = 1e11


@dataclass(frozen=True, eq=False)
class GuardedForm:
    """A form that whitens blocks whose products may overflow.

    Attributes
    ----------
    near : QuadraticForm or TriangularForm
        The way that is the least work.
    far : WhitenedForm
        The way that has no limits.
    """

    near: QuadraticForm | TriangularForm
    far: WhitenedForm

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        return max(self.near.row_bytes, self.far.row_bytes)

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> BlockForm:
        """Rows ready to evaluate, for some of the components."""
        near = self.near.block(X, scratch, kept)
        return near or self.far.block(X, scratch, kept)


def form_of(components: Components, max_expanded: float) -> Form:
    """The form with the least work among those that keep the digits of a mixture.

    Parameters
    ----------
    components : Components
        The mixture.
    max_expanded : float
        `MAX_EXPANDED` or `MAX_EXPANDED_IN_PASSES`.
    """
    family, d = components.family, components.n_features
    whitened = WhitenedForm(components)
    if family.products is None or family.parts is None:
        return whitened
    expansion = Expansion.of(components)
    is_cheap = family.products.n_products(d) <= max(MAX_PRODUCTS, d)
    near: QuadraticForm | TriangularForm | None = None
    if is_cheap and expansion.reach <= max_expanded:
        near = QuadraticForm.of(expansion)
    elif expansion.reach <= MAX_SUMMED:
        near = TriangularForm.of(expansion)
    if near is not None:
        return GuardedForm(near, whitened)
    return whitened
