"""What Dask adds to a fit, what travels, and what a second worker gains.

Usage: python -m benchmarks.mixture.dask [--repeats 5] [--only overhead] [--write]

Needs the extra ``dask``. Workers are processes on this machine, of one thread each;
their rows are persisted before the clock starts.
"""

from contextlib import contextmanager
from functools import partial

import cloudpickle
import dask
import dask.array as da
import numpy as np
from dask.local import get_sync
from distributed import LocalCluster, SchedulerPlugin, wait

from benchmarks.common.command import run
from benchmarks.common.report import ratio, seconds, size
from benchmarks.common.turns import take_turns
from benchmarks.mixture.equal_work import per_iteration
from benchmarks.mixture.problems import clusters, start_at_rows
from skdensity import EMGaussianMixture

PACKAGES = ("skdensity", "numpy", "dask", "distributed")
NOTE = """\
An iteration is a fit of 6 of them less a fit of 1, over 5, from the same start. Times
are medians, turns of each comparison: {repeats}."""
# Blocks of 256 MB in a table of 100 GB.
N_BLOCKS = 400
OVERHEAD = (10, 10)  # features, components
TRAFFIC = [(1_000, 10, 10), (10_000, 10, 10), (100_000, 10, 10), (1_000, 50, 50)]
N_BLOCKS_OF_TRAFFIC = 20
GRAPHS = [(10, 10), (50, 50), (100, 100)]
WORK = (3_200_000, 10, 10)
N_BLOCKS_OF_WORK = 16


@contextmanager
def workers(n_workers):
    """A client of a cluster on this machine, where rows stay where they are."""
    settings = {"distributed.scheduler.work-stealing": False}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        cluster.get_client() as client,
    ):
        yield client


def fit(X, start, max_iter):
    """Log-likelihood per row that the last of `max_iter` iterations saw."""
    settings = {"tol": 0, "reg_covar": 1e-6, "max_iter": max_iter}
    return EMGaussianMixture(**settings, **start).fit(X).lower_bound_


def in_blocks(X, n_blocks):
    """Rows in blocks, in the memory of whoever works on them."""
    parted = da.from_array(X, chunks=(-(-len(X) // n_blocks), -1)).persist()
    wait(parted)
    return parted


def overhead(report, repeats):
    """What 400 tasks cost that have next to nothing to do."""
    n_features, n_components = OVERHEAD
    X = clusters(10 * N_BLOCKS, n_features, n_components)
    start = start_at_rows(X, n_components)
    report.table(
        "Overhead",
        f"An iteration over {N_BLOCKS} blocks of 10 rows each, of {n_features} "
        f"features, with K = {n_components}: a pass has a task for every block and 58 "
        "that add up. In memory it is one block.",
        "rows, an iteration, a task",
    )
    for name, scheduler in {"threads": "threads", "one thread": "sync"}.items():
        with dask.config.set(scheduler=scheduler):
            report_overhead(report, f"Dask, {name}", X, start, repeats)
    with workers(2):
        report_overhead(report, "Dask, two workers", X, start, repeats)
    (turns,) = take_turns(repeats, partial(per_iteration, partial(fit, X, start), 5))
    report.row("in memory", seconds(turns.median), "–")


def report_overhead(report, name, X, start, repeats):
    """A row of the table."""
    call = partial(per_iteration, partial(fit, in_blocks(X, N_BLOCKS), start), 5)
    (turns,) = take_turns(repeats, call)
    report.row(name, seconds(turns.median), seconds(turns.median / N_BLOCKS))


class Results(SchedulerPlugin):
    """How large what tasks return is, as the scheduler is told."""

    name = "results"

    def __init__(self):
        self.n_bytes = 0

    def transition(self, key, start, finish, *args, nbytes=None, **kwargs):
        """Count what enters the memory of a worker."""
        if (start, finish) == ("processing", "memory"):
            self.n_bytes += nbytes or 0


def traffic(report, repeats):
    """What travels in an iteration."""
    report.table(
        "What travels",
        f"Of an iteration over {N_BLOCKS_OF_TRAFFIC} blocks on two workers: results of "
        "tasks, as the scheduler counts them, and what went from worker to worker, "
        "beside the table itself. Moments of K components are K (1 + D + D (D + 1) / "
        "2) numbers.",
        "rows of a block, features, K, results, between workers, table",
    )
    with workers(2) as client:
        for n_rows, n_features, n_components in TRAFFIC:
            X = clusters(N_BLOCKS_OF_TRAFFIC * n_rows, n_features, n_components)
            start = start_at_rows(X, n_components)
            parted = in_blocks(X, N_BLOCKS_OF_TRAFFIC)
            cells = [*of_an_iteration(client, parted, start), X.nbytes]
            cells = [f"{n_bytes / 1e3:,.0f} kB" for n_bytes in cells]
            report.row(f"{n_rows:,}", n_features, n_components, *cells)


def of_an_iteration(client, X, start):
    """Bytes of results, and of those that went between workers."""
    counted = [counts(client, partial(fit, X, start, max_iter)) for max_iter in (1, 6)]
    return np.diff(counted, axis=0)[0] / 5


def counts(client, call):
    """The same, of a whole fit."""
    results, before = Results(), sent(client)
    client.cluster.scheduler.add_plugin(results)
    call()
    client.cluster.scheduler.remove_plugin(results.name)
    return results.n_bytes, sent(client) - before


def sent(client):
    """Bytes that went from worker to worker so far."""
    totals = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
    return sum(totals.values())


def graphs(report, repeats):
    """How large the graph of a pass is."""
    report.table(
        "Graphs",
        f"The largest graph of a fit to {N_BLOCKS} blocks, as it is sent to a "
        "scheduler. It holds the parameters once. Dask warns from 10 MB on.",
        "features, K, bytes",
    )
    for n_features, n_components in GRAPHS:
        X = clusters(2 * N_BLOCKS, n_features, n_components)
        start = start_at_rows(X, n_components)
        rows = da.random.RandomState(0).normal(size=X.shape, chunks=(2, -1))
        recorder = Recorder()
        with dask.config.set(scheduler=recorder):
            fit(rows, start, 1)
        report.row(n_features, n_components, f"{recorder.n_bytes / 1e3:,.0f} kB")


class Recorder:
    """A scheduler that works alone, and remembers its largest graph."""

    def __init__(self):
        self.n_bytes = 0

    def __call__(self, dsk, keys, **kwargs):
        self.n_bytes = max(self.n_bytes, len(cloudpickle.dumps(dsk)))
        return get_sync(dsk, keys, **kwargs)


def scaling(report, repeats):
    """What a second worker gains."""
    X, n_components = clusters(*WORK), WORK[-1]
    start = start_at_rows(X, n_components)
    report.table(
        "A second worker",
        f"An iteration over {size(X)} in {N_BLOCKS_OF_WORK} blocks, K = "
        f"{n_components}, on this machine's cores, which the scheduler and the client "
        "share with the workers.",
        "one worker, two workers, ratio, a task",
    )
    runs = [partial(with_workers, n_workers, X, start) for n_workers in (1, 2)]
    one, two = take_turns(repeats, *runs)
    task = seconds(one.median / N_BLOCKS_OF_WORK)
    report.row(seconds(one.median), seconds(two.median), ratio(one, two), task)


def with_workers(n_workers, X, start):
    """Seconds of an iteration, and where it leads."""
    with workers(n_workers):
        return per_iteration(partial(fit, in_blocks(X, N_BLOCKS_OF_WORK), start), 5)


def main():
    """Run the sections asked for."""
    run(
        "mixture.dask",
        __doc__,
        [overhead, traffic, graphs, scaling],
        PACKAGES,
        title="Mixtures on Dask",
        note=NOTE,
    )


if __name__ == "__main__":
    main()
