"""Time against the number of rows, as a table and a picture."""

from functools import partial

from benchmarks.common.environment import installed
from benchmarks.common.report import seconds
from benchmarks.common.turns import take_turns, timed
from benchmarks.kernel.ours import KERNELS, log_density, near_optimum
from benchmarks.kernel.peers import cv_ml, evaluators, kdepy_isj, timed_grid_search
from benchmarks.kernel.picture import picture
from benchmarks.kernel.problems import draw
from benchmarks.kernel.speed import N_TIMED, scaled

SIZES = [100, 316, 1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000]
DECADES = SIZES[::2]
BUDGET = 0.5  # seconds for the turns of a contender


def growth(report, repeats):
    """Time against the number of rows, in one feature."""
    report.table(
        "Time against the number of rows",
        "One feature. A fit finds its bandwidth: by leave-one-out likelihood "
        "(skdensity, statsmodels), by 5 folds for 20 bandwidths (scikit-learn), by a "
        "plug-in rule (KDEpy). Scores are log-densities at as many fresh queries as "
        f"rows; all but skdensity and the grid are timed on at most {N_TIMED:,} and "
        "scaled.",
        ", ".join(["task", "library", *(f"N = {n:.0e}" for n in DECADES)]),
    )
    panels = {
        "Fit N rows, choosing the bandwidth": measured(choices(), repeats),
        "Score N new rows": measured(scorers(), repeats),
    }
    for task, lines in panels.items():
        for name, line in lines.items():
            cells = [seconds(line[n]) if n in line else "–" for n in DECADES]
            report.row(task.split()[0].lower(), name, *cells)
    report.picture("kernel.svg", picture(panels))


def measured(contenders, repeats):
    """Seconds at each number of rows up to the last that a contender is given."""
    for _, contender in contenders.values():
        contender(1_000)()  # loads what the others find
    lines = {name: {} for name in contenders}
    for n_samples in SIZES:
        active = {k: run for k, (last, run) in contenders.items() if n_samples <= last}
        runs = [contender(n_samples) for contender in active.values()]
        turns = take_turns(repeats, *runs, budget=BUDGET)
        for name, t in zip(active, turns, strict=True):
            lines[name][n_samples] = t.median
    return lines


def choices():
    """The most rows for each library, and what makes a timed fit of some rows."""
    contenders = {
        'skdensity "loo"': (SIZES[-1], partial(timed_call, KERNELS().fit)),
        "scikit-learn GridSearchCV": (10_000, timed_search),
    }
    if installed("statsmodels"):
        contenders["statsmodels cv_ml"] = 3_162, partial(timed_call, cv_ml)
    if installed("KDEpy"):
        contenders["KDEpy ISJ"] = SIZES[-1], partial(timed_call, kdepy_isj)
    return contenders


def timed_search(n_samples):
    """A contender that runs scikit-learn's search, once."""
    return partial(timed_grid_search, n_samples, 1)


def timed_call(function, n_samples):
    """A contender that calls a function of the rows."""
    return partial(timed, partial(function, draw(n_samples, 1)))


def scorers():
    """The same for scores of as many queries as rows."""
    ours = partial(score_run, log_density, every_query=True)
    contenders = {"skdensity": (SIZES[-1], ours)}
    for name, peer in evaluators(1).items():
        is_grid = "FFT" in name
        plain = name.replace("`", "").replace(", interpolated", " (a grid)")
        run = partial(score_run, peer, every_query=is_grid)
        contenders[plain] = SIZES[-1] if is_grid else 100_000, run
    return contenders


def score_run(library, n_samples, every_query):
    """A contender that scores fresh queries."""
    X, queries = (draw(n_samples, 1, seed) for seed in (0, 1))
    evaluate = library(X, near_optimum(X))
    return partial(scaled, evaluate, queries, n_samples if every_query else N_TIMED)
