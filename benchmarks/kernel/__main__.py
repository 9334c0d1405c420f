"""The kernel density beside scikit-learn, SciPy, KDEpy and statsmodels.

Usage: python -m benchmarks.kernel [--repeats 5] [--only scores,small] [--write]

Prints a table per section; ``--write`` also puts them where the documentation includes
them, with a picture. skdensity runs with ``n_jobs=-1``. KDEpy and statsmodels are
measured where installed.
"""

import warnings

from benchmarks.common.command import RATIO, run
from benchmarks.kernel.accuracy import accuracy
from benchmarks.kernel.growth import growth
from benchmarks.kernel.memory import memory
from benchmarks.kernel.selection import bandwidths, many_features, selection
from benchmarks.kernel.speed import again, near, scores, small

PACKAGES = (
    *("skdensity", "finufft", "numpy", "scipy", "scikit-learn"),
    *("KDEpy", "statsmodels"),
)
SECTIONS = [
    growth,
    scores,
    near,
    again,
    selection,
    small,
    accuracy,
    many_features,
    bandwidths,
    memory,
]
NOTE = """\
skdensity runs with `n_jobs=-1`; its peers work on one core. Times are medians, turns of
each comparison: up to {repeats}, fewer for contenders that would take long."""

if __name__ == "__main__":
    # statsmodels takes logarithms of zero, and everybody warns of something to come.
    warnings.simplefilter("ignore", RuntimeWarning)
    warnings.simplefilter("ignore", FutureWarning)
    run(
        "kernel", __doc__, SECTIONS, PACKAGES, title="Kernel density", note=NOTE + RATIO
    )
