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
