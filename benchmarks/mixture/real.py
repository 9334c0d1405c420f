"""Mixtures of real tables, both libraries at their defaults.

Usage: python -m benchmarks.mixture.real [--repeats 10] [--only likelihood] [--write]
       python -m benchmarks.mixture.real --tables iris,wine --repeats 3

A turn is a seed. Tables whose package is not installed are left out.
"""

import warnings
from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV

from benchmarks.common.command import RATIO, run
from benchmarks.common.report import factor, seconds, size, times
from benchmarks.common.tables import asked_for
from benchmarks.common.turns import take_turns, timed
from benchmarks.mixture.best_known import best_known
from benchmarks.mixture.contest import (
    MIXTURES,
    N_FOLDS,
    compare,
    failures,
    held_out_likelihood,
    in_words,
)
from benchmarks.mixture.problems import clusters
from benchmarks.mixture.tables import TABLES, Table

SHORT = 0.2  # seconds; below, the sum over the tables counts
CLOSE = 0.01  # nats per row
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "mlxtend", "statsmodels")
NOTE = """\
Both libraries run with every default, `n_jobs` included, but what a table states. A
turn is a seed: {repeats} of each comparison, fewer where they would take more than a
minute. Times, likelihoods and gaps are medians over the seeds. What was done to the
tables is said in `benchmarks/mixture/tables.py`."""


class Sections:
    """The sections that go through the tables."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables

    def likelihood(self, report, repeats):
        """Fits at the same stated `reg_covar`: time, likelihood, gap to the best."""
        report.table(
            "Defaults against defaults",
            "All is at its default but the number of components, the kind of "
            "covariance and `reg_covar`, which is the same for both, and so large "
            "that no component of the best fit rests on it. (Where pixels are blank, "
            "in `digits_diag` and `mnist`, every fit does.) Gain is how much more "
            "likely skdensity's fits are, in nats per row. A gap is how far fits stay "
            "below the best known optimum: the best of up to 60 starts, or a better "
            "one seen here.",
            "table, rows × features, K, covariances, `reg_covar`, skdensity, "
            "scikit-learn, ratio, nats, gain, gap, scikit-learn's gap",
        )
        contests = {}
        for name, table in self.tables.items():
            contests[name] = contest = compare(table, repeats)
            report.row(name, *contest.cells, *likelihood_cells(name, contest))
        summary(report, contests)

    def held_out(self, report, repeats):
        """Fits with all defaults: likelihood of rows that they have not seen."""
        report.table(
            "Held-out likelihood, all defaults",
            "Nats per row of the rows left out, in five folds, the same for both; "
            "`reg_covar` is at its default too. Every turn leaves out another fold and "
            "has another seed; likelihoods are means over the turns, times medians of "
            "a fit. Where a fit fails, there is no gain to tell.",
            "table, rows × features, K, covariances, folds, skdensity, scikit-learn, "
            "ratio, skdensity's nats, scikit-learn's nats, gain",
        )
        for name, table in self.tables.items():
            contest = compare(table, repeats, held_out_likelihood, **table.settings)
            report.row(name, *contest.cells, *held_out_cells(contest))


def likelihood_cells(name, contest):
    """Cells of a contest at a stated `reg_covar`."""
    ours, theirs = contest.nats
    best = max(best_known(name, contest.table), contest.best)
    return (
        f"{contest.table.reg_covar:g}",
        *times(contest.ours, contest.theirs),
        in_words(contest.ours),
        f"{ours - theirs:+.4f}",
        f"{best - ours:.4f}",
        f"{best - theirs:.4f}{failures(contest.theirs)}",
    )


def held_out_cells(contest):
    """Cells of a contest on folds."""
    ours, theirs = contest.ours, contest.theirs
    nats = in_words(ours, np.mean), in_words(theirs, np.mean)
    gain = "–" if np.isnan(contest.gain) else f"{contest.gain:+.4f}"
    n_folds = min(N_FOLDS, ours.result.size)
    return n_folds, *times(ours, theirs), *nats, gain


def summary(report, contests):
    """Both groups of tables in sum, and those on which skdensity does worst."""
    report.table(
        "In sum over the tables",
        f"Tables that scikit-learn fits in less than {seconds(SHORT)}, and the others. "
        "Times are sums of the medians.",
        "tables, number, skdensity, scikit-learn, ratio, lowest ratio, "
        f"less likely by more than {CLOSE} nats",
    )
    groups = {"short": [], "long": []}
    for name, contest in contests.items():
        is_short = contest.theirs.median < SHORT
        groups["short" if is_short else "long"].append((name, contest))
    for group, members in groups.items():
        if members:
            report.row(group, len(members), *summary_cells(members))


def summary_cells(members):
    """Sums and worst cases of some contests."""
    ours, theirs = (
        sum(getattr(contest, side).median for _, contest in members)
        for side in ("ours", "theirs")
    )
    ratios = {name: c.theirs.median / c.ours.median for name, c in members}
    slowest = min(ratios, key=ratios.__getitem__)
    lower = [name for name, c in members if not c.nats[0] >= c.nats[1] - CLOSE]
    lowest = f"{factor(ratios[slowest])}× ({slowest})"
    return (
        seconds(ours),
        seconds(theirs),
        f"{factor(theirs / ours)}×",
        lowest,
        ", ".join(lower) or "none",
    )


def grid_search(report, repeats):
    """A search for the number of components."""
    report.table(
        "A search for K",
        "`GridSearchCV` over K = 1, …, 10 in five folds, all else at its default: "
        "50 fits, and one more. The last columns are the K and the score that "
        "skdensity's last search chose.",
        "table, rows × features, skdensity, scikit-learn, ratio, K, nats",
    )
    rows = {name: TABLES[name].load() for name in ("iris", "wine")}
    for name, X in {**rows, "clusters": clusters(2_000, 5, 5)}.items():
        runs = [
            partial(searches, Mixture, X, iter(range(repeats))) for Mixture in MIXTURES
        ]
        ours, theirs = take_turns(repeats, *runs)
        chosen = ours.result.best_params_["n_components"]
        cells = times(ours, theirs)
        report.row(name, size(X), *cells, chosen, f"{ours.result.best_score_:.4f}")


def searches(Mixture, X, seeds):
    """Seconds of the search with the next seed, and the search."""
    grid = {"n_components": range(1, 11)}
    return timed(partial(GridSearchCV(Mixture(random_state=next(seeds)), grid).fit, X))


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    by_table = Sections(tables)
    warnings.simplefilter("ignore")  # what a default fit warns of is not the point here
    run(
        "mixture.real",
        __doc__,
        [by_table.likelihood, by_table.held_out, grid_search],
        PACKAGES,
        title="Mixtures of real tables",
        note=NOTE + RATIO,
        repeats=10,
        parents=[parser],
    )


if __name__ == "__main__":
    main()
