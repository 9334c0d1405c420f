"""Sums of products of features, which become moments once they are added up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.moments import Moments

# Up to so many sums, one matrix-vector product per component is less work: a product of
# matrices pads them to its tiles.
MAX_SINGLE_SUMS = 36  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class ProductSums:
    """What blocks of products add up to: cheaper to add than moments.

    Attributes
    ----------
    means : ndarray of shape (n_components, n_features)
        Those of the mixture.
    origin : ndarray of shape (n_features,)
        What products are relative to.
    family : CovarianceFamily
        The shape of the covariances.
    log_likelihood : float
        Sum of the weighted log-densities, in nats.
    sums : ndarray of shape (n_components, 1 + n_features + n_products)
        Σ_i s_ik (1, y_i, products of y_i).
    """

    means: np.ndarray
    origin: np.ndarray
    family: CovarianceFamily
    log_likelihood: float
    sums: np.ndarray

    def __add__(self, other: ProductSums | Moments) -> ProductSums | Moments:
        """Sums over both sets of rows."""
        if isinstance(other, Moments):
            return self.moments() + other
        log_likelihood = self.log_likelihood + other.log_likelihood
        return replace(self, log_likelihood=log_likelihood, sums=self.sums + other.sums)

    __radd__ = __add__

    def moments(self) -> Moments:
        """Moments about the mixture's means."""
        d = self.means.shape[1]
        products = self.family.asked("products", "a sum of products")
        second = products.to_scatter(self.sums[:, d + 1 :], d)
        about_origin = Moments(
            log_likelihood=self.log_likelihood,
            mass=self.sums[:, 0],
            first=self.sums[:, 1 : d + 1],
            second=second,
            about=self.origin[None],
        )
        return about_origin.moved(self.means, self.family.scatter)


def product_sums(shares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Sums over a block of weights times responsibilities times every product."""
    if len(shares) * len(products) > MAX_SINGLE_SUMS:
        return shares @ products.T
    return np.stack([products @ share for share in shares])
