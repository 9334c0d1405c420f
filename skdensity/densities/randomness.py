"""Where draws come from: NumPy's generators of both kinds."""

from __future__ import annotations

from typing import Any

import numpy as np


def legacy(random_state: Any) -> Any:
    """A Generator as a RandomState on the same stream; all else as it is.

    For methods and functions, not for constructors: a clone of an estimator would
    share a Generator, so that scikit-learn refuses it there.

    The stream advances with the draws, which are the legacy ones of its bits: there is
    one code for both kinds, and what takes a RandomState alone can be given the
    result, which scikit-learn's densities are.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.densities.randomness import legacy
    >>> one, other = np.random.default_rng(0), np.random.default_rng(0)
    >>> bool(legacy(one).uniform() == legacy(other).uniform())
    True
    >>> bool(legacy(one).uniform() == legacy(one).uniform())
    False
    """
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.bit_generator)
    return random_state
