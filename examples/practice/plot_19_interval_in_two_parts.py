"""
How wide must an interval be where there are two answers?
=========================================================

An interval from one quantile to another holds everything between them, also where there
is nothing. A density of features and target knows where the target can be, and its
smallest region may have two parts.
"""

# %%
# A mean between two answers
# --------------------------
#
# The angle of a joint, and the position that it leads to: an arm reaches most positions
# with the elbow up or with the elbow down. From the position, the angle is one of two.
# ``DensityRegressor`` fits a mixture of position and angle. Its mean is between the
# answers, where no arm ever is, and the interval from the 5 % to the 95 % quantile
# holds the gap. ``condition`` gives the conditional density itself, and ``region`` the
# smallest region that holds 90 % of it, drawn for three positions.

# sphinx_gallery_start_ignore
# alt: Points along a curve that bends back, so that for most positions there are two
# angles. A grey band of 90 per cent intervals covers both branches and the empty space
# between them, with the mean as a dashed line through the emptiness. At three positions
# thick bars show the regions of 90 per cent: two short bars each for the first two, on
# the two branches, and one for the last, where they meet.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import DensityRegressor, EMGaussianMixture

rng = np.random.RandomState(0)
angle = rng.uniform(-2, 2, size=3000)
position = np.cos(angle) + 0.05 * rng.standard_normal(3000)
X = position[:, None]

regressor = DensityRegressor(EMGaussianMixture(12, random_state=0)).fit(X, angle)
asked = np.linspace(-0.4, 1.05, 200)[:, None]
mean = regressor.predict(asked)
lower, upper = regressor.predict_quantiles(asked, [0.05, 0.95]).T
positions = [-0.2, 0.5, 1.0]
regions = {
    p: regressor.density_.condition([0], [p]).region(0.9).intervals for p in positions
}

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.scatter(position[::3], angle[::3], s=4, color="0.6")
ax.fill_between(asked[:, 0], lower, upper, alpha=0.25, label="from 5 % to 95 %")
ax.plot(asked[:, 0], mean, "--", color="0.2", label="mean")
for p, intervals in regions.items():
    lines = ax.plot([p, p], intervals.T, color="#D55E00", lw=5)
lines[0].set_label("smallest region of 90 %")
ax.set(xlabel="position", ylabel="angle")
ax.legend(loc="lower right")
plt.show()

# %%
# Both hold what they promise
# ---------------------------
#
# Of fresh rows, nine of ten are within the interval, and as many where the conditional
# density exceeds the level of its region. The interval needs a multiple of the length
# for it.

for p, intervals in regions.items():
    parts = " and ".join(f"{a:.2f} to {b:.2f}" for a, b in intervals)
    a, b = regressor.predict_quantiles([[p]], [0.05, 0.95])[0]
    length = np.diff(intervals).sum()
    print(f"position {p:4.1f}: {parts}")
    print(f"  {length:.2f} long, where the interval takes {b - a:.2f}")

fresh = rng.uniform(-2, 2, size=2000)
moved = np.cos(fresh)[:, None] + 0.05 * rng.standard_normal((2000, 1))
a, b = regressor.predict_quantiles(moved, [0.05, 0.95]).T
print(
    f"{np.mean((a <= fresh) & (fresh <= b)):.0%} of fresh angles are within intervals"
)

# %%
# For all rows at once
# --------------------
#
# A region for each of many rows needs no loop over ``condition``. Draws from the
# conditional density, and the log-densities of these, tell its level: an answer is in
# the region if it is denser than one draw in ten.

draws = regressor.sample_y(moved, 200)
repeated = np.repeat(moved, 200, axis=0)
levels = np.quantile(
    regressor.log_density(repeated, draws.ravel()).reshape(draws.shape), 0.1, axis=1
)
inside = regressor.log_density(moved, fresh) >= levels
print(f"{inside.mean():.0%} of fresh angles are within their smallest regions")
