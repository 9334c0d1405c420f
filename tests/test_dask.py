"""Dask collections: what memory finds, wherever the partitions are."""

import subprocess
import sys
from collections import Counter

import cloudpickle
import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from conftest import ONE_OF_EACH, read_only
from dask.local import get_sync
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityImputer,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

pytestmark = pytest.mark.filterwarnings(
    # Fits are as long as they need to be to show what they should.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)
N_ROWS = 120
CHUNKS = {
    "one": (N_ROWS,),
    "even": (40, 40, 40),
    "uneven": (1, 0, 50, 2, 67, 0),
    "single": (1,) * N_ROWS,
}
GAUSSIANS = [
    GaussianMLE(),
    CholeskyGaussian(max_iter=4, tol=None),
    EMGaussianMixture(3, max_iter=5, tol=0, random_state=0),
    AdamGaussianMixture(3, max_iter=4, tol=None, random_state=0),
]
# Every method that has a value for each row, and those who have it.
METHODS = ["score_samples", "gradient", "cdf", "sf"]
MIXTURE_METHODS = ["predict", "predict_proba", "predict_log_proba", "score_components"]


@pytest.fixture(autouse=True)
def _one_thread_by_default():
    """Without threads, where no test asks for them."""
    with dask.config.set(scheduler="sync"):
        yield


@pytest.fixture(scope="module")
def table():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N_ROWS, 3)) + 3 * rng.randint(3, size=(N_ROWS, 1))
    return read_only(X)


@pytest.fixture(scope="module")
def weight():
    weight = np.random.RandomState(1).uniform(size=N_ROWS)
    weight[::7] = 0
    return read_only(weight)


@pytest.fixture(scope="module")
def holed(table):
    X = table.copy()
    rng = np.random.RandomState(2)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    X[5] = np.nan
    return read_only(X)


def array_of(X, chunks):
    """A Dask array of rows."""
    return da.from_array(X, chunks=(chunks, *X.shape[1:]))


def frame_of(X, chunks, weight=None):
    """A Dask data frame of rows, and a series of their weights."""
    frame = pd.DataFrame(X, columns=list("abcdefgh"[: X.shape[1]]))
    frame["weight"] = 1.0 if weight is None else weight
    ends = np.cumsum(chunks)
    parts = [
        dask.delayed(frame.iloc[end - size : end])
        for size, end in zip(chunks, ends, strict=True)
    ]
    whole = dd.from_delayed(parts, meta=frame.iloc[:0])
    return whole.drop(columns="weight"), whole["weight"]


def assert_fits_agree(one, other, rtol=1e-9):
    for name in one._told_by:
        expected = getattr(other, name)
        scale = np.abs(expected).max()
        found = getattr(one, name)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("estimator", GAUSSIANS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("kind", ["complete", "weighted", "holed"])
def test_partitions_are_fitted_as_memory_is(table, holed, weight, estimator, kind):
    X, w = (holed if kind == "holed" else table), weight
    if kind == "complete":
        w = None
    expected = clone(estimator).fit(X, sample_weight=w)
    chunks = CHUNKS["uneven"]
    parted = None if w is None else array_of(w, chunks)
    found = clone(estimator).fit(array_of(X, chunks), sample_weight=parted)
    assert_fits_agree(found, expected)
    frame, series = frame_of(X, chunks, w)
    found = clone(estimator).fit(frame, sample_weight=None if w is None else series)
    assert_fits_agree(found, expected)
    assert list(found.feature_names_in_) == ["a", "b", "c"]


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_no_partition_is_better_than_another(table, weight, chunks):
    mixture = EMGaussianMixture(3, max_iter=2, tol=1e3, random_state=0)
    expected = clone(mixture).fit(table, sample_weight=weight)
    found = clone(mixture).fit(array_of(table, chunks), None, array_of(weight, chunks))
    assert_fits_agree(found, expected)


def test_the_sample_of_a_start_is_that_of_memory():
    # More rows than a start looks at.
    X = np.random.RandomState(0).standard_normal((25_000, 1)) ** 3
    mixture = EMGaussianMixture(2, max_iter=2, tol=0, random_state=0)
    expected = clone(mixture).fit(X)
    assert_fits_agree(clone(mixture).fit(array_of(X, (5_000,) * 5)), expected)


@pytest.mark.parametrize("estimator", GAUSSIANS, ids=lambda e: type(e).__name__)
def test_float32_stays(table, estimator):
    X = table.astype(np.float32)
    found = clone(estimator).fit(array_of(X, CHUNKS["even"]))
    assert getattr(found, found._told_by[0]).dtype == np.float32
    values = found.score_samples(array_of(X, CHUNKS["even"]))
    assert values.dtype == values.compute().dtype == np.float32


def test_partitions_of_unknown_length_are_fitted(table):
    X, _ = frame_of(table, CHUNKS["uneven"])
    assert_fits_agree(
        GaussianMLE().fit(X.to_dask_array()), GaussianMLE().fit(np.array(table))
    )


def test_batches_are_consecutive_rows(table):
    descent = CholeskyGaussian(
        max_iter=1, tol=None, batch_size=40, location_init=table.mean(axis=0)
    )
    blocks = array_of(table, (40, 20, 60))
    steps = clone(descent).set_params(batch_size=None)
    for batch in np.split(table, [40, 80]):
        steps.fit(batch).set_params(warm_start=True)
    np.testing.assert_allclose(clone(descent).fit(blocks).location_, steps.location_)


# ---- Evaluation ----


@pytest.fixture(params=ONE_OF_EACH, ids=lambda e: type(e).__name__)
def fitted(request, table):
    return clone(request.param).fit(table[:, :1])


def methods_of(estimator):
    own = [method for method in MIXTURE_METHODS if hasattr(estimator, method)]
    return [*METHODS, *own, *["impute"] * hasattr(estimator, "impute")]


@pytest.mark.parametrize("chunks", [CHUNKS["even"], CHUNKS["uneven"]])
def test_every_method_answers_as_for_an_array(fitted, table, chunks):
    X = table[:, :1]
    frame, _ = frame_of(X, chunks)
    named = clone(fitted).fit(frame.compute())
    for method in methods_of(fitted):
        expected = getattr(fitted, method)(X)
        for density, parted in [(fitted, array_of(X, chunks)), (named, frame)]:
            lazy = getattr(density, method)(parted)
            assert isinstance(lazy, da.Array)
            assert (lazy.ndim, lazy.dtype) == (expected.ndim, expected.dtype)
            assert type(lazy._meta) is np.ndarray
            np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_shapes_are_known_before_values(table):
    mixture = EMGaussianMixture(2, random_state=0).fit(table)
    X = array_of(table, CHUNKS["even"])
    with dask.config.set(scheduler=_never):
        assert mixture.predict_proba(X).chunks == (CHUNKS["even"], (2,))
        assert mixture.score_samples(X).chunks == (CHUNKS["even"],)
        assert mixture.gradient(X).chunks == (CHUNKS["even"], (3,))
        assert mixture.predict(X).dtype == np.intp


@pytest.mark.parametrize("q", [0.1, [0.1, 0.9]], ids=str)
def test_conditionals_of_rows_with_holes(table, holed, q):
    density = GaussianMLE().fit(table)
    frame, _ = frame_of(holed, CHUNKS["uneven"])
    named = clone(density).fit(frame_of(table, CHUNKS["uneven"])[0])
    expected = density.conditional_quantile(holed, q, features=[2, 0])
    parted = array_of(holed, CHUNKS["uneven"])
    for model, X in [(density, parted), (named, frame)]:
        lazy = model.conditional_quantile(X, q, features=[2, 0])
        assert lazy.ndim == expected.ndim
        np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)
    std = density.conditional_std(parted)
    np.testing.assert_allclose(std.compute(), density.conditional_std(holed))


def _never(*args, **kwargs):
    raise AssertionError("something was computed")


def test_labels_of_a_fit_are_lazy_too(table):
    mixture = EMGaussianMixture(2, random_state=0)
    labels = mixture.fit_predict(array_of(table, CHUNKS["even"]))
    assert isinstance(labels, da.Array)
    np.testing.assert_array_equal(labels.compute(), clone(mixture).fit_predict(table))


def test_what_is_asked_for_later_is_of_the_fit_then(table):
    density = GaussianMLE().fit(table)
    expected = density.score_samples(table)
    lazy = density.score_samples(array_of(table, CHUNKS["even"]))
    density.fit(table + 1)
    np.testing.assert_array_equal(lazy.compute(), expected)


@pytest.mark.parametrize("method", ["score", "aic", "bic", "icl"])
def test_sums_over_partitions_are_numbers(table, holed, weight, method):
    mixture = EMGaussianMixture(2, random_state=0).fit(table)
    ask = getattr(mixture, method)
    for X, w in [(table, None), (holed, None), (holed, weight)]:
        parted = None if w is None else array_of(w, CHUNKS["uneven"])
        found = ask(array_of(X, CHUNKS["uneven"]), sample_weight=parted)
        np.testing.assert_allclose(found, ask(X, sample_weight=w), rtol=1e-12)
        assert isinstance(found, float)


def test_draws_of_partitions_are_their_own(table):
    density = GaussianMLE().fit(table)
    X = np.full((60, 3), np.nan)
    X[:, 0] = 1.0
    parted = array_of(X, (20, 20, 20))
    drawn = density.impute(parted, sample=True, random_state=0).compute()
    again = density.impute(parted, sample=True, random_state=0).compute()
    np.testing.assert_array_equal(drawn, again)
    assert len(np.unique(drawn[:, 1])) == len(X)


@pytest.mark.parametrize("chunks", [CHUNKS["even"], CHUNKS["uneven"]])
def test_conditional_quantiles_have_an_axis_of_their_own(table, chunks):
    X = np.where(np.arange(table.shape[1]) == 1, np.nan, table)
    frame, _ = frame_of(X, chunks)
    density = GaussianMLE().fit(table)
    named = clone(density).fit(pd.DataFrame(table, columns=frame.columns))
    for q in (0.3, [0.3], [0.1, 0.5, 0.9]):
        expected = density.conditional_quantile(X, q)
        for fitted, parted in ((density, array_of(X, chunks)), (named, frame)):
            lazy = fitted.conditional_quantile(parted, q)
            assert lazy.shape[1:] == expected.shape[1:]
            np.testing.assert_array_equal(lazy.compute(), expected)


def test_values_join_the_frame_that_they_are_of(table):
    frame, _ = frame_of(table, CHUNKS["even"])
    density = GaussianMLE().fit(frame)
    joined = frame.assign(log_density=density.score_samples(frame)).compute()
    np.testing.assert_allclose(
        joined["log_density"], density.score_samples(frame.compute())
    )


def test_files_of_which_little_is_read_keep_their_partitions(table, tmp_path):
    # Dask reads several of them in one task.
    whole = pd.DataFrame(table, columns=["a", "b", "c"])
    for number in range(3):
        whole[number::3].to_parquet(tmp_path / f"{number}.parquet")
    frame = dd.read_parquet(tmp_path, columns=["a"])
    density = GaussianMLE().fit(frame)
    found = frame.assign(log_density=density.score_samples(frame)).compute()
    expected = GaussianMLE().fit(whole[["a"]]).score_samples(found[["a"]])
    np.testing.assert_allclose(found["log_density"], expected)


# ---- Graphs ----


class Recorder:
    """A scheduler that counts what it is given: bytes of graphs, and tasks."""

    def __init__(self):
        self.sizes, self.n_tasks = [], []

    def __call__(self, dsk, keys, **kwargs):
        self.sizes.append(len(cloudpickle.dumps(dsk)))
        # Dask before 2025 gives the graph itself.
        self.n_tasks.append(len(getattr(dsk, "__dask_graph__", lambda: dsk)()))
        return get_sync(dsk, keys, **kwargs)


def test_graphs_are_small():
    n_blocks, n_components, n_features = 400, 50, 50
    rng = np.random.RandomState(0)
    means = rng.standard_normal((n_components, n_features))
    covariances = np.stack([np.cov(rng.standard_normal((n_features, 100)))] * 50)
    mixture = EMGaussianMixture.from_parameters(
        np.full(n_components, 1 / n_components), means, covariances
    ).set_params(warm_start=True, max_iter=1, tol=0, reg_covar=1e-3)
    X = da.random.RandomState(0).normal(size=(800, n_features), chunks=(2, n_features))
    recorder = Recorder()
    with (
        dask.config.set(scheduler=recorder),
        pytest.warns(UserWarning, match="reg_covar"),
    ):
        mixture.fit(X)
    assert max(recorder.sizes) < 2.5e6
    # A task for each block, its rows, and those of the tree.
    assert max(recorder.n_tasks) < 2.25 * n_blocks


def test_passes_of_one_fit(table):
    recorder = Recorder()
    mixture = EMGaussianMixture(2, max_iter=3, tol=0, random_state=0)
    with dask.config.set(scheduler=recorder):
        mixture.fit(array_of(table, CHUNKS["even"]))
    n_passes = len(recorder.sizes)
    # The sample, which tells what rows are besides; their moments; and three steps.
    assert n_passes == 1 + 1 + 3


def test_threads_agree_to_the_bit(table):
    X = array_of(table, (4,) * 30)
    mixture = EMGaussianMixture(3, max_iter=5, tol=1e-9, random_state=0)
    one = clone(mixture).fit(X)
    with dask.config.set(scheduler="threads", num_workers=4):
        other = clone(mixture).fit(X)
    assert_same(one, other)


def assert_same(one, other):
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.lower_bounds_ == other.lower_bounds_


def test_tasks_work_alone(table, monkeypatch):
    started = Counter()
    monkeypatch.setattr(
        "skdensity.passes.workspace.ThreadPoolExecutor",
        lambda *args, **kwargs: started.update(["pool"]) or _never(),
    )
    X = array_of(np.repeat(table, 1000, axis=0), (N_ROWS * 1000,))
    mixture = EMGaussianMixture.from_parameters([1.0], np.zeros((1, 3)), [np.eye(3)])
    mixture.set_params(n_jobs=4).score(X)
    mixture.score_samples(X).compute()
    assert not started


# ---- What is wrong ----


def test_features_in_pieces_are_refused(table):
    X = da.from_array(table, chunks=(40, 2))
    with pytest.raises(ValueError, match=r"X\.rechunk\(\{1: -1\}\)"):
        GaussianMLE().fit(X)
    density = GaussianMLE().fit(table)
    with pytest.raises(ValueError, match=r"X\.rechunk\(\{1: -1\}\)"):
        density.score_samples(X)


@pytest.mark.parametrize("parts", [(60, 60), (40, 60, 20)])
def test_weights_in_other_partitions_are_refused(table, weight, parts):
    X = array_of(table, CHUNKS["even"])
    with pytest.raises(ValueError, match=r"repartition.*weight\.rechunk"):
        GaussianMLE().fit(X, sample_weight=array_of(weight, parts))


def test_weights_of_a_frame_in_other_partitions_are_refused(table, weight):
    X, _ = frame_of(table, CHUNKS["even"])
    _, series = frame_of(table, (60, 60), weight)
    with pytest.raises(ValueError, match=r"repartition.*column of the frame"):
        GaussianMLE().fit(X, sample_weight=series)


def test_weights_of_other_lengths_are_found_in_the_task(table, weight):
    X, _ = frame_of(table, CHUNKS["even"])
    _, series = frame_of(table, (40, 60, 20), weight)
    with pytest.raises(ValueError, match=r"partition [12]: .*sample_weight"):
        GaussianMLE().fit(X, sample_weight=series)


def test_weights_in_memory_are_refused(table, weight):
    with pytest.raises(TypeError, match=r"sample_weight.*from_array"):
        GaussianMLE().fit(array_of(table, CHUNKS["even"]), sample_weight=weight)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_found_in_the_first_pass(table, value):
    X = table.copy()
    X[50, 1] = value
    density = GaussianMLE().fit(table)
    before = dict(vars(density))
    recorder = Recorder()
    with (
        dask.config.set(scheduler=recorder),
        pytest.raises(ValueError, match=r"block 1: .*infinity"),
    ):
        density.fit(array_of(X, CHUNKS["even"]))
    assert len(recorder.sizes) == 1
    assert vars(density) == before


def test_negative_weights_are_found_with_their_block(table, weight):
    w = weight.copy()
    w[100] = -1
    X = array_of(table, CHUNKS["even"])
    with pytest.raises(ValueError, match=r"block 2: .*non-negative"):
        GaussianMLE().fit(X, sample_weight=array_of(w, CHUNKS["even"]))


def test_other_features_are_refused_without_a_pass(table):
    density = GaussianMLE().fit(table)
    X = array_of(table[:, :2], CHUNKS["even"])
    with dask.config.set(scheduler=_never):
        with pytest.raises(ValueError, match="2 features"):
            density.score_samples(X)
        named, _ = frame_of(table, CHUNKS["even"])
        density = GaussianMLE().fit(named.rename(columns={"a": "z"})._meta_nonempty)
        with pytest.raises(ValueError, match="feature names"):
            density.score_samples(named)


def test_kernels_keep_rows_and_are_fitted_to_arrays(table):
    with pytest.raises(TypeError, match=r"X\.compute\(\)"):
        LOOKernelDensity().fit(array_of(table, CHUNKS["even"]))
    with pytest.raises(TypeError, match=r"X\.compute\(\)"):
        DensityImputer(GaussianMLE()).fit(array_of(table, CHUNKS["even"]))


def test_a_stream_takes_one_partition_at_a_time(table):
    chunks = CHUNKS["even"]
    for X in array_of(table, chunks), frame_of(table, chunks)[0]:
        stream = GaussianMLE()
        with pytest.raises(TypeError, match=r"X\.partitions\[number\]\.compute\(\)"):
            stream.partial_fit(X)
        assert vars(stream) == vars(GaussianMLE())
        for number in range(X.npartitions):
            stream.partial_fit(X.partitions[number].compute())
        assert_fits_agree(stream, GaussianMLE().fit(table))


def test_no_rows_at_all(table):
    empty = array_of(table[:0], (0,))
    with pytest.raises(ValueError, match="no rows"):
        GaussianMLE().fit(empty)
    with pytest.raises(ValueError, match="no rows"):
        GaussianMLE().fit(table).score(empty)


@pytest.mark.parametrize("shape", [(10,), (2, 5, 3)])
def test_other_than_two_axes(shape):
    with pytest.raises(ValueError, match="2D array"):
        GaussianMLE().fit(da.zeros(shape))


def test_a_series_is_no_table(table):
    _, series = frame_of(table, CHUNKS["even"])
    with pytest.raises(ValueError, match="to_frame"):
        GaussianMLE().fit(series)


@pytest.mark.slow
def test_who_uses_no_dask_imports_none():
    code = (
        "import sys; from skdensity import GaussianMLE; "
        "GaussianMLE().fit([[0.0], [1.0]]).score([[0.5]]); "
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
