"""
What is the prediction where there are two?
===========================================

A regression predicts a mean. Where the answer is either this or that, the mean is
neither. A density of all features has a conditional density for whatever is known:
``condition`` gives it, as an estimator like any other.
"""

# %%
# Petals of a flower whose sepals are known
# -----------------------------------------
#
# A mixture of two Gaussians describes the lengths of sepals and petals of 150 irises.
# With a sepal of 5.4 cm there are two sorts of flowers. The mean of their petals, the
# dashed line, leads through where hardly any are. At the right are the conditional
# densities for three sepals: slices of the density at the left, along the lines, each
# made one in area.

# sphinx_gallery_start_ignore
# alt: Left, regions of sepal and petal length in two parts, and a dashed curve of
# conditional means that climbs from one to the other through the gap between them.
# Right, on the same vertical axis, three conditional densities. For 4.7 cm there is one
# peak near 1.4 cm, for 5.4 cm there are two, near 1.5 and 4 cm, and for 6.5 cm there is
# one broad peak near 5 cm.
# sphinx_gallery_end_ignore
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

from skdensity import DensityDisplay, EMGaussianMixture, LOOKernelDensity

X = load_iris(as_frame=True).data.iloc[:, [0, 2]]
sepal, petal = X.columns
density = EMGaussianMixture(2, random_state=0).fit(X)
conditionals = {
    length: density.condition([sepal], [length]) for length in (4.7, 5.4, 6.5)
}
# What is to be predicted is missing.
asked = pd.DataFrame({sepal: np.linspace(4.2, 8, 100), petal: np.nan})
means = density.impute(asked)[:, 1]

fig, axes = plt.subplots(
    1, 2, figsize=(9, 4.5), sharey=True, width_ratios=(2, 1), layout="constrained"
)
for i, (length, conditional) in enumerate(conditionals.items(), start=1):
    style = {"color": f"C{i}", "label": f"sepal {length} cm"}
    DensityDisplay.from_estimator(
        conditional, ax=axes[1], orientation="horizontal", line_kw=style
    )
    axes[0].axvline(length, color=f"C{i}")
DensityDisplay.from_estimator(density, X, ax=axes[0])
axes[0].plot(asked[sepal], means, "--", color="0.2", label="conditional mean")
axes[0].legend(loc="lower right")
axes[1].legend()
axes[1].label_outer()
plt.show()

# %%
# Ask it
# ------
#
# A conditional answers whatever a density does. The shortest region that holds 80 % has
# two parts where there are two answers. Modes are all local maxima, the highest first.

for length, conditional in conditionals.items():
    modes = conditional.modes().ravel().round(1)
    parts = conditional.region(0.8).intervals
    print(f"sepal {length} cm: petal near {' or '.join(map(str, modes))} cm,")
    print("  80 % within", " or ".join(f"{a:.1f} to {b:.1f} cm" for a, b in parts))
    print(f"  longer than 2.5 cm: {conditional.probability(2.5, np.inf):.0%}")

# %%
# The same with kernels
# ---------------------
#
# Nothing of this is about mixtures: all five estimators have conditionals. Those of
# kernels are made of the rows near the value that is known.

# Petals are rounded to millimetres, of which the fit tells.
warnings.filterwarnings("ignore", message=".* as rounding makes them")
kernels = LOOKernelDensity(covariance_type="full").fit(X)
parts = kernels.condition([sepal], [5.4]).region(0.8).intervals
print("80 % within", " or ".join(f"{a:.1f} to {b:.1f} cm" for a, b in parts))
