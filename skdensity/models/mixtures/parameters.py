r"""Free parameters of Gaussians and mixtures: any values of them are a density.

By Fisher's identity the gradient of the log-likelihood is that of the expected
complete-data log-likelihood, which is a function of the moments of one pass:

.. math::

    \partial\ell / \partial\alpha_k &= N_k - W \pi_k \\
    \partial\ell / \partial\mu_k &= \Sigma_k^{-1} S^1_k \\
    \partial\ell / \partial L_k &= \mathrm{tril}(\Sigma_k^{-1} S^2_k L_k^{-\top})
        - N_k\,\mathrm{diag}(1/L_{dd})

with :math:`\pi = \mathrm{softmax}(\alpha)`, the moments about the current means, and
:math:`W = \sum_i w_i`. No automatic differentiation is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.free import FreeParameters
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.white_moments import WhitePass


@dataclass(frozen=True, eq=False)
class GaussianParameters:
    """Means and free factors of one Gaussian or of several, as one vector.

    Attributes
    ----------
    n_components, n_features : int
        How many Gaussians, in how many dimensions.
    family : CovarianceFamily
        The shape of the covariances.
    """

    n_components: int
    n_features: int
    family: CovarianceFamily

    @property
    def free(self) -> FreeParameters:
        """What the family lets move."""
        return self.family.asked("free", "a descent")

    @property
    def _n_means(self):
        return self.n_components * self.n_features

    def ravel(self, means: np.ndarray, cholesky: np.ndarray) -> np.ndarray:
        """Free parameters of means and Cholesky factors."""
        return np.concatenate([means.ravel(), self.free.ravel(cholesky)])

    def unravel(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and Cholesky factors that free parameters stand for."""
        shape = self.n_components, self.n_features
        means, free = parameters[: self._n_means], parameters[self._n_means :]
        return means.reshape(shape), self.free.unravel(free, *shape)

    def gradient(
        self,
        factors: np.ndarray,
        mass: np.ndarray,
        means: np.ndarray,
        white: np.ndarray,
    ) -> np.ndarray:
        """Gradient of the log-likelihood.

        Parameters
        ----------
        factors : ndarray
            U of the current covariances, in the family's inner shape.
        mass : ndarray of shape (n_components,)
            N_k.
        means : ndarray of shape (n_components, n_features)
            Its part in the means.
        white : ndarray
            Second moments about the current means, whitened by the factors.
        """
        free = self.free.gradient(white, mass, factors, self.n_features)
        return np.concatenate([means.ravel(), free])

    def floored(self, parameters: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Parameters with log L_dd at least `log_minimum`, one for each feature.

        There is one for all features where the family has one variance for all.
        """
        floored = self.free.floored(parameters[self._n_means :], log_minimum)
        return np.concatenate([parameters[: self._n_means], floored])


@dataclass(frozen=True, eq=False)
class MixtureParameters:
    """Logits, means and free factors of a mixture, in the units of a Gaussian.

    What is moved are the parameters of the mixture of whitened rows: the units of the
    data then make no difference to a step. The rows themselves stay as they are, since
    moments can be whitened afterwards.

    Attributes
    ----------
    n_components : int
        Number of components.
    units : Gaussian
        What whitens; its family is that of the mixture, with one covariance.
    origins : ndarray of shape (n_components, n_features), optional
        Points that means are measured from, by default the mean of `units`. A mean that
        stays at its origin keeps all its digits. A component on a single row needs
        that: the gradient of its mean is 0 there, and a descent would follow a rounding
        error like any other gradient.
    """

    n_components: int
    units: Gaussian
    origins: np.ndarray | None = None

    @cached_property
    def gaussians(self) -> GaussianParameters:
        """The parameters that follow the logits."""
        units = self.units
        return GaussianParameters(self.n_components, units.n_features, units.family)

    @property
    def _origins(self):
        return self.units.mean if self.origins is None else self.origins

    def ravel(self, mixture: Mixture) -> np.ndarray:
        """Free parameters of a mixture of the data."""
        relative = self.units.family.factors.relative
        cholesky = relative(self.units.precision_factor, mixture.cholesky)
        # A weight of 0 has no logit; the smallest number stands for it.
        logits = np.log(np.maximum(mixture.weights, np.finfo(np.float64).tiny))
        means = self.units.whitened_steps(mixture.means - self._origins)
        free = self.gaussians.ravel(means, cholesky)
        return np.concatenate([logits, free])

    def unravel(self, parameters: np.ndarray) -> Mixture:
        """The mixture of the data that free parameters stand for."""
        weights, means, cholesky = self._parts(parameters)
        family = self.units.family
        cholesky = family.factors.compose(self.units.cholesky, cholesky)
        return Mixture.from_cholesky(weights, means, cholesky, family)

    def white_pass(
        self, parameters: np.ndarray, n_rows: int
    ) -> tuple[WhitePass, np.ndarray]:
        """The same, for passes over so many rows whose moments are whitened.

        Returns
        -------
        white_pass : WhitePass
            The mixture.
        inside : ndarray
            U of the mixture of rows that `units` whitens.
        """
        weights, means, cholesky = self._parts(parameters)
        units, factors = self.units, self.units.family.factors
        inside = factors.precision_factors(cholesky)
        chain: tuple[np.ndarray, ...] = (units.precision_factor[None], inside)
        # A second product with all rows takes n d² / 2, the product L and its inverse
        # d³ / 2.
        if n_rows > units.n_features:
            whole = factors.compose(units.cholesky, cholesky)
            chain = (factors.precision_factors(whole),)
        with np.errstate(divide="ignore"):  # a component may have weight 0
            log_peaks = np.log(weights) + units.log_peak
        log_peaks += factors.log_det(inside, units.n_features)
        return WhitePass(weights, means, chain, log_peaks, units.family), inside

    def _parts(self, parameters):
        """Weights and means in the data, and L of whitened rows."""
        logits = parameters[: self.n_components]
        means, cholesky = self.gaussians.unravel(parameters[self.n_components :])
        means = self._origins + self.units.coloured_steps(means)
        return _softmax(logits), means, cholesky

    def gradient(self, mixture: Mixture, moments: Moments) -> np.ndarray:
        """Gradient of the log-likelihood, given a mixture and its moments.

        Both are of the data; the moments are about the means of the mixture.
        """
        factors, own = self.units.family.factors, mixture.precision_factors
        # U of whitened rows: with L_in = U_uᵀ L, L_in⁻ᵀ = L_uᵀ U.
        inside = factors.relative(self.units.cholesky, own)
        means = factors.solve(inside, self.units.whitened_steps(moments.first))
        # Rows whitened by the units and then inside are whitened by the mixture.
        white = self.gaussians.free.white_scatter(own, moments.second)
        free = self.gaussians.gradient(inside, moments.mass, means, white)
        return np.concatenate([_in_logits(mixture.weights, moments.mass), free])

    def white_gradient(
        self, weights: np.ndarray, moments: Moments, inside: np.ndarray
    ) -> np.ndarray:
        """The same from moments of rows that each component whitens."""
        family = self.units.family
        factors = family.shape.untied(inside, self.n_components)
        means = np.concatenate(
            [
                family.factors.colour(factor, first[None])
                for factor, first in zip(factors, moments.first, strict=True)
            ]
        )
        white = family.shape.pooled(moments.second)
        free = self.gaussians.gradient(inside, moments.mass, means, white)
        return np.concatenate([_in_logits(weights, moments.mass), free])

    def least_pivots(self, covariance: np.ndarray) -> np.ndarray:
        """log L_dd of whitened rows below which no Σ exceeds a covariance of the data.

        Whatever exceeds it, as Σ + `covariance` does, has larger pivots L_dd. A
        singular one is no bound.

        Parameters
        ----------
        covariance : ndarray
            In the family's layout, without an axis of components.
        """
        factors = self.units.family.factors
        units = factors.log_diagonal(self.units.cholesky)
        cholesky, faults = factors.factored(covariance[None])
        if faults:
            return np.full_like(units, -np.inf)
        # A pivot in the data is the product of that of `units` and that inside.
        return factors.log_diagonal(cholesky)[0] - units

    def floored(self, parameters: np.ndarray, log_floor: np.ndarray) -> np.ndarray:
        """Parameters with pivots of at least those of :meth:`least_pivots`."""
        logits = parameters[: self.n_components]
        free = parameters[self.n_components :]
        return np.concatenate([logits, self.gaussians.floored(free, log_floor)])


def _in_logits(weights, mass):
    return mass - mass.sum() * weights


def _softmax(logits):
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()
