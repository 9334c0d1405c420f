r"""Gaussian log-densities from whitened rows, all relative to one origin.

With :math:`y = x - o`, the whitened residual :math:`U_k^\top (x - \mu_k)` is linear in
:math:`(1, y)`: one product of matrices computes it, without forming residuals of every
component, and second moments are symmetric updates :math:`\sum_i s_{ik} y_i y_i^\top`.
For many features this is half the work of the products of features that
:mod:`~skdensity.models.mixtures.forms.quadratic` forms, and it keeps more digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.covariances.cholesky import triangular_product
from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.quadratic import MAX_EXPANDED
from skdensity.models.mixtures.forms.sums import ProductSums
from skdensity.passes.scratch import Scratch


@dataclass(frozen=True, eq=False)
class TriangularForm:
    """All components' whitening maps, relative to the mixture's centre.

    Attributes
    ----------
    components : Components
        The mixture that is evaluated.
    maps : ndarray of shape (n_components, n_features, 1 + n_features)
        [−Uᵀ(μ − o), Uᵀ].
    scales : ndarray of shape (n_features,)
        What features are multiplied by to see whether sums keep their digits.
    """

    components: Components
    maps: np.ndarray
    scales: np.ndarray

    @classmethod
    def of(cls, components: Components) -> TriangularForm | None:
        """The maps of a mixture; None where whitening is no triangular matrix."""
        products = components.family.asked("products", "a triangular form")
        factors = components.precision_factors
        shift = components.means - components.centre
        maps = products.whitening_maps(components.own(factors), shift)
        if maps is None:
            return None
        sensitivities = products.sensitivities(factors, components.n_features)
        return cls(components, maps, np.sqrt(sensitivities))

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        return 8 * (2 * self.components.n_features + self.components.n_components)

    def block(self, X: np.ndarray, scratch: Scratch) -> TriangularBlock | None:
        """Rows ready to evaluate; None if they reach too far."""
        columns = scratch.array("columns", (1 + X.shape[1], len(X)))
        columns[0] = 1
        centre = self.components.centre[:, None]
        centred = np.subtract(X.T, centre, out=columns[1:])
        scaled = scratch.array("white", centred.shape)
        np.multiply(centred, self.scales[:, None], out=scaled)
        with np.errstate(over="ignore"):  # what overflows is out of reach
            is_near = np.einsum("dn,dn->n", scaled, scaled).max() <= MAX_EXPANDED
        return TriangularBlock(self, columns, scratch) if is_near else None


@dataclass(frozen=True, eq=False)
class TriangularBlock:
    """Rows relative to the centre, with a leading row of ones."""

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
        out += self.form.components.log_peaks[:, None]
        return out

    def sums(self, shares: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products, for weights times responsibilities."""
        family, scaled = self.form.components.family, self._rows_like_features()
        second = [
            family.scatter.of_residuals(self.columns[1:], share, out=scaled)
            for share in shares
        ]
        products = family.asked("products", "a triangular form")
        first = shares @ self.columns.T
        sums = np.hstack([first, products.of_scatter(np.stack(second))])
        return ProductSums(self.form.components, log_likelihood, sums)

    def _rows_like_features(self):
        n_columns, n_rows = self.columns.shape
        return self.scratch.array("white", (n_columns - 1, n_rows))
