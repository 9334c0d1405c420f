"""skdensity's side of the mixtures: EM on all cores, and Adam."""

from functools import partial

from skdensity import AdamGaussianMixture, EMGaussianMixture

EM = partial(EMGaussianMixture, n_jobs=-1)


def adam_fit(X, start, learning_rate, max_iter):
    """Adam on the rows as they are, which "standard_normal" asks for."""
    settings = {"init_params": "standard_normal", "tol": None, "n_jobs": -1}
    return AdamGaussianMixture(
        max_iter=max_iter, learning_rate_init=learning_rate, **settings, **start
    ).fit(X)


def adam_loss(X, start, learning_rate, max_iter):
    """Mean negative log-likelihood before the last of `max_iter` updates."""
    return adam_fit(X, start, learning_rate, max_iter).loss_curve_[-1]
