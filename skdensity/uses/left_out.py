"""Scores of rows by densities that have not seen them, and where others rank."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, ShuffleSplit, check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skdensity.uses.checked import checked_scores

# Folds where nobody says how many, as in scikit-learn.
FOLDS = 5
NONE_LEFT = (
    "cv={cv} leaves none of {n_rows} rows of positive weight to fit to. Use a smaller "
    "share, or more rows."
)
TOO_FEW = (
    "cv={n_folds} folds need as many rows, and only {n_rows} have a positive weight. "
    "Use fewer folds, a density that tells its leave-one-out scores, such as "
    "LOOKernelDensity(), or more rows."
)
TWICE = (
    "`cv` leaves out a row more than once, so that some would count more than others. "
    "Use a splitter that leaves out every row once, such as KFold, or a share."
)
SEEN = (
    "`cv` has a row both in a fit and among those left out of it, and what has seen a "
    "row finds it too probable. Use a splitter that keeps them apart, such as KFold, "
    "or a share."
)
NONE_LEFT_OUT = (
    "`cv` leaves out no row that counts: there is nothing to judge by. Use a splitter, "
    "such as KFold, or a share; a generator of splits is used up by its first fit, so "
    "make a list of it."
)
Fit = Callable[[Any, np.ndarray | None], Any]


def leave_out(
    fit: Fit, X: Any, weight: np.ndarray | None, cv: Any, random_state: Any
) -> tuple[Any, np.ndarray]:
    """A density for fresh rows, and scores of rows that were left out.

    A density that tells its leave-one-out scores is asked for them, where `cv` is no
    more than a number of folds. A share that is held out is never a part of the fit.

    Parameters
    ----------
    fit : callable
        Gives a fitted density of rows and their weights, or None.
    X : array-like of shape (n_samples, n_features)
        The rows.
    weight : ndarray of shape (n_samples,) or None
        Their weights.
    cv : int, float, splitter, iterable or None
        How rows are left out: see :class:`DensityOutlierDetector`.
    random_state : int, RandomState instance or None
        Deals rows to folds, or chooses those that are held out.

    Returns
    -------
    density : object
        Fitted to all rows, or to all that are not held out.
    scores : ndarray of shape (n_samples,)
        Log-densities by what has not seen the row; NaN where everything has.

    Examples
    --------
    >>> from skdensity import LOOKernelDensity
    >>> from skdensity.uses.left_out import leave_out
    >>> def fit(X, weight):
    ...     return LOOKernelDensity(bandwidth=1.0).fit(X, sample_weight=weight)
    >>> leave_out(fit, [[0.0], [1.0], [3.0]], None, 5, None)[1].round(2)
    array([-2.09, -1.91, -3.53])
    """
    rows = _that_count(X, weight)
    if isinstance(cv, float):
        # One pair of rows to fit to and rows to hold out.
        ((train, test),) = _splits(X, rows, cv, random_state)
        density = fit(*_part(X, weight, train))
        scores = checked_scores(density, _safe_indexing(X, test))
        return density, _together(X, weight, density, [(test, scores)])
    density = fit(X, None) if weight is None else fit(*_part(X, weight, rows))
    if _is_number(cv) and _leaves_out(density):
        return density, _together(
            X, weight, density, [(rows, density.loo_log_density_)]
        )
    parts = (
        (test, checked_scores(fit(*_part(X, weight, train)), _safe_indexing(X, test)))
        for train, test in _splits(X, rows, cv, random_state)
    )
    return density, _together(X, weight, density, parts)


def _leaves_out(density):
    """Whether it tells what each row is to the others; a frozen one saw others yet."""
    is_frozen = isinstance(density, FrozenEstimator)
    return not is_frozen and hasattr(density, "loo_log_density_")


def _that_count(X, weight):
    """The numbers of rows of positive weight: no density is shown others."""
    return np.arange(_num_samples(X)) if weight is None else np.flatnonzero(weight)


def _is_number(cv):
    """Whether it says how many folds there are, or leaves that to us."""
    return cv is None or isinstance(cv, Integral)


def _splits(X, rows, cv, random_state):
    """Pairs of rows to fit to and rows to leave out, by their numbers."""
    if not _is_number(cv) and not isinstance(cv, float):
        return _disjoint(check_cv(cv).split(X), _num_samples(X))
    if isinstance(cv, float):
        if len(rows) - np.ceil(cv * len(rows)) < 1:
            raise ValueError(NONE_LEFT.format(cv=cv, n_rows=len(rows)))
        splitter = ShuffleSplit(1, test_size=cv, random_state=random_state)
    else:
        n_folds = cv or FOLDS
        if n_folds > len(rows):
            raise ValueError(TOO_FEW.format(n_folds=n_folds, n_rows=len(rows)))
        splitter = KFold(n_folds, shuffle=True, random_state=random_state)
    return ((rows[train], rows[test]) for train, test in splitter.split(rows))


def _disjoint(splits, n_rows):
    """Splits whose rows are left out once, and of the fit that they are left out of."""
    rows = np.arange(n_rows)
    times = np.zeros(n_rows, dtype=int)
    for split in splits:
        # By their numbers, if it was by a mask.
        train, test = (np.atleast_1d(rows[part]) for part in split)
        times += np.bincount(test, minlength=n_rows)
        if times.max() > 1:
            raise ValueError(TWICE)
        if np.isin(test, train).any():
            raise ValueError(SEEN)
        if len(test):
            yield train, test


def _part(X, weight, rows):
    """Some rows, without those of weight zero, and their weights."""
    if weight is None:
        return _safe_indexing(X, rows), None
    rows = rows[weight[rows] > 0]
    return _safe_indexing(X, rows), weight[rows]


def _together(X, weight, density, parts):
    """Scores of all rows, from those of parts of them."""
    scores = np.full(_num_samples(X), np.nan)
    is_left_out = np.zeros(len(scores), dtype=bool)
    for rows, values in parts:
        scores[rows] = values
        is_left_out[rows] = True
    if not is_left_out[_that_count(X, weight)].any():
        raise ValueError(NONE_LEFT_OUT)
    if weight is not None:
        # No density has seen rows of weight zero, whatever they were dealt to.
        unseen = np.flatnonzero(~is_left_out & (weight == 0))
        if len(unseen):
            scores[unseen] = checked_scores(density, _safe_indexing(X, unseen))
    return scores


def weighted_quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The smallest value up to which there is a share of the weight or more.

    The inverse of the distribution function, as NumPy's ``method="inverted_cdf"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.uses.left_out import weighted_quantile
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1, 2, 1]), 0.5)
    1.0
    """
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order])
    least = share * cumulative[-1] * (1 - rounding(weight))
    return float(values[order][np.searchsorted(cumulative, least)])


def weight_up_to(values: np.ndarray, weight: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The total weight of the values that are not above each of some others.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.uses.left_out import weight_up_to
    >>> values, weight = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    >>> weight_up_to(values, weight, np.array([0.0, 1.0, 2.5]))
    array([0., 2., 3.])
    """
    order = np.argsort(values, kind="stable")
    cumulative = np.concatenate([[0.0], np.cumsum(weight[order])])
    return cumulative[np.searchsorted(values[order], at, side="right")]


def rounding(weight: np.ndarray) -> float:
    """By how much the share of some weights may be off: each sum rounds once a term.

    Weights that are 0.1 for every row would otherwise not count as equal ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.uses.left_out import rounding
    >>> bool(0 < rounding(np.ones(100)) < 1e-13)
    True
    """
    return (len(weight) + 2) * np.finfo(np.float64).eps
