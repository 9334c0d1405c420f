"""
Is my own density estimator right?
==================================

A density must integrate to one, its samples must follow it, and an integer weight must
count as a repeated row. :func:`~skdensity.testing.check_density_estimator` checks these
and other theorems on any estimator with ``fit``, ``score_samples`` and ``sample``. This
example writes one, makes three popular mistakes, and has them found.
"""

# %%
# A logistic density
# ------------------
#
# Independent features, bell-shaped like a Gaussian, with heavier tails. Location and
# scale are those that give the mean and the standard deviation of the rows. All of the
# theorems that apply to it hold; those about marginals, for example, do not apply.

from collections import Counter
from math import log

import numpy as np
from scipy.stats import logistic
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skdensity.testing import check_density_estimator


class Logistic(DensityMixin, BaseEstimator):
    def fit(self, X, y=None, sample_weight=None):
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        self.location_ = np.average(X, axis=0, weights=sample_weight)
        variance = np.average((X - self.location_) ** 2, axis=0, weights=sample_weight)
        self.scale_ = np.sqrt(3 * variance) / np.pi
        return self

    def score_samples(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        log_densities = logistic.logpdf(X, self.location_, self.scale_)
        return log_densities.sum(axis=1).astype(X.dtype)

    def score(self, X, y=None, sample_weight=None):
        return np.average(self.score_samples(X), weights=sample_weight)

    def sample(self, n_samples=1, random_state=None):
        check_is_fitted(self)
        shape = n_samples, self.n_features_in_
        return logistic.rvs(
            self.location_, self.scale_, size=shape, random_state=random_state
        )


results = check_density_estimator(Logistic())
print(Counter(result["status"] for result in results))

# %%
# On a logarithmic axis its tails are straight, where those of a Gaussian with the same
# mean and standard deviation bend down.

# sphinx_gallery_start_ignore
# alt: Two log-densities with the same mean and standard deviation. The logistic one has
# the sharper peak and straight tails; the Gaussian is a parabola, far below it from
# four standard deviations on.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

from skdensity import GaussianMLE

X = logistic.rvs(size=(1000, 1), random_state=0)
x = np.linspace(-12, 12, 400)[:, None]

fig, ax = plt.subplots(layout="constrained")
for density in (Logistic(), GaussianMLE()):
    ax.plot(x, density.fit(X).score_samples(x), label=type(density).__name__)
ax.set(xlabel="feature 0", ylabel="log-density, nats")
ax.legend()
plt.show()

# %%
# Three mistakes
# --------------
#
# Each of these passes unnoticed in a picture. A density without its constant ranks rows
# as the right one does, a fit that ignores weights works as long as nobody gives any,
# and samples that spread too far look like samples.


class Unnormalised(Logistic):
    def score_samples(self, X):
        return super().score_samples(X) + self.n_features_in_ * log(2)


class Unweighted(Logistic):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X)


class Overdispersed(Logistic):
    def sample(self, n_samples=1, random_state=None):
        drawn = super().sample(n_samples, random_state)
        return self.location_ + 1.3 * (drawn - self.location_)


for mistake in (Unnormalised, Unweighted, Overdispersed):
    try:
        check_density_estimator(mistake())
    except AssertionError as error:
        print(f"{mistake.__name__}: {error}")
