"""What the two single Gaussians share: how they are stored and read again."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.ascent import AscentMixin
from skdensity.densities.base import BaseDensity
from skdensity.densities.checks import (
    as_stored,
    check_squares,
    checked_array,
    checked_matrices,
    not_positive_definite,
)
from skdensity.densities.conditionals import ConditionalsMixin
from skdensity.densities.distribution import DistributionMixin
from skdensity.densities.imputation import ImputationMixin
from skdensity.densities.parts import PartsMixin
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import FULL
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import moments_of


class BaseGaussian(
    PartsMixin,
    ImputationMixin,
    ConditionalsMixin,
    AscentMixin,
    DistributionMixin,
    BaseDensity,
):
    """A fitted Gaussian."""

    _takes_missing = True

    @classmethod
    def from_parameters(cls, location: ArrayLike, covariance: ArrayLike) -> Self:
        """A fitted Gaussian with given parameters, without data.

        For a guess or a known truth that is to be scored, drawn from or compared with a
        fit.

        Parameters
        ----------
        location : array-like of shape (n_features,)
            The mean.
        covariance : array-like of shape (n_features, n_features)
            The covariance, positive definite.

        Returns
        -------
        gaussian : estimator
            Ready to score and to sample.

        Raises
        ------
        ValueError
            If a shape is wrong, or the covariance is not symmetric and positive
            definite.

        See Also
        --------
        fit : Find the parameters from data.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> truth = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 2.0]])
        >>> truth.score_samples([[0.0, 1.0]]).round(4)
        array([-2.3872])
        """
        n_features = np.size(location)
        mean = checked_array(location, "location", (n_features,))
        matrix = checked_array(covariance, "covariance", (n_features, n_features))
        checked_matrices(matrix[None], "covariance", FULL, (1, n_features))
        estimator = cls()
        estimator.n_features_in_ = n_features
        gaussian = Gaussian.of_matrix(
            mean, matrix, FULL, not_positive_definite("covariance", of_component=False)
        )
        estimator._store_given(gaussian, matrix, matrix.dtype)
        return estimator

    @property
    @abstractmethod
    def _family(self) -> CovarianceFamily:
        """The shape of the covariance that is fitted."""

    def _look_at(self, rows):
        moments_of(rows, self._family.scatter)

    def _check_known(self, rows, min_samples, everywhere):
        super()._check_known(rows, min_samples, everywhere)
        check_squares(self, rows)

    @abstractmethod
    def _store_given(self, gaussian, covariance, dtype):
        """Set the fitted attributes from parameters, to the last digit."""

    def _store_model(self, model, dtype):
        self._store_given(model, model.covariance, dtype)

    def _store_arrays(self, dtype, **exact):
        """Set attributes in a dtype, and keep what float32 would lose of them."""
        for name, value in exact.items():
            is_first = name == self._told_by[0]  # which tells the dtype
            stored = value.astype(dtype) if is_first else as_stored(value, dtype)
            setattr(self, name, stored)
        # A covariance that is near singular does not survive rounding.
        self._unrounded = exact if dtype != np.float64 else {}

    def _found_modes(self):
        return self._model().mean[None]

    def _told_arrays(self, told):
        """Location, and covariance or factor, as float64 arrays of matching shapes."""
        location, matrix = (
            np.asarray(told[name], dtype=np.float64) for name in self._told_by
        )
        expected = (location.size, location.size)
        if location.ndim != 1 or matrix.shape != expected:
            raise ValueError(
                f"`{self._told_by[0]}` of shape {location.shape} and "
                f"`{self._told_by[1]}` of shape {matrix.shape} are no Gaussian; "
                "expected (n_features,) and (n_features, n_features)."
            )
        return location, matrix

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        for name, value in getattr(self, "_unrounded", {}).items():
            if name in told and _is_rounded(told[name], value):
                told[name] = value
        return told


def _is_rounded(array, exact):
    with np.errstate(over="ignore", under="ignore"):
        return np.array_equal(array, exact.astype(array.dtype))
