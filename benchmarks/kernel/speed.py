"""Speed of scores: of many rows, of few again and again, and of a small table."""

from functools import partial
from statistics import median

import numpy as np
from sklearn.neighbors import KernelDensity

from benchmarks.common.checks import checked, largest_error
from benchmarks.common.report import ratio, seconds, size, times
from benchmarks.common.turns import take_turns, timed
from benchmarks.kernel.ours import KERNELS, log_density, near_optimum
from benchmarks.kernel.peers import evaluators
from benchmarks.kernel.problems import draw, draw_clusters
from benchmarks.kernel.reference import exact_log_density, hardest
from benchmarks.kernel.rules import OURS

SIZES = [(100_000, 1), (100_000, 2), (100_000, 3), (20_000, 10)]
RTOL = 1e-6  # the default of `LOOKernelDensity`
N_TIMED = 1_000  # queries that a slow peer is timed on
SMALL = 200
BUDGET = 1.5  # seconds for the turns of a contender
NEAR_BUDGET = 5.0  # the same where the contenders are both ours


def scores(report, repeats):
    """Log-densities at as many fresh rows as there are kernels."""
    report.table(
        "Scores",
        "As many fresh queries as rows. h is what `LOOKernelDensity` chooses for the "
        "rows; in more than two features for 10,000 of them, scaled to all. All but "
        f"skdensity and the grid are timed on {N_TIMED:,} queries and scaled to all. "
        "Error is the largest absolute error of the log-density at 200 of those: the "
        "half with the smallest densities and others at random. skdensity's is taken "
        "at 200 of all queries too, and must be below its `rtol`, 1e-6. SciPy's "
        "kernels have the shape of the data, which in several features is another "
        "density.",
        "rows × features, h, library, time, ratio, error",
    )
    for n_samples, n_features in SIZES:
        compare_scores(report, n_samples, n_features, repeats)


def compare_scores(report, n_samples, n_features, repeats):
    """A row for each library."""
    X, queries = (draw(n_samples, n_features, seed) for seed in (0, 1))
    h = near_optimum(X)
    runs = {"skdensity": partial(timed, partial(log_density(X, h), queries))}
    for name, peer in evaluators(n_features).items():
        n_timed = len(queries) if "FFT" in name else N_TIMED
        runs[name] = partial(scaled, peer(X, h), queries, n_timed)
    turns = take_turns(repeats, *runs.values(), budget=BUDGET)
    errors = score_errors([t.result for t in turns], X, queries, h)
    for name, t, error in zip(runs, turns, errors, strict=True):
        shown = "–" if name == "SciPy" and n_features > 1 else f"{error:.0e}"
        compared = "–" if name == "skdensity" else ratio(t, turns[0])
        report.row(size(X), f"{h:.3f}", name, seconds(t.median), compared, shown)


def scaled(evaluate, queries, n_timed):
    """Seconds for all queries, measured on some, and the results there."""
    some = queries[:n_timed]
    value, result = timed(partial(evaluate, some))
    return value * len(queries) / len(some), result


def score_errors(results, X, queries, bandwidth):
    """Largest error of each contender; ours is checked, at the hardest queries too."""
    ours = results[0]
    picked = hardest(ours)
    exact = exact_log_density(X, queries[picked], bandwidth)
    worst = checked(largest_error(ours[picked], exact), RTOL)
    picked = hardest(ours[:N_TIMED])
    exact = exact_log_density(X, queries[picked], bandwidth)
    errors = [largest_error(result[picked], exact) for result in results]
    return [max(worst, errors[0]), *errors[1:]]


def near(report, repeats):
    """Scores and fits of clusters, with and without pairs that cannot matter."""
    report.table(
        "Clusters in many features",
        'Scores of fresh queries, as many as rows, and fits under `algorithm="auto"`, '
        'which leaves out blocks of pairs that cannot matter, and `"exact"`, which '
        "adds up all. h is that of leave-one-out on the rows. Δ is the largest "
        "difference of the log-densities, or that of the scores of the chosen "
        "bandwidths, which must be below skdensity's `rtol`, 1e-6.",
        'call, clusters, rows × features, h, `"auto"`, `"exact"`, ratio, Δ',
    )
    for n_clusters, h in ((30, 0.55), (1, 0.41)):
        X, queries = (draw_clusters(50_000, 6, n_clusters, seed) for seed in (0, 1))
        calls = {
            "`score_samples`": partial(scores_under, X, h, queries),
            "`fit`": partial(fit_under, X),
        }
        for name, call in calls.items():
            runs = [partial(timed, call(how)) for how in ("auto", "exact")]
            ours, theirs = take_turns(repeats, *runs, budget=NEAR_BUDGET)
            gap = checked(largest_error(ours.result, theirs.result), RTOL)
            row = name, n_clusters, size(X), h
            report.row(*row, *times(ours, theirs), f"{gap:.0e}")


def scores_under(X, bandwidth, queries, algorithm):
    """A call that scores queries under a fitted density."""
    density = KERNELS(bandwidth, algorithm=algorithm).fit(X)
    return partial(density.score_samples, queries)


def fit_under(X, algorithm):
    """A call that chooses a bandwidth, and gives the score of what it chose."""
    density = KERNELS(algorithm=algorithm)
    return lambda: density.fit(X).loo_scores_.max()


def again(report, repeats):
    """A fitted density that is asked for a few log-densities, again and again."""
    n_queries, n_calls, h = 10, 10, 0.13
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200_000, 2))
    batches = rng.standard_normal((n_calls, n_queries, 2))
    report.table(
        "A few queries, again and again",
        f"`score_samples` of {n_queries} fresh queries: the median of {n_calls} calls "
        "of one fitted density. Rows and queries are draws of N(0, I), and h is near "
        "Scott's. scikit-learn may be off by 1e-9, relative to the density. Δ is the "
        "largest absolute difference of the log-densities, which must be below "
        "skdensity's `rtol`, 1e-6.",
        "rows × features, queries, h, skdensity, scikit-learn, ratio, Δ",
    )
    peer = KernelDensity(bandwidth=h, rtol=1e-9).fit(X).score_samples
    runs = [partial(one_by_one, score, batches) for score in (log_density(X, h), peer)]
    ours, theirs = take_turns(repeats, *runs)
    gap = checked(largest_error(ours.result, theirs.result), RTOL)
    report.row(size(X), n_queries, h, *times(ours, theirs), f"{gap:.0e}")


def one_by_one(score, batches):
    """Median seconds of a call, and the log-densities of all calls."""
    runs = [timed(partial(score, batch)) for batch in batches]
    return median(time for time, _ in runs), [found for _, found in runs]


def small(report, repeats):
    """A fit and the scores of the same rows, for every rule."""
    report.table(
        "A small table",
        f"`fit` and `score_samples` of {SMALL} rows, whose cost is that of the calls. "
        "The peer is scikit-learn's `KernelDensity` with a bandwidth given. Tried is "
        "the length of `bandwidths_`, or 1 for a bandwidth given or computed; the last "
        "column is how much longer skdensity takes, divided by it.",
        "features, `bandwidth`, `covariance_type`, skdensity, scikit-learn, ratio, "
        "tried, longer by each",
    )
    for n_features in (1, 2, 10):
        X = draw(SMALL, n_features)
        for rule, shape in small_settings(n_features):
            compare_small(report, X, rule, shape, repeats)


def small_settings(n_features):
    """Every kind of `bandwidth`, and every shape for "loo"."""
    for rule in OURS:
        yield rule, "spherical"
    yield 0.5, "spherical"
    if n_features == 2:
        yield "loo", "diag"
        yield "loo", "full"
        yield [0.5, 0.6], "diag"
        yield [[0.5, 0.1], [0.1, 0.5]], "full"


def compare_small(report, X, rule, shape, repeats):
    """A row of the table."""
    density = KERNELS(rule, covariance_type=shape)
    peer = KernelDensity(bandwidth=0.5)
    runs = [partial(several, partial(fit_and_score, d, X)) for d in (density, peer)]
    ours, theirs = take_turns(repeats, *runs)
    n_tried = len(getattr(ours.result, "bandwidths_", [None]))
    longer = (ours.median - theirs.median) / n_tried
    added = seconds(longer) if longer > 0 else "–"
    cells = *times(ours, theirs), n_tried, added
    report.row(X.shape[1], f"`{rule}`", shape, *cells)


def fit_and_score(density, X):
    """What a first look at a table calls."""
    density.fit(X).score_samples(X)
    return density


def several(function, n_calls=10):
    """Mean seconds of some calls, after one that finds everything loaded."""
    function()
    value, result = timed(lambda: [function() for _ in range(n_calls)][-1])
    return value / n_calls, result
