"""A kernel density whose bandwidth is chosen by leaving one out."""

from __future__ import annotations

from functools import cached_property, partial
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdensity._base import BaseDensity, unchanged_on_error
from skdensity._checks import check_within, checked_bounds
from skdensity._kernel import (
    check_one_feature,
    checked_features,
    checked_kernel,
    checked_values,
    warn_of_ties,
)
from skdensity.models.covariances import FAMILIES
from skdensity.models.kernel_parts import conditional, marginal
from skdensity.models.kernel_sums import KernelSums
from skdensity.models.kernels import Kernels
from skdensity.models.mixture import Mixture
from skdensity.passes.blocks import Workspace
from skdensity.passes.rows import merge_duplicates
from skdensity.passes.ties import ties_of
from skdensity.solvers.bandwidths import BANDWIDTHS, SEARCHES, Problem, choose
from skdensity.solvers.criteria import LeaveOneOut
from skdensity.solvers.modes import climb

# Starts of mean shift: more rows than this would find the same modes.
MAX_STARTS = 2000


class LOOKernelDensity(BaseDensity):
    r"""Gaussian kernel density with a bandwidth chosen by leave-one-out likelihood.

    .. math::

        \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad
        H = \arg\max_H \sum_i m_i \log \hat p_{-i}(x_i)

    Each training row is replaced by a Gaussian of covariance H, in the simplest case
    :math:`h^2 I` with the bandwidth h. The naive likelihood grows without bound as
    h → 0, because every row explains itself; leaving each row out of its own density
    removes that term.

    Parameters
    ----------
    bandwidth : str, float or array-like, default="loo"
        How H is chosen:

        - ``"loo"`` maximises the leave-one-out log-likelihood;
        - ``"robust_loo"`` does so with less regard for rows that are far from all
          others, for outliers and heavy tails;
        - ``"lscv"`` minimises an estimate of the integrated squared error;
        - ``"isj"`` is the improved Sheather–Jones plug-in rule, for more than one
          feature a mean over them;
        - ``"scott"`` and ``"silverman"`` are the rules of thumb, scaled with the data;
        - a positive number is h itself, in units of the data; one for each feature
          are standard deviations; a matrix is H.
    covariance_type : {"spherical", "diag", "full"}, default="spherical"
        The shape of H, unless `bandwidth` is given as numbers: one width for all
        features, one for each, or any covariance. ``"loo"`` optimises all of it, the
        other rules scale the shape of the rows' own covariance.
    bounds : array-like of shape (2,) or (n_features, 2), default=None
        Where rows can be, (lower, upper) with None for no bound; one pair stands for
        all features. Kernels are reflected at the bounds, so that no mass leaves;
        beyond them the density is zero. Not for correlated kernels. Every feature with
        bounds multiplies the work, by two for one and by six or more for two.
    algorithm : {"auto", "exact", "nufft"}, default="auto"
        How kernels are added up: ``"exact"`` over all pairs; ``"nufft"`` by transforms,
        for up to three features and with finufft installed; ``"auto"`` by whatever is
        expected to be faster. Results agree to `rtol`.
    rtol : float, default=1e-6
        Largest relative error of a density, at every query.
    n_jobs : int, default=None
        Threads that work side by side, as everywhere in scikit-learn; they make no
        difference to the result beyond rounding.

    Attributes
    ----------
    bandwidth_ : float or ndarray of shape (n_features,) or (n_features, n_features)
        h, standard deviations, or H, for a spherical, diagonal or full kernel.
    covariance_ : ndarray of shape (n_features, n_features)
        H.
    loo_score_ : float
        Mean leave-one-out log-likelihood under H, in nats per unit of weight. Computed
        when it is first asked for, whatever `bandwidth` is; −inf when there is one
        location only.
    bandwidths_ : ndarray of shape (n_tried,) + shape of `bandwidth_`
        The bandwidths that a search tried on all rows, the narrowest first. Set by
        ``"loo"``, ``"robust_loo"`` and ``"lscv"``.
    loo_scores_ : ndarray of shape (n_tried,)
        Their scores, higher being better; for ``"loo"`` they are leave-one-out
        log-likelihoods.
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

        \hat p_{-i}(x_i) = \sum_{j \ne i} \frac{m_j}{1 - m_i} N(x_i \mid x_j, H)

    over distinct locations, duplicates cannot drive H to 0, a weight equals repetition,
    and neither the unit of the weights nor the order of the rows matters. The same
    holds for the rules of thumb, whose n is the effective number of locations,
    :math:`1 / \sum_j m_j^2`. Where the rows were rounded to a grid so coarse that many
    coincide, only one row is left out, the others at its location count like any other
    row, and the width is at least half a step. A few values that occur again and again
    among distinct ones, such as exact zeros, count once when the bandwidth is chosen. A
    warning says what was found.

    One bandwidth serves all features when `covariance_type` is ``"spherical"``:
    standardise them when their units differ, or use another type.

    The likelihood criterion is for light tails; with tails like a power of x the
    bandwidth that it chooses does not go to 0 as it should (Hall 1987), and one far row
    asks for a bandwidth that bridges the gap to it. ``"robust_loo"`` does not.

    *Time.* In up to three features sums of n kernels at n rows take O(n + m log m) by
    non-uniform Fourier transforms, with m proportional to the volume of the data in
    bandwidths; space is cut so that gaps and outliers cost little. A transform has an
    absolute error: densities too small for `rtol` are added up from the neighbours, in
    log space. In more features, or on few rows, all pairs are added up, O(n²
    n_features). Memory is that of some copies of the rows, some blocks, and at most
    some 300 MB of modes. ``"loo"`` adds up kernels for some thirty bandwidths, two
    thirds of them on a sample of the rows.

    References
    ----------
    J. D. F. Habbema, J. Hermans and K. van den Broek (1974), *A stepwise discriminant
    analysis program using density estimation*, COMPSTAT; R. P. W. Duin (1976),
    doi:10.1109/TC.1976.1674577; P. Hall (1987), doi:10.1214/aos/1176350606; X. Wu
    (2019), doi:10.1080/07350015.2018.1424633; Z. I. Botev, J. F. Grotowski and
    D. P. Kroese (2010), doi:10.1214/10-AOS799; J. M. Leiva-Murillo and
    A. Artés-Rodríguez (2012), doi:10.1016/j.patrec.2012.06.006; A. H. Barnett,
    J. Magland and L. af Klinteberg (2019), doi:10.1137/18M120885X; D. W. Scott (1992),
    doi:10.1002/9780470316849; B. W. Silverman (1986), *Density Estimation for
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
            "array-like",
        ],
        "covariance_type": [StrOptions({"spherical", "diag", "full"})],
        "bounds": ["array-like", None],
        "algorithm": [StrOptions({"auto", "exact", "nufft"})],
        "rtol": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        bandwidth="loo",
        *,
        covariance_type="spherical",
        bounds=None,
        algorithm="auto",
        rtol=1e-6,
        n_jobs=None,
    ):
        self.bandwidth = bandwidth
        self.covariance_type = covariance_type
        self.bounds = bounds
        self.algorithm = algorithm
        self.rtol = rtol
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Store the rows and choose the bandwidth.

        Equal rows become one location with the sum of their weights. With `bandwidth`
        as a number nothing has to be chosen, and a fit costs a sort.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; at least 2 distinct ones unless `bandwidth` is numbers.
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
            If the input is not a finite table with usable weights, has too few distinct
            rows, or lies outside of the bounds; or if the bandwidth does not fit the
            features or is not positive definite. The estimator is then left as it was.

        See Also
        --------
        BandwidthDisplay : Shows how a bandwidth was chosen.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0)
        >>> density = density.fit([[0.0], [1.0], [1.0], [3.0]])
        >>> density.locations_.ravel(), density.weights_
        (array([0., 1., 3.]), array([0.25, 0.5 , 0.25]))
        """
        with unchanged_on_error(self):
            is_rule = isinstance(self.bandwidth, str)
            X, weight = self._weighted_rows(
                X, sample_weight, min_samples=2 if is_rule else 1
            )
            n_features = X.shape[1]
            given = None if is_rule else checked_kernel(self.bandwidth, n_features)
            self._family_name = self.covariance_type if is_rule else given[0]
            self._bounds = self._checked_bounds(X)
            self.locations_, self.weights_, _ = merge_duplicates(X, weight)
            for name in ("loo_score_", "bandwidths_", "loo_scores_"):
                vars(self).pop(name, None)
            if is_rule:
                self._choose(n_rows=len(X))
            else:
                self._store(given[1])
        return self

    @cached_property
    def loo_score_(self):
        """Mean leave-one-out log-likelihood under H, when it is asked for."""
        check_is_fitted(self)
        if len(self.locations_) == 1:
            return -np.inf
        ties = ties_of(self.locations_, self.weights_)
        problem = Problem.of(self._kernels(), ties)
        (trial,) = LeaveOneOut(problem.kernels, problem.unit).trials([1.0])
        return float(trial.score)

    def gradient(self, X):
        """Gradient of the log-density at every row.

        It points to where the density rises, and vanishes at its modes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to evaluate.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            In nats per unit of each feature; NaN out of bounds, where the density is
            zero.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`.

        See Also
        --------
        modes : Where the gradient vanishes, at the tops.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=2.0).fit([[0.0]])
        >>> density.gradient([[0.0], [4.0]])
        array([[ 0.],
               [-1.]])
        """
        X = self._rows(X)
        return self._kernels().gradient(X)

    def modes(self):
        """Local maxima of the density, found by mean shift from the training rows.

        At most some 2,000 rows, evenly spread over the sorted locations, are starts.

        Returns
        -------
        modes : ndarray of shape (n_modes, n_features)
            The highest first.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        gradient : What vanishes at a mode.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> X = [[0.0], [0.1], [0.2], [5.0], [5.1]]
        >>> LOOKernelDensity(bandwidth=0.5).fit(X).modes().round(2)
        array([[0.1 ],
               [5.05]])
        """
        check_is_fitted(self)
        every = -(-len(self.locations_) // MAX_STARTS)
        modes = climb(self._kernels(), self.locations_[::every])
        return modes.astype(self.locations_.dtype)

    def cdf(self, X):
        """Probability of a value of at most x, for one feature.

        A weighted sum of the kernels' own distribution functions, exact and without
        quadrature.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Where to evaluate.

        Returns
        -------
        probability : ndarray of shape (n_samples,)
            From 0 to 1, in the dtype of `X`.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table, or there is more than one feature.

        See Also
        --------
        marginal : The density of one feature, which has a `cdf`.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[-1.0], [1.0]])
        >>> density.cdf([[-9.0], [0.0], [9.0]]).round(3)
        array([0. , 0.5, 1. ])
        """
        X = self._rows(X)
        check_one_feature(self)
        return self._kernels().cdf(X[:, 0]).astype(X.dtype)

    def marginal(self, features):
        """The density of some features, whatever the others are.

        A kernel density again: the rows lose their other features, and the kernels keep
        the part of their covariance that is left.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X`, or their names, in the order that the result has.

        Returns
        -------
        density : LOOKernelDensity
            Fitted; its `bandwidth` is numbers.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such feature, or one is there twice.

        See Also
        --------
        condition : The density of features given others.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity([1.0, 2.0]).fit([[0.0, 0.0], [1.0, 5.0]])
        >>> density.marginal([1]).bandwidth_
        array([2.])
        """
        features = checked_features(self, features)
        return self._of(marginal(self._kernels(), features), features)

    def condition(self, features, values):
        """The density of the other features where some are known.

        A kernel density again: every row counts by how likely its kernel makes the
        given values.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X` that are known, or their names; not all of them.
        values : array-like of shape (n_given,)
            Their values.

        Returns
        -------
        density : LOOKernelDensity
            Fitted, of the other features in their order; its `bandwidth` is numbers.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such feature, one is there twice, none is left, or the values
            are not one finite number for each, within the bounds.

        See Also
        --------
        marginal : The density of features whatever the others are.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(0.5).fit([[0.0, 0.0], [5.0, 1.0]])
        >>> density.condition([0], [5.0]).weights_.round(3)
        array([0., 1.])
        """
        given = checked_features(self, features, leave=1)
        values = checked_values(values, given, self._bounds)
        others = np.setdiff1d(np.arange(self.n_features_in_), given)
        return self._of(conditional(self._kernels(), given, values), others)

    def _log_density(self, X):
        return self._kernels().log_density(X)

    def _draw(self, n_samples, rng):
        return self._kernels().sample(n_samples, rng)

    def _checked_bounds(self, X):
        """Bounds as an array, or None; the rows are within."""
        if self.bounds is None:
            return None
        if FAMILIES[self._family_name].rank > 1:
            raise ValueError(
                "`bounds` need kernels with independent features, which reflection at "
                "a bound leaves as they are; use covariance_type='diag' or "
                "'spherical', or give `bandwidth` one number for each feature."
            )
        bounds = checked_bounds(self.bounds, X.shape[1])
        check_within(X, bounds)
        return bounds

    def _choose(self, n_rows):
        """Choose the kernel by a rule."""
        n_locations = len(self.locations_)
        if n_locations < 2:
            raise ValueError(
                f"bandwidth={self.bandwidth!r} needs at least 2 distinct rows of "
                "positive weight, but all rows are the same. Give `bandwidth` a number."
            )
        ties = ties_of(self.locations_, self.weights_)
        is_search = self.bandwidth in SEARCHES
        if is_search:
            warn_of_ties(type(self).__name__, n_rows, n_locations, ties)
        family = FAMILIES[self._family_name]
        choice = choose(
            self.bandwidth,
            self.locations_,
            self.weights_,
            family,
            self._bounds,
            ties,
            self._summation(),
        )
        self._store(choice.cholesky)
        if is_search:
            self.loo_scores_ = choice.scores
            self.bandwidths_ = np.array(
                [_public(family, cholesky) for cholesky in choice.tried]
            )

    def _store(self, cholesky):
        """Set what tells the kernel."""
        family, self._cholesky = FAMILIES[self._family_name], cholesky
        self.bandwidth_ = _public(family, cholesky)
        with np.errstate(over="ignore"):  # in units that are out of all proportion
            covariance = family.square(cholesky)
        (self.covariance_,) = family.matrices(covariance, self.n_features_in_)

    def _summation(self):
        """How kernels are added up."""
        workspace = Workspace(effective_n_jobs(self.n_jobs))
        return partial(
            KernelSums, rtol=self.rtol, algorithm=self.algorithm, workspace=workspace
        )

    def _kernels(self):
        """The fitted density."""
        origin = self.weights_ @ self.locations_.astype(np.float64)
        kernel = Mixture.gaussian(origin, self._cholesky, FAMILIES[self._family_name])
        return Kernels(
            self.locations_, self.weights_, kernel, self._bounds, self._summation()
        )

    def _of(self, kernels, features):
        """A fitted estimator of other kernels, for some of the features."""
        density = clone(self)
        density.n_features_in_ = len(features)
        if hasattr(self, "feature_names_in_"):
            density.feature_names_in_ = self.feature_names_in_[features]
        density.locations_, density.weights_, _ = merge_duplicates(
            kernels.locations, kernels.masses
        )
        density._bounds, density._family_name = kernels.bounds, self._family_name
        density._store(kernels.kernel.cholesky)
        return density.set_params(bandwidth=density.bandwidth_, bounds=kernels.bounds)


def _public(family, cholesky):
    """A kernel as users give it: a number, standard deviations, or a covariance."""
    if family.isotropic:
        return float(cholesky[0, 0])
    return cholesky[0] if family.rank == 1 else family.square(cholesky)[0]
