"""
Fixed parameters or as many as rows?
====================================

A parametric density has a fixed number of parameters: it needs few rows, and is wrong
for ever if its shape is wrong. A non-parametric one grows with the data: it takes any
shape, and needs more rows. This example lets both learn the same three bumps from ever
more of them (section 3 of the lecture).
"""

# %%
# Against the number of rows
# --------------------------
#
# The score on fresh rows falls short of what the true density reaches; the shortfall is
# the Kullback–Leibler divergence from the truth. One Gaussian has learnt all it can
# after a hundred rows, and stays where it is. Kernels improve with every row. With
# thirty rows nothing beats one Gaussian, and with a hundred kernels do best: three
# Gaussians still have too many parameters. From three hundred on they win, because
# they are the true shape. Who does not know the shape cannot count on that.

# sphinx_gallery_start_ignore
# alt: Divergence from the truth against the number of rows, both axes logarithmic. The
# line of one Gaussian is flat near 0.2 nats; kernels fall steadily; three Gaussians
# fall more steeply and lie lowest from three hundred rows on.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import EMGaussianMixture, GaussianMLE, LOOKernelDensity
from skdensity.datasets import make_mixture_1d

truth = EMGaussianMixture.from_parameters(
    weights=[0.3, 0.5, 0.2],
    means=[[-4.0], [0.5], [4.0]],
    covariances=[[[0.8**2]], [[1.5**2]], [[0.6**2]]],
)
fresh, _ = truth.sample(200_000, random_state=0)
best = truth.score(fresh)

densities = {
    "one Gaussian (parametric)": GaussianMLE(),
    "kernels (non-parametric)": LOOKernelDensity(),
    "three Gaussians (parametric)": EMGaussianMixture(3, random_state=0),
}
sizes = [30, 100, 300, 1_000, 3_000, 10_000, 30_000]


def divergence(density, n_samples):
    """Mean over five samples, in nats per row."""
    samples = (make_mixture_1d(n_samples, random_state=seed)[0] for seed in range(5))
    return np.mean([best - density.fit(X).score(fresh) for X in samples])


fig, ax = plt.subplots(layout="constrained")
for (name, density), marker in zip(densities.items(), "osD", strict=True):
    curve = [divergence(density, n_samples) for n_samples in sizes]
    ax.loglog(sizes, curve, marker=marker, label=name)
ax.set(xlabel="rows", ylabel="divergence from the truth, nats per row")
ax.legend()
plt.show()

# %%
# .. list-table::
#    :header-rows: 1
#
#    * -
#      - parametric
#      - non-parametric
#    * - parameters
#      - a fixed number
#      - grow with the rows
#    * - fitted by
#      - maximum likelihood
#      - leave-one-out likelihood, or rules such as Silverman's
#    * - needs
#      - few rows
#      - many rows
#    * - if the shape is wrong
#      - stays wrong
#      - has no shape to be wrong about
