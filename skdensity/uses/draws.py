"""Draws from any fitted density."""

from __future__ import annotations

from copy import copy
from inspect import signature
from typing import Any

import numpy as np

from skdensity.densities.base import rows_of


def drawn(density: Any, n_samples: int, rng: np.random.RandomState) -> np.ndarray:
    """Rows drawn from a fitted density, by a given generator.

    scikit-learn's mixtures have none but that of their constructor.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdensity.uses.draws import drawn
    >>> mixture = GaussianMixture(random_state=0).fit([[0.0], [2.0]])
    >>> drawn(mixture, 2, np.random.RandomState(1)).shape, mixture.random_state
    ((2, 1), 0)
    """
    if "random_state" in signature(density.sample).parameters:
        return rows_of(density.sample(n_samples, random_state=rng))
    own = copy(density)
    if "random_state" in own.get_params(deep=False):
        own.random_state = rng
    return rows_of(own.sample(n_samples))
