"""Speed of scores: many rows, and a small table whatever chooses the bandwidth."""

from functools import partial

from sklearn.neighbors import KernelDensity

from _kernel_peers import evaluators
from _kernel_problems import draw
from _kernel_reference import checked_error, exact_log_density, hardest, largest_error
from _report import ratio, seconds, size, take_turns, timed
from skdensity import LOOKernelDensity

KERNELS = partial(LOOKernelDensity, n_jobs=-1)
SIZES = [(100_000, 1), (100_000, 2), (100_000, 3), (20_000, 10)]
N_TIMED = 1_000  # queries that a slow peer is timed on
SMALL = 200
BUDGET = 1.5  # seconds for the turns of a contender


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


def near_optimum(X):
    """The bandwidth that is chosen for the rows, from some of them where that is slow.

    The optimum of n rows in d features falls like the (d + 4)-th root of n.
    """
    part = X if X.shape[1] <= 2 else X[:: max(1, len(X) // 10_000)]
    shrinkage = (len(part) / len(X)) ** (1 / (X.shape[1] + 4))
    return KERNELS().fit(part).bandwidth_ * shrinkage


def log_density(X, bandwidth):
    """Our `score_samples` at a bandwidth."""
    return KERNELS(bandwidth).fit(X).score_samples


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
    worst = checked_error(ours[picked], exact, rtol=1e-6)
    picked = hardest(ours[:N_TIMED])
    exact = exact_log_density(X, queries[picked], bandwidth)
    errors = [largest_error(result[picked], exact) for result in results]
    return [max(worst, errors[0]), *errors[1:]]


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
    for rule in ("loo", "robust_loo", "lscv", "isj", "scott", "silverman"):
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
    times = seconds(ours.median), seconds(theirs.median), ratio(theirs, ours)
    report.row(X.shape[1], f"`{rule}`", shape, *times, n_tried, added)


def fit_and_score(density, X):
    """What a first look at a table calls."""
    density.fit(X).score_samples(X)
    return density


def several(function, n_calls=10):
    """Mean seconds of some calls, after one that finds everything loaded."""
    function()
    value, result = timed(lambda: [function() for _ in range(n_calls)][-1])
    return value / n_calls, result
