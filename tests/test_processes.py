"""Threads, forks and fresh processes: the same results, no more threads than asked."""

import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from states import assert_same, state_of
from threadpoolctl import threadpool_info

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityClassifier,
    DensityImputer,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.passes import blocks

X = np.random.RandomState(0).standard_normal((600, 2))
X[:200] += 4
LABELS = (X[:, 0] > 2).astype(int)
ESTIMATORS = [
    GaussianMLE(),
    CholeskyGaussian(max_iter=5, tol=None),
    EMGaussianMixture(2, random_state=0),
    AdamGaussianMixture(2, max_iter=5, tol=None, random_state=0),
    LOOKernelDensity(),
    DensityClassifier(),
    DensityImputer(GaussianMLE()),
]
START_METHODS = multiprocessing.get_all_start_methods()


def fitted(estimator):
    return clone(estimator).fit(X, LABELS)


def asked(estimator):
    """What a fitted estimator says of the rows."""
    names = ("score_samples", "transform")
    (ask, *_) = (name for name in names if hasattr(estimator, name))
    return getattr(estimator, ask)(X)


def fitted_and_asked(estimator):
    one = fitted(estimator)
    return one, asked(one)


@pytest.fixture(params=ESTIMATORS, ids=repr)
def estimator(request):
    return request.param


def assert_as_expected(found, estimator):
    expected = fitted(estimator)
    for one, values in found:
        assert_same(state_of(one), state_of(expected))
        np.testing.assert_array_equal(values, asked(expected))


def test_fits_in_several_threads_at_once_are_the_same(estimator):
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(fitted_and_asked, [estimator] * 8))
    assert_as_expected(found, estimator)


def test_a_fitted_estimator_answers_many_threads(estimator):
    one = fitted(estimator)
    with ThreadPoolExecutor(8) as executor:
        values = list(executor.map(asked, [one] * 16))
    assert_as_expected([(one, value) for value in values], estimator)


@pytest.mark.parametrize("method", START_METHODS)
def test_children_of_every_kind_fit_and_answer(method, monkeypatch):
    several = [clone(one).set_params(n_jobs=2) for one in ESTIMATORS[:5]]
    # After fits with threads here, which a fork must not miss.
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**10)
    for one in several:
        fitted(one)
    monkeypatch.undo()
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        results = list(pool.map(fitted_and_asked, several, timeout=300))
    for one, found in zip(several, results, strict=True):
        assert_as_expected([found], one)


class Watched(EMGaussianMixture):
    """A mixture that looks at the threads of its process while it fits."""

    def _store(self, run, dtype):
        super()._store(run, dtype)
        self.n_threads_ = sum(
            "ThreadPoolExecutor" in thread.name for thread in threading.enumerate()
        )
        self.n_blas_ = max(
            library["num_threads"]
            for library in threadpool_info()
            if library["user_api"] == "blas"
        )


def threads_inside(n_jobs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", 2**10)  # so that there is work to share
        fit = Watched(2, random_state=0, n_jobs=n_jobs).fit(X)
    return fit.n_threads_, fit.n_blas_


def test_nested_jobs_do_not_use_more_than_was_asked():
    asked_for = [None, 1, 2]
    found = Parallel(n_jobs=joblib.cpu_count())(
        delayed(threads_inside)(n_jobs) for n_jobs in asked_for
    )
    # As many workers as cores: without a number each has its own thread alone.
    for (n_threads, n_blas), own in zip(found, [0, 0, 2], strict=True):
        assert (n_threads, n_blas) == (own, 1)


# Rows for minutes of EM; the parent presses Ctrl-C when it has seen some iterations.
LONG = """
import signal, threading
import numpy as np
from threadpoolctl import threadpool_info
from skdensity import EMGaussianMixture
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs of a shell ignore it
def blas():
    return [l["num_threads"] for l in threadpool_info() if l["user_api"] == "blas"]
X = np.random.RandomState(0).standard_normal((20_000, 4))
mixture = EMGaussianMixture(
    5, tol=0, max_iter=10**6, random_state=0, init_params="random_from_data",
    verbose=1, verbose_interval=1, n_jobs=2,
)
before = blas()
try:
    mixture.fit(X)
except KeyboardInterrupt as error:
    assert blas() == before
    assert threading.active_count() == 1
    assert mixture.n_iter_ == len(mixture.lower_bounds_) > 0
    assert mixture.score(X) >= mixture.lower_bound_ - 1e-9
    print("kept", error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are for consoles there")
def test_ctrl_c_of_a_terminal_keeps_what_was_reached():
    process = subprocess.Popen(
        [sys.executable, "-u", "-W", "ignore", "-c", LONG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("  Iteration 3"):
            process.send_signal(2)
            break
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "kept EMGaussianMixture was interrupted after" in out
