r"""Mean negative log-likelihoods as functions of free parameters, with their gradients.

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

from dataclasses import dataclass, field

import numpy as np
from scipy.special import softmax

from skdensity.models.family import CovarianceFamily
from skdensity.models.mixture import LOG_2PI, Mixture
from skdensity.models.moments import Moments
from skdensity.passes.blocks import Workspace


@dataclass(frozen=True)
class MixtureLoss:
    """Mean negative log-likelihood of a Gaussian mixture on weighted rows.

    Free parameters, in this order: logits (n_components), means, and the family's
    free form of the Cholesky factors.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Their weights.
    n_components : int
        Number of components.
    family : CovarianceFamily
        The shape of the covariances.
    log_scale : float, default=0.0
        Logarithm of the volume that the unit cube of `X` has in the data's own units;
        added to the loss, it makes losses comparable across units.
    workspace : Workspace, optional
        Threads and scratch, kept from pass to pass.
    """

    X: np.ndarray
    sample_weight: np.ndarray
    n_components: int
    family: CovarianceFamily
    log_scale: float = 0.0
    workspace: Workspace = field(default_factory=Workspace, repr=False)

    def ravel(self, mixture: Mixture) -> np.ndarray:
        """Free parameters of a mixture."""
        # A weight of 0 has no logit; the smallest number stands for it.
        logits = np.log(np.maximum(mixture.weights, np.finfo(np.float64).tiny))
        free = self.family.ravel(mixture.cholesky)
        return np.concatenate([logits, mixture.means.ravel(), free])

    def unravel(self, parameters: np.ndarray) -> Mixture:
        """The mixture that free parameters stand for."""
        n_components, n_features = self.n_components, self.X.shape[1]
        logits, means, free = np.split(parameters, self._ends)
        return Mixture.from_cholesky(
            softmax(logits),
            means.reshape(n_components, n_features),
            self.family.unravel(free, n_components, n_features),
            self.family,
        )

    def value_and_gradient(
        self, parameters: np.ndarray, rows: slice | np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient, on some of the rows."""
        mixture = self.unravel(parameters)
        moments = mixture.moments(
            self.X[rows], self.sample_weight[rows], self.workspace
        )
        weight = moments.mass.sum()
        value = self.log_scale - moments.log_likelihood / weight
        return value, -self.gradient(mixture, moments) / weight

    def gradient(self, mixture: Mixture, moments: Moments) -> np.ndarray:
        """Gradient of the log-likelihood, given the moments about the means."""
        components, _ = _component_gradient(mixture, moments)
        logits = moments.mass - moments.mass.sum() * mixture.weights
        return np.concatenate([logits, components])

    def floored(self, parameters: np.ndarray, log_minimum: np.ndarray) -> np.ndarray:
        """Parameters with every log L_dd at least `log_minimum`, one per feature.

        Isotropic families have one for all features.
        """
        logits, means, free = np.split(parameters, self._ends)
        return np.concatenate([logits, means, self.family.floored(free, log_minimum)])

    @property
    def _ends(self) -> list[int]:
        """Where logits and means end in the vector of parameters."""
        return [self.n_components, self.n_components * (1 + self.X.shape[1])]


@dataclass(frozen=True)
class GaussianLoss:
    """Mean negative log-likelihood of one Gaussian, from its moments alone.

    Evaluating it costs O(n_features³), whatever the number of rows: the rows enter
    through their moments, which are computed once. Free parameters: the mean, then the
    family's free form of L.

    Attributes
    ----------
    n_features : int
        Dimension of the Gaussian.
    family : CovarianceFamily
        The shape of the covariance.
    """

    n_features: int
    family: CovarianceFamily

    def ravel(self, gaussian: Mixture) -> np.ndarray:
        """Free parameters of a mixture of one component."""
        free = self.family.ravel(gaussian.cholesky)
        return np.concatenate([gaussian.means.ravel(), free])

    def unravel(self, parameters: np.ndarray) -> Mixture:
        """The mixture of one component that free parameters stand for."""
        mean, free = np.split(parameters, [self.n_features])
        cholesky = self.family.unravel(free, 1, self.n_features)
        return Mixture.gaussian(mean, cholesky, self.family)

    def value_and_gradient(
        self, parameters: np.ndarray, moments: Moments
    ) -> tuple[float, np.ndarray]:
        """Loss in nats per unit of weight, and its gradient, on the moments' rows."""
        gaussian = self.unravel(parameters)
        moments = moments.moved(gaussian.means, self.family)
        gradient, white = _component_gradient(gaussian, moments)
        (weight,) = moments.mass
        (log_det,) = self.family.log_det(gaussian.precision_factors, self.n_features)
        distance = self.family.trace(white)[0] / weight
        value = 0.5 * (self.n_features * LOG_2PI + distance) - log_det
        return float(value), -gradient / weight


def _component_gradient(
    mixture: Mixture, moments: Moments
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the log-likelihood in means and L, and the whitened scatter.

    `moments` are about the mixture's means.
    """
    family, factors = mixture.family, mixture.precision_factors
    white = family.white_scatter(factors, moments.second)
    means = family.solve(factors, moments.first)
    n_features = mixture.means.shape[1]
    free = family.gradient(white, moments.mass, factors, n_features)
    return np.concatenate([means.ravel(), free]), white
