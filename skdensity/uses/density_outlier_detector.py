"""Rows that a density makes improbable, by a threshold that fresh rows keep to."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils import assert_all_finite, check_array, indexable
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names,
    check_is_fitted,
    validate_data,
)

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.checks import (
    DTYPES,
    check_numbers,
    check_weights,
    quiet_sums,
)
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.tables.kinds import table_of
from skdensity.uses.checked import checked_scores, takes_nan
from skdensity.uses.fits import weighted_density
from skdensity.uses.left_out import (
    leave_out,
    rounding,
    weight_up_to,
    weighted_quantile,
)
from skdensity.uses.own_bytes import in_own_bytes

FRESH_ROWS = (
    "`{method}` is about fresh rows, and novelty=False judges the rows of the fit, by "
    "`fit_predict`. Set novelty=True to judge others."
)
FITTED_ROWS = (
    "`fit_predict` judges the rows of the fit, and novelty=True judges fresh ones: "
    "call `fit`, and `predict` with others. Set novelty=False to judge those of the "
    "fit."
)
NEVER_LEFT_OUT = (
    "novelty=False judges every row by a density that has not seen it, but `cv` leaves "
    "out only {n} of {n_rows}. Use folds, such as cv=5; a share that is held out is "
    "for novelty=True."
)


def _for_fresh_rows(method: str) -> Callable[[Any], bool]:
    """Whether a method is there, which judges rows that were not in the fit."""

    def check(detector):
        if not detector.novelty:
            raise AttributeError(FRESH_ROWS.format(method=method))
        return True

    return check


def _for_fitted_rows(detector: Any) -> bool:
    """Whether `fit_predict` is there."""
    if detector.novelty:
        raise AttributeError(FITTED_ROWS)
    return True


def _is_complete(X: Any) -> bool:
    """Whether no value is missing."""
    try:
        with quiet_sums():
            assert_all_finite(X)
    except (TypeError, ValueError):  # of pandas.NA, and of NaN
        return False
    return True


class DensityOutlierDetector(OutlierMixin, DocLinkMixin, BaseEstimator):
    r"""Outliers as rows of low density, with a threshold that keeps its promise.

    .. math::

        \hat p(x) < t, \qquad
        t = \inf \Bigl\{ s : \sum_{i \,:\, \hat p_{-i}(x_i) \le s} w_i
            \ge \text{contamination} \cdot \sum_i w_i \Bigr\}

    The threshold is a quantile of the densities of rows left out, each by a density
    that has not seen it. Rows that a density was fitted to are more probable to it than
    fresh ones, so that a quantile of theirs flags too many: of ten features and 500
    rows not 5 % but, with narrow kernels, nearly all.

    Parameters
    ----------
    density : estimator, default=None
        Has methods ``fit(X)`` and ``score_samples(X)``, the log-density of rows: one of
        this library's, a scikit-learn one or a pipeline. None is
        ``EMGaussianMixture(K)`` with the K of the least BIC, chosen anew in every fit:
        more components are tried while that falls and no fit is in doubt, up to 10, as
        long as there are 20 rows for each, and 5 for each of its parameters.
    contamination : float, default=0.1
        In (0, 0.5]. With `novelty`, the share of fresh rows to be flagged if all are
        like those of the fit; otherwise the share of outliers among those of the fit.
    novelty : bool, default=True
        Whether to judge fresh rows: `predict` and its relatives are then there.
        Otherwise the rows of the fit are judged, by `fit_predict` alone.
    cv : int, float, splitter, iterable or None, default=5
        How rows are left out. A number of folds, to which rows are dealt at random;
        None is 5. A density with an attribute ``loo_log_density_``, such as
        `LOOKernelDensity`, is instead asked for its leave-one-out scores. A splitter,
        or a list of pairs (train, test), that leaves out a row at most once; one by
        groups is such a list, ``list(GroupKFold(5).split(X, groups=groups))``. A float
        is the share of rows to hold out: the density is then fitted to the others
        only, and p-values are valid in finite samples.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the default density and of how rows are left out.

    Attributes
    ----------
    density_ : estimator
        The fitted density: to all rows, or all that were not held out.
    left_out_scores_ : ndarray of shape (n_samples,)
        Log-density of each row, in nats, by a density that has not seen it; NaN if all
        have.
    offset_ : float
        Log-density, in nats, below which a fresh row is flagged: the quantile of
        `left_out_scores_`, of level `contamination`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    LOOKernelDensity : Its `loo_log_density_` are leave-one-out scores.
    sklearn.neighbors.LocalOutlierFactor : Rows that are sparser than their neighbours.
    sklearn.ensemble.IsolationForest : Rows that are separated by few random cuts.
    sklearn.covariance.EllipticEnvelope : One Gaussian, robustly.

    Notes
    -----
    If fresh rows and those of the fit are exchangeable, the threshold flags about
    ⌈n · contamination⌉ / (n + 1) of the former, n being the rows left out, whether the
    density is a good one or not. A good one flags more of the others. Where scores
    tie, as those of features of few values do, it is no more than that.

    A share held out makes the p-values of `p_values` valid in finite samples,
    P(p ≤ α) ≤ α for every α (split conformal inference). Folds and leave-one-out use
    all rows for both, and compare scores by densities that differ by a few rows. If
    leaving out a fold changes the log-density of a row by more than ε with a
    probability of at most ν, then

    .. math:: P(p_\varepsilon \le \alpha) \le \alpha + 2 \sqrt \nu,

    where :math:`p_\varepsilon` counts left-out scores up to ε above the row's: for,
    with the row's own fold left out of all n + 1 rows, scores are exchangeable, and at
    most a share √ν of them has moved further than ε, but with probability √ν. Without
    such stability nothing can be promised; cross-conformal p-values, which score a row
    by the density of every fold in turn, keep P(p ≤ α) below about 2 α whatever the
    density (Barber et al. 2021).

    Weights count repetitions, in the threshold, in shares and in p-values. They do not
    have to be integers; but weights that sum to 1 stand for one row.

    Missing values are for densities that learn from incomplete rows. A row with fewer
    values has another density, often a higher one: the promise is then one for all
    rows together, if fresh ones miss values as those of the fit did.

    References
    ----------
    S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia (2023),
    doi:10.1214/22-AOS2244; V. Vovk (2015), doi:10.1007/s10472-013-9368-4; R. F. Barber,
    E. J. Candès, A. Ramdas and R. J. Tibshirani (2021), doi:10.1214/20-AOS1965.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity import DensityOutlierDetector, LOOKernelDensity
    >>> rng = np.random.RandomState(0)
    >>> X, X_new = rng.standard_normal((2, 500, 10))
    >>> detector = DensityOutlierDetector(LOOKernelDensity(), contamination=0.05)
    >>> detector = detector.fit(X)
    >>> print(f"{np.mean(detector.predict(X_new) == -1):.1%} of fresh rows")
    5.6% of fresh rows

    The quantile of the training scores is no threshold:

    >>> naive = np.quantile(detector.score_samples(X), 0.05)
    >>> print(f"{np.mean(detector.score_samples(X_new) < naive):.0%}")
    97%

    How unusual is a row? Rarer than all 500:

    >>> detector.p_values([[0.0] * 10, [2.0] * 10]).round(3)
    array([1.   , 0.002])
    """

    _parameter_constraints: dict = {
        "density": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "novelty": ["boolean"],
        "cv": ["cv_object", Interval(RealNotInt, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        density: Any = None,
        *,
        contamination: float = 0.1,
        novelty: bool = True,
        cv: Any = 5,
        random_state: Any = None,
    ) -> None:
        self.density = density
        self.contamination = contamination
        self.novelty = novelty
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the density, and find the threshold from rows left out.

        A clone of it, and one for every fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in whatever form the density takes.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : DensityOutlierDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If the density cannot be fitted to the rows, or to those outside of a fold,
            or gives NaN for a row that is left out;
            if weights are unequal and its `fit` takes none; or if `cv` leaves out a row
            twice, none that counts, one that is in the same fit, or, without `novelty`,
            not all. The detector is then left as it was.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        Warns
        -----
        Warning
            Where the density warns, which is fitted for every fold.

        See Also
        --------
        predict : Judge fresh rows.
        fit_predict : Judge the rows of the fit.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import DensityOutlierDetector, GaussianMLE
        >>> detector = DensityOutlierDetector(GaussianMLE(), random_state=0)
        >>> round(detector.fit(load_iris().data).offset_, 1)
        -4.8
        """
        with unchanged_on_error(self):
            validate_data(self, X, skip_check_array=True)
            X = self._table(X)
            weight = None if sample_weight is None else check_weights(sample_weight, X)
            self.density_, self.left_out_scores_ = leave_out(
                self._fitted, X, weight, self.cv, self.random_state
            )
            self._left_out_weight = self._checked_weight(weight)
            self._takes_nan = takes_nan(self.density) or not _is_complete(X)
            scores, weight = self._left_out()
            self.offset_ = weighted_quantile(scores, weight, self.contamination)
        return self

    @available_if(_for_fitted_rows)
    def fit_predict(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> np.ndarray:
        """Flag the rows of the fit that are least probable to the others.

        Without `novelty` only. A row is flagged if rows as improbable as it, itself
        included, are no more than a share of `contamination`: where scores do not tie,
        exactly that share is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in whatever form the density takes.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        label : ndarray of shape (n_samples,)
            −1 for outliers, 1 for other rows.

        Raises
        ------
        ValueError
            Where `fit` raises it.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.
        AttributeError
            If `novelty` is True.

        Warns
        -----
        Warning
            Where `fit` warns.

        See Also
        --------
        predict : Judge fresh rows.

        Examples
        --------
        >>> from skdensity import DensityOutlierDetector, LOOKernelDensity
        >>> detector = DensityOutlierDetector(
        ...     LOOKernelDensity(bandwidth=1.0), contamination=0.25, novelty=False
        ... )
        >>> detector.fit_predict([[0.0], [1.0], [9.0], [0.5]])
        array([ 1,  1, -1,  1])
        """
        self.fit(X, sample_weight=sample_weight)
        scores, weight = self._left_out()
        at_most = weight_up_to(scores, weight, self.left_out_scores_)
        most = self.contamination * weight.sum() * (1 + rounding(weight))
        return np.where(at_most <= most, -1, 1)

    @available_if(_for_fresh_rows("predict"))
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Flag fresh rows whose density is below the threshold.

        With `novelty` only. Rows of the fit are more probable to the density than such
        rows are: fewer of them are flagged.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that were not in the fit.

        Returns
        -------
        label : ndarray of shape (n_samples,)
            −1 for outliers, 1 for other rows.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If `X` is no table that the density takes, or has NaN, which those of the
            fit had not, and the density does not say that it takes any; or if the
            density gives NaN for a row.
        AttributeError
            If `novelty` is False.

        See Also
        --------
        p_values : How unusual rows are.
        fit_predict : Judge the rows of the fit.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import DensityOutlierDetector
        >>> detector = DensityOutlierDetector(random_state=0).fit(load_iris().data)
        >>> detector.predict([[5.0, 3.4, 1.5, 0.2], [5.0, 3.4, 3.0, 0.2]])
        array([ 1, -1])
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    @available_if(_for_fresh_rows("decision_function"))
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Log-density above the threshold, in nats.

        With `novelty` only. Negative for rows that are flagged.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that were not in the fit.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If `X` is no table that the density takes, or has NaN, which those of the
            fit had not, and the density does not say that it takes any; or if the
            density gives NaN for a row.
        AttributeError
            If `novelty` is False.

        See Also
        --------
        predict : Its sign.

        Examples
        --------
        >>> from skdensity import DensityOutlierDetector, LOOKernelDensity
        >>> detector = DensityOutlierDetector(LOOKernelDensity(bandwidth=1.0))
        >>> detector.fit([[0.0], [1.0], [3.0]]).decision_function([[1.0]]).round(2)
        array([2.07])
        """
        scores = self.score_samples(X)
        # Where both are −inf a row is on the threshold, and their difference is none.
        with np.errstate(invalid="ignore"):
            decision = scores - self.offset_
        decision[scores == self.offset_] = 0
        return decision

    @available_if(_for_fresh_rows("score_samples"))
    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Log-density of rows, in nats.

        With `novelty` only; those of the rows of the fit are `left_out_scores_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that were not in the fit.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            What ``density_.score_samples`` says.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If `X` is no table that the density takes, or has NaN, which those of the
            fit had not, and the density does not say that it takes any; or if the
            density gives NaN for a row.
        AttributeError
            If `novelty` is False.

        See Also
        --------
        decision_function : The same above the threshold.

        Examples
        --------
        >>> from skdensity import DensityOutlierDetector, LOOKernelDensity
        >>> detector = DensityOutlierDetector(LOOKernelDensity(bandwidth=1.0))
        >>> detector.fit([[0.0], [1.0], [3.0]]).score_samples([[1.0]]).round(2)
        array([-1.46])
        """
        check_is_fitted(self)
        _check_feature_names(self, X, reset=False)
        X = self._table(X)
        if not self._takes_nan:
            with quiet_sums():
                assert_all_finite(X, input_name="X")
        return checked_scores(self.density_, X)

    @available_if(_for_fresh_rows("p_values"))
    def p_values(self, X: ArrayLike) -> np.ndarray:
        r"""How probable it is that a fresh row has so low a density, or a lower one.

        With `novelty` only. For n rows left out, with scores :math:`s_i`, a row of
        score s has

        .. math:: p = \frac{1 + \#\{i : s_i \le s\}}{n + 1}

        If it is like the rows of the fit, :math:`P(p \le \alpha) \le \alpha`: exactly
        where `cv` is a share, nearly for folds and leave-one-out (see Notes of the
        class).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that were not in the fit.

        Returns
        -------
        p : ndarray of shape (n_samples,)
            From 1 / (n + 1) to 1.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If `X` is no table that the density takes, or has NaN, which those of the
            fit had not, and the density does not say that it takes any; or if the
            density gives NaN for a row.
        AttributeError
            If `novelty` is False.

        See Also
        --------
        predict : One threshold for all rows.
        scipy.stats.false_discovery_control : Many rows at once.

        Notes
        -----
        Of many rows some have small values by chance. To flag rows so that at most a
        share q of those flagged are inliers, on average, flag where
        ``scipy.stats.false_discovery_control(p) <= q``: p-values from one share held
        out depend on each other in a way that keeps this level (Bates et al. 2023).

        References
        ----------
        S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia (2023),
        doi:10.1214/22-AOS2244.

        Examples
        --------
        >>> from skdensity import DensityOutlierDetector, LOOKernelDensity
        >>> detector = DensityOutlierDetector(LOOKernelDensity(bandwidth=1.0))
        >>> detector.fit([[0.0], [1.0], [3.0]]).p_values([[1.0], [2.0], [5.0]])
        array([1.  , 1.  , 0.25])
        """
        scores, weight = self._left_out()
        at_most = weight_up_to(scores, weight, self.score_samples(X))
        # Sums of the same weights in another order may differ.
        return np.minimum((1 + at_most) / (1 + weight.sum()), 1)

    def _table(self, X):
        """Rows as the density takes them, which may be by the names of columns."""
        X = table_of(X).held(type(self).__name__)
        if self.density is None:
            check_numbers(X, "X")
            with quiet_sums():
                return check_array(X, dtype=DTYPES, ensure_all_finite="allow-nan")
        (X,) = indexable(X)
        return in_own_bytes(X)

    def _fitted(self, X, weight):
        """The density of some rows."""
        return weighted_density(self.density, X, weight, random_state=self.random_state)

    def _checked_weight(self, weight):
        """Weights of the rows in the threshold; without novelty all must be there."""
        is_left_out = ~np.isnan(self.left_out_scores_)
        n, n_rows = int(is_left_out.sum()), len(is_left_out)
        if n < n_rows and not self.novelty:
            raise ValueError(NEVER_LEFT_OUT.format(n=n, n_rows=n_rows))
        return is_left_out * (1.0 if weight is None else weight)

    def _left_out(self):
        """Scores and weights of the rows that were left out."""
        check_is_fitted(self)
        counts = self._left_out_weight > 0
        return self.left_out_scores_[counts], self._left_out_weight[counts]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = takes_nan(self.density)
        return tags
