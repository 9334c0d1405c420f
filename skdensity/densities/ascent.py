"""Where a density rises, and its tops."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import check_whole


class AscentMixin:
    """Gradient and modes of a density whose model has ``gradient(rows)``."""

    # What BaseDensity provides.
    _answer: Any
    _dtype: Any
    _model: Any

    def gradient(self, X: ArrayLike) -> np.ndarray:
        """Gradient of the log-density at every row.

        It points to where the density rises, and vanishes at its modes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to evaluate, without NaN.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            In nats per unit of each feature, float32 for float32 rows and float64
            otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`.

        See Also
        --------
        modes : Where the gradient vanishes, at the tops.

        Notes
        -----
        Time O(n_features²) for a row and component, O(n_features) for independent
        features.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0], [[4.0]])
        >>> density.gradient([[0.0], [4.0]])
        array([[-0.],
               [-1.]])
        """
        shape, check = (self._model().n_features,), partial(check_whole, "gradient")
        return self._answer("gradient", X, shape=shape, check=check)

    def modes(self) -> np.ndarray:
        """Local maxima of the density.

        Of a Gaussian its mean. In a mixture they are found by climbing from all means:
        components that overlap share a mode.

        Returns
        -------
        modes : ndarray of shape (n_modes, n_features)
            The highest first.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        gradient : What vanishes at a mode.

        Notes
        -----
        A mixture in two or more features may have further modes, away from all means;
        they are not looked for. A step takes O(K² n_features²) time, and solves K
        systems of equations.

        References
        ----------
        M. Á. Carreira-Perpiñán (2000), doi:10.1109/34.888716.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.3, 0.2], [[0.0], [1.0], [9.0]], [1.0, 1.0, 1.0],
        ...     covariance_type="spherical",
        ... )
        >>> mixture.modes().round(2)
        array([[0.34],
               [9.  ]])
        """
        return self._found_modes().astype(self._dtype())

    @abstractmethod
    def _found_modes(self):
        """Modes in float64, the highest first."""
