"""What a mixture that was fitted without an error may hide, in words.

Each function returns a message, or None where there is nothing to say. They look at the
moments of the last M-step alone, so that they cost no pass over the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments

# Share of a variance that a number may add to it without a word.
SMALL_SHARE = 0.01
# What is added rests on nothing where the rows vary by less than this share of it.
THIN = 0.01
# Shares of a feature's variance, and of its size, that are rounding errors.
ROUNDING = 1e3 * np.finfo(np.float64).eps
# In standard deviations: nearer components are one, or near a saddle between optima.
# Fits of too many components to one Gaussian end with twenty times as much.
SAME = 0.02
# Components that a message names.
MAX_NAMED = 5


@dataclass(frozen=True, eq=False)
class Estimates:
    """Covariances before anything was added to them, and what was.

    Attributes
    ----------
    moments : Moments
        Of the components, from which they were estimated.
    family : CovarianceFamily
        The shape of the covariances.
    added : ndarray
        Covariance that was added to each.
    n_effective : float, default=inf
        Effective number of rows, of all components.
    """

    moments: Moments
    family: CovarianceFamily
    added: np.ndarray
    n_effective: float = np.inf

    @property
    def n_features(self) -> int:
        """Dimension."""
        return self.moments.about.shape[1]

    @cached_property
    def covariances(self) -> np.ndarray:
        """Those of maximum likelihood, in the family's inner shape."""
        return self.moments.covariances(self.family.scatter, 0.0)

    @property
    def rows_each(self) -> np.ndarray:
        """Effective number of rows behind each covariance.

        A component's share of the weight times Kish's number (Σ w)² / Σ w² of all rows.
        A tied covariance has all rows, less one for every further mean.
        """
        rows = self.moments.weights * self.n_effective
        if self.family.shape.tied:
            return np.array([rows.sum() - len(rows) + 1])
        return rows

    @cached_property
    def few(self) -> np.ndarray:
        """Which covariances have fewer rows than one that is not singular takes."""
        least = self.family.shape.least_rows(self.n_features)
        return self.rows_each < least - ROUNDING * least


def warn_of(estimator: Any, doubts: Iterable[str | None]) -> None:
    """Warn of what was found, naming the estimator whose `fit` is the caller."""
    for doubt in filter(None, doubts):
        # Past the method, and scikit-learn's wrapper of it.
        warnings.warn(f"{type(estimator).__name__}: {doubt}", stacklevel=4)


def outweighed(estimates: Estimates, estimator: Any) -> str | None:
    """Where a number that was added is more than a hundredth of a feature's variance.

    Parameters
    ----------
    estimates : Estimates
        What it was added to.
    estimator : object
        Has `reg_covar`, of which "auto" is never too much, and maybe
        `feature_names_in_`.
    """
    if estimator.reg_covar in ("auto", 0):
        return None
    reg_covar = float(estimator.reg_covar)
    variances, _ = _variances(estimates)
    few = np.broadcast_to(estimates.few, len(variances))
    variances[few] = 0  # so few rows say nothing of units
    share = np.divide(
        reg_covar, variances, out=np.zeros_like(variances), where=variances > 0
    )
    if share.max() <= SMALL_SHARE:
        return None
    k, feature = np.unravel_index(share.argmax(), share.shape)
    names = getattr(estimator, "feature_names_in_", range(len(share[k])))
    within = f" within component {k}" if len(share) > 1 else ""
    return (
        f"reg_covar={reg_covar:g} is {share[k, feature]:.2g} times the variance of "
        f"feature {names[feature]!r}{within}, whose standard deviation was "
        f"{np.sqrt(variances[k, feature]):.3g} before it was added: the density is "
        'wider than the rows. Set `reg_covar="auto"`, which follows the units of the '
        "features, or standardise the features."
    )


def resting(estimates: Estimates, covariance_type: str) -> str | None:
    """Which components are as wide as `reg_covar` makes them."""
    if not np.any(estimates.added):
        return None
    found = sorted({*np.flatnonzero(estimates.few).tolist(), *_thin(estimates)})
    if not found:
        return None
    shape = estimates.family.shape
    who = f"{_named('component', found)} rest{'s' * (len(found) == 1)}"
    if shape.tied:
        who = "the covariance that all components share rests"
    rows = _listed([f"{estimates.rows_each[k]:.3g}" for k in found])
    least = shape.least_rows(estimates.n_features)
    return (
        f"{who} on `reg_covar` (effective number of rows: {rows}; covariance_type="
        f"{covariance_type!r} takes at least {least}). In some direction the rows hardly "
        "vary: they are few, equal or collinear, or an outlier makes the variance of all "
        "rows large. There `reg_covar` decides the width, and with it the likelihood. "
        "Use fewer components, a `covariance_type` with fewer parameters, or a larger "
        "`reg_covar`, or remove such features and rows."
    )


def coinciding(mixture: Mixture) -> str | None:
    """Which components are so near to each other that they are one."""
    own = mixture.own(mixture.covariances)
    variances = mixture.family.shape.variances(own, mixture.n_features)
    first = np.sort(mixture.means[:, 0])
    if not np.any(np.diff(first) <= SAME * np.sqrt(variances[:, 0].max())):
        return None  # at little cost, as nearly always
    pairs = [_twin(mixture, variances, k) for k in range(1, mixture.n_components)]
    found = sorted({k for pair in pairs for k in pair})
    if not found:
        return None
    return (
        f"{_named('component', found)} coincide: one is enough for these rows, or the "
        "start did not tell them apart, and steps of EM hardly can. Start from means "
        "that differ, with another `init_params` or `random_state`, or use fewer "
        "components."
    )


def _twin(mixture, variances, k):
    """Component k and an earlier one that is the same; none otherwise."""
    factors = mixture.family.factors
    is_near = np.all(
        np.abs(mixture.means[:k] - mixture.means[k]) <= SAME * np.sqrt(variances[k]),
        axis=1,
    ) & np.all(np.abs(variances[:k] / variances[k] - 1) <= 2 * SAME, axis=1)
    if not is_near.any():
        return ()
    twin = int(is_near.argmax())
    white, cholesky = (
        mixture.own(mixture.precision_factors),
        mixture.own(mixture.cholesky),
    )
    # Correlations too: relative to each other, their factors are the unit matrix.
    change = factors.relative(white[k], cholesky[twin] - cholesky[k])
    return (twin, k) if np.abs(change).max() <= 2 * SAME else ()


def _thin(estimates):
    """Covariances that vary by much less than what was added, in some direction."""
    family, added = estimates.family, estimates.added
    _, total = _variances(estimates)
    # Of a feature that is constant in all rows, no component knows more than another.
    constant = np.where(total > 0, 0.0, family.shape.variances(added, len(total)))
    if family.shape.pooled_features:
        constant[...] = 0  # others tell the width
    left = estimates.covariances + family.scatter.isolated(constant) - THIN * added
    # Where that is no covariance, nearly all of the width was added.
    _, thin = family.factors.factored(left)
    return thin


def _variances(estimates):
    """Variances within components and of all rows; 0 where they are rounding errors."""
    moments, shape = estimates.moments, estimates.family.shape
    inner = shape.variances(estimates.covariances, estimates.n_features)
    within = shape.untied(inner, len(moments.mass))
    means, weights = moments.mean, moments.weights
    total = weights @ (within + (means - weights @ means) ** 2)
    size = np.abs(means).max(axis=0)
    total = np.where(total > (ROUNDING * size) ** 2, total, 0)
    return np.where(within > ROUNDING * total, within, 0) * (total > 0), total


def _are_equal(one, other):
    return np.abs(one - other).max() <= SAME * np.abs(one).max()


def _named(noun, indices):
    return f"{noun}{'s' if len(indices) > 1 else ''} {_listed(indices)}"


def _listed(values):
    shown = ", ".join(map(str, values[:MAX_NAMED]))
    n_more = len(values) - MAX_NAMED
    return f"{shown} and {n_more} more" if n_more > 0 else shown
