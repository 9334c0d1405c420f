"""Starts that a user gives: labels or responsibilities of the rows, or a function.

They speak of the rows of the fit, all of them and in their order; rows of weight zero
are not there. The first M-step makes a mixture of them, block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import shared_moments, shares_of_parts
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.given import Completion, Given
from skdensity.solvers.mixtures.problem import StartProblem

Assigner = Callable[[np.ndarray, int, np.random.RandomState], Any]


@dataclass(frozen=True, eq=False)
class AssignedStart:
    """The start from an array: labels or responsibilities of rows.

    Attributes
    ----------
    values : array-like of shape (n_samples,) or (n_samples, n_components)
        Labels from 0, or responsibilities up to a factor for each row.
    rows : ArrayRows
        The rows that they are of.
    """

    values: Any
    rows: ArrayRows

    def __call__(self, problem: StartProblem, rng: np.random.RandomState) -> Mixture:
        """The first M-step."""
        who, n, k = "`init_params`", len(self.rows.X), problem.n_components
        values = _numbers(self.values, who)
        if values.shape not in ((n,), (n, k)):
            raise ValueError(
                f"{who} is an array of shape {values.shape}; expected ({n},), a label "
                f"for each row that `fit` was given, or ({n}, {k}), responsibilities. "
                "Means are given as `means_init`. For rows that are not known before, "
                "as those of a fold in cross-validation, give a callable "
                "(X, n_components, random_state) that returns such an array."
            )
        if values.shape == (k, k):
            raise ValueError(
                f"{who} is an array of shape ({k}, {k}), and n_components={k} is the "
                "number of rows: these might be responsibilities or means. Give labels "
                f"of shape ({n},) or `means_init` instead, or use fewer components."
            )
        if self.rows.index is not None:
            values = values[self.rows.index]
        return _first_step(values, self.rows.positive(), problem, who)


@dataclass(frozen=True, eq=False)
class CalledStart:
    """The start from a function of the rows.

    Attributes
    ----------
    function : callable
        Maps rows, the number of components and a generator to labels (n_samples,),
        responsibilities (n_samples, n_components) or means (n_components, n_features).
    rows : ArrayRows
        The rows that it is called with, less those of weight zero.
    """

    function: Assigner
    rows: ArrayRows

    def __call__(self, problem: StartProblem, rng: np.random.RandomState) -> Mixture:
        """The first M-step, or the start around the means."""
        rows, k = self.rows.positive(), problem.n_components
        (n, d), who = rows.X.shape, "What the callable `init_params` returns"
        if n == k:
            raise ValueError(
                f"A callable `init_params` needs more rows than n_components={k}, but "
                f"got n_samples={n}: responsibilities and means are told apart by "
                "their shapes. Give an array of labels or `means_init` instead, or use "
                "fewer components."
            )
        values = _numbers(self.function(rows.X, k, rng), who)
        if values.shape == (k, d):
            _check_finite(values, who)
            means = values.astype(np.float64)
            return Completion(Given(means=means), problem).around(means)
        if values.shape not in ((n,), (n, k)):
            raise ValueError(
                f"{who} has shape {values.shape}; expected ({n},), labels of the rows "
                f"that it is called with, ({n}, {k}), their responsibilities, or "
                f"({k}, {d}), means. Rows of weight zero are left out of the call."
            )
        return _first_step(values, rows, problem, who)


def _first_step(values, rows, problem, who):
    """The M-step of labels or responsibilities of rows that all count."""
    _check_finite(values, who)
    n_components, scatter = problem.n_components, problem.family.scatter
    if values.ndim == 1:
        labels = _checked_labels(values, n_components, who)
        shares_of = shares_of_parts(labels, n_components)
    else:
        shares_of = _shares_of_responsibilities(values, who)
    return problem.mixture(shared_moments(rows, n_components, shares_of, scatter))


def _checked_labels(labels, n_components, who):
    """Labels as indices of components, each of which occurs."""
    lowest, highest = labels.min(), labels.max()
    if lowest < 0 or highest >= n_components:
        raise ValueError(
            f"{who} must have labels from 0 to n_components - 1 = {n_components - 1}; "
            f"got labels from {lowest} to {highest}. "
            "`numpy.unique(labels, return_inverse=True)` numbers any labels from 0; "
            "rows of noise, which clusterings label -1, need a label, too."
        )
    integers = labels.astype(np.intp)
    between = labels[integers != labels]
    if len(between):
        raise ValueError(
            f"{who} must have integers as labels; got {between[0]}. Responsibilities "
            "have a column for each component."
        )
    counts = np.bincount(integers, minlength=n_components)
    _check_all_there(counts, who, "label")
    return integers


def _shares_of_responsibilities(values, who):
    """Weights times responsibilities, which sum to 1 for every row."""
    totals = values.sum(axis=1, dtype=np.float64)
    bad = values[(values.min(axis=1) < 0) | (totals == 0)]
    if len(bad):
        raise ValueError(
            f"{who} must have responsibilities that are non-negative, and not zero for "
            f"all components; got a row {bad[0]}."
        )
    _check_all_there(values.max(axis=0), who, "responsibilities for component")

    def shares_of(block, scratch):
        part = block.weight / totals[block.index]
        return part * values[block.index].T

    return shares_of


def _numbers(values, who):
    """Any array-like as an array of real numbers."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        array = np.array("")
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{who} must be an array of numbers, labels from 0 or responsibilities; "
            f"got {values!r:.80}. `numpy.unique(labels, return_inverse=True)` numbers "
            "any labels from 0."
        )
    return array


def _check_finite(values, who):
    if not np.all(np.isfinite(values)):
        raise ValueError(
            f"{who} contains NaN or infinity; every row needs a label or "
            "responsibilities that are numbers."
        )


def _check_all_there(counts, who, noun):
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        raise ValueError(
            f"{who} has no row with {noun} {missing[0]}; each of the n_components="
            f"{len(counts)} components needs one of positive weight. Use fewer "
            "components, or give them rows."
        )
