"""Expectation–maximisation for Gaussian mixtures.

The log of a sum couples all parameters; introducing the component that each row came
from decouples them (Dempster, Laird and Rubin 1977,
doi:10.1111/j.2517-6161.1977.tb01600.x). One step is one pass over the rows, which
yields the moments (E), and the closed-form estimate from them (M).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixture import Mixture


@dataclass(frozen=True)
class EMState:
    """Where EM stands.

    Attributes
    ----------
    mixture : Mixture
        The current parameters.
    value : float
        Mean log-likelihood, in nats, of the parameters *before* the last step.
    """

    mixture: Mixture
    value: float = -np.inf


@dataclass(frozen=True)
class EM:
    """One EM step never lowers the likelihood when ``reg_covar`` is 0.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Their weights.
    reg_covar : float
        Added to every variance in the M-step.
    n_threads : int, default=1
        Blocks of rows that are worked on at a time.
    """

    X: np.ndarray
    sample_weight: np.ndarray
    reg_covar: float
    n_threads: int = 1

    def init(self, mixture: Mixture, value: float = -np.inf) -> EMState:
        """Start from a mixture."""
        return EMState(mixture, value)

    def step(self, state: EMState) -> EMState:
        """One E-step and one M-step."""
        family = state.mixture.family
        moments = state.mixture.moments(self.X, self.sample_weight, self.n_threads)
        return EMState(
            mixture=Mixture.from_moments(moments, family, self.reg_covar),
            value=moments.log_likelihood / self.sample_weight.sum(),
        )
