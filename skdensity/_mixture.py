"""What EM and Adam share: how a mixture fit runs, and the mixture once fitted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from math import log
from numbers import Integral, Real
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity._base import BaseDensity, unchanged_on_error
from skdensity._callbacks import CallbackSupportMixin, Iterations, fit_task
from skdensity._checks import (
    check_weights,
    checked_array,
    checked_matrices,
    checked_mixing_weights,
    not_positive_definite,
    weighted_sum,
)
from skdensity.models.covariances import FAMILIES
from skdensity.models.mixture import Mixture
from skdensity.models.moments import moments_of, positive_variances
from skdensity.passes.blocks import Workspace
from skdensity.passes.threads import one_blas_thread
from skdensity.solvers.em import m_step
from skdensity.solvers.loop import Progress, Result, warn_unless_converged
from skdensity.solvers.starts import start_rows, start_shares

# What reg_covar="auto" adds, in variances of the features.
AUTO_REG_COVAR = 1e-6


@dataclass(frozen=True)
class Run:
    """One fit from one start: mixture and the loop's result, in the data's units."""

    mixture: Mixture
    result: Result
    lower_bound: float = -np.inf
    memory: Any = None


@dataclass(frozen=True)
class Data:
    """What every run of a fit shares."""

    X: np.ndarray
    weight: np.ndarray
    reg_covar: np.ndarray
    rng: np.random.RandomState


class BaseGaussianMixture(BaseDensity, CallbackSupportMixin):
    """A Gaussian mixture: fitted by the subclass, evaluated here."""

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions(set(FAMILIES))],
        "reg_covar": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", Real, None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    @classmethod
    def from_parameters(cls, weights, means, covariances, *, covariance_type="full"):
        """A fitted mixture with given parameters, without data.

        For a guess or a known truth that is to be scored, drawn from or compared with a
        fit.

        Parameters
        ----------
        weights : array-like of shape (n_components,)
            Non-negative, summing to 1.
        means : array-like of shape (n_components, n_features)
            The components' means.
        covariances : array-like or float
            The components' covariances, positive definite, in the shape that
            `covariances_` has for the `covariance_type`.
        covariance_type : str, default="full"
            Shape of the covariances, as in the constructor.

        Returns
        -------
        mixture : estimator
            Ready to score and to sample; ``n_iter_`` is 0. With ``warm_start=True`` a
            call of `fit` continues from these parameters.

        Raises
        ------
        ValueError
            If a shape is wrong, the weights do not sum to 1, or a covariance is not
            positive definite.

        See Also
        --------
        fit : Find the parameters from data.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> from skdensity.datasets import make_mixture_1d
        >>> X, _ = make_mixture_1d()
        >>> truth = EMGaussianMixture.from_parameters(
        ...     [0.3, 0.5, 0.2], [[-4], [0.5], [4]], [0.64, 2.25, 0.36],
        ...     covariance_type="spherical",
        ... )
        >>> round(float(truth.score_samples(X).sum()), 2)
        -1166.43
        """
        means = check_array(means, dtype=np.float64, input_name="means")
        estimator = cls(n_components=len(means), covariance_type=covariance_type)
        estimator._validate_params()
        family = FAMILIES[covariance_type]
        weights = checked_mixing_weights(weights, "weights", len(means))
        covariances = checked_matrices(covariances, "covariances", family, means.shape)
        cholesky = family.cholesky(covariances, not_positive_definite("covariances"))
        estimator.n_features_in_ = means.shape[1]
        mixture = Mixture.from_cholesky(weights, means, cholesky, family)
        estimator._store(Run(mixture, Result(None, [])), np.dtype(np.float64))
        return estimator

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture `n_init` times and keep the most likely.

        Every run starts as `init_params` says. A likelihood has many maxima, so that
        more runs can end higher.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least 2 and at least `n_components`.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : estimator
            The fitted mixture.

        Raises
        ------
        ValueError
            If the input is not a finite table with usable weights, has fewer rows than
            components, if an initial value has the wrong shape or range, or if a
            covariance becomes singular. The estimator is then left as it was.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations were not enough for `tol`, or the user interrupted
            the fit; the best parameters so far are kept.

        See Also
        --------
        fit_predict : Fit, then assign the rows to components.
        from_parameters : A mixture without data.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> X = [[0.0], [1.0], [8.0], [9.0]]
        >>> mixture = EMGaussianMixture(2, random_state=0).fit(X)
        >>> mixture.means_.ravel().round(3), mixture.weights_.round(3)
        (array([8.5, 0.5]), array([0.5, 0.5]))
        """
        task = fit_task(self, self.n_init, X, y, sample_weight)
        with unchanged_on_error(self):
            X, weight = self._weighted_rows(X, sample_weight, min_samples=2)
            if len(X) < self.n_components:
                raise ValueError(
                    f"n_components={self.n_components} needs at least as many rows of "
                    f"positive weight, but got n_samples={len(X)}."
                )
            with one_blas_thread():  # whose threads would spin while the start's work
                best = self._best_run(X, weight, task)
            self._store(best, X.dtype)
            task.end()
        warn_unless_converged(best.result, type(self).__name__, self.tol)
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture, then assign every row to its most probable component.

        The labels are those that `predict` gives for the same rows afterwards.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Index of each row's component.

        Raises
        ------
        ValueError
            As :meth:`fit`.

        See Also
        --------
        predict : Assign rows with the mixture as it is.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> X = [[0.0], [1.0], [8.0], [9.0]]
        >>> EMGaussianMixture(2, random_state=0).fit_predict(X)
        array([1, 1, 0, 0])
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def predict(self, X):
        """Most probable component of every row.

        The one of the largest responsibility; what is in doubt does not show.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to assign.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Index of each row's component.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`.

        See Also
        --------
        predict_proba : How probable each component is.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict([[0.0], [3.0]])
        array([0, 1])
        """
        X = self._rows(X)
        return self._mixture().labels(X, self._workspace())

    def predict_proba(self, X):
        """Responsibilities: the probability of every component given the row.

        By Bayes' rule, from the weights of the components and their densities at the
        row; computed in log space, so that rows far from all components have them too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to assign.

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
            Rows sum to 1.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`.

        See Also
        --------
        predict : The most probable component.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict_proba([[1.0], [2.0]]).round(3)
        array([[0.982, 0.018],
               [0.5  , 0.5  ]])
        """
        X = self._rows(X)
        return self._mixture().responsibilities(X, self._workspace())

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the fitted density: a component, then a row from it.

        The shares of the components in the draws vary about their weights, as those of
        independent draws do.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Source of randomness; an int gives the same draws at every call. None falls
            back on the constructor's.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws, in random order.
        y : ndarray of shape (n_samples,)
            The component that each row came from.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `n_samples` is below 1.
        TypeError
            If `n_samples` is not an integer.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> X, y = mixture.sample(1000, random_state=0)
        >>> X.shape, np.bincount(y)
        ((1000, 1), array([517, 483]))
        """
        return super().sample(n_samples, random_state)

    def aic(self, X, sample_weight=None):
        """Price the likelihood by Akaike's information criterion; lower is better.

        ``-2 ℓ + 2 p`` with p free parameters (Akaike 1974,
        doi:10.1109/TAC.1974.1100705).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training rows.
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
        >>> round(mixture.aic([[0.0], [4.0]]), 3)
        16.447
        """
        return self._criterion(self.score_samples(X), sample_weight, lambda n: 2)

    def bic(self, X, sample_weight=None):
        """Bayesian information criterion; lower is better.

        ``-2 ℓ + p log n`` with p free parameters and n the total weight (Schwarz 1978,
        doi:10.1214/aos/1176344136).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training rows.
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
        >>> round(mixture.bic([[0.0], [4.0]]), 3)
        9.913
        """
        return self._criterion(self.score_samples(X), sample_weight, log)

    def icl(self, X, sample_weight=None):
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
        X : array-like of shape (n_samples, n_features)
            The training rows.
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

        See Also
        --------
        bic : Counts Gaussians.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> mixture = EMGaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> round(mixture.icl([[0.0], [4.0]]), 3)
        9.914
        >>> round(mixture.icl([[0.0], [2.0]]) - mixture.bic([[0.0], [2.0]]), 3)
        1.387
        """
        X = self._rows(X)
        log_completed = self._mixture().log_completed(X, self._workspace())
        return self._criterion(log_completed, sample_weight, log)

    def _log_density(self, X):
        return self._mixture().log_density(X, self._workspace())

    def _draw(self, n_samples, rng):
        X, y = self._mixture().sample(n_samples, rng)
        return X.astype(self.means_.dtype), y

    @abstractmethod
    def _run(self, data: Data, start: Mixture | None, progress, task) -> Run:
        """Fit from a start, or from the last fit when there is none."""

    def _best_run(self, X, weight, task):
        rng = check_random_state(self.random_state)
        data = Data(X, weight, self._added_variances(X, weight), rng)
        if self.warm_start and hasattr(self, "converged_"):
            self._check_resumable(X)
            starts = [None]
        else:
            starts = self._starts(data)
        runs, interrupted = [], False
        try:
            for run in self._runs(data, starts, task):
                runs.append(run)
                interrupted = run.result.ended_by == "interrupt"
        except KeyboardInterrupt:  # while the next start was sought
            if not runs:
                raise
            interrupted = True
        best = max(runs, key=lambda run: run.lower_bound)
        if not interrupted:
            return best
        # The best of too few runs: the fit as a whole was interrupted.
        return replace(best, result=replace(best.result, ended_by="interrupt"))

    def _added_variances(self, X, weight):
        """What `reg_covar` stands for, one number per feature."""
        if self.reg_covar == "auto":
            return AUTO_REG_COVAR * positive_variances(X, weight)
        return np.full(X.shape[1], float(self.reg_covar))

    def _runs(self, data, starts, task):
        """A run from every start, unless a callback or the user has had enough."""
        progress = Progress(self.verbose, self.verbose_interval)
        for start in starts:
            subtask = task.subtask("run", self.max_iter)
            run = self._run(data, start, progress, subtask)
            yield run
            enough = subtask.end(lambda to, run=run: to._store(run, data.X.dtype))
            if enough or run.result.ended_by == "interrupt":
                return

    def _iterations(self, task, run_of, dtype):
        """The iterations of a run, given how a result of the loop becomes a run."""
        return Iterations(
            task, lambda estimator, result: estimator._store(run_of(result), dtype)
        )

    def _check_resumable(self, X):
        fitted = (*self.means_.shape, self._fitted_type)
        wanted = (self.n_components, X.shape[1], self.covariance_type)
        if fitted != wanted:
            raise ValueError(
                "warm_start=True cannot continue a fit of (n_components, n_features, "
                f"covariance_type) = {fitted} with {wanted}. Set warm_start=False to "
                "start over."
            )

    def _starts(self, data):
        """A start for every run; what they share is prepared once."""
        family = FAMILIES[self.covariance_type]
        given = self._given_start(family, data.X.shape[1])
        if all(part is not None for part in given):
            yield from [Mixture.from_cholesky(*given, family)] * self.n_init
            return
        rows = start_rows(data.X, data.weight, self.n_components, data.rng)
        for _ in range(self.n_init):
            initial = self._initial(rows, family, data)
            initial = initial.weights, initial.means, initial.cholesky
            parts = zip(given, initial, strict=True)
            yield Mixture.from_cholesky(
                *(own if part is None else part for part, own in parts), family
            )

    def _initial(self, rows, family, data) -> Mixture:
        """The mixture that `init_params` stands for."""
        n_components, rng = self.n_components, data.rng
        shares = start_shares(self.init_params, rows, n_components, family, rng)
        mixture, _ = m_step(moments_of(rows.X, shares, family), family, data.reg_covar)
        return mixture

    def _given_start(self, family, n_features):
        """Checked initial weights, means and Cholesky factors; None where not given."""
        shape = (self.n_components, n_features)
        weights = means = cholesky = None
        if self.weights_init is not None:
            weights = checked_mixing_weights(
                self.weights_init, "weights_init", self.n_components
            )
        if self.means_init is not None:
            means = checked_array(self.means_init, "means_init", shape)
        if self.precisions_init is not None:
            precisions = checked_matrices(
                self.precisions_init, "precisions_init", family, shape
            )
            complaint = not_positive_definite("precisions_init")
            cholesky = family.cholesky_of_inverse(precisions, complaint)
        return weights, means, cholesky

    def _store(self, run, dtype):
        """Set the fitted attributes, in scikit-learn's shapes and the rows' dtype."""
        mixture, family = run.mixture, run.mixture.family
        factors = mixture.precision_factors
        self.weights_ = mixture.weights.astype(dtype)
        self.means_ = mixture.means.astype(dtype)
        self.covariances_ = family.public(mixture.covariances).astype(dtype)
        self.precisions_cholesky_ = family.public(factors).astype(dtype)
        self.precisions_ = family.public(family.square(factors)).astype(dtype)
        self._fitted_type = self.covariance_type
        self.converged_ = run.result.converged
        self.n_iter_ = len(run.result.values)
        self.lower_bounds_ = run.result.values
        self.lower_bound_ = float(run.lower_bound)

    def _mixture(self) -> Mixture:
        """The fitted mixture, read from the public attributes."""
        family = FAMILIES[self._fitted_type]
        factors = family.inner(self.precisions_cholesky_)
        weights = np.asarray(self.weights_, dtype=np.float64)
        return Mixture(
            # Rounding to float32 leaves a sum that is 1 only to seven digits.
            weights / weights.sum(),
            np.asarray(self.means_, dtype=np.float64),
            family.cholesky_factors(factors),
            factors,
            family,
        )

    def _workspace(self):
        return Workspace(effective_n_jobs(self.n_jobs))

    def _criterion(self, log_density, sample_weight, price):
        """−2 ℓ plus the price of every parameter, a function of the total weight."""
        weight = check_weights(sample_weight, log_density)
        log_likelihood = weighted_sum(weight, log_density)
        return -2 * log_likelihood + self._n_parameters() * price(weight.sum())

    def _n_parameters(self):
        family = FAMILIES[self._fitted_type]
        n_components, n_features = self.means_.shape
        n_covariance = family.n_parameters(n_components, n_features)
        return n_components * n_features + n_components - 1 + n_covariance
