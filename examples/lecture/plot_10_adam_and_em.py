"""
Does gradient descent find what EM finds?
=========================================

A mixture can be fitted by expectation–maximisation or by gradient descent on the same
likelihood. From a random start both depend on luck, and descent on more of it: this
example compares ten seeds of :class:`~skdensity.AdamGaussianMixture`, started as in
section 4 of the lecture, with :class:`~skdensity.EMGaussianMixture`.
"""

# %%
# Ten seeds
# ---------
#
# ``init_params="standard_normal"`` draws logits and means from N(0, 1) and sets all
# standard deviations to 1, whatever the rows look like. The ends differ from seed to
# seed; the dashed line is where EM ends from its default start. The dots mark the best
# epoch of each seed.

# sphinx_gallery_start_ignore
# alt: Log-likelihood against epoch for ten seeds of Adam. Two rise to the dashed line
# of EM within 200 epochs, four come to it later, and four stay well below it.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax

from skdensity import AdamGaussianMixture, ConvergenceDisplay, EMGaussianMixture
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()


def descent(**settings):
    return AdamGaussianMixture(
        3, max_iter=500, tol=None, learning_rate_init=0.05, **settings
    ).fit(X)


seeds = {
    f"seed {seed}": descent(init_params="standard_normal", random_state=seed)
    for seed in range(10)
}
em = EMGaussianMixture(3, random_state=0).fit(X)

display = ConvergenceDisplay.from_estimators(seeds)
display.ax_.axhline(em.score(X), color="0.4", linestyle="--", label="EM")
display.ax_.set_ylim(-2.6, -2.3)
display.ax_.legend(ncols=2)
plt.show()

ends = sorted(fit.score(X) for fit in seeds.values())
print(f"Adam, ten seeds: from {ends[0]:.4f} to {ends[-1]:.4f} nats per row")
print(f"EM:              {em.score(X):.4f} nats per row")

# %%
# The same starts
# ---------------
#
# From the default start of EM, descent ends at the same likelihood: both climb the same
# hill. From the ten random starts EM finds its top every time, where descent needs
# luck, more epochs, or both.

same = descent(random_state=0)
print(f"Adam, EM's start: {same.score(X):.6f} nats per row")
print(f"EM:               {em.score(X):.6f} nats per row")


def em_from_random_start(seed):
    rng = np.random.RandomState(seed)
    weights = softmax(rng.standard_normal(3))
    means = rng.standard_normal((3, 1))
    return EMGaussianMixture(
        3, weights_init=weights, means_init=means, precisions_init=np.ones((3, 1, 1))
    ).fit(X)


ends = sorted(em_from_random_start(seed).score(X) for seed in range(10))
print(f"EM, ten seeds:    from {ends[0]:.4f} to {ends[-1]:.4f} nats per row")
