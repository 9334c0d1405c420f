"""
Can a pipeline draw the digit that I ask for?
=============================================

A density is the last step of a pipeline like any other estimator. Ten pipelines, one
for each digit, learn what a 0, a 1, ... looks like; each can draw its own digit, and
the one that finds an image most likely tells what the image shows.
"""

# %%
# A pipeline that generates
# -------------------------
#
# Whitened principal components, then a mixture. A pipeline has ``score_samples`` but no
# ``sample``: its last step draws in the space of principal components, and the steps
# before it, run backwards, lead to pixels. The noise that the projection left out is
# not drawn, so strokes come out smooth.

# sphinx_gallery_start_ignore
# alt: Ten rows of ten drawn digits, one row for each digit from 0 to 9; most are
# easy to read, and no two look the same.
# sphinx_gallery_end_ignore
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdensity import EMGaussianMixture

# 20 features from 130 images of a digit: components are thickened, more than a little.
warnings.filterwarnings("ignore", message=".*reg_covar")

images, labels = load_digits(return_X_y=True)
train, test, train_labels, test_labels = train_test_split(
    images, labels, test_size=0.25, random_state=0
)


def density_of(digit):
    pipeline = make_pipeline(
        PCA(20, whiten=True, random_state=0),
        EMGaussianMixture(3, reg_covar=0.1, random_state=0),
    )
    return pipeline.fit(train[train_labels == digit])


pipelines = [density_of(digit) for digit in range(10)]

fig, axes = plt.subplots(10, 10, figsize=(5, 5), layout="constrained")
for row, pipeline in zip(axes, pipelines, strict=True):
    drawn, _ = pipeline[-1].sample(10, random_state=0)
    for ax, image in zip(row, pipeline[:-1].inverse_transform(drawn), strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set_axis_off()
plt.show()

# %%
# A pipeline that recognises
# --------------------------
#
# To compare ten densities, they must live in one space: the projection is now fitted to
# all digits. By Bayes' rule the digit that is most likely, given the image, is the one
# under which the image is most likely, as all ten are about as frequent.

# sphinx_gallery_start_ignore
# alt: The eight test images that were read wrongly, or with the least margin, each with
# its label and what was read; most are hard to read for people too.
# sphinx_gallery_end_ignore
projection = PCA(20, whiten=True, random_state=0).fit(train)
mixture = EMGaussianMixture(3, reg_covar=0.05, random_state=0)
Z_train, Z_test = projection.transform(train), projection.transform(test)
scores = np.column_stack(
    [
        mixture.fit(Z_train[train_labels == digit]).score_samples(Z_test)
        for digit in range(10)
    ]
)
recognised = scores.argmax(axis=1)
print(f"{np.mean(recognised == test_labels):.1%} of {len(test)} test images recognised")

# By how many nats the true digit is ahead of the others, or behind.
true = np.take_along_axis(scores, test_labels[:, None], axis=1)[:, 0]
others = np.where(np.arange(10) == test_labels[:, None], -np.inf, scores).max(axis=1)
doubtful = np.argsort(true - others)[:8]

fig, axes = plt.subplots(2, 4, figsize=(6.5, 3.8), layout="constrained")
for ax, i in zip(axes.flat, doubtful, strict=True):
    ax.imshow(test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{test_labels[i]} read as {recognised[i]}", fontsize=10)
    ax.set_axis_off()
plt.show()
