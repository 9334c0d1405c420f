"""A table as an array of numbers; strings among them are named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skdensity.densities.checks import DTYPES, check_numbers, quiet_sums


def checked_table(estimator: BaseEstimator, X: Any, **checks: Any) -> Any:
    """A table of numbers as an array of float64 or float32, and what else is checked.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose table it is: it remembers the features, or compares them.
    X : array-like of shape (n_samples, n_features)
        The table.
    **checks
        Passed to scikit-learn's ``validate_data``.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Its numbers; a pair with `y`, if that is among the checks.
    """
    check_numbers(X, "X")
    with strings_named(X), quiet_sums():
        checked = validate_data(estimator, X, dtype=DTYPES, **checks)
    if isinstance(checked, tuple):
        table, y = checked
        return _in_native_order(table), y
    return _in_native_order(checked)


def _in_native_order(table):
    """The same numbers, whose bytes are in the order of this machine."""
    return table.astype(table.dtype.newbyteorder("="), copy=False)


@contextmanager
def strings_named(X: Any) -> Iterator[None]:
    """An error that strings in a table cause tells their columns."""
    try:
        yield
    except ValueError as error:
        found = _strings_in(X)
        if not found:
            raise
        column, (row, string) = next(iter(found.items()))
        raise ValueError(
            f"`X` holds strings in column{'s' * (len(found) > 1)} "
            f"{', '.join(map(repr, found))}, first {string!r} in row {row} of "
            f"{column!r}, and a density is of numbers. What stands for a missing value "
            "should be NaN. Leave out a column of categories, and fit a density to the "
            'rows of each of them; the page "Mixed tables" of the user guide shows how.'
        ) from error


def _strings_in(X):
    """The columns with strings that are no numbers: for each the first, and its row."""
    try:
        columns = np.asarray(X, dtype=object).T
    except (TypeError, ValueError):
        return {}  # not a table, as scikit-learn's error says
    if columns.ndim != 2:
        return {}
    found = {}
    names = list(getattr(X, "columns", range(len(columns))))
    for name, values in zip(names, columns, strict=True):
        strings = (pair for pair in enumerate(values) if _is_mere_string(pair[1]))
        first = next(strings, None)
        if first is not None:
            found[name] = first
    return found


def _is_mere_string(value):
    """Whether it is a string that stands for no number."""
    if not isinstance(value, str | bytes):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False
