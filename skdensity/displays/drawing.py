"""What the displays share: colours, axes, names, and densities of some features."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skdensity.densities.base import BaseDensity
from skdensity.densities.checks import check_numbers, feature_indices
from skdensity.densities.loo_kernel_density import LOOKernelDensity
from skdensity.densities.tables.checked_table import strings_named
from skdensity.displays.units import marginal_of
from skdensity.rows.array_rows import ArrayRows

# Okabe and Ito's colours, told apart by all kinds of colour vision, in print as well.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F"),
)
# Values beyond this leave no room for windows, and none for what matplotlib computes.
LARGEST = 1e300
# Inches of a corner of many features, either way: it fits a page.
PAGE = 8.0


def pyplot(display: str) -> Any:
    """Matplotlib's interface, or an error that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display} needs matplotlib to draw: python -m pip install "
            '"skdensity[plot]".'
        ) from error
    return plt


def axes_for(ax: Any, display: str, n: int = 1) -> np.ndarray:
    """A square of n times n axes: those given, or those of a new figure."""
    plt = pyplot(display)
    if ax is None:
        figsize = (5.6, 4.5) if n == 1 else (min(2.7 * n, PAGE), min(2.5 * n, PAGE))
        _, ax = plt.subplots(n, n, figsize=figsize, squeeze=False, layout="constrained")
        return ax
    axes = np.atleast_1d(np.asarray(ax, dtype=object))
    if axes.size != n**2:
        raise ValueError(
            f"`ax` has {axes.size} axes; {display} of these features needs "
            f"{n**2}. Leave `ax` out for a new figure, or choose `features`."
        )
    return axes.reshape(n, n)


def limits_of(ax: Any) -> tuple[tuple[float, float], ...]:
    """Limits that were set along x and y, by a curve that is there or beside it.

    An interval from ∞ to −∞ where none were, which adds nothing to another.
    """
    free = ax.get_autoscalex_on(), ax.get_autoscaley_on()
    limits = ax.get_xlim(), ax.get_ylim()
    nothing = np.inf, -np.inf
    return tuple(nothing if f else limit for f, limit in zip(free, limits, strict=True))


def flipped(along: Any, across: Any, is_horizontal: bool) -> tuple:
    """x and y of what lies along a feature's axis, which may be either."""
    return (across, along) if is_horizontal else (along, across)


def shown_features(
    estimator: Any, n_features: int, features: Any, X: Any = None
) -> tuple[np.ndarray, list[str]]:
    """Indices and names of the features to show; None is all of them.

    Names are those seen in `fit`, or those of the rows that are shown, or numbers.
    """
    names = getattr(estimator, "feature_names_in_", getattr(X, "columns", ()))
    names = list(names) if len(names) == n_features else []
    if features is None:
        indices = np.arange(n_features)
    else:
        indices = feature_indices(list(features), n_features, names)
    return indices, [str(names[i]) if names else f"feature {i}" for i in indices]


def log_density_of(
    estimator: Any, features: np.ndarray, draws: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """The log-density of some features as a function.

    Where there are no marginals, as of densities that others wrote, a kernel density of
    draws stands for one.
    """
    if isinstance(estimator, BaseDensity):
        # Past validation, which would miss the names of the features.
        model = estimator._model().marginal(features)
        return lambda X: model.log_density(ArrayRows(X))
    if len(features) < draws.shape[1]:
        part = marginal_of(estimator, features)
        if part is not None:
            return partial(_scores, part)
        # A width for each feature, whose units may differ.
        stand_in = LOOKernelDensity("scott", covariance_type="diag")
        return stand_in.fit(draws[:, features]).score_samples
    order = np.argsort(features)
    return lambda X: _scores(estimator, X[:, order])


def columns_of(X: Any, features: np.ndarray, n_features: int) -> np.ndarray | None:
    """Some columns of rows, which may be a data frame, or None for no rows.

    What is missing is not drawn, and need not be refused.
    """
    if X is None:
        return None
    check_numbers(X, "X")
    with strings_named(X):
        rows = check_array(X, dtype=np.float64, ensure_all_finite=False, input_name="X")
    if rows.shape[1] < n_features:
        raise ValueError(
            f"`X` has {rows.shape[1]} features, and the density has {n_features}. Give "
            "rows with all of them; `features` chooses which are shown."
        )
    return rows[:, features]


def check_drawable(draws: np.ndarray, owner: str) -> None:
    """Complain of values so large that the margins of axes would overflow."""
    largest = float(np.abs(draws).max())
    if not largest <= LARGEST:
        raise ValueError(
            f"{owner}: the density reaches values of {largest:.3g}, and pictures up to "
            f"{LARGEST:g} only. Rescale the features before the fit."
        )


def checked_coverages(coverage: Any) -> tuple[float, ...]:
    """Shares of probability, at least one, each between 0 and 1."""
    try:
        shares = tuple(float(share) for share in coverage)
    except (TypeError, ValueError):
        shares = ()
    if not shares or not all(0 < share < 1 for share in shares):
        raise ValueError(
            "`coverage` must be a list of numbers between 0 and 1, such as "
            f"(0.5, 0.9), with 68 % as (0.68,); got {coverage!r}."
        )
    return shares


def checked_n_points(n_points: Any, least: int) -> int:
    """A number of points."""
    if not isinstance(n_points, Integral) or n_points < least:
        raise ValueError(
            f"`n_points` must be an integer of at least {least}; got {n_points!r}."
        )
    return int(n_points)


def _scores(estimator, X):
    with warnings.catch_warnings():
        # Those of whoever fitted it on a data frame.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        return np.asarray(estimator.score_samples(X))
