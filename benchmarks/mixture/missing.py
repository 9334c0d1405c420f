"""An iteration of EM on rows with missing values, beside one on complete rows."""

from functools import partial

import numpy as np

from benchmarks.common.report import ratio, seconds, size
from benchmarks.common.turns import take_turns
from benchmarks.mixture.equal_work import em_fit, per_iteration
from benchmarks.mixture.ours import EM
from benchmarks.mixture.problems import clusters, start_at_rows

PROBLEMS = [
    (100_000, 10, 5, "full", 0.02),
    (100_000, 10, 5, "full", 0.2),
    (100_000, 10, 5, "diag", 0.2),
    (100_000, 50, 10, "full", 0.1),
]


def missing(report, repeats):
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
        is_missing = np.random.RandomState(0).uniform(size=X.shape) < share
        holed = np.where(is_missing, np.nan, X)
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
            len(np.unique(np.packbits(is_missing, axis=1), axis=0)),
            seconds(incomplete.median),
            seconds(complete.median),
            ratio(incomplete, complete),
        )
