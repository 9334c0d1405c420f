"""Peak memory of a fit."""

import resource
from functools import partial

import numpy as np
from sklearn.mixture import GaussianMixture

from benchmarks.common.memory import fit_call, peaks
from benchmarks.common.report import megabytes, ratio, size
from benchmarks.mixture.problems import clusters
from skdensity import EMGaussianMixture

SETTINGS = {"n_components": 5, "random_state": 0}
FITS = {
    "scikit-learn": GaussianMixture(**SETTINGS),
    "skdensity, `n_jobs=None`": EMGaussianMixture(**SETTINGS),
    "skdensity, `n_jobs=-1`": EMGaussianMixture(**SETTINGS, n_jobs=-1),
}

LIMIT = 8_000_000_000  # bytes of a process, so that no other pays for a large array


def memory(report, repeats):
    """Peak memory beyond the rows, of default fits and of many components."""
    default_fits(report, repeats)
    many_components(report, repeats)


def default_fits(report, repeats):
    """Fits of many rows."""
    X = clusters(1_000_000, 2, 5)
    report.table(
        "Memory",
        f"Peak of a default fit of {size(X)}, K = 5, beyond what the process held "
        f"before it, of which the rows are {megabytes(X.nbytes)}.",
        "fit, peak beyond the rows, ratio, nats per row",
    )
    calls = [partial(fit_call, mixture) for mixture in FITS.values()]
    turns = peaks(X, calls, likelihood, repeats)
    for name, t in zip(FITS, turns, strict=True):
        report.row(name, megabytes(t.median), ratio(turns[0], t), f"{t.result:.6f}")


def likelihood(X, _taken, mixture):
    """Where a fit ended, in nats per row."""
    return mixture.score(X)


def many_components(report, repeats):
    """Fits whose responsibilities alone would be a large array."""
    X = np.random.RandomState(0).gamma(2, 3, (200_000, 1))
    report.table(
        "Memory of many components",
        f"Peak of a fit of {size(X)} rows of a gamma density with K = 1,000 and "
        "`max_iter=1`, its start included, beyond the rows and what the process held. "
        f"A process gets {megabytes(LIMIT)}.",
        "fit, peak beyond the rows",
    )
    settings = {"n_components": 1000, "max_iter": 1, "random_state": 0}
    for name, Mixture in {
        "scikit-learn": GaussianMixture,
        "skdensity": EMGaussianMixture,
    }.items():
        call = partial(limited_fit_call, Mixture(**settings))
        report.row(name, peak_in_words(X, call, repeats))


def limited_fit_call(estimator, X):
    """The fit of an estimator, in a process that may not grow without end."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    return fit_call(estimator, X)


def peak_in_words(X, call, repeats):
    """The peak of a call, or that it asked for more than it may have."""
    try:
        (turns,) = peaks(X, [call], likelihood, repeats, budget=60)
    except MemoryError:
        return "more"
    return megabytes(turns.median)
