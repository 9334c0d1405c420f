"""
Can a density draw digits?
==========================

An image of 8 × 8 pixels is a point in a space of 64 dimensions. Estimate the density of
such points from scikit-learn's handwritten digits, sample from it, and what comes out
are new images. How much they look like digits depends on the density, and so does the
likelihood of digits that it has not seen: this example shows both, for all five
estimators (section 5 of the lecture).
"""

# %%
# The data
# --------
#
# A quarter of the digits is held out. Principal components take the images to 30
# uncorrelated features of unit variance, in which densities are estimated and compared,
# and take samples back to pixels.

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

images = load_digits().data
train, held_out = train_test_split(images, test_size=0.25, random_state=0)
pca = PCA(n_components=30, whiten=True, random_state=0).fit(train)
X_train, X_held_out = pca.transform(train), pca.transform(held_out)

# %%
# Five densities
# --------------
#
# The number of components of the mixture is chosen by cross-validated likelihood; the
# kernel density finds its bandwidth by leaving one out.

import warnings

from sklearn.model_selection import GridSearchCV

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

# As wide as is good for digits that were left out: more than a little, and meant.
warnings.filterwarnings("ignore", message=".*reg_covar=0.05")

search = GridSearchCV(
    EMGaussianMixture(reg_covar=0.05, random_state=0), {"n_components": [5, 10, 20, 30]}
).fit(X_train)
n_components = search.best_params_["n_components"]

densities = {
    "GaussianMLE": GaussianMLE(),
    "CholeskyGaussian": CholeskyGaussian(),
    "LOOKernelDensity": LOOKernelDensity(),
    f"EMGaussianMixture, K = {n_components}": search.best_estimator_,
    f"AdamGaussianMixture, K = {n_components}": AdamGaussianMixture(
        n_components, reg_covar=0.05, max_iter=2000, random_state=0
    ),
}

print(f"{'mean log-likelihood, in nats':32}   train  held out")
titles = {}
for name, density in densities.items():
    density.fit(X_train)
    held_out_score = density.score(X_held_out)
    print(f"{name:32} {density.score(X_train):7.2f} {held_out_score:9.2f}")
    titles[name] = f"{name}\n{held_out_score:.1f} nats held out".replace("-", "−")

# %%
# Real digits and new ones
# ------------------------
#
# A single Gaussian knows only which pixels vary together: its samples are smears. The
# mixtures draw strokes that close into digits, and give held-out digits the highest
# likelihood. A sample of the kernel density is a training digit with noise on it, and
# its likelihood says so: high on the digits that it has stored, far lower on others.
# The two mixtures differ, because EM adds ``reg_covar`` to every variance, and descent
# uses it as a lower bound only: it fits the training digits more closely.

# sphinx_gallery_start_ignore
# alt: Six mosaics of fifty digits: real ones, and samples of the five densities.
# Those of single Gaussians are smears, those of kernels look like real digits with
# noise, those of mixtures like clean strokes.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt
import numpy as np


def mosaic(rows, n_rows=5, n_columns=10):
    """Lay images out on a grid, with a white line between them."""
    tiles = np.pad(
        rows.reshape(n_rows, n_columns, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1))
    )
    return tiles.transpose(0, 2, 1, 3).reshape(10 * n_rows, 10 * n_columns)


def draw(density, n_samples=50):
    """Sample, and go back from principal components to pixels."""
    sample = density.sample(n_samples, random_state=0)
    rows = sample[0] if isinstance(sample, tuple) else sample
    return pca.inverse_transform(rows)


panels = {"Real digits, held out": held_out[:50]}
panels |= {titles[name]: draw(density) for name, density in densities.items()}

figure, axes = plt.subplots(2, 3, figsize=(11, 5), layout="constrained")
for ax, (title, rows) in zip(axes.flat, panels.items(), strict=True):
    ax.imshow(mosaic(rows), cmap="gray_r", vmin=0, vmax=16)
    ax.set_title(title, fontsize=11)
    ax.set_axis_off()
figure.savefig("digit_generation.png", dpi=150)
print("saved digit_generation.png")
