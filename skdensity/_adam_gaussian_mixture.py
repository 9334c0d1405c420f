"""The Gaussian mixture fitted by gradient descent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax
from sklearn.utils._param_validation import StrOptions

from skdensity._adam import ADAM_CONSTRAINTS, adam_for, stopping_rule_of
from skdensity._mixture import BaseGaussianMixture, Run
from skdensity.models.covariances import FAMILIES
from skdensity.models.losses import MixtureLoss
from skdensity.models.mixture import Mixture
from skdensity.models.moments import moments_of
from skdensity.solvers.adam import AdamState
from skdensity.solvers.loop import iterate
from skdensity.solvers.starts import STARTS


@dataclass(frozen=True)
class Memory:
    """What a warm start continues from."""

    state: AdamState
    units: Mixture


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
    batch_size : int or None, default=None
        Rows per update. None uses all rows, in one update per epoch.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of the running averages of the gradient and of its square.
    epsilon : float, default=1e-8
        Added to the root of the averaged square.
    reg_covar : float, default=1e-6
        Added to every variance of the start; during the descent the smallest value of
        :math:`L_{dd}^2`, the variance of a feature given those before it, in squared
        units of the data. So the volume of a component, and with it the likelihood, is
        bounded. EM adds it to every variance instead, which keeps them larger.
    n_init : int, default=1
        Number of starts; the most likely result is kept.
    init_params : str, default="small_em"
        Where the descent starts: ``"small_em"``, ``"kmeans"``, ``"k-means++"``,
        ``"random"`` or ``"random_from_data"`` as in :class:`EMGaussianMixture`; or,
        with ``"standard_normal"``, at logits and means drawn from N(0, 1) and unit
        covariances, whatever the data.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start at, instead of those of `init_params`.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start at.
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
        Number of threads, as everywhere in scikit-learn: None is 1 unless a joblib
        context says otherwise, −1 all processors. It makes no difference to the result.

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
        average over the epoch's updates.
    converged_ : bool
        Whether the best run stopped because the loss no longer improved. That is no
        proof of an optimum: steps too long or too short for the data do not improve
        either.
    n_iter_ : int
        Epochs of the best run.
    lower_bound_ : float
        Largest entry of `lower_bounds_`, with batches the last; −inf when there is
        none.
    lower_bounds_ : list of float
        Minus `loss_curve_`.
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

    >>> for seed in (2, 3, 5):
    ...     start = {"init_params": "standard_normal", "random_state": seed}
    ...     mixture = AdamGaussianMixture(3, tol=None, **start).fit(X)
    ...     print(round(mixture.score(X), 3))
    -2.323
    -2.416
    -2.437
    """

    _parameter_constraints: dict = {
        **BaseGaussianMixture._parameter_constraints,
        **ADAM_CONSTRAINTS,
        "init_params": [StrOptions({*STARTS, "standard_normal"})],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        learning_rate_init=0.05,
        max_iter=500,
        tol=1e-6,
        n_iter_no_change=50,
        batch_size=None,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        reg_covar=1e-6,
        n_init=1,
        init_params="small_em",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        n_jobs=None,
    ):
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

    def _initial(self, rows, family, data):
        if not self._starts_blind():
            return super()._initial(rows, family, data)
        n_components, n_features = self.n_components, rows.X.shape[1]
        weights = softmax(data.rng.standard_normal(n_components))
        means = data.rng.standard_normal((n_components, n_features))
        unit = _isolated(np.ones(n_features), family)
        cholesky = np.broadcast_to(unit, family.shape(n_components, n_features))
        return Mixture.from_cholesky(weights, means, cholesky, family)

    def _run(self, data, start, progress, task):
        memory = getattr(self, "_memory", None) if start is None else None
        units = memory.units if memory else self._units(data)
        loss = self._loss(data.X, data.weight, units)
        solver = self._solver(loss, units, data)
        if memory:
            state = solver.resume(memory.state)
        else:
            begin = start or self._mixture()
            state = solver.init(loss.ravel(begin.measured_in(units)))

        def run_of(result):
            return self._run_of(result, solver, loss, units)

        iterations = self._iterations(task, run_of, data.X.dtype)
        result = iterate(
            solver,
            state,
            max_iter=self.max_iter,
            stop=stopping_rule_of(self),
            progress=progress,
            announce=iterations.begin,
            observe=iterations.end,
        )
        return run_of(result)

    def _units(self, data):
        """The Gaussian in whose units the descent runs."""
        family = FAMILIES[self.covariance_type]
        if not self._starts_blind():
            every_row = moments_of(data.X, data.weight[None], family)
            return Mixture.from_moments(every_row, family, data.reg_covar)
        n_features = data.X.shape[1]
        return Mixture.gaussian(
            np.zeros(n_features), _isolated(np.ones(n_features), family), family
        )

    def _loss(self, X, sample_weight, units):
        return MixtureLoss(
            units.whitened(X),
            sample_weight,
            self.n_components,
            units.family,
            log_scale=float(units.family.log_det(units.cholesky, X.shape[1])[0]),
            workspace=self._workspace(),
        )

    def _solver(self, loss, units, data):
        family = units.family
        with np.errstate(divide="ignore"):  # reg_covar=0 is no bound
            log_minimum = 0.5 * family.log_diagonal(_isolated(data.reg_covar, family))
        # A pivot of the data's units is the product of that of `units` and that inside.
        log_minimum = (log_minimum - family.log_diagonal(units.cholesky))[0]
        return adam_for(
            self,
            loss,
            lambda rows: rows,
            loss.sample_weight,
            data.rng,
            project=lambda parameters: loss.floored(parameters, log_minimum),
        )

    def _run_of(self, result, solver, loss, units):
        parameters, lowest = solver.finished(result.state)
        return Run(
            loss.unravel(parameters).measured_out_of(units),
            replace(result, values=[-value for value in result.values]),
            -lowest,
            Memory(result.state, units),
        )

    def _store(self, run, dtype):
        super()._store(run, dtype)
        self.loss_curve_ = [-value for value in run.result.values]
        self._memory = run.memory

    def _starts_blind(self):
        return self.init_params == "standard_normal"


def _isolated(variances, family):
    """A family's covariance with the given variances, and no correlations."""
    zeros = np.zeros(family.shape(1, len(variances)))
    return family.with_added_variance(zeros, variances)
