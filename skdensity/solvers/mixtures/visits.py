"""Mixtures that EM has been at, and what their passes tell a direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.solvers.mixtures.directions import Point


@dataclass(frozen=True, eq=False)
class Landscape:
    """What EM climbs, as its free parameters see it.

    Attributes
    ----------
    parameters : MixtureParameters
        What is free, in the units that directions are taken in.
    reg_covar : ndarray
        Added to every covariance, in the family's layout, without an axis of
        components.
    total_weight : float
        Of the rows.
    """

    parameters: MixtureParameters
    reg_covar: np.ndarray
    total_weight: float

    def regularised(
        self, mixture: Mixture, mass: np.ndarray, second: np.ndarray
    ) -> np.ndarray:
        """Second moments of rows that vary by `reg_covar`, besides."""
        scatter, d = mixture.family.scatter, mixture.n_features
        return scatter.with_covariance(second, mass, d, self.reg_covar)

    def gradient(self, mixture: Mixture, moments: Moments) -> np.ndarray:
        """That of the mean log-likelihood, were every row to vary by `reg_covar`."""
        # So that it vanishes where EM, with its regularisation, rests.
        second = self.regularised(mixture, moments.mass, moments.second)
        moments = replace(moments, second=second)
        return self.parameters.gradient(mixture, moments) / self.total_weight

    def penalties(self, mixture: Mixture) -> np.ndarray:
        """½ tr(Σ_k⁻¹ R) of each factor, for the variances R that are added."""
        n, free = mixture.n_components, self.parameters.gaussians.free
        added = self.regularised(mixture, np.ones(n), np.zeros(()))
        # Where components share a factor, what is added to each is summed up.
        traces = free.trace(free.white_scatter(mixture.precision_factors, added))
        return 0.5 * traces * (len(traces) / n)


@dataclass(frozen=True, eq=False)
class Visit:
    """A mixture that a pass was made for.

    Most fits are over before a direction is asked for: points are computed then.

    Attributes
    ----------
    landscape : Landscape
        What is climbed.
    mixture : Mixture
        Where.
    moments : Moments
        What the pass found.
    image : Mixture
        One EM step further.
    """

    landscape: Landscape
    mixture: Mixture
    moments: Moments
    image: Mixture

    @cached_property
    def point(self) -> Point:
        """Its parameters, with the gradient there, and those of its image."""
        ravel = self.landscape.parameters.ravel
        gradient = self.landscape.gradient(self.mixture, self.moments)
        return Point(ravel(self.mixture), gradient, ravel(self.image))

    @cached_property
    def _penalties(self):
        return self.landscape.penalties(self.mixture)

    def rise_in_penalty(self, before: Visit) -> float:
        r"""What `reg_covar` takes, in the mean over the rows, on the way from another.

        EM maximises :math:`Q(\theta) - \sum_k N_k \mathrm{tr}(\Sigma_k^{-1} R) / 2`,
        with the masses of where it is: no function of :math:`\theta` has that gradient.
        Along a step, with the masses halfway, the sum changes by the integral of it, up
        to the third power of the step.
        """
        mass = 0.5 * (self.moments.mass + before.moments.mass)
        rise = self._penalties - before._penalties
        return float(np.sum(mass * rise)) / self.landscape.total_weight
