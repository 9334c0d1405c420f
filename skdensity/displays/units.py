"""In the units of the data: what fitted pipelines and searches are densities of."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.base import BaseDensity
from skdensity.densities.base_gaussian import BaseGaussian
from skdensity.densities.base_mixture import BaseGaussianMixture
from skdensity.uses.changes.questions import matrix, sources
from skdensity.uses.transformed_density import TransformedDensity
from skdensity.uses.unwrapped import unwrapped

NOT_OF_THE_DATA = (
    "This pipeline tells no density of the data. {reason} Draw what its last step sees:"
    "\n    Z = pipeline[:-1].transform(X)"
    "\n    {display}.from_estimator(pipeline[-1], Z)"
)


def in_data_units(estimator: Any, display: str) -> Any:
    """The density that a fitted pipeline, search or estimator is.

    In its own class, if that has the density before the transform, too.
    """
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        estimator = _of_pipeline(estimator, display)
    if not hasattr(estimator, "sample"):
        check_is_fitted(estimator)  # a search that is not has nothing to draw
    if not isinstance(estimator, TransformedDensity):
        return estimator
    check_is_fitted(estimator)
    density = unwrapped(estimator.density_)
    if _is_affine(estimator) and _is_gaussian(density):
        return estimator.untransformed()
    shown = copy(estimator)
    shown.density_ = density
    return shown


def marginal_of(estimator: Any, features: np.ndarray) -> TransformedDensity | None:
    """The exact marginal of a transformed density, if it has any."""
    if not (isinstance(estimator, TransformedDensity) and is_by_feature(estimator)):
        return None
    if not isinstance(estimator.density_, BaseDensity):
        return None
    return estimator.marginal(features)


def is_by_feature(density: TransformedDensity) -> bool:
    """Whether every feature is transformed by itself."""
    return sources(density.transformer_, density.n_features_in_) is not None


def _of_pipeline(pipeline, display):
    try:
        return TransformedDensity.from_pipeline(pipeline)
    except NotFittedError:
        raise
    except (TypeError, ValueError) as error:
        if not hasattr(pipeline, "score_samples"):
            raise
        reason = NOT_OF_THE_DATA.format(reason=error, display=display)
        raise TypeError(reason) from error


def _is_affine(density):
    return matrix(density.transformer_, density.n_features_in_) is not None


def _is_gaussian(density):
    return isinstance(density, BaseGaussian | BaseGaussianMixture)
