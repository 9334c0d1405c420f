"""What the two estimators fitted by Adam share: its parameters and how it is run."""

from __future__ import annotations

from math import inf
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from skdensity.solvers.adam import Adam, minibatches
from skdensity.solvers.loop import no_improvement

# A tenth of a tenth of the learning rate is the last that a fit tries.
N_PACES = 3

ADAM_CONSTRAINTS: dict = {
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 0, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left"), None],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
}


def adam_for(estimator, loss, batch_of, sample_weight, rng, **options):
    """The solver that an estimator's parameters ask for.

    Parameters
    ----------
    estimator : object
        Has the attributes named in `ADAM_CONSTRAINTS`.
    loss : object
        As in :class:`~skdensity.solvers.adam.Adam`.
    batch_of : callable
        Maps rows, a slice or indices, to what the loss takes for them.
    sample_weight : ndarray of shape (n_samples,)
        Weights of the rows.
    rng : RandomState
        Source of the order of rows.
    **options
        Passed to :class:`~skdensity.solvers.adam.Adam`.

    Returns
    -------
    solver : Adam
        Full-batch when ``batch_size`` is None.
    """
    if estimator.batch_size is None:
        full_batch = batch_of(slice(None))
        options["full_batch"] = full_batch

        def batches():
            return [(full_batch, 1.0)]
    else:

        def batches():
            cuts = minibatches(sample_weight, estimator.batch_size, rng)
            return ((batch_of(rows), share) for rows, share in cuts)

    return Adam(
        loss,
        batches,
        learning_rate_init=estimator.learning_rate_init,
        beta_1=estimator.beta_1,
        beta_2=estimator.beta_2,
        epsilon=estimator.epsilon,
        tol=estimator.tol or 0.0,
        patience=inf if estimator.tol is None else estimator.n_iter_no_change,
        **options,
    )


def stopping_rule_of(estimator):
    """Stop when the third pace does not improve by more than `tol` nats, either."""
    return no_improvement(estimator.tol, N_PACES * estimator.n_iter_no_change)
