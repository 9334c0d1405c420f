r"""Gaussian log-densities as linear functions of the products of features.

With :math:`y = x - o` and :math:`\varphi(x) = (1, y, y_i y_j)`, each
:math:`\log \pi_k N(x \mid \mu_k, \Sigma_k)` is :math:`\theta_k^\top \varphi(x)`, and
the moments of a block are the matrix product of responsibilities and φ. One product
each way replaces whitening every component's residuals. What that costs in digits says
:mod:`~skdensity.models.mixtures.forms.expansion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.forms.expansion import Expansion
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, Kept, spread
from skdensity.models.mixtures.forms.sums import ProductSums, product_sums
from skdensity.passes.scratch import Scratch

# The joint log-density of a component of weight 0. Of −inf, products with the zeros
# that BLAS fills its tiles with would be NaN, and raise floating-point flags.
ABSENT = -1e300


@dataclass(frozen=True, eq=False)
class QuadraticForm:
    """All components' joint log-densities as one linear map of products.

    Attributes
    ----------
    expansion : Expansion
        The mixture that is evaluated, and the origin of the products.
    coefficients : ndarray of shape (n_components, 1 + n_features + n_products)
        θ.
    """

    expansion: Expansion
    coefficients: np.ndarray

    @classmethod
    def of(cls, expansion: Expansion) -> QuadraticForm | None:
        """Expand a mixture's log-densities; None where coefficients overflow."""
        components, shift = expansion.components, expansion.shift
        family, factors = components.family, components.precision_factors
        n_components, n_features = components.means.shape
        linear = family.factors.solve(factors, shift)
        constant = components.log_peaks - 0.5 * np.sum(linear * shift, axis=1)
        precisions = family.precisions(factors)
        if not np.all(np.isfinite(precisions)):
            return None
        products = family.asked("products", "a quadratic form")
        square = -0.5 * products.coefficients(precisions, n_features)
        end = n_features + 1
        coefficients = np.empty((n_components, end + square.shape[1]))
        np.maximum(constant, ABSENT, out=coefficients[:, 0])
        coefficients[:, 1:end], coefficients[:, end:] = linear, square
        return cls(expansion, coefficients)

    def __reduce__(self) -> tuple:
        # Coefficients are found again: they would double what travels.
        return QuadraticForm.of, (self.expansion,)

    @property
    def row_bytes(self) -> int:
        """Bytes of products and log-densities that one row needs."""
        n_components, n_products = self.coefficients.shape
        return 8 * (n_products + 2 * n_components)

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> ExpandedBlock | None:
        """Rows as products, ready to evaluate; None if these may overflow."""
        end = X.shape[1] + 1
        out = scratch.array("products", (self.coefficients.shape[1], len(X)))
        out[0] = 1
        if not self.expansion.centred(X, out=out[1:end]):
            return None
        family = self.expansion.components.family
        products = family.asked("products", "a quadratic form")
        products.of_columns(out[1:end], out[end:])
        return ExpandedBlock(self, out, scratch, kept)


@dataclass(frozen=True, eq=False)
class ExpandedBlock:
    """Rows as products of features."""

    form: QuadraticForm
    products: np.ndarray
    scratch: Scratch
    kept: Kept

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_kept, n_rows), in nats."""
        coefficients = self.form.coefficients[self.kept]
        out = self.scratch.array(
            "log_joint", (len(coefficients), self.products.shape[1])
        )
        return np.matmul(coefficients, self.products, out=out)

    def sums(self, shares: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products, for weights times responsibilities."""
        n_components = len(self.form.coefficients)
        sums = spread(product_sums(shares, self.products), self.kept, n_components)
        return self.form.expansion.sums(sums, log_likelihood)
