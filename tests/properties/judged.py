"""What a call of an estimator may do: answer rightly, or refuse with a reason.

An error is right where a docstring lists its kind and the problem has the trait that
the message names. A warning is right where a docstring lists its kind and it names the
estimator; those of NumPy never are. Neither may leave anything changed.
"""

import copy
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpydoc.docscrape import NumpyDocString

# What estimators find out when they are asked, and keep.
KEPT = {"_kept", "image_mass_"}


@dataclass(frozen=True)
class Reason:
    """Why a problem may be refused.

    Attributes
    ----------
    message : str
        A pattern that the error's message matches.
    holds : callable
        Whether a problem has the trait, for an estimator and the method that refused.
    """

    message: str
    holds: Callable

    def explains(self, error, problem, estimator):
        """Whether the error is one of this kind, and the problem has the trait."""
        found = re.search(self.message, str(error))
        return bool(found) and self.holds(problem, estimator)


def _rank_is_low(problem, estimator):
    """Whether a covariance of the rows is singular, or so to half of the digits."""
    rows, weight = problem.counting, problem.weight_of_counting
    complete = ~np.isnan(rows).any(axis=1)
    rows, weight = rows[complete], weight[complete]
    if len(rows) < 2:
        return True
    rows = rows / problem.recipe.scales
    share = weight / weight.sum()
    rows = rows - share @ rows
    rows *= np.sqrt(share)[:, None]
    size = np.linalg.norm(rows, axis=0)
    noise = 1e-14 * (1 + abs(problem.recipe.offset))
    if np.any(size <= noise):
        return True
    values = np.linalg.svd(rows / size, compute_uv=False)
    enough = len(values) == rows.shape[1]
    return not enough or values.min() < 1e-6 + np.sqrt(noise / size.min())


def _part_is_low(problem, estimator):
    """Whether the rows, or those of one component of several, are of low rank."""
    n_components = np.max(getattr(estimator, "n_components", 1))
    n_each = problem.recipe.n_features + 1
    few = n_components > 1 and len(problem.counting) < 2 * n_each * n_components
    return few or _rank_is_low(problem, estimator)


def _distinct(problem):
    return len(np.unique(problem.counting, axis=0))


def _too_few(problem, estimator):
    least = np.min(getattr(estimator, "n_components", 1))  # a search has several
    return len(problem.counting) < max(2, least)


def sizes_of(problem):
    return np.nanmax(np.abs(problem.counting), axis=0)


# Squares that fit into float64 with a factor to spare for their sums and shares.
LARGEST, SMALLEST = 1e148, 1e-149
# Of which a covariance may be so singular that its inverse does not fit.
SMALL = 1e-140

REASONS = [
    Reason(r"minimum of \d+ is required", lambda p, e: p.recipe.n_rows < 2),
    Reason(r"rows of positive weight", _too_few),
    Reason(
        r"covariance of the rows is not positive definite",
        _rank_is_low,
    ),
    Reason(r"at least one non-zero", lambda p, e: p.recipe.weights == "zeros"),
    Reason(r"is singular", lambda p, e: p.recipe.missing > 0 or _rank_is_low(p, e)),
    Reason(r"2 distinct rows", lambda p, e: _distinct(p) < 2),
    Reason(r"squares overflow", lambda p, e: sizes_of(p).max() > LARGEST),
    Reason(r"squares underflow", lambda p, e: np.any(sizes_of(p) < SMALLEST)),
    Reason(r"that reciprocals overflow", lambda p, e: np.any(sizes_of(p) < 1e-290)),
    Reason(
        r"inverse of a covariance overflows",
        lambda p, e: np.any(sizes_of(p) < SMALL) and _part_is_low(p, e),
    ),
]
# What the five cannot do with any rows.
OF_DENSITIES = [
    Reason(
        r"Input X contains NaN, and LOOKernelDensity",
        lambda p, e: np.isnan(p.float_values).any(),
    ),
    Reason(r"is for one feature; this density has", lambda p, e: e.n_features_in_ > 1),
]


def documented(cls, method, section):
    """The kinds of errors or of warnings that the docstrings of a method list."""
    docs = [getattr(cls, method).__doc__, cls.__doc__]
    kinds = [
        entry.type
        for doc in filter(None, docs)
        for entry in NumpyDocString(doc)[section]
    ]
    return {name.strip() for kind in kinds for name in kind.split(",")}


def names_of(kind):
    """The names of a class of errors and of those it inherits from."""
    return {c.__name__ for c in kind.__mro__}


@dataclass(frozen=True)
class Judge:
    """What may be refused, and who may warn.

    Attributes
    ----------
    of_rows : list of Reason
        Those that problems in general position do not give.
    of_estimators : list of Reason
        Those that they give, too: the estimator cannot do it.
    inner_names : callable
        How warnings of what is inside of an estimator begin.
    """

    of_rows: list[Reason]
    of_estimators: list[Reason]
    inner_names: Callable = lambda estimator: ()

    def attempted(self, problem, estimator, method, *args, **kwargs):
        """What a method returns, or None where it rightly refuses.

        Fails where it warns or raises without a right to, or leaves the estimator
        changed after an error or a question.
        """
        before = copy.deepcopy(state(estimator))
        answer = None
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                answer = getattr(estimator, method)(*args, **kwargs)
            except Exception as error:
                self.check_error(error, problem, estimator, method)
        self.check_warnings(told, estimator, method)
        if answer is None or not method.startswith(("fit", "partial_fit")):
            changed = f"{method} has changed the estimator"
            assert same(state(estimator), before), changed
        return answer

    def check_error(self, error, problem, estimator, method):
        """Raise it again unless a docstring lists it, and the problem gives reason."""
        if not documented(type(estimator), method, "Raises") & names_of(type(error)):
            raise AssertionError(
                f"{method} does not document {type(error).__name__}: {error}"
            ) from error
        self.check_reason(error, problem, estimator)

    def check_reason(self, error, problem, estimator):
        """Raise it again unless the problem has the trait that it names."""
        reasons = list(self.of_estimators)
        if not problem.recipe.in_general_position:
            reasons += self.of_rows
        if not any(reason.explains(error, problem, estimator) for reason in reasons):
            raise AssertionError(
                f"{problem!r} gives no reason for this error: {error}"
            ) from error

    def check_warnings(self, told, estimator, method):
        """Fail at one that is not documented, or does not name who warns."""
        listed = documented(type(estimator), method, "Warns")
        names = (type(estimator).__name__, *self.inner_names(estimator))
        for warning in told:
            kind, text = warning.category, str(warning.message)
            where = f"{kind.__name__} at {warning.filename}:{warning.lineno}: {text}"
            assert text.startswith(names), where
            assert names_of(kind) & listed, f"not documented: {where}"


# Of the five densities, which have nothing inside.
attempted = Judge(REASONS, OF_DENSITIES).attempted


def state(value):
    """All that an estimator holds, and what is inside of it, but for what is kept."""
    if isinstance(value, dict):
        return {k: state(v) for k, v in value.items() if k not in KEPT}
    if isinstance(value, list | tuple):
        return [state(v) for v in value]
    if hasattr(value, "get_params") and not isinstance(value, type):
        return state(vars(value))
    return value


def same(one, other):
    """Whether values are equal, to the bit for numbers, whatever holds them."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            same(one[name], other[name]) for name in one
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dict__"):
        return same(vars(one), vars(other))
    return one == other or (one != one and other != other)


def public_methods(cls):
    """The methods that a user may call, but for those that are scikit-learn's."""
    return sorted(
        name
        for name in dir(cls)
        if not name.startswith("_")
        and callable(getattr(cls, name))
        and getattr(cls, name).__module__.startswith("skdensity")
    )
