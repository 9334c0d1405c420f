"""Rows with missing values, beside complete ones: time and memory."""

from functools import partial

import numpy as np

from benchmarks.common.memory import fit_call, peaks
from benchmarks.common.report import megabytes, ratio, seconds, size
from benchmarks.common.turns import take_turns, timed
from benchmarks.mixture.equal_work import em_fit, per_iteration
from benchmarks.mixture.ours import EM
from benchmarks.mixture.problems import clusters, start_at_rows
from skdensity import EMGaussianMixture, GaussianMLE
from skdensity.passes.workspace import Workspace
from skdensity.rows.incomplete_rows import rows_of_table

PROBLEMS = [
    (100_000, 10, 5, "full", 0.02),
    (100_000, 10, 5, "full", 0.2),
    (100_000, 10, 5, "diag", 0.2),
    (100_000, 50, 10, "full", 0.1),
]
LOOKED_AT = [(100_000, 10), (1_000_000, 2)]
LARGE = 1_000_000, 10, 5
N_STEPS = 5


def missing(report, repeats):
    """What holes cost, and what they cost where there are none."""
    iterations(report, repeats)
    looks(report, repeats)
    memory_of_holes(report, repeats)


def iterations(report, repeats):
    """One iteration of EM where values are missing."""
    report.table(
        "Missing values",
        "A fit of 6 iterations less a fit of 1, over 5, from the same start: of a "
        "table of which a share of the values was removed at random, and of the table "
        "itself, over whose time the ratio is. Both are exact. Of 50 features nearly "
        "every row has a pattern of its own.",
        "rows × features, K, covariances, missing, patterns, with holes, complete, "
        "ratio",
    )
    for n_samples, n_features, n_components, shape, share in PROBLEMS:
        X = clusters(n_samples, n_features, n_components)
        start = start_at_rows(X, n_components, shape)
        holed = with_holes(X, share)
        complete, incomplete = take_turns(
            repeats,
            *(
                partial(per_iteration, partial(em_fit, EM, rows, start), n_iter=5)
                for rows in (X, holed)
            ),
        )
        report.row(
            size(X),
            n_components,
            shape,
            f"{share:.0%}",
            len(np.unique(np.packbits(np.isnan(holed), axis=1), axis=0)),
            seconds(incomplete.median),
            seconds(complete.median),
            ratio(incomplete, complete),
        )


def with_holes(X, share):
    """The rows less a share of their values, drawn from all alike."""
    is_missing = np.random.RandomState(0).uniform(size=X.shape) < share
    return np.where(is_missing, np.nan, X)


def looks(report, repeats):
    """What it costs that a table might have holes."""
    report.table(
        "Looking for missing values",
        "Of a complete table, before a fit; an iteration is the same as without. "
        "Beside it the shortest of fits, of one Gaussian, which looks too; the ratio "
        "is over it.",
        "rows × features, looking, `GaussianMLE`, ratio",
    )
    for shape in LOOKED_AT:
        X = clusters(*shape, n_components=1)
        looking, fit = take_turns(
            repeats,
            partial(timed, partial(rows_of_table, X, None, Workspace())),
            partial(timed, partial(GaussianMLE().fit, X)),
        )
        times = seconds(looking.median), seconds(fit.median)
        report.row(size(X), *times, ratio(looking, fit))


def memory_of_holes(report, repeats):
    """Peak memory of a fit to rows with holes."""
    X = clusters(*LARGE)
    n_components, share = LARGE[-1], 0.2
    report.table(
        "Memory of missing values",
        f"Peak of a fit of {size(X)}, K = {n_components}, in {N_STEPS} iterations, its "
        "start included, beyond what the process held before it, of which the rows are "
        f"{megabytes(X.nbytes)}.",
        "missing, peak beyond the rows",
    )
    settings = {"n_components": n_components, "max_iter": N_STEPS, "random_state": 0}
    call = partial(fit_call, EMGaussianMixture(**settings))
    for rows, name in ((X, "none"), (with_holes(X, share), f"{share:.0%}")):
        (turns,) = peaks(rows, [call], nothing, repeats, budget=30)
        report.row(name, megabytes(turns.median))


def nothing(*_):
    """No outcome but the peak."""
