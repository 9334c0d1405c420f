"""
Which way does Adam take to the most likely Gaussian?
=====================================================

The best mean and standard deviation are known in closed form. Gradient descent must
find them step by step, which is how everything without a closed form is fitted.
:class:`~skdensity.CholeskyGaussian` descends with Adam on the mean negative
log-likelihood (section 2 of the lecture).
"""

# %%
# The table
# ---------
#
# The start is the standard normal: mean 0, standard deviation 1. A standard deviation
# must stay positive, so the free parameter is its logarithm. The row of an epoch holds
# the parameters after its step, and the loss before it.

import matplotlib.pyplot as plt
import numpy as np

from skdensity import CholeskyGaussian, GaussianMLE
from skdensity.datasets import make_gaussian_1d

X = make_gaussian_1d()
descent = CholeskyGaussian(max_iter=300, tol=None, store_path=True).fit(X)
means = descent.location_path_[:, 0]
deviations = descent.cholesky_path_[:, 0, 0]

print("epoch   mean   std. dev.   loss, nats")
for epoch in [*range(0, 300, 30), 299]:
    print(
        f"{epoch:5d}  {means[epoch]:.4f}    {deviations[epoch]:.4f}    "
        f"{descent.loss_curve_[epoch]:.4f}"
    )

# %%
# The path
# --------
#
# Far from the rows, the quickest way to explain them is a wide Gaussian: the standard
# deviation more than doubles before the mean has come half of the way. Then it shrinks,
# the path overshoots a little, as Adam's momentum does, and circles into the estimate
# of :class:`~skdensity.GaussianMLE`, the cross.

# sphinx_gallery_start_ignore
# alt: Contours of the loss over mean and standard deviation, with the path of Adam. It
# rises from mean 0 and deviation 1 to deviation 2.5 at mean 1.2, then turns down, and
# ends at a cross at mean 3, where the contours close.
# sphinx_gallery_end_ignore
exact = GaussianMLE().fit(X)
mean, variance = exact.location_[0], exact.covariance_[0, 0]

m, s = np.meshgrid(np.linspace(-0.3, 4.2, 200), np.linspace(0.6, 2.8, 200))
# The mean loss of N(m, s²) needs the mean and the variance of the rows only.
loss = np.log(s) + 0.5 * np.log(2 * np.pi) + 0.5 * (variance + (mean - m) ** 2) / s**2

fig, ax = plt.subplots(layout="constrained")
levels = np.geomspace(1.36, 6, 14)
ax.contour(m, s, loss, levels=levels, colors="0.75", linewidths=0.8)
ax.plot([0, *means], [1, *deviations], color="#0072B2")
ax.plot(
    means[29::30], deviations[29::30], "o", color="#0072B2", label="every 30 epochs"
)
ax.plot(
    mean, np.sqrt(variance), "x", color="#D55E00", ms=12, mew=3, label="the optimum"
)
ax.set(xlabel="mean", ylabel="standard deviation")
ax.legend()
plt.show()
