"""Threads: whose limits hold, how many work, and that they end."""

import gc
import linecache
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.passes import blocks, threads, workspace
from skdensity.passes.threads import BlasLimit, n_threads_for
from skdensity.passes.workspace import Workspace

# Enough for several blocks of pairs, too, which have a size of their own.
X = np.random.RandomState(0).standard_normal((1600, 2))
X[:500] += 4
ESTIMATORS = [
    GaussianMLE(),
    CholeskyGaussian(max_iter=5, tol=None),
    EMGaussianMixture(2, random_state=0),
    EMGaussianMixture(2, init_params="kmeans", random_state=0),
    AdamGaussianMixture(2, max_iter=5, tol=None, random_state=0),
    LOOKernelDensity(),
]


@pytest.fixture(params=ESTIMATORS, ids=repr)
def estimator(request):
    return clone(request.param)


@pytest.fixture(autouse=True)
def nothing_left_over():
    """What other tests left in cycles of references may hold BLAS, or let it go."""
    gc.collect()


@pytest.fixture
def small_blocks(monkeypatch):
    """So that there are some to share."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**10)


def blas_threads():
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


def waits_for(event):
    assert event.wait(timeout=30)


@pytest.mark.parametrize("first_out", ["first in", "second in"])
def test_the_last_holder_restores_what_the_first_one_found(first_out):
    before = blas_threads()
    limit = BlasLimit()
    inside = {name: threading.Event() for name in ("first in", "second in")}
    leave = {name: threading.Event() for name in inside}

    def hold(name):
        held = limit.hold()
        inside[name].set()
        waits_for(leave[name])
        held.release()

    with ThreadPoolExecutor(2) as executor:
        held = {}
        for name in inside:
            held[name] = executor.submit(hold, name)
            waits_for(inside[name])
        assert set(blas_threads()) == {1}
        leave[first_out].set()
        held[first_out].result()
        assert set(blas_threads()) == {1}, "one of them still works"
        last = next(name for name in inside if name != first_out)
        leave[last].set()
        held[last].result()
    assert blas_threads() == before


class OfThreads(threading.local):
    """A BLAS on top of OpenMP: every thread has a limit of its own."""

    num_threads = 4

    def set_num_threads(self, limit):
        self.num_threads = limit


def test_limits_of_threads_are_restored_by_each(monkeypatch):
    library = OfThreads()
    monkeypatch.setattr(threads, "_blas", lambda shared: [] if shared else [library])
    limit = BlasLimit()
    inside = [threading.Event() for _ in range(2)]
    leave = [threading.Event() for _ in range(2)]

    def hold(i):
        held = [limit.hold(), limit.hold()]
        inside[i].set()
        waits_for(leave[i])
        found = library.num_threads, limit.n_threads()
        for one in held:
            one.release()
        return *found, library.num_threads

    with ThreadPoolExecutor(2) as executor:
        held = [executor.submit(hold, i) for i in range(2)]
        for i in range(2):
            waits_for(inside[i])
        leave[0].set()
        assert held[0].result() == (1, 4, 4)
        leave[1].set()
        assert held[1].result() == (1, 4, 4)
    assert library.num_threads == 4
    with Workspace(2) as space:
        assert list(space.map(lambda _: library.num_threads, range(5))) == [1] * 5


# Run by an interpreter of their own: a fork copies whatever threads others left behind.
CHILD = """
import os
from threadpoolctl import threadpool_info
from skdensity.passes.threads import BlasLimit
def blas_threads():
    return [l["num_threads"] for l in threadpool_info() if l["user_api"] == "blas"]
before, limit = blas_threads(), BlasLimit()
held = limit.hold()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    found = [*blas_threads(), limit.n_threads()]
    again = limit.hold()
    found += set(blas_threads())
    again.release()
    os.write(writer, bytes([*found, *blas_threads()]))
    os._exit(0)
os.waitpid(child, 0)
assert list(os.read(reader, 9)) == [*before, min(before), 1, *before]
assert set(blas_threads()) == {1}
held.release()
assert blas_threads() == before
"""
CHILDREN_OF_WORKERS = """
import os, signal, threading
import numpy as np
from skdensity import EMGaussianMixture
X = np.random.RandomState(0).standard_normal((20, 2))
mixture, done = EMGaussianMixture(1).fit(X), threading.Event()
mixture.score_samples(X)  # what Python itself locks, once, is done then
def score_on():
    while not done.is_set():
        mixture.score_samples(X)
others = [threading.Thread(target=score_on) for _ in range(2)]
for other in others:
    other.start()
ends = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # so that a child that hangs is not one for ever
        mixture.score_samples(X)
        os._exit(0)
    ends.append(os.waitpid(child, 0)[1])
done.set()
assert not any(ends), ends
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("code", [CHILD, CHILDREN_OF_WORKERS], ids=["child", "workers"])
def test_children_have_their_blas_back(code):
    command = [sys.executable, "-W", "ignore", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr


# Python swallows an interrupt that comes while an object goes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_interrupted_is_restored():
    """Wherever it comes: before every line of ours, in turn."""
    before, mixture = blas_threads(), EMGaussianMixture(2, random_state=0).fit(X)
    tracer = sys.gettrace()  # of coverage
    ours = {threads.__file__, workspace.__file__}

    def interrupted_at(n):
        lines = iter(range(n + 1))

        def trace(frame, event, argument):
            path, line = frame.f_code.co_filename, frame.f_lineno
            # Python does not look for signals between a block and its lock's release.
            is_lock = linecache.getline(path, line).strip() == "with self._lock:"
            if path in ours and not is_lock and next(lines, n) == n:
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            mixture.score_samples(X[:20])
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(tracer)
        return False

    n = 0
    while interrupted_at(n):
        assert blas_threads() == before, n
        n += 1
    assert n > 50


def test_limits_of_others_are_left_as_they_are():
    before, limit = blas_threads(), BlasLimit()
    with threadpool_limits(1):
        held = limit.hold()
    held.release()
    assert blas_threads() == before


def test_a_limit_is_restored_after_an_error():
    before = blas_threads()

    def fail():
        with Workspace():
            assert set(blas_threads()) == {1}
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert blas_threads() == before


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_overlapping_fits_leave_blas_as_it_was():
    before = blas_threads()
    fits = [
        EMGaussianMixture(3, init_params=init, n_init=2, max_iter=20, random_state=i)
        for i in range(4)
        for init in ("kmeans", "small_em")
    ]
    expected = [clone(fit).fit(X).means_ for fit in fits]
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda fit: fit.fit(X).means_, fits))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert blas_threads() == before


def test_no_thread_is_left(small_blocks, estimator):
    before = set(threading.enumerate())
    estimator.set_params(n_jobs=2).fit(X).score_samples(X)
    assert set(threading.enumerate()) <= before


def test_the_number_of_threads_changes_no_bit(small_blocks, estimator):
    one, two = (clone(estimator).set_params(n_jobs=n).fit(X) for n in (1, 2))
    for name, value in vars(one).items():
        if name.endswith("_") and isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(two, name), value)
    np.testing.assert_array_equal(one.score_samples(X), two.score_samples(X))


def test_eight_threads_may_ask_at_once(estimator):
    estimator.fit(X)
    rows = [X[i::8] for i in range(8)]
    expected = [clone_of(estimator).score_samples(part) for part in rows]
    fresh = clone_of(estimator)
    start = threading.Barrier(8)

    def scores(part):
        start.wait(timeout=30)
        return fresh.score_samples(part)

    with ThreadPoolExecutor(8) as executor:
        for one, other in zip(executor.map(scores, rows), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def clone_of(estimator):
    """A fitted estimator without anything that was kept."""
    copy = clone(estimator)
    vars(copy).update(estimator.__getstate__())
    return copy


class TestNumberOfThreads:
    def test_a_number_is_that_number(self):
        assert n_threads_for(3) == 3
        assert n_threads_for(-1) == joblib.cpu_count()

    @pytest.mark.parametrize("limit", [1, 2])
    def test_none_is_what_blas_may_use(self, limit):
        with threadpool_limits(limit):
            # A library may have fewer threads than it is allowed.
            assert n_threads_for(None) == min(blas_threads())

    def test_the_smallest_of_several_libraries_counts(self):
        libraries = ThreadpoolController().select(user_api="blas")
        last = libraries.lib_controllers[-1]
        found = last.num_threads
        try:
            last.set_num_threads(1)
            assert n_threads_for(None) == 1
        finally:
            last.set_num_threads(found)

    def test_our_own_limit_is_no_limit(self):
        expected = n_threads_for(None)
        with Workspace():
            assert n_threads_for(None) == expected

    def test_without_a_blas_all_cores_count(self, monkeypatch):
        monkeypatch.setattr(threads, "_blas", lambda shared: [])
        assert n_threads_for(None) == joblib.cpu_count()

    @pytest.mark.parametrize("n_jobs", [1, 2, 3])
    def test_a_context_of_joblib_says_how_many(self, n_jobs):
        with parallel_config(n_jobs=n_jobs):
            assert n_threads_for(None) == n_jobs

    def test_workers_of_joblib_do_not_outnumber_the_cores(self):
        n_workers = joblib.cpu_count()
        counts = Parallel(n_jobs=n_workers)(
            delayed(n_threads_for)(None) for _ in range(n_workers)
        )
        assert set(counts) == {1}

    def test_the_environment_limits(self):
        code = (
            "from skdensity.passes.threads import n_threads_for;"
            "print(n_threads_for(None))"
        )
        environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == "1"


def fitted_with(limit):
    """How many threads a fit and its scores start, and what they find."""
    used = []

    class Watched(ThreadPoolExecutor):
        def __init__(self, n_threads, **options):
            used.append(n_threads)
            super().__init__(n_threads, **options)

    with pytest.MonkeyPatch.context() as patch, threadpool_limits(limit):
        patch.setattr(workspace, "ThreadPoolExecutor", Watched)
        patch.setattr(blocks, "BLOCK_BYTES", 2**10)  # so that there are some to share
        found = [
            clone(estimator).fit(X).score_samples(X)
            for estimator in (EMGaussianMixture(2, random_state=0), LOOKernelDensity())
        ]
    return set(used) or {1}, found


def test_none_follows_the_limits_in_force():
    expected = min(blas_threads())
    # As many workers as cores: each may use one.
    in_workers = Parallel(n_jobs=joblib.cpu_count())(
        delayed(fitted_with)(None) for _ in range(joblib.cpu_count())
    )
    limited, plain = fitted_with(1), fitted_with(None)
    assert limited[0] == {1}
    assert plain[0] == {expected}
    assert [n_threads for n_threads, _ in in_workers] == [{1}] * len(in_workers)
    for _, found in (limited, *in_workers):
        np.testing.assert_array_equal(found, plain[1])


def test_searches_of_scikit_learn_give_every_fit_a_thread():
    search = GridSearchCV(Counted(2), {"n_components": [1, 2]}, cv=2, n_jobs=-1)
    search.fit(X)
    assert set(search.cv_results_["mean_test_score"]) == {1}


class Counted(EMGaussianMixture):
    """A mixture whose score is the number of threads that it may use."""

    def score(self, X, y=None, sample_weight=None):
        return n_threads_for(self.n_jobs)


def test_nobody_is_an_error(estimator):
    before = dict(vars(estimator.set_params(n_jobs=0)))
    with pytest.raises(ValueError, match=r"n_jobs=0 leaves nobody"):
        estimator.fit(X)
    assert vars(estimator) == before


def test_what_waits_is_given_up_after_an_error(small_blocks):
    done = []

    def fail(i):
        if i == 0:
            raise KeyError
        done.append(i)
        time.sleep(0.01)

    with pytest.raises(KeyError), Workspace(2) as space:
        space.each(fail, range(1000))
    assert len(done) < 500


def test_a_workspace_works_without_threads_outside_of_its_context():
    space = Workspace(2)
    assert list(space.map(abs, [-1, 2, -3])) == [1, 2, 3]
    assert space._executor is None
    with space:
        assert list(space.map(abs, [-1, 2, -3])) == [1, 2, 3]
        assert space._executor is not None
    assert space._executor is None


@pytest.mark.parametrize("handling", ["raise", "warn", "ignore"])
def test_underflow_is_as_before_after_a_workspace_that_is_entered_twice(handling):
    with np.errstate(under=handling):
        with Workspace() as workspace, workspace:
            assert np.geterr()["under"] == "ignore"
        assert np.geterr()["under"] == handling
