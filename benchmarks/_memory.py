"""Peak memory of a fit, each in a process of its own.

The benchmark runs this file as `python _memory.py X.npy LIBRARY SETTINGS`, which
prints the bytes beyond what the process held with the rows loaded, and the
log-likelihood per row. It needs Linux: ``ru_maxrss`` of a process begins at the peak of
the process that started it, while ``VmHWM`` in ``/proc`` is its own.
"""

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture

from _problems import clusters
from _report import megabytes, ratio, size, take_turns
from skdensity import EMGaussianMixture

MIXTURES = {"scikit-learn": GaussianMixture, "skdensity": EMGaussianMixture}
FITS = {
    "scikit-learn": ("scikit-learn", {}),
    "skdensity, `n_jobs=None`": ("skdensity", {}),
    "skdensity, `n_jobs=-1`": ("skdensity", {"n_jobs": -1}),
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        runs = [partial(peak_of_fit, path, *fit) for fit in FITS.values()]
        turns = take_turns(repeats, *runs)
    for name, t in zip(FITS, turns, strict=True):
        report.row(name, megabytes(t.median), ratio(turns[0], t), f"{t.result:.6f}")


def peak_of_fit(path, library, settings):
    """Bytes that a fit in a new process needed, and its log-likelihood per row."""
    settings = json.dumps({"n_components": 5, "random_state": 0, **settings})
    return apart(__file__, path, library, settings)


def apart(*command):
    """What a script prints in a process of its own."""
    command = [sys.executable, *command]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def main(path, library, settings):
    """Fit some rows, which loads all that is loaded once, and then all of them."""
    X = np.load(path)
    mixture = MIXTURES[library](**json.loads(settings)).fit(X[:1000])
    before = own_memory("VmRSS")
    mixture.fit(X)
    print(json.dumps([own_memory("VmHWM") - before, mixture.score(X)]))


def own_memory(field):
    """Resident bytes of this process: ``VmRSS`` are the present, ``VmHWM`` the peak."""
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * int(fields[field].split()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
