"""Peak memory of a kernel density, each in a process of its own.

The benchmark runs this file as `python _kernel_memory.py X.npy LIBRARY TASK`, which
prints the bytes beyond what the process held with the rows loaded, and the seconds.
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.neighbors import KernelDensity

from _kernel_problems import draw
from _memory import apart, own_memory
from _report import megabytes, seconds, size, take_turns, timed
from skdensity import LOOKernelDensity

DENSITIES = {
    "skdensity": partial(LOOKernelDensity, n_jobs=-1),
    "scikit-learn": KernelDensity,
}
BANDWIDTH = 0.05
N_QUERIES = {"skdensity": None, "scikit-learn": 10}
TASKS = {
    "skdensity, `fit`, `loo`": ("skdensity", "choose"),
    "skdensity, `score_samples` of all rows": ("skdensity", "score"),
    "scikit-learn, `fit`, h given": ("scikit-learn", "fit"),
    "scikit-learn, `score_samples` of 10 rows": ("scikit-learn", "score"),
}


def memory(report, repeats):
    """Peak memory beyond the rows."""
    X = draw(1_000_000, 1)
    report.table(
        "Memory",
        f"Peak of a call on {size(X)}, beyond what the process held before it, of "
        f"which the rows are {megabytes(X.nbytes)}.",
        "call, peak beyond the rows, time",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        runs = [partial(apart, __file__, path, *task) for task in TASKS.values()]
        turns = take_turns(min(repeats, 3), *runs, budget=10)
    for name, t in zip(TASKS, turns, strict=True):
        report.row(name, megabytes(t.median), seconds(t.result))


def main(path, library, task):
    """Do it for some rows, which loads all that is loaded once, and then for all."""
    X = np.load(path)
    prepare(X[:1000], library, task)()
    call = prepare(X, library, task)
    before = own_memory("VmRSS")
    taken, _ = timed(call)
    print(json.dumps([own_memory("VmHWM") - before, taken]))


def prepare(X, library, task):
    """The call to measure."""
    if task == "choose":
        return partial(DENSITIES[library]().fit, X)
    density = DENSITIES[library](bandwidth=BANDWIDTH)
    if task == "fit":
        return partial(density.fit, X)
    return partial(density.fit(X).score_samples, X[: N_QUERIES[library]])


if __name__ == "__main__":
    main(*sys.argv[1:])
