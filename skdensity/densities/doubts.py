"""What a mixture that was fitted without an error may hide, in words.

A message is None where there is nothing to say. To find that out takes the moments that
the components can be estimated from, those of EM's last M-step, and a pass over the
rows only where there is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from skdensity.callers import warn_caller
from skdensity.densities.feature_names import names_of_features
from skdensity.densities.regularisation import AUTO_SHARE
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.rows.rows import Rows, effective_number

# Share of a variance that a number may add to it without a word.
SMALL_SHARE = 0.01
# And that "auto" may: log-densities lose a quarter of its square for each feature.
AUTO_SMALL_SHARE = 0.1
# What is added rests on nothing where the rows vary by less than this share of it.
THIN = 0.01
# Shares of a feature's variance, and of its size, that are rounding errors.
ROUNDING = 1e3 * np.finfo(np.float64).eps
# In standard deviations: nearer components are one, or near a saddle between optima.
# Fits of too many components to one Gaussian end with ten times as much.
SAME = 0.05
# Components that a message names.
MAX_NAMED = 5


class Doubts(NamedTuple):
    """What a fit of a mixture may hide, in words; None where there is nothing.

    Attributes
    ----------
    added : str or None
        What `reg_covar` added is too much, or all that components rest on.
    widened : str or None
        Rows far from all others make "auto" add too much.
    coinciding : str or None
        Components are one.
    """

    added: str | None = None
    widened: str | None = None
    coinciding: str | None = None


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
    """

    moments: Moments
    family: CovarianceFamily
    added: np.ndarray

    @property
    def n_features(self) -> int:
        """Dimension."""
        return self.moments.about.shape[1]

    @cached_property
    def covariances(self) -> np.ndarray:
        """Those of maximum likelihood, in the family's inner shape."""
        return self.moments.covariances(self.family.scatter, 0.0)

    @property
    def least_rows(self) -> int:
        """Rows that a covariance takes, after those spent on the means it is about."""
        shape = self.family.shape
        n_means = len(self.moments.mass) if shape.tied else 1
        return (self.n_features if shape.is_oriented else 1) + n_means


def doubts_of(
    estimator: Any, mixture: Mixture, moments: Moments, rows: Rows, added: np.ndarray
) -> Doubts:
    """All that a fit of a mixture may hide.

    Parameters
    ----------
    estimator : object
        Has `reg_covar`, `covariance_type` and maybe `feature_names_in_`.
    mixture : Mixture
        What it ended with.
    moments : Moments
        What that was estimated from.
    rows : Rows
        What was fitted to; looked at only where there is a doubt.
    added : ndarray
        Covariance that was added to each.
    """
    estimates = Estimates(moments, mixture.family, added)

    def effective_rows():
        return mixture.effective_rows(mixture.near(rows))

    return Doubts(
        _of_estimates(estimator, estimates, rows, effective_rows),
        widened(estimates, estimator),
        coinciding(mixture),
    )


def doubt_of_gaussian(
    estimator: Any,
    moments: Moments,
    family: CovarianceFamily,
    rows: Rows,
    added: np.ndarray,
) -> str | None:
    """What a fit of one Gaussian may hide; parameters as of :func:`doubts_of`."""
    estimates = Estimates(moments, family, added)

    def effective_rows():
        return np.array([effective_number(rows)])

    return _of_estimates(estimator, estimates, rows, effective_rows)


def _of_estimates(estimator, estimates, rows, effective_rows):
    """Whether what was added is too much, or all that there is."""
    mass = estimates.moments.mass
    if estimates.family.shape.tied:
        mass = mass.sum(keepdims=True)
    # No effective number of rows is less than this.
    n_rows = mass / rows.largest_weight
    thin = _thin(estimates) if np.any(estimates.added) else {}
    if thin or np.any(n_rows < estimates.least_rows):
        n_rows = effective_rows()
    few = n_rows < (1 - ROUNDING) * estimates.least_rows
    is_thin = np.isin(np.arange(len(few)), list(thin))
    return outweighed(estimates, estimator, few, is_thin) or resting(
        estimates, estimator, n_rows, few | is_thin
    )


def warn_of(estimator: Any, doubts: Iterable[str | None]) -> None:
    """Warn of what was found, naming the estimator whose `fit` is the caller."""
    for doubt in filter(None, doubts):
        warn_caller(f"{type(estimator).__name__}: {doubt}")


def outweighed(
    estimates: Estimates,
    estimator: Any,
    few: np.ndarray | bool = False,
    thin: np.ndarray | bool = False,
) -> str | None:
    """Where a number that was added is more than a hundredth of a feature's variance.

    Parameters
    ----------
    estimates : Estimates
        What it was added to.
    estimator : object
        Has `reg_covar`, of which "auto" is never too much, and maybe
        `feature_names_in_`.
    few : ndarray of bool, default=False
        Covariances of so few rows that they say nothing of units.
    thin : ndarray of bool, default=False
        Covariances that vary by much less than what was added, in some direction. They
        say something only where it is much of the variance of all rows, too.
    """
    if estimator.reg_covar in ("auto", 0):
        return None
    reg_covar = float(estimator.reg_covar)
    variances, total = _variances(estimates)
    is_much = reg_covar > SMALL_SHARE * total
    counts = ~np.atleast_1d(few)[:, None] & (is_much | ~np.atleast_1d(thin)[:, None])
    variances = np.where(counts, variances, 0)
    share = np.divide(
        reg_covar, variances, out=np.zeros_like(variances), where=variances > 0
    )
    if share.max() <= SMALL_SHARE:
        return None
    k, feature = np.unravel_index(share.argmax(), share.shape)
    names = names_of_features(estimator, len(share[k]))
    within = f" within component {k}" if len(share) > 1 else ""
    return (
        f"reg_covar={reg_covar:g} is {share[k, feature]:.2g} times the variance of "
        f"feature {names[feature]!r}{within}, whose standard deviation was "
        f"{np.sqrt(variances[k, feature]):.3g} before it was added: the density is "
        'wider than the rows. Set `reg_covar="auto"`, which follows the units of the '
        "features, or standardise the features."
    )


def widened(estimates: Estimates, estimator: Any) -> str | None:
    """Where "auto" is much beside the variances of a feature within components.

    It follows the variance of all rows, and that follows the rows that are farthest
    away: a few of them, as −9999 for what is missing, widen the components of most.

    Parameters
    ----------
    estimates : Estimates
        What it was added to.
    estimator : object
        Has `reg_covar`, and maybe `feature_names_in_`.
    """
    if estimator.reg_covar != "auto":
        return None
    variances, total = _variances(estimates)
    added = estimates.family.shape.variances(estimates.added, len(total))
    # Components that rest on it have a warning of their own, and where most rows have
    # one value more is added on purpose.
    counts = (variances > THIN * added) & (added <= 2 * AUTO_SHARE * total)
    share = np.divide(added, variances, out=np.zeros_like(variances), where=counts)
    # Of a few rows that are close together it is much, too: they are no reason.
    of_most = estimates.moments.weights @ (share > AUTO_SMALL_SHARE) > 0.5
    if not of_most.any():
        return None
    share = np.where(of_most, share, 0)
    k, feature = np.unravel_index(share.argmax(), share.shape)
    name = names_of_features(estimator, len(total))[feature]
    return (
        f'reg_covar="auto" is {share[k, feature]:.2g} times the variance of feature '
        f"{name!r} within component {k}, whose standard deviation was "
        f"{np.sqrt(variances[k, feature]):.3g} before it was added; that of all rows "
        f"is {np.sqrt(total[feature]):.3g}. Remove rows that are far from the others, "
        "take logarithms of features of many orders of magnitude, or set `reg_covar` "
        "to a number, in squared units of the features."
    )


def resting(
    estimates: Estimates, estimator: Any, n_rows: np.ndarray, is_found: np.ndarray
) -> str | None:
    """Which components are as wide as `reg_covar` makes them.

    Parameters
    ----------
    estimates : Estimates
        What was added to.
    estimator : object
        May have `covariance_type`, `n_components` and `feature_names_in_`.
    n_rows : ndarray
        Effective number of rows of each covariance.
    is_found : ndarray of bool
        Which of them have too few, or vary by much less than what was added.
    """
    found = np.flatnonzero(is_found).tolist()
    if not (found and np.any(estimates.added)):
        return None
    rows = _listed([f"{n_rows[k]:.3g}" for k in found])
    return (
        f"{_who(estimates, estimator, found)} on `reg_covar` (effective number of "
        f"rows: {rows}; covariance_type={estimates.family.name!r} takes at least "
        f"{estimates.least_rows}). "
        f"{_where(estimates, estimator, found)} the rows hardly vary: they are few, "
        "equal or collinear, or an outlier makes the variance of all rows large. There "
        "`reg_covar` decides the width, and with it the likelihood. Use "
        f"{'fewer components, ' * hasattr(estimator, 'n_components')}a "
        "`covariance_type` with fewer parameters, or a larger `reg_covar`, or remove "
        "such features and rows."
    )


def _who(estimates, estimator, found):
    """What rests on something, with the verb."""
    if not hasattr(estimator, "n_components"):
        return "the covariance rests"
    if estimates.family.shape.tied:
        return "the covariance that all components share rests"
    return f"{_named('component', found)} rest{'s' * (len(found) == 1)}"


def _where(estimates, estimator, found):
    """Where the covariances that were found are thinnest, for a message."""
    shape, n_features = estimates.family.shape, estimates.n_features
    own = shape.variances(estimates.covariances[found], n_features)
    share = (own / shape.variances(estimates.added, n_features)).min(axis=0)
    if share.min() > THIN or n_features == 1:
        return "In some direction"
    return f"In feature {names_of_features(estimator, n_features)[share.argmin()]!r}"


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
    steps = np.abs(mixture.means[:k] - mixture.means[k])
    is_near = np.all(steps <= SAME * np.sqrt(variances[k]), axis=1)
    is_near &= np.all(np.abs(variances[:k] / variances[k] - 1) <= 2 * SAME, axis=1)
    same = (j for j in np.flatnonzero(is_near) if _are_same(mixture, j, k))
    return next(((int(j), k) for j in same), ())


def _are_same(mixture, j, k):
    """Whether components differ by little in any direction, in units of the second.

    Thin ones side by side may have features of nearly the same means and variances.
    """
    gaussian, cholesky = mixture.gaussian(k), mixture.own(mixture.cholesky)
    step = gaussian.whitened_steps(mixture.means[[j]] - mixture.means[k])
    # Correlations too: relative to each other, their factors are the unit matrix.
    change = mixture.family.factors.relative(
        gaussian.precision_factor, cholesky[j] - cholesky[k]
    )
    return np.linalg.norm(step) <= SAME and np.abs(change).max() <= 2 * SAME


def _thin(estimates):
    """Covariances that vary by much less than what was added, in some direction."""
    family, added = estimates.family, estimates.added
    # What is left without a part of what was added is no covariance where it is thin.
    left = estimates.covariances - THIN * added
    _, thin = family.factors.factored(left)
    if thin and not family.shape.pooled_features:
        # Of what is constant in all rows, no component knows more than others.
        _, total = _variances(estimates)
        constant = np.where(total > 0, 0.0, family.shape.variances(added, len(total)))
        _, thin = family.factors.factored(left + family.scatter.isolated(constant))
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


def _named(noun, indices):
    return f"{noun}{'s' if len(indices) > 1 else ''} {_listed(indices)}"


def _listed(values):
    shown = ", ".join(map(str, values[:MAX_NAMED]))
    n_more = len(values) - MAX_NAMED
    return f"{shown} and {n_more} more" if n_more > 0 else shown
