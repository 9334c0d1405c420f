"""Mixtures of real tables with holes, beside imputers that a mixture follows.

Usage: python -m benchmarks.mixture.imputation [--repeats 5] [--only times] [--write]
       python -m benchmarks.mixture.imputation --tables iris,wine --repeats 3

A turn is a mask and a fold. Tables whose package is not installed are left out.
"""

import warnings
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from benchmarks.common.command import run
from benchmarks.common.report import factor, ratio, seconds, size
from benchmarks.common.tables import asked_for
from benchmarks.common.turns import Turns, take_turns, timed
from benchmarks.mixture.contest import fold, joined
from benchmarks.mixture.tables import TABLES, Table
from skdensity import EMGaussianMixture

SHARES = 0.05, 0.2, 0.4
IMPUTERS = SimpleImputer, KNNImputer, IterativeImputer
CLOSE = 0.02  # nats per row
BUDGET = 20  # seconds of a table and a share: what is slow takes fewer masks
# Tables of which a turn needs minutes, and who needs them.
TOO_LONG = {
    "china": "KNNImputer",
    "flower": "KNNImputer",
    "mnist_diag": "IterativeImputer",
    "mnist_spherical": "IterativeImputer",
    "digits_components": "skdensity",
    "china_patches": "skdensity",
}
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "mlxtend", "statsmodels")
NOTE = """\
A turn is a mask, which removes a share of the values at random, whatever they are, and
a fold of complete rows that is left out: {repeats} of each comparison, fewer where they
would take more than twenty seconds. skdensity fits what was observed, and fills in what
was not by `impute`. A peer fills it in first, at its defaults, and the same
`EMGaussianMixture` is fitted to its rows: K, the covariances, `reg_covar`, the start
and its seed are the same for all. Times are of both steps. All figures are medians over
the turns; what was done to the tables is said in `benchmarks/mixture/tables.py`. Of one
feature there is nothing to fill in from; tables are left out, too, of which a turn
needs minutes:
{too_long}."""


@dataclass(frozen=True)
class Contest:
    """Turns of skdensity and of the imputers, at one share of missing values.

    Their results are, for every turn, the nats per row of fresh rows, those of what
    was observed, and the root of the mean squared error of standardised entries.
    """

    table: Table
    shape: tuple[int, int]
    share: float
    ours: Turns
    imputers: tuple[Turns, ...]

    @property
    def cells(self) -> tuple:
        """What was fitted."""
        n_components = self.table.n_components
        return size(self.shape), n_components, f"{self.share:.0%}"

    @property
    def fresh_gains(self) -> list[float]:
        """By how much skdensity makes fresh rows more likely than each peer does."""
        return self._gains(0)

    @property
    def seen_gains(self) -> list[float]:
        """The same for what was observed, which the fits of skdensity maximise."""
        return self._gains(1)

    def _gains(self, which):
        ours = self.ours.result[:, which]
        return [float(np.median(ours - t.result[:, which])) for t in self.imputers]

    @property
    def errors(self) -> list[float]:
        """Errors of skdensity and of each peer."""
        return [float(np.median(t.result[:, 2])) for t in (self.ours, *self.imputers)]

    @property
    def relative_error(self) -> float:
        """That of skdensity, over the least of the others."""
        ours, *theirs = self.errors
        return ours / min(theirs)


class Sections:
    """The sections that go through the tables, and the contests that they share."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = {
            name: table
            for name, table in tables.items()
            if name not in TOO_LONG and table.load().shape[1] > 1
        }
        self.contest = cache(self._contest)

    def _contest(self, name, share, repeats):
        return compare(self.tables[name], share, repeats)

    def _contests(self, repeats):
        for name in self.tables:
            for share in SHARES:
                yield name, self.contest(name, share, repeats)

    def likelihood(self, report, repeats):
        """Likelihood of rows that no fit has seen, and of what all have seen."""
        report.table(
            "Held-out likelihood",
            "Nats per row of complete rows that were left out, and by how much they "
            "are more likely than after each imputer. The last column says the same of "
            "the values that were observed, beside the best of the three: this is what "
            "skdensity maximises, exactly, but for `reg_covar`. Where it gains there "
            "and loses on fresh rows, the model has more parameters than the values "
            "can tell, and the values that an imputer makes up hold it back. Where it "
            "loses on both, `reg_covar` is wide beside what features tell of each "
            "other, and counts for more the less was observed: rows filled in by a "
            "regression vary too little, which makes up for it.",
            "table, rows × features, K, missing, skdensity, over SimpleImputer, "
            "over KNNImputer, over IterativeImputer, on what was observed",
        )
        for name, contest in self._contests(repeats):
            report.row(
                name,
                *contest.cells,
                f"{np.median(contest.ours.result[:, 0]):.4f}",
                *(f"{gain:+.4f}" for gain in contest.fresh_gains),
                f"{min(contest.seen_gains):+.4f}",
            )

    def errors(self, report, repeats):
        """How far off is what was filled in."""
        report.table(
            "Imputation error",
            "Root of the mean squared error of what was removed, in standard "
            "deviations of its feature; the ratio is skdensity's over the least of the "
            "others, so that below 1 skdensity is nearer.",
            "table, rows × features, K, missing, skdensity, SimpleImputer, "
            "KNNImputer, IterativeImputer, ratio",
        )
        for name, contest in self._contests(repeats):
            errors = (f"{error:.3f}" for error in contest.errors)
            report.row(name, *contest.cells, *errors, f"{contest.relative_error:.2f}")

    def times(self, report, repeats):
        """What both steps take."""
        report.table(
            "Time",
            "Of a mixture and of rows without holes.",
            "table, rows × features, K, missing, skdensity, SimpleImputer, KNNImputer, "
            "IterativeImputer, ratio of the last",
        )
        for name, contest in self._contests(repeats):
            turns = (contest.ours, *contest.imputers)
            times = (seconds(t.median) for t in turns)
            last = ratio(contest.imputers[-1], contest.ours)
            report.row(name, *contest.cells, *times, last)

    def in_sum(self, report, repeats):
        """All tables, for every share."""
        report.table(
            "In sum over the tables",
            "In how many tables fresh rows are as likely as after the best of the "
            f"three imputers, or more, and in how many at least to {CLOSE} nats; in "
            "how many the values that were observed are; and the median over the "
            "tables of the ratio of errors.",
            f"missing, tables, as likely, to {CLOSE} nats, observed as likely, "
            "ratio of errors, skdensity, IterativeImputer, ratio",
        )
        for share in SHARES:
            contests = [self.contest(name, share, repeats) for name in self.tables]
            report.row(f"{share:.0%}", len(contests), *summary_cells(contests))


def summary_cells(contests):
    """Counts, a median and sums over some contests."""
    fresh = np.array([min(contest.fresh_gains) for contest in contests])
    seen = np.array([min(contest.seen_gains) for contest in contests])
    ours = sum(contest.ours.median for contest in contests)
    theirs = sum(contest.imputers[-1].median for contest in contests)
    return (
        np.count_nonzero(fresh >= 0),
        np.count_nonzero(fresh >= -CLOSE),
        np.count_nonzero(seen >= 0),
        f"{np.median([contest.relative_error for contest in contests]):.2f}",
        seconds(ours),
        seconds(theirs),
        f"{factor(theirs / ours)}×",
    )


def compare(table: Table, share: float, repeats: int) -> Contest:
    """Let skdensity and the imputers take turns, one for every mask."""
    X, turns = table.load(), []
    for seed in range(repeats):
        rows = masked(X, share, seed)
        mixture = EMGaussianMixture(
            **table.settings, reg_covar=table.reg_covar, random_state=seed
        )
        calls = [partial(observed, mixture, rows)]
        calls += [partial(imputed, mixture, rows, Imputer) for Imputer in IMPUTERS]
        turns.append(take_turns(1, *calls))
        if sum(turn.median for some in turns for turn in some) > BUDGET:
            break
    ours, *imputers = map(joined, zip(*turns, strict=True))
    return Contest(table, X.shape, share, ours, tuple(imputers))


@dataclass(frozen=True)
class Masked:
    """Rows less some of their values, and complete ones that are left out."""

    whole: np.ndarray
    is_missing: np.ndarray
    fresh: np.ndarray
    deviations: np.ndarray

    @property
    def holed(self) -> np.ndarray:
        """The rows with NaN where values were removed."""
        return np.where(self.is_missing, np.nan, self.whole)

    def result(self, mixture, filled) -> tuple[float, float, float]:
        """What came out, as :class:`Contest` keeps it."""
        off = ((filled - self.whole) / self.deviations)[self.is_missing]
        error = float(np.sqrt(np.mean(off**2)))
        return mixture.score(self.fresh), mixture.score(self.holed), error


def masked(X: np.ndarray, share: float, seed: int) -> Masked:
    """Rows of all folds but one, less a share of their values."""
    seen, fresh = fold(X, seed)
    is_missing = np.random.RandomState(seed).uniform(size=seen.shape) < share
    return Masked(seen, is_missing, fresh, X.std(axis=0))


def observed(mixture, rows):
    """Seconds and result of a fit to what was observed."""

    def fill():
        return mixture.fit(rows.holed).impute(rows.holed)

    taken, filled = timed(fill)
    return taken, rows.result(mixture, filled)


def imputed(mixture, rows, Imputer):
    """The same of an imputer, which a mixture follows."""

    def fill():
        filled = Imputer().fit_transform(rows.holed)
        mixture.fit(filled)
        return filled

    taken, filled = timed(fill)
    return taken, rows.result(mixture, filled)


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    by_table = Sections(tables)
    warnings.simplefilter("ignore")  # what a default fit warns of is not the point here
    run(
        "mixture.imputation",
        __doc__,
        [by_table.likelihood, by_table.errors, by_table.times, by_table.in_sum],
        PACKAGES,
        title="Missing values of real tables",
        note=NOTE.replace("{too_long}", too_long_in_words()),
        repeats=5,
        parents=[parser],
    )


def too_long_in_words() -> str:
    """Which tables are left out, and for whom."""
    return ", ".join(f"`{name}` ({peer})" for name, peer in TOO_LONG.items())


if __name__ == "__main__":
    main()
