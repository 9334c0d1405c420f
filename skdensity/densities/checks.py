"""Checks of what users pass besides the rows; errors name it, and what is allowed."""

from __future__ import annotations

from datetime import date, time, timedelta
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_scalar,
)

from skdensity.callers import warn_caller
from skdensity.densities.randomness import legacy

# What objects that are times are instances of; those of pandas are among them.
TIMES = date, time, timedelta, np.datetime64, np.timedelta64
# What tables may be of; others are converted to the first.
DTYPES = [np.float64, np.float32]
# Of weights, as a power of two: the square root of the least normal number.
TINY = -511
# Where no batches follow: below this, products with small squares might underflow.
SMALL = -64


def quiet_sums():
    """Silence where scikit-learn adds up values, to see whether all are finite.

    Sums of finite values may overflow to both sides; it looks at each of them then.
    """
    return np.errstate(over="ignore", invalid="ignore")


def check_numbers(values, name):
    """Complain of what NumPy would take for numbers: times, and masked entries."""
    masked = _masked_entries(values)
    if masked:
        raise ValueError(
            f"`{name}` has {masked} masked entries, and what lies behind a mask would "
            "be taken for a number. Leave such rows out, as with "
            f"{name}[~np.ma.getmaskarray({name}).any(axis=1)], or fill them, for "
            f"example by an imputer: {name}.filled(np.nan)."
        )
    times = next(filter(_is_time, _types(values)), None)
    if times is not None:
        kind = getattr(times, "__name__", times)
        raise TypeError(
            f"`{name}` holds times ({kind}), whose numbers would depend on how they "
            "are stored. Give numbers in a unit of your choice, for example days since "
            "the first: (times - times.min()) / np.timedelta64(1, 'D')."
        )


def _masked_entries(values):
    rows = values if isinstance(values, list | tuple) else [values]
    return sum(int(np.ma.count_masked(row)) for row in rows if np.ma.isMA(row))


def _types(values):
    """The dtypes of the columns, or the types of objects, with nothing converted."""
    if isinstance(values, list | tuple):
        try:
            values = np.asarray(values)
        except (TypeError, ValueError):
            return []  # Not a table: validation says so, in scikit-learn's words.
    dtypes = getattr(values, "dtypes", getattr(values, "dtype", None))
    dtypes = list(dtypes) if np.iterable(dtypes) else [dtypes]
    if any(getattr(dtype, "kind", None) == "O" for dtype in dtypes):
        return {type(value) for value in np.asarray(values, dtype=object).flat}
    return dtypes


def _is_time(kind):
    """Whether a dtype of NumPy, pandas or polars, or a type, is one of times."""
    if isinstance(kind, type):
        return issubclass(kind, TIMES)
    of_polars = getattr(kind, "is_temporal", bool)
    return getattr(kind, "kind", None) in ("m", "M") or of_polars()


def check_weights(sample_weight, X, are_all=False):
    """Weights of rows as a float64 array, non-negative and not all zero.

    Tiny ones are multiplied by a power of two, since only their ratios count: sums of
    weighted squares would have no digits left. It is the same one for all batches of a
    stream; where these weights `are_all`, the largest becomes about 1.
    """
    check_numbers(sample_weight, "sample_weight")
    with quiet_sums():
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    _check_signs(weight)
    largest = weight.max(initial=0)
    if are_all and 0 < largest < 2.0**SMALL:
        weight = np.ldexp(weight, -np.frexp(largest)[1])
    elif largest < 2.0**TINY:
        weight = np.ldexp(weight, -TINY)
    with np.errstate(over="ignore"):
        check_total(weight.sum(), weight.max())
    return weight


def weights_of_some(sample_weight, X):
    """Weights of some of all rows, non-negative; they may all be zero."""
    weight = checked_array(sample_weight, "sample_weight", (_num_samples(X),))
    _check_signs(weight)
    return weight


def _check_signs(weight):
    if weight.min(initial=0) < 0:
        raise ValueError(
            f"`sample_weight` must be non-negative; its smallest value is "
            f"{weight.min():g}."
        )


def check_total(total, largest):
    """Complain of weights that are all zero, or of which the sum overflows."""
    if largest == 0:
        raise ValueError(
            "`sample_weight` is zero for every row; at least one must be positive."
        )
    if not np.isfinite(total):
        raise ValueError(
            f"The sum of `sample_weight` overflows; its largest value is "
            f"{largest:g}. Divide the weights by it."
        )


def weighted_sum(weight, log_density):
    """Sum of weighted log-densities; a row of weight 0 is not there, even at −inf."""
    counts = weight > 0
    with np.errstate(under="ignore"):  # of weights that are tiny
        return float(weight[counts] @ log_density[counts].astype(np.float64))


def doubt_of_weights(total, n_parameters):
    """Why a criterion says nothing, where it counts fewer rows than parameters."""
    if total >= n_parameters:
        return None
    return (
        f"{n_parameters} parameters, and the total weight is only {total:.3g}: "
        "criteria then fall for ever as components are added. They take weights as "
        "numbers of repetitions; multiply weights that are normalised by the number of "
        "rows, or use fewer components."
    )


def warn_of_light_weights(estimator, total, n_parameters):
    """Warn of a criterion that says nothing."""
    doubt = doubt_of_weights(total, n_parameters)
    if doubt:
        warn_caller(f"{type(estimator).__name__} has {doubt}")


def warn_of_repetition(estimator):
    """Warn where an array makes all runs of a fit start alike, as ``KMeans`` does."""
    if estimator.n_init == 1:
        return
    warn_caller(
        f"{type(estimator).__name__}: `init_params` is an array, from which all "
        f"n_init={estimator.n_init} runs start. Set n_init=1, or give a callable, "
        "which is called for every run.",
        RuntimeWarning,
    )


def check_sampling(estimator, n_samples, random_state):
    """Number of rows to draw, and the generator to draw them with.

    Without a `random_state` of its own, a draw falls back on the constructor's.
    """
    check_scalar(n_samples, "n_samples", Integral)
    if n_samples < 1:
        raise ValueError(
            f"Invalid value for 'n_samples': {n_samples}; it must be at least 1."
        )
    if random_state is None:
        random_state = getattr(estimator, "random_state", None)
    else:
        random_state = legacy(random_state)
    return n_samples, check_random_state(random_state)


def as_stored(values, dtype):
    """Fitted values in the dtype of the rows, but float64 where that has no room.

    Squares and inverses of float32 rows may be too large for float32, or too small.
    """
    with np.errstate(over="ignore", under="ignore"):
        stored = values.astype(dtype)
    is_lost = ~np.isfinite(stored) | ((stored == 0) & (values != 0))
    return values if np.any(is_lost & np.isfinite(values)) else stored


def inverse_as_stored(inverse, dtype):
    """As :func:`as_stored` the inverse of a covariance; complain if it overflows."""
    if not np.all(np.isfinite(inverse)):
        raise ValueError(
            "The inverse of a covariance overflows: some features have very small "
            "values and are nearly a linear combination of others. Remove one, or "
            "multiply all by a power of 10."
        )
    return as_stored(inverse, dtype)


def check_component(component, n_components):
    """Complain of an index that no component has."""
    check_scalar(component, "component", Integral)
    if not 0 <= component < n_components:
        raise ValueError(
            f"`component` is {component}; it must be from 0 to {n_components - 1}, or "
            "None for a draw of the component of each row."
        )


def checked_array(values, name, shape):
    """`values` as a finite float64 array of the given shape, () for a number."""
    check_numbers(values, name)
    with quiet_sums():
        array = check_array(
            values,
            dtype=np.float64,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,  # a number has none to count; the shape says it all
            input_name=name,
        )
    if array.shape != shape:
        raise ValueError(f"`{name}` has shape {array.shape}; expected {shape}.")
    return array


def checked_mixing_weights(weights, name, n_components):
    """Non-negative weights whose sum is 1, once float32's rounding is made up for."""
    weights = checked_shares(weights, name, n_components)
    return weights / weights.sum()


def checked_shares(shares, name, n):
    """Non-negative numbers that sum to 1, up to the rounding of float32."""
    shares = checked_array(shares, name, (n,))
    if np.any(shares < 0) or not np.isclose(shares.sum(), 1, rtol=0, atol=1e-6):
        raise ValueError(
            f"`{name}` must be non-negative and sum to 1; got {shares}, which sums to "
            f"{shares.sum():.6g}."
        )
    return shares


def checked_matrices(matrices, name, family, shape):
    """Covariances or precisions of a family, symmetric, in its inner shape.

    They are not yet known to be positive definite: factoring them tells, with the
    complaint of :func:`not_positive_definite`.
    """
    matrices = checked_array(matrices, name, family.shape.public_shape(*shape))
    matrices = family.shape.inner(matrices)
    skew = family.shape.asymmetry(matrices)
    if np.max(skew) > 1e-8:
        raise ValueError(
            f"`{name}` must be symmetric; component {skew.argmax()} differs from its "
            f"transpose by {skew.max():.2g} of its largest entry."
        )
    return matrices


def not_positive_definite(name, of_component=True):
    """Complaint about a user's matrices, for ``CovarianceFamily.cholesky``."""
    owner = " of component {component}" if of_component else ""
    return f"`{name}`{owner} is not positive definite: {{detail}}."


def feature_indices(features, n_features, names=(), leave=0):
    """Indices of features that are given by index or by name, each once.

    As many as `leave` must be left over.
    """
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
    if n_features == leave:
        raise ValueError(
            f"`features` is {features!r}, and this density has one feature: none would "
            "be left. Take `score_samples`, which tells how probable its values are."
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


def check_one_feature(method, n_features):
    """Complain if a question for one feature is put to a density of more."""
    if n_features > 1:
        raise ValueError(
            f"`{method}` is for one feature; this density has {n_features}. "
            "Take a `marginal` first."
        )


def check_whole(method, X):
    """Complain of NaN if a question is about whole rows."""
    (rows,) = np.isnan(X).any(axis=1).nonzero()
    if len(rows):
        raise ValueError(
            f"X contains NaN, first in row {rows[0]}, and `{method}` is for whole "
            "rows. Leave such rows out, or fill them in by `impute`."
        )


def checked_probabilities(q, name="q"):
    """Probabilities of any shape, as a float64 array."""
    probabilities = checked_array(q, name, np.shape(q))
    outside = probabilities[~((probabilities >= 0) & (probabilities <= 1))]
    if outside.size:
        raise ValueError(
            f"`{name}` has {outside[0]:g}; quantiles are of probabilities, from 0 to 1."
        )
    return probabilities


def checked_coverage(coverage):
    """A share between 0 and 1."""
    check_scalar(coverage, "coverage", Real)
    if not 0 < coverage < 1:
        raise ValueError(
            f"`coverage` is {coverage!r}; it must be between 0 and 1, such as 0.95."
        )
    return float(coverage)


def checked_box(lower, upper, n_features):
    """Corners (2, n_features) of a box, infinite where it has no end."""
    box = np.stack(
        [
            _checked_corner(lower, "lower", n_features),
            _checked_corner(upper, "upper", n_features),
        ]
    )
    bad = np.flatnonzero(box[0] > box[1])
    if len(bad):
        low, high = box[:, bad[0]]
        raise ValueError(
            f"`lower` is {low:g} and `upper` is {high:g} for feature {bad[0]}; the "
            "lower end of a box must not be above the upper one. Swap them."
        )
    return box


def _checked_corner(corner, name, n_features):
    numbers = np.asarray(corner, dtype=np.float64)
    if numbers.shape not in ((), (n_features,)):
        raise ValueError(
            f"`{name}` has shape {numbers.shape}; expected ({n_features},), a number "
            "for every feature, or one for all."
        )
    if np.isnan(numbers).any():
        raise ValueError(
            f"`{name}` contains NaN; use -np.inf and np.inf where a box has no end."
        )
    return np.broadcast_to(numbers, n_features)
