"""The data sets of the lecture that the library follows, from their recipes.

They are drawn with NumPy's legacy generator, whose stream is frozen, so that every
printed digit can be reproduced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdensity.densities.randomness import legacy

__all__ = ["make_gaussian_1d", "make_gaussian_2d", "make_mixture_1d"]


def make_gaussian_1d(n_samples: int = 200, *, random_state: Any = 42) -> np.ndarray:
    """Draw from a normal distribution of mean 3 and standard deviation 1.

    With the default seed these are the 200 rows of the lecture.

    Parameters
    ----------
    n_samples : int, default=200
        Number of rows.
    random_state : int, RandomState instance, Generator or None, default=42
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, 1)
        The draws.

    Raises
    ------
    ValueError
        If `n_samples` is negative.

    See Also
    --------
    make_gaussian_2d : Two correlated features.
    make_mixture_1d : Three components.

    Examples
    --------
    >>> from skdensity.datasets import make_gaussian_1d
    >>> X = make_gaussian_1d()
    >>> X.shape, float(X.mean().round(4))
    ((200, 1), 2.9592)
    """
    rng = check_random_state(legacy(random_state))
    return rng.normal(3.0, 1.0, size=(n_samples, 1))


def make_gaussian_2d(n_samples: int = 300, *, random_state: Any = 42) -> np.ndarray:
    """Draw from a correlated normal distribution in the plane.

    Its mean is (2, 1), its covariance [[1.5, 0.8], [0.8, 1]].

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows.
    random_state : int, RandomState instance, Generator or None, default=42
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        The draws.

    Raises
    ------
    ValueError
        If `n_samples` is negative.

    See Also
    --------
    make_gaussian_1d : One feature.
    make_mixture_1d : Three components.

    Examples
    --------
    >>> from skdensity.datasets import make_gaussian_2d
    >>> make_gaussian_2d().mean(axis=0).round(3)
    array([2.019, 1.001])
    """
    rng = check_random_state(legacy(random_state))
    return rng.multivariate_normal([2.0, 1.0], [[1.5, 0.8], [0.8, 1.0]], size=n_samples)


def make_mixture_1d(
    n_samples: int = 500, *, random_state: Any = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from a mixture of three normal distributions on the line.

    Weights (0.3, 0.5, 0.2), means (−4, 0.5, 4), standard deviations (0.8, 1.5, 0.6).

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    random_state : int, RandomState instance, Generator or None, default=0
        Source of randomness.

    Returns
    -------
    X : ndarray of shape (n_samples, 1)
        The draws.
    y : ndarray of shape (n_samples,)
        The component that each row came from.

    Raises
    ------
    ValueError
        If `n_samples` is negative.

    See Also
    --------
    make_gaussian_1d : One component.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, y = make_mixture_1d()
    >>> X.shape, np.bincount(y)
    ((500, 1), array([162, 240,  98]))
    """
    rng = check_random_state(legacy(random_state))
    y = rng.choice(3, size=n_samples, p=[0.3, 0.5, 0.2])
    means, scales = np.array([-4.0, 0.5, 4.0]), np.array([0.8, 1.5, 0.6])
    return rng.normal(means[y], scales[y])[:, None], y
