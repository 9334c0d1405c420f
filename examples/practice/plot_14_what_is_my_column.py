"""
What is my column?
==================

Numbers in tables were rounded, counted, clipped, or come back after a day. Kernels know
nothing of that, and a bandwidth chosen by likelihood sees rows that coincide and goes
to zero. :class:`~skdensity.LOOKernelDensity` finds out first what every column is.
"""

# %%
# A table that comes with scikit-learn
# ------------------------------------
#
# 442 patients with diabetes, in the units in which they were measured. The columns are
# of unlike scale, so there is one width for each: ``covariance_type="diag"``.
# ``columns_`` says what was found, and a warning says what was done about it.

import warnings

from sklearn.datasets import load_diabetes

from skdensity import LOOKernelDensity

X = load_diabetes(as_frame=True, scaled=False).data
warnings.filterwarnings("ignore", message="LOOKernelDensity: .*Allowed for ")
density = LOOKernelDensity(covariance_type="diag").fit(X)
for name, column, width in zip(X, density.columns_, density.bandwidth_, strict=True):
    print(f"{name:4s}{column!s:36s}width {width:.2g}")

# %%
# Ages were rounded to years, and most blood pressures to whole numbers. Such grids do
# no harm as long as kernels are wider than half a step, which is seen to. Sex is a code
# of two values, and each has a kernel half a step wide, whatever the other columns ask
# for. ``s4`` and ``s5`` are few numbers that many patients share, although no grid
# explains them.
#
# Rounded, spiked, bounded
# ------------------------
#
# Two of these columns by themselves, and two such as sensors and surveys have. On most
# days there is no rain. The zeros count as one place when the width is chosen, since
# copies say nothing about how smooth the rest is, and keep their mass: it is in the
# kernel at zero. Shares end at 0 and 1, where ``bounds`` reflects the kernels.

# sphinx_gallery_start_ignore
# alt: Four histograms under their densities. Ages and blood pressures are broad hills.
# Rain is highest at zero, where the density ends in a step, and has a long low tail.
# Shares rise towards 1 and are cut off there.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import DensityDisplay

rng = np.random.RandomState(2)
rain = np.where(rng.uniform(size=500) < 0.6, 0, rng.gamma(2, 3, size=500)).round(1)
examples = {
    "age, years": (X["age"], None),
    "blood pressure, mmHg": (X["bp"], None),
    "rain, mm": (rain, (0, None)),
    "share": (rng.beta(3, 1, size=500), (0, 1)),
}

fig, axes = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
for ax, (name, (values, bounds)) in zip(axes.flat, examples.items(), strict=True):
    rows = np.reshape(values, (-1, 1))
    density = LOOKernelDensity(bounds=bounds).fit(rows)
    DensityDisplay.from_estimator(density, rows, ax=ax)
    ax.set_title(str(density.columns_[0]), fontsize="medium")
    ax.set_xlabel(name)
plt.show()

# %%
# Hours of the day
# ----------------
#
# After 24 comes 0. Cut at midnight, a night is two clusters with edges: each leaks out
# of the day, and the edges ask for kernels so narrow that the curve ripples.
# ``periodic=24`` joins the ends, and the density at midnight is one number.

# sphinx_gallery_start_ignore
# alt: Two densities of hours, high around midnight, with a second peak near 17 hours.
# Without a period the curve ripples and reaches beyond 0 and 24 hours, where it falls;
# with periodic=24 it is smoother and ends at 24 as high as it begins at 0.
# sphinx_gallery_end_ignore
hours = np.concatenate([rng.normal(23.5, 2, size=400), rng.normal(17, 1.5, size=200)])
hours = np.reshape(hours % 24, (-1, 1)).round(2)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
for ax, period in zip(axes, (None, 24), strict=True):
    density = LOOKernelDensity(periodic=period).fit(hours)
    DensityDisplay.from_estimator(density, hours, ax=ax)
    ax.set(title=f"periodic={period}", xlabel="hour", xticks=range(0, 25, 6))
    low, high = np.exp(density.score_samples([[0.0], [24.0]]))
    print(f"periodic={period}: width {density.bandwidth_:.2f} hours")
    print(f"  density {low:.3f} at 0 and {high:.3f} at 24 hours")
    inside = density.probability(0, 24)
    print(f"  probability of a time of day {inside:.3f}")
axes[1].label_outer()
plt.show()
