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

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.free import FreeParameters
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments


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

    def ravel(self, means: np.ndarray, cholesky: np.ndarray) -> np.ndarray:
        """Free parameters of means and Cholesky factors."""
        return np.concatenate([means.ravel(), self.free.ravel(cholesky)])

    def unravel(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and Cholesky factors that free parameters stand for."""
        shape = self.n_components, self.n_features
        means, free = np.split(parameters, [self.n_components * self.n_features])
        return means.reshape(shape), self.free.unravel(free, *shape)

    def gradient(
        self, factors: np.ndarray, moments: Moments
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of the log-likelihood, and the whitened scatter.

        Parameters
        ----------
        factors : ndarray
            U of the current covariances, in the family's inner shape.
        moments : Moments
            About the current means.
        """
        white = self.free.white_scatter(factors, moments.second)
        means = self.family.factors.solve(factors, moments.first)
        free = self.free.gradient(white, moments.mass, factors, self.n_features)
        return np.concatenate([means.ravel(), free]), white

    def floored(self, parameters: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Parameters with log L_dd at least `log_minimum`, one for each feature.

        There is one for all features where the family has one variance for all.
        """
        means, free = np.split(parameters, [self.n_components * self.n_features])
        return np.concatenate([means, self.free.floored(free, log_minimum)])


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

    @property
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
        logits, free = np.split(parameters, [self.n_components])
        means, cholesky = self.gaussians.unravel(free)
        units, family = self.units, self.units.family
        cholesky = family.factors.compose(units.cholesky, cholesky)
        means = self._origins + units.coloured_steps(means)
        return Mixture.from_cholesky(softmax(logits), means, cholesky, family)

    def gradient(self, mixture: Mixture, moments: Moments) -> np.ndarray:
        """Gradient of the log-likelihood, given a mixture and its moments.

        Both are of the data; the moments are about the means of the mixture.
        """
        family, units = self.units.family, self.units
        # U of whitened rows: with L_in = U_uᵀ L, L_in⁻ᵀ = L_uᵀ U.
        factors = family.factors.relative(units.cholesky, mixture.precision_factors)
        inside = replace(
            moments,
            first=units.whitened_steps(moments.first),
            second=self.gaussians.free.white_scatter(
                units.precision_factor, moments.second
            ),
        )
        free, _ = self.gaussians.gradient(factors, inside)
        logits = moments.mass - moments.mass.sum() * mixture.weights
        return np.concatenate([logits, free])

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

    def floored(self, parameters: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Parameters with pivots of at least those of :meth:`least_pivots`."""
        logits, free = np.split(parameters, [self.n_components])
        return np.concatenate([logits, self.gaussians.floored(free, log_minimum)])
