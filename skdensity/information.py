"""Numbers about densities: entropies and divergences, each with its standard error."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from sklearn.utils.validation import check_is_fitted, check_scalar

from skdensity.densities.base import BaseDensity
from skdensity.models.completed import LOG_2PI
from skdensity.models.normal_sums import NormalSums
from skdensity.uses.checked import check_method, check_of_input
from skdensity.uses.draws import draws_of
from skdensity.uses.unwrapped import unwrapped

__all__ = ["entropy", "kl_divergence", "mutual_information"]


class Normal(NamedTuple):
    """Mean, and a triangular factor of the covariance, of one Gaussian."""

    mean: np.ndarray
    cholesky: np.ndarray

    @property
    def log_volume(self) -> float:
        """Half of the log-determinant of the covariance."""
        return float(np.log(np.diag(self.cholesky)).sum())


def entropy(
    p: Any, *, n_samples: int = 10_000, random_state: Any = None
) -> tuple[float, float]:
    r"""Differential entropy of a density, in nats.

    .. math:: H(p) = -\int p(x) \log p(x) \, dx

    Parameters
    ----------
    p : estimator
        A fitted density, with methods ``score_samples(X)`` and
        ``sample(n_samples, random_state)``.
    n_samples : int, default=10_000
        Number of draws, unless `p` is one Gaussian.
    random_state : int, RandomState instance, Generator or None, default=None
        Source of randomness of the draws.

    Returns
    -------
    value : float
        H(p): exact of one Gaussian, and otherwise the mean of −log p over draws.
    standard_error : float
        Its standard error; 0 where it is exact.

    Raises
    ------
    TypeError
        If `p` is a class, a pipeline, whose scores are no densities of its input, or
        has no method that is needed, or `n_samples` is not an integer.
    ValueError
        If `n_samples` is below 2, or a covariance is singular.
    NotFittedError
        If `p` is not fitted.

    See Also
    --------
    kl_divergence : How far another density is.

    Notes
    -----
    It depends on the units: of rows in millimetres instead of metres it is larger by
    log 1000 for each feature, and it may be negative.

    References
    ----------
    T. M. Cover and J. A. Thomas (2006), *Elements of Information Theory*, 2nd edition,
    chapter 8, doi:10.1002/047174882X.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.information import entropy
    >>> value, standard_error = entropy(GaussianMLE().fit([[0.0], [2.0]]))
    >>> round(value, 4), standard_error
    (1.4189, 0.0)
    """
    p = _fitted("p", p)
    normal = _normal_of(p)
    if normal is not None:
        n_features = len(normal.mean)
        return float(normal.log_volume + 0.5 * n_features * (1 + LOG_2PI)), 0.0
    draws = _drawn(p, n_samples, random_state)
    return _mean_of(-_log_density(p, draws))


def kl_divergence(
    p: Any, q: Any, *, n_samples: int = 10_000, random_state: Any = None
) -> tuple[float, float]:
    r"""Kullback–Leibler divergence of q from p, in nats.

    .. math:: D(p \,\|\, q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx \ge 0

    What rows of `p` lose in log-density, on average, if `q` is taken for their
    density. It is not symmetric.

    Parameters
    ----------
    p : estimator
        A fitted density, with methods ``score_samples(X)`` and
        ``sample(n_samples, random_state)``.
    q : estimator
        A fitted density of the same features, with ``score_samples(X)``.
    n_samples : int, default=10_000
        Number of draws from `p`, unless both are one Gaussian each.
    random_state : int, RandomState instance, Generator or None, default=None
        Source of randomness of the draws.

    Returns
    -------
    value : float
        D(p ‖ q): exact of two Gaussians, and otherwise the mean of log p − log q over
        draws, which may be a little below 0. Infinite if draws fall where `q` has no
        density.
    standard_error : float
        Its standard error; 0 where it is exact or infinite.

    Raises
    ------
    TypeError
        If `p` or `q` is a class, a pipeline, whose scores are no densities of its
        input, or has no method that is needed, or `n_samples` is not an integer.
    ValueError
        If the features are not the same, `n_samples` is below 2, or a covariance is
        singular.
    NotFittedError
        If `p` or `q` is not fitted.

    See Also
    --------
    entropy : Of one density.
    mutual_information : The divergence from independence.

    References
    ----------
    S. Kullback and R. A. Leibler (1951), doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.information import kl_divergence
    >>> p = GaussianMLE.from_parameters([0.0], [[1.0]])
    >>> q = GaussianMLE.from_parameters([1.0], [[1.0]])
    >>> kl_divergence(p, q)
    (0.5, 0.0)
    """
    p, q = _fitted("p", p), _fitted("q", q)
    _check_same_features(p, q)
    normals = _normal_of(p), _normal_of(q)
    if None not in normals:
        return _divergence_of_normals(*normals), 0.0
    draws = _drawn(p, n_samples, random_state)
    losses = _log_density(p, draws) - _log_density(q, draws)
    return (np.inf, 0.0) if np.isposinf(losses).any() else _mean_of(losses)


def mutual_information(
    p: Any,
    features: ArrayLike,
    others: ArrayLike,
    *,
    n_samples: int = 10_000,
    random_state: Any = None,
) -> tuple[float, float]:
    r"""Mutual information of some features and others, in nats.

    .. math:: I(a; b) = \int p(x_a, x_b) \log \frac{p(x_a, x_b)}{p(x_a) \, p(x_b)}
        \, dx_a \, dx_b \ge 0

    By how much the others make features more predictable, on average: 0 where they are
    independent, whatever the units.

    Parameters
    ----------
    p : estimator
        A fitted density with a method ``marginal(features)``, whose marginals have
        ``score_samples(X)`` and ``sample(n_samples, random_state)``.
    features : array-like of int or str
        Columns, or their names.
    others : array-like of int or str
        Other columns. What is in neither is integrated out.
    n_samples : int, default=10_000
        Number of draws, unless `p` is one Gaussian.
    random_state : int, RandomState instance, Generator or None, default=None
        Source of randomness of the draws.

    Returns
    -------
    value : float
        I(a; b): exact of one Gaussian, and otherwise a mean over draws, which may be a
        little below 0.
    standard_error : float
        Its standard error; 0 where it is exact.

    Raises
    ------
    TypeError
        If `p` is a class, a pipeline, whose scores are no densities of its input, or
        has no method that is needed, or `n_samples` is not an integer.
    ValueError
        If there is no such feature, or one is there twice, `n_samples` is below 2, or a
        covariance is singular.
    NotFittedError
        If `p` is not fitted.

    See Also
    --------
    sklearn.feature_selection.mutual_info_regression : From rows, by their neighbours.

    References
    ----------
    T. M. Cover and J. A. Thomas (2006), *Elements of Information Theory*, 2nd edition,
    chapter 8, doi:10.1002/047174882X.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.information import mutual_information
    >>> p = GaussianMLE.from_parameters([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]])
    >>> value, standard_error = mutual_information(p, [0], [1])
    >>> round(value, 4), standard_error  # -log(1 - 0.6²) / 2
    (0.2231, 0.0)
    """
    features, others = (
        np.ravel(np.asarray(f, dtype=object)) for f in (features, others)
    )
    p = _fitted("p", p, "marginal")
    joint = p.marginal([*features, *others])
    parts = p.marginal(features), p.marginal(others)
    normals = [_normal_of(density) for density in (joint, *parts)]
    if None not in normals:
        whole, *volumes = (normal.log_volume for normal in normals)
        return max(sum(volumes) - whole, 0.0), 0.0
    draws = _drawn(joint, n_samples, random_state)
    gains = _log_density(joint, draws)
    for part, columns in zip(
        parts, np.split(draws, [len(features)], axis=1), strict=True
    ):
        gains -= _log_density(part, columns)
    return _mean_of(gains)


def _normal_of(density):
    """The Gaussian that a density is, if it is one."""
    model = density._model() if isinstance(density, BaseDensity) else None
    if not isinstance(model, NormalSums):
        return None
    weights, means, deviations = model.normals()
    if len(weights) > 1:
        return None
    correlated = model.correlated()
    if not correlated:
        return Normal(means[0], np.diag(deviations[0]))
    return Normal(means[0], np.linalg.cholesky(correlated[0][0]))


def _divergence_of_normals(p, q):
    # In coordinates that whiten q; with a triangular L of p its determinant is there.
    cholesky = solve_triangular(q.cholesky, p.cholesky, lower=True)
    shift = solve_triangular(q.cholesky, p.mean - q.mean, lower=True)
    squares = np.sum(cholesky**2) + shift @ shift - len(shift)
    log_volume = np.log(np.diag(cholesky)).sum()
    return max(0.5 * float(squares) - float(log_volume), 0.0)


def _drawn(density, n_samples, random_state):
    """Rows of a density."""
    check_scalar(n_samples, "n_samples", Integral)
    if n_samples < 2:
        raise ValueError(
            f"`n_samples` is {n_samples}; a standard error needs 2 draws or more."
        )
    return draws_of(density, n_samples, random_state)


def _log_density(density, rows):
    """Log-densities of rows in float64."""
    with warnings.catch_warnings():
        # Draws are arrays, whatever the density was fitted to.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        return np.asarray(density.score_samples(rows), dtype=np.float64)


def _mean_of(terms):
    """Their mean, and its standard error."""
    return float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms)))


def _fitted(name, density, method="score_samples"):
    """The fitted density that was given, or that answers for a search."""
    if isinstance(density, type):
        raise TypeError(
            f"`{name}` is the class {density.__name__}, and no fitted density. Make an "
            f"instance, and fit it: {density.__name__}().fit(X)."
        )
    if hasattr(density, "__sklearn_tags__"):  # of what others wrote, who knows
        check_is_fitted(density)
    check_of_input(density)
    density = unwrapped(density)
    check_method(density, method, "skdensity.information", name)
    return density


def _check_same_features(p, q):
    """Complain of densities of unlike features, as far as they tell."""
    for name in ("n_features_in_", "feature_names_in_"):
        values = [
            getattr(density, name) for density in (p, q) if hasattr(density, name)
        ]
        if len(values) == 2 and not np.array_equal(*values):
            raise ValueError(
                f"`p` and `q` are of unlike features: {values[0]} and {values[1]}. "
                "Take a `marginal` of one, with the features of the other in their "
                "order."
            )
