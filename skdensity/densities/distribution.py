"""What a density answers about probabilities: of values, of boxes, of regions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import (
    check_one_feature,
    check_whole,
    checked_box,
    checked_coverage,
    checked_probabilities,
)
from skdensity.densities.density_region import DensityRegion
from skdensity.passes.workspace import Workspace, as_in_a_pass
from skdensity.solvers.highest_density import Intervals, level_of
from skdensity.solvers.quantiles import quantiles


class DistributionMixin:
    """Questions to a density whose model has distribution functions.

    A model has, besides what :class:`BaseDensity` asks for, ``probability(box)`` and,
    for one feature, ``cdf(rows)``, ``sf(rows)``, ``gradient(rows)``, ``bracket(q)``,
    `ends` and `mesh`.
    """

    # What BaseDensity provides.
    _answer: Any
    _model: Any
    n_jobs: Any

    def cdf(self, X: ArrayLike) -> np.ndarray:
        """Probability of a value of at most x, for one feature.

        The distribution function: what Gaussians or kernels have of their mass below x.
        For a periodic feature it is 0 at 0 and 1 at the period; other values are taken
        modulo the period.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Where to evaluate.

        Returns
        -------
        probability : ndarray of shape (n_samples,)
            From 0 to 1, in the dtype of `X`, with a relative error of at most 1e-9
            in the lower tail, too, whatever `rtol` a kernel density has.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table, or there is more than one feature.

        See Also
        --------
        sf : The probability of more than x, with digits in the upper tail.
        quantile : The inverse.
        marginal : The density of one feature, which has a `cdf`.

        Notes
        -----
        Time O(K) for every row with K Gaussians. O(1) once n kernels are sorted and
        laid out, which is O(n log n); but for rows below all kernels, where those that
        matter are added up.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[-1.0], [1.0]])
        >>> density.cdf([[-9.0], [0.0], [9.0]]).round(3)
        array([0. , 0.5, 1. ])
        """
        return self._answer("cdf", X, check=partial(self._check_values, "cdf"))

    def sf(self, X: ArrayLike) -> np.ndarray:
        """Probability of a value above x, for one feature.

        The survival function. In the upper tail the distribution function is 1 to all
        digits; this one keeps them.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Where to evaluate.

        Returns
        -------
        probability : ndarray of shape (n_samples,)
            ``1 - cdf(X)``, in the dtype of `X`, with a relative error of at most 1e-9
            in the upper tail, too, whatever `rtol` a kernel density has.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table, or there is more than one feature.

        See Also
        --------
        cdf : The probability of at most x.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[0.0]])
        >>> density.sf([[10.0]]), 1 - density.cdf([[10.0]])
        (array([7.61985302e-24]), array([0.]))
        """
        return self._answer("sf", X, check=partial(self._check_values, "sf"))

    def quantile(self, q: ArrayLike) -> np.ndarray:
        """Inverse of the distribution function, for one feature.

        The median for 0.5; for 0.025 and 0.975 the ends of an interval that holds 95 %
        and leaves as much on either side.

        Parameters
        ----------
        q : array-like or float
            Probabilities, from 0 to 1.

        Returns
        -------
        values : ndarray of the shape of `q`
            Where `cdf` is `q`, found in the upper half by `sf`: to rounding, or as far
            as the distribution function tells. For 0 and 1 the bounds, 0 and the period
            of a periodic feature, or ∓∞. float32 for float32 and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `q` is not within [0, 1], or there is more than one feature.

        See Also
        --------
        cdf : The inverse.
        region : The shortest intervals of a probability.

        Notes
        -----
        Time that of `cdf` at some ten to fifteen values for each.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[0.0]])
        >>> density.quantile([0.025, 0.5, 0.975]).round(3)
        array([-1.96,  0.  ,  1.96])
        """
        model = self._model()
        check_one_feature("quantile", model.n_features)
        probabilities = checked_probabilities(q)
        with Workspace(self.n_jobs) as workspace, workspace:
            values = quantiles(model, probabilities.ravel(), workspace)
        dtype = np.float32 if np.asarray(q).dtype == np.float32 else np.float64
        return values.reshape(probabilities.shape).astype(dtype)[()]

    def probability(self, lower: ArrayLike, upper: ArrayLike) -> float:
        """Probability of a box.

        That of values between its corners, in all features at once.

        Parameters
        ----------
        lower, upper : array-like of shape (n_features,) or float
            Its corners; −∞ and ∞ where it has no end. A number stands for all features.
            Along a periodic feature it is an arc, such as from −10° or 350° to 10°; one
            without an end is cut at 0 and the period.

        Returns
        -------
        probability : float
            From 0 to 1: to rounding if the features of each Gaussian or kernel are
            independent, as they are in one feature and unless `covariance_type` is
            ``"full"`` or ``"tied"``. With matrices, by a quasi-random rule that stops
            at `rtol`, which is 1e-6 but for kernel densities, or after a second or so
            for each matrix; the seed is fixed. Kernels then have a standard error of
            about 1e-6 of it in two features, 1e-4 in five and 1e-3 in ten, as measured.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a corner has not one number for every feature, or a lower end is above
            its upper end.

        See Also
        --------
        cdf : For one feature, and many values at a time.

        Notes
        -----
        Time O(n_features) for every Gaussian or kernel, which is a product of
        intervals. For matrices, some million evaluations of those that the sides of the
        box cut.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[0.0, 0.0]])
        >>> round(density.probability([-1, -1], [1, 1]), 4)
        0.4661
        >>> round(density.probability([0, -np.inf], [np.inf, np.inf]), 4)
        0.5
        """
        model = self._model()
        box = checked_box(lower, upper, model.n_features)
        return as_in_a_pass(model.probability, box)

    def region(self, coverage: float) -> DensityRegion:
        """The region of highest density that holds a share of the probability.

        The smallest that does, wherever it is: a credible region, of several parts if
        there are several modes.

        Parameters
        ----------
        coverage : float
            The share, between 0 and 1.

        Returns
        -------
        region : DensityRegion
            With `log_density`, the level that the log-density exceeds in the region,
            and in one feature with `intervals`. In one feature they hold the share to
            1e-9. In more, the level is a quantile of the log-densities of 262,144 draws
            with a fixed seed, from four features on of 16,384: the standard error of
            the share is 0.001, or 0.004, at most.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `coverage` is not between 0 and 1.

        See Also
        --------
        quantile : Intervals with equal tails.
        score_samples : Log-densities, which are in the region from the level on.

        Notes
        -----
        Where the density of one feature is flat, as it is between bounds that are near
        to each other, no level holds just the share; the region is then larger. An
        interval of a periodic feature that goes across the end of its turn is in two
        parts, the last and the first.

        Time in one feature that of `gradient`, `score_samples` and `cdf` at some times
        as many points as a mesh has that follows the mass, four to a standard deviation
        of the Gaussians or kernels; in more, that of the log-densities of the draws.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0).fit([[0.0], [9.0]])
        >>> density.region(0.5).intervals.round(2)
        array([[-0.67,  0.67],
               [ 8.33,  9.67]])
        """
        model = self._model()
        coverage = checked_coverage(coverage)
        with Workspace(self.n_jobs) as workspace, workspace:
            if model.n_features > 1:
                return DensityRegion(coverage, level_of(model, coverage, workspace))
            level, intervals = Intervals(model, workspace).of_share(coverage)
        return DensityRegion(coverage, level, intervals)

    def _check_values(self, method, X):
        """Complain of rows that are not one value each."""
        check_one_feature(method, self._model().n_features)
        check_whole(method, X)
