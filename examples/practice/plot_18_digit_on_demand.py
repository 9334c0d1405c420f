"""
Can I ask for a digit?
======================

A classifier that knows the density of each class can be asked the other way around:
for a digit of the class that I name. And if I have drawn the upper half already, for
the lower half that makes it one.
"""

# %%
# A density for each digit
# ------------------------
#
# ``DensityClassifier`` fits a clone of its density to the images of each label: here
# three Gaussians for each digit. ``reg_covar`` gives every pixel a standard deviation
# of at least 0.7 grey levels out of 16, on which they rest, as there are few images of
# each. It classifies by asking which of the ten makes an image the most probable.

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdensity import DensityClassifier, EMGaussianMixture

# It is meant.
warnings.filterwarnings("ignore", message=".*reg_covar")

X, y = load_digits(return_X_y=True)
train, fresh, labels, fresh_labels = train_test_split(X, y, random_state=0)
classifier = DensityClassifier(EMGaussianMixture(3, reg_covar=0.5, random_state=0))
classifier.fit(train, labels)
print(f"{classifier.score(fresh, fresh_labels):.1%} of fresh digits are recognised")

# %%
# The digit that I ask for
# ------------------------
#
# ``sample`` draws images of all labels, or of the one that is named: four of each are
# at the top. Below them is an upper half, of a digit that no fit has seen, and of which
# the classifier is the least sure. With NaN for what is hidden, it says how probable
# each label is from the upper half alone, and the density of each label completes it:
# ``impute`` draws the lower half, given the upper one. A likely label gets a digit that
# could be somebody's; an unlikely one joins halves that do not match.

# sphinx_gallery_start_ignore
# alt: Rows of small images. In the first four, drawn digits, in each column those of
# one label from 0 to 9. In the fifth, ten times the upper half of the same digit. In
# the last, its completion by the density of each label, with its probability: two of
# them are likely, and look like digits; others join a foreign lower half to it.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

halves = fresh.copy()
halves[:, 32:] = np.nan
probable = classifier.predict_proba(halves)
least_sure = probable.max(axis=1).argmin()
half, shares = halves[least_sure], probable[least_sure]

fig, axes = plt.subplots(6, 10, figsize=(7.5, 5.2), layout="constrained")
for label in classifier.classes_:
    drawn, _ = classifier.sample(4, random_state=label, label=label)
    completed = classifier.densities_[label].impute([half], sample=True, random_state=0)
    images = [*drawn, half, completed[0]]
    for ax, image in zip(axes[:, label], images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[], facecolor="#F3DDCF")
    axes[0, label].set_title(label, fontsize="medium")
    axes[5, label].set_xlabel(f"{shares[label]:.0%}", fontsize="small")
axes[4, 0].set_ylabel("seen", fontsize="small")
axes[5, 0].set_ylabel("as …", fontsize="small")
plt.show()

# %%
# Not a digit at all
# ------------------
#
# Probabilities say which digit it is if it is one. Whether it is one, ``score_samples``
# says, the density of the image whatever its label: noise of the same grey levels is
# far less dense than any digit, and yet has a label that the classifier is sure of.

noise = np.random.RandomState(0).permutation(fresh[0])[None]
print(f"noise is a {classifier.predict(noise)[0]} with probability", end=" ")
print(f"{classifier.predict_proba(noise).max():.2f}")
print(f"its log-density is {classifier.score_samples(noise)[0]:.0f} nats,", end=" ")
print(f"of fresh digits at least {classifier.score_samples(fresh).min():.0f}")
