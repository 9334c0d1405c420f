"""Checks that squares of values, which variances are sums of, fit into float64."""

from __future__ import annotations

import numpy as np

from skdensity.densities.feature_names import names_of_features

# More than rows that anyone has; float32 squares times as much stay finite.
MANY = 1e18
# A millionth of its square, which regularisation adds, has all digits, and an inverse.
SMALLEST = 2.0**-500


def check_squares(estimator, rows):
    """Complain of values so large or so small that sums of their squares are lost."""
    if rows.n_rows == 0:
        return
    check_large_squares(estimator, rows)
    check_small_squares(estimator, rows)


def check_small_squares(estimator, rows):
    """Complain of a feature that is not 0, and of which all squares underflow."""
    if rows.dtype == np.float32 or rows.reaches(SMALLEST).all():
        return
    sizes = rows.sizes
    small = np.flatnonzero((sizes > 0) & (sizes < SMALLEST))
    if not len(small):
        return
    feature = small[0]
    name = names_of_features(estimator, len(sizes))[feature]
    raise ValueError(
        f"Feature {name!r} has no value beyond "
        f"{sizes[feature]:.3g}, and their squares underflow: "
        f"{type(estimator).__name__} takes features from {SMALLEST:.3g} on, or zeros. "
        "Rescale the feature, for example multiply it by "
        f"1e{min(-np.log10(sizes[feature]), 300):.0f}."
    )


def check_large_squares(estimator, rows):
    """Complain of values so large that weighted sums of their squares overflow."""
    size = max(rows.n_rows, rows.total_weight)
    if rows.dtype == np.float32 and size < MANY:
        return  # their squares are not too large for sums in float64
    largest = np.sqrt(np.finfo(np.float64).max / size / (4 * rows.n_features))
    if rows.largest <= largest:
        return
    # Of what was observed: the comparison before is false of NaN, too.
    sizes = rows.sizes
    if sizes.max() <= largest:
        return
    feature = sizes.argmax()
    name = names_of_features(estimator, len(sizes))[feature]
    raise ValueError(
        f"Feature {name!r} has values up to "
        f"{sizes[feature]:.3g}, whose squares overflow: {type(estimator).__name__} "
        f"takes up to {largest:.3g} here, with weights that sum to "
        f"{rows.total_weight:.3g}. {_advice(rows, sizes, feature)}"
    )


def _advice(rows, sizes, feature):
    """What to do about squares that overflow."""
    if rows.total_weight > MANY:
        return "Divide `sample_weight` by its largest value."
    return f"Rescale the feature, for example divide it by {sizes[feature]:.0e}."
