"""
How long does a million rows take?
==================================

A kernel density compares every query with every row, and a search for its bandwidth
does so again and again. With up to three features
:class:`~skdensity.LOOKernelDensity` adds up all kernels by Fourier transforms instead,
and a million rows of one feature take seconds.
"""

# %%
# A fine structure
# ----------------
#
# A comb: a broad Gaussian with a third of its mass in 21 narrow teeth. A thousand rows
# do not show the teeth, and ask for a bandwidth that blurs them; with more rows the
# bandwidth shrinks, and the teeth come out.

# sphinx_gallery_start_ignore
# alt: Three estimates of a comb density side by side. With a thousand rows the curve is
# smooth, with 30,000 the teeth show on a rippled ground, and with a million they are
# longer and the ground is smooth.
# sphinx_gallery_end_ignore
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from skdensity import LOOKernelDensity

rng = np.random.RandomState(0)


def comb(n_samples):
    broad = rng.normal(size=n_samples)
    narrow = 0.02 * rng.normal(size=n_samples) + rng.randint(-10, 11, n_samples) / 10
    return np.where(rng.uniform(size=n_samples) < 2 / 3, broad, narrow)[:, None]


x = np.linspace(-3, 3, 2000)[:, None]
sizes = (1_000, 30_000, 1_000_000)
fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
for n_samples, ax in zip(sizes, axes, strict=True):
    X = comb(n_samples)
    begin = perf_counter()
    density = LOOKernelDensity().fit(X)
    seconds = perf_counter() - begin
    ax.plot(x, np.exp(density.score_samples(x)))
    ax.set(title=f"{n_samples:,} rows, h = {density.bandwidth_:.3f}")
    ax.set(xlabel="feature 0", ylabel="density", ylim=(0, 0.6))
    ax.label_outer()
    print(f"{n_samples:9,} rows: {seconds:.2f} s")
plt.show()
