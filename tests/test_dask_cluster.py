"""Dask with workers of their own, which may die, on one machine."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pytest
from distributed import LocalCluster, SchedulerPlugin, wait
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skdensity import EMGaussianMixture

pytestmark = [
    pytest.mark.slow,  # processes take seconds to start
    # Of how Dask and Tornado close what they opened.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
N_BLOCKS, N_FEATURES, N_COMPONENTS = 20, 4, 3
# Of a record, besides its numbers.
OBJECT_BYTES = 4000


@pytest.fixture(scope="module")
def cluster():
    # Where workers take tasks from each other, rows may travel with them.
    settings = {"distributed.scheduler.work-stealing": False}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    with cluster.get_client() as client:
        client.wait_for_workers(2)
        yield client


def block(number, n_rows=500, deaths=None):
    """Rows that are made where they are needed; some evaluations are the last ones."""
    if deaths is not None:
        with open(deaths, "ab") as log:
            log.write(b".")
        if os.path.getsize(deaths) in (4, 9):
            os._exit(1)
    rng = np.random.RandomState(number)
    return rng.standard_normal((n_rows, N_FEATURES)) + 4 * rng.randint(
        3, size=(n_rows, 1)
    )


def table(n_rows=500, deaths=None):
    parts = [
        da.from_delayed(
            dask.delayed(block)(number, n_rows, deaths if number == 3 else None),
            shape=(n_rows, N_FEATURES),
            dtype=np.float64,
        )
        for number in range(N_BLOCKS)
    ]
    return da.concatenate(parts)


def mixture():
    return EMGaussianMixture(N_COMPONENTS, max_iter=8, tol=0, random_state=0)


def assert_same(one, other):
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.lower_bounds_ == other.lower_bounds_


@pytest.fixture(scope="module")
def expected():
    with dask.config.set(scheduler="sync"):
        return mixture().fit(table())


def test_threads_and_processes_agree_to_the_bit(expected):
    with dask.config.set(scheduler="threads", num_workers=3):
        assert_same(mixture().fit(table()), expected)
    with (
        ProcessPoolExecutor(2, get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        assert_same(mixture().fit(table()), expected)


def test_a_cluster_agrees_to_the_bit(client, expected):
    assert_same(mixture().fit(table()), expected)


def test_what_dies_with_a_worker_is_done_again(client, expected, tmp_path):
    deaths = tmp_path / "evaluations"
    found = mixture().fit(table(deaths=str(deaths)))
    # Both times in the middle of the fit, which evaluated the block again.
    assert os.path.getsize(deaths) > 9
    assert_same(found, expected)


class Results(SchedulerPlugin):
    """How large what tasks return is, as the scheduler is told; rows apart."""

    name = "results"

    def __init__(self):
        self.n_bytes = self.n_tasks = 0

    def transition(self, key, start, finish, *args, nbytes=None, **kwargs):
        name = key[0] if isinstance(key, tuple) else key
        is_rows = name.startswith(("block", "concatenate"))
        if (start, finish) == ("processing", "memory") and not is_rows:
            self.n_bytes += nbytes or 0
            self.n_tasks += 1


def results_of_a_fit(cluster, X, max_iter):
    """What the tasks of a fit return."""
    results = Results()
    cluster.scheduler.add_plugin(results)
    mixture().set_params(max_iter=max_iter).fit(X)
    cluster.scheduler.remove_plugin(results.name)
    return np.array([results.n_tasks, results.n_bytes])


def test_what_travels_does_not_grow_with_rows(client, cluster):
    tables = [table(n_rows).persist() for n_rows in (200, 20_000)]
    few, many = (
        results_of_a_fit(cluster, X, 3) - results_of_a_fit(cluster, X, 1)
        for X in tables
    )
    np.testing.assert_array_equal(many, few)
    # Of every block and of the tree a record of moments; and what tasks share.
    n_tasks, n_bytes = few
    record = 8 * N_COMPONENTS * (1 + N_FEATURES + N_FEATURES**2) + OBJECT_BYTES
    assert 0 < n_bytes <= n_tasks * record


@pytest.mark.parametrize("of_array", [lambda X: X, dd.from_dask_array])
def test_rows_stay_where_they_are(client, of_array):
    X = of_array(table(20_000)).persist()
    wait(X)
    mixture().set_params(max_iter=2).fit(X)
    logs = client.run(lambda dask_worker: list(dask_worker.transfer_incoming_log))
    moved = {str(key) for log in logs.values() for each in log for key in each["keys"]}
    assert moved
    assert not moved & {str(future.key) for future in client.futures_of(X)}


def test_a_search_runs_on_the_workers(client):
    X = block(0)
    search = GridSearchCV(mixture(), {"n_components": [1, 3]}, cv=2)
    expected = clone(search).fit(X)
    with joblib.parallel_config("dask"):
        found = clone(search).fit(X)
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert found.best_params_ == {"n_components": 3}


def test_values_are_computed_where_the_rows_are(client, expected):
    X = table()
    lazy = expected.score_samples(X)
    assert lazy.chunks == ((500,) * N_BLOCKS,)
    np.testing.assert_allclose(lazy.compute(), expected.score_samples(X.compute()))
