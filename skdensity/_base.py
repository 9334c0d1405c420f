"""What the five estimators share: validation at the border, and the score."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skdensity._checks import check_sampling, check_weights, weighted_sum


class BaseDensity(DensityMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the density estimators, which say how to evaluate and how to draw.

    Think twice before adding anything: every estimator inherits it.
    """

    # Where the HTML representation of an estimator links to.
    _doc_link_module = "skdensity"
    _doc_link_template = (
        "https://skdensity.github.io/skdensity/api/"
        "{estimator_module}.{estimator_name}.html"
    )

    def score_samples(self, X):
        """Log-density of every row, in nats.

        The density may exceed 1: it is a probability per unit of the features, and its
        logarithm then is positive.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to evaluate.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``, float32 for float32 rows and float64 otherwise; finite
            wherever the exact value is.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`, or the fitted
            covariance is singular.

        See Also
        --------
        score : Their mean.
        sample : Draw rows from the density.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).score_samples([[1.0], [3.0]]).round(4)
        array([-0.9189, -2.9189])
        """
        X = self._rows(X)
        return self._log_density(X)

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the fitted density.

        The draws are independent of each other, and not among the training rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Source of randomness; an int gives the same draws at every call. None falls
            back on the constructor's, if it has one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `n_samples` is below 1, or the fitted covariance is singular.
        TypeError
            If `n_samples` is not an integer.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).sample(3, random_state=0).round(2)
        array([[-1.27],
               [ 2.33],
               [ 0.16]])
        """
        n_samples, rng = check_sampling(self, n_samples, random_state)
        return self._draw(n_samples, rng)

    def score(self, X, y=None, sample_weight=None):
        """Mean log-likelihood of the rows of `X`, in nats per unit of weight.

        A mean, as in scikit-learn's mixtures, so that folds of unequal size compare;
        ``KernelDensity.score`` is a sum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None weighs all rows equally.

        Returns
        -------
        score : float
            ``sum(w * log p(x)) / sum(w)``; higher is better.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`, or the weights
            are negative, all zero or not as many as the rows.

        See Also
        --------
        score_samples : The log-density of every row.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE().fit([[0.0], [2.0]])
        >>> round(density.score([[1.0], [3.0]]), 4)
        -1.9189
        >>> round(density.score([[1.0], [3.0]], sample_weight=[1, 0]), 4)
        -0.9189
        """
        log_density = self.score_samples(X)
        if sample_weight is None:
            return float(np.mean(log_density, dtype=np.float64))
        weight = check_weights(sample_weight, log_density)
        return weighted_sum(weight, log_density) / float(weight.sum())

    @abstractmethod
    def _log_density(self, X):
        """Log-density of validated rows, in nats and in their dtype."""

    @abstractmethod
    def _draw(self, n_samples, rng):
        """Independent draws from the fitted density."""

    def _rows(self, X):
        """Rows to evaluate a fitted estimator at."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=[np.float64, np.float32], reset=False)

    def _weighted_rows(self, X, sample_weight, *, min_samples=1, reset=True):
        """Rows to fit and their weights; rows of weight zero are gone."""
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_min_samples=min_samples,
            reset=reset,
        )
        weight = check_weights(sample_weight, X)
        if np.all(weight > 0):
            return X, weight
        X, weight = X[weight > 0], weight[weight > 0]
        if len(X) < min_samples:
            raise ValueError(
                f"`sample_weight` leaves n_samples={len(X)} rows of positive weight; "
                f"{type(self).__name__} needs at least {min_samples}."
            )
        return X, weight


@contextmanager
def unchanged_on_error(estimator) -> Iterator[None]:
    """Give an estimator its attributes back when a fit fails half-way."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def rows_of(sample):
    """The rows of what `sample` returns, which from mixtures has components besides."""
    return sample[0] if isinstance(sample, tuple) else sample
