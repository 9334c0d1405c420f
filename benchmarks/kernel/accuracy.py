"""Errors of log-densities where they are hard to compute."""

import numpy as np
from sklearn.neighbors import KernelDensity

from benchmarks.common.checks import checked, largest_error
from benchmarks.common.report import size
from benchmarks.kernel.ours import KERNELS
from benchmarks.kernel.problems import hard_cases
from benchmarks.kernel.reference import N_CHECKED, exact_log_density, hardest


def accuracy(report, _repeats):
    """Our largest error and that of scikit-learn's defaults."""
    report.table(
        "Accuracy",
        "Largest absolute error of the log-density, in nats, beside log-sum-exp in "
        f"extended precision, at {N_CHECKED} queries: the half with the smallest "
        "densities and others at random. A small one is the relative error of the "
        "density; skdensity's must be below its `rtol`, 1e-6. scikit-learn runs with "
        "its defaults, which allow for no error; wrong is the share of its results "
        "that are off by more than 0.01. For N(0, I), the first h is Silverman's and "
        "the second one that a search also tries.",
        "problem, rows × features, h, log-density from, to, skdensity, scikit-learn, "
        "wrong",
    )
    for case in hard_cases():
        report.row(case.name, size(case.X), *compare_errors(case))


def compare_errors(case):
    """Bandwidth, range of the exact log-densities, and both errors."""
    density = KERNELS(case.bandwidth).fit(case.X, sample_weight=case.weight)
    h = density.bandwidth_
    found = density.score_samples(case.queries)
    picked = hardest(found)
    queries = case.queries[picked]
    exact = exact_log_density(case.X, queries, h, case.weight)
    peer = KernelDensity(bandwidth=h).fit(case.X, sample_weight=case.weight)
    theirs = peer.score_samples(queries)
    ours = checked(largest_error(found[picked], exact), density.rtol)
    ends = (f"{end:.4g}" for end in (exact.min(), exact.max()))
    wrong = f"{np.mean(~(np.abs(theirs - exact) < 0.01)):.0%}"
    error = largest_error(theirs, exact)
    return f"{h:.3g}", *ends, f"{ours:.0e}", f"{error:.1g}", wrong
