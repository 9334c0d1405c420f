"""
Which rows are unusual?
=======================

A row is unusual where the density is low. How low is a matter of coverage: the region
of highest density that holds 95 % of the probability leaves out one row in twenty, and
whatever lies beyond is worth a look.
"""

# %%
# The region
# ----------
#
# The petals of iris flowers come in groups of different spread: there is no single
# centre to be far from, and a mixture does not need one. The flowers outside of the
# 95 % region are marked: one lies between the groups, which a distance from the centre
# of all flowers would not show.

# sphinx_gallery_start_ignore
# alt: Regions of 50 and 95 per cent coverage over petal length and width, in two
# separate parts. Six flowers outside of them are circled, one of them between the
# parts.
# sphinx_gallery_end_ignore
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

from skdensity import DensityDisplay, EMGaussianMixture

X = load_iris(as_frame=True).data.iloc[:, 2:]
density = EMGaussianMixture(3, random_state=0).fit(X)

draws, _ = density.sample(100_000, random_state=0)
draws = pd.DataFrame(draws, columns=X.columns)
threshold = np.quantile(density.score_samples(draws), 0.05)
unusual = X[density.score_samples(X) < threshold]

display = DensityDisplay.from_estimator(density, X, coverage=(0.5, 0.95))
display.ax_.scatter(
    *unusual.to_numpy().T, s=90, facecolors="none", edgecolors="#D55E00", lw=2
)
print(f"{len(unusual)} of {len(X)} rows are outside of the 95 % region")

# %%
# The share is that of the fitted density. What share of *fresh* rows would be outside
# is another question: :doc:`rows left out of the fit
# </auto_examples/practice/plot_20_threshold_that_holds>` can answer it.
