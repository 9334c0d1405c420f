"""Mixtures to scikit-learn's and back."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted

# Arguments that mean the same to both.
SHARED = (
    "n_components",
    "tol",
    "n_init",
    "weights_init",
    "means_init",
    "random_state",
    "warm_start",
    "verbose",
    "verbose_interval",
)
# Attributes that are the same in both, where the type of the covariances is.
ATTRIBUTES = (
    "weights_",
    "means_",
    "covariances_",
    "precisions_",
    "precisions_cholesky_",
    "converged_",
    "n_iter_",
    "lower_bound_",
    "n_features_in_",
)
# What not every version, or not every fit, has.
OPTIONAL = ("lower_bounds_", "feature_names_in_")
THEIR_STARTS = ("kmeans", "k-means++", "random", "random_from_data")
# scikit-learn's default, for parameters that no fit has found.
THEIR_REG_COVAR = 1e-6


class ExchangeMixin:
    """Conversion of a fitted mixture to scikit-learn's, and from it."""

    # What BaseGaussianMixture provides.
    _check_fitted: Any
    _fitted_family: Any
    get_params: Any
    init_params: Any
    max_iter: Any
    precisions_init: Any
    reg_covar: Any

    def to_sklearn(self) -> GaussianMixture:
        """The same density as scikit-learn's ``GaussianMixture``.

        For what takes nothing else. Arrays are copied.

        Returns
        -------
        mixture : sklearn.mixture.GaussianMixture
            Fitted, with equal scores; ``"tied_diag"`` becomes ``"diag"`` and
            ``"tied_spherical"`` becomes ``"spherical"``. It can be fitted again: its
            `reg_covar` is the number that ``"auto"`` stood for in the fit, the smallest
            if it was one for each feature, or 1e-6 without a fit; its `init_params` is
            this one's if it has that, or ``"kmeans"``; and its `max_iter` is at least
            1. There `tol` is compared with the last gain alone.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        from_sklearn : The way back.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], 1.0, covariance_type="tied_spherical"
        ... )
        >>> mixture.to_sklearn().covariances_
        array([1., 1.])
        """
        self._check_fitted()
        family, ours = self._fitted_family(), vars(self)
        n_components = len(ours["means_"])
        theirs = GaussianMixture(**self._their_params(family, n_components))
        for name in ATTRIBUTES + OPTIONAL:
            if name in ours:
                setattr(theirs, name, _copied(ours[name]))
        for name in ("covariances_", "precisions_", "precisions_cholesky_"):
            setattr(theirs, name, _as_theirs(ours[name], family, n_components))
        return theirs

    def _their_params(self, family, n_components):
        params = {name: _copied(self.get_params()[name]) for name in SHARED}
        init = self.init_params
        is_theirs = isinstance(init, str) and init in THEIR_STARTS
        used = getattr(self, "_reg_covar_used", THEIR_REG_COVAR)
        precisions = self.precisions_init
        if precisions is not None:
            precisions = _as_theirs(precisions, family, n_components)
        return {
            **params,
            "n_components": n_components,
            "covariance_type": _their_family(family).name,
            "reg_covar": used if self.reg_covar == "auto" else self.reg_covar,
            "max_iter": max(1, self.max_iter),
            "init_params": init if is_theirs else "kmeans",
            "precisions_init": precisions,
        }

    @classmethod
    def from_sklearn(cls, mixture: GaussianMixture) -> Self:
        """The same density as a fitted mixture of scikit-learn.

        Attributes are copied to the bit, and arguments as they are: a further `fit`
        starts as scikit-learn's does.

        Parameters
        ----------
        mixture : sklearn.mixture.GaussianMixture
            Fitted.

        Returns
        -------
        mixture : EMGaussianMixture
            Fitted.

        Raises
        ------
        TypeError
            If `mixture` is something else.
        NotFittedError
            If it is not fitted.

        See Also
        --------
        to_sklearn : The way back.
        from_parameters : A mixture from arrays.

        Examples
        --------
        >>> from sklearn.mixture import GaussianMixture
        >>> from skdensity import EMGaussianMixture
        >>> X = [[0.0], [1.0], [7.0], [8.0]]
        >>> theirs = GaussianMixture(2, random_state=0).fit(X)
        >>> ours = EMGaussianMixture.from_sklearn(theirs)
        >>> ours.score(X) - theirs.score(X)
        0.0
        """
        if not isinstance(mixture, GaussianMixture):
            raise TypeError(
                "`mixture` must be a fitted sklearn.mixture.GaussianMixture; got "
                f"{type(mixture).__name__}. `from_parameters` takes arrays."
            )
        check_is_fitted(mixture)
        theirs = mixture.get_params()
        estimator: Any = cls(**{name: _copied(theirs[name]) for name in theirs})
        estimator.lower_bounds_ = []
        for name in ATTRIBUTES + OPTIONAL:
            if hasattr(mixture, name):
                setattr(estimator, name, _copied(getattr(mixture, name)))
        estimator._fitted_type = mixture.covariance_type
        return estimator


def _their_family(family):
    """The one of scikit-learn that holds a family: theirs ties matrices alone."""
    return family if family.shape.is_oriented else family.untied


def _as_theirs(public, family, n_components):
    """Covariances or their like in scikit-learn's shape, as a copy."""
    if _their_family(family) is family:
        return _copied(public)
    inner = family.shape.untied(family.shape.inner(public), n_components)
    dtype = np.result_type(np.asarray(public).dtype, np.float32)
    return _their_family(family).shape.public(inner).astype(dtype)


def _copied(value):
    return value.copy() if isinstance(value, np.ndarray | list) else value
