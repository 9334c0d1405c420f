"""Criteria that weigh the likelihood of a mixture against its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import warn_of_light_weights, weighted_sum
from skdensity.densities.tables.kinds import table_of
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.rows.row_blocks import RowBlocks


@dataclass(frozen=True)
class Criterion:
    """An entry of :data:`CRITERIA`: −2 ℓ plus a price for every parameter.

    Attributes
    ----------
    values : str
        The method of the model whose values add up to ℓ.
    price : callable
        That of a parameter, a function of the total weight.
    """

    values: str
    price: Callable[[float], float]

    def of(self, log_likelihood: float, n_parameters: int, total: float) -> float:
        """The criterion; lower is better."""
        return -2 * float(log_likelihood) + n_parameters * self.price(total)


CRITERIA: dict[str, Criterion] = {
    "aic": Criterion("log_density", lambda n: 2),
    "bic": Criterion("log_density", log),
    "icl": Criterion("log_completed", log),
}


def n_parameters(n_components: int, n_features: int, family: CovarianceFamily) -> int:
    """Free parameters of a mixture: its means, weights and covariances."""
    n_covariance = family.shape.n_parameters(n_components, n_features)
    return n_components * n_features + n_components - 1 + n_covariance


class CriteriaMixin:
    """Information criteria of a fitted mixture."""

    # What BaseDensity provides.
    _check_fitted: Any
    _evaluated: Any
    _model: Any
    _rows: Any

    def aic(
        self, X: ArrayLike | RowBlocks, sample_weight: ArrayLike | None = None
    ) -> float:
        """Price the likelihood by Akaike's information criterion; lower is better.

        ``-2 ℓ + 2 p`` with p free parameters (Akaike 1974,
        doi:10.1109/TAC.1974.1100705).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            The training rows. Those without any value are not there.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights, as numbers of repetitions.

        Returns
        -------
        aic : float
            In nats.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` or the weights are unusable.

        Warns
        -----
        UserWarning
            If the total weight is below the number of parameters, as that of normalised
            weights is.

        See Also
        --------
        bic : Asks more of every parameter.
        icl : Counts clusters.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> round(mixture.aic(3 * [[0.0], [4.0]]), 3)
        29.341
        """
        return self._criterion("aic", X, sample_weight)

    def bic(
        self, X: ArrayLike | RowBlocks, sample_weight: ArrayLike | None = None
    ) -> float:
        """Bayesian information criterion; lower is better.

        ``-2 ℓ + p log n`` with p free parameters and n the total weight (Schwarz 1978,
        doi:10.1214/aos/1176344136).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            The training rows. Those without any value are not there.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights, as numbers of repetitions.

        Returns
        -------
        bic : float
            In nats.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` or the weights are unusable.

        Warns
        -----
        UserWarning
            If the total weight is below the number of parameters, as that of normalised
            weights is.

        See Also
        --------
        aic : Asks less of every parameter.
        icl : Counts clusters.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> round(mixture.bic(3 * [[0.0], [4.0]]), 3)
        28.3
        """
        return self._criterion("bic", X, sample_weight)

    def icl(
        self, X: ArrayLike | RowBlocks, sample_weight: ArrayLike | None = None
    ) -> float:
        r"""Integrated completed likelihood; lower is better.

        ``bic`` of rows whose components were seen, each the most probable one
        (Biernacki, Celeux and Govaert 2000, doi:10.1109/34.865189). With
        responsibilities r this is

        .. math:: \mathrm{ICL} = \mathrm{BIC} - 2 \sum_i w_i \log \max_k r_{ik},

        never less than BIC, and more the more the components overlap: it counts
        clusters, where BIC counts Gaussians. McLachlan and Peel's ICL-BIC has the
        entropy of r in place of −log max r. The form here is the original one, and the
        one that R's mclust computes, with the opposite sign.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            The training rows. Those without any value are not there.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights, as numbers of repetitions.

        Returns
        -------
        icl : float
            In nats.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` or the weights are unusable.

        Warns
        -----
        UserWarning
            If the total weight is below the number of parameters, as that of normalised
            weights is.

        See Also
        --------
        bic : Counts Gaussians.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> round(mixture.icl(3 * [[0.0], [4.0]]), 3)
        28.304
        >>> between = 3 * [[0.0], [2.0]]
        >>> round(mixture.icl(between) - mixture.bic(between), 3)
        4.161
        """
        return self._criterion("icl", X, sample_weight)

    def _criterion(self, name, X, sample_weight):
        """One of :data:`CRITERIA`."""
        criterion = CRITERIA[name]
        (log_likelihood,), total = self._sums([criterion.values], X, sample_weight)
        n_parameters = self._n_parameters()
        warn_of_light_weights(self, total, n_parameters)
        return criterion.of(log_likelihood, n_parameters, total)

    def _sums(self, methods: Sequence[str], X, sample_weight):
        """Weighted sums of what methods of the model give, and the total weight."""
        self._check_fitted()
        *sums, total = table_of(X).add(partial(self._sums_of, methods), sample_weight)
        if total == 0:
            raise ValueError("All rows of `X` that have a weight consist of NaN alone.")
        return sums, total

    def _sums_of(self, methods, X, weight):
        """The same of a block; a row without any value is not there."""
        X = self._rows(X)
        weight = np.ones(len(X)) if weight is None else weight
        weight = np.where(np.isnan(X).all(axis=1), 0.0, weight)
        sums = [weighted_sum(weight, self._evaluated(method, X)) for method in methods]
        return np.array([*sums, weight.sum()])

    def _n_parameters(self):
        mixture = self._model()
        return n_parameters(mixture.n_components, mixture.n_features, mixture.family)
