"""What is behind a search, or an estimator that was frozen."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator


def unwrapped(estimator: Any) -> Any:
    """The fitted estimator that answers for a search, or for a frozen one.

    Whoever asks what kind of density it is has to ask that.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdensity import GaussianMLE
    >>> from skdensity.uses.unwrapped import unwrapped
    >>> search = GridSearchCV(GaussianMLE(), {}).fit([[0.0], [1.0], [2.0], [3.0]] * 5)
    >>> unwrapped(FrozenEstimator(search))
    GaussianMLE()
    """
    if isinstance(estimator, FrozenEstimator):
        return unwrapped(estimator.estimator)
    if hasattr(estimator, "best_estimator_"):
        return unwrapped(estimator.best_estimator_)
    return estimator
