"""How certain is what is missing in rows: spread and quantiles, given what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import checked_probabilities
from skdensity.densities.tables.kinds import table_of
from skdensity.densities.tables.table import Answer
from skdensity.passes.workspace import Workspace
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.rows.rounding import rounded
from skdensity.solvers.quantiles import conditional_quantiles


class ConditionalsMixin:
    """Answers for every row, for a density whose model has ``conditioned``."""

    # What BaseDensity, PartsMixin and ImputationMixin provide.
    _check_fitted: Any
    _check_given: Any
    _check_of_rows: Any
    _indices: Any
    _model: Any
    _model_for: Any
    n_jobs: Any

    def conditional_std(
        self, X: ArrayLike, features: ArrayLike | None = None
    ) -> np.ndarray:
        """Standard deviation of what is missing, given what was observed.

        That of the conditional density whose mean `impute` fills in: what each
        Gaussian or kernel leaves open, and how far their means are apart.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is missing.
        features : array-like of int or str, default=None
            Columns of `X` to answer for, or their names. None is all of them.

        Returns
        -------
        std : ndarray of shape (n_samples, n_some)
            0 where a value is there. Of periodic features the circular standard
            deviation, which is infinite where there is no direction. float32 for
            float32 rows and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities,
            there is no such feature, or a row with NaN has a value out of bounds.

        See Also
        --------
        impute : The conditional mean, or a draw.
        conditional_quantile : The ends of intervals.

        Notes
        -----
        Of each feature by itself, whatever else is missing. Time as that of `impute`.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 3.0]])
        >>> density.conditional_std([[2.0, np.nan], [np.nan, np.nan]]).round(4)
        array([[0.    , 1.5811],
               [1.4142, 1.7321]])
        """

        def statistic(densities: Any) -> np.ndarray:
            return densities.std()

        return self._conditioned(X, features, statistic, (), np.zeros_like)

    def conditional_quantile(
        self, X: ArrayLike, q: ArrayLike, features: ArrayLike | None = None
    ) -> np.ndarray:
        """Conditional quantiles of what is missing, given what was observed.

        0.05 and 0.95 are the ends of an interval that holds 90 %, for every row by its
        own conditional density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is missing.
        q : array-like of shape (n_quantiles,) or float
            Probabilities, from 0 to 1.
        features : array-like of int or str, default=None
            Columns of `X` to answer for, or their names. None is all of them.

        Returns
        -------
        values : ndarray of shape (n_samples, n_quantiles, n_some)
            Without the second axis if `q` is a number. Where a value is there, it is
            every quantile. float32 for float32 rows and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `q` is not within [0, 1], `X` is not a table of the features seen in
            `fit`, or has infinities, there is no such feature, or a row with NaN has a
            value out of bounds.

        See Also
        --------
        quantile : Of a density of one feature.
        conditional_std : The standard deviation.

        Notes
        -----
        Of each feature by itself, whatever else is missing; around a circle from 0 on.
        Roots of distribution functions, to rounding, in some ten to fifteen steps: each
        takes O(K) for a row, with K Gaussians or kernels.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 3.0]])
        >>> X = [[2.0, np.nan], [0.0, np.nan]]
        >>> density.conditional_quantile(X, [0.05, 0.5, 0.95], features=[1])[..., 0]
        array([[-0.60..., 2.        , 4.60...],
               [-1.60..., 1.        , 3.60...]])
        """
        probabilities = checked_probabilities(q)
        if probabilities.ndim > 1:
            raise ValueError(
                f"`q` has shape {probabilities.shape}; expected (n_quantiles,) or a "
                "number."
            )

        def statistic(densities: Any) -> np.ndarray:
            values = conditional_quantiles(densities, probabilities.ravel())
            return values if probabilities.ndim else values[:, 0]

        shape = probabilities.shape
        return self._conditioned(X, features, statistic, shape, np.asarray)

    def _conditioned(self, X, features, statistic, shape, known):
        """A statistic of the conditional density of every feature of every row.

        It has `shape` for a row, whose axes come before that of the features; `known`
        says what it is of values that are there.
        """
        self._check_fitted()
        every = np.arange(self._model().n_features)
        which = every if features is None else self._indices(features)

        def values(X: np.ndarray) -> np.ndarray:
            found = self._of_holes(X, which, statistic, shape, known)
            return np.moveaxis(found, 1, -1)

        answer = Answer(values, (*shape, len(which)))
        return table_of(X).evaluate(self._check_of_rows(), answer)

    def _of_holes(
        self,
        X: np.ndarray,
        features: np.ndarray,
        statistic: Callable[[Any], np.ndarray],
        shape: tuple[int, ...],
        known: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """The statistic for checked rows, of shape (n_rows, n_some) + `shape`."""
        model, asked = self._model_for(X), X[:, features]
        out, holes = np.empty((*asked.shape, *shape), X.dtype), np.isnan(asked)
        out[...] = known(asked).reshape(asked.shape + (1,) * len(shape))
        some = holes.any(axis=1)
        if some.any():
            self._check_given(X[some])
            with Workspace(self.n_jobs) as workspace, workspace:
                rows = IncompleteRows(X[some], workspace=workspace)
                found = model.conditioned(rows, features, statistic, shape)
            out[holes] = rounded(found[holes[some]], X.dtype)
        return out
