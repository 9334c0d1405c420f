"""Rows in batches, each seen once: how near that comes to passes over all of them."""

from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.common.report import seconds, size
from benchmarks.common.turns import timed
from benchmarks.mixture.ours import EM
from benchmarks.mixture.problems import start, uneven

N_SAMPLES, BATCH = 200_000, 2_000
SEEDS = range(10)
N_PASSES, N_EXACT, N_WHOLE = 3, 5, 60
# Features, components, and how far apart their centres are drawn.
PROBLEMS = {
    "separated": [(10, 10, 4), (4, 12, 8), (2, 8, 12)],
    "overlapping": [(5, 10, 1), (2, 6, 1.5), (10, 5, 0.7)],
}


@dataclass(frozen=True)
class Run:
    """Nats per row behind 60 passes, after every pass and at the end; and seconds."""

    behind: list[float]
    stream_time: float
    whole_time: float


def streams(report, repeats):
    """Passes of `partial_fit`, beside EM on all rows from the same start."""
    report.table(
        "Streams",
        f"{size((N_SAMPLES, 0)).split(' ×')[0]} rows in batches of {BATCH:,}: nats per "
        f"row behind {N_WHOLE} iterations of EM on all of them, without acceleration, "
        "from the start that the stream made of its first batch; below 0 the stream is "
        f"ahead. After 1, 2 and {N_PASSES} passes, and after {N_EXACT} iterations of "
        "EM that go on from there. Medians of ten draws of the rows, and seconds of "
        f"the {N_PASSES} passes and of the {N_WHOLE}.",
        "components, features, K, start, 1 pass, 2 passes, 3 passes, 3 + 5 of EM, "
        "largest of ten, 3 passes, 60 of EM",
    )
    for kind, problems in PROBLEMS.items():
        for n_features, n_components, distance in problems:
            truth, _ = uneven(1, n_features, n_components, 0, distance)
            runs = [streamed(truth, seed) for seed in SEEDS]
            behind = np.median([run.behind for run in runs], axis=0)
            report.row(
                kind,
                n_features,
                n_components,
                *(f"{nats:.5f}" for nats in behind),
                f"{max(run.behind[-1] for run in runs):.5f}",
                seconds(median(run.stream_time for run in runs)),
                seconds(median(run.whole_time for run in runs)),
            )


def streamed(truth, seed):
    """One draw of the rows, in batches and as a whole."""
    X, _ = truth.sample(N_SAMPLES, random_state=seed)
    settings = {"n_components": truth.n_components, "random_state": seed}
    begun = EM(max_iter=0, **settings).fit(X[:BATCH])
    same = start(begun.weights_, begun.means_, begun.precisions_)
    whole = EM(max_iter=N_WHOLE, tol=0, **same)
    whole_time, _ = timed(partial(whole.fit, X))
    stream = EM(warm_start=True, max_iter=N_EXACT, tol=0, **settings)
    scores, times = [begun.score(X)], []
    for _ in range(N_PASSES):
        times.append(timed(partial(one_pass, stream, X))[0])
        scores.append(stream.score(X))
    scores.append(stream.fit(X).score(X))
    behind = [whole.score(X) - score for score in scores]
    return Run(behind, sum(times), whole_time)


def one_pass(stream, X):
    """All rows in batches, in their order."""
    for begin in range(0, len(X), BATCH):
        stream.partial_fit(X[begin : begin + BATCH])
