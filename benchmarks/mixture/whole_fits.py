"""Whole fits, from start to convergence: what they cost and where they end.

They may end in different optima, so that likelihoods stand beside the times.
"""

from functools import partial
from inspect import signature
from statistics import mean

import numpy as np
from sklearn.mixture import GaussianMixture

from benchmarks.common.report import ratio, seconds, size, times
from benchmarks.common.turns import take_turns, timed
from benchmarks.mixture.ours import EM
from benchmarks.mixture.problems import clusters, start, uneven
from skdensity import EMGaussianMixture

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
        "2,000 × 2, K = 3; means over ten seeds. Gain is how much more likely "
        "skdensity's fits are than scikit-learn's default ones, in nats per row.",
        "start, skdensity, scikit-learn, ratio, gain",
    )
    X = clusters(2_000, 2, 3)
    for name, mixture in {
        "`kmeans`, `tol=1e-3`": partial(EM, 3, init_params="kmeans", tol=1e-3),
        f"{DEFAULT}, `tol={PARAMETERS['tol'].default:g}` (defaults)": partial(EM, 3),
    }.items():
        contenders = mixture, partial(GaussianMixture, 3)
        runs = [partial(seeded_fits, contender, X) for contender in contenders]
        ours, theirs = take_turns(repeats, *runs)
        gain = mean(ours.result) - mean(theirs.result)
        report.row(name, *times(ours, theirs), f"{gain:+.0e}")


def seeded_fits(mixture, X, n_seeds=10):
    """Mean seconds of a fit, and the log-likelihood per row of every seed."""
    runs = [timed_fit(mixture(random_state=seed), X) for seed in range(n_seeds)]
    return mean(time for time, _ in runs), [fitted.score(X) for _, fitted in runs]


def overlap(report, repeats):
    """Whole fits where EM is slow to converge."""
    report.table(
        "Overlapping components",
        "100,000 × 4; the centres of three or five components are drawn from 1.2² "
        "times the covariance of each. Ratios are of the time of scikit-learn's first "
        "fit; the last column is how far a fit stays below the most likely of them.",
        "K, fit, time, ratio, iterations, nats per row, below the best",
    )
    for n_components in (3, 5):
        compare_overlapping(report, n_components, repeats)


def compare_overlapping(report, n_components, repeats):
    """Rows for all fits of one problem."""
    X = clusters(100_000, 4, n_components, distance=1.2)
    mixtures = overlap_mixtures(n_components)
    turns = take_turns(repeats, *(partial(timed_fit, m, X) for m in mixtures.values()))
    values = [t.result.score(X) for t in turns]
    for name, t, value in zip(mixtures, turns, values, strict=True):
        cells = seconds(t.median), ratio(turns[0], t), t.result.n_iter_
        below = f"{max(values) - value:.1e}"
        report.row(n_components, name, *cells, f"{value:.7f}", below)


def overlap_mixtures(n_components):
    """The fits to compare, by name."""
    theirs = partial(GaussianMixture, n_components, random_state=0)
    ours = partial(EM, n_components, random_state=0)
    return {
        "scikit-learn, `tol=1e-8, max_iter=500`": theirs(tol=1e-8, max_iter=500),
        "scikit-learn, defaults": theirs(),
        "skdensity, defaults": ours(),
        "skdensity, `tol=1e-6`": ours(tol=1e-6),
        'skdensity, `tol=1e-6, acceleration="anderson"`': ours(
            tol=1e-6, acceleration="anderson"
        ),
        "skdensity, `tol=1e-6, acceleration=None`": ours(tol=1e-6, acceleration=None),
    }


def starts(report, _repeats):
    """How far below the optimum near the truth the starts end, and at what price."""
    report.table(
        "Starts",
        "Six problems of each size, one per seed, whose components overlap, differ in "
        "weight and are long in some directions. A gap is how far a fit ends below the "
        "run from the true parameters, in nats per row: the median over the seeds. All "
        "runs have at most 200 iterations. Times are sums over the seeds, of one turn; "
        f"the default start is {DEFAULT}, and the ratio is its time over k-means'.",
        "rows × features, K, gap: k-means, gap: default, "
        "time: k-means, time: default, ratio of times",
    )
    for problem in START_PROBLEMS:
        cells = compare_starts(problem)
        report.row(size(problem), problem[2], *cells)


def compare_starts(problem, n_seeds=6):
    """Median gaps of k-means and of the default, their times and the ratio."""
    runs = [gaps_and_times(problem, seed) for seed in range(n_seeds)]
    gaps, taken = np.swapaxes(runs, 0, 1)
    total = taken.sum(axis=0)
    return [
        *(f"{gap:.4f}" for gap in np.median(gaps, axis=0)),
        *(seconds(time) for time in total),
        f"{total[1] / total[0]:.1f}×",
    ]


def gaps_and_times(problem, seed):
    """Gaps and seconds of a fit from k-means and of one from the default."""
    truth, X = uneven(*problem, seed)
    at_truth = start(truth.weights_, truth.means_, truth.precisions_)
    best = EM(max_iter=200, **at_truth).fit(X).score(X)
    ours = partial(EM, truth.n_components, random_state=seed, max_iter=200)
    mixtures = ours(init_params="kmeans"), ours()
    turns = take_turns(1, *(partial(timed_fit, m, X) for m in mixtures))
    return [best - t.result.score(X) for t in turns], [t.median for t in turns]
