"""
How wide should a kernel be?
============================

Leave every row out of its own density, and the likelihood has a maximum over the width
h. :class:`~skdensity.LOOKernelDensity` finds it, without a grid and without folds
(section 3 of the lecture).
"""

# %%
# The choice
# ----------
#
# The curve is the leave-one-out likelihood, the lines are what rules choose. The rules
# of thumb, which would be right if the rows were one Gaussian, are three times too wide
# for three of them; the plug-in rule and the robust criterion agree with the
# likelihood.

# sphinx_gallery_start_ignore
# alt: Leave-one-out log-likelihood against bandwidth. It peaks at 0.296, the line of
# the choice; the lines of robust_loo and isj are close to it, those of silverman and
# scott near 0.9, where the curve has fallen.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import BandwidthDisplay, LOOKernelDensity
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()
density = LOOKernelDensity().fit(X)
rules = ["robust_loo", "isj", "silverman", "scott"]
_ = BandwidthDisplay.from_estimator(density, rules=rules, n_points=40)

# %%
# The density
# -----------
#
# With that width the three peaks are there, and the curve is close to the density that
# the rows were drawn from, dashed.

# sphinx_gallery_start_ignore
# alt: The kernel density with the chosen width over a histogram of the rows, and the
# true density as a dashed line close to it; the peaks are at −4, 0.5 and 4.
# sphinx_gallery_end_ignore
from scipy.stats import norm

from skdensity import DensityDisplay

display = DensityDisplay.from_estimator(density, X)
x = np.linspace(-8, 7, 400)
truth = norm.pdf(x[:, None], [-4, 0.5, 4], [0.8, 1.5, 0.6]) @ [0.3, 0.5, 0.2]
display.ax_.plot(x, truth, color="0.3", linestyle="--", label="truth")
display.ax_.legend()
plt.show()

print(f"bandwidth {density.bandwidth_:.3f}")
print(f"leave-one-out {density.loo_score_:.4f} nats per row")
