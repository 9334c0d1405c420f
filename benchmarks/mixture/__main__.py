"""The mixtures beside scikit-learn, pomegranate and PyTorch.

Usage: python -m benchmarks.mixture [--repeats 5] [--only em,scores] [--write]

Prints a table per section; ``--write`` also puts them where the documentation includes
them. scikit-learn and PyTorch use all cores on their own, skdensity with
``n_jobs=-1``. pomegranate and PyTorch are measured where installed.
"""

import warnings

from sklearn.exceptions import ConvergenceWarning

from benchmarks.common.command import RATIO, run
from benchmarks.mixture.conditions import conditions
from benchmarks.mixture.equal_work import adam, em, epochs, scores
from benchmarks.mixture.memory import memory
from benchmarks.mixture.missing import missing
from benchmarks.mixture.streams import streams
from benchmarks.mixture.whole_fits import overlap, small, starts

PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "torch", "pomegranate")
SECTIONS = [
    em,
    conditions,
    missing,
    streams,
    scores,
    small,
    overlap,
    starts,
    adam,
    epochs,
    memory,
]
NOTE = """\
skdensity runs with `n_jobs=-1` unless a row says otherwise. Times are medians, turns of
each comparison: {repeats}."""

if __name__ == "__main__":
    # Some fits are cut short on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)
    run("mixture", __doc__, SECTIONS, PACKAGES, title="Mixtures", note=NOTE + RATIO)
