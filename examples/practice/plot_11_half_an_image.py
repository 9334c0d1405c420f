"""
What is in the half of an image that is hidden?
===============================================

A density of whole images knows what goes with what. Where the upper half of a digit is
seen, it has a conditional density of the lower half: its mean is one answer, blurred
where there are several, and every draw is another.
"""

# %%
# A mixture of whole images
# -------------------------
#
# Images of 8 × 8 pixels are rows of 64 features. Fifteen Gaussians are fitted to whole
# digits, of which 200 are held out. ``reg_covar`` gives every pixel a standard
# deviation of at least 0.7 grey levels out of 16, which is good for digits that the fit
# has not seen.

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdensity import EMGaussianMixture, GaussianMLE

# More than a little, and meant.
warnings.filterwarnings("ignore", message=".*reg_covar=0.5")

train, held_out = train_test_split(load_digits().data, test_size=200, random_state=0)
mixture = EMGaussianMixture(15, reg_covar=0.5, random_state=0).fit(train)

# %%
# Half of it is hidden
# --------------------
#
# What is hidden is NaN, and ``impute`` fills it in: with the conditional mean, which
# has the least squared error. One Gaussian knows relations of pixels that hold for all
# digits alike, and is not much better than the mean digit. The mixture finds out first
# which components go with what is seen.

seen = held_out.copy()
seen[:, 32:] = np.nan
filled = {
    "mean digit": np.where(np.isnan(seen), train.mean(axis=0), seen),
    "one Gaussian": GaussianMLE(reg_covar=0.5).fit(train).impute(seen),
    "fifteen Gaussians": mixture.impute(seen),
}
print("root mean squared error of the hidden pixels, in grey levels")
for name, images in filled.items():
    print(f"{name:18s}{np.sqrt(np.mean((images - held_out)[:, 32:] ** 2)):.2f}")

# %%
# Several answers
# ---------------
#
# The 5 at the top is clear from its upper half: all draws are alike, and the mean is
# one of them. The 7 below it could become a 2, and the 6 a 1; to the last two heads go
# bodies of several digits. There the mean is a blur of all of them, and none of them; a
# draw is sharp, and one of many.

# sphinx_gallery_start_ignore
# alt: Five rows of digits: the digit, its upper half, the conditional mean, and five
# draws. In the first row all look like the same 5. In the others the lower half of the
# mean is grey, and the draws are different digits, such as 2 and 7, or 1 and 6.
# sphinx_gallery_end_ignore
import matplotlib.pyplot as plt

draws = [mixture.impute(seen, sample=True, random_state=i) for i in range(5)]
columns = [held_out, seen, filled["fifteen Gaussians"], *draws]
titles = ["digit", "seen", "mean", *["draw"] * 5]
shown = [98, 5, 164, 122, 22]

fig, axes = plt.subplots(
    len(shown), len(columns), figsize=(7.5, 5), layout="constrained"
)
for row, i in zip(axes, shown, strict=True):
    for ax, images in zip(row, columns, strict=True):
        ax.imshow(images[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[], facecolor="#F3DDCF")
for ax, title in zip(axes[0], titles, strict=True):
    ax.set_title(title, fontsize="medium")
plt.show()
