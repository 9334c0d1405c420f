"""How much a fitted transformer stretches space at rows: the Jacobian."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np


@singledispatch
def log_jacobian(transformer: Any, X: np.ndarray) -> np.ndarray:
    r"""Log of how much a fitted transformer stretches space at rows.

    .. math:: \log \left| \det \frac{\partial T(x)}{\partial x} \right|

    What :class:`TransformedDensity` adds to the log-density of transformed rows.
    Transformers of other types are made known by a function of one's own, see the
    examples.

    Parameters
    ----------
    transformer : transformer
        Fitted: `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler`, `RobustScaler`,
        `PowerTransformer`, `QuantileTransformer`, `PCA` with all components,
        `FunctionTransformer` of a known function, and `Pipeline` and
        `ColumnTransformer` of these.
    X : ndarray of shape (n_samples, n_features)
        Rows before the transform. NaN is what was not observed, and stretches nothing.

    Returns
    -------
    log_jacobian : ndarray of shape (n_samples,)
        In nats; −∞ where there is no density: outside of what the transformer is
        defined on, where it is flat, and at ends where it is infinitely steep.

    Raises
    ------
    TypeError
        If nothing is known of transformers of this type.
    ValueError
        If the transformer drops features, or many rows become one.

    See Also
    --------
    TransformedDensity : The density that it is for.

    Notes
    -----
    A function that is registered is known to the process that registers it. Worker
    processes of a parallel search know it if that stands in the module of the class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdensity import log_jacobian
    >>> X = np.array([[0.0], [4.0]])
    >>> log_jacobian(StandardScaler().fit(X), X).round(3)
    array([-0.693, -0.693])

    A transformer of one's own:

    >>> class Doubler(StandardScaler):
    ...     pass
    >>> @log_jacobian.register
    ... def _(transformer: Doubler, X):
    ...     return np.full(len(X), X.shape[1] * np.log(2))
    >>> log_jacobian(Doubler(), X).round(3)
    array([0.693, 0.693])
    """
    name = type(transformer).__name__
    raise TypeError(
        f"Nothing is known of {name} as a change of variables. If it is invertible, "
        f"register its log-Jacobian: @skdensity.log_jacobian.register before a "
        f"function of (transformer: {name}, X) that returns log |det J| for every row."
    )
