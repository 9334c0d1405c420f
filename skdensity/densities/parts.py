"""Densities of some features: whatever the others are, or given them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from skdensity.densities.checks import checked_array, feature_indices
from skdensity.passes.workspace import as_in_a_pass

# Constructor arguments that are about the features that a fit had.
ABOUT_FEATURES = ("means_init", "precisions_init", "location_init", "cholesky_init")


class PartsMixin:
    """Parts of a density whose model has ``marginal`` and ``conditional``."""

    # What BaseDensity provides.
    _dtype: Any
    _model: Any

    def marginal(self, features: ArrayLike) -> Self:
        """The density of some features, whatever the others are.

        Gaussians have Gaussian marginals, and mixtures have mixtures of as many
        components: the result is an estimator of the same kind and `covariance_type`.
        Rows of a kernel density lose their other features, and the kernels keep the
        part of their covariance that is left; its `bandwidth` is then numbers.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X`, or their names, in the order that the result has.

        Returns
        -------
        density : estimator
            Fitted: it scores and samples like any other. Its `partial_fit`, if it has
            one, begins a stream of its own.

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
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 3.0]])
        >>> density.marginal([1]).covariance_
        array([[3.]])
        """
        indices = self._indices(features)
        return as_in_a_pass(
            lambda: self._part(self._model().marginal(indices), indices)
        )

    def condition(self, features: ArrayLike, values: ArrayLike) -> Self:
        """The density of the other features where some are known.

        An estimator of the same kind again. In a mixture every component counts by how
        probable it makes the values, and so does every kernel.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X` that are known, or their names; not all of them.
        values : array-like of shape (n_given,)
            Their values.

        Returns
        -------
        density : estimator
            Fitted, of the other features in their order. Its `partial_fit`, if it has
            one, begins a stream of its own.

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
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 3.0]])
        >>> given = density.condition([0], [2.0])
        >>> given.location_, given.covariance_
        (array([2.]), array([[2.5]]))
        """
        given, model = self._indices(features, leave=1), self._model()
        known = self._known(values, given)
        others = np.setdiff1d(np.arange(model.n_features), given)
        return as_in_a_pass(lambda: self._part(model.conditional(given, known), others))

    def _indices(self, features, leave=0):
        """Features that are given by index or by name, of a fitted density."""
        names = list(getattr(self, "feature_names_in_", ()))
        return feature_indices(features, self._model().n_features, names, leave)

    def _known(self, values, given):
        """The values that are given, checked."""
        return checked_array(values, "values", (len(given),))

    def _part(self, model, features):
        """A fitted estimator of another model, for some of the features."""
        part: Any = clone(self)
        about = {name for name in ABOUT_FEATURES if name in part.get_params()}
        part.set_params(**dict.fromkeys(about))
        part.n_features_in_ = len(features)
        if hasattr(self, "feature_names_in_"):
            part.feature_names_in_ = self.feature_names_in_[features]
        part._store_model(model, self._dtype())
        return part

    @abstractmethod
    def _store_model(self, model, dtype):
        """Set the fitted attributes to those of a model that no rows stand for."""
