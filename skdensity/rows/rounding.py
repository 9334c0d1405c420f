"""Results in the dtype of the rows."""

from __future__ import annotations

import numpy as np


def rounded(values: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Values in another dtype; what is too large for it is infinite, without a warning.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.rounding import rounded
    >>> rounded(np.array([-1e50, 1.0]), np.float32)
    array([-inf,   1.], dtype=float32)
    """
    with np.errstate(over="ignore", under="ignore"):
        return values.astype(dtype, copy=False)


def is_single(values: np.ndarray) -> bool:
    """Whether numbers are those of float32, whatever they are kept in.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.rounding import is_single
    >>> is_single(np.array([0.1])), is_single(np.array([0.25]))
    (False, True)
    """
    return bool(np.all(rounded(values, np.float32) == values))
