"""Whole fits, from start to convergence: what they cost and where they end.

They may end in different optima, so that likelihoods stand beside the times.
"""

from functools import partial
from inspect import signature
from statistics import mean

import numpy as np
from sklearn.mixture import GaussianMixture

from _problems import clusters, overlapping, start_at, uneven
from _report import checked_difference, ratio, seconds, size, take_turns, timed
from skdensity import EMGaussianMixture

EM = partial(EMGaussianMixture, n_jobs=-1)
PARAMETERS = signature(EMGaussianMixture).parameters
DEFAULT = f"`{PARAMETERS['init_params'].default}`"
START_PROBLEMS = [
    (200_000, 10, 10),
    (100_000, 4, 12),
    (100_000, 2, 15),
]


def timed_fit(mixture, X):
    """Seconds of a fit, and the fitted mixture."""
    return timed(partial(mixture.fit, X))


def small(report, repeats):
    """Whole fits of a small table."""
    report.table(
        "A small table",
        "2,000 × 2, K = 3; means over ten seeds. With k-means and scikit-learn's `tol` "
        "every seed must end within 1e-9 of its log-likelihood. Gain is how much more "
        "likely skdensity's fits are, in nats per row.",
        "start, skdensity, scikit-learn, ratio, gain",
    )
    X = clusters(2_000, 2, 3)
    same = partial(EM, 3, init_params="kmeans", tol=GaussianMixture().tol)
    for name, mixture in {
        "`kmeans`": same,
        f"default, {DEFAULT}": partial(EM, 3),
    }.items():
        contenders = mixture, partial(GaussianMixture, 3)
        runs = [partial(seeded_fits, contender, X) for contender in contenders]
        ours, theirs = take_turns(repeats, *runs)
        if mixture is same:
            checked_difference(ours.result, theirs.result)
        gain = mean(ours.result) - mean(theirs.result)
        times = seconds(ours.median), seconds(theirs.median)
        report.row(name, *times, ratio(theirs, ours), f"{gain:+.0e}")


def seeded_fits(mixture, X, n_seeds=10):
    """Mean seconds of a fit, and the log-likelihood per row of every seed."""
    runs = [timed_fit(mixture(random_state=seed), X) for seed in range(n_seeds)]
    return mean(time for time, _ in runs), [fitted.score(X) for _, fitted in runs]


def overlap(report, repeats):
    """Whole fits where EM is slow to converge."""
    report.table(
        "Overlapping components",
        "100,000 × 4, K = 8, each centre about 1.5 standard deviations from the "
        "nearest other. Ratios are of the first row's time; the last column is how far "
        "a fit stays below the most likely of them.",
        "fit, time, ratio, iterations, nats per row, below the best",
    )
    X = overlapping(100_000, 4, 8)
    mixtures = overlap_mixtures()
    turns = take_turns(repeats, *(partial(timed_fit, m, X) for m in mixtures.values()))
    values = [t.result.score(X) for t in turns]
    for name, t, value in zip(mixtures, turns, values, strict=True):
        cells = seconds(t.median), ratio(turns[0], t), t.result.n_iter_
        report.row(name, *cells, f"{value:.6f}", f"{max(values) - value:.1e}")


def overlap_mixtures():
    """The fits to compare, by name."""
    strict = {"tol": 1e-8, "max_iter": 500}
    theirs = partial(GaussianMixture, 8, random_state=0)
    ours = partial(EM, 8, random_state=0)
    same = 'skdensity, `tol=1e-8, max_iter=500, init_params="kmeans"`'
    mixtures = {
        "scikit-learn, `tol=1e-8, max_iter=500`": theirs(**strict),
        "scikit-learn, defaults": theirs(),
        same: ours(init_params="kmeans", **strict),
        "skdensity, defaults": ours(),
    }
    if "acceleration" in PARAMETERS:
        name = 'skdensity, `acceleration="anderson"`'
        mixtures[name] = ours(acceleration="anderson")
    return mixtures


def starts(report, repeats):
    """How far below the optimum near the truth the starts end, and at what price."""
    report.table(
        "Starts",
        "Six problems of each size, one per seed, whose components overlap, differ in "
        "weight and are long in some directions. A gap is how far a fit ends below the "
        "run from the true parameters to `tol=1e-7`, in nats per row: the median over "
        f"the seeds. Times are sums over the seeds; the default start is {DEFAULT}, "
        "and the ratio is its time over that of k-means.",
        "rows × features, K, gap: k-means, gap: default, "
        "time: k-means, time: default, ratio of times",
    )
    for problem in START_PROBLEMS:
        cells = compare_starts(problem, repeats)
        report.row(size(problem), problem[2], *cells)


def compare_starts(problem, repeats, n_seeds=6):
    """Median gaps of k-means and of the default, their times and the ratio."""
    runs = [gaps_and_times(problem, seed, repeats) for seed in range(n_seeds)]
    gaps, times = np.swapaxes(runs, 0, 1)
    total = times.sum(axis=0)
    return [
        *(f"{gap:.4f}" for gap in np.median(gaps, axis=0)),
        *(seconds(time) for time in total),
        f"{total[1] / total[0]:.1f}×",
    ]


def gaps_and_times(problem, seed, repeats):
    """Gaps and median seconds of a fit from k-means and of one from the default."""
    truth, X = uneven(*problem, seed)
    best = EM(tol=1e-7, max_iter=500, **start_at(truth)).fit(X).score(X)
    ours = partial(EM, truth.n_components, random_state=seed)
    mixtures = ours(init_params="kmeans"), ours()
    turns = take_turns(repeats, *(partial(timed_fit, m, X) for m in mixtures))
    return [best - t.result.score(X) for t in turns], [t.median for t in turns]
