"""Checks of what users pass to a kernel density, and what they are told of ties."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdensity._checks import checked_array, checked_matrices, not_positive_definite
from skdensity.models.covariances import FAMILIES
from skdensity.passes.ties import MIN_REPEATED, Ties


def checked_kernel(bandwidth, n_features):
    """Name of the family and Cholesky factor of a kernel that is given by numbers."""
    n_axes = np.ndim(bandwidth)
    if n_axes < 2:
        widths = checked_array(bandwidth, "bandwidth", (n_features,) * n_axes)
        if not np.all(widths > 0):
            raise ValueError(f"`bandwidth` must be positive; got {bandwidth}.")
        return ("diag", widths[None]) if n_axes else ("spherical", widths[None, None])
    family = FAMILIES["tied"]  # one matrix, whose shape has no axis of components
    covariance = checked_matrices(bandwidth, "bandwidth", family, (1, n_features))
    complaint = not_positive_definite("bandwidth").replace(
        " of component {component}", ""
    )
    return "full", family.cholesky(covariance, complaint)


def check_one_feature(density):
    """Complain if the density has more than one feature."""
    if density.n_features_in_ > 1:
        raise ValueError(
            f"`cdf` is for one feature; this density has {density.n_features_in_}. "
            "Take a `marginal` first."
        )


def checked_features(density, features, leave=0):
    """Indices of features that are given by index or by name, each once.

    As many as `leave` must be left over.
    """
    check_is_fitted(density)
    n_features = density.n_features_in_
    names = list(getattr(density, "feature_names_in_", ()))
    indices = []
    for feature in np.atleast_1d(np.asarray(features, dtype=object)):
        if isinstance(feature, str) and feature in names:
            indices.append(names.index(feature))
        elif _is_index(feature) and 0 <= feature < n_features:
            indices.append(int(feature))
        else:
            known = f", or one of {names}" if names else ""
            raise ValueError(
                f"`features` has {feature!r}; expected an index from 0 to "
                f"{n_features - 1}{known}."
            )
    if not 0 < len(indices) <= n_features - leave or len(set(indices)) < len(indices):
        raise ValueError(
            f"`features` must name from 1 to {n_features - leave} features, each once; "
            f"got {features!r}."
        )
    return np.array(indices)


def _is_index(feature):
    # True is an int, too, but a mask is not a list of indices.
    return isinstance(feature, (int, np.integer)) and not isinstance(feature, bool)


def checked_values(values, features, bounds):
    """One finite number within the bounds for each of some features."""
    values = checked_array(values, "values", (len(features),))
    if bounds is not None:
        lower, upper = bounds[features].T
        outside = np.flatnonzero((values < lower) | (values > upper))
        if len(outside):
            worst = outside[0]
            raise ValueError(
                f"`values` has {values[worst]:g} for feature {features[worst]}, which "
                f"is bounded by ({lower[worst]:g}, {upper[worst]:g})."
            )
    return values


def warn_of_ties(estimator: str, n_rows: int, n_locations: int, ties: Ties | None):
    """Say how many rows coincide with others, and what is made of that."""
    repeated = 1 - n_locations / n_rows
    if repeated >= MIN_REPEATED:
        warnings.warn(
            f"{estimator}: {repeated:.0%} of the rows coincide with others; "
            f"{_reading(ties)}.",
            UserWarning,
            # Past `_choose`, `fit` and scikit-learn's wrapper of it.
            stacklevel=5,
        )


def _reading(ties):
    if ties is None:
        return (
            "all copies of a row are left out together, so that they do not ask for a "
            "bandwidth of 0. If they were rounded, keep more digits, or give "
            "`bandwidth` a number"
        )
    if ties.steps is None:
        return (
            "a few values occur again and again, and count once when the bandwidth is "
            "chosen. If they are a value of their own, such as exact zeros, model "
            "them apart from the others"
        )
    steps = ", ".join(f"{step:g}" for step in np.unique(ties.steps)[:4])
    return (
        f"their values are multiples of {steps}, so they are taken as rounded: only "
        "one row is left out at a time, and the bandwidth is at least half a step"
    )
