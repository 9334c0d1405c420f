"""
Why can the likelihood not choose a kernel's width?
===================================================

The rows themselves are a density: a spike at each. Put a Gaussian of width h in place
of every spike, and neighbours share what they know. The likelihood of the rows, which
found the best Gaussian, finds no h: every row explains itself best by a spike
(section 3 of the lecture).
"""

# %%
# From spikes to a smear
# ----------------------
#
# As h goes to zero the spikes come back; as it grows, three peaks melt into one.

# sphinx_gallery_start_ignore
# alt: Three kernel densities of the same rows. At h = 0.02 a row of spikes, at h = 0.3
# three smooth peaks that follow the histogram, at h = 3 one flat bump.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np

from skdensity import DensityDisplay, LOOKernelDensity
from skdensity.datasets import make_mixture_1d

X, _ = make_mixture_1d()

fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True, layout="constrained")
for bandwidth, ax in zip((0.02, 0.3, 3.0), axes, strict=True):
    density = LOOKernelDensity(bandwidth).fit(X)
    DensityDisplay.from_estimator(density, X, ax=ax)
    ax.set(title=f"h = {bandwidth:g}", xlim=(-12, 12), ylim=(0, 0.3))
    ax.label_outer()
plt.show()

# %%
# The naive likelihood
# --------------------
#
# A row's own kernel adds 1/(N h √2π) to its density. That grows without bound as h
# shrinks, and so does the likelihood: its maximum is at h = 0. Rows that were left out
# are explained by the kernels of others only, and have a best width. To leave each row
# out of its own density is the way out, and the next example.

# sphinx_gallery_start_ignore
# sphinx_gallery_thumbnail_number = 2
# alt: Log-likelihood against h on a logarithmic axis. The curve of the training rows
# climbs steadily as h shrinks; the curve of new rows has its maximum near h = 0.4 and
# falls off on both sides.
# sphinx_gallery_end_ignore
widths = np.geomspace(0.01, 3, 60)
new, _ = make_mixture_1d(n_samples=2000, random_state=1)
fits = [LOOKernelDensity(h).fit(X) for h in widths]

fig, ax = plt.subplots(layout="constrained")
ax.semilogx(widths, [fit.score(X) for fit in fits], label="the rows themselves")
ax.semilogx(widths, [fit.score(new) for fit in fits], label="2,000 new rows")
ax.set(xlabel="h", ylabel="log-likelihood, nats per row", ylim=(-3.2, -1.0))
ax.legend()
plt.show()
