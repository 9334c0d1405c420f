"""What Dask adds to a fit, what travels, and what a second worker gains.

Usage: python -m benchmarks.mixture.dask [--repeats 5] [--only overhead] [--write]

Needs the extra ``dask``. Workers are processes on this machine, of one thread each;
their rows are made there, and persisted before the clock starts.
"""

import warnings
from contextlib import contextmanager
from functools import partial
from time import process_time, sleep

import cloudpickle
import dask
import dask.array as da
import numpy as np
from dask.local import get_sync
from distributed import Client, LocalCluster, SchedulerPlugin

from benchmarks.common.command import run
from benchmarks.common.report import ratio, seconds
from benchmarks.common.turns import take_turns
from benchmarks.mixture.equal_work import per_iteration
from benchmarks.mixture.problems import start
from skdensity import EMGaussianMixture

PACKAGES = ("skdensity", "numpy", "dask", "distributed")
NOTE = """\
An iteration is a fit of 6 of them less a fit of 1, over 5, from the same start. Times
are medians, turns of each comparison: {repeats}."""
# Blocks of 256 MB in a table of 100 GB.
N_BLOCKS = 400
GRAPHS = [(10, 10), (50, 50), (100, 100)]  # features, components
# Rows of a block, features and components.
TRAFFIC = [(1_000, 10, 10), (10_000, 10, 10), (100_000, 10, 10), (1_000, 50, 50)]
N_BLOCKS_OF_TRAFFIC = 20
# And seconds that a task waits.
WORK = [((200_000, 10, 10), 0.0), ((1_000, 10, 10), 0.05), ((1_000, 10, 10), 0.2)]
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


def rows_in_blocks(n_rows, n_features, n_blocks):
    """Normal rows, so many in each block, made by whoever works on them."""
    size, chunks = (n_blocks * n_rows, n_features), (n_rows, n_features)
    return da.random.RandomState(0).normal(size=size, chunks=chunks).persist()


def spread_start(n_features, n_components):
    """Arguments of a start with means that are spread like the rows."""
    means = np.random.RandomState(1).standard_normal((n_components, n_features))
    precisions = np.stack([np.eye(n_features)] * n_components)
    return start(np.full(n_components, 1 / n_components), means, precisions)


def fit(X, begin, max_iter):
    """Log-likelihood per row that the last of `max_iter` iterations saw."""
    settings = {"tol": 0, "reg_covar": 1e-2, "max_iter": max_iter}
    return EMGaussianMixture(**settings, **begin).fit(X).lower_bound_


def iteration(n_rows, n_features, n_components, n_blocks, opened, wait=0.0):
    """Seconds of an iteration, in a context, and where it leads.

    If a block is to be waited for, every pass waits for it, as for a disk.
    """
    with opened():
        X = rows_in_blocks(n_rows, n_features, n_blocks)
        if wait:
            X = X.map_blocks(late, wait, dtype=X.dtype, meta=X._meta)
        return per_iteration(partial(fit, X, spread_start(n_features, n_components)), 5)


def late(X, wait):
    """Rows, after some seconds."""
    sleep(wait)
    return X


def overhead(report, repeats):
    """What 400 tasks cost that have next to nothing to do."""
    report.table(
        "Overhead",
        f"Processor time of an iteration over {N_BLOCKS} blocks of 10 rows each, of 10 "
        "features, with K = 10: a pass has a task for every block and 58 that add up. "
        "The last column is that of all processes, for each block.",
        "scheduler, client and scheduler, workers, a block",
    )
    contexts = {
        "one thread": partial(dask.config.set, scheduler="sync"),
        "threads": partial(dask.config.set, scheduler="threads"),
        "distributed, two workers": partial(workers, 2),
    }
    calls = [partial(processor_time, opened) for opened in contexts.values()]
    turns = take_turns(repeats, *calls)
    for name, taken in zip(contexts, turns, strict=True):
        cells = [taken.median, taken.result, (taken.median + taken.result) / N_BLOCKS]
        report.row(name, *map(seconds, cells))


def processor_time(opened):
    """Processor seconds of this process, and those of the workers, of an iteration."""
    with opened() as client:
        X, begin = rows_in_blocks(10, 10, N_BLOCKS), spread_start(10, 10)
        fit(X, begin, 1)
        spent = [_spent(client, partial(fit, X, begin, n)) for n in (1, 6)]
    return np.diff(spent, axis=0)[0] / 5


def _spent(client, call):
    """The same, of a call."""
    before = _processor_times(client)
    call()
    return np.subtract(_processor_times(client), before)


def _processor_times(client):
    """Processor seconds so far."""
    theirs = client.run(process_time) if isinstance(client, Client) else {}
    return process_time(), sum(theirs.values())


def traffic(report, repeats):
    """What travels in an iteration."""
    report.table(
        "What travels",
        f"Of an iteration over {N_BLOCKS_OF_TRAFFIC} blocks on two workers: what tasks "
        "return, as the scheduler counts it, and what went from worker to worker, "
        "where Dask may move a block to a worker that has none to do.",
        "rows of a block, features, K, results, between workers, table",
    )
    with workers(2) as client:
        for n_rows, n_features, n_components in TRAFFIC:
            X = rows_in_blocks(n_rows, n_features, N_BLOCKS_OF_TRAFFIC)
            begin = spread_start(n_features, n_components)
            cells = [*bytes_of_an_iteration(client, X, begin), X.nbytes]
            cells = [kilobytes(n_bytes) for n_bytes in cells]
            report.row(f"{n_rows:,}", n_features, n_components, *cells)


def bytes_of_an_iteration(client, X, begin):
    """Bytes of results, and of what went between workers."""
    counted = [counts(client, partial(fit, X, begin, n)) for n in (1, 21)]
    return np.diff(counted, axis=0)[0] / 20


def counts(client, call):
    """The same, of a whole fit."""
    call()
    results, before = Results(), sent(client)
    client.cluster.scheduler.add_plugin(results)
    call()
    client.cluster.scheduler.remove_plugin(results.name)
    return results.n_bytes, sent(client) - before


class Results(SchedulerPlugin):
    """How large what tasks return is, as the scheduler is told."""

    name = "results"

    def __init__(self):
        self.n_bytes = 0

    def transition(self, key, start, finish, *args, nbytes=None, **kwargs):
        """Count what enters the memory of a worker."""
        if (start, finish) == ("processing", "memory"):
            self.n_bytes += nbytes or 0


def sent(client):
    """Bytes that went from worker to worker so far."""
    totals = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
    return sum(totals.values())


def kilobytes(value):
    """A number of bytes, in thousands."""
    return f"{value / 1e3:,.0f} kB"


def graphs(report, repeats):
    """How large the graph of a pass is."""
    report.table(
        "Graphs",
        f"The largest graph of a fit to {N_BLOCKS} blocks of random numbers, as it is "
        "sent to a scheduler, and that of the numbers alone. Dask warns from 10 MB on.",
        "features, K, the fit, the numbers",
    )
    for n_features, n_components in GRAPHS:
        size, chunks = (2 * N_BLOCKS, n_features), (2, n_features)
        X = da.random.RandomState(0).normal(size=size, chunks=chunks)
        ours, theirs = Recorder(), Recorder()
        with dask.config.set(scheduler=ours):
            fit(X, spread_start(n_features, n_components), 1)
        X.compute(scheduler=theirs)
        sizes = [kilobytes(recorder.n_bytes) for recorder in (ours, theirs)]
        report.row(n_features, n_components, *sizes)


class Recorder:
    """A scheduler that works alone, and remembers its largest graph."""

    def __init__(self):
        self.n_bytes = 0

    def __call__(self, dsk, keys, **kwargs):
        self.n_bytes = max(self.n_bytes, len(cloudpickle.dumps(dsk)))
        return get_sync(dsk, keys, **kwargs)


def scaling(report, repeats):
    """What a second worker gains."""
    report.table(
        "A second worker",
        f"An iteration over {N_BLOCKS_OF_WORK} blocks, K = 10, where tasks compute, "
        "or wait for their rows. The workers share the cores with the scheduler and "
        "the client.",
        "rows of a block, features, a task waits, one worker, two workers, ratio",
    )
    for shape, wait in WORK:
        runs = [
            partial(
                iteration, *shape, N_BLOCKS_OF_WORK, partial(workers, n_workers), wait
            )
            for n_workers in (1, 2)
        ]
        one, two = take_turns(repeats, *runs)
        taken = seconds(one.median), seconds(two.median), ratio(one, two)
        report.row(f"{shape[0]:,}", shape[1], seconds(wait) if wait else "–", *taken)


def main():
    """Run the sections asked for."""
    warnings.simplefilter("ignore")  # fits are cut short, and blocks are tiny
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
