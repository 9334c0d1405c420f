"""
Which mixture, of all?
======================

The number of components is one choice, the family of covariances another, and they
depend on each other: few free covariances, or many that share their shape, may describe
the same rows. :class:`~skdensity.GaussianMixtureSearch` tries all of them.
"""

# %%
# A curve for every family
# ------------------------
#
# The petals and sepals of 150 iris flowers, in centimetres. BIC weighs the likelihood
# against the number of parameters, and lower is better. A cross at the foot is a
# mixture that does not count: a component of it rests on too few flowers.

# sphinx_gallery_start_ignore
# alt: BIC against one to ten components, a curve for each of six families. The curve of
# full covariances is lowest, with a circle about two components; those of tied and of
# diagonal covariances fall for longer, and stay above.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from skdensity import GaussianMixtureSearch, MixtureDisplay, MixtureSearchDisplay

X = load_iris(as_frame=True).data
search = GaussianMixtureSearch(random_state=0).fit(X)
_ = MixtureSearchDisplay.from_estimator(search)
plt.show()
print(search.best_params_)

# %%
# Two components with covariances of their own are enough, and cost 29 parameters.
# Families that share a covariance need more components to say the same: each of them is
# cheap, but the flowers of one species do not vary as those of the others do.
#
# Close behind
# ------------
#
# How sure is that? A difference of BIC is twice the logarithm of a ratio of
# probabilities, roughly, if the mixtures were as probable beforehand. Above ten there
# is little doubt.

order = np.argsort(search.results_["bic"])
for i in order[:4]:
    family = search.results_["covariance_type"][i]
    number = search.results_["n_components"][i]
    behind = search.results_["bic"][i] - search.results_["bic"][order[0]]
    print(f"{number} components, {family:10s} {behind:5.1f} behind")

# %%
# What it found
# -------------
#
# The search answers what a mixture does, and ``best_estimator_`` is that mixture.

# sphinx_gallery_start_ignore
# alt: Petal width against petal length of the flowers under two ellipses each for two
# components, one around a small group far from the others and one around the rest.
# sphinx_gallery_end_ignore
_ = MixtureDisplay.from_estimator(search.best_estimator_, X, features=[2, 3])
