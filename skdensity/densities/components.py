"""What a mixture tells of its components: whose a row is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.rows.row_blocks import RowBlocks


class ComponentsMixin:
    """Questions to a fitted mixture about its components."""

    # What BaseDensity provides.
    _answer: Any
    _model: Any

    def predict(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Most probable component of every row.

        The one of the largest responsibility; what is in doubt does not show.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to assign; NaN is what was not observed.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Index of each row's component.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        predict_proba : How probable each component is.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict([[0.0], [3.0]])
        array([0, 1])
        """
        return self._answer("labels", X, dtype=np.intp)

    def predict_proba(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Responsibilities: the probability of every component given the row.

        By Bayes' rule, from the weights of the components and their densities at the
        row; computed in log space, so that rows far from all components have them too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to assign; NaN is what was not observed.

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
            Rows sum to 1.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        predict : The most probable component.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict_proba([[1.0], [2.0]]).round(3)
        array([[0.982, 0.018],
               [0.5  , 0.5  ]])
        """
        return self._of_components("responsibilities", X)

    def predict_log_proba(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Log of the responsibilities, in nats.

        They tell apart what :meth:`predict_proba` rounds to 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to assign; NaN is what was not observed.

        Returns
        -------
        log_responsibilities : ndarray of shape (n_samples, n_components)
            In nats; −∞ for components of weight 0.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        predict_proba : Their exponentials.
        score_components : Log-densities of the components.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict_log_proba([[-400.0]]).round(3)
        array([[    0., -1608.]])
        """
        return self._of_components("log_responsibilities", X)

    def score_components(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Log-density of every row under every component, in nats.

        ``log N(x | k)``, without the weights of the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to evaluate; NaN is what was not observed.

        Returns
        -------
        log_density : ndarray of shape (n_samples, n_components)
            In nats, float32 for float32 rows and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        score_samples : The log-density of the mixture.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.score_components([[0.0], [2.0]]).round(4)
        array([[-0.9189, -8.9189],
               [-2.9189, -2.9189]])
        """
        return self._of_components("log_components", X)

    def _of_components(self, method, X):
        """A value of every component for every row."""
        return self._answer(method, X, shape=(self._model().n_components,))
