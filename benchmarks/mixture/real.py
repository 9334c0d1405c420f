"""Real tables, both libraries at their defaults.

Usage: python -m benchmarks.mixture.real [iris wine ...] [--seeds 3]

compares a few tables while one works on something else than this page.
"""

import argparse
import warnings
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf, nan

import numpy as np
from sklearn.mixture import GaussianMixture

from benchmarks.common.report import Report, seconds, size, times
from benchmarks.common.turns import Turns, take_turns, timed
from benchmarks.mixture.tables import Table, available
from skdensity import EMGaussianMixture

MIXTURES = EMGaussianMixture, GaussianMixture
BUDGET = 120  # seconds of all fits of one table: slow ones take fewer seeds


@dataclass(frozen=True)
class Contest:
    """Fits of one table, one per seed and library: their seconds and likelihoods."""

    table: Table
    shape: tuple[int, int]
    ours: Turns
    theirs: Turns

    @cached_property
    def best(self) -> float:
        """The highest likelihood seen here."""
        return float(np.nanmax([self.ours.result, self.theirs.result]))


def timed_score(mixture, X):
    """Seconds of a fit and its nats per row, which are nan where it fails."""

    def fitted_score():
        try:
            return mixture.fit(X)
        except ValueError:
            return None

    taken, fitted = timed(fitted_score)
    return taken, nan if fitted is None else fitted.score(X)


def compare(table: Table, seeds: int = 10, budget: float = inf) -> Contest:
    """Fit a table with both libraries, in turns, at every default but `reg_covar`."""
    X = table.load()
    turns = []
    for seed in range(seeds):
        settings = {**table.settings, "reg_covar": table.reg_covar}
        fits = [
            partial(timed_score, Mixture(random_state=seed, **settings), X)
            for Mixture in MIXTURES
        ]
        turns.append(take_turns(1, *fits))
        if sum(t.median for pair in turns for t in pair) > budget:
            break
    return Contest(table, X.shape, *map(joined, zip(*turns, strict=True)))


def joined(turns) -> Turns:
    """One contender's measurements of all seeds, and all of its results."""
    return Turns([t.median for t in turns], np.array([t.result for t in turns]))


def main() -> None:
    """Print the contests of the tables asked for."""
    parser = argparse.ArgumentParser("python -m benchmarks.mixture.real")
    parser.add_argument("tables", nargs="*", help="all, if none is named")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    report = Report()
    report.row(
        "table",
        "rows × features",
        "K",
        "ours",
        "theirs",
        "ratio",
        "nats",
        "their nats",
        "best seen",
    )
    for name, table in available(options.tables).items():
        c = compare(table, options.seeds, BUDGET)
        report.row(
            name,
            size(c.shape),
            table.n_components,
            *times(c.ours, c.theirs),
            *(f"{np.nanmedian(t.result):.4f}" for t in (c.ours, c.theirs)),
            f"{c.best:.4f}",
        )


if __name__ == "__main__":
    main()
