"""Weights of rows on their way to a transformer or a density, which may take none."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import has_fit_parameter

from skdensity.densities.checks import check_weights
from skdensity.uses.own_bytes import in_own_bytes

NONE_TAKEN = (
    "`sample_weight` has unequal weights, and the `fit` of {estimator} takes none: "
    "without them the fit would be that of other rows. {advice}"
)
OTHER_TRANSFORMERS = (
    "Take a transformer that does, such as StandardScaler(), or one that learns "
    "nothing, such as FunctionTransformer(np.log)."
)
OTHER_DENSITIES = (
    "Choose a density that does, such as GaussianMLE() or EMGaussianMixture(), or "
    "repeat rows where weights are counts."
)
BY_REQUEST = (
    "Weights reach its parts by metadata routing: "
    "sklearn.set_config(enable_metadata_routing=True), and "
    "StandardScaler().set_fit_request(sample_weight=True) for each that takes them."
)


def rows_that_count(sample_weight: Any, *tables: Any) -> tuple[Any, ...]:
    """Weights that are positive, and what tables have in these rows.

    None stands for equal weights, and stays.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.uses.weights import rows_that_count
    >>> rows_that_count([1, 0, 2], np.array([3.0, 4.0, 5.0]))
    (array([1., 2.]), array([3., 5.]))
    """
    if sample_weight is None:
        return None, *tables
    weight = check_weights(sample_weight, tables[0])
    if weight.all():
        return weight, *tables
    kept = np.flatnonzero(weight)
    return weight[kept], *(
        _safe_indexing(in_own_bytes(table), kept) for table in tables
    )


def weights_for(estimator: Any, sample_weight: np.ndarray) -> dict[str, Any]:
    """Arguments of `fit` that give weights to an estimator, or to a pipeline's steps.

    Equal weights are those of an estimator that takes none; None, which stands for the
    default mixture, takes any.
    """
    if isinstance(estimator, Pipeline):
        return {
            f"{name}__{key}": value
            for name, step in estimator.steps
            if step not in (None, "passthrough")
            for key, value in weights_for(step, sample_weight).items()
        }
    if estimator is None or has_fit_parameter(estimator, "sample_weight"):
        return {"sample_weight": sample_weight}
    if _learns_nothing(estimator) or np.ptp(sample_weight) == 0:
        return {}
    raise ValueError(NONE_TAKEN.format(estimator=estimator, advice=_advice(estimator)))


def _advice(estimator):
    if isinstance(estimator, ColumnTransformer):
        return BY_REQUEST
    return OTHER_TRANSFORMERS if hasattr(estimator, "transform") else OTHER_DENSITIES


def _learns_nothing(transformer):
    if isinstance(transformer, ColumnTransformer):
        parts = [part for _, part, _ in transformer.transformers]
        return all(map(_learns_nothing, [*parts, transformer.remainder]))
    if isinstance(transformer, Pipeline):
        return all(_learns_nothing(step) for _, step in transformer.steps)
    if transformer is None or isinstance(transformer, str | FrozenEstimator):
        return True
    return not get_tags(transformer).requires_fit
