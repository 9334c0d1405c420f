"""What features are called."""

from __future__ import annotations

from typing import Any


def names_of_features(estimator: Any, n_features: int) -> list:
    """The names that `fit` has seen, or numbers where there were none.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdensity import GaussianMLE
    >>> from skdensity.densities.feature_names import names_of_features
    >>> names_of_features(GaussianMLE(), 2)
    [0, 1]
    >>> X = pd.DataFrame({"mass": [1.0, 2.0]})
    >>> names_of_features(GaussianMLE().fit(X), 1)
    ['mass']
    """
    return list(getattr(estimator, "feature_names_in_", range(n_features)))
