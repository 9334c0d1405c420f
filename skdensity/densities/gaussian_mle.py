"""One Gaussian, fitted in closed form."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import starmap
from numbers import Integral
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import pinvh
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import StrOptions

from skdensity.callers import warn_caller
from skdensity.densities.base import unchanged_on_error
from skdensity.densities.base_gaussian import BaseGaussian
from skdensity.densities.checks import inverse_as_stored
from skdensity.densities.doubts import doubt_of_gaussian, warn_of
from skdensity.densities.regularisation import REG_COVAR_CONSTRAINT, added_to_gaussian
from skdensity.densities.streams import StreamMixin, as_plain
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.variances import moments_to_lean_on
from skdensity.models.pattern_moments import (
    PatternMoments,
    TooManyPatterns,
    own_family,
)
from skdensity.passes.workspace import Workspace
from skdensity.rows.row_blocks import RowBlocks
from skdensity.solvers.incomplete_gaussian import GaussianEM

SINGULAR = (
    "`covariance_` is singular, so there is no density: {detail}. Add rows, remove "
    'constant or collinear features, or set `reg_covar="auto"` or a positive number.'
)
NOT_CONVERGED = (
    "GaussianMLE: what is missing says so much that the estimate still moves. Remove "
    "the features that are missing most often, or set a positive `reg_covar`."
)
# Patterns of missing values that a stream keeps the moments of, and numbers that a fit
# keeps for a stream, unless there are as many in the rows.
MAX_PATTERNS = 1000
MAX_KEPT = 1_000_000
TOO_MANY_PATTERNS = (
    f"Rows miss values in too many patterns: a stream keeps the moments of up to "
    f"{MAX_PATTERNS:,}, and after `fit` of no more than take the memory of its rows. "
    "`EMGaussianMixture(1).partial_fit` takes any number of patterns and comes near "
    "the same estimate; `fit` takes all rows together."
)


class Estimate(NamedTuple):
    """Moments, what is added to their covariance, and whether that is the end."""

    moments: Moments
    added: np.ndarray
    converged: bool = True


class GaussianMLE(StreamMixin, BaseGaussian):
    r"""Gaussian density fitted by maximum likelihood, in closed form.

    .. math::

        \log p(x) = -\tfrac{1}{2} \left( d \log 2\pi + \log |\Sigma|
            + (x - \mu)^\top \Sigma^{-1} (x - \mu) \right)

    The estimates are :math:`\mu = \sum_i w_i x_i / W` and
    :math:`\Sigma = \sum_i w_i (x_i - \mu)(x_i - \mu)^\top / W` with
    :math:`W = \sum_i w_i`: divided by N, not by N − 1.

    Parameters
    ----------
    covariance_type : {"full", "diag", "spherical"}, default="full"
        Shape of Σ: any, independent features, or one variance for all features.
    reg_covar : float or "auto", default=0.0
        A number is added to every variance, in squared units of the data, and makes
        singular covariances usable; a warning says so where it is more than a hundredth
        of one. ``"auto"`` adds 1e-6 of the covariance itself: neither units nor axes
        make a difference. Where that is singular, constant features get what the others
        do on average, and 1e-6 of the variances are added if features are collinear.
    n_jobs : int or None, default=None
        Number of threads. None takes as many as BLAS may use here and now, so that
        limits of ``threadpoolctl``, ``OMP_NUM_THREADS`` and joblib's workers hold;
        elsewhere in scikit-learn None means 1 for what has no threads of its own. −1
        takes all processors. It makes no difference to the result.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        Estimated mean.
    covariance_ : ndarray of shape (n_features, n_features)
        Estimated covariance, including `reg_covar`.
    precision_ : ndarray of shape (n_features, n_features)
        Inverse of `covariance_`; its pseudo-inverse where that is singular.
    n_samples_seen_ : int
        Number of rows of positive weight seen by `fit`, and by `partial_fit` since.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    CholeskyGaussian : The same density by gradient descent.
    EMGaussianMixture : Several Gaussians.

    Notes
    -----
    Fitting takes two passes over the rows, O(n_samples · n_features²) time for
    ``"full"`` and the memory of one block of rows. Sums accumulate in float64, about
    the mean, so that neither float32 input nor an offset such as 1e8 costs digits.

    NaN stands for what was not observed. The fit then maximises the likelihood of what
    was, exactly, by EM whose last steps are mixed until they are shorter than 1e-11
    standard deviations: some twenty where a fifth of the values is missing. That is
    right where values are missing at random, given those that were observed (Rubin
    1976, doi:10.1093/biomet/63.3.581). Where up to 1,000 patterns of features are
    missing, and moments of each take no more memory than the rows, the rows are read
    once and steps see no more than these moments. Otherwise every step is a pass, whose
    cost follows what is missing: a row that misses m features takes O(m³ +
    n_features²). ``"auto"`` then adds 1e-6 of the variances of what was observed.

    References
    ----------
    T. W. Anderson (2003), *An Introduction to Multivariate Statistical Analysis*,
    3rd edition, section 3.2. Streams: T. F. Chan, G. H. Golub and R. J. LeVeque (1983),
    doi:10.1080/00031305.1983.10483115.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.datasets import make_gaussian_2d
    >>> X = make_gaussian_2d()
    >>> density = GaussianMLE().fit(X)
    >>> density.covariance_.round(3)
    array([[1.442, 0.766],
           [0.766, 0.938]])
    >>> round(density.score(X), 4)
    -2.7042

    What was not observed is NaN; the features that were tell of it:

    >>> import numpy as np
    >>> X_missing = X.copy()
    >>> X_missing[::2, 1] = np.nan
    >>> GaussianMLE().fit(X_missing).covariance_.round(3)
    array([[1.442, 0.79 ],
           [0.79 , 0.989]])

    A constant feature has no density; `reg_covar` gives it a width:

    >>> X[:, 1] = 0
    >>> GaussianMLE().fit(X).score(X)
    Traceback (most recent call last):
        ...
    ValueError: `covariance_` is singular, so there is no density: variance 0 of
    feature 1. Add rows, remove constant or collinear features, or set
    `reg_covar="auto"` or a positive number.
    >>> round(GaussianMLE(reg_covar=1e-3).fit(X).score(X), 4)
    0.9332
    """

    _parameter_constraints: dict = {
        "covariance_type": [
            StrOptions({name for name, family in FAMILIES.items() if not family.own})
        ],
        "reg_covar": REG_COVAR_CONSTRAINT,
        "n_jobs": [Integral, None],
    }
    _told_by = ("location_", "covariance_")
    # Moments of all rows so far, by what was observed; None where these are too many.
    _sums: Any = None

    def __init__(
        self,
        *,
        covariance_type: str = "full",
        reg_covar: float | Literal["auto"] = 0.0,
        n_jobs: int | None = None,
    ) -> None:
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Estimate mean and covariance.

        What an earlier `fit` or `partial_fit` saw is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Training rows, at least 2. NaN is what was not observed; every feature needs
            a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : GaussianMLE
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is not a table with usable weights, has infinities, squares
            that overflow or underflow or a feature that is NaN in all rows, or if
            missing values leave a covariance singular. The estimator is then left as it
            was.

        Warns
        -----
        ConvergenceWarning
            If the estimate from rows with missing values has not settled.
        UserWarning
            If a number for `reg_covar` is more than a hundredth of the variance of a
            feature, or the covariance rests on `reg_covar` because there are too few
            rows, or they do not vary in some direction; `partial_fit` does not say so.

        See Also
        --------
        partial_fit : Add rows to the estimate.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]], sample_weight=[3, 1]).location_
        array([0.5])
        """
        with unchanged_on_error(self), Workspace(self.n_jobs) as workspace, workspace:
            rows = self._rows_to_fit(X, sample_weight, workspace, min_samples=2)
            family = self._family
            sums = _sums_of(rows, family, _most_to_keep(rows, family))
            moments, added, converged = self._learn_sums(sums, rows)
            self.n_samples_seen_ = rows.n_rows
            doubt = doubt_of_gaussian(self, moments, family, rows, added)
        warn_of(self, [doubt])
        if not converged:
            warn_caller(NOT_CONVERGED, ConvergenceWarning)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Add rows to the estimate, exactly.

        After any sequence of calls the estimate is that of `fit` on all rows together,
        up to rounding. One row is enough to begin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Further rows. NaN is what was not observed; in the first batch, every
            feature needs a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : GaussianMLE
            The updated estimator.

        Raises
        ------
        ValueError
            If the input is not a table of the same features and dtype with usable
            weights, has infinities or squares that overflow or underflow, rows so far
            miss values in more than 1,000 patterns, `covariance_type` has changed since
            the first call, or the parameters were given by :meth:`from_parameters`. The
            estimator is then left as it was. A marginal or conditional begins anew
            instead.
        TypeError
            If `X` is what has many batches, RowBlocks or a Dask collection.

        Warns
        -----
        ConvergenceWarning
            If the estimate from rows with missing values has not settled.

        See Also
        --------
        fit : Estimate from all rows at once.
        EMGaussianMixture.partial_fit : For any number of patterns, with one component.

        Notes
        -----
        Without missing values a call takes O(n_samples · n_features²) time and
        O(n_features²) memory. What was missing is expected under each estimate anew,
        from the moments of every pattern of missing values: O(n_features²) memory for
        each, and the time of a fit to up to n_features + 1 rows for each.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE().partial_fit([[1.0]]).partial_fit([[2.0], [6.0]])
        >>> density.location_, density.covariance_.round(3)
        (array([3.]), array([[4.667]]))

        Rows with missing values in two batches, or all at once:

        >>> import numpy as np
        >>> X = np.random.RandomState(0).standard_normal((100, 2))
        >>> X[::3, 1] = X[1::5, 0] = np.nan
        >>> stream = GaussianMLE().partial_fit(X[:40]).partial_fit(X[40:])
        >>> np.allclose(stream.covariance_, GaussianMLE().fit(X).covariance_)
        True
        """
        return self._learn_from(X, sample_weight)

    def _learn(self, rows):
        is_first = self._begins_anew or not hasattr(self, "location_")
        before = None if is_first else self._sums_so_far()
        sums = _sums_of(rows, self._family, MAX_PATTERNS, before)
        if sums is None:
            raise ValueError(TOO_MANY_PATTERNS)
        if not self._learn_sums(sums, rows).converged:
            warn_caller(NOT_CONVERGED, ConvergenceWarning)

    def _sums_so_far(self):
        self._check_stream()
        family, n_features = self._family, len(self.location_)
        by_pattern = dict(map(_restored, self._sums))
        return PatternMoments(own_family(family), n_features, MAX_PATTERNS, by_pattern)

    def _learn_sums(self, sums, rows):
        """Estimate from sums, or from rows that have too many patterns for them."""
        family = self._family
        if sums is None:
            self._sums, estimate = None, self._expected(rows, family)
        else:
            self._sums = list(starmap(_stored, sums.by_pattern.items()))
            estimate = self._summed(sums, rows.workspace, family)
        self._store_estimate(estimate.moments, estimate.added, rows.dtype)
        return estimate

    def _summed(self, sums, workspace, family):
        """The estimate from sums: in closed form where nothing is missing."""
        moments = sums.whole(family)
        if moments is not None:
            return Estimate(moments, self._added(moments))
        # Relative to a point among the rows, so that none of their digits are lost.
        estimate = self._expected(sums.rows(workspace), family)
        about = estimate.moments.about + sums.origin
        return estimate._replace(moments=replace(estimate.moments, about=about))

    def _expected(self, rows, family):
        """The estimate from rows, what is missing expected."""
        added = self._added(moments_to_lean_on(rows, family))
        state = GaussianEM(rows, family, added).run()
        return Estimate(state.moments, added, state.converged)

    @property
    def _family(self) -> CovarianceFamily:
        return FAMILIES[self.covariance_type]

    def _check_stream(self):
        if not hasattr(self, "n_samples_seen_"):
            raise ValueError(
                "Parameters that were given stand for no rows, so that a stream cannot "
                "continue from them; call `fit` to start over."
            )
        if self._sums is None:
            raise ValueError(TOO_MANY_PATTERNS)
        if self.covariance_type != self._fitted_type:
            raise ValueError(
                f"covariance_type={self.covariance_type!r} cannot continue a stream "
                f"that covariance_type={self._fitted_type!r} began; call `fit` to "
                "start over."
            )

    def _store_estimate(self, moments, added, dtype):
        """Store the estimate; a singular one has parameters but no density."""
        family = self._family
        (location,) = moments.mean
        (inner,) = moments.covariances(family.scatter, added)
        covariance = family.shape.matrices(inner, len(location))
        try:
            gaussian = Gaussian.of_matrix(location, covariance, family, SINGULAR)
            precision = gaussian.precision
        except ValueError:
            precision = pinvh(covariance)
        self._fitted_type = family.name
        self._begins_anew = False
        self._store_arrays(dtype, location_=location, covariance_=covariance)
        self.precision_ = inverse_as_stored(precision, dtype)

    def _added(self, moments):
        """What `reg_covar` stands for, for rows of some moments."""
        return added_to_gaussian(self.reg_covar, moments, self._family)

    def _store_given(self, gaussian, covariance, dtype):
        self._fitted_type = gaussian.family.name
        self._store_arrays(dtype, location_=gaussian.mean, covariance_=covariance)
        self.precision_ = inverse_as_stored(gaussian.precision, dtype)

    def _store_model(self, model, dtype):
        super()._store_model(model, dtype)
        self.covariance_type = model.family.name
        self._begins_anew = True

    def _told(self):
        return {**super()._told(), "family": getattr(self, "_fitted_type", "full")}

    def _model_of(self, told):
        location, covariance = self._told_arrays(told)
        family = FAMILIES[told["family"]]
        return Gaussian.of_matrix(location, covariance, family, SINGULAR)


def _stored(observed, moments):
    """The moments of a pattern as plain values: no file has tuples for names."""
    return {"observed": list(observed), **as_plain(asdict(moments))}


def _restored(stored):
    """The pattern and the moments that were stored."""
    moments = {name: value for name, value in stored.items() if name != "observed"}
    return tuple(stored["observed"]), Moments(**moments)


def _sums_of(rows, family, most, before=None):
    """Moments of rows by pattern, added to others; None where these are too many."""
    try:
        sums = PatternMoments.of(rows, family, most)
        return sums if before is None else before + sums
    except TooManyPatterns:
        return None


def _most_to_keep(rows, family):
    """Patterns whose moments take no more memory than the rows, or some megabytes."""
    n_features = rows.n_features
    each = n_features**2 if family.shape.is_oriented else n_features
    return min(MAX_PATTERNS, max(rows.n_rows * n_features, MAX_KEPT) // each)
