"""
How wide should a kernel be?
============================

Put a Gaussian of width h on every row and add them up: a density without a shape of its
own. The likelihood of the rows cannot choose h, because every row explains itself best
by a spike. Leaving each row out of its own density can (section 3 of the lecture).
"""

# License: BSD-3-Clause

# %%
# Three widths
# ------------
#
# Too narrow, and the density is a row of spikes; too wide, and its three peaks melt
# into one.

import matplotlib.pyplot as plt
import numpy as np

from skdensity import BandwidthDisplay, DensityDisplay, LOOKernelDensity
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()

fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True, layout="constrained")
for bandwidth, ax in zip((0.02, 0.3, 3.0), axes, strict=True):
    density = LOOKernelDensity(bandwidth).fit(X)
    DensityDisplay.from_estimator(density, X, n_points=600, ax=ax)
    ax.set(title=f"h = {bandwidth}", ylim=(0, 0.3))
plt.show()

# %%
# The naive likelihood
# --------------------
#
# The likelihood of the rows under their own kernels grows without end as h shrinks. The
# leave-one-out likelihood, in which a row does not count for itself, has a maximum.

widths = np.geomspace(0.01, 3, 60)
fits = [LOOKernelDensity(h).fit(X) for h in widths]

fig, ax = plt.subplots(layout="constrained")
ax.semilogx(widths, [fit.score(X) for fit in fits], label="naive")
ax.semilogx(widths, [fit.loo_score_ for fit in fits], label="leave-one-out")
ax.set(xlabel="h", ylabel="log-likelihood, nats per row", ylim=(-3.2, -1.5))
ax.legend()
plt.show()

# %%
# The choice
# ----------
#
# ``bandwidth="loo"`` finds that maximum. The rules of thumb, which would be right if
# the rows were one Gaussian, are three times too wide for three of them; the plug-in
# rule and the robust criterion agree with the likelihood.

density = LOOKernelDensity().fit(X)
rules = ["robust_loo", "isj", "silverman", "scott"]
_ = BandwidthDisplay.from_estimator(density, X, rules=rules, n_points=40)
