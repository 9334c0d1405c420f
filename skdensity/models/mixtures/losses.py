"""Mean negative log-likelihoods of free parameters, with their gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.gaussian import LOG_2PI, Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, moments_of
from skdensity.models.mixtures.parameters import GaussianParameters, MixtureParameters
from skdensity.rows.rows import Rows

# Up to so many, products of features are less work than whitened rows.
FEW_FEATURES = 32  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class MixtureLoss:
    """Mean negative log-likelihood of a Gaussian mixture on weighted rows.

    Attributes
    ----------
    parameters : MixtureParameters
        What is free.
    """

    parameters: MixtureParameters

    def prepared(self, rows: Rows) -> Rows:
        """What the loss is evaluated on: all rows, in every epoch."""
        return rows

    def ravel(self, mixture: Mixture) -> np.ndarray:
        """Free parameters of a mixture."""
        return self.parameters.ravel(mixture)

    def unravel(self, parameters: np.ndarray) -> Mixture:
        """The mixture that free parameters stand for."""
        return self.parameters.unravel(parameters)

    def value_and_gradient(
        self, parameters: np.ndarray, rows: Rows
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient."""
        mixture = self.unravel(parameters)
        moments = mixture.moments(rows)
        weight = moments.mass.sum()
        gradient = self.parameters.gradient(mixture, moments)
        return -moments.log_likelihood / weight, -gradient / weight


class WhitenedMixtureLoss(MixtureLoss):
    """The same from whitened rows: for matrices of many features."""

    def value_and_gradient(
        self, parameters: np.ndarray, rows: Rows
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient."""
        white, inside = self.parameters.white_pass(parameters, rows.n_rows)
        moments = white.moments(rows)
        weight = moments.mass.sum()
        gradient = self.parameters.white_gradient(white.weights, moments, inside)
        return -moments.log_likelihood / weight, -gradient / weight


def mixture_loss(parameters: MixtureParameters, rows: Rows) -> MixtureLoss:
    """The loss whose evaluation is the least work, on rows of their kind."""
    units = parameters.units
    if not rows.are_complete:
        return MixtureLoss(parameters)
    if units.family.shape.is_oriented and units.n_features > FEW_FEATURES:
        return WhitenedMixtureLoss(parameters)
    return MixtureLoss(parameters)


@dataclass(frozen=True, eq=False)
class GaussianLoss:
    """Mean negative log-likelihood of one Gaussian, from the moments of the rows alone.

    Evaluating it costs O(n_features³), whatever the number of rows. Free parameters are
    the mean, then the family's free form of L.

    Attributes
    ----------
    n_features : int
        Dimension of the Gaussian.
    family : CovarianceFamily
        The shape of the covariance.
    added : ndarray, optional
        Covariance, in the family's layout, that every row is taken to have of its own:
        the optimum is then the rows' covariance plus this one.
    """

    n_features: int
    family: CovarianceFamily
    added: np.ndarray | None = None

    @cached_property
    def parameters(self) -> GaussianParameters:
        """What is free."""
        return GaussianParameters(1, self.n_features, self.family)

    def prepared(self, rows: Rows) -> Any:
        """What the loss is evaluated on: moments, computed once."""
        return self._with_added(moments_of(rows, self.family.scatter))

    def ravel(self, gaussian: Gaussian) -> np.ndarray:
        """Free parameters of a Gaussian."""
        return self.parameters.ravel(gaussian.mean[None], gaussian.cholesky[None])

    def unravel(self, parameters: np.ndarray) -> Gaussian:
        """The Gaussian that free parameters stand for."""
        (mean,), (cholesky,) = self.parameters.unravel(parameters)
        return Gaussian(mean, cholesky, self.family)

    def value_and_gradient(
        self, parameters: np.ndarray, moments: Moments
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient, on the moments' rows."""
        gaussian = self.unravel(parameters)
        moments = moments.moved(gaussian.mean[None], self.family.scatter)
        distance, gradient = self._terms(gaussian, moments)
        value = 0.5 * (self.n_features * LOG_2PI + distance) + gaussian.log_volume
        return float(value), gradient

    def _terms(self, gaussian, moments):
        """Mean squared distance of the moments' rows, and the gradient of the loss."""
        factors = gaussian.precision_factor[None]
        white = self.parameters.free.white_scatter(factors, moments.second)
        means = self.family.factors.solve(factors, moments.first)
        gradient = self.parameters.gradient(factors, moments.mass, means, white)
        (weight,) = moments.mass
        return self.parameters.free.trace(white)[0] / weight, -gradient / weight

    def _with_added(self, moments):
        """Moments of rows that vary by `added`, besides."""
        if self.added is None:
            return moments
        second = self.family.scatter.with_covariance(
            moments.second, moments.mass, self.n_features, self.added
        )
        return replace(moments, second=second)


class IncompleteGaussianLoss(GaussianLoss):
    """The same of rows with holes, whose moments depend on the parameters: in a pass.

    By Fisher's identity the gradient is that of the expected moments.
    """

    def prepared(self, rows: Rows) -> Any:
        """What the loss is evaluated on: all rows, in every epoch."""
        return rows

    def value_and_gradient(
        self, parameters: np.ndarray, rows: Any
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient."""
        gaussian = self.unravel(parameters)
        moments = Mixture.alone(gaussian).moments(rows)
        distance, gradient = self._terms(gaussian, moments)
        value = -moments.log_likelihood / moments.mass[0]
        if self.added is not None:
            wider, gradient = self._terms(gaussian, self._with_added(moments))
            value += 0.5 * (wider - distance)
        return float(value), gradient


def gaussian_loss(
    rows: Rows, family: CovarianceFamily, added: np.ndarray | None
) -> GaussianLoss:
    """The loss of one Gaussian on rows of their kind."""
    loss = GaussianLoss if rows.are_complete else IncompleteGaussianLoss
    return loss(rows.n_features, family, added)
