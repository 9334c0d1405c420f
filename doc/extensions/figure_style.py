"""The look of the gallery's pictures, set anew for every example."""

import matplotlib.pyplot as plt
from cycler import cycler

from skdensity.displays.drawing import COLOURS


def colours_for_everyone(gallery_conf, script):
    """Draw lines in the displays' colours, which all kinds of vision tell apart."""
    plt.rcParams["axes.prop_cycle"] = cycler(color=COLOURS)
