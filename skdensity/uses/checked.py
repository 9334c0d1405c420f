"""What estimators with a density inside check of a table, and of the density."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, get_tags

from skdensity.densities.tables.checked_table import checked_table
from skdensity.densities.tables.kinds import table_of

NOT_OF_ITS_INPUT = (
    "density={density!r} is a Pipeline: its scores are densities of what its last step "
    "sees, and no densities of its input, so that they cannot be compared or "
    "added up. Give TransformedDensity(transformer, density), which can be."
)


def held_table(
    estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool = False, **checks
) -> Any:
    """A table of float64 or float32, and targets if there are any; NaN stays.

    Examples
    --------
    >>> from skdensity import DensityImputer
    >>> from skdensity.uses.checked import held_table
    >>> held_table(DensityImputer(), [[1, 2]], reset=True)
    array([[1., 2.]])
    """
    name = type(estimator).__name__
    X = table_of(X).held(f"{name}.fit" if reset else name)
    checks = {"ensure_all_finite": "allow-nan", **checks}
    return checked_table(estimator, X, y=y, reset=reset, **checks)


def check_of_input(density: Any) -> None:
    """Complain of a pipeline, or a search for one: it is no density of its input.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.uses.checked import check_of_input
    >>> check_of_input(GaussianMLE())
    """
    whole = density
    while hasattr(whole, "estimator"):
        whole = whole.estimator
    if isinstance(whole, Pipeline) and len(whole.steps) > 1:
        raise TypeError(NOT_OF_ITS_INPUT.format(density=density))


def check_method(
    density: Any, method: str, purpose: str, name: str = "density"
) -> None:
    """Complain of a density without a method that a purpose needs.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.uses.checked import check_method
    >>> check_method(GaussianMLE(), "sample", "a draw")
    """
    if not hasattr(density, method):
        raise TypeError(
            f"{name}={density!r} has no method `{method}`, which {purpose} needs. "
            "Choose one that has, such as GaussianMLE()."
        )


def checked_scores(density: Any, X: Any) -> np.ndarray:
    """Log-densities of rows; NaN is an error, since it compares with nothing.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.uses.checked import checked_scores
    >>> checked_scores(GaussianMLE().fit([[0.0], [2.0]]), [[1.0]]).round(2)
    array([-0.92])
    """
    scores = density.score_samples(X)
    (unknown,) = np.nonzero(np.isnan(scores))
    if len(unknown):
        raise ValueError(
            f"The log-density that {density!r} gives is NaN for {len(unknown)} of "
            f"{len(scores)} rows, the first of them {_safe_indexing(X, unknown[0])}: "
            "nobody can tell whether they are probable. Leave such rows out, or choose "
            "a density that knows them, such as GaussianMLE()."
        )
    return scores


def takes_nan(density: Any) -> bool:
    """Whether a density says that it takes NaN, as what stands in for None does.

    Examples
    --------
    >>> from skdensity import GaussianMLE, LOOKernelDensity
    >>> from skdensity.uses.checked import takes_nan
    >>> takes_nan(None), takes_nan(GaussianMLE()), takes_nan(LOOKernelDensity())
    (True, True, False)
    """
    return density is None or get_tags(density).input_tags.allow_nan
