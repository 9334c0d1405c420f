"""The tables that checks are made on, and how an estimator is asked about them."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import get_tags

from skdensity.models.draws import rows_of

# ---- Tables ----


@dataclass(frozen=True)
class Problem:
    """Rows of two groups, which of them a row belongs to, and integer weights."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, n_features: int) -> Problem:
        """60 seeded rows, weights from 0 to 3."""
        rng = np.random.RandomState(n_features)
        X = rng.standard_normal((60, n_features))
        X[:20] += 3.0
        return cls(X, (np.arange(60) < 20).astype(int), rng.randint(0, 4, size=60))

    def taken(self, which: Any) -> Problem:
        """Some of the rows, in some order."""
        return Problem(self.X[which], self.y[which], self.weight[which])

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> Problem:
        """The same rows elsewhere."""
        return replace(self, X=function(self.X))

    @property
    def n_features(self) -> int:
        return self.X.shape[1]


# ---- Fits and draws ----


def unfitted(estimator: Any) -> Any:
    """A clone, seeded where it would draw anew in each fit."""
    copy = clone(estimator)
    seeds = {
        name: 0
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return copy.set_params(**seeds)


def fit(estimator: Any, problem: Problem, *, weighted: bool = False) -> Any:
    """A fitted clone."""
    return fit_again(unfitted(estimator), problem, weighted=weighted)


def fit_again(estimator: Any, problem: Problem, *, weighted: bool = False) -> Any:
    """Fit the estimator itself. What it says of so small a table is not heard."""
    y = problem.y if get_tags(estimator).target_tags.required else None
    weight = {"sample_weight": problem.weight} if weighted else {}
    with _silence_of("fit"):
        warnings.simplefilter("ignore", UserWarning)
        return estimator.fit(problem.X, y, **weight)


def scores(fitted: Any, X: ArrayLike) -> np.ndarray:
    """Log-densities in float64, one for each row."""
    X = np.asarray(X)
    with _silence_of("score_samples"):
        found = np.asarray(fitted.score_samples(X))
    require(
        found.shape == (len(X),),
        f"score_samples gives a number for each row: shape {found.shape} for "
        f"{len(X)} rows",
    )
    return found.astype(np.float64)


def draws(fitted: Any, n_samples: int) -> np.ndarray:
    """Rows drawn, with a seed if there is a way to give one."""
    takes_seed = "random_state" in inspect.signature(fitted.sample).parameters
    seed = {"random_state": 0} if takes_seed else {}
    return np.asarray(rows_of(fitted.sample(n_samples, **seed)))


# ---- Complaints ----


@contextmanager
def _silence_of(method: str) -> Iterator[None]:
    """Fail where NumPy warns, whatever is made of warnings elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            yield
        except RuntimeWarning as warning:
            theorem = f"{method} is silent: it warns of {str(warning)!r}"
            raise AssertionError(theorem) from warning


def require(holds: Any, theorem: str) -> None:
    """Raise AssertionError, also where Python drops assertions."""
    if not holds:
        raise AssertionError(theorem)


def require_close(actual: Any, desired: Any, tol: float, theorem: str) -> None:
    difference = np.max(np.abs(np.asarray(actual, dtype=np.float64) - desired))
    # Not `difference > tol`, which NaN would pass.
    require(difference <= tol, f"{theorem}: off by {difference:.3g}, more than {tol:g}")


def require_raises(call: Callable[[], Any], case: str) -> None:
    """ValueError or TypeError, which is what scikit-learn asks for."""
    try:
        call()
    except (ValueError, TypeError):
        return
    raise AssertionError(f"{case} is refused by ValueError or TypeError: it was taken")
