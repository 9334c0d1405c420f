"""The kernel density beside scikit-learn, SciPy, KDEpy and statsmodels.

Usage: python benchmarks/kernel.py [--repeats 5] [--only scores,small] [--write]

Prints a table per section; ``--write`` also puts them where the documentation includes
them, with a picture. skdensity runs with ``n_jobs=-1``. KDEpy and statsmodels are
measured where installed.
"""

import warnings

from _command import run
from _kernel_accuracy import accuracy
from _kernel_growth import growth
from _kernel_memory import memory
from _kernel_selection import bandwidths, many_features, selection
from _kernel_speed import scores, small

PACKAGES = (
    *("skdensity", "finufft", "numpy", "scipy", "scikit-learn"),
    *("KDEpy", "statsmodels"),
)
SECTIONS = [
    growth,
    scores,
    selection,
    small,
    accuracy,
    many_features,
    bandwidths,
    memory,
]
HEADER = """\
# Kernel density

Written by `python benchmarks/kernel.py --repeats {repeats}` with

{environment}

skdensity runs with `n_jobs=-1`; its peers work on one core. Times are medians, turns of
each comparison: up to {repeats}, fewer for contenders that would take long. A ratio is
the peer's median over skdensity's, so that above 1 skdensity needs less; in brackets,
the smallest and the largest ratio of a turn."""

if __name__ == "__main__":
    # statsmodels takes logarithms of zero, and everybody warns of something to come.
    warnings.simplefilter("ignore", RuntimeWarning)
    warnings.simplefilter("ignore", FutureWarning)
    run("kernel", __doc__, SECTIONS, HEADER, PACKAGES)
