"""
Which clusters do complete cases miss?
======================================

Real tables have holes, and few rows without one. To drop the others is to drop what
they say, and whom they stand for. The Gaussian estimators take NaN for what was not
observed and fit the likelihood of what was: no row is dropped, and none is filled in
first.
"""

# %%
# Two tests that hardly anybody takes both
# ----------------------------------------
#
# A clinic gives everybody a cheap test. Whose value is high takes two further tests, B
# and C; of the others nine in ten, and more, take one of the two. The first value
# decides who lacks what, and it is in the table: values are *missing at random*, given
# those observed.

import numpy as np
import pandas as pd

rng = np.random.RandomState(0)
groups = rng.choice(3, size=600, p=[0.5, 0.25, 0.25])
centres = np.array([[2.0, 0.0, 0.0], [-1.0, -2.0, 1.5], [-1.0, 1.5, -2.0]])
spread = np.array([[1.0, 0.3, 0.3], [0.0, 0.8, 0.2], [0.0, 0.0, 0.8]])
X = pd.DataFrame(
    centres[groups] + rng.normal(size=(600, 3)) @ spread,
    columns=["first test", "test B", "test C"],
)
table = X.copy()
takes_one = (X["first test"] < 0.5) & (rng.uniform(size=600) < 0.95)
takes_b = rng.uniform(size=600) < 0.5
table.loc[takes_one & takes_b, "test C"] = np.nan
table.loc[takes_one & ~takes_b, "test B"] = np.nan
complete = table.dropna()
print(f"{len(complete)} of {len(table)} rows are complete")

# %%
# How many groups are there?
# --------------------------
#
# BIC chooses the number of components. Two groups of patients have hardly a complete
# row between them, and complete cases make one of them. With its incomplete rows the
# table has three groups, as it would have without a hole. Means in the holes make
# groups of their own: all who lack a test share its value.

import warnings

from sklearn.metrics import adjusted_rand_score

from skdensity import EMGaussianMixture

filled = table.fillna(table.mean())
tables = {"nothing missing": X, "complete cases": complete, "means filled in": filled}
tables["with holes"] = table

chosen = {}
with warnings.catch_warnings():
    # Components of filled-in values, all the same, rest on `reg_covar`, and say so.
    warnings.filterwarnings("ignore", message=".* on `reg_covar`")
    for name, rows in tables.items():
        fits = [EMGaussianMixture(k, random_state=0).fit(rows) for k in range(1, 6)]
        best = min(fits, key=lambda fit: fit.bic(rows))
        chosen[name] = best
        agreement = adjusted_rand_score(groups, best.predict(X))
        print(f"{name:16s} {best.n_components} groups, agreement {agreement:.2f}")

# %%
# The rows that are incomplete are the ticks at the edges: they have a value of B or of
# C only, and that is what they say. They tell the mixture where the two groups are, how
# wide and how large.

# sphinx_gallery_start_ignore
# alt: Test C against test B three times. With nothing missing there are three groups.
# The complete cases are one group in the middle and a few rows around it, under two
# ellipses. With ticks at the edges for incomplete rows, the mixture of the table with
# holes has the three groups again.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

from skdensity import MixtureDisplay

names = ["nothing missing", "complete cases", "with holes"]
fig, axes = plt.subplots(1, 3, figsize=(11, 4), layout="constrained")
for ax, name in zip(axes, names, strict=True):
    MixtureDisplay.from_estimator(
        chosen[name], tables[name], features=["test B", "test C"], ax=ax
    )
    ax.set(title=name, xlim=(-5, 5), ylim=(-5, 5), aspect="equal")
    ax.label_outer()
only_b, only_c = (table[table[lacks].isna()] for lacks in ("test C", "test B"))
edge = {"alpha": 0.3, "color": "0.3", "clip_on": False, "linestyle": "none"}
axes[2].plot(only_b["test B"], np.full(len(only_b), -4.8), marker="|", **edge)
axes[2].plot(np.full(len(only_c), -4.8), only_c["test C"], marker="_", **edge)
plt.show()
