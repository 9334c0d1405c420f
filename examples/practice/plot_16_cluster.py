"""
Can a cluster fit one mixture?
==============================

The moments of a pass over the rows add up, so that the rows may be anywhere: each
worker sums up its own, and a few kilobytes for each block come back. A fit to a Dask
array or data frame is the fit to the same rows in memory.
"""

# %%
# Rows that nobody holds
# ----------------------
#
# A cluster is a scheduler and its workers. This one lives in the process of this page;
# on a real one, the line that makes the client is all that differs (see
# :ref:`large_data_dask`). The rows are made where they are needed, as they would be
# read from a folder of Parquet files, 40,000 to a block.

import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster

from skdensity import DensityDisplay, EMGaussianMixture

MEANS = np.array([[0.0, 0.0], [4.0, 3.0], [-3.0, 4.0]])
MAPS = np.array([[[1.0, 0.0], [0.8, 0.5]], [[0.6, 0.0], [-0.9, 1.0]], np.eye(2)])


def rows_of_block(seed, n_rows=40_000):
    rng = np.random.default_rng(seed)
    which = rng.integers(3, size=n_rows)
    noise = rng.standard_normal((n_rows, 2, 1))
    return MEANS[which] + (MAPS[which] @ noise)[:, :, 0]


blocks = [
    da.from_delayed(dask.delayed(rows_of_block)(seed), (40_000, 2), np.float64)
    for seed in range(16)
]

cluster = LocalCluster(processes=False, threads_per_worker=2, dashboard_address=":0")
client = Client(cluster)

# %%
# A fit reads its rows again and again: once for each iteration. ``persist`` keeps them
# in the memory of the workers, which pays where they fit into it.

X = da.concatenate(blocks).persist()
mixture = EMGaussianMixture(3, random_state=0).fit(X)
print(f"{X.shape[0]:,} rows in {X.numblocks[0]} blocks, {mixture.n_iter_} iterations")
print(f"means: {mixture.means_.round(2).tolist()}")

# %%
# Values are lazy
# ---------------
#
# What is asked for every row is a Dask array, which is computed when it is needed. Of
# 640,000 log-densities only the places of the ten lowest come here, and then ten rows.

# sphinx_gallery_start_ignore
# alt: Contours of the fitted density follow three elongated clusters. The ten least
# likely of 640,000 rows are circled, far out.
# sphinx_gallery_end_ignore
log_density = mixture.score_samples(X)
lowest = da.argtopk(log_density, -10).compute()
unlikely = X[np.sort(lowest)].compute()

display = DensityDisplay.from_estimator(mixture, X[:2000].compute())
display.ax_.scatter(*unlikely.T, s=90, facecolors="none", edgecolors="#D55E00", lw=2)
display.ax_.autoscale()  # they are further out than the contours
display.ax_.set(title="the ten least likely of 640,000 rows")
plt.show()

# %%
# Whoever opens a cluster closes it.

client.close()
cluster.close()
