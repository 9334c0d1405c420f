"""
How is a row drawn from a mixture?
==================================

In two steps: draw a component z by the weights, then a row from the Gaussian of that
component. Forget z, and what is left is a draw from the mixture (section 4 of the
lecture).
"""

# %%
# Two steps
# ---------
#
# The lecture's mixture has weights 0.3, 0.5 and 0.2. Its 500 rows come with the
# component of each. Together they fill the density, which knows nothing of components.

# sphinx_gallery_start_ignore
# alt: A stacked histogram of 500 rows in three colours, one for each component, and
# over it the curve of the mixture density with peaks at −4, 0.5 and 4.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import EMGaussianMixture
from skdensity.datasets import make_mixture_1d

X, component = make_mixture_1d()
counts = np.bincount(component)
print("rows of each component:", *counts)

mixture = EMGaussianMixture.from_parameters(
    weights=[0.3, 0.5, 0.2],
    means=[[-4.0], [0.5], [4.0]],
    covariances=[[[0.8**2]], [[1.5**2]], [[0.6**2]]],
)
x = np.linspace(-8, 7, 400)[:, None]

fig, ax = plt.subplots(layout="constrained")
ax.hist(
    [X[component == k, 0] for k in range(3)],
    bins=40,
    stacked=True,
    density=True,
    color=["#0072B2", "#E69F00", "#009E73"],
    label=[f"component {k}: {count} rows" for k, count in enumerate(counts)],
)
ax.plot(x, np.exp(mixture.score_samples(x)), color="black", label="density")
ax.set(xlabel="feature 0", ylabel="density")
ax.legend()
plt.show()

# %%
# Any mixture does the same: ``sample`` gives the rows and the component of each. The
# shares of the components approach the weights as more rows are drawn.

for n_samples in (100, 10_000, 1_000_000):
    _, drawn = mixture.sample(n_samples, random_state=0)
    shares = np.bincount(drawn, minlength=3) / n_samples
    print(f"{n_samples:9,} rows: shares", *shares.round(3))
