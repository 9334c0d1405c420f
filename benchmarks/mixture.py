"""The mixtures beside scikit-learn, pomegranate and PyTorch.

Usage: python benchmarks/mixture.py [--repeats 5] [--only em,scores] [--write]

Prints a table per section; ``--write`` also puts them where the documentation includes
them. scikit-learn and PyTorch use all cores on their own, skdensity with
``n_jobs=-1``. pomegranate and PyTorch are measured where installed.
"""

import warnings

from sklearn.exceptions import ConvergenceWarning

from _command import run
from _equal_work import adam, em, scores
from _memory import memory
from _whole_fits import overlap, small, starts

PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "torch", "pomegranate")
SECTIONS = [em, scores, small, overlap, starts, adam, memory]
HEADER = """\
# Mixtures

Written by `python benchmarks/mixture.py --repeats {repeats}` with

{environment}

skdensity runs with `n_jobs=-1` unless a row says otherwise. Times are medians, turns of
each comparison: {repeats}. A ratio is the peer's median over skdensity's, so that above
1 skdensity needs less; in brackets, the smallest and the largest ratio of a turn."""

if __name__ == "__main__":
    # Some fits are cut short on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)
    run("mixture", __doc__, SECTIONS, HEADER, PACKAGES)
