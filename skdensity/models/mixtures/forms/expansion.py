r"""The point that products of features are relative to, and what that costs in digits.

With :math:`y = x - o`, the terms of :math:`(x - \mu_k)^\top P_k (x - \mu_k)` that
cancel when it is expanded sum to at most :math:`(\sum_j \|u_{kj}\| |y_j|)^2` with the
rows :math:`u_{kj}` of :math:`U_k`, or :math:`\sum_j u_{kj}^2 y_j^2` where features are
independent. A row within three standard deviations of the mean in every feature has
:math:`|y_j| \le |\mu_{kj} - o_j| + 3 \sigma_{kj}`: what it sums to is the component's
*reach*, and unit roundoff times the reach is what its log-density loses. Of a row
farther off the log-density is as much larger as what it loses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.sums import ProductSums

# Of a component, besides that of its precision: a wide one may have all the weight.
LEAST_INFLUENCE = 1e-12
# Rows so far off that products of them might overflow are whitened one by one.
MAX_DISTANCE = 1e70


@dataclass(frozen=True, eq=False)
class Expansion:
    """A mixture's components, relative to one point.

    Attributes
    ----------
    components : Components
        The mixture.
    origin : ndarray of shape (n_features,)
        o, the mean of the components' means, each feature weighted by precision: a
        component that is narrow there loses most, and is near.
    reach : float
        The largest of any component.
    """

    components: Components
    origin: np.ndarray
    reach: float

    @classmethod
    def of(cls, components: Components) -> Expansion:
        """The origin at which least is lost."""
        family = components.family
        products = family.asked("products", "an expansion")
        parts = family.asked("parts", "an expansion")
        means = components.means
        sensitivities = products.sensitivities(components.precision_factors)
        # Relative to the largest, whose square might overflow; no feature is without.
        relative = sensitivities / sensitivities.max(axis=0)
        influence = components.weights[:, None] * (relative**2 + LEAST_INFLUENCE)
        origin = np.sum(influence * means, axis=0) / np.sum(influence, axis=0)
        deviations = parts.deviations(components.cholesky)
        steps = np.abs(means - origin) + 3 * deviations
        with np.errstate(over="ignore"):  # infinite is out of reach
            reach = float(products.reach(sensitivities, steps).max())
        return cls(components, origin, reach)

    @property
    def shift(self) -> np.ndarray:
        """The means, relative to the origin."""
        return self.components.means - self.origin

    def sums(self, sums: np.ndarray, log_likelihood: float) -> ProductSums:
        """Sums of products that are relative to the origin."""
        means, family = self.components.means, self.components.family
        return ProductSums(means, self.origin, family, log_likelihood, sums)

    def centred(self, X: np.ndarray, out: np.ndarray) -> bool:
        """Write rows as columns relative to the origin; whether products are finite."""
        np.subtract(X.T, self.origin[:, None], out=out)
        return bool(max(out.max(), -out.min()) < MAX_DISTANCE)
