"""Which way of evaluating blocks is the least work for a mixture."""

from __future__ import annotations

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.form import Form
from skdensity.models.mixtures.forms.quadratic import QuadraticForm
from skdensity.models.mixtures.forms.triangular import TriangularForm
from skdensity.models.mixtures.forms.whitened import WhitenedForm

# From here on whitening is less work than forming all products of features.
MAX_PRODUCTS = 600


def form_of(components: Components) -> Form:
    """The form that evaluates rows near the mixture's mean with the least work."""
    products, d = components.family.products, components.n_features
    if products is None:
        return WhitenedForm(components)
    if products.n_products(d) <= max(MAX_PRODUCTS, d):
        return QuadraticForm.of(components)
    return TriangularForm.of(components) or WhitenedForm(components)
