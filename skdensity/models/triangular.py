r"""Gaussian log-densities from whitened rows, all relative to one origin.

With :math:`y = x - o`, the whitened residual :math:`U_k^\top (x - \mu_k)` is linear in
:math:`(1, y)`: one product of matrices computes it, without forming residuals of every
component, and second moments are symmetric updates :math:`\sum_i s_{ik} y_i y_i^\top`.
For many features this is half the work of the products of features that
:mod:`~skdensity.models.quadratic` forms, and it keeps more digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from skdensity.models.quadratic import REACH, ProductSums
from skdensity.models.triangles import triangular_product
from skdensity.passes.blocks import Scratch

if TYPE_CHECKING:
    from skdensity.models.mixture import Mixture


@dataclass(frozen=True)
class TriangularForm:
    """All components' whitening maps, relative to the mixture's mean.

    Attributes
    ----------
    mixture : Mixture
        The mixture that is evaluated; its covariances are matrices.
    """

    mixture: Mixture

    @cached_property
    def origin(self) -> np.ndarray:
        """The mixture's mean, which rows are taken relative to."""
        mixture = self.mixture
        return np.average(mixture.means, axis=0, weights=mixture.weights)

    @cached_property
    def maps(self) -> np.ndarray:
        """[−Uᵀ(μ − o), Uᵀ], of shape (n_components, n_features, 1 + n_features)."""
        means, family = self.mixture.means, self.mixture.family
        factors = family.untied(self.mixture.precision_factors, len(means))
        lower = family.transposed(factors)
        shift = np.matmul(lower, (means - self.origin)[:, :, None])
        return np.concatenate([-shift, lower], axis=2)

    @cached_property
    def reach(self) -> float:
        """Largest squared distance to `origin` whose sums keep their digits."""
        family, factors = self.mixture.family, self.mixture.precision_factors
        return REACH / np.max(family.squared_norm(factors, len(self.origin)))

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        n_components, n_features = self.mixture.means.shape
        return 8 * (2 * n_features + n_components)

    def block(self, X: np.ndarray, scratch: Scratch) -> TriangularBlock | None:
        """Rows ready to evaluate; None if they reach too far."""
        columns = scratch.array("columns", (1 + X.shape[1], len(X)))
        columns[0] = 1
        centred = np.subtract(X.T, self.origin[:, None], out=columns[1:])
        with np.errstate(over="ignore"):  # what overflows is out of reach
            is_near = np.einsum("dn,dn->n", centred, centred).max() <= self.reach
        return TriangularBlock(self, columns, scratch) if is_near else None


@dataclass(frozen=True)
class TriangularBlock:
    """Rows relative to the origin, with a leading row of ones."""

    form: TriangularForm
    columns: np.ndarray
    scratch: Scratch

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_components, n_rows), in nats."""
        maps = self.form.maps
        out = self.scratch.array("log_joint", (len(maps), self.columns.shape[1]))
        white = self._rows_like_features()
        for whitening, squares in zip(maps, out, strict=True):
            triangular_product(whitening, self.columns, out=white)
            np.einsum("dn,dn->n", white, white, out=squares)
        out *= -0.5
        out += self.form.mixture.log_constants()[:, None]
        return out

    def sums(self, shares: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products, for weights times responsibilities."""
        family, scaled = self.form.mixture.family, self._rows_like_features()
        second = [
            family.second_moment(self.columns[1:], share, out=scaled)
            for share in shares
        ]
        first = shares @ self.columns.T
        sums = np.hstack([first, family.to_products(np.stack(second))])
        return ProductSums(self.form, log_likelihood, sums)

    def _rows_like_features(self):
        n_columns, n_rows = self.columns.shape
        return self.scratch.array("white", (n_columns - 1, n_rows))
