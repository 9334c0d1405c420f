"""What EM and Adam share: how a mixture fit runs, and the mixture once fitted."""

from __future__ import annotations

from abc import abstractmethod
from copy import deepcopy
from dataclasses import replace
from functools import cache
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.densities.ascent import AscentMixin
from skdensity.densities.base import BaseDensity, unchanged_on_error
from skdensity.densities.callbacks import CallbackSupportMixin, Iterations, fit_task
from skdensity.densities.checks import (
    as_stored,
    check_component,
    check_sampling,
    checked_matrices,
    checked_mixing_weights,
    inverse_as_stored,
    not_positive_definite,
    quiet_sums,
    warn_of_repetition,
)
from skdensity.densities.components import ComponentsMixin
from skdensity.densities.conditionals import ConditionalsMixin
from skdensity.densities.criteria import CriteriaMixin
from skdensity.densities.distribution import DistributionMixin
from skdensity.densities.doubts import Doubts, doubts_of, warn_of
from skdensity.densities.imputation import ImputationMixin
from skdensity.densities.initial_values import given_values
from skdensity.densities.mixture_streams import MixtureStreamMixin
from skdensity.densities.parts import PartsMixin
from skdensity.densities.regularisation import REG_COVAR_CONSTRAINT, Regularisation
from skdensity.densities.runs import FitProblem, Run
from skdensity.densities.squares import check_squares
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.variances import moments_to_lean_on
from skdensity.passes.workspace import Workspace, as_in_a_pass
from skdensity.rows.row_blocks import RowBlocks
from skdensity.solvers.loop import Solver, iterate
from skdensity.solvers.mixture_modes import mixture_modes
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.stand_in import stand_in_for
from skdensity.solvers.mixtures.starts import sample_size, start_of, start_rows
from skdensity.solvers.result import (
    Result,
    unless_interrupted,
    warn_unless_converged,
)
from skdensity.solvers.stopping import StoppingRule
from skdensity.solvers.watchers import Progress


class BaseGaussianMixture(
    ComponentsMixin,
    CriteriaMixin,
    PartsMixin,
    ImputationMixin,
    ConditionalsMixin,
    AscentMixin,
    DistributionMixin,
    MixtureStreamMixin,
    BaseDensity,
    CallbackSupportMixin,
):
    """A Gaussian mixture: fitted by the subclass, evaluated here."""

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        # A live view of the table: families that are added to it count.
        "covariance_type": [StrOptions(FAMILIES.keys())],
        "reg_covar": REG_COVAR_CONSTRAINT,
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
    _told_by = ("weights_", "means_", "precisions_cholesky_")
    _takes_missing = True

    @classmethod
    def from_parameters(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        *,
        covariance_type: str = "full",
    ) -> Self:
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
        with quiet_sums():
            centres = check_array(means, dtype=np.float64, input_name="means")
        shape = n_components, n_features = centres.shape
        estimator = cls(n_components=n_components, covariance_type=covariance_type)
        estimator._validate_params()
        family = FAMILIES[covariance_type]
        inner = checked_matrices(covariances, "covariances", family, shape)
        mixture = Mixture.from_cholesky(
            checked_mixing_weights(weights, "weights", n_components),
            centres,
            family.cholesky(inner, not_positive_definite("covariances")),
            family,
        )
        estimator.n_features_in_ = n_features
        estimator._store_model(mixture, centres.dtype)
        return estimator

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the mixture `n_init` times and keep the most likely.

        Every run starts as `init_params` says. A likelihood has many maxima, so that
        more runs can end higher.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Training rows, at least 2 and at least `n_components`. NaN is what was not
            observed; every feature needs a value somewhere.
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
            If the input is not a table with usable weights, has infinities, squares
            that overflow or underflow, a feature that is NaN in all rows, or fewer rows
            than components, if an initial value, or what `init_params` gives or
            returns, has the wrong shape or range, or if a covariance becomes singular.
            The estimator is then left as it was.

        KeyboardInterrupt
            If the user interrupted the fit; the best parameters so far are kept, and
            `warm_start=True` goes on from them.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations were not enough for `tol`, or a descent never
            improved on a start that is no optimum.
        RuntimeWarning
            If `n_init` is more than 1 and `init_params` an array, from which all runs
            start.
        UserWarning
            If a number for `reg_covar` is more than a hundredth of the variance of a
            feature within a component, or "auto" more than a tenth for most rows, as
            rows far from the others can make it; if components rest on `reg_covar`
            because too few rows, or rows that do not vary, are behind them; or if
            components coincide.

        See Also
        --------
        fit_predict : Fit, then assign the rows to components.
        from_parameters : A mixture without data.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> X = [[0.0], [1.0], [7.0], [8.0], [9.0]]
        >>> mixture = EMGaussianMixture(2, random_state=0).fit(X)
        >>> mixture.means_.ravel().round(3), mixture.weights_.round(3)
        (array([8. , 0.5]), array([0.6, 0.4]))
        """
        run, doubts = self._fitted(X, y, sample_weight)
        warn_unless_converged(run.result, type(self).__name__, self.tol)
        warn_of(self, doubts)
        return self

    def fit_predict(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> np.ndarray:
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
        KeyboardInterrupt
            As :meth:`fit`.

        Warns
        -----
        ConvergenceWarning
            As :meth:`fit`.
        RuntimeWarning
            As :meth:`fit`.
        UserWarning
            As :meth:`fit`.

        See Also
        --------
        predict : Assign rows with the mixture as it is.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture
        >>> X = [[0.0], [1.0], [7.0], [8.0], [9.0]]
        >>> EMGaussianMixture(2, random_state=0).fit_predict(X)
        array([1, 1, 0, 0, 0])
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def sample(  # type: ignore[override]  # as scikit-learn's mixtures do
        self,
        n_samples: int = 1,
        random_state: Any = None,
        *,
        component: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from the fitted density: a component, then a row from it.

        The shares of the components in the draws vary about their weights, as those of
        independent draws do.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness; an int gives the same draws at every call, an instance
            goes on. None falls back on the constructor's.
        component : int, default=None
            The component that all rows come from. None draws one for each row.

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
            If `n_samples` is below 1, or there is no such component.
        TypeError
            If `n_samples` or `component` is not an integer.

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
        if component is None:
            return self._drawn(n_samples, random_state)
        model = self._model()
        check_component(component, model.n_components)
        n_samples, rng = check_sampling(self, n_samples, random_state)
        X = as_in_a_pass(model.gaussian(component).sample, n_samples, rng)
        return X.astype(self._dtype()), np.full(n_samples, component)

    def _fitted(self, X, y, sample_weight):
        """Fit the mixture; the run that is kept, and what it may hide.

        An interrupt goes on from here, so that nobody who fits can lose it.
        """
        task = fit_task(self, self.n_init, X, y, sample_weight)
        with unchanged_on_error(self), Workspace(self.n_jobs) as workspace, workspace:
            rows = self._rows_to_fit(X, sample_weight, workspace, min_samples=2)
            if rows.n_rows < self.n_components:
                raise ValueError(
                    f"n_components={self.n_components} needs at least as many rows of "
                    f"positive weight, but got n_samples={rows.n_rows}."
                )
            problem = self._problem(rows)
            best = self._best_run(problem, task)
            self._store(best, rows.dtype)
            self._fitted_to(problem, best)
            task.end()
            doubts = self._doubts(best, problem)
        unless_interrupted(best.result, type(self).__name__)
        return best, doubts

    @abstractmethod
    def _solver(self, problem: FitProblem, start: Mixture | None) -> Solver:
        """How this estimator finds parameters, from a start or the last fit."""

    @property
    def _runs_draw(self) -> bool:
        """Whether runs from the same start may end apart."""
        return False

    @abstractmethod
    def _stopping_rule(self) -> StoppingRule:
        """When it has gone far enough."""

    def _resumed(self, solver):
        """The state to continue the last fit from."""
        return solver.init(self._model())

    def _finished(self, solver, result):
        """What a result of the loop amounts to."""
        mixture, value = solver.finished(result.state)
        return Run(solver, mixture, result, value)

    def _run(self, problem, start, progress, task):
        """Fit from a start, or from the last fit when there is none."""
        solver, dtype = self._solver(problem, start), problem.rows.dtype

        def store(estimator, result):
            estimator._store(self._finished(solver, result), dtype)

        result = iterate(
            solver,
            self._resumed(solver) if start is None else solver.init(start),
            max_iter=self.max_iter,
            stop=self._stopping_rule(),
            watchers=[progress, Iterations(task, store)],
        )
        return self._finished(solver, result)

    def _look_at(self, rows):
        # Where starts draw their sample from, and as they will.
        rng = deepcopy(check_random_state(self.random_state))
        rows.sample(sample_size(self.n_components), rng)

    def _check_known(self, rows, min_samples, everywhere):
        super()._check_known(rows, min_samples, everywhere)
        check_squares(self, rows)

    def _problem(self, rows):
        """What every run of this fit shares."""
        family = FAMILIES[self.covariance_type]
        moments = cache(lambda: moments_to_lean_on(rows, family))
        rng = check_random_state(self.random_state)
        n = self.n_components
        stand_in = stand_in_for(rows, sample_size(n), n, rng)
        regularisation = Regularisation.of(self.reg_covar, stand_in.rows, family)
        added = regularisation.added(moments)
        start = start_of(self.init_params, stand_in)
        return FitProblem(rows, stand_in, regularisation, added, rng, start, moments)

    def _best_run(self, problem, task):
        rows = problem.rows
        starts = [None] if self._continues(rows) else self._starts(problem)
        runs, interrupted = [], False
        try:
            for run in self._runs(problem, starts, task):
                runs.append(run)
                interrupted = run.result.interrupted
        except KeyboardInterrupt:  # while the next start was sought
            if not runs:
                raise
            interrupted = True
        best = max(runs, key=lambda run: run.lower_bound)
        if not interrupted:
            return best
        # The best of too few runs: the fit as a whole was interrupted.
        return replace(best, result=replace(best.result, ended_by="interrupt"))

    def _doubts(self, run, problem):
        """What the fit may hide, in words; nothing of one that was cut off."""
        if run.result.interrupted or not run.result.values:
            return Doubts()
        moments = self._last_moments(run, problem.rows)
        return doubts_of(self, run.mixture, moments, problem.rows, problem.reg_covar)

    def _last_moments(self, run, rows) -> Moments:
        """Those that the components of a run can be estimated from."""
        return run.mixture.moments(rows)

    def _runs(self, problem, starts, task):
        """A run from every start, unless a callback or the user has had enough."""
        progress = Progress(self.verbose, self.verbose_interval)
        dtype = problem.rows.dtype
        for start in starts:
            subtask = task.subtask("run", self.max_iter)
            run = self._run(problem, start, progress, subtask)
            yield run
            enough = subtask.end(lambda to, run=run: to._store(run, dtype))
            if enough or run.result.interrupted:
                return

    def _continues(self, rows):
        """Whether the fit goes on where the last one ended."""
        if not (self.warm_start and hasattr(self, "converged_")):
            return False
        fitted = (*self.means_.shape, self._fitted_family().name)
        wanted = (self.n_components, rows.n_features, self.covariance_type)
        if fitted != wanted:
            raise ValueError(
                "warm_start=True cannot continue a fit of (n_components, n_features, "
                f"covariance_type) = {fitted} with {wanted}. Set warm_start=False to "
                "start over."
            )
        return True

    def _starts(self, problem):
        """A start for every run; what they share is prepared once."""
        family, n_components = FAMILIES[self.covariance_type], self.n_components
        given = given_values(self, family, problem.rows.n_features)
        rows, rng, start = problem.rows, problem.rng, problem.start
        n_alike = self.n_init if self._runs_draw else 1
        if given.n_parts == 3:
            mixture = Mixture.from_cholesky(**vars(given), family=family)
            yield from [mixture] * n_alike
            return
        on, are_all = start_rows(problem.stand_in.rows, n_components, rng)
        of_all = problem.moments if are_all and rows.are_complete else None
        sought = StartProblem(on, n_components, family, problem.reg_covar, of_all)
        if start.is_fixed:
            warn_of_repetition(self)
        if start.is_settled(given):
            yield from [start.completing(given, sought, rng)] * n_alike
            return
        for _ in range(self.n_init):
            yield start.found(given, sought, problem.stand_in, rng)

    def _store(self, run, dtype):
        """Set the fitted attributes, in scikit-learn's shapes and the rows' dtype."""
        mixture, family = run.mixture, run.mixture.family
        factors, public = mixture.precision_factors, family.shape.public
        self.weights_ = mixture.weights.astype(dtype)
        self.means_ = mixture.means.astype(dtype)
        self.covariances_ = as_stored(public(mixture.covariances), dtype)
        self.precisions_cholesky_ = as_stored(public(factors), dtype)
        self.precisions_ = inverse_as_stored(public(family.precisions(factors)), dtype)
        self._fitted_type = family.name
        self.converged_ = run.result.converged
        self.n_iter_ = len(run.result.values)
        self.lower_bounds_ = run.result.values
        self.lower_bound_ = float(run.lower_bound)

    def _store_model(self, model, dtype):
        self.set_params(
            n_components=model.n_components, covariance_type=model.family.name
        )
        self._store(Run(None, model, Result(None, [])), dtype)

    def _fitted_family(self):
        """The family that the attributes are of.

        Those that were set by hand are of the parameter's.
        """
        shapes = {}
        for name in (getattr(self, "_fitted_type", None), self.covariance_type):
            if name in FAMILIES and np.ndim(self.means_) == 2:
                shape = FAMILIES[name].shape.public_shape(*np.shape(self.means_))
                if np.shape(self.precisions_cholesky_) == shape:
                    return FAMILIES[name]
                shapes[name] = shape
        raise ValueError(
            f"`means_` of shape {np.shape(self.means_)} and `precisions_cholesky_` of "
            f"shape {np.shape(self.precisions_cholesky_)} are no mixture with "
            f"covariance_type={self.covariance_type!r}; for these means, it needs "
            f"`precisions_cholesky_` of shape {shapes.get(self.covariance_type)}."
        )

    def _found_modes(self):
        with Workspace(self.n_jobs) as workspace, workspace:
            return mixture_modes(self._model(), workspace)

    def _told(self):
        return {**super()._told(), "family": self._fitted_family().name}

    def _model_of(self, told):
        weights, means, factors = (
            np.asarray(told[name], dtype=np.float64) for name in self._told_by
        )
        weights = checked_mixing_weights(weights, "weights_", len(means))
        family = FAMILIES[told["family"]]
        return Mixture(weights, means, family.shape.inner(factors), family)
