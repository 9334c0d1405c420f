"""The Gaussian mixture fitted by gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions

from skdensity.densities.base_mixture import BaseGaussianMixture
from skdensity.densities.descent import (
    ADAM_CONSTRAINTS,
    adam_for,
    restored,
    state_in_stream,
    stopping_rule_of,
    stored,
    stream_adam_for,
)
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.losses import mixture_loss
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import gaussian_of
from skdensity.solvers.mixtures.em import SINGULAR_ESTIMATE
from skdensity.solvers.mixtures.starts import STARTS
from skdensity.solvers.result import Result


class AdamGaussianMixture(BaseGaussianMixture):
    r"""Gaussian mixture fitted by Adam on its mean negative log-likelihood.

    .. math::

        \min \; -\frac{1}{W} \sum_i w_i
            \log \sum_k \pi_k \, N(x_i \mid \mu_k, L_k L_k^\top), \qquad
        \pi = \mathrm{softmax}(\alpha)

    The free parameters are logits α, means, and lower-triangular factors L with the
    logarithm of their diagonal: any values of them are a mixture.

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : str, default="full"
        Shape of the covariances: ``"full"``, one matrix per component; ``"tied"``, one
        matrix for all; ``"diag"``, one variance per component and feature;
        ``"tied_diag"``, one variance per feature; ``"spherical"``, one variance per
        component; or ``"tied_spherical"``, one variance for all.
    learning_rate_init : float, default=0.05
        Step size η.
    max_iter : int, default=500
        Largest number of epochs; 0 returns the start.
    tol : float or None, default=1e-6
        Improvement of the loss, in nats, that counts as one. None runs all
        `max_iter` epochs.
    n_iter_no_change : int, default=50
        Epochs without improvement after which the fit goes back to the best parameters
        and continues at a tenth of the learning rate; the third time it stops.
        All of these epochs must be in one call of `fit`: a warm start counts anew.
    batch_size : int or None, default=None
        Rows per update. None uses all rows, in one update per epoch.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of the running averages of the gradient and of its square.
    epsilon : float, default=1e-8
        Added to the root of the averaged square.
    reg_covar : float or "auto", default="auto"
        What is added to every covariance of the start, as in
        :class:`EMGaussianMixture`. During the descent its own :math:`L_{dd}^2`, the
        variance of a feature given those before it, are the smallest that those of a
        component may have. So the volume of a component, and with it the likelihood, is
        bounded. EM adds it to every covariance instead, which keeps them larger.
    n_init : int, default=1
        Number of starts; the most likely result is kept.
    init_params : str, array-like or callable, default="small_em"
        Where the descent starts: ``"small_em"``, ``"kmeans"``, ``"k-means++"``,
        ``"random"`` or ``"random_from_data"``, an array of labels or responsibilities,
        or a callable, as in :class:`EMGaussianMixture`; or, with
        ``"standard_normal"``, at logits and means drawn from N(0, 1) and unit
        covariances, whatever the data.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start at. Parts that are not given are found to go with those that
        are, as in :class:`EMGaussianMixture`; those of ``"standard_normal"`` stay as
        they are drawn.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start at. A name in `init_params` then plays no part, unless it is
        ``"standard_normal"``, and all runs start alike.
    precisions_init : array-like or float, default=None
        Inverse covariances to start at, in the shape of `precisions_`.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the start and of the batches, and the default of
        :meth:`sample`.
    warm_start : bool, default=False
        Whether a further call of `fit` continues where the last one stopped, with
        Adam's running averages; `n_init` is then ignored.
    verbose : int, default=0
        1 prints epochs, 2 also values and times.
    verbose_interval : int, default=10
        Epochs between two lines.
    n_jobs : int or None, default=None
        Number of threads. None takes as many as BLAS may use here and now, so that
        limits of ``threadpoolctl``, ``OMP_NUM_THREADS`` and joblib's workers hold;
        elsewhere in scikit-learn None means 1 for what has no threads of its own. −1
        takes all processors. It makes no difference to the result.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Weights π of the components.
    means_ : ndarray of shape (n_components, n_features)
        Means μ of the components.
    covariances_ : ndarray or float
        Covariances L Lᵀ, of shape (n_components, n_features, n_features) for
        ``"full"``, (n_features, n_features) for ``"tied"``, (n_components, n_features)
        for ``"diag"``, (n_features,) for ``"tied_diag"`` and (n_components,) for
        ``"spherical"``; a number for ``"tied_spherical"``.
    precisions_ : ndarray or float
        Inverses of the covariances, in the same shape.
    precisions_cholesky_ : ndarray or float
        Upper triangular factors U with Σ⁻¹ = U Uᵀ, in the same shape.
    loss_curve_ : list of float
        Mean negative log-likelihood, in nats, before each update; with batches, the
        average over the epoch's updates. After `partial_fit`, that of the last batch.
    converged_ : bool
        Whether the best run stopped because the loss no longer improved. That is no
        proof of an optimum: steps too long or too short for the data do not improve
        either. False, with a warning, if nothing ever improved on a start that is no
        optimum.
    n_iter_ : int
        Epochs of the best run; 1 after `partial_fit`.
    lower_bound_ : float
        Largest entry of `lower_bounds_`, with batches the last; −inf when there is
        none.
    lower_bounds_ : list of float
        Minus `loss_curve_`.
    n_samples_seen_ : int
        Number of rows of positive weight seen by `fit`, and by `partial_fit` since.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    EMGaussianMixture : The same density by expectation–maximisation, usually faster.
    CholeskyGaussian : One component, whose epochs do not depend on the number of rows.

    Notes
    -----
    Without batches the result is the most likely of all parameters visited, with
    batches the last.

    By Fisher's identity the gradient is a function of the same moments that an EM step
    needs, so that an epoch costs one pass over the rows. The descent from a start taken
    from the data runs on rows whitened by the single Gaussian of the same
    `covariance_type`: the units of the data, and for ``"full"`` and ``"tied"`` their
    correlations, then make no difference. From ``"standard_normal"`` it runs on the
    data as they are.

    NaN stands for what was not observed, as in :class:`EMGaussianMixture`; the
    gradients, of the likelihood of what was, are exact.

    From scikit-learn 1.9 on, ``set_callbacks`` attaches a progress bar or an early stop
    to the fit: every run is a task and its epochs are subtasks. A run that a callback
    stops keeps its parameters; `converged_` is then False.

    References
    ----------
    D. P. Kingma and J. Ba (2015), arXiv:1412.6980. The gradients follow from Fisher's
    identity as in O. Cappé, E. Moulines and T. Rydén (2005), *Inference in Hidden
    Markov Models*, section 10.1, doi:10.1007/0-387-28982-8.

    Examples
    --------
    Gradient descent reaches the optimum of EM when the start is good:

    >>> from skdensity import AdamGaussianMixture, EMGaussianMixture
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, _ = make_mixture_1d()
    >>> adam = AdamGaussianMixture(3, random_state=0).fit(X)
    >>> em = EMGaussianMixture(3, random_state=0, tol=1e-8, max_iter=1000).fit(X)
    >>> round(adam.score(X), 3), round(em.score(X), 3)
    (-2.323, -2.323)

    From the random start, seeds end in different optima:

    >>> for seed in (2, 5, 10):
    ...     start = {"init_params": "standard_normal", "random_state": seed}
    ...     mixture = AdamGaussianMixture(3, tol=None, **start).fit(X)
    ...     print(round(mixture.score(X), 3))
    -2.323
    -2.437
    -2.406
    """

    _parameter_constraints: dict = {
        **BaseGaussianMixture._parameter_constraints,
        **ADAM_CONSTRAINTS,
        "init_params": [
            StrOptions(STARTS.keys()),  # a live view
            "array-like",
            callable,
        ],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        learning_rate_init: float = 0.05,
        max_iter: int = 500,
        tol: float | None = 1e-6,
        n_iter_no_change: int = 50,
        batch_size: int | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        reg_covar: float | Literal["auto"] = "auto",
        n_init: int = 1,
        init_params: str | Callable | ArrayLike = "small_em",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.batch_size = batch_size
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.reg_covar = reg_covar
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take one step of Adam on a batch of rows, or on every `batch_size` of them.

        Adam's running averages go on from batch to batch, and from `fit`; the learning
        rate is `learning_rate_init` throughout. A stream begins with `init_params` on
        its first rows, in whose units it then descends, and whose covariance
        ``reg_covar="auto"`` is of. These are kept, and joined by
        those that follow, until there are 50 for each component, and 4 for each feature
        of a component that has a matrix; meanwhile the mixture is a step from what a
        start makes of them. After :meth:`from_parameters` it sets out from those, as
        soon as there are as many rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next rows, one at least, in no order that tells of the components; they
            are not shuffled. NaN is what was not observed; in the first batch, every
            feature needs a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of the rows within the batch: a step is as long
            whatever they sum to.

        Returns
        -------
        self : AdamGaussianMixture
            The mixture after the step. `loss_curve_` has the loss of the batch before
            it.

        Raises
        ------
        ValueError
            If the batch is not a table of the same features and dtype with usable
            weights, has infinities or squares that overflow or underflow, if
            `n_components` or `covariance_type` have changed, or the descent diverges.
            The estimator is then left as it was.
        TypeError
            If `X` is what has many batches, RowBlocks or a Dask collection.

        See Also
        --------
        fit : All rows at once. With ``warm_start=True`` it goes on from a stream.
        EMGaussianMixture.partial_fit : The same without a learning rate.

        Examples
        --------
        >>> from skdensity import AdamGaussianMixture
        >>> from skdensity.datasets import make_mixture_1d
        >>> X, _ = make_mixture_1d(50_000)
        >>> stream = AdamGaussianMixture(3, random_state=0, learning_rate_init=0.01)
        >>> for begin in range(0, len(X), 500):
        ...     stream = stream.partial_fit(X[begin : begin + 500])
        >>> whole = AdamGaussianMixture(3, random_state=0).fit(X)
        >>> bool(whole.score(X) - stream.score(X) < 0.01)
        True
        """
        return self._learn_from(X, sample_weight)

    @property
    def _runs_draw(self) -> bool:
        return self.batch_size is not None  # the order of the rows

    def _stopping_rule(self):
        return stopping_rule_of(self)

    def _solver(self, problem, start):
        family = FAMILIES[self.covariance_type]
        family.asked("free", type(self).__name__)
        parameters = self._parameters(problem, family, start)
        return adam_for(
            self,
            mixture_loss(parameters, problem.rows),
            problem.rows,
            problem.rng,
            project=_floor(parameters, problem.reg_covar),
        )

    def _parameters(self, problem, family, start):
        """What is free: as in the last fit, or measured from where this one starts."""
        if start is None and self._last_descent:
            return self._last_parameters(family)
        units = self._units(problem, family)
        origins = (self._model() if start is None else start).means
        return MixtureParameters(self.n_components, units, origins)

    def _last_parameters(self, family):
        last = self._last_descent
        units = Gaussian(last["location"], last["cholesky"], family)
        return MixtureParameters(self.n_components, units, last["origins"])

    def _units(self, problem, family):
        """The Gaussian in whose units a descent runs."""
        if not problem.start.is_blind:
            rows, added = problem.stand_in.rows, problem.reg_covar
            return gaussian_of(rows, family, added, SINGULAR_ESTIMATE)
        n_features = problem.rows.n_features
        return Gaussian.isolated(np.zeros(n_features), np.ones(n_features), family)

    def _resumed(self, solver):
        last = self._last_descent
        if last:
            return solver.resume(restored(last["state"]))
        return super()._resumed(solver)

    @property
    def _last_descent(self) -> dict[str, Any]:
        """What a warm start goes on from; empty after parameters that were given."""
        return getattr(self, "_adam", None) or {}

    def _finished(self, solver, result):
        run = super()._finished(solver, result)
        values = [-value for value in result.values]
        result = replace(result, values=values)
        return replace(run, result=result, lower_bound=-run.lower_bound)

    def _store(self, run, dtype):
        super()._store(run, dtype)
        self.loss_curve_ = [-value for value in run.result.values]
        self._adam = None if run.solver is None else _stored_descent(run)

    @property
    def _has_stream(self):
        return bool(self._last_descent)

    def _set_out(self, problem, start):
        family = FAMILIES[self.covariance_type]
        family.asked("free", type(self).__name__)
        self._note_added(problem.reg_covar)
        parameters = self._parameters(problem, family, start)
        solver = self._stream_solver(parameters, problem.rows)
        self._step_on(solver, solver.init(start))

    def _go_on(self, rows):
        parameters = self._last_parameters(FAMILIES[self.covariance_type])
        solver = self._stream_solver(parameters, rows)
        last = self._last_descent["state"]
        self._step_on(solver, state_in_stream(solver, last, self._streamed))

    def _stream_solver(self, parameters, rows):
        loss, floor = mixture_loss(parameters, rows), _floor(parameters, self._added)
        return stream_adam_for(self, loss, rows, project=floor)

    def _step_on(self, solver, state):
        state = solver.step(state)
        run = self._finished(solver, Result(state, [state.value]))
        self._store(run, solver.rows.dtype)

    def _note_added(self, added):
        super()._note_added(added)
        self._added = added


def _floor(parameters, added):
    """Keeps covariances above what is added to them."""
    least = parameters.least_pivots(added)
    return lambda free: parameters.floored(free, least)


def _stored_descent(run):
    """What a warm start goes on from, as plain arrays and numbers."""
    parameters = run.solver.loss.parameters
    return {
        "state": stored(run.result.state),
        "location": parameters.units.mean,
        "cholesky": parameters.units.cholesky,
        "origins": parameters.origins,
    }
