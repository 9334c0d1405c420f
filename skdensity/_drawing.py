"""What the displays share: colours, axes, names, and densities of some features."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdensity._kernel import checked_features
from skdensity.models.covariances import FAMILIES
from skdensity.models.mixture import Mixture

# Okabe and Ito's colours, told apart by all kinds of colour vision, in print as well.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F"),
)


def pyplot(display):
    """Matplotlib's interface, or an error that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display} needs matplotlib to draw: python -m pip install "
            '"skdensity[plot]".'
        ) from error
    return plt


def axes_for(ax, display, n=1):
    """A square of n times n axes: those given, or those of a new figure."""
    plt = pyplot(display)
    if ax is None:
        size = 3.2 * max(n, 1.4)
        figsize = 1.25 * size, size
        _, ax = plt.subplots(n, n, figsize=figsize, squeeze=False, layout="constrained")
        return ax
    axes = np.atleast_1d(np.asarray(ax, dtype=object))
    if axes.size != n**2:
        raise ValueError(
            f"`ax` has {axes.size} axes; {display} of these features needs "
            f"{n**2}. Leave `ax` out for a new figure, or choose `features`."
        )
    return axes.reshape(n, n)


def shown_features(estimator, features):
    """Indices of the features of a fitted estimator to show; None is all of them."""
    check_is_fitted(estimator)
    if features is None:
        features = range(estimator.n_features_in_)
    return checked_features(estimator, list(features))


def names_of(estimator, features):
    """Names of features: those seen in `fit`, or their numbers."""
    names = getattr(estimator, "feature_names_in_", None)
    return [
        f"feature {feature}" if names is None else str(names[feature])
        for feature in features
    ]


def gaussians_of(estimator, features):
    """The mixture that a mixture or a single Gaussian is, for some of its features."""
    if hasattr(estimator, "means_"):
        mixture = estimator._mixture()
    else:
        mixture = estimator._fitted()
    matrices = mixture.family.matrices(mixture.covariances, mixture.means.shape[1])
    matrices = np.broadcast_to(matrices, (len(mixture.means), *matrices.shape[1:]))
    part = matrices[:, features][:, :, features]
    full = FAMILIES["full"]
    return Mixture.from_cholesky(
        mixture.weights,
        mixture.means[:, features],
        full.cholesky(part, "{detail}"),
        full,
    )


def density_of(estimator, features):
    """The log-density of some features, whatever the others are, as a function."""
    if len(features) == estimator.n_features_in_:
        order = np.argsort(features)
        # Past validation, which would miss the names of the features.
        return lambda X: estimator._log_density(X[:, order])
    if hasattr(estimator, "marginal"):
        return estimator.marginal(features)._log_density
    return gaussians_of(estimator, features).log_density


def columns_of(X, features):
    """Some columns of rows, which may be a data frame, or None for no rows."""
    return None if X is None else np.asarray(X)[:, features]
