"""Sums of products of features, which become moments once they are added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.moments import Moments


@dataclass(frozen=True, eq=False)
class ProductSums:
    """What blocks of products add up to: cheaper to add than moments.

    Attributes
    ----------
    components : Components
        The mixture; its centre is what products are relative to.
    log_likelihood : float
        Sum of the weighted log-densities, in nats.
    sums : ndarray of shape (n_components, 1 + n_features + n_products)
        Σ_i s_ik (1, y_i, products of y_i).
    """

    components: Components
    log_likelihood: float
    sums: np.ndarray

    def __add__(self, other: ProductSums | Moments) -> ProductSums | Moments:
        """Sums over both sets of rows."""
        if isinstance(other, Moments):
            return self.moments() + other
        log_likelihood = self.log_likelihood + other.log_likelihood
        return ProductSums(self.components, log_likelihood, self.sums + other.sums)

    __radd__ = __add__

    def moments(self) -> Moments:
        """Moments about the mixture's means."""
        components, d = self.components, self.components.n_features
        products = components.family.asked("products", "a sum of products")
        second = products.to_scatter(self.sums[:, d + 1 :], d)
        about_centre = Moments(
            log_likelihood=self.log_likelihood,
            mass=self.sums[:, 0],
            first=self.sums[:, 1 : d + 1],
            second=second,
            about=np.broadcast_to(components.centre, components.means.shape),
        )
        return about_centre.moved(components.means, components.family.scatter)
