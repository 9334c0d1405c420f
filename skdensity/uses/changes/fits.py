"""How a transformer and a density of what it gives are fitted, or taken as fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils._metadata_requests import _raise_for_params, _routing_enabled
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from skdensity.uses.changes.questions import changed, inverse, quietly
from skdensity.uses.checked import check_of_input
from skdensity.uses.fits import fitted_clone
from skdensity.uses.unwrapped import unwrapped
from skdensity.uses.weights import weights_for


def fit_arguments(estimator: Any, weight: np.ndarray | None, params: dict) -> tuple:
    """What the `fit` of the transformer gets besides rows, and what the density's."""
    parts = estimator.transformer, estimator.density
    if _routing_enabled():
        routed = process_routing(estimator, "fit", sample_weight=weight, **params)
        found = [
            dict(routed[name]["fit"]) if part is not None else {}
            for name, part in zip(("transformer", "density"), parts, strict=True)
        ]
    else:
        _raise_for_params(params, estimator, "fit")
        found = [
            {} if weight is None or part is None else weights_for(part, weight)
            for part in parts
        ]
    if estimator.density is None and weight is not None:
        found[1] = {"sample_weight": weight}
    return tuple(found)


def fitted_transformer(transformer: Any, X: Any, arguments: dict) -> Any:
    """A fitted clone; of nothing, the identity."""
    if transformer is None:
        transformer = FunctionTransformer()
    with np.errstate(all="ignore"):  # what comes to nothing is looked for next
        return fitted_clone(transformer, X, **arguments)


def changed_rows(transformer: Any, rows: np.ndarray) -> np.ndarray:
    """Rows after a transform that is a change of variables there, or an error."""
    terms, _, Z = changed(transformer, rows)
    (outside,) = np.nonzero(terms == -np.inf)
    if len(outside):
        raise ValueError(
            f"X has rows where the density would be 0, first {rows[outside[0]]}: the "
            f"transformer {transformer!r} is not defined there, or flat, infinitely "
            "steep or too large. Leave such rows out, or take another transformer: "
            "FunctionTransformer(np.log1p) for amounts that may be 0, "
            "PowerTransformer() for numbers of both signs."
        )
    if Z.shape != rows.shape:
        raise ValueError(
            f"{transformer!r} makes {Z.shape[1]} columns of {rows.shape[1]} features; "
            "a density needs as many, from which the features can be told."
        )
    inverse(transformer, Z[:1])
    return Z


def of_pipeline(pipeline: Any) -> tuple:
    """The transformer and density of a pipeline or a search, and its features."""
    pipeline = unwrapped(pipeline)
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline, "score_samples"):
        raise TypeError(
            "Expected a Pipeline that ends in a density, which has `score_samples`, or "
            f"a fitted search for one; got {pipeline!r}."
        )
    density = pipeline[-1]
    check_of_input(density)
    check_is_fitted(density)
    steps = pipeline[:-1] if len(pipeline.steps) > 1 else FunctionTransformer()
    # Of others' densities the last step may not have counted them, but the first has.
    first = density if hasattr(density, "n_features_in_") else pipeline
    with quietly():
        names = getattr(pipeline, "feature_names_in_", None)
        return steps, density, first.n_features_in_, names
