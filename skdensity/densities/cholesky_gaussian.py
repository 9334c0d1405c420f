"""One Gaussian, fitted by gradient descent."""

from __future__ import annotations

from dataclasses import asdict, replace
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.base_gaussian import BaseGaussian
from skdensity.densities.callbacks import CallbackSupportMixin, Iterations, fit_task
from skdensity.densities.checks import as_stored, checked_array, inverse_as_stored
from skdensity.densities.descent import (
    ADAM_CONSTRAINTS,
    adam_for,
    restored,
    state_in_stream,
    stopping_rule_of,
    stored,
    stream_adam_for,
)
from skdensity.densities.doubts import doubt_of_gaussian, warn_of
from skdensity.densities.regularisation import (
    REG_COVAR_CONSTRAINT,
    Regularisation,
    added_to_gaussian,
)
from skdensity.densities.streams import StreamMixin, as_plain
from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import FULL
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.losses import gaussian_loss
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, merged
from skdensity.models.mixtures.variances import moments_to_lean_on
from skdensity.passes.workspace import Workspace
from skdensity.rows.row_blocks import RowBlocks
from skdensity.solvers.loop import iterate
from skdensity.solvers.result import (
    Result,
    unless_interrupted,
    warn_unless_converged,
)
from skdensity.solvers.watchers import Progress, Watcher


class CholeskyGaussian(StreamMixin, BaseGaussian, CallbackSupportMixin):
    r"""Gaussian density fitted by Adam through the Cholesky factor of its covariance.

    .. math::

        \min_{\mu, L} \; -\frac{1}{W} \sum_i w_i \log N(x_i \mid \mu, L L^\top), \qquad
        L = \begin{pmatrix} e^{a_1} & & \\ \ell_{21} & e^{a_2} & \\
            \vdots & & \ddots \end{pmatrix}

    The free parameters are the mean, the logarithms :math:`a_d` of the diagonal of the
    lower-triangular L, and its entries below the diagonal: any values of them give a
    positive definite covariance, with :math:`\log |\Sigma| = 2 \sum_d a_d`. In one
    dimension this is gradient descent on :math:`(\mu, \log \sigma)`.

    Parameters
    ----------
    learning_rate_init : float, default=0.05
        Step size η, in units of the data for the mean.
    max_iter : int, default=400
        Largest number of epochs; 0 returns the start.
    tol : float or None, default=1e-6
        Improvement of the loss, in nats, that counts as one. None runs all
        `max_iter` epochs.
    n_iter_no_change : int, default=50
        Epochs without improvement after which the fit goes back to the best parameters
        and continues at a tenth of the learning rate; the third time it stops.
        All of these epochs must be in one call of `fit`: a warm start counts anew.
    batch_size : int or None, default=None
        Rows per update. None uses all rows, in one update per epoch whose cost does not
        depend on their number.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of the running averages of the gradient and of its square.
    epsilon : float, default=1e-8
        Added to the root of the averaged square.
    reg_covar : float or "auto", default=0.0
        Covariance that every row is taken to have of its own, as in
        :class:`GaussianMLE`, where the descent then ends: a number is a variance of
        every feature, in squared units of the data, and ``"auto"`` is 1e-6 of the
        covariance of all rows. Without any, a singular covariance is approached for
        ever.
    location_init : array-like of shape (n_features,), default=None
        Mean to start at. None is the zero vector.
    cholesky_init : array-like of shape (n_features, n_features), default=None
        Lower-triangular factor to start at, with a positive diagonal. None is the
        identity.
    store_path : bool, default=False
        Whether to keep the parameters after every epoch.
    warm_start : bool, default=False
        Whether a further call of `fit` continues where the last one stopped, with
        Adam's running averages: two fits of n epochs equal one of 2n.
    random_state : int, RandomState instance or None, default=None
        Order of the rows when `batch_size` is set, and the default of :meth:`sample`.
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
    location_ : ndarray of shape (n_features,)
        Fitted mean.
    cholesky_ : ndarray of shape (n_features, n_features)
        Fitted lower-triangular factor L.
    covariance_ : ndarray of shape (n_features, n_features)
        L Lᵀ.
    precision_ : ndarray of shape (n_features, n_features)
        Inverse of `covariance_`.
    loss_curve_ : list of float
        Mean negative log-likelihood, in nats, before each update, of rows that vary by
        `reg_covar`; with batches, the average over the epoch's updates. After
        `partial_fit`, that of the last batch.
    n_iter_ : int
        Epochs of the last call of `fit`; 1 after `partial_fit`.
    converged_ : bool
        Whether the fit stopped because the loss no longer improved. That is no proof of
        an optimum: steps too long or too short for the data do not improve either.
        False, with a warning, if nothing ever improved on a start that is no optimum.
    location_path_ : ndarray of shape (`n_iter_`, n_features)
        Mean after each epoch. Only with ``store_path=True``.
    cholesky_path_ : ndarray of shape (`n_iter_`, n_features, n_features)
        Factor after each epoch. Only with ``store_path=True``.
    n_samples_seen_ : int
        Number of rows of positive weight seen by `fit`, and by `partial_fit` since.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    GaussianMLE : The same optimum in closed form.
    AdamGaussianMixture : Several Gaussians by gradient descent.

    Notes
    -----
    The start, zero mean and unit covariance, and the learning rate know nothing of the
    data: rows far from the origin or of another scale than 1 need many epochs.
    Standardise them first, or give a start.

    Without batches the result is the most likely of all parameters visited, with
    batches the last.

    The gradient is exact and comes from the moments of the rows; with
    ``batch_size=None`` these are computed once, after which an epoch costs
    O(n_features³).

    NaN stands for what was not observed, missing at random. The gradients, of the
    likelihood of what was, are exact, too, but every epoch is a pass over the rows.

    From scikit-learn 1.9 on, ``set_callbacks`` attaches a progress bar or an early stop
    to the fit, whose epochs are tasks. A fit that a callback stops keeps its
    parameters; `converged_` is then False.

    References
    ----------
    D. P. Kingma and J. Ba (2015), arXiv:1412.6980. J. C. Pinheiro and D. M. Bates
    (1996), *Unconstrained parametrizations for variance-covariance matrices*,
    doi:10.1007/BF00140873.

    Examples
    --------
    >>> from skdensity import CholeskyGaussian
    >>> from skdensity.datasets import make_gaussian_2d
    >>> density = CholeskyGaussian(tol=None).fit(make_gaussian_2d())
    >>> density.covariance_.round(3)
    array([[1.442, 0.766],
           [0.766, 0.938]])
    >>> [round(loss, 4) for loss in density.loss_curve_[::133]]
    [5.5661, 2.704, 2.704, 2.704]
    """

    _parameter_constraints: dict = {
        **ADAM_CONSTRAINTS,
        "reg_covar": REG_COVAR_CONSTRAINT,
        "location_init": ["array-like", None],
        "cholesky_init": ["array-like", None],
        "store_path": ["boolean"],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }
    _told_by = ("location_", "cholesky_")
    _adam: dict[str, Any] | None  # what a warm start goes on from
    # What "auto" follows, and whether the last rows were a batch, not those of `fit`.
    _moments: dict[str, Any] | None = None
    _streamed = False

    def __init__(
        self,
        *,
        learning_rate_init: float = 0.05,
        max_iter: int = 400,
        tol: float | None = 1e-6,
        n_iter_no_change: int = 50,
        batch_size: int | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        reg_covar: float | Literal["auto"] = 0.0,
        location_init: ArrayLike | None = None,
        cholesky_init: ArrayLike | None = None,
        store_path: bool = False,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
        n_jobs: int | None = None,
    ) -> None:
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.batch_size = batch_size
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.reg_covar = reg_covar
        self.location_init = location_init
        self.cholesky_init = cholesky_init
        self.store_path = store_path
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Minimise the mean negative log-likelihood.

        The data are read once, for their mean and covariance; every epoch takes one
        step of Adam on the loss of all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Training rows, at least 2. NaN is what was not observed; every feature needs
            a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : CholeskyGaussian
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is not a table with usable weights, has infinities, squares
            that overflow or underflow or a feature that is NaN in all rows, or if a
            start has the wrong shape or a non-positive diagonal. The estimator is then
            left as it was.
        KeyboardInterrupt
            If the user interrupted the fit; the best parameters so far are kept, and
            `warm_start=True` goes on from them.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` epochs were not enough for `tol`, or none improved on a start
            that is no optimum.
        UserWarning
            If a number for `reg_covar` is more than a hundredth of the variance of a
            feature, or the covariance rests on `reg_covar`.

        See Also
        --------
        GaussianMLE.fit : The same optimum in closed form.

        Examples
        --------
        >>> from skdensity import CholeskyGaussian
        >>> density = CholeskyGaussian(tol=None).fit([[0.0], [2.0]])
        >>> density.location_.round(2), density.covariance_.round(2)
        (array([1.]), array([[1.]]))
        """
        task = fit_task(self, self.max_iter, X, y, sample_weight)
        with unchanged_on_error(self), Workspace(self.n_jobs) as workspace, workspace:
            rows = self._rows_to_fit(X, sample_weight, workspace, min_samples=2)
            added, doubt = self._added_covariance(rows)
            result = self._run(rows, added, task)
            self._streamed = False
            self.n_samples_seen_ = rows.n_rows
            task.end()
        unless_interrupted(result, type(self).__name__)
        likelihood = replace(result, values=[-loss for loss in result.values])
        warn_unless_converged(likelihood, type(self).__name__, self.tol)
        warn_of(self, [doubt])
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take one step of Adam on a batch of rows, or on every `batch_size` of them.

        The first batch sets out from `location_init` and `cholesky_init`. Adam's
        running averages go on from batch to batch, and from `fit`; the learning rate is
        `learning_rate_init` throughout. After :meth:`from_parameters` a stream sets out
        from those.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next rows, one at least, in no order that tells of their values; they
            are not shuffled. NaN is what was not observed; in the first batch, every
            feature needs a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of the rows within the batch: a step is as long
            whatever they sum to.

        Returns
        -------
        self : CholeskyGaussian
            The density after the step. `loss_curve_` has the loss of the batch before
            it, and ``reg_covar="auto"`` is 1e-6 of the covariance of all rows so far.

        Raises
        ------
        ValueError
            If the batch is not a table of the same features and dtype with usable
            weights, has infinities or squares that overflow or underflow, or if the
            descent diverges. The estimator is then left as it was.
        TypeError
            If `X` is what has many batches, RowBlocks or a Dask collection.

        See Also
        --------
        fit : All rows at once. With ``warm_start=True`` it goes on from a stream.
        GaussianMLE.partial_fit : The optimum of all rows so far.

        Examples
        --------
        >>> from skdensity import CholeskyGaussian
        >>> from skdensity.datasets import make_gaussian_2d
        >>> X, density = make_gaussian_2d(50_000), CholeskyGaussian()
        >>> for begin in range(0, len(X), 100):
        ...     density = density.partial_fit(X[begin : begin + 100])
        >>> bool(CholeskyGaussian().fit(X).score(X) - density.score(X) < 0.01)
        True
        """
        return self._learn_from(X, sample_weight)

    @property
    def _family(self) -> CovarianceFamily:
        return FULL

    def _learn(self, rows):
        loss = gaussian_loss(rows, FULL, self._added_in_stream(rows))
        solver = stream_adam_for(self, loss, rows)
        state = solver.step(self._state_before(solver))
        result = Result(state, [state.value])
        self._store_result(result, solver, [state], rows.dtype)
        self._streamed = True

    def _state_before(self, solver):
        """Where a batch finds the descent."""
        if not hasattr(self, "location_"):
            return self._begin(solver)
        if last := getattr(self, "_adam", None):
            return state_in_stream(solver, last, self._streamed)
        return solver.init(self._model())

    def _added_in_stream(self, rows):
        """What `reg_covar` stands for, given all rows so far."""
        if self.reg_covar == 0:
            return None

        def so_far():
            moments = self._moments_so_far(rows)
            self._moments = as_plain(asdict(moments))
            return moments

        return Regularisation(self.reg_covar, FULL, rows.n_features).added(so_far)

    def _moments_so_far(self, rows):
        """Those of all rows; what is missing is expected under the last parameters."""
        if not hasattr(self, "location_"):
            return moments_to_lean_on(rows, FULL)
        moments = Mixture.alone(self._model()).moments(rows)
        if self._moments is None:
            return moments
        return merged(Moments(**self._moments), moments, FULL.scatter)

    def _added_covariance(self, rows):
        """What `reg_covar` stands for, and whether the fit rests on it."""
        self._moments = None
        if self.reg_covar == 0:
            return None, None
        moments = moments_to_lean_on(rows, FULL)
        self._moments = as_plain(asdict(moments))
        added = added_to_gaussian(self.reg_covar, moments, FULL)
        return added, doubt_of_gaussian(self, moments, FULL, rows, added)

    def _run(self, rows, added, task):
        loss = gaussian_loss(rows, FULL, added)
        rng = check_random_state(self.random_state)
        solver, path = adam_for(self, loss, rows, rng), Path()

        def store(estimator, result):
            estimator._store_result(result, solver, path.states, rows.dtype)

        watchers: list[Watcher] = [Progress(self.verbose, self.verbose_interval)]
        watchers += [path] * self.store_path
        result = iterate(
            solver,
            self._start(solver),
            max_iter=self.max_iter,
            stop=stopping_rule_of(self),
            watchers=[*watchers, Iterations(task, store)],
        )
        store(self, result)
        return result

    def _start(self, solver):
        if self.warm_start and hasattr(self, "n_iter_"):
            self._check_resumable(solver.loss.n_features)
            if last := getattr(self, "_adam", None):
                return solver.resume(restored(last))
            return solver.init(self._model())
        return self._begin(solver)

    def _begin(self, solver):
        """The state that the start is."""
        n_features = solver.loss.n_features
        location = np.zeros(n_features)
        if self.location_init is not None:
            location = checked_array(self.location_init, "location_init", (n_features,))
        cholesky = np.eye(n_features)
        if self.cholesky_init is not None:
            cholesky = checked_array(
                self.cholesky_init, "cholesky_init", (n_features, n_features)
            )
            _check_lower_triangular(cholesky)
        return solver.init(Gaussian(location, cholesky, FULL))

    def _check_resumable(self, n_features):
        if len(self.location_) != n_features:
            raise ValueError(
                f"warm_start=True continues a fit on {len(self.location_)} features, "
                f"but X has {n_features}. Set warm_start=False to start over."
            )

    def _store_result(self, result, solver, path, dtype):
        gaussian, _ = solver.finished(result.state)
        self._store_gaussian(gaussian, dtype)
        self.loss_curve_ = result.values
        self.n_iter_ = len(result.values)
        self.converged_ = result.converged
        self._adam = stored(result.state)
        self._store_path(solver.loss, path, dtype)

    def _store_given(self, gaussian, covariance, dtype):
        self._store_gaussian(gaussian, dtype)
        self.covariance_ = as_stored(covariance, dtype)
        self.loss_curve_, self.n_iter_, self.converged_ = [], 0, False

    def _store_gaussian(self, gaussian, dtype):
        self._store_arrays(dtype, location_=gaussian.mean, cholesky_=gaussian.cholesky)
        self.covariance_ = as_stored(gaussian.covariance, dtype)
        self.precision_ = inverse_as_stored(gaussian.precision, dtype)
        self._adam = None

    def _store_path(self, loss, path, dtype):
        for name in ("location_path_", "cholesky_path_"):
            self.__dict__.pop(name, None)
        if self.store_path:
            visited = [loss.unravel(state.parameters) for state in path]
            shape = (len(path), loss.n_features)
            means = np.reshape([g.mean for g in visited], shape)
            factors = np.reshape([g.cholesky for g in visited], (*shape, shape[1]))
            self.location_path_ = means.astype(dtype)
            self.cholesky_path_ = factors.astype(dtype)

    def _model_of(self, told):
        location, cholesky = self._told_arrays(told)
        return Gaussian(location, cholesky, FULL)


class Path(Watcher):
    """Keeps the state after every epoch."""

    def __init__(self) -> None:
        self.states: list = []

    def iteration(self, state, values, is_last):
        self.states.append(state)
        return False

    def end(self, result):
        # Not of an iteration that the user interrupted before this heard of it.
        self.states += [result.state] * (len(result.values) - len(self.states))


def _check_lower_triangular(cholesky):
    if np.any(np.triu(cholesky, 1)) or not np.all(np.diagonal(cholesky) > 0):
        raise ValueError(
            "`cholesky_init` must be lower triangular with a positive diagonal; got\n"
            f"{cholesky}. `numpy.linalg.cholesky` gives such a factor."
        )
