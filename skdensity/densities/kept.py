"""A model that is kept as long as what it was built from stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Kept:
    """The last model that was built, and the values that it was built from.

    Values are compared, not identities: an array that was changed in place makes
    another model. Threads that ask at once may each build it; the last one stays.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.densities.kept import Kept
    >>> kept, mean = Kept(), np.zeros(2)
    >>> first = kept.model({"mean": mean}, lambda told: told["mean"] + 1)
    >>> kept.model({"mean": mean}, lambda told: told["mean"] + 1) is first
    True
    >>> mean[0] = 5
    >>> kept.model({"mean": mean}, lambda told: told["mean"] + 1)
    array([6., 1.])
    """

    def __init__(self) -> None:
        self._last: tuple[dict[str, Any], Any] | None = None

    def model(
        self, told: dict[str, Any], build: Callable[[dict[str, Any]], Any]
    ) -> Any:
        """The model of some values: the one that is kept, or a new one."""
        last = self._last  # once, as another thread may replace it
        if last is not None and _are_equal(last[0], told):
            return last[1]
        # Copies, so that a change in place can be seen, and does not reach the model.
        copies = {name: _copied(value) for name, value in told.items()}
        built = build(copies)
        self._last = copies, built
        return built


def _are_equal(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(value, other[name]) for name, value in one.items()
    )


def _copied(value):
    # In C order, as it comes out of a pickle: the layout decides the last digits.
    return value.copy() if isinstance(value, np.ndarray) else value
