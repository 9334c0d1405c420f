r"""Gaussian log-densities as linear functions of the products of features.

With :math:`y = x - o` and :math:`\varphi(x) = (1, y, y_i y_j)`, each
:math:`\log \pi_k N(x \mid \mu_k, \Sigma_k)` is :math:`\theta_k^\top \varphi(x)`, and
the moments of a block are the matrix product of responsibilities and φ. One product
each way replaces whitening every component's residuals.

Expanding the square costs digits: the rounding error of a log-density is about the unit
roundoff times :math:`\|U_k\|^2 \|y\|^2`, the squared distance to the origin o in units
of the smallest standard deviation. Blocks that reach farther than `REACH` are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skdensity.models.moments import Moments, block_moments
from skdensity.passes.blocks import Scratch

if TYPE_CHECKING:
    from skdensity.models.mixture import Mixture
    from skdensity.models.triangular import TriangularForm

# Largest ‖U‖² ‖y‖² that is expanded: rounding then stays near 1e6 · 2e-16 nats.
REACH = 1e6
# Up to so many sums, one matrix-vector product per component is less work: a product of
# matrices pads them to its tiles.
MAX_SINGLE_SUMS = 36


@dataclass(frozen=True)
class QuadraticForm:
    """All components' joint log-densities as one linear map of products.

    Attributes
    ----------
    mixture : Mixture
        The mixture that is evaluated.
    origin : ndarray of shape (n_features,)
        The mixture's mean, which products are taken relative to.
    coefficients : ndarray of shape (n_components, n_products)
        θ.
    reach : float
        Largest squared distance to `origin` that is expanded safely.
    """

    mixture: Mixture
    origin: np.ndarray
    coefficients: np.ndarray
    reach: float

    @classmethod
    def of(cls, mixture: Mixture) -> QuadraticForm:
        """Expand a mixture's log-densities about its mean."""
        family, factors = mixture.family, mixture.precision_factors
        n_components, n_features = mixture.means.shape
        origin = np.average(mixture.means, axis=0, weights=mixture.weights)
        shift = mixture.means - origin
        linear = family.solve(factors, shift)
        constant = mixture.log_constants() - 0.5 * np.sum(linear * shift, axis=1)
        square = -0.5 * family.product_coefficients(family.square(factors), n_features)
        square = np.broadcast_to(square, (n_components, square.shape[1]))
        coefficients = np.hstack([constant[:, None], linear, square])
        size = np.max(family.squared_norm(factors, n_features))
        return cls(mixture, origin, coefficients, REACH / size)

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
        np.subtract(X.T, self.origin[:, None], out=out[1:end])
        with np.errstate(over="ignore"):  # what overflows is out of reach
            squares = self.mixture.family.products(out[1:end], out[end:])
        # A bound on the largest squared distance, from one maximum per feature.
        is_near = sum(float(square.max()) for square in squares) <= self.reach
        return ExpandedBlock(self, out, scratch) if is_near else None


@dataclass(frozen=True)
class ExpandedBlock:
    """Rows as products of features: fast, for rows within reach of the origin."""

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
        return ProductSums(self.form, log_likelihood, sums)


@dataclass(frozen=True)
class ProductSums:
    """What blocks of products add up to: cheaper to add than moments.

    Attributes
    ----------
    form : QuadraticForm or TriangularForm
        Says what they are relative to.
    log_likelihood : float
        Sum of the weighted log-densities, in nats.
    sums : ndarray of shape (n_components, n_products)
        Σ_i s_ik φ(x_i).
    """

    form: QuadraticForm | TriangularForm
    log_likelihood: float
    sums: np.ndarray

    def __add__(self, other: ProductSums | Moments) -> ProductSums | Moments:
        """Sums over both sets of rows."""
        if isinstance(other, Moments):
            return self.moments() + other
        log_likelihood = self.log_likelihood + other.log_likelihood
        return ProductSums(self.form, log_likelihood, self.sums + other.sums)

    __radd__ = __add__

    def moments(self) -> Moments:
        """Moments about the mixture's means."""
        mixture, origin = self.form.mixture, self.form.origin
        end = len(origin) + 1
        about_origin = Moments(
            log_likelihood=self.log_likelihood,
            mass=self.sums[:, 0],
            first=self.sums[:, 1:end],
            second=mixture.family.from_products(self.sums[:, end:], len(origin)),
            about=np.broadcast_to(origin, mixture.means.shape),
        )
        return about_origin.moved(mixture.means, mixture.family)


@dataclass(frozen=True)
class WhitenedBlock:
    """Rows as residuals from every component: exact at any distance."""

    mixture: Mixture
    columns: np.ndarray
    scratch: Scratch

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_components, n_rows), in nats."""
        means, family = self.mixture.means, self.mixture.family
        out = self.scratch.array("log_joint", (len(means), self.columns.shape[1]))
        residuals, white = (
            self.scratch.array(name, self.columns.shape)
            for name in ("residuals", "white")
        )
        # A tied family has one factor, which serves every component.
        factors = family.untied(self.mixture.precision_factors, len(means))
        for mean, factor, squares in zip(means, factors, out, strict=True):
            np.subtract(self.columns, mean[:, None], out=residuals)
            family.whiten(factor, residuals, out=white)
            np.einsum("dn,dn->n", white, white, out=squares)
        out *= -0.5
        out += self.mixture.log_constants()[:, None]
        return out

    def sums(self, shares: np.ndarray, log_likelihood: float) -> Moments:
        """Moments about the mixture's means, for weights times responsibilities."""
        means, family = self.mixture.means, self.mixture.family
        moments = block_moments(self.columns, shares, means, family, self.scratch)
        return replace(moments, log_likelihood=log_likelihood)
