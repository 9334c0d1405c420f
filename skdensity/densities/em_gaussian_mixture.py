"""The Gaussian mixture fitted by expectation–maximisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.densities.base_mixture import BaseGaussianMixture
from skdensity.densities.exchange import ExchangeMixin
from skdensity.densities.runs import Run
from skdensity.densities.streams import as_plain
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import positive_covariance
from skdensity.solvers.mixtures.acceleration import AcceleratedEM
from skdensity.solvers.mixtures.directions import ACCELERATIONS, lbfgs
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.starts import STARTS
from skdensity.solvers.mixtures.stepwise import StepwiseEM, StepwiseState
from skdensity.solvers.result import Result
from skdensity.solvers.stopping import small_gain_ahead

# Free parameters of covariances up to which EM is accelerated by itself: the copies
# that a direction looks at then take some tens of megabytes.
MAX_FREE = 100_000
# Rows of a batch in passes of stepwise EM: enough to outweigh an M-step.
STEPWISE_ROWS = 2000


class EMGaussianMixture(ExchangeMixin, BaseGaussianMixture):
    r"""Gaussian mixture fitted by expectation–maximisation.

    .. math::

        p(x) = \sum_{k=1}^{K} \pi_k \, N(x \mid \mu_k, \Sigma_k), \qquad
        \pi_k \ge 0, \quad \sum_k \pi_k = 1

    A drop-in for :class:`sklearn.mixture.GaussianMixture`, with its parameters and
    fitted attributes, that takes ``sample_weight``, threads, seeds for :meth:`sample`
    and two more shapes of the covariances. By default it starts better and converges
    further.

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : str, default="full"
        Shape of the covariances: ``"full"``, one matrix per component; ``"tied"``, one
        matrix for all; ``"diag"``, one variance per component and feature;
        ``"tied_diag"``, one variance per feature; ``"spherical"``, one variance per
        component; or ``"tied_spherical"``, one variance for all.
    tol : float, default=1e-4
        Iterations stop when the mean log-likelihood can be expected to rise by less, in
        nats, if they went on for ever; on a plateau, where it rises by less than a
        hundredth of this in an iteration and no more than in the one before; or where
        it falls twice in a row, as `reg_covar` can make it. The last step, which
        scikit-learn compares with its `tol`, says little of the distance to the
        optimum. 0 runs all `max_iter` iterations.
    reg_covar : float or "auto", default="auto"
        ``"auto"`` adds 1e-6 of the covariance of all rows to every covariance:
        of the matrix for ``"full"`` and ``"tied"``, so that neither units nor axes make
        a difference, of the variances or their mean for the other types. For ``"diag"``
        and ``"tied_diag"`` it is 1e-6 / q² of the variance, at most a tenth, of a
        feature that has one value in most rows and others in a share q of them. Where
        the covariance is singular, constant features get what the others do on average,
        and 1e-6 of the variances are added if features are collinear. A number is added
        to every variance, in squared units of the data, as in scikit-learn; a warning
        says so where it is more than a hundredth of one.
    max_iter : int, default=1000
        Largest number of iterations; 0 returns the start.
    n_init : int, default=1
        Number of starts; the most likely result is kept. Where all of them are the
        same, as around `means_init`, there is one.
    init_params : str, array-like or callable, default="small_em"
        Where the fit starts. A name: ``"small_em"``, the best of many short EM runs on
        a sample of the rows; ``"kmeans"``, the clusters of k-means;
        ``"k-means++"``, one row per component chosen by k-means++; ``"random"``,
        uniform random responsibilities; or ``"random_from_data"``, one random row per
        component. An array: labels from 0 to K − 1, of shape (n_samples,), or
        responsibilities, of shape (n_samples, n_components), for the rows given to
        `fit`; each row of responsibilities is divided by its sum. A callable: called
        as ``init_params(X, n_components, random_state)`` for every run, with the rows
        of positive weight and a ``RandomState``, it returns labels, responsibilities
        or means of shape (n_components, n_features), which are told apart by their
        shapes, so that it needs more rows than components.
    acceleration : {"auto", "anderson", "lbfgs"} or None, default="auto"
        How to reach the optimum in fewer passes where components overlap: with the
        quasi-Newton steps of limited-memory BFGS, which usually need the fewest, or
        with Anderson's mixing of the last steps. They are taken only once EM is near an
        optimum and slow, and only while they gain more than EM's own steps would. These
        begin every run and end it, by the same rule as without acceleration. The
        likelihood does not fall, but for what `reg_covar` takes of it. Where the
        likelihood has many optima, another may be reached, higher or lower. ``"auto"``
        is ``"lbfgs"`` where `tol` is not 0 and covariances have up to 100,000 free
        parameters, of which it keeps some tens of copies. None is plain EM.
    n_stepwise_passes : int, default=0
        Passes of stepwise EM that a run begins with: steps of `partial_fit` over random
        batches of 2,000 rows, or over consecutive rows where they are not in memory.
        Where components overlap and rows are many, one takes the place of up to ten
        iterations.
    step_power : float, default=0.6
        In stepwise EM, how fast steps become shorter: the step of batch t is
        η = (t + `step_offset`)^(−`step_power`), a number above 0 and up to 1. Above 0.5
        a stream converges; the larger, the longer it remembers its first batches, and 1
        weighs all of them alike.
    step_offset : float, default=1.0
        In stepwise EM, what makes the first steps shorter; non-negative. They forget
        what a poor start made of the first rows.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start at. Parts that are not given are found to go with those that
        are: see the Notes.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start at. A name in `init_params` then plays no part, and all runs
        start alike.
    precisions_init : array-like or float, default=None
        Inverse covariances to start at, in the shape of `precisions_`.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the start, and the default of :meth:`sample`.
    warm_start : bool, default=False
        Whether a further call of `fit` continues where the last one stopped, with the
        same rows and weights or others; `n_init` is then ignored.
    verbose : int, default=0
        1 prints iterations, 2 also values and times.
    verbose_interval : int, default=10
        Iterations between two lines.
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
        Covariances Σ, of shape (n_components, n_features, n_features) for ``"full"``,
        (n_features, n_features) for ``"tied"``, (n_components, n_features) for
        ``"diag"``, (n_features,) for ``"tied_diag"`` and (n_components,) for
        ``"spherical"``; a number for ``"tied_spherical"``.
    precisions_ : ndarray or float
        Inverses of the covariances, in the same shape.
    precisions_cholesky_ : ndarray or float
        Upper triangular factors U with Σ⁻¹ = U Uᵀ, in the same shape. These are what
        densities are evaluated with.
    converged_ : bool
        Whether the best run reached `tol`.
    n_iter_ : int
        Iterations of the best run; 1 after `partial_fit`.
    lower_bound_ : float
        Mean log-likelihood of the training rows, in nats, before the last step; −inf
        when there was none. After `partial_fit`, that of the last batch.
    lower_bounds_ : list of float
        The same for every iteration.
    n_samples_seen_ : int
        Number of rows of positive weight seen by `fit`, and by `partial_fit` since.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    AdamGaussianMixture : The same density by gradient descent.
    sklearn.mixture.BayesianGaussianMixture : Priors on the parameters.

    Notes
    -----
    With responsibilities :math:`r_{ik} = \pi_k N(x_i \mid k) / p(x_i)` and
    :math:`N_k = \sum_i w_i r_{ik}`, a step sets :math:`\pi_k = N_k / \sum_j N_j`,
    :math:`\mu_k = \sum_i w_i r_{ik} x_i / N_k` and
    :math:`\Sigma_k = \sum_i w_i r_{ik} (x_i - \mu_k)(x_i - \mu_k)^\top / N_k`, with the
    new means. It never lowers the likelihood when `reg_covar` is 0. A component that
    loses its rows, or whose rows span no volume, becomes a part of the heaviest one.

    A start of which only some parts are given is completed on the rows that starts look
    at. Around given means, every row belongs to the nearest one, in coordinates
    whitened as the type of the covariances allows. Without means, the components that
    `init_params` finds are matched with the given parts, after up to 15 steps of EM, so
    that the likelihood loses least. Then the other parts adapt in up to 15 steps that
    hold those given.
    Labels and responsibilities keep their order: component k belongs with entry k of
    what is given.

    One step is one pass over the rows in blocks: O(n_samples · K · n_features²) time
    for ``"full"`` and ``"tied"``, O(n_samples · K · n_features) otherwise. Blocks are
    evaluated by products of features, by whitening maps relative to one point, or from
    whitened residuals, whichever is the least work that keeps the digits: log-densities
    of `score_samples` lose at most about 1e-9 nats, or 1e-9 of themselves. Sums are
    float64 and end up about the current means, so that neither an offset of the data
    nor float32 costs digits.

    NaN stands for what was not observed. The fit then maximises the likelihood of what
    was, exactly and for every type of covariances; scores and responsibilities are
    those of the marginal density. That is right where values are missing at random,
    given those that were observed (Rubin 1976, doi:10.1093/biomet/63.3.581); the more
    is missing, the more iterations it takes. Complete rows cost what they do otherwise;
    a row that misses m features, in a pass, O(K (m³ + n_features²)) for ``"full"`` and
    ``"tied"``. The start looks at rows completed by draws from one Gaussian of all
    rows, and so do callables and the labels or responsibilities that are given; where
    there are no more than 2,000 rows, also at draws from the mixture that this leads
    to, which takes some tens of milliseconds, and the better start is taken.
    ``reg_covar="auto"`` then follows the variances of what was observed. What
    `reg_covar` adds to what is filled in comes back with it, so that it counts for more
    the less was observed: added to the variance of a feature that is independent of the
    others and missing in a share p of the rows, for 1 / (1 - p) times as much. It holds
    covariances up where little tells of them. A row without any value has the
    log-density 0 and counts for nothing in a fit or a criterion.

    The start looks at some thousand rows, and takes a fraction of the time of the fit;
    the user guide says how.

    From scikit-learn 1.9 on, ``set_callbacks`` attaches a progress bar or an early stop
    to the fit: every run is a task and its iterations are subtasks. A run that a
    callback stops keeps its parameters; `converged_` is then False.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin (1977),
    doi:10.1111/j.2517-6161.1977.tb01600.x; the start, C. Biernacki, G. Celeux and
    G. Govaert (2003), doi:10.1016/S0167-9473(02)00163-9, and N. Ueda, R. Nakano,
    Z. Ghahramani and G. E. Hinton (2000), doi:10.1162/089976600300015088; the
    acceleration, H. F. Walker and P. Ni (2011), doi:10.1137/10078356X, and J. Nocedal
    (1980), doi:10.1090/S0025-5718-1980-0572855-7; stepwise EM, O. Cappé and E. Moulines
    (2009), doi:10.1111/j.1467-9868.2009.00698.x.

    Examples
    --------
    >>> from skdensity import EMGaussianMixture
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, _ = make_mixture_1d()
    >>> mixture = EMGaussianMixture(3, random_state=0).fit(X)
    >>> mixture.means_.ravel().round(2)
    array([ 0.29, -4.  ,  4.05])
    >>> mixture.predict_proba([[-4.0], [2.0]]).round(2)
    array([[0.02, 0.98, 0.  ],
           [1.  , 0.  , 0.  ]])
    >>> X_new, labels = mixture.sample(5, random_state=1)
    >>> X_new.shape, labels.shape
    ((5, 1), (5,))

    Start from the labels of any clustering:

    >>> from sklearn.cluster import AgglomerativeClustering
    >>> labels = AgglomerativeClustering(3).fit_predict(X)
    >>> mixture = EMGaussianMixture(3, init_params=labels).fit(X)
    >>> mixture.means_.ravel().round(1)
    array([ 0.3, -4. ,  4. ])

    What was not observed is NaN:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> X[::2, 0] = X[::3, 2] = np.nan
    >>> mixture = EMGaussianMixture(3, random_state=0).fit(X)
    >>> mixture.predict_proba([[5.0, np.nan, np.nan, 0.2]]).round(2)
    array([[0., 1., 0.]])
    """

    _parameter_constraints: dict = {
        **BaseGaussianMixture._parameter_constraints,
        "tol": [Interval(Real, 0, None, closed="left")],
        "init_params": [
            StrOptions({name for name, start in STARTS.items() if not start.is_blind}),
            "array-like",
            callable,
        ],
        "acceleration": [StrOptions({"auto", *ACCELERATIONS}), None],
        "n_stepwise_passes": [Interval(Integral, 0, None, closed="left")],
        "step_power": [Interval(Real, 0, 1, closed="right")],
        "step_offset": [Interval(Real, 0, None, closed="left")],
    }
    _stream: dict[str, Any] | None = None  # what `partial_fit` goes on from
    # What tells the rows of a fit that may be continued from others.
    _rows_told: tuple[float, ...] | None = None
    _are_same_rows = False

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-4,
        reg_covar: float | Literal["auto"] = "auto",
        max_iter: int = 1000,
        n_init: int = 1,
        init_params: str | Callable | ArrayLike = "small_em",
        acceleration: str | None = "auto",
        n_stepwise_passes: int = 0,
        step_power: float = 0.6,
        step_offset: float = 1.0,
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
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.acceleration = acceleration
        self.n_stepwise_passes = n_stepwise_passes
        self.step_power = step_power
        self.step_offset = step_offset
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
        r"""Move the mixture by one step of EM towards a batch of rows.

        The moments that the mixture is estimated from are a running average, which the
        batch moves by a step η; the Notes say how. A stream begins with `init_params`
        on its first rows. These are kept, and joined by those that follow, until there
        are 50 for each component, and 4 for each feature of a component that has a
        matrix; meanwhile the mixture is what a start makes of them. After `fit` a
        stream goes on from the moments of all its rows; after :meth:`from_parameters`
        it sets out from those, as soon as there are as many rows. Of `n_init` starts
        the most likely counts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next rows, one at least, in no order that tells of the components: some
            thousand make a good batch. NaN is what was not observed; in the first
            batch, every feature needs a value somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : EMGaussianMixture
            The mixture after the step. `lower_bounds_` has the mean log-likelihood of
            the batch before it.

        Raises
        ------
        ValueError
            If the batch is not a table of the same features and dtype with usable
            weights, has infinities or squares that overflow or underflow, if
            `n_components` or `covariance_type` have changed, or a covariance becomes
            singular. The estimator is then left as it was.
        TypeError
            If `X` is what has many batches, RowBlocks or a Dask collection.

        See Also
        --------
        fit : All rows at once. With ``warm_start=True`` it goes on from a stream.

        Notes
        -----
        The step of batch t is :math:`\eta_t = (t + o)^{-p}`, with `step_power` p and
        `step_offset` o, where batches weigh the same; in general, it is the batch's
        share :math:`w_t / M_t` of a weight that the average remembers,
        :math:`M_t^{1/p} = M_{t-1}^{1/p} + w_t^{1/p}`. The attributes are estimated from
        an average of the running averages, in which the noise of batches cancels.
        ``reg_covar="auto"`` follows the covariance of that average, what is missing
        expected; the shares of rows that ``"diag"`` and ``"tied_diag"`` ask for are
        those of the first rows, or of `fit`.

        Time and memory are those of an iteration of `fit` on the batch, and
        O(n_components · n_features³) more for ``"full"``. Nothing is said of components
        that coincide or rest on `reg_covar`, as `fit` does.

        Examples
        --------
        Three passes in batches are about as good as sixty iterations of `fit`:

        >>> from skdensity import EMGaussianMixture
        >>> from skdensity.datasets import make_mixture_1d
        >>> X, _ = make_mixture_1d(50_000)
        >>> stream = EMGaussianMixture(3, random_state=0)
        >>> for _ in range(3):
        ...     for begin in range(0, len(X), 2000):
        ...         stream = stream.partial_fit(X[begin : begin + 2000])
        >>> whole = EMGaussianMixture(3, random_state=0).fit(X)
        >>> bool(whole.score(X) - stream.score(X) < 0.001)
        True
        >>> stream.n_samples_seen_
        150000
        """
        return self._learn_from(X, sample_weight)

    def _problem(self, rows):
        problem, told = super()._problem(rows), None
        if self.warm_start:
            # Other rows or weights would have the same sums by chance only.
            told = (rows.total_weight, *problem.moments().mean[0])
        self._are_same_rows = told is not None and told == self._rows_told
        self._rows_told = told
        return problem

    def _resumed(self, solver):
        # A likelihood of other rows is nothing to compare the first step with.
        is_known = self._are_same_rows and not self._streamed
        return solver.init(self._model(), self.lower_bound_ if is_known else -np.inf)

    def _last_moments(self, run, rows):
        moments = run.result.state.moments
        return super()._last_moments(run, rows) if moments is None else moments

    @property
    def _runs_draw(self) -> bool:
        return self.n_stepwise_passes > 0  # the order of the rows

    def _run(self, problem, start, progress, task):
        if start is not None and self.n_stepwise_passes > 0:
            start = self._after_stepwise_passes(problem, start)
        return super()._run(problem, start, progress, task)

    def _after_stepwise_passes(self, problem, start):
        solver = self._stepwise(problem.regularisation)
        batches = (
            rows
            for _ in range(self.n_stepwise_passes)
            for rows, _ in problem.rows.batches(STEPWISE_ROWS, problem.rng)
        )
        for state in solver.steps(start, batches):
            last = state
        return solver.finished(last)[0]

    def _stopping_rule(self):
        return small_gain_ahead(self.tol)

    def _solver(self, problem, start):
        em, family = EM(problem.rows, problem.reg_covar), FAMILIES[self.covariance_type]
        direction = self._direction(family, problem.rows.n_features)
        if direction is None:
            return em
        n_features = problem.rows.n_features
        covariance = positive_covariance(problem.moments(), family)
        variances = family.shape.variances(covariance, n_features)
        units = Gaussian.isolated(np.zeros(n_features), variances, family)
        parameters = MixtureParameters(self.n_components, units)
        return AcceleratedEM(em, parameters, direction, self.tol)

    def _direction(self, family, n_features):
        """What leads where EM is slow; None is EM itself."""
        if self.acceleration is None:
            return None
        if self.acceleration in ACCELERATIONS:
            family.asked("free", f"acceleration={self.acceleration!r}")
            return ACCELERATIONS[self.acceleration]
        n_free = family.shape.n_parameters(self.n_components, n_features)
        may_lead = family.free is not None and n_free <= MAX_FREE
        # With tol=0, a number of EM's steps is what is asked for.
        return lbfgs if may_lead and self.tol > 0 else None

    @property
    def _has_stream(self):
        return self._stream is not None

    def _set_out(self, problem, start):
        solver = self._stepwise(problem.regularisation)
        self._store_step(solver, solver.begin(start, problem.rows), problem.rows.dtype)

    def _go_on(self, rows):
        solver = self._stepwise(self._regularisation)
        before = _restored(self._stream)
        self._store_step(solver, solver.step(before, rows), rows.dtype)

    def _stepwise(self, regularisation):
        family = FAMILIES[self.covariance_type]
        return StepwiseEM(
            family, regularisation.added, self.step_power, self.step_offset
        )

    def _store_step(self, solver, state, dtype):
        mixture, value = solver.finished(state)
        self._store(Run(None, mixture, Result(state, [value]), value), dtype)
        self._note_added(solver.added_to(state.averaged))
        self._stream = _stored(state)

    def _fitted_to(self, problem, run):
        super()._fitted_to(problem, run)
        moments = run.result.state.moments
        after = None if moments is None else StepwiseState.after(moments)
        self._stream = None if after is None else _stored(after)


def _stored(state):
    """A state as plain arrays and numbers."""
    moments = averaged = as_plain(asdict(state.moments))
    if state.averaged is not state.moments:
        averaged = as_plain(asdict(state.averaged))
    return {**vars(state), "moments": moments, "averaged": averaged}


def _restored(stored):
    """The state that was stored."""
    moments = {name: Moments(**stored[name]) for name in ("moments", "averaged")}
    return StepwiseState(**{**stored, **moments})
