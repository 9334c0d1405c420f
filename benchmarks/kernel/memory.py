"""Peak memory of a fit and of scores."""

from functools import partial

from sklearn.neighbors import KernelDensity

from benchmarks.common.memory import fit_call, peaks
from benchmarks.common.report import megabytes, seconds, size
from benchmarks.kernel.ours import KERNELS
from benchmarks.kernel.problems import draw


def memory(report, repeats):
    """Peak memory beyond the rows."""
    X = draw(1_000_000, 1)
    report.table(
        "Memory",
        f"Peak of a call on {size(X)}, beyond what the process held before it, of "
        f"which the rows are {megabytes(X.nbytes)}.",
        "call, peak beyond the rows, time",
    )
    calls = calls_to_measure()
    turns = peaks(X, calls.values(), seconds_only, min(repeats, 3), budget=10)
    for name, t in zip(calls, turns, strict=True):
        report.row(name, megabytes(t.median), seconds(t.result))


def calls_to_measure(h=0.05):
    """What makes each call from the rows, by name."""
    ours, theirs = KERNELS(h), KernelDensity(bandwidth=h)
    return {
        "skdensity, `fit`, `loo`": partial(fit_call, KERNELS()),
        "skdensity, `score_samples` of all rows": partial(score_call, ours, None),
        "scikit-learn, `fit`, h given": partial(fit_call, theirs),
        "scikit-learn, `score_samples` of 10 rows": partial(score_call, theirs, 10),
    }


def score_call(density, n_queries, X):
    """The scores of the first rows, or of all, by a fitted density."""
    return partial(density.fit(X).score_samples, X[:n_queries])


def seconds_only(_X, taken, _result):
    """How long a call took; the result is as large as the rows."""
    return taken
