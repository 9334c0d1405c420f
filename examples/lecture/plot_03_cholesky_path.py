"""
How does gradient descent find a covariance?
============================================

A covariance must stay positive definite on the way. Written as L Lᵀ with L lower
triangular and exponentials on its diagonal, any step gives a valid one.
:class:`~skdensity.CholeskyGaussian` takes such steps by Adam; this example follows them
on 300 correlated rows (section 2 of the lecture).
"""

# License: BSD-3-Clause

# %%
# The table
# ---------
#
# With ``store_path=True`` every step is kept. The start is the standard normal; the row
# of an epoch holds the mean after its step, and the variances and the loss before it.

import numpy as np

from skdensity import CholeskyGaussian, ConvergenceDisplay, GaussianMLE
from skdensity.datasets import make_gaussian_2d

X = make_gaussian_2d()
descent = CholeskyGaussian(max_iter=400, tol=None, store_path=True).fit(X)
before = np.concatenate([[np.eye(2)], descent.cholesky_path_[:-1]])

print("epoch   mean            variances       loss, nats")
for epoch in [*range(0, 280, 40), 399]:
    mean, factor = descent.location_path_[epoch], before[epoch]
    first, second = np.square(factor).sum(axis=1)
    print(
        f"{epoch:5d}   {mean[0]:.3f}  {mean[1]:.3f}    {first:.3f}  {second:.3f}    "
        f"{descent.loss_curve_[epoch]:.4f}"
    )
print("\nlearned covariance:")
print(descent.covariance_.round(3))

# %%
# The path
# --------
#
# The ellipses hold half of the probability of the Gaussian after 1, 21, 41, 81 and 400
# steps: the ellipse first widens, to reach rows that are far from its centre, and
# shrinks to their shape as the centre arrives.

# sphinx_gallery_start_ignore
# alt: Five ellipses over a scatter of correlated rows. The first is a small circle
# around the origin; later ones are larger and nearer to the rows, and the last two
# fit the rows and their slope.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

circle = np.linspace(0, 2 * np.pi, 200)
radius = np.sqrt(2 * np.log(2))
border = radius * np.column_stack([np.cos(circle), np.sin(circle)])

fig, ax = plt.subplots(layout="constrained")
ax.scatter(*X.T, s=8, color="0.6")
steps = [0, 20, 40, 80, 399]
colours = plt.get_cmap("viridis")(np.linspace(0.9, 0.1, len(steps)))
for step, colour in zip(steps, colours, strict=True):
    ellipse = descent.location_path_[step] + border @ descent.cholesky_path_[step].T
    ax.plot(*ellipse.T, color=colour, linewidth=2, label=f"step {step + 1}")
ax.legend()
ax.set(xlabel="feature 0", ylabel="feature 1", aspect="equal")
plt.show()

# %%
# The loss
# --------
#
# After some 120 steps nothing more is gained: the end is the estimate that
# :class:`~skdensity.GaussianMLE` computes in one step.

# sphinx_gallery_start_ignore
# alt: Loss against iteration: a steep fall from 5.6 to 2.7 nats within a hundred
# steps, then a flat line.
# sphinx_gallery_end_ignore
_ = ConvergenceDisplay.from_estimator(descent)
print(f"by descent     {descent.score(X):.6f} nats per row")
print(f"in closed form {GaussianMLE().fit(X).score(X):.6f} nats per row")
