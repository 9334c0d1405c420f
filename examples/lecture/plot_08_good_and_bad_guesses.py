"""
How good is a guess?
====================

Before anything is fitted, a mixture can be guessed. Its log-likelihood says how good
the guess is, and where it is bad the picture says why (section 4 of the lecture).
"""

# %%
# Two guesses
# -----------
#
# ``from_parameters`` makes a mixture without any data. The first guess puts three equal
# bumps at −2, 0 and 2; the second is the truth that the 500 rows were drawn from. The
# score of each is its sum of log-densities. The difference is 405 nats: the rows are
# e⁴⁰⁵ times as likely under the truth. A fit does better still, on the rows that it
# has seen.

# sphinx_gallery_start_ignore
# alt: Histograms of 500 rows with the curves of three mixtures. The bad guess is one
# bump that misses the outer peaks; the truth and the fitted mixture follow all three.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import DensityDisplay, EMGaussianMixture
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()


def guess(weights, means, deviations):
    return EMGaussianMixture.from_parameters(
        weights, np.reshape(means, (3, 1)), np.square(deviations).reshape(3, 1, 1)
    )


mixtures = {
    "bad guess": guess([1 / 3, 1 / 3, 1 / 3], [-2, 0, 2], [1, 1, 1]),
    "truth": guess([0.3, 0.5, 0.2], [-4, 0.5, 4], [0.8, 1.5, 0.6]),
    "fitted by EM": EMGaussianMixture(3, random_state=0).fit(X),
}

fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
for (name, mixture), ax in zip(mixtures.items(), axes, strict=True):
    log_likelihood = mixture.score_samples(X).sum()
    print(f"{name:13s} {log_likelihood:9.2f} nats")
    DensityDisplay.from_estimator(mixture, X, ax=ax)
    ax.set(title=f"{name}: {log_likelihood:.0f} nats".replace("-", "−"), xlim=(-8, 8))
    ax.label_outer()
plt.show()
