"""A transformer that fills in what is missing, by a density."""

from __future__ import annotations

from itertools import compress
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
)

from skdensity.callers import warn_caller
from skdensity.densities.base import unchanged_on_error
from skdensity.densities.checks import quiet_sums
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.feature_names import names_of_features
from skdensity.uses.checked import held_table, takes_nan
from skdensity.uses.fits import fitted_density

WHOLE_ROWS = (
    "X contains NaN, and density={density} takes none in `fit`. Fit the imputer to the "
    "complete rows, `X[~np.isnan(X).any(axis=1)]`, and transform all; or give a "
    "`density` that learns from incomplete rows, too, such as EMGaussianMixture()."
)


class DensityImputer(TransformerMixin, DocLinkMixin, BaseEstimator):
    r"""Imputation by the conditional density of what is missing.

    .. math:: \hat x_m = E(x_m \mid x_o)

    Parameters
    ----------
    density : estimator, default=None
        Has a method ``impute(X, sample=..., random_state=...)`` and takes NaN in `fit`,
        as the Gaussians and mixtures here; `LOOKernelDensity` can be fitted to complete
        rows, to fill in others. None is
        ``EMGaussianMixture(K)`` with the K of the least BIC: more components are tried
        while that falls and no fit is in doubt, up to 10, and as long as there are 20
        rows for each, and 5 for each of their parameters.
    sample_posterior : bool, default=False
        Whether to fill in draws from the conditional density instead of its mean.
    add_indicator : bool, default=False
        Whether to append columns that say where values were missing, for the features
        that had missing values in `fit`.
    keep_empty_features : bool, default=False
        Whether features without any value in `fit` are kept, as zeros, instead of left
        out.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the default density and of the draws.

    Attributes
    ----------
    density_ : estimator
        The fitted density, of the features that are not empty.
    indicator_ : sklearn.impute.MissingIndicator or None
        Says what was missing; None without `add_indicator`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    EMGaussianMixture.impute : The same without a pipeline.
    sklearn.impute.IterativeImputer : Regressions of each feature on the others.

    Notes
    -----
    Right where values are missing at random, given those observed. Means are what a
    prediction from the filled table needs. One draw for each row keeps the spread of
    the features, but is no proper multiple imputation: that would draw the parameters
    of the density, too.

    References
    ----------
    D. B. Rubin (1976), doi:10.1093/biomet/63.3.581.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity import DensityImputer, GaussianMLE
    >>> X = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 4.0], [3.0, np.nan]])
    >>> DensityImputer(GaussianMLE()).fit_transform(X).round(3)
    array([[0.   , 1.   ],
           [1.   , 3.   ],
           [2.   , 4.   ],
           [3.   , 5.667]])
    """

    _parameter_constraints: dict = {
        "density": [HasMethods(["fit", "impute"]), None],
        "sample_posterior": ["boolean"],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        density: Any = None,
        *,
        sample_posterior: bool = False,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        random_state: Any = None,
    ) -> None:
        self.density = density
        self.sample_posterior = sample_posterior
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit the density to what was observed.

        A clone of it; features without any value are left out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is missing.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : DensityImputer
            The fitted transformer.

        Raises
        ------
        ValueError
            If `X` is not a table, has infinities, no value at all, or what the density
            cannot be fitted to.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        Warns
        -----
        UserWarning
            If features are left out.
        Warning
            Where the density warns.

        See Also
        --------
        transform : Fill in rows.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import DensityImputer
        >>> X = load_iris().data
        >>> X[::3, 2] = np.nan
        >>> DensityImputer(random_state=0).fit(X).density_.n_components
        2
        """
        with unchanged_on_error(self):
            rows = held_table(self, X, reset=True)
            self._is_empty = np.isnan(rows).all(axis=0)
            if self._is_empty.all():
                raise ValueError(
                    "X has no value at all: there is nothing to learn from."
                )
            self.density_ = self._fitted(rows[:, ~self._is_empty])
            self.indicator_ = None
            if self.add_indicator:
                indicator = MissingIndicator(error_on_new=False)
                with quiet_sums():
                    self.indicator_ = indicator.fit(rows)
            self._tell_of_empty()
        return self

    def _tell_of_empty(self):
        if self.keep_empty_features or not self._is_empty.any():
            return
        names = names_of_features(self, self.n_features_in_)
        empty = list(compress(names, self._is_empty))
        warn_caller(
            f"DensityImputer: {empty} have no value in any row, and are left out. Set "
            "keep_empty_features=True to keep them, filled with 0."
        )

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill in what is missing.

        By conditional means, or by draws that follow `random_state`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is missing.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features_out)
            A copy without NaN; what was observed is there to the bit.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        See Also
        --------
        get_feature_names_out : Names of the columns.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import DensityImputer, GaussianMLE
        >>> imputer = DensityImputer(GaussianMLE()).fit([[0.0], [2.0], [4.0]])
        >>> imputer.transform([[np.nan], [1.0]])
        array([[2.],
               [1.]])
        """
        check_is_fitted(self)
        rows = held_table(self, X)
        seed = check_random_state(self.random_state) if self.sample_posterior else None
        known = self.density_.impute(
            rows[:, ~self._is_empty], sample=self.sample_posterior, random_state=seed
        )
        out = known
        if self.keep_empty_features:
            out = np.zeros_like(rows)
            out[:, ~self._is_empty] = known
        if self.indicator_ is None:
            return out
        with quiet_sums():
            told = self.indicator_.transform(rows)
        return np.hstack([out, told.astype(out.dtype)])

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Tell the names of the columns that `transform` gives.

        First the features, then the indicators of what was missing.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features, where `fit` saw none.

        Returns
        -------
        names : ndarray of str
            Those of the features, without those left out, and of the indicators.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If the names are not those seen in `fit`, or not as many.

        See Also
        --------
        transform : Gives these columns.

        Examples
        --------
        >>> from skdensity import DensityImputer
        >>> DensityImputer().fit([[0.0], [1.0]]).get_feature_names_out()
        array(['x0'], dtype=object)
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        out = names if self.keep_empty_features else names[~self._is_empty]
        if self.indicator_ is None:
            return out
        return np.concatenate([out, self.indicator_.get_feature_names_out(names)])

    def _fitted(self, X):
        try:
            return fitted_density(self.density, X, random_state=self.random_state)
        except ValueError as error:
            # What it says of NaN may be to take an imputer: this is one.
            if takes_nan(self.density) or not np.isnan(X).any():
                raise
            raise ValueError(WHOLE_ROWS.format(density=self.density)) from error

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
