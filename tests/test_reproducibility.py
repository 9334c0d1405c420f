"""The same fit twice gives the same bits: in any process, from rows at any address."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from answers import attributes_of
from sklearn.base import clone
from sklearn.datasets import load_iris

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.passes.scratch import ALIGNMENT, Scratch

# One width for the four lengths of a flower is enough here.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

X = load_iris().data
ESTIMATORS = [
    GaussianMLE(),
    CholeskyGaussian(max_iter=20, tol=None),
    *(
        EMGaussianMixture(3, covariance_type=t, random_state=0)
        for t in ("full", "diag")
    ),
    EMGaussianMixture(3, acceleration="lbfgs", random_state=0),
    EMGaussianMixture(3, init_params="kmeans", random_state=0),
    AdamGaussianMixture(3, max_iter=20, tol=None, random_state=0),
    AdamGaussianMixture(3, max_iter=5, tol=None, batch_size=32, random_state=0),
    LOOKernelDensity(),
    LOOKernelDensity(covariance_type="full"),
]

# What threads, transforms and the chunks of k-means share among them.
MANY = np.random.RandomState(0).standard_normal((60_000, 2))
MANY[:20_000] += 4
ON_MANY_ROWS = [
    EMGaussianMixture(3, max_iter=5, tol=0, n_jobs=2, random_state=0),
    EMGaussianMixture(3, init_params="kmeans", max_iter=5, tol=0, random_state=0),
    LOOKernelDensity("lscv", n_jobs=2),
]

# Prints a digest of every fit; memory begins elsewhere in every process.
SCRIPT = """
import hashlib, os, sys
import numpy as np
sys.path.insert(0, {tests!r})
from test_reproducibility import ESTIMATORS, MANY, ON_MANY_ROWS, X, arrays_of
held = [np.empty(1 + 8 * b) for b in os.urandom(200)][::2]
fits = [(estimator, X) for estimator in ESTIMATORS]
fits += [(estimator, MANY) for estimator in ON_MANY_ROWS]
for estimator, rows in fits:
    digest = hashlib.sha256()
    for array in arrays_of(estimator.fit(rows), rows):
        digest.update(np.ascontiguousarray(array).tobytes())
    print(digest.hexdigest())
"""


def arrays_of(estimator, rows=X):
    """All that a fit finds, and what it says of the rows."""
    return [*attributes_of(estimator), estimator.score_samples(rows)]


def at_offset(array, offset):
    """The same numbers, so many bytes after a multiple of 64."""
    memory = np.empty(array.nbytes + 2 * ALIGNMENT, dtype=np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT + offset
    moved = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


def received(array):
    """The same numbers as a message on a wire brings them: read-only, off any grid."""
    message = b"header;" + array.tobytes()
    return np.frombuffer(message, dtype=array.dtype, offset=7).reshape(array.shape)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_where_rows_and_weights_are_in_memory_changes_no_bit(estimator):
    weight = np.random.RandomState(0).randint(1, 3, len(X)).astype(float)
    expected = arrays_of(clone(estimator).fit(X, sample_weight=weight))
    tables = [(at_offset(X, n), at_offset(weight, n)) for n in (0, 4, 8, 24, 40, 56)]
    tables += [(received(X), received(weight)), (np.asfortranarray(X), weight)]
    for rows, weights in tables:
        found = arrays_of(clone(estimator).fit(rows, sample_weight=weights))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_scratch_is_aligned():
    scratch = Scratch()
    for size in (1, 7, 1000):
        array = scratch.array(f"of {size}", (size,))
        assert array.ctypes.data % ALIGNMENT == 0


@pytest.mark.nightly
def test_twenty_processes_agree_to_the_bit():
    code = SCRIPT.format(tests=str(Path(__file__).parent))

    def printed(_):
        command = [sys.executable, "-W", "ignore", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    with ThreadPoolExecutor(2) as executor:
        processes = list(executor.map(printed, range(20)))
    assert len({process.stdout for process in processes}) == 1
    n_fits = len(ESTIMATORS) + len(ON_MANY_ROWS)
    assert len(processes[0].stdout.split()) == n_fits
