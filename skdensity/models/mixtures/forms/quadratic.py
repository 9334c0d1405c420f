r"""Gaussian log-densities as linear functions of the products of features.

With :math:`y = x - o` and :math:`\varphi(x) = (1, y, y_i y_j)`, each
:math:`\log \pi_k N(x \mid \mu_k, \Sigma_k)` is :math:`\theta_k^\top \varphi(x)`, and
the moments of a block are the matrix product of responsibilities and φ. One product
each way replaces whitening every component's residuals.

Expanding the square costs digits: the rounding error of a log-density is about the unit
roundoff times :math:`\sum_j \|u_{kj}\|^2 y_j^2` with the rows :math:`u_{kj}` of
:math:`U_k`, the squared distance to the origin o in units of every feature's smallest
conditional standard deviation. Blocks that lie farther than `MAX_EXPANDED` are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.sums import ProductSums
from skdensity.passes.scratch import Scratch

# Largest Σ_j ‖u_j‖² y_j² that is expanded: rounding then stays near 1e6 · 2e-16 nats.
MAX_EXPANDED = 1e6
# Up to so many sums, one matrix-vector product per component is less work: a product of
# matrices pads them to its tiles.
MAX_SINGLE_SUMS = 36
# The joint log-density of a component of weight 0. Of −inf, products with the zeros
# that BLAS fills its tiles with would be NaN, and raise floating-point flags.
ABSENT = -1e300


@dataclass(frozen=True, eq=False)
class QuadraticForm:
    """All components' joint log-densities as one linear map of products.

    Attributes
    ----------
    components : Components
        The mixture that is evaluated.
    coefficients : ndarray of shape (n_components, 1 + n_features + n_products)
        θ.
    sensitivities : ndarray of shape (n_features or 1,)
        What squares of the rows relative to the centre are multiplied by, to see
        whether they may be expanded.
    """

    components: Components
    coefficients: np.ndarray
    sensitivities: np.ndarray

    @classmethod
    def of(cls, components: Components) -> QuadraticForm:
        """Expand a mixture's log-densities about its centre."""
        family, factors = components.family, components.precision_factors
        n_components, n_features = components.means.shape
        shift = components.means - components.centre
        linear = family.factors.solve(factors, shift)
        constant = components.log_peaks - 0.5 * np.sum(linear * shift, axis=1)
        constant = np.maximum(constant, ABSENT)
        precisions = family.factors.square(factors)
        products = family.asked("products", "a quadratic form")
        square = -0.5 * products.coefficients(precisions, n_features)
        square = np.broadcast_to(square, (n_components, square.shape[1]))
        coefficients = np.hstack([constant[:, None], linear, square])
        sensitivities = products.sensitivities(factors, n_features)
        return cls(components, coefficients, sensitivities)

    @property
    def row_bytes(self) -> int:
        """Bytes of products and log-densities that one row needs."""
        n_components, n_products = self.coefficients.shape
        return 8 * (n_products + 2 * n_components)

    def block(self, X: np.ndarray, scratch: Scratch) -> ExpandedBlock | None:
        """Rows as products, ready to evaluate; None if they reach too far."""
        end = X.shape[1] + 1
        out = scratch.array("products", (self.coefficients.shape[1], len(X)))
        out[0] = 1
        np.subtract(X.T, self.components.centre[:, None], out=out[1:end])
        products = self.components.family.asked("products", "a quadratic form")
        with np.errstate(over="ignore"):  # what overflows is out of reach
            squares = products.of_columns(out[1:end], out[end:])
            # A bound on the largest squared distance, from one maximum per feature.
            farthest = self.sensitivities @ [square.max() for square in squares]
        is_near = farthest <= MAX_EXPANDED
        return ExpandedBlock(self, out, scratch) if is_near else None


@dataclass(frozen=True, eq=False)
class ExpandedBlock:
    """Rows as products of features: fast, for rows within reach of the centre."""

    form: QuadraticForm
    products: np.ndarray
    scratch: Scratch

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_components, n_rows), in nats."""
        coefficients = self.form.coefficients
        out = self.scratch.array(
            "log_joint", (len(coefficients), self.products.shape[1])
        )
        return np.matmul(coefficients, self.products, out=out)

    def sums(self, shares: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products, for weights times responsibilities."""
        if len(shares) * len(self.products) > MAX_SINGLE_SUMS:
            sums = shares @ self.products.T
        else:
            sums = np.stack([self.products @ share for share in shares])
        return ProductSums(self.form.components, log_likelihood, sums)
