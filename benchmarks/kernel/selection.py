"""The choice of a bandwidth: its price, its value, and what ties and tails do to it."""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KernelDensity

from benchmarks.common.environment import installed
from benchmarks.common.report import ratio, seconds, size
from benchmarks.common.turns import take_turns, timed
from benchmarks.kernel.ours import KERNELS
from benchmarks.kernel.peers import cv_ml, grid_search, kdepy_isj, timed_grid_search
from benchmarks.kernel.problems import difficult_columns, digits, draw
from benchmarks.kernel.reference import exact_log_density

GRID_SEARCH = "`GridSearchCV`"
SEARCHES = {"statsmodels `cv_ml`": cv_ml, "KDEpy ISJ": kdepy_isj}
RULES = ("loo", "robust_loo", "lscv", "isj", "silverman")
BUDGET = 4.0  # seconds for the turns of a contender


@dataclass(frozen=True)
class Selection:
    """A fit of ours beside a search of a peer, which may be spared most rows."""

    n_samples: int
    n_features: int
    peer: str
    peer_rows: int
    rule: str = "loo"
    shape: str = "spherical"

    def ours(self):
        """Seconds of our fit, and its bandwidth."""
        X = draw(self.n_samples, self.n_features)
        density = KERNELS(self.rule, covariance_type=self.shape)
        value, fitted = timed(partial(density.fit, X))
        return value, fitted.bandwidth_

    def theirs(self):
        """Seconds of the peer's search, and its bandwidth."""
        if self.peer == GRID_SEARCH:
            return timed_grid_search(self.peer_rows, self.n_features)
        X = draw(self.peer_rows, self.n_features)
        return timed(partial(SEARCHES[self.peer], X))

    def gain(self, ours, theirs):
        """How much more likely fresh rows are under our rows and bandwidth."""
        fresh = draw(10_000, self.n_features, seed=1)
        scores = [
            KERNELS(plain(h)).fit(draw(n, self.n_features)).score(fresh)
            for n, h in ((self.n_samples, ours), (self.peer_rows, theirs))
        ]
        return scores[0] - scores[1]


def plain(bandwidth):
    """A number, unless there are several."""
    return np.asarray(bandwidth).item() if np.size(bandwidth) == 1 else bandwidth


def selections():
    """The rows of the table."""
    for n_features, sizes in {
        1: (10_000, 100_000, 1_000_000),
        2: (10_000, 100_000),
    }.items():
        for n_samples in sizes:
            yield Selection(n_samples, n_features, GRID_SEARCH, 10_000)
    yield Selection(100_000, 3, GRID_SEARCH, 2_000)
    yield Selection(50_000, 6, GRID_SEARCH, 2_000)
    if installed("statsmodels"):
        peer = "statsmodels `cv_ml`"
        yield Selection(2_000, 1, peer, 2_000)
        yield Selection(2_000, 2, peer, 2_000)
        yield Selection(2_000, 2, peer, 2_000, shape="diag")
        yield Selection(100_000, 3, peer, 500)
    if installed("KDEpy"):
        yield Selection(100_000, 1, "KDEpy ISJ", 100_000, rule="isj")


def selection(report, repeats):
    """Fits that choose their bandwidth, beside peers on fewer rows or as many."""
    report.table(
        "Choosing a bandwidth",
        "A fit of skdensity beside a peer's search. `GridSearchCV` tries 20 bandwidths "
        "of `KernelDensity` from 0.02 to 1 in 5 folds, on one core as by default, and "
        "is timed once, on no more than 10,000 rows. Gain is how much more likely "
        "10,000 fresh rows are under skdensity's rows and bandwidth than under the "
        "peer's, in nats per row.",
        "rows × features, `bandwidth`, skdensity, h, peer, its rows, its time, its h, "
        "ratio, gain",
    )
    turns = {s: compare_selection(report, s, repeats) for s in selections()}
    ours = {(s.n_samples, s.n_features): t for s, t in turns.items() if s.rule == "loo"}
    growth = ratio(ours[1_000_000, 1], ours[100_000, 1])
    report.text(f"\nTen times the rows, 1,000,000 × 1, take {growth} the time.")


def compare_selection(report, problem, repeats):
    """A row of the table; returns our turns."""
    ours, theirs = take_turns(repeats, problem.ours, problem.theirs, budget=BUDGET)
    h = [shown(t.result) for t in (ours, theirs)]
    report.row(
        size((problem.n_samples, problem.n_features)),
        f"`{problem.rule}`" + (f", {problem.shape}" if problem.n_features > 1 else ""),
        *(seconds(ours.median), h[0], problem.peer, f"{problem.peer_rows:,}"),
        *(seconds(theirs.median), h[1], ratio(theirs, ours)),
        f"{problem.gain(ours.result, theirs.result):+.0e}",
    )
    return ours


def shown(bandwidth):
    """One number or several."""
    return ", ".join(f"{h:.3g}" for h in np.atleast_1d(bandwidth))


def bandwidths(report, _repeats):
    """What every rule chooses where ties, rounding and tails make it hard."""
    report.table(
        "Chosen bandwidths",
        "500 draws each; ties, rounding and the outlier change those of the first row. "
        "scikit-learn chooses among 20 bandwidths from 0.01 to 3, in 5 shuffled folds; "
        "< and > mark the ends. skdensity warns of the ties that it finds.",
        ", ".join(["draws of", *(f"`{rule}`" for rule in RULES), *searches()]),
    )
    for name, column in difficult_columns().items():
        X = column[:, None]
        report.row(
            name, *map(shown, ours(X)), *(search(X) for search in searches().values())
        )


def ours(X):
    """The bandwidth by each of our rules; of ties we know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [KERNELS(rule).fit(X).bandwidth_ for rule in RULES]


def searches():
    """The peers that choose a bandwidth, as columns of a table."""
    columns = {"`GridSearchCV`": grid_choice}
    if installed("statsmodels"):
        columns["statsmodels `cv_ml`"] = lambda X: shown(quietly(cv_ml, X))
    if installed("KDEpy"):
        columns["KDEpy ISJ"] = lambda X: shown(kdepy_isj(X))
    return columns


def grid_choice(X):
    """What scikit-learn chooses, marked at the ends of its grid."""
    grid = np.geomspace(0.01, 3, 20)
    h = grid_search(X, grid)
    end = {grid[0]: "< ", grid[-1]: "> "}.get(h, "")
    return end + shown(h)


def quietly(function, X):
    """A call whose logarithms of zero are its own business."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(X)


def many_features(report, _repeats):
    """Cross-validation where scikit-learn's scores are wrong."""
    n_samples, folds = 900, KFold(3)
    X, _ = digits(n_samples)
    grid = np.logspace(-0.5, 1, 13)
    report.table(
        "Cross-validation with many features",
        f"`GridSearchCV` over the bandwidth of either density, 3 folds of {n_samples} "
        "images of digits, 64 features as they are. Mean log-density of the rows left "
        "out, in nats per row; exact is log-sum-exp in extended precision. What each "
        "column chooses is bold.",
        "h, exact, skdensity, scikit-learn",
    )
    columns = [
        exact_curve(X, grid, folds),
        curve(KERNELS(), X, grid, folds),
        curve(KernelDensity(), X, grid, folds) / (n_samples / 3),
    ]
    for i, h in enumerate(grid):
        cells = (bold(f"{c[i]:.2f}", i == np.argmax(c)) for c in columns)
        report.row(f"{h:.2f}", *cells)


def curve(density, X, grid, folds):
    """Mean score of the folds at every bandwidth."""
    search = GridSearchCV(density, {"bandwidth": grid}, cv=folds, refit=False)
    return search.fit(X).cv_results_["mean_test_score"]


def exact_curve(X, grid, folds):
    """The same by exact sums."""
    scores = [
        [exact_log_density(X[fit], X[left_out], h).mean() for h in grid]
        for fit, left_out in folds.split(X)
    ]
    return np.mean(scores, axis=0)


def bold(text, is_bold):
    """Text, perhaps in bold."""
    return f"**{text}**" if is_bold else text
