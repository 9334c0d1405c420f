"""
How many components has a mixture?
==================================

More components always fit better. Criteria subtract something for them: AIC and BIC for
their parameters, ICL for rows that they share besides, and cross-validation looks at
rows that were left out. They ask different questions, and this example shows where
their answers differ.
"""

# %%
# Four criteria
# -------------
#
# The petals and sepals of 150 iris flowers. Lower is better for AIC, BIC and ICL; the
# held-out likelihood is drawn upside down, so that the lowest point of every curve is
# its choice.

# sphinx_gallery_start_ignore
# alt: AIC, BIC, ICL and the held-out criterion against one to six components. AIC
# is lowest at four; the other three are lowest at two.
# sphinx_gallery_end_ignore
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold

from skdensity import EMGaussianMixture, MixtureDisplay

X = load_iris(as_frame=True).data
counts = np.arange(1, 7)
# Petals are rounded to a millimetre. A component may sit on one value, and would win
# by it; 1e-3 cm² keeps it wider than that, which is worth a warning, and meant.
warnings.filterwarnings("ignore", message=".*reg_covar=0.001")
mixture = EMGaussianMixture(reg_covar=1e-3, random_state=0)
fits = [EMGaussianMixture(k, reg_covar=1e-3, random_state=0).fit(X) for k in counts]

folds = KFold(5, shuffle=True, random_state=0)
search = GridSearchCV(mixture, {"n_components": counts}, cv=folds).fit(X)
curves = {
    "AIC": [fit.aic(X) for fit in fits],
    "BIC": [fit.bic(X) for fit in fits],
    "ICL": [fit.icl(X) for fit in fits],
    "held out, −2 log L": -2 * len(X) * search.cv_results_["mean_test_score"],
}

fig, ax = plt.subplots(layout="constrained")
for name, values in curves.items():
    (line,) = ax.plot(counts, values, "o-", label=name)
    best = np.argmin(values)
    ax.plot(counts[best], values[best], "o", markersize=12, color=line.get_color())
    print(f"{name:19s} chooses {counts[best]} components")
ax.set(xlabel="components", ylabel="criterion", xticks=counts)
ax.legend()
plt.show()

# %%
# Two or three
# ------------
#
# There are three species, but two of them overlap. For the density of 150 flowers two
# components are enough, say BIC, ICL and the flowers that were left out; AIC, which
# charges less for a parameter, takes more. To tell the species apart is another
# question, which none of them was asked. A mixture of three does:

# sphinx_gallery_start_ignore
# alt: Petal width against petal length of the flowers, coloured by three components.
# One component is far from the others; two touch, and rows between them have blended
# colours.
# sphinx_gallery_end_ignore
_ = MixtureDisplay.from_estimator(fits[2], X, features=[2, 3])
