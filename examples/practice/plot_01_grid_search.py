"""
Which bandwidth, which K, which density?
========================================

The score of every estimator is its mean log-likelihood, so scikit-learn's model
selection works on densities as on classifiers: held-out rows decide. This example
searches for a bandwidth, for a number of components, and then between the two.
"""

# %%
# Two searches
# ------------
#
# The sepals and petals of 150 iris flowers. The means over five folds are drawn with
# their standard errors; the large marks are the choices. Two components score best,
# and three within the error: with 150 flowers the folds cannot tell.

# sphinx_gallery_start_ignore
# alt: Held-out log-likelihood of kernels against bandwidth, peaking near 0.2, beside
# that of mixtures against the number of components, highest at two. The mixture's peak
# is the higher.
# sphinx_gallery_end_ignore
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skdensity import EMGaussianMixture, GaussianMLE, LOOKernelDensity

X = load_iris().data
folds = KFold(5, shuffle=True, random_state=0)
# Components on three flowers rest on `reg_covar`, and say so; so will the scores.
warnings.filterwarnings("ignore", message=".* on `reg_covar`")

searches = {
    "bandwidth": GridSearchCV(
        LOOKernelDensity(), {"bandwidth": np.geomspace(0.1, 1, 15)}, cv=folds
    ),
    "n_components": GridSearchCV(
        EMGaussianMixture(random_state=0), {"n_components": range(1, 7)}, cv=folds
    ),
}

fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for (name, search), ax in zip(searches.items(), axes, strict=True):
    search.fit(X)
    tried = search.cv_results_[f"param_{name}"].astype(float)
    mean = search.cv_results_["mean_test_score"]
    error = search.cv_results_["std_test_score"] / np.sqrt(folds.n_splits)
    ax.errorbar(tried, mean, error, fmt="o-", markerfacecolor="white", capsize=3)
    best = search.best_params_[name], search.best_score_
    ax.plot(*best, "o", color="#D55E00", markersize=10, zorder=3)
    ax.set(xlabel=name, title=type(search.estimator).__name__)
    print(f"{name} = {search.best_params_[name]:.3g}: {search.best_score_:.3f} nats")
axes[0].set_ylabel("held-out log-likelihood, nats per row")
axes[0].set_xscale("log")
plt.show()

# %%
# Without a search
# ----------------
#
# The kernel density needs none: leaving one row out at a time is a search with as many
# folds as rows, over all bandwidths, at the price of a fit.

density = LOOKernelDensity().fit(X)
print(f"leave-one-out: {density.bandwidth_:.3g}, {density.loo_score_:.3f} nats")

# %%
# Between densities
# -----------------
#
# Scores of different densities of the same rows compare as they stand, on the same
# folds. Kernels that take the shape of the rows do no better than round ones here, and
# with so few rows in four features, to assume two Gaussians is worth more. Whatever
# changes the units is another matter: a density of scaled or projected rows has a score
# that compares with its like only.

candidates = {
    "one Gaussian": GaussianMLE(),
    "two Gaussians": EMGaussianMixture(2, random_state=0),
    "round kernels": LOOKernelDensity(),
    "shaped kernels": LOOKernelDensity(covariance_type="full"),
}
for name, candidate in candidates.items():
    score = cross_val_score(candidate, X, cv=folds).mean()
    print(f"{name:15s} {score:.3f} nats per row")
