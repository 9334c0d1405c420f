"""A regressor that conditions a density of rows and targets."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.checks import (
    check_numbers,
    check_sampling,
    checked_array,
    checked_probabilities,
)
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.passes.blocks import row_blocks
from skdensity.rows.rounding import rounded
from skdensity.uses.checked import check_method, held_table, takes_nan
from skdensity.uses.fits import weighted_density
from skdensity.uses.weights import rows_that_count


class DensityRegressor(RegressorMixin, DocLinkMixin, BaseEstimator):
    r"""Regression by conditioning a density of the features and the targets.

    .. math:: p(y \mid x) = \frac{p(x, y)}{p(x)}, \qquad \hat y(x) = E(y \mid x)

    Parameters
    ----------
    density : estimator, default=None
        Has methods `fit`, for rows of features and targets, and `impute`, as the five
        densities here; `predict_quantiles`, `log_density` and standard deviations need
        its `conditional_quantile`, `score_samples` and `conditional_std`. None is
        ``EMGaussianMixture(K)`` with the K of the least BIC: more components are tried
        while that falls, up to 10, and as long as there are 20 rows for each, and 5 for
        each of their parameters.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the default density.

    Attributes
    ----------
    density_ : estimator
        The fitted density, of the features and, in the last columns, the targets.
    n_outputs_ : int
        Number of targets.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    DensityImputer : Fills in whatever is missing.
    sklearn.gaussian_process.GaussianProcessRegressor : Intervals that are Gaussian.

    Notes
    -----
    One joint Gaussian is linear least squares, exactly, with the residual sum of
    squares over n as variance of a prediction. A mixture is a regression for each
    component, each row with its own weights, means and spreads: predictions bend,
    intervals are wider where targets vary more, and have parts where there are several
    answers. Kernels with ``covariance_type="diag"`` are the Nadaraya–Watson estimator.
    Nothing is integrated or looped over: the conditionals of a block of rows are a few
    arrays.

    The density maximises the likelihood of p(x, y), not that of p(y | x): components
    are spent on where features are, too, and a table with many features that tell
    nothing of the targets is better served by a regression, or by fewer features. In
    return NaN in `X` needs no imputer: what is not known of a row is integrated out,
    exactly. Scale the features for kernels of one bandwidth.

    Intervals are those of the fitted density; what is not known of its parameters shows
    nowhere, so that with few rows for each parameter they are too short.

    References
    ----------
    Mixtures: Z. Ghahramani and M. I. Jordan (1994), *Supervised learning from
    incomplete data via an EM approach*, NIPS 6; D. A. Cohn, Z. Ghahramani and
    M. I. Jordan (1996), doi:10.1613/jair.295. Kernels: E. A. Nadaraya (1964),
    doi:10.1137/1109020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity import DensityRegressor, GaussianMLE
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [1.0, 3.0, 4.0, 6.0]
    >>> regressor = DensityRegressor(GaussianMLE()).fit(X, y)
    >>> regressor.predict([[1.0], [4.0]])
    array([2.7, 7.5])

    Answers with a spread, as an interval, and where it is not known what is asked:

    >>> mean, std = regressor.predict([[1.0], [np.nan]], return_std=True)
    >>> mean.round(3), std.round(3)
    (array([2.7, 3.5]), array([0.224, 1.803]))
    >>> regressor.predict_quantiles([[1.0]], [0.05, 0.95]).round(2)
    array([[2.33, 3.07]])
    """

    _parameter_constraints: dict = {
        "density": [HasMethods(["fit", "impute"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, density: Any = None, *, random_state: Any = None) -> None:
        self.density = density
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the density to rows of features and targets.

        A clone of it; rows of weight zero are not there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows. NaN is what was not observed, if the density takes it.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : DensityRegressor
            The fitted regressor.

        Raises
        ------
        ValueError
            If the input is not a table with finite targets for each row and usable
            weights, weights are unequal and the density takes none, or the density
            cannot be fitted to the rows. The regressor is then left as it was.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        Warns
        -----
        Warning
            Where the density warns.

        See Also
        --------
        predict : Conditional means.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> DensityRegressor(GaussianMLE()).fit(X, y).density_.location_
        array([1.5, 3.5])
        """
        with unchanged_on_error(self):
            weight, joint = self._rows_to_fit(X, y, sample_weight)
            self.density_ = weighted_density(
                self.density, joint, weight, random_state=self.random_state
            )
        return self

    def predict(
        self, X: ArrayLike, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Conditional mean of the targets of every row.

        It has the least squared error. Where there are several answers it may be none
        of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is not known.
        return_std : bool, default=False
            Whether to return the conditional standard deviation, too.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
            As `y` had it in `fit`; float32 for float32 rows and float64 otherwise.
        std : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Only if `return_std` is true.

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities or
            values out of bounds.
        TypeError
            If standard deviations are asked for, and the density has no method
            `conditional_std`.

        See Also
        --------
        predict_quantiles : The ends of intervals.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> DensityRegressor(GaussianMLE()).fit(X, y).predict([[1.5], [10.0]])
        array([ 3.5, 17.1])
        """
        if return_std:
            self._check_method("conditional_std", "predict(return_std=True)")
        rows, dtype = self._asked(X)
        mean = self._as_targets(self.density_.impute(rows)[:, self._targets], dtype)
        if not return_std:
            return mean
        std = self.density_.conditional_std(rows, features=self._targets)
        return mean, self._as_targets(std, dtype)

    def predict_quantiles(self, X: ArrayLike, quantiles: ArrayLike) -> np.ndarray:
        """Conditional quantiles of each target of every row.

        0.05 and 0.95 are the ends of an interval that holds the target with 90 %, as
        far as the density is right.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is not known.
        quantiles : array-like of shape (n_quantiles,) or float
            Probabilities, from 0 to 1.

        Returns
        -------
        values : ndarray of shape (n_samples, n_quantiles)
            With an axis of targets at the end, if `y` had one in `fit`, and without one
            of quantiles if `quantiles` is a number.

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If a quantile is not within [0, 1], or `X` is not a table of the features
            seen in `fit`, or has infinities or values out of bounds.
        TypeError
            If the density has no method `conditional_quantile`.

        See Also
        --------
        predict : Means, and standard deviations.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> regressor = DensityRegressor(GaussianMLE()).fit(X, y)
        >>> regressor.predict_quantiles([[1.5], [10.0]], [0.25, 0.75]).round(2)
        array([[ 3.35,  3.65],
               [16.95, 17.25]])
        """
        self._check_method("conditional_quantile", "predict_quantiles")
        checked_probabilities(quantiles, "quantiles")
        rows, dtype = self._asked(X)
        values = self.density_.conditional_quantile(
            rows, quantiles, features=self._targets
        )
        return self._as_targets(values, dtype)

    def sample_y(
        self, X: ArrayLike, n_samples: int = 1, random_state: Any = 0
    ) -> np.ndarray:
        """Draw targets of every row from their conditional density.

        Those of several targets belong together.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows; NaN is what is not known.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance, Generator or None, default=0
            Source of randomness; an int gives the same draws at every call, an instance
            goes on. None falls back on the constructor's.

        Returns
        -------
        y : ndarray of shape (n_rows, n_samples) or (n_rows, n_targets, n_samples)
            Independent draws.

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If `n_samples` is below 1, or `X` is not a table of the features seen in
            `fit`, or has infinities or values out of bounds.
        TypeError
            If `n_samples` is not an integer.

        See Also
        --------
        log_density : The density that they are drawn from.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> regressor = DensityRegressor(GaussianMLE()).fit(X, y)
        >>> regressor.sample_y([[1.5], [10.0]], 3).round(2)
        array([[ 3.59,  4.  ,  3.28],
               [17.07, 17.19, 17.43]])
        """
        rows, dtype = self._asked(X)
        n_samples, rng = check_sampling(self, n_samples, random_state)
        out = np.empty((len(rows), n_samples, self.n_outputs_))
        for block in row_blocks(len(rows), 8 * n_samples * rows.shape[1]):
            repeated = np.repeat(rows[block], n_samples, axis=0)
            filled = self.density_.impute(repeated, sample=True, random_state=rng)
            out[block] = filled[:, self._targets].reshape(out[block].shape)
        return self._as_targets(out if self._is_flat else np.moveaxis(out, 1, 2), dtype)

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        r"""Tell R², the share of the variance of the targets that means explain.

        Not a likelihood in nats, which is the mean of `log_density`.

        .. math:: R^2 = 1 - \frac{\sum_i w_i (y_i - \hat y_i)^2}
            {\sum_i w_i (y_i - \bar y)^2}

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is not known.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None weighs all rows equally.

        Returns
        -------
        score : float
            At most 1; the mean over several targets.

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities or
            values out of bounds, or there is not a target for each row.

        See Also
        --------
        log_density : What judges predicted distributions.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> round(DensityRegressor(GaussianMLE()).fit(X, y).score(X, y), 4)
        0.9846
        """
        return float(super().score(X, y, sample_weight=sample_weight))

    def log_density(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Log-density of the targets of every row given its features, in nats.

        ``log p(x, y) - log p(x)``: its mean over fresh rows tells how good predicted
        distributions are, where R² tells it of means alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is not known.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(y | x)``, in nats per row.

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities or
            values where the density is 0, or the targets are not finite and as many as
            in `fit`.
        TypeError
            If the density has no method `score_samples`.

        See Also
        --------
        score : R² of the means.

        Examples
        --------
        >>> from skdensity import DensityRegressor, GaussianMLE
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 6.0]
        >>> regressor = DensityRegressor(GaussianMLE()).fit(X, y)
        >>> regressor.log_density([[1.5], [1.5]], [3.5, 4.5]).round(2)
        array([ 0.58, -9.42])
        """
        self._check_method("score_samples", "log_density")
        rows, dtype = self._asked(X)
        shape = (len(rows),) if self._is_flat else (len(rows), self.n_outputs_)
        targets = checked_array(y, "y", shape)
        whole = rows.copy()
        whole[:, self._targets] = targets.reshape(len(rows), -1)
        of_features = self.density_.score_samples(rows)
        nowhere = np.flatnonzero(np.isneginf(of_features))
        if len(nowhere):
            raise ValueError(
                f"X has rows where the density of the features is 0, first row "
                f"{nowhere[0]}: nothing follows from what cannot be. Leave them out."
            )
        return rounded(self.density_.score_samples(whole) - of_features, dtype)

    def _rows_to_fit(self, X, y, sample_weight):
        """Weights, and rows of features and targets, without those of weight zero."""
        check_numbers(y, "y")
        checks = {"reset": True, "multi_output": True, "y_numeric": True}
        X, y = held_table(self, X, y, **checks)
        self._is_flat, joint = y.ndim == 1, np.column_stack([X, y])
        self.n_outputs_ = joint.shape[1] - X.shape[1]
        return rows_that_count(sample_weight, joint)

    @property
    def _targets(self):
        """Where they are in rows of the density."""
        return self.n_features_in_ + np.arange(self.n_outputs_)

    def _asked(self, X):
        """Checked rows with NaN for their targets, in float64, and their dtype."""
        check_is_fitted(self)
        X = held_table(self, X)
        rows = np.full((len(X), X.shape[1] + self.n_outputs_), np.nan)
        rows[:, : X.shape[1]] = X
        return rows, X.dtype

    def _as_targets(self, values, dtype):
        """Values with the axis of targets that `y` had in `fit`, or none."""
        return rounded(values[..., 0] if self._is_flat else values, dtype)

    def _check_method(self, method, purpose):
        """Complain where the density cannot tell what is asked for."""
        check_is_fitted(self)
        check_method(self.density_, method, f"DensityRegressor.{purpose}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = takes_nan(self.density)
        return tags
