"""Time of one EM iteration, side by side with scikit-learn's, at equal likelihood.

Usage: python benchmarks/mixture.py [repeats]

Both fit from the same start. The time of an iteration is that of a fit of 6 iterations
less that of a fit of 1, over 5; the table shows the median over the repeats, taken in
turn so that a busy machine slows both. The last column is the relative difference of
the log-likelihoods after 6 iterations: a ratio of times means nothing without it.
scikit-learn uses all cores through BLAS, skdensity through ``n_jobs=-1``.
"""

import sys
import warnings
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from skdensity import EMGaussianMixture

WORK = [
    (1_000_000, 1, 3, "full"),
    (1_000_000, 2, 5, "full"),
    (200_000, 10, 10, "full"),
    (100_000, 32, 16, "full"),
    (50_000, 64, 10, "full"),
    (200_000, 10, 10, "tied"),
    (200_000, 10, 10, "diag"),
    (200_000, 10, 10, "spherical"),
]


def rows_and_start(n_samples, n_features, n_components, covariance_type):
    """Overlapping clusters, and unit covariances at some of their rows."""
    rng = np.random.RandomState(0)
    centres = 3 * rng.standard_normal((n_components, n_features))
    X = rng.standard_normal((n_samples, n_features))
    X += centres[rng.randint(n_components, size=n_samples)]
    precisions = {
        "full": np.stack([np.eye(n_features)] * n_components),
        "tied": np.eye(n_features),
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }[covariance_type]
    start = {
        "n_components": n_components,
        "covariance_type": covariance_type,
        "weights_init": np.full(n_components, 1 / n_components),
        "means_init": X[:n_components],
        "precisions_init": precisions,
        "tol": 0,
    }
    return X, start


def seconds_per_iteration(Mixture, X, start):
    """Seconds of one iteration, and the log-likelihood after six."""
    times = []
    for max_iter in (1, 6):
        begin = perf_counter()
        mixture = Mixture(max_iter=max_iter, **start).fit(X)
        times.append(perf_counter() - begin)
    return (times[1] - times[0]) / 5, mixture.lower_bound_


def compare(work, repeats):
    """Median seconds of both, and the relative difference of their likelihoods."""
    X, start = rows_and_start(*work)
    threaded = partial(EMGaussianMixture, n_jobs=-1)
    theirs, ours = [], []
    for _ in range(repeats):
        theirs.append(seconds_per_iteration(GaussianMixture, X, start))
        ours.append(seconds_per_iteration(threaded, X, start))
    difference = abs(ours[0][1] / theirs[0][1] - 1)
    return median(t for t, _ in theirs), median(t for t, _ in ours), difference


def main(repeats):
    """Print the table."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(
        "| rows × features | K | covariances | scikit-learn | skdensity | ratio | Δ |"
    )
    print("|---|---|---|---|---|---|---|")
    for work in WORK:
        n_samples, n_features, n_components, covariance_type = work
        theirs, ours, difference = compare(work, repeats)
        print(
            f"| {n_samples:,} × {n_features} | {n_components} | {covariance_type} "
            f"| {1e3 * theirs:.1f} ms | {1e3 * ours:.1f} ms | {theirs / ours:.1f}× "
            f"| {difference:.0e} |"
        )
        if difference > 1e-9:
            raise SystemExit("The likelihoods differ: the times do not compare.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
