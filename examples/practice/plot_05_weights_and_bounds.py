"""
How do weights and bounds enter a density?
==========================================

Surveys ask some people more often than others, and give weights to make up for it; many
quantities cannot be negative. A density that ignores the first is that of the sample,
not of the population; one that ignores the second puts mass where there is none.
"""

# %%
# A survey
# --------
#
# Waiting times are short for most people and long for one in ten, of whom the survey
# asks five times as many as there are. With weights the kernel density follows that of
# the population, the dashed line; without them, the long times are far too frequent.

# sphinx_gallery_start_ignore
# alt: Three densities of waiting times. The weighted estimate follows the dashed
# density of the population; the unweighted one has a second peak at 20 minutes that
# is five times too high.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import gamma

from skdensity import LOOKernelDensity

rng = np.random.RandomState(0)
short, long = gamma(1.0, scale=2.0), gamma(20.0, scale=1.0)
is_long = rng.uniform(size=3000) < 0.5
X = np.where(
    is_long, long.rvs(3000, random_state=rng), short.rvs(3000, random_state=rng)
)[:, None]
weight = np.where(is_long, 0.1, 0.9)

x = np.linspace(-2, 35, 1000)
population = 0.9 * short.pdf(x) + 0.1 * long.pdf(x)
sample = LOOKernelDensity().fit(X)
weighted = LOOKernelDensity().fit(X, sample_weight=weight)

fig, ax = plt.subplots(layout="constrained")
for density, label in ((sample, "unweighted"), (weighted, "weighted")):
    ax.plot(x, np.exp(density.score_samples(x[:, None])), label=label)
ax.plot(x, population, color="0.4", linestyle="--", label="population")
ax.set(xlabel="waiting time, minutes", ylabel="density", ylim=(0, 0.5))
ax.legend()
plt.show()

# %%
# A bound
# -------
#
# Nobody waits for less than no time. Without a bound the density leaks below zero and
# falls where it is highest, and the edge asks for kernels so narrow that the rest of
# the curve ripples. ``bounds=(0, None)`` reflects the kernels: the edge is kept, and
# wider kernels do. A reflected density is flat at the bound, so that it still begins
# somewhat below the steep population.

# sphinx_gallery_start_ignore
# alt: Densities near zero. Without a bound the estimate leaks below zero and is too
# low just above; with the bound it is zero below, begins a little
# lower than the population, and follows it down from there.
# sphinx_gallery_end_ignore
bounded = LOOKernelDensity(bounds=(0, None)).fit(X, sample_weight=weight)

fig, ax = plt.subplots(layout="constrained")
for density, label in ((weighted, "no bound"), (bounded, "bounds=(0, None)")):
    ax.plot(x, np.exp(density.score_samples(x[:, None])), label=label)
ax.plot(x, population, color="0.4", linestyle="--", label="population")
ax.set(xlabel="waiting time, minutes", ylabel="density", xlim=(-2, 6), ylim=(0, 0.5))
ax.legend()
plt.show()
print(f"mass below zero without a bound: {weighted.cdf([[0.0]])[0]:.3f}")
print(f"mass below zero with it:         {bounded.cdf([[0.0]])[0]:.3f}")
