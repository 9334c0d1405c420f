"""A classifier with a density for each class."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from scipy.special import log_softmax, logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skdensity.callers import warn_caller
from skdensity.densities.base import unchanged_on_error
from skdensity.densities.checks import check_sampling, checked_mixing_weights
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.gaussian_mle import GaussianMLE
from skdensity.rows.rounding import rounded
from skdensity.uses.checked import (
    check_method,
    check_of_input,
    checked_scores,
    held_table,
    takes_nan,
)
from skdensity.uses.draws import draws_of
from skdensity.uses.fits import weighted_density
from skdensity.uses.overheard import overheard
from skdensity.uses.weights import rows_that_count


class DensityClassifier(ClassifierMixin, DocLinkMixin, BaseEstimator):
    r"""Classification by Bayes' rule, with a density for each class.

    .. math::

        P(c \mid x) = \frac{\pi_c \, p_c(x)}{\sum_k \pi_k \, p_k(x)}

    Parameters
    ----------
    density : estimator, default=None
        Has methods `fit` and `score_samples`; a clone of it is fitted to the rows of
        each class. None is ``GaussianMLE(reg_covar="auto")``.
    priors : array-like of shape (n_classes,), default=None
        Probabilities π of the classes before a row is seen, in the order of `classes_`.
        None takes their shares of the weight.
    n_jobs : int or None, default=None
        Number of classes that are fitted at the same time, by joblib. None means 1
        unless in a ``joblib.parallel_config`` context, −1 all processors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; of rows that have a positive weight.
    densities_ : list of estimators
        The fitted density of each class.
    priors_ : ndarray of shape (n_classes,)
        π.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis : With one Gaussian for
        each class.
    sklearn.naive_bayes.GaussianNB : With independent features.

    Notes
    -----
    With ``GaussianMLE()`` it is quadratic discriminant analysis, exactly: covariances
    are divided by the number of rows n of a class, as scikit-learn does from 1.9 on;
    older releases divide by n − 1. With ``GaussianMLE(covariance_type="diag")`` it is
    `GaussianNB` without its ``var_smoothing``, and with mixtures mixture discriminant
    analysis.

    Where rows have NaN, densities that know what to do are asked for that of the other
    features. Rows that no class makes possible, out of all bounds, have the priors.
    Classes tell apart what is in the table; `score_samples` tells rows that look like
    none of them.

    Each class needs enough rows for a density of its own. Log-densities of many
    features differ by much, so that probabilities are near 0 or 1 more often than they
    should be: where they matter, compare log-losses, simplify the density, or calibrate
    them by :class:`sklearn.calibration.CalibratedClassifierCV`.

    References
    ----------
    T. Hastie and R. Tibshirani (1996), doi:10.1111/j.2517-6161.1996.tb02073.x;
    H. Bensmail and G. Celeux (1996), doi:10.1080/01621459.1996.10476746; C. Fraley and
    A. E. Raftery (2002), doi:10.1198/016214502760047131.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import DensityClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = DensityClassifier().fit(X, y)
    >>> round(classifier.score(X, y), 2)
    0.98

    A flower like none of them has a low density; one of class 2 is drawn:

    >>> classifier.score_samples([[5.0, 3.5, 1.5, 0.2], [5.0, 3.5, 9.0, 0.2]]).round(1)
    array([   1.6, -223.1])
    >>> classifier.sample(1, random_state=0, label=2)[0].round(1)
    array([[7.1, 3.5, 5.3, 2.5]])
    """

    _parameter_constraints: dict = {
        "density": [HasMethods(["fit", "score_samples"]), None],
        "priors": ["array-like", None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        density: Any = None,
        *,
        priors: ArrayLike | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.density = density
        self.priors = priors
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit a density to the rows of each class.

        Rows of weight zero are not there, and a class that has no others is none.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows. NaN is what was not observed, if the density takes it.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : DensityClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the input is not a table with a label for each row and usable weights,
            the priors are no probabilities of the classes, weights are unequal and the
            density takes none, or if the density cannot be fitted to a class, as to one
            with too few rows. The estimator is then left as it was.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection; if it holds
            times; or if the density is a pipeline, whose scores lack the Jacobian.

        Warns
        -----
        Warning
            Where a class's density warns, with the class. In other threads than the
            main one warnings do not tell it.

        See Also
        --------
        predict_proba : Probabilities of the classes.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).densities_[1].location_
        array([6.])
        """
        with unchanged_on_error(self):
            weight, X, y = self._rows_to_fit(X, y, sample_weight)
            self.classes_, labels = np.unique(y, return_inverse=True)
            self.priors_ = self._checked_priors(labels, weight)
            density = self._density()
            fits = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_class)(density, label, *_rows_of(labels == k, X, weight))
                for k, label in enumerate(self.classes_.tolist())
            )
            self.densities_ = [found for found, _ in fits]
            for label, (_, heard) in zip(self.classes_.tolist(), fits, strict=True):
                _warn_of(label, heard)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Most probable class of every row.

        What is in doubt does not show, nor whether a row looks like any of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what was not observed.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Their classes.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities; or
            if a density gives NaN for a row.

        See Also
        --------
        predict_proba : How probable each class is.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).predict([[0.5], [4.0]])
        array(['a', 'b'], dtype='<U1')
        """
        log_proba = self.predict_log_proba(X)
        return self.classes_[log_proba.argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Probability of every class, given the row.

        By Bayes' rule, in log space: rows far from all classes have them, too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what was not observed.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            Rows sum to 1. In float64, whatever the rows are.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities; or
            if a density gives NaN for a row.

        See Also
        --------
        score_samples : Whether a row looks like any class.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).predict_proba([[2.0], [2.5]]).round(3)
        array([[0.985, 0.015],
               [0.235, 0.765]])
        """
        with np.errstate(under="ignore"):  # of classes that are out of the question
            return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Log of the probabilities of the classes, in nats.

        They tell apart what :meth:`predict_proba` rounds to 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what was not observed.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In nats and in float64; −∞ for a class that is impossible.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities; or
            if a density gives NaN for a row.

        See Also
        --------
        predict_proba : Their exponentials.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).predict_log_proba([[60.0]]).round(1)
        array([[-5621.8,     0. ]])
        """
        _, log_joint = self._joint(X)
        is_lost = np.isneginf(log_joint).all(axis=1)
        with np.errstate(divide="ignore"):
            log_joint[is_lost] = np.log(self.priors_)
        # Relative to the largest first: beside it log 2, of equals, may be lost.
        return log_softmax(log_joint, axis=1)

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Share of rows whose most probable class is the right one.

        The accuracy, from 0 to 1, and not a likelihood in nats; a log-loss judges
        probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what was not observed.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None weighs all rows equally.

        Returns
        -------
        score : float
            Higher is better.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities, a
            density gives NaN for a row, or there is not a class for each row.

        See Also
        --------
        score_samples : Log-densities of rows.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).score([[0.5], [4.0]], ["a", "a"])
        0.5
        """
        return float(super().score(X, y, sample_weight=sample_weight))

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        r"""Log-density of every row whatever its class, in nats.

        .. math:: p(x) = \sum_c \pi_c \, p_c(x)

        Low where a row looks like none of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what was not observed.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats, float32 for float32 rows and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities; or
            if a density gives NaN for a row.

        See Also
        --------
        predict_proba : Which class it is, if it is one of them.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> DensityClassifier().fit(X, y).score_samples([[6.0], [60.0]]).round(2)
        array([   -1.61, -1459.61])
        """
        rows, log_joint = self._joint(X)
        return rounded(logsumexp(log_joint, axis=1), rows.dtype)

    def sample(
        self, n_samples: int = 1, random_state: Any = None, *, label: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw labels and rows: a class by its prior, then a row from its density.

        The shares of the classes in the draws vary about the priors, as those of
        independent draws do.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness; an int gives the same draws at every call, an instance
            goes on.
        label : object, default=None
            The class that all rows are drawn from. None draws one for each row.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws, in random order.
        y : ndarray of shape (n_samples,)
            Their labels.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `n_samples` is below 1, or there is no such class.
        TypeError
            If `n_samples` is not an integer, or the density has no method `sample`.

        See Also
        --------
        score_samples : Evaluate the density that rows are drawn from.

        Examples
        --------
        >>> from skdensity import DensityClassifier
        >>> X, y = [[0.0], [1.0], [5.0], [7.0]], ["a", "a", "b", "b"]
        >>> classifier = DensityClassifier().fit(X, y)
        >>> X, y = classifier.sample(4, random_state=1)
        >>> X.ravel().round(2), y
        (array([-0.05,  7.14, -0.33, -0.68]), array(['a', 'b', 'a', 'a'], dtype='<U1'))
        """
        check_is_fitted(self)
        n_samples, rng = check_sampling(self, n_samples, random_state)
        check_method(self.densities_[0], "sample", "DensityClassifier.sample")
        if label is None:
            labels = rng.choice(len(self.classes_), size=n_samples, p=self.priors_)
        else:
            labels = np.full(n_samples, self._index(label))
        X: Any = None
        for k, count in enumerate(np.bincount(labels)):
            if count:
                rows = draws_of(self.densities_[k], count, rng)
                X = np.empty((n_samples, rows.shape[1]), rows.dtype) if X is None else X
                X[labels == k] = rows
        return X, self.classes_[labels]

    def _rows_to_fit(self, X, y, sample_weight):
        """Weights, rows and labels, without rows of weight zero."""
        X, y = held_table(self, X, y, reset=True)
        check_classification_targets(y)
        return rows_that_count(sample_weight, X, y)

    def _checked_priors(self, labels, weight):
        """The priors that are given, or shares of the weight."""
        n_classes = len(self.classes_)
        if self.priors is None:
            mass = np.bincount(labels, weight, n_classes)
            return mass / mass.sum()
        shape = np.shape(self.priors)
        if shape != (n_classes,):
            raise ValueError(
                f"`priors` has shape {shape}; expected ({n_classes},), one for each of "
                f"the classes {self.classes_.tolist()}."
            )
        return checked_mixing_weights(self.priors, "priors", n_classes)

    def _density(self):
        check_of_input(self.density)
        return GaussianMLE(reg_covar="auto") if self.density is None else self.density

    def _joint(self, X):
        """Checked rows, and log π_c p_c(x) of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        X = held_table(self, X)
        # In float64: differences of log-densities count, which are large.
        rows = X.astype(np.float64, copy=False)
        columns = [checked_scores(density, rows) for density in self.densities_]
        with np.errstate(divide="ignore"):
            return X, np.column_stack(columns) + np.log(self.priors_)

    def _index(self, label):
        """Where a class is among all."""
        if np.ndim(label) == 0:
            (found,) = np.nonzero(self.classes_ == label)
            if len(found) == 1:
                return found[0]
        raise ValueError(
            f"`label` is {label!r}; it must be one of the classes "
            f"{self.classes_.tolist()}, or None for a draw of the label of each row."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = takes_nan(self.density)
        return tags


def _rows_of(is_here, X, weight):
    return X[is_here], None if weight is None else weight[is_here]


def _fit_class(density, label, X, weight):
    """The density of a class, and what it warned of; errors tell which."""
    try:
        with overheard() as heard:
            found = weighted_density(density, X, weight)
            found.score_samples(X[:1])  # a singular one has parameters, and no density
    except ValueError as error:
        rows = "1 sample" if len(X) == 1 else f"{len(X)} samples"
        raise ValueError(
            f"density={density} cannot be fitted to class {label!r}, which has {rows}: "
            f"{error}"
        ) from error
    return found, heard


def _warn_of(label, heard):
    """Repeat the warnings of a class's density to the caller of `fit`."""
    for category, text in heard:
        warn_caller(f"DensityClassifier: class {label!r}: {text}", category)
