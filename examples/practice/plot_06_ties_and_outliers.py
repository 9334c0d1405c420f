"""
What do rounding and outliers do to a bandwidth?
================================================

Real rows are rounded, repeated, and contain mistakes. Each of these can ruin a
bandwidth that is chosen by likelihood: ties ask for none at all, an outlier for one
that bridges the gap to it. This example spoils 500 draws of N(0, 1) in four ways.
"""

# %%
# Four ways to spoil a sample
# ---------------------------
#
# ``"loo"`` recognises rounded rows and values that occur again and again, and says so
# in a warning. For the outlier ``"robust_loo"`` is there.

import warnings
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from skdensity import DensityDisplay, LOOKernelDensity

rng = np.random.RandomState(0)
clean = rng.normal(size=(500, 1))
zeros = clean.copy()
zeros[:50] = 0
samples = {
    "as drawn": clean,
    "rounded to 0.1": clean.round(1),
    "each value twice": np.repeat(clean, 2, axis=0),
    "10 % exact zeros": zeros,
    "one value at 20": np.vstack([clean, [[20.0]]]),
}

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    print(f"{'':18s}loo    robust_loo")
    for name, X in samples.items():
        chosen = [
            LOOKernelDensity(rule).fit(X).bandwidth_ for rule in ("loo", "robust_loo")
        ]
        print(f"{name:18s}{chosen[0]:.3f}  {chosen[1]:.3f}")

for warning in told[::2]:
    print()
    print(fill(str(warning.message)))

# %%
# One outlier
# -----------
#
# The likelihood demands that the value at 20 be explained by the others, and widens the
# kernels until it is. The robust criterion lets it go.

# sphinx_gallery_start_ignore
# alt: Two densities of 500 draws of a normal distribution and one outlier. With loo
# the bell is low and wide, with robust_loo it follows the histogram.
# sphinx_gallery_end_ignore
X = samples["one value at 20"]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for rule, ax in zip(("loo", "robust_loo"), axes, strict=True):
    density = LOOKernelDensity(rule).fit(X)
    DensityDisplay.from_estimator(density, clean, ax=ax)
    ax.set(title=rule, xlim=(-6, 6), ylim=(0, 0.5))
    ax.label_outer()
plt.show()
