"""A kernel density whose bandwidth is chosen by leaving one out."""

from __future__ import annotations

from functools import cached_property
from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdensity._base import BaseDensity, unchanged_on_error
from skdensity.models.kernels import leave_one_out, log_density
from skdensity.passes.rows import merge_duplicates
from skdensity.solvers.bandwidths import BANDWIDTHS, choose


class LOOKernelDensity(BaseDensity):
    r"""Gaussian kernel density with a bandwidth chosen by leave-one-out likelihood.

    .. math::

        \hat p(x) = \sum_j m_j \, N(x \mid x_j, h^2 I), \qquad
        h = \arg\max_h \sum_i m_i \log \hat p_{-i}(x_i)

    Each training row is replaced by a Gaussian of standard deviation h. The naive
    likelihood grows without bound as h → 0, because every row explains itself; leaving
    each row out of its own density removes that term.

    Parameters
    ----------
    bandwidth : {"loo", "scott", "silverman"} or float, default="loo"
        How h is chosen:

        - ``"loo"`` maximises the leave-one-out log-likelihood;
        - ``"scott"`` and ``"silverman"`` are the rules of thumb, scaled with the data;
        - a positive number is h itself, in units of the data.

    Attributes
    ----------
    bandwidth_ : float
        The standard deviation h of the kernels.
    loo_score_ : float
        Mean leave-one-out log-likelihood at `bandwidth_`, in nats per unit of weight.
        Computed when it is first asked for, whatever `bandwidth` is; −inf when there is
        one location only.
    locations_ : ndarray of shape (n_locations, n_features)
        The distinct training rows of positive weight, sorted.
    weights_ : ndarray of shape (n_locations,)
        Their shares :math:`m_j` of the weight, summing to 1.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    sklearn.neighbors.KernelDensity : Several kernels; its ``score`` is a sum.
    GaussianMLE : A density of fixed shape.

    Notes
    -----
    Rows that coincide are one location with the sum of their weights, and are left out
    together: with

    .. math::

        \hat p_{-i}(x_i) = \sum_{j \ne i} \frac{m_j}{1 - m_i} N(x_i \mid x_j, h^2 I)

    over distinct locations, duplicates cannot drive h to 0, a weight equals repetition,
    and neither the unit of the weights nor the order of the rows matters. The same
    holds for the rules of thumb, whose n is the effective number of locations,
    :math:`1 / \sum_j m_j^2`.

    One bandwidth serves all features: standardise them when their units differ.
    The likelihood criterion is for light tails; with heavy ones it over-smooths
    (Hall 1987).

    Every density is exact, a sum over all locations relative to its largest term, so
    that tails come out right. Evaluating n rows takes O(n · n_locations · n_features)
    time, choosing ``"loo"`` O(n_locations² · n_features) some twenty times; memory is
    that of one block.

    References
    ----------
    J. D. F. Habbema, J. Hermans and K. van den Broek (1974), *A stepwise discriminant
    analysis program using density estimation*, COMPSTAT; R. P. W. Duin (1976),
    doi:10.1109/TC.1976.1674577; P. Hall (1987), doi:10.1214/aos/1176350606; D. W. Scott
    (1992), doi:10.1002/9780470316849; B. W. Silverman (1986), *Density Estimation for
    Statistics and Data Analysis*.

    Examples
    --------
    >>> from skdensity import LOOKernelDensity
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, _ = make_mixture_1d()
    >>> density = LOOKernelDensity().fit(X)
    >>> round(density.bandwidth_, 3), round(density.loo_score_, 3)
    (0.296, -2.343)
    >>> density.score_samples([[0.0], [20.0]]).round(2)
    array([   -2.05, -1230.58])

    Rows that are all the same say nothing about a bandwidth:

    >>> LOOKernelDensity().fit([[1.0], [1.0]])
    Traceback (most recent call last):
        ...
    ValueError: bandwidth='loo' needs at least 2 distinct rows...
    >>> round(LOOKernelDensity(bandwidth=0.5).fit([[1.0]]).score([[1.0]]), 4)
    -0.2258
    """

    _parameter_constraints: dict = {
        "bandwidth": [
            StrOptions(set(BANDWIDTHS)),
            Interval(Real, 0, None, closed="neither"),
        ],
    }

    def __init__(self, bandwidth="loo"):
        self.bandwidth = bandwidth

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Store the rows and choose the bandwidth.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; at least 2 distinct ones unless `bandwidth` is a number.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : LOOKernelDensity
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is not a finite table with usable weights, or has too few
            distinct rows. The estimator is then left as it was.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity().fit([[0.0], [1.0], [1.0], [3.0]])
        >>> density.locations_.ravel(), density.weights_
        (array([0., 1., 3.]), array([0.25, 0.5 , 0.25]))
        """
        with unchanged_on_error(self):
            is_rule = isinstance(self.bandwidth, str)
            X, weight = self._weighted_rows(
                X, sample_weight, min_samples=2 if is_rule else 1
            )
            self.locations_, self.weights_, _ = merge_duplicates(X, weight)
            vars(self).pop("loo_score_", None)
            self.bandwidth_ = self._chosen() if is_rule else float(self.bandwidth)
        return self

    @cached_property
    def loo_score_(self):
        """Mean leave-one-out log-likelihood at `bandwidth_`, when it is asked for."""
        check_is_fitted(self)
        if len(self.locations_) == 1:
            return -np.inf
        (left_out,) = leave_one_out(self.locations_, self.weights_, [self.bandwidth_]).T
        return float(self.weights_ @ left_out)

    def _log_density(self, X):
        return log_density(X, self.locations_, self.weights_, self.bandwidth_)

    def _draw(self, n_samples, rng):
        rows = rng.choice(len(self.locations_), size=n_samples, p=self.weights_)
        noise = rng.standard_normal((n_samples, self.n_features_in_))
        X = self.locations_[rows] + self.bandwidth_ * noise
        return X.astype(self.locations_.dtype)

    def _chosen(self):
        if len(self.locations_) < 2:
            raise ValueError(
                f"bandwidth={self.bandwidth!r} needs at least 2 distinct rows of "
                "positive weight, but all rows are the same. Give `bandwidth` a number."
            )
        return choose(self.bandwidth, self.locations_, self.weights_)
