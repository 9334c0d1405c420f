r"""Gaussian log-densities from whitened rows, all relative to one origin.

With :math:`y = x - o`, the whitened residual :math:`U_k^\top (x - \mu_k)` is linear in
:math:`(1, y)`: one product of matrices computes it for several components, without
forming their residuals. Its rounding error is unit roundoff times the *root* of the
component's reach (see :mod:`~skdensity.models.mixtures.forms.expansion`), so that a
log-density loses about that times the length of the whitened residual: where squares
may not be expanded, and with many features, where this is less work than all products
of features, which only the second moments are then made from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.covariances.cholesky import STRIP, triangular_product
from skdensity.models.mixtures.forms.expansion import Expansion
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, Kept, spread
from skdensity.models.mixtures.forms.sums import ProductSums, product_sums
from skdensity.passes.scratch import Scratch

# From here on symmetric updates are less work than forming all products of features.
MAX_PRODUCTS = 600  # pragma: no mutate
# Whitened values that one product of matrices computes.
GROUP = 4 * STRIP  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class TriangularForm:
    """All components' whitening maps, relative to the origin.

    Attributes
    ----------
    expansion : Expansion
        The mixture that is evaluated, and the origin of the rows.
    maps : ndarray of shape (n_components, n_features, 1 + n_features)
        [−Uᵀ(μ − o), Uᵀ].
    """

    expansion: Expansion
    maps: np.ndarray

    @classmethod
    def of(cls, expansion: Expansion) -> TriangularForm | None:
        """The maps of a mixture; None where whitening is no triangular matrix."""
        components = expansion.components
        products = components.family.asked("products", "a triangular form")
        factors = components.own(components.precision_factors)
        maps = products.whitening_maps(factors, expansion.shift)
        return None if maps is None else cls(expansion, maps)

    def __reduce__(self) -> tuple:
        # Maps are found again: they would double what travels.
        return TriangularForm.of, (self.expansion,)

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        n_components, n_features, _ = self.maps.shape
        n_white = max(n_features, min(GROUP, n_components * n_features))
        return 8 * (n_features + n_white + 2 * n_components)

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> TriangularBlock | None:
        """Rows ready to evaluate; None if products of them may overflow."""
        columns = scratch.array("columns", (1 + X.shape[1], len(X)))
        columns[0] = 1
        is_finite = self.expansion.centred(X, out=columns[1:])
        return TriangularBlock(self, columns, scratch, kept) if is_finite else None


@dataclass(frozen=True, eq=False)
class TriangularBlock:
    """Rows relative to the origin, with a leading row of ones."""

    form: TriangularForm
    columns: np.ndarray
    scratch: Scratch
    kept: Kept

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_kept, n_rows), in nats."""
        maps, n_rows = self.form.maps[self.kept], self.columns.shape[1]
        n_components, n_features, _ = maps.shape
        out = self.scratch.array("log_joint", (n_components, n_rows))
        step = max(1, GROUP // n_features)
        for begin in range(0, n_components, step):
            group = slice(begin, begin + step)
            white = self._whitened(maps[group])
            np.einsum("kdn,kdn->kn", white, white, out=out[group])
        out *= -0.5
        out += self.form.expansion.components.log_peaks[self.kept, None]
        return out

    def _whitened(self, maps):
        """Residuals of some components; of one at a time when there are many zeros."""
        n_components, n_features, n_columns = maps.shape
        shape = (n_components * n_features, self.columns.shape[1])
        white = self.scratch.array("white", shape)
        if n_components == 1:
            triangular_product(maps[0], self.columns, out=white)
        else:
            np.matmul(maps.reshape(-1, n_columns), self.columns, out=white)
        return white.reshape(n_components, n_features, -1)

    def sums(self, shares: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products, for weights times responsibilities."""
        family = self.form.expansion.components.family
        products = family.asked("products", "a triangular form")
        if products.n_products(len(self.columns) - 1) <= MAX_PRODUCTS:
            sums = self._sums_of_products(products, shares)
        else:
            sums = self._sums_of_updates(products, family.scatter, shares)
        sums = spread(sums, self.kept, len(self.form.maps))
        return self.form.expansion.sums(sums, log_likelihood)

    def _sums_of_products(self, products, shares):
        n_columns, n_rows = self.columns.shape
        n_products = products.n_products(n_columns - 1)
        out = self.scratch.array("products", (n_columns + n_products, n_rows))
        out[:n_columns] = self.columns
        products.of_columns(self.columns[1:], out[n_columns:])
        return product_sums(shares, out)

    def _sums_of_updates(self, products, scatter, shares):
        columns = self.columns[1:]
        scaled = self.scratch.array("white", columns.shape)
        second = [scatter.of_residuals(columns, share, out=scaled) for share in shares]
        first = shares @ self.columns.T
        return np.hstack([first, products.of_scatter(np.stack(second))])
