"""What a table must be for an estimator, asked of all of it or of every block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import (
    _num_samples,
    assert_all_finite,
    validate_data,
)

from skdensity.densities.checks import DTYPES, quiet_sums, weights_of_some
from skdensity.rows.array_rows import norm
from skdensity.rows.named_array import NamedArray
from skdensity.rows.streamed_rows import NO_ROWS


class TableCheck:
    """Checks of the values of a table: its width, its names, its numbers.

    Parameters
    ----------
    estimator : BaseDensity
        Whose table it is.
    reset : bool, default=False
        Whether the first table that is checked says what others must be.
    min_samples : int, default=1
        Rows that a whole table has at least; blocks may be empty.
    is_whole : bool, default=False
        Whether the table is all that is fitted to, and no batch of a stream.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        reset: bool = False,
        min_samples: int = 1,
        is_whole: bool = False,
    ) -> None:
        self.estimator = estimator
        self.reset = reset
        self.min_samples = min_samples
        self.is_whole = is_whole
        self.dtype: np.dtype | None = None

    def __call__(self, X: Any) -> np.ndarray:
        """A whole table as an array of float64 or float32."""
        return self._checked(X, self.min_samples, finite="allow-nan")

    def _checked(self, X, min_samples, finite):
        checks = {"ensure_min_samples": min_samples, "ensure_all_finite": finite}
        if isinstance(X, NamedArray):
            checked = self._checked_named(X, checks)
        else:
            checked = self.estimator._table(X, reset=self.reset, **checks)
        self.reset = False
        return checked

    def features(self, X: Any) -> np.dtype:
        """Check all but the values of a table without rows; the dtype of its rows."""
        self.dtype = self._checked(X, min_samples=0, finite=False).dtype
        return self.dtype

    def _checked_named(self, X, checks):
        """The same of columns whose names are apart from them."""
        validate_data(self.estimator, X.header, reset=self.reset, skip_check_array=True)
        with quiet_sums():
            return check_array(X.values, dtype=DTYPES, input_name="X", **checks)

    def block(
        self, X: Any, sample_weight: Any, name: str
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """A block and its weights, or None, both checked; errors tell its name."""
        with named(name):
            # Asked again in every pass, so of one number first.
            X = self._checked(X, min_samples=0, finite=False)
            if not np.isfinite(norm(X)):
                self._check_finite(X)
            if sample_weight is not None:
                sample_weight = weights_of_some(sample_weight, X)
            self._check_dtype(X)
        return X, sample_weight

    def _check_finite(self, X):
        name = type(self.estimator).__name__
        with quiet_sums():
            assert_all_finite(X, allow_nan=True, estimator_name=name, input_name="X")

    def _check_dtype(self, X):
        """Complain of rows of another dtype than those before them."""
        if len(X) == 0:
            return
        if self.dtype is None:
            self.dtype = X.dtype
        if X.dtype != self.dtype:
            raise ValueError(
                f"Its rows are of {X.dtype}, and those before of {self.dtype}: results "
                "could have neither dtype. Convert all blocks to one of them."
            )


@contextmanager
def named(name: str) -> Iterator[None]:
    """Errors tell the name of the block that they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        # Some kinds of errors are made of more than a message.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"In {name}: {error}") from error


def sum_of_blocks(
    term: Callable[[Any, np.ndarray | None], np.ndarray],
    blocks: Iterable[tuple[Any, Any, str]],
) -> np.ndarray:
    """Add up a function of those blocks that have rows, and of their weights.

    Parameters
    ----------
    term : callable
        Maps a block, as it came, and its checked weights or None to numbers.
    blocks : iterable of tuple
        Each block, its weights or None, and its name, in their order.
    """
    found = (of_block(term, *block) for block in blocks)
    there = [value for value in found if value is not None]
    return whole_sum(np.sum(there, axis=0) if there else None)


def of_block(
    term: Callable[[Any, np.ndarray | None], np.ndarray],
    X: Any,
    sample_weight: Any,
    name: str,
) -> np.ndarray | None:
    """The function of a block; None without rows."""
    if _num_samples(X) == 0:
        return None
    with named(name):
        weight = None if sample_weight is None else weights_of_some(sample_weight, X)
        return term(X, weight)


def whole_sum(total: np.ndarray | None) -> np.ndarray:
    """A sum over blocks, of which some must have rows."""
    if total is None:
        raise ValueError(NO_ROWS)
    return total
