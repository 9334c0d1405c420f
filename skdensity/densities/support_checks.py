"""Checks of where rows can be: bounds and periods."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from skdensity.models.kernels.shapes import KernelShape

# Of bounds and periods; sums of squares of what is farther overflow.
FARTHEST = 1e152


def checked_folds(
    bounds: ArrayLike | None,
    periodic: ArrayLike | None,
    n_features: int,
    shape: KernelShape,
) -> dict[str, np.ndarray | None]:
    """A user's bounds and periods, as :meth:`Support.of` takes them."""
    for name, folds in {"bounds": bounds, "periodic": periodic}.items():
        if folds is not None and not shape.is_independent:
            raise ValueError(
                f"`{name}` need kernels with independent features, which are folded "
                "back one by one; use covariance_type='diag' or 'spherical', or give "
                "`bandwidth` one number for each feature."
            )
    walls = None if bounds is None else checked_bounds(bounds, n_features)
    periods = None if periodic is None else checked_periods(periodic, n_features)
    if walls is not None and periods is not None:
        both = np.flatnonzero(np.isfinite(walls).any(axis=1) & np.isfinite(periods))
        if len(both):
            raise ValueError(
                f"Feature {both[0]} has `bounds` and is `periodic`; a circle has no "
                "ends. Give it (None, None) in `bounds`, or None in `periodic`."
            )
    return {"bounds": walls, "periods": periods}


def checked_bounds(bounds, n_features):
    """Lower and upper bounds (n_features, 2) of every feature; None is infinite.

    One pair of numbers stands for all features.
    """
    ends = np.array(bounds, dtype=object)
    if ends.shape == (2,):
        ends = np.tile(ends, (n_features, 1))
    if ends.shape != (n_features, 2):
        raise ValueError(
            f"`bounds` has shape {ends.shape}; expected a pair (lower, upper), or one "
            f"for each of the {n_features} features, with None where there is no bound."
        )
    ends = np.where(ends == None, [-np.inf, np.inf], ends)  # noqa: E711, elementwise
    try:
        ends = ends.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"`bounds` must be numbers or None; got {bounds!r}.") from None
    bad = np.flatnonzero(~(ends[:, 0] < ends[:, 1]))
    if len(bad):
        lower, upper = ends[bad[0]]
        raise ValueError(
            f"`bounds` of feature {bad[0]} are ({lower:g}, {upper:g}); the lower one "
            "must be smaller."
        )
    _check_near(ends, "bounds")
    return ends


def checked_periods(periodic, n_features):
    """The period of every feature, (n_features,); infinite for what is no circle.

    One number stands for all features.
    """
    periods = np.array(periodic, dtype=object)
    if periods.ndim == 0:
        periods = np.tile(periods, n_features)
    if periods.shape != (n_features,):
        raise ValueError(
            f"`periodic` has shape {periods.shape}; expected a period for each of the "
            f"{n_features} features, None for those that are not periodic, or one "
            "number for all."
        )
    for feature, period in enumerate(periods):
        is_number = isinstance(period, Real) and not isinstance(period, bool | np.bool_)
        if period is not None and not (is_number and 0 < period < np.inf):
            raise ValueError(
                f"`periodic` is {period!r} for feature {feature}; expected the length "
                "of its period, a positive number such as 360 for degrees, or None if "
                "it is not periodic."
            )
    is_none = periods == None  # noqa: E711, elementwise
    periods = np.where(is_none, np.inf, periods).astype(np.float64)
    _check_near(periods, "periodic")
    return periods


def _check_near(folds, name):
    """Complain of ends or periods so far away that their squares overflow."""
    far = folds[np.isfinite(folds) & (np.abs(folds) > FARTHEST)]
    if len(far):
        raise ValueError(
            f"`{name}` has {far[0]:g}; kernels know of none beyond {FARTHEST:g}. Give "
            "None where there is none, or rescale the feature."
        )


def check_within(locations, support, numbers, names):
    """Complain of rows outside of the bounds, naming that with the lowest number."""
    outside = np.flatnonzero(~support.contains(locations))
    if not len(outside):
        return
    i = min(outside, key=lambda row: numbers[row])
    for feature, axis in support.axes.items():
        value = locations[i, [feature]]
        if not axis.contains(value)[0]:
            raise ValueError(
                f"`bounds` exclude rows: feature {names[feature]!r} of row "
                f"{numbers[i]} is {value[0]:g}, not within ({axis.lower:g}, "
                f"{axis.upper:g}). Widen the bounds or remove such rows."
            )


def check_known(X, support, names):
    """Complain of known values outside of the bounds, in rows with holes (NaN)."""
    for feature, axis in support.axes.items():
        x = X[:, feature]
        outside = x[~(axis.contains(x) | np.isnan(x))]
        if len(outside):
            raise ValueError(
                f"`X` has {outside[0]:g} for feature {names[feature]!r}, which is "
                f"bounded by ({axis.lower:g}, {axis.upper:g}), in a row with NaN: the "
                "density is 0 there, and tells nothing of what is missing. Leave such "
                "values out."
            )
