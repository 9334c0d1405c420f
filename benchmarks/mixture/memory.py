"""Peak memory of a fit."""

from functools import partial

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


def memory(report, repeats):
    """Peak memory beyond the rows of fits with default settings."""
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
