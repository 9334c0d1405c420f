"""
What does a step of EM do?
==========================

The log of a sum couples all parameters of a mixture. If the component of every row were
known, each Gaussian would be fitted to its own rows, in closed form. EM takes turns: it
guesses the components from the parameters, softly, and the parameters from the guess
(section 4 of the lecture).
"""

# %%
# Two lines of mathematics
# ------------------------
#
# The *E-step* computes responsibilities, the probability that component k made row i,
#
# .. math:: r_{ik} = \frac{\pi_k \mathcal N(x_i \mid \mu_k, \sigma_k^2)}
#                         {\sum_j \pi_j \mathcal N(x_i \mid \mu_j, \sigma_j^2)},
#
# and the *M-step* the parameters from them, with :math:`N_k = \sum_i r_{ik}`:
#
# .. math:: \pi_k = \frac{N_k}{N}, \quad
#           \mu_k = \frac{1}{N_k} \sum_i r_{ik} x_i, \quad
#           \sigma_k^2 = \frac{1}{N_k} \sum_i r_{ik} (x_i - \mu_k)^2 .
#
# In code, for one feature:

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation

from skdensity import EMGaussianMixture
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()


def em_step(mixture):
    responsibilities = mixture.predict_proba(X)
    total = responsibilities.sum(axis=0)
    means = responsibilities.T @ X / total[:, None]
    variances = (responsibilities * (X - means.T) ** 2).sum(axis=0) / total
    return EMGaussianMixture.from_parameters(
        total / len(X), means, variances[:, None, None]
    )


# %%
# Thirty steps
# ------------
#
# EM starts from the lecture's bad guess, equal bumps at −2, 0 and 2. Every row is
# coloured by the component that answers for it. Where bumps overlap the colours blend:
# such a row belongs to both, in shares. The outer bumps let go of the middle and find
# the outer peaks.

# sphinx_gallery_start_ignore
# alt: An animation of EM. Three equal bell curves at −2, 0 and 2 over the histogram
# move apart step by step until they cover its three peaks, while the log-likelihood in
# the title rises.
# sphinx_gallery_end_ignore
steps = [
    EMGaussianMixture.from_parameters(
        [1 / 3, 1 / 3, 1 / 3], [[-2.0], [0.0], [2.0]], np.ones((3, 1, 1))
    )
]
for _ in range(30):
    steps.append(em_step(steps[-1]))

colours = np.array([[0, 114, 178], [230, 159, 0], [0, 158, 115]]) / 255
x = np.linspace(-8, 8, 400)[:, None]

fig, ax = plt.subplots(layout="constrained")


def draw(step):
    mixture = steps[step]
    parts = np.exp(mixture.score_samples(x))[:, None] * mixture.predict_proba(x)
    ax.clear()
    ax.hist(X, bins=40, density=True, color="0.88")
    for part, colour in zip(parts.T, colours, strict=True):
        ax.plot(x, part, color=colour, linewidth=2)
    ax.plot(x, parts.sum(axis=1), color="black", linewidth=1)
    rows = np.full(len(X), -0.006)
    ax.scatter(X, rows, c=mixture.predict_proba(X) @ colours, marker="|", s=80)
    log_likelihood = mixture.score_samples(X).sum()
    title = f"step {step}: {log_likelihood:.1f} nats".replace("-", "−")
    ax.set(xlabel="feature 0", ylabel="density", ylim=(-0.015, 0.25), title=title)


frames = [*range(11), *range(12, 31, 3)]
animation = FuncAnimation(fig, draw, frames=frames)

# %%
# The likelihood never falls
# --------------------------
#
# Each step maximises a lower bound that touches the log-likelihood at the present
# parameters, so the likelihood cannot fall. It leaps, then creeps.
# :class:`~skdensity.EMGaussianMixture` does the same steps for any number of features,
# from a better start, and stops when what is still to be gained is below ``tol``.

# sphinx_gallery_start_ignore
# alt: Log-likelihood against step: a leap from below the frame to −1207 with the first
# step, then an ever slower approach to the dashed line of the fitted mixture at −1161.
# sphinx_gallery_end_ignore
climb = [mixture.score_samples(X).sum() for mixture in steps]
fitted = EMGaussianMixture(3, random_state=0).fit(X)

fig, ax = plt.subplots(layout="constrained")
ax.plot(climb, "o-", color="#0072B2", label="steps from the bad guess")
optimum = fitted.score_samples(X).sum()
ax.axhline(optimum, color="0.4", linestyle="--", label="EMGaussianMixture")
ax.set(xlabel="step", ylabel="log-likelihood, nats", ylim=(-1300, -1140))
ax.legend(loc="lower right")
plt.show()

print(f"bad guess {climb[0]:.2f}, after 30 steps {climb[-1]:.2f}, fitted {optimum:.2f}")
