"""
Which transform do these amounts ask for?
=========================================

Amounts of money are skewed, and one takes logarithms before anything else; or square
roots; or a power transform. Likelihood can choose, if every density is one of the same
thing: of the amounts, not of their transforms.
"""

# %%
# Scores in units that differ
# ---------------------------
#
# Orders of two sorts of customers. A pipeline that ends in a density scores what its
# last step sees, so that these scores have the units of euros, of their square roots
# and of their logarithms. The highest is that of the smallest unit, and says nothing.

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer

from skdensity import EMGaussianMixture, GaussianMLE, TransformedDensity

rng = np.random.RandomState(0)
is_shop = rng.uniform(size=600) < 0.4
euros = np.exp(np.where(is_shop, rng.normal(5, 0.4, 600), rng.normal(3, 0.6, 600)))
X = euros[:, None]

folds = KFold(5, shuffle=True, random_state=0)
transforms = {
    "identity": FunctionTransformer(),
    "sqrt": FunctionTransformer(np.sqrt),
    "log": FunctionTransformer(np.log),
    "power": PowerTransformer(),
}
for name, transform in transforms.items():
    score = cross_val_score(make_pipeline(transform, GaussianMLE()), X, cv=folds)
    print(f"{name:8s} {score.mean():6.2f} nats, of what?")

# %%
# Scores in euros
# ---------------
#
# :class:`~skdensity.TransformedDensity` adds how much the transform stretches the
# amounts, the log-Jacobian. All of these are densities in euros, and the folds choose
# between them. One Gaussian asks for logarithms: without them it is far worse. A
# mixture of two can bend by itself, and gains less.

# sphinx_gallery_start_ignore
# alt: Left, held-out log-likelihoods of four transforms, with one Gaussian and two. The
# logarithm and the power are highest, the identity lowest, and two Gaussians are above
# one everywhere. Right, a histogram of amounts with two bumps, the left one high and
# narrow; one Gaussian of logarithms follows it as a single skewed bump, two of them
# follow both bumps, and one Gaussian without a transform reaches far below zero.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

densities = {
    "one Gaussian": GaussianMLE(),
    "two": EMGaussianMixture(2, random_state=0),
}
scores = {
    (label, name): cross_val_score(TransformedDensity(transform, density), X, cv=folds)
    for label, density in densities.items()
    for name, transform in transforms.items()
}

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for label in densities:
    means = [scores[label, name].mean() for name in transforms]
    left.plot(list(transforms), means, "o-", markerfacecolor="white", label=label)
left.set(ylabel="held-out log-likelihood, nats per order")
left.legend()

x = np.linspace(-80, 350, 800)[:, None]
shown = {
    "one, no transform": TransformedDensity(None, GaussianMLE()),
    "one, of logarithms": TransformedDensity(transforms["log"], GaussianMLE()),
    "two, of logarithms": TransformedDensity(transforms["log"], densities["two"]),
}
right.hist(euros, bins=80, range=(0, 350), density=True, color="0.85")
for label, density in shown.items():
    right.plot(x, np.exp(density.fit(X).score_samples(x)), label=label)
right.set(xlabel="euros", ylabel="density")
right.legend()
plt.show()

# %%
# A search, and what it found
# ---------------------------
#
# So a grid search may try transforms as it tries everything else, each column for
# itself. Here the second column is the share of an order that is returned, between 0
# and 1. What the search finds is drawn in euros and shares: nothing is below 0, and
# nothing above 1.

# sphinx_gallery_start_ignore
# alt: Regions of euros and shares: one group at small amounts, whose shares reach from
# nearly 0 to 0.8, and one at larger amounts with shares near a tenth. The
# regions keep to the right of zero euros and within shares of 0 and 1.
# sphinx_gallery_end_ignore
import pandas as pd
from scipy.special import expit, logit
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV

from skdensity import DensityDisplay

share = expit(np.where(is_shop, rng.normal(-2.2, 0.4, 600), rng.normal(-1.2, 1, 600)))
orders = pd.DataFrame({"euros": euros, "share returned": share})

columns = ColumnTransformer(
    [("euros", "passthrough", ["euros"]), ("share", "passthrough", ["share returned"])]
)
search = GridSearchCV(
    TransformedDensity(columns, densities["two"]),
    {
        "transformer__euros": [
            transforms[name] for name in ("identity", "sqrt", "log")
        ],
        "transformer__share": ["passthrough", FunctionTransformer(logit)],
    },
    cv=folds,
).fit(orders)
for column, transform in search.best_params_.items():
    print(f"{column.removeprefix('transformer__')}: {transform}")

DensityDisplay.from_estimator(search, orders)
plt.show()

# %%
# Rows to go with it
# ------------------
#
# Draws come back through the transform, and are orders like those of the table.

drawn = search.best_estimator_.sample(5, random_state=0)
print(pd.DataFrame(drawn, columns=orders.columns).round(2).to_string(index=False))
