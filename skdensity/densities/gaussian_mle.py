"""One Gaussian, fitted in closed form."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import pinvh
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import StrOptions

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.base_gaussian import BaseGaussian
from skdensity.densities.doubts import doubt_of_gaussian, warn_of
from skdensity.densities.regularisation import REG_COVAR_CONSTRAINT, added_to_gaussian
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import Moments, merged, moments_of
from skdensity.models.mixtures.variances import moments_to_lean_on
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
NAN_IN_STREAM = (
    "Input X contains NaN. `partial_fit` adds up sums of rows, and those of rows with "
    "missing values depend on all others; call `fit` on all rows together."
)


class GaussianMLE(BaseGaussian):
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
    standard deviations: some twenty passes where a fifth of the values is missing. That
    is right where values are missing at random, given those that were observed (Rubin
    1976, doi:10.1093/biomet/63.3.581). The cost follows what is missing: a row that
    misses m features takes O(m³ + n_features²), and ``"auto"`` then adds 1e-6 of the
    variances of what was observed.

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
    # Whether a stream starts over: no rows stand for a marginal or conditional.
    _begins_anew = False

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
            that overflow or a feature that is NaN in all rows, or if missing values
            leave a covariance singular. The estimator is then left as it was.

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
        fit_rows = self._rows_to_fit(X, sample_weight, min_samples=2)
        with unchanged_on_error(self), fit_rows as rows:
            family = self._family
            moments, added, converged = self._estimated(rows, family)
            self._store_estimate(moments, added, rows.dtype)
            if not rows.are_complete:
                del self._moments  # which are expected under this estimate alone
            doubt = doubt_of_gaussian(self, moments, family, rows, added)
        warn_of(self, [doubt])
        if not converged:
            warnings.warn(NOT_CONVERGED, ConvergenceWarning, stacklevel=3)
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
            Further rows, without NaN.
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
            If the input is not a finite table of the same features with usable weights,
            the fit so far was to rows with missing values,
            `covariance_type` has changed since the first call, or the parameters were
            given by :meth:`from_parameters`. The estimator is then left as it was. A
            marginal or conditional begins anew instead.

        See Also
        --------
        fit : Estimate from all rows at once.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE().partial_fit([[1.0]]).partial_fit([[2.0], [6.0]])
        >>> density.location_, density.covariance_.round(3)
        (array([3.]), array([[4.667]]))
        """
        self._validate_params()  # scikit-learn does so before the first call alone
        is_first = not hasattr(self, "location_") or self._begins_anew
        fit_rows = self._rows_to_fit(X, sample_weight, reset=is_first)
        with unchanged_on_error(self), fit_rows as rows:
            if not rows.are_complete:
                raise ValueError(NAN_IN_STREAM)
            scatter = self._family.scatter
            moments, dtype = moments_of(rows, scatter), rows.dtype
            if not is_first:
                self._check_stream()
                moments = merged(Moments(**self._moments), moments, scatter)
                dtype = np.result_type(dtype, self.location_)
            self._store_estimate(moments, self._added(moments), dtype)
        return self

    @property
    def _family(self) -> CovarianceFamily:
        return FAMILIES[self.covariance_type]

    def _check_stream(self):
        if not hasattr(self, "_moments"):
            raise ValueError(
                "Parameters that were given stand for no rows, and those fitted to "
                "rows with missing values for no sums of them, so that a stream cannot "
                "continue from them; call `fit` to start over."
            )
        if self.covariance_type != self._fitted_type:
            raise ValueError(
                f"covariance_type={self.covariance_type!r} cannot continue a stream "
                f"that covariance_type={self._fitted_type!r} began; call `fit` to "
                "start over."
            )

    def _estimated(self, rows, family):
        """Moments, what is added to their covariance, and whether that is the end."""
        moments = moments_to_lean_on(rows, family)
        added = self._added(moments)
        if rows.are_complete:
            return moments, added, True
        state = GaussianEM(rows, family, added).run()
        return state.moments, added, state.converged

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
        self._moments = asdict(moments)
        self._store_arrays(dtype, location_=location, covariance_=covariance)
        self.precision_ = precision.astype(dtype)

    def _added(self, moments):
        """What `reg_covar` stands for, for rows of some moments."""
        return added_to_gaussian(self.reg_covar, moments, self._family)

    def _store_given(self, gaussian, covariance, dtype):
        self._fitted_type = gaussian.family.name
        self._store_arrays(dtype, location_=gaussian.mean, covariance_=covariance)
        self.precision_ = gaussian.precision.astype(dtype)

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
