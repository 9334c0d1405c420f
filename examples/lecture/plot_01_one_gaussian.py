"""
Which Gaussian explains the rows best?
======================================

Of all Gaussians, the most likely one has the mean and the covariance of the rows. That
is what :class:`~skdensity.GaussianMLE` computes in one step. This example looks at the
likelihood that it maximises, on 200 draws of N(3, 1) (section 1 of the lecture).
"""

# %%
# The estimate
# ------------
#
# The fitted curve follows the histogram. Its parameters are not those that the rows
# were drawn with: 200 rows tell the mean to about 0.07, one standard deviation over the
# root of 200.

# sphinx_gallery_start_ignore
# alt: A histogram of 200 rows around 3, a rug of the rows below it, and the bell
# curve of the fitted Gaussian over it.
# sphinx_gallery_end_ignore
from skdensity import DensityDisplay, GaussianMLE
from skdensity.datasets import make_gaussian_1d

X = make_gaussian_1d()
density = GaussianMLE().fit(X)
print(f"mean {density.location_[0]:.3f}, variance {density.covariance_[0, 0]:.3f}")
_ = DensityDisplay.from_estimator(density, X)

# %%
# The likelihood
# --------------
#
# Every pair of a mean and a standard deviation has a likelihood, which is drawn as
# contours of equal loss below. The cross marks the estimate: it is where all of them
# close, and there is no other hollow.

# sphinx_gallery_start_ignore
# alt: Closed contours of the loss over mean and standard deviation. A cross in the
# middle of the innermost, at mean 2.96 and deviation 0.93, marks the estimate.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

means, deviations = np.linspace(2.6, 3.4, 80), np.linspace(0.75, 1.25, 80)
# Deviations along the first axis, means along the second, rows along the third.
loss = -norm.logpdf(X[:, 0], means[:, None], deviations[:, None, None]).mean(axis=-1)

fig, ax = plt.subplots(layout="constrained")
contours = ax.contour(means, deviations, loss, levels=12)
ax.clabel(contours, fontsize="small")
deviation = np.sqrt(density.covariance_[0, 0])
ax.plot(density.location_[0], deviation, "x", markersize=12, markeredgewidth=3)
ax.set(
    xlabel="mean",
    ylabel="standard deviation",
    title="Mean negative log-likelihood, nats per row",
)
plt.show()
