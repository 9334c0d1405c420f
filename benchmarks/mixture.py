"""The mixtures beside scikit-learn, pomegranate and PyTorch.

Usage: python benchmarks/mixture.py [--repeats 5] [--only em,scores] [--write]

Prints a table per section; ``--write`` also puts them where the documentation includes
them. scikit-learn and PyTorch use all cores on their own, skdensity with
``n_jobs=-1``. pomegranate and PyTorch are measured where installed.
"""

import argparse
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

from _equal_work import adam, em, scores
from _memory import memory
from _report import Report, environment
from _whole_fits import overlap, small, starts

OUTPUT = Path(__file__).resolve().parents[1] / "doc" / "benchmarks" / "mixture.md"
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "torch", "pomegranate")
SECTIONS = {
    section.__name__: section
    for section in (em, scores, small, overlap, starts, adam, memory)
}
HEADER = """\
# Mixtures

Written by `python benchmarks/mixture.py --repeats {repeats}` with

{environment}

skdensity runs with `n_jobs=-1` unless a row says otherwise. Times are medians, turns of
each comparison: {repeats}. A ratio is the peer's median over skdensity's, so that above
1 skdensity needs less; in brackets, the smallest and the largest ratio of a turn."""


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="turns per comparison")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by comma")
    parser.add_argument("--write", action="store_true", help=f"write {OUTPUT.name}")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if not set(options.only) <= set(SECTIONS):
        parser.error(f"--only takes {', '.join(SECTIONS)}")
    if options.write and set(options.only) != set(SECTIONS):
        parser.error("--write takes all sections: a file is one run")
    return options


def main(options):
    """Print the tables, and write them if asked."""
    # Some fits are cut short on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report()
    context = environment(*PACKAGES)
    report.text(HEADER.format(repeats=options.repeats, environment=context))
    for name in options.only:
        SECTIONS[name](report, options.repeats)
    if options.write:
        report.write(OUTPUT)


if __name__ == "__main__":
    main(arguments())
