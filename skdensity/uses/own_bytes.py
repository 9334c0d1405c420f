"""Tables in this machine's order of bytes: of others pandas takes no parts."""

from __future__ import annotations

from typing import Any


def in_own_bytes(X: Any) -> Any:
    """A frame with no column in a foreign order of bytes; anything else as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdensity.uses.own_bytes import in_own_bytes
    >>> in_own_bytes(pd.DataFrame({"a": [1.0, 2.0]}).astype(">f8")).dtypes["a"].isnative
    True
    """
    if not hasattr(X, "iloc"):
        return X
    foreign = {
        name: dtype.newbyteorder("=")
        for name, dtype in X.dtypes.items()
        if not getattr(dtype, "isnative", True)
    }
    return X.astype(foreign) if foreign else X
