"""
How are more rows fitted than memory holds?
===========================================

A folder of Parquet files, fitted block by block. A fit of a mixture needs sums over the
rows, and sums of blocks add up: :class:`~skdensity.RowBlocks` reads the files again in
every pass, and the fit is that of the whole table. Here it has 50 MB and would fit into
memory; with 100 GB nothing but the time would be different.
"""

# %%
# A folder
# --------
#
# Twelve months of trips: their length, their time and the tip. Some tips are not known.

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

folder = tempfile.TemporaryDirectory()


def trips(month, n_rows=170_000):
    rng = np.random.RandomState(month)
    is_far = rng.uniform(size=n_rows) < 0.15
    normal = rng.standard_normal((3, n_rows))
    log_km = np.where(is_far, 3.0, 0.9) + np.where(is_far, 0.2, 0.6) * normal[0]
    log_pace = np.where(is_far, 0.6, 1.3) + np.where(is_far, 0.2, 0.35) * normal[1]
    log_tip = 0.4 * log_km + 0.5 + 0.4 * normal[2]
    log_tip[rng.uniform(size=n_rows) < 0.1] = np.nan
    return {
        "month": np.full(n_rows, month),
        "log_km": log_km,
        "log_min": log_km + log_pace,
        "log_tip": log_tip,
    }


for month in range(1, 13):
    columns = {
        name: pa.array(column, from_pandas=True)
        for name, column in trips(month).items()
    }
    path = Path(folder.name) / f"trips-{month:02}.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=50_000)

size = sum(path.stat().st_size for path in Path(folder.name).iterdir())
print(f"{size / 1e6:.0f} MB in {len(list(Path(folder.name).iterdir()))} files")

# %%
# A fit
# -----
#
# Columns are chosen when the files are read; nulls are missing values. Two passes are
# for a sample, from which the fit starts, and for the covariance of all rows. Then each
# step of EM is one.

from skdensity import EMGaussianMixture, RowBlocks

features = ["log_km", "log_min", "log_tip"]
rows = RowBlocks.from_parquet(folder.name, columns=features)
mixture = EMGaussianMixture(2, max_iter=8, tol=1e-3, random_state=0).fit(rows)
print(f"{mixture.n_iter_} steps, {mixture.score(rows):.4f} nats per trip")
print(mixture.means_.round(2))

# %%
# What the density says
# ---------------------
#
# Answers come as an iterator of arrays, one for every block, to be counted or written
# away as they come. Here: how many trips of all are how unlikely.

# sphinx_gallery_start_ignore
# alt: On the left two ellipses of components over the minutes against the kilometres
# of trips, on logarithmic axes. On the right a histogram of log-densities of two
# million trips.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

from skdensity import DensityDisplay

edges = np.linspace(-12, 2, 57)
counts = np.zeros(len(edges) - 1)
for log_density in mixture.score_samples(rows):
    counts += np.histogram(log_density, edges)[0]

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
DensityDisplay.from_estimator(mixture.marginal(["log_km", "log_min"]), ax=left)
right.stairs(counts, edges, fill=True)
right.set(xlabel="log-density (nats)", ylabel="trips", yscale="log")
plt.show()

# %%
# A part at a time was in memory: two row groups of 50,000 rows, the block that is
# worked on and the one that comes next.

folder.cleanup()
