"""One Gaussian, fitted in closed form."""

from __future__ import annotations

from numbers import Real

import numpy as np
from scipy.linalg import pinvh
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity._base import unchanged_on_error
from skdensity._gaussian import BaseGaussian
from skdensity.models.covariances import FAMILIES
from skdensity.models.mixture import Mixture
from skdensity.models.moments import merged, moments_of

SINGULAR = (
    "`covariance_` is singular, so there is no density: {detail}. Add rows, or set a "
    "positive `reg_covar`."
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
    reg_covar : float, default=0.0
        Added to every variance, in squared units of the data. Makes singular
        covariances usable.

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

    A constant feature has no density; `reg_covar` gives it a width:

    >>> X[:, 1] = 0
    >>> GaussianMLE().fit(X).score(X)
    Traceback (most recent call last):
        ...
    ValueError: `covariance_` is singular, so there is no density: variance 0 of
    feature 1. Add rows, or set a positive `reg_covar`.
    >>> round(GaussianMLE(reg_covar=1e-3).fit(X).score(X), 4)
    0.9332
    """

    _parameter_constraints: dict = {
        "covariance_type": [StrOptions({"full", "diag", "spherical"})],
        "reg_covar": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, covariance_type="full", reg_covar=0.0):
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Estimate mean and covariance.

        What an earlier `fit` or `partial_fit` saw is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least 2.
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
            If the input is not a finite table with usable weights. The estimator is
            then left as it was.

        See Also
        --------
        partial_fit : Add rows to the estimate.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]], sample_weight=[3, 1]).location_
        array([0.5])
        """
        with unchanged_on_error(self):
            X, weight = self._weighted_rows(X, sample_weight, min_samples=2)
            family = FAMILIES[self.covariance_type]
            self._store_estimate(moments_of(X, weight[None], family), X.dtype)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Add rows to the estimate, exactly.

        After any sequence of calls the estimate is that of `fit` on all rows together,
        up to rounding. One row is enough to begin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Further rows.
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
            or `covariance_type` has changed to or from ``"full"`` since the first call.
            The estimator is then left as it was.

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
        with unchanged_on_error(self):
            is_first = not hasattr(self, "location_")
            X, weight = self._weighted_rows(X, sample_weight, reset=is_first)
            family = FAMILIES[self.covariance_type]
            moments = moments_of(X, weight[None], family)
            dtype = X.dtype
            if not is_first:
                self._check_same_family(moments)
                moments = merged(self._moments, moments, family)
                dtype = np.result_type(dtype, self.location_)
            self._store_estimate(moments, dtype)
        return self

    def _check_same_family(self, moments):
        if moments.second.shape != self._moments.second.shape:
            raise ValueError(
                f"covariance_type={self.covariance_type!r} cannot continue a stream "
                "that another type began; call `fit` to start over."
            )

    def _store_estimate(self, moments, dtype):
        """Store the estimate; a singular one has parameters but no density."""
        family = FAMILIES[self.covariance_type]
        covariances = family.estimate(moments, self.reg_covar)
        (location,) = moments.mean
        self._moments = moments
        try:
            cholesky = family.cholesky(covariances, SINGULAR)
        except ValueError as error:
            (covariance,) = family.matrices(covariances, len(location))
            self._store_parameters(location, covariance, pinvh(covariance), dtype)
            self._density, self._singularity = None, str(error)
        else:
            self._store(Mixture.gaussian(location, cholesky, family), dtype)
