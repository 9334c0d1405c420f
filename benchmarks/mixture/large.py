"""Tables in files: what a pass costs beside memory, and how much memory it takes.

Usage: python -m benchmarks.mixture.large [--repeats 5] [--gigabytes 4] [--write]

A table of normal features is written to a temporary folder, as an array and as Parquet
files. The table in memory is that of the same size, so that it must fit.
"""

import argparse
import tempfile
import warnings
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from sklearn.exceptions import ConvergenceWarning

from benchmarks.common.checks import checked, difference
from benchmarks.common.command import run
from benchmarks.common.memory import apart, own_memory
from benchmarks.common.report import megabytes, seconds, size
from benchmarks.common.turns import take_turns
from skdensity import EMGaussianMixture, GaussianMLE, RowBlocks

PACKAGES = ("skdensity", "numpy", "pyarrow")
N_FEATURES = 8
# Rows of a part of the table, and of a row group of its file.
PART, GROUP = 1_000_000, 131_072
SETTINGS = {"tol": 0, "acceleration": None, "reg_covar": 0, "n_jobs": 1}
NOTE = """\
Tables of {repeats} turns, of one thread; the processor's time, in which waiting for
threads that read ahead is none."""


def parts(n_bytes):
    """The table, part by part."""
    n_rows = int(n_bytes / 8 / N_FEATURES)
    for i, begin in enumerate(range(0, n_rows, PART)):
        shape = (min(PART, n_rows - begin), N_FEATURES)
        part = np.random.RandomState(i).standard_normal(shape)
        part[::2] += 2
        yield begin, part


def write(folder, n_bytes):
    """Write the table both ways."""
    shape = (int(n_bytes / 8 / N_FEATURES), N_FEATURES)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float64, shape)
    (folder / "parts").mkdir()
    for begin, part in parts(n_bytes):
        X[begin : begin + len(part)] = part
        columns = {f"x{j}": column for j, column in enumerate(part.T)}
        path = folder / "parts" / f"{begin:012}.parquet"
        parquet.write_table(pa.table(columns), path, row_group_size=GROUP)
    X.flush()
    return shape


def sources(folder):
    """The same table in memory, mapped, and in blocks of its files."""
    return {
        "memory": partial(np.load, folder / "X.npy"),
        "memmap": partial(np.load, folder / "X.npy", mmap_mode="r"),
        "Parquet": partial(RowBlocks.from_parquet, folder / "parts"),
    }


def throughput(report, repeats, n_bytes):
    """Processor time of a pass of EM, and of reading alone."""
    report.table(
        "Throughput",
        "A pass is a fit of 5 steps from given parameters less one of 1, over 4. "
        "Reading is all blocks of the Parquet files, converted to arrays.",
        "rows × features, K, reading, memory, memmap, Parquet, memmap / memory, "
        "Parquet / (reading + memory)",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = write(folder, n_bytes)
        tables = {key: source() for key, source in sources(folder).items()}
        for n_components in (3, 10):
            calls = [partial(per_pass, n_components, X) for X in tables.values()]
            calls.append(partial(cost, partial(read, tables["Parquet"])))
            turns = take_turns(repeats, *calls)
            *fits, reading = (turn.median for turn in turns)
            for turn in turns[1:3]:
                checked(difference(turn.result, turns[0].result), 1e-9)
            memory, memmap, blocks = fits
            report.row(
                size(shape),
                n_components,
                *map(seconds, (reading, memory, memmap, blocks)),
                f"{memmap / memory:.2f}",
                f"{blocks / (reading + memory):.2f}",
            )


def per_pass(n_components, X):
    """Processor time of a pass, and the means after five."""
    start = {
        "weights_init": np.full(n_components, 1 / n_components),
        "means_init": next(parts(6400))[1][:n_components],
        "precisions_init": np.stack([np.eye(N_FEATURES)] * n_components),
    }
    mixture = EMGaussianMixture(n_components, **start, **SETTINGS)
    one, _ = cost(lambda: mixture.set_params(max_iter=1).fit(X))
    five, _ = cost(lambda: mixture.set_params(max_iter=5).fit(X))
    return (five - one) / 4, mixture.means_


def cost(function):
    """Processor time of a call, and what it returned."""
    begin = process_time()
    result = function()
    return process_time() - begin, result


def read(blocks):
    """Read all blocks; how many rows there were."""
    return sum(len(X) for X, _ in blocks)


def memory(report, repeats, n_bytes):
    """Resident memory beyond the interpreter and the libraries."""
    report.table(
        "Memory",
        "Peak of a fit and a score, in a process of its own, beyond what it held after "
        f"a fit of 1,000 rows. The table has {megabytes(n_bytes)}; row groups of the "
        f"Parquet files have {megabytes(8 * N_FEATURES * GROUP)}.",
        "table, `EMGaussianMixture(3)`, `GaussianMLE()`",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, n_bytes)
        for key, source in sources(folder).items():
            mixture = EMGaussianMixture(3, max_iter=3, random_state=0)
            found = [apart(peak, e, source) for e in (mixture, GaussianMLE())]
            report.row(key, *map(megabytes, found))


def peak(estimator, source):
    """Bytes that a fit and a score take at most."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    few = next(parts(64 * 1000))[1]
    estimator.fit(few).score(few)
    before = own_memory("VmRSS")
    X = source()
    estimator.fit(X).score(X)
    return own_memory("VmHWM") - before


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--gigabytes", type=float, default=0.256, help="of the table")
    n_bytes = 1e9 * parser.parse_known_args()[0].gigabytes
    sections = []
    for section in (throughput, memory):
        sections.append(partial(section, n_bytes=n_bytes))
        sections[-1].__name__ = section.__name__
    run(
        "mixture.large",
        __doc__,
        sections,
        PACKAGES,
        title="Tables in files",
        note=NOTE,
        parents=[parser],
    )
