"""Draws from any fitted density."""

from __future__ import annotations

from copy import copy
from inspect import signature
from typing import Any

import numpy as np

from skdensity.densities.randomness import legacy
from skdensity.models.draws import rows_of
from skdensity.uses.checked import check_method


def draws_of(density: Any, n_samples: int, random_state: Any) -> np.ndarray:
    """Rows drawn from a density, whoever wrote it.

    scikit-learn's mixtures draw by the seed of their constructor, and are left as
    they are.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdensity.uses.draws import draws_of
    >>> mixture = GaussianMixture(random_state=0).fit([[0.0], [2.0]])
    >>> draws_of(mixture, 2, 1).shape, mixture.random_state
    ((2, 1), 0)
    """
    check_method(density, "sample", "a draw")
    random_state = legacy(random_state)
    if "random_state" in signature(density.sample).parameters:
        return rows_of(density.sample(n_samples, random_state=random_state))
    if hasattr(density, "random_state"):
        density = copy(density).set_params(random_state=random_state)
    return rows_of(density.sample(n_samples))
