"""How a density or a transformer that was given is fitted: as a clone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing

from skdensity.uses.default_mixture import mixture_of_least_bic
from skdensity.uses.weights import weights_for


def fitted_clone(estimator: Any, X: Any, **arguments: Any) -> Any:
    """A fitted clone; what is frozen stays as it is.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skdensity import GaussianMLE
    >>> from skdensity.uses.fits import fitted_clone
    >>> density = GaussianMLE().fit([[0.0], [2.0]])
    >>> fitted_clone(density, [[5.0], [7.0]]).location_
    array([6.])
    >>> fitted_clone(FrozenEstimator(density), [[5.0], [7.0]]).location_
    array([1.])
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator.fit(X, None)  # which tells whether it is fitted
    return clone(estimator).fit(X, **arguments)


def fitted_density(
    density: Any, X: Any, *, random_state: Any = None, **arguments: Any
) -> Any:
    """A density of rows; for None the default mixture, with its source of randomness.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.uses.fits import fitted_density
    >>> fitted_density(None, np.array([[0.0], [2.0]]), random_state=0)
    EMGaussianMixture(random_state=0)
    """
    if density is None:
        return mixture_of_least_bic(X, **arguments, random_state=random_state)
    return fitted_clone(density, X, **arguments)


def weighted_density(
    density: Any, X: Any, weight: np.ndarray | None, *, random_state: Any = None
) -> Any:
    """A density of rows of positive weights, of which None weighs all equally.

    Raises
    ------
    ValueError
        If the weights are unequal and the density takes none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdensity.uses.fits import weighted_density
    >>> X, weight = np.array([[0.0], [2.0]]), np.array([3.0, 3.0])
    >>> weighted_density(GaussianMixture(), X, weight).means_
    array([[1.]])
    """
    if weight is None:
        return fitted_density(density, X, random_state=random_state)
    if len(X) == 1 and weight[0] > 1:
        # There more than once, and so no single row, which most densities refuse.
        X, weight = _safe_indexing(X, [0, 0]), np.repeat(weight / 2, 2)
    arguments = weights_for(density, weight)
    return fitted_density(density, X, random_state=random_state, **arguments)
