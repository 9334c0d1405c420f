"""Expectation–maximisation for Gaussian mixtures.

The log of a sum couples all parameters; introducing the component that each row came
from decouples them (Dempster, Laird and Rubin 1977,
doi:10.1111/j.2517-6161.1977.tb01600.x). One step is one pass over the rows, which
yields the moments (E), and the closed-form estimate from them (M).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.rows.rows import Rows
from skdensity.solvers.loop import Solver

SINGULAR_ESTIMATE = (
    "The estimated covariance of component {component} is not positive definite: "
    "{detail}. Its rows are equal in a feature (ties), collinear, or fewer than the "
    "features. Increase `reg_covar`, use fewer components or a `covariance_type` with "
    "fewer parameters, or remove constant, duplicated or collinear features."
)
# Part of the weight below which a component's moments are rounding errors.
LOST = 10 * np.finfo(np.float64).eps
# How often a component may be revived, on average: one that is lost again and again has
# no place in the data. Any number ends a fit that would not end.
MAX_REVIVALS = 5


@dataclass(frozen=True, eq=False)
class EMState:
    """Where EM stands.

    Attributes
    ----------
    mixture : Mixture
        The current parameters.
    value : float
        Mean log-likelihood, in nats, of the parameters *before* the last step.
    n_revivals : int
        Components revived so far.
    moments : Moments or None
        What the mixture was estimated from; None of a start.
    """

    mixture: Mixture
    value: float = -np.inf
    n_revivals: int = 0
    moments: Moments | None = field(default=None, kw_only=True)


@dataclass(frozen=True, eq=False)
class EM(Solver):
    """One EM step never lowers the likelihood when ``reg_covar`` is 0.

    A step that revives a component (see :func:`revived`) is the exception.

    Attributes
    ----------
    rows : Rows
        What the mixture is fitted to.
    reg_covar : float or ndarray
        Added to every covariance in the M-step, as in :meth:`Scatter.estimate`.
    """

    rows: Rows
    reg_covar: float | np.ndarray

    def init(self, mixture: Mixture, value: float = -np.inf) -> EMState:
        """Start from a mixture."""
        return EMState(mixture, value)

    def step(self, state: EMState) -> EMState:
        """One E-step and one M-step."""
        moments = self.moments(state.mixture)
        value = moments.log_likelihood / self.rows.total_weight
        return self.maximised(state, moments, value)

    def moments(self, mixture: Mixture) -> Moments:
        """The E-step."""
        return mixture.moments(mixture.near(self.rows))

    def finished(self, state: EMState) -> tuple[Mixture, float]:
        """The mixture, and the mean log-likelihood before its last step."""
        return state.mixture, state.value

    def maximised(self, state: EMState, moments: Moments, value: float) -> EMState:
        """The M-step."""
        n_components = len(moments.mass)
        may_revive = state.n_revivals < MAX_REVIVALS * n_components
        mixture, n_revived = m_step(
            moments, state.mixture.family, self.reg_covar, may_revive
        )
        n_revivals = state.n_revivals + n_revived
        return EMState(mixture, value, n_revivals, moments=moments)


def m_step(
    moments: Moments,
    family: CovarianceFamily,
    reg_covar: float | np.ndarray,
    may_revive: bool = True,
) -> tuple[Mixture, int]:
    """The most likely mixture given moments, and how many components it revives.

    Parameters
    ----------
    moments : Moments
        The sufficient statistics.
    family : CovarianceFamily
        The shape of the covariances.
    reg_covar : float or ndarray
        Added to every covariance, as in :meth:`Scatter.estimate`.
    may_revive : bool, default=True
        Whether lost components become parts of others, or stay.

    Returns
    -------
    mixture : Mixture
        In closed form.
    n_revived : int
        See :func:`revived`.

    Raises
    ------
    ValueError
        If a covariance is singular, no other component can be cut in parts, and nothing
        is added.
    """
    moments = moments.centred(family.scatter)
    weights, means = moments.weights, moments.about
    covariances = moments.covariances(family.scatter, reg_covar)
    cholesky, faults = family.factors.factored(covariances)
    is_lost = moments.mass <= LOST * moments.mass.sum()
    if not family.shape.tied:
        is_lost[list(faults)] = True
    may_lift = bool(np.any(reg_covar))
    if may_revive and is_lost.any() and not is_lost.all():
        mixture = revived(weights, means, covariances, family, is_lost, may_lift)
        return mixture, int(is_lost.sum())
    if faults:
        cholesky = _factors(covariances, means, family, may_lift)
    return Mixture.from_cholesky(weights, means, cholesky, family), 0


def _factors(covariances, means, family, may_lift):
    """Cholesky factors; where something was added, in spite of rounding errors.

    Beside rows that are nearly collinear what was added may be lost to rounding.
    """
    if may_lift:
        covariances = family.lifted(covariances, means.shape[1])
    return family.cholesky(covariances, SINGULAR_ESTIMATE)


def revived(weights, means, covariances, family, is_lost, may_lift) -> Mixture:
    """The mixture with lost components made parts of the heaviest one.

    A component that explains no rows, or whose rows span no volume, would stay empty,
    or end the fit with a density that is infinite at a point. The heaviest of the
    others is cut into equal parts side by side along its covariance.

    Parameters
    ----------
    weights : ndarray of shape (n_components,)
        Summing to 1.
    means : ndarray of shape (n_components, n_features)
        The components' means; overwritten.
    covariances : ndarray
        In the family's inner shape; overwritten.
    family : CovarianceFamily
        The shape of the covariances.
    is_lost : ndarray of bool of shape (n_components,)
        Some, but not all.
    may_lift : bool
        Whether a covariance may be kept from being singular to rounding.

    Returns
    -------
    mixture : Mixture
        Without lost components.

    Raises
    ------
    ValueError
        If the covariance that all components share is singular.
    """
    weights = np.where(is_lost, 0, weights)
    heaviest = int(weights.argmax())
    parts = np.append(heaviest, np.flatnonzero(is_lost))
    weights[parts] = weights[heaviest] / len(parts)
    if not family.shape.tied:
        covariances[is_lost] = covariances[heaviest]
    cholesky = _factors(covariances, means, family, may_lift)
    n_features = means.shape[1]
    direction = np.full((1, n_features), 1 / np.sqrt(n_features))
    own = family.shape.untied(cholesky, len(means))[heaviest]
    (step,) = family.factors.colour(own, direction)
    offsets = np.linspace(-0.5, 0.5, len(parts))
    means[parts] = means[heaviest] + offsets[:, None] * step
    return Mixture.from_cholesky(weights / weights.sum(), means, cholesky, family)
