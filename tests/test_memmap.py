"""Mapped arrays: the same as arrays, a piece at a time in memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.densities.tables import mapped_table
from skdensity.densities.tables.kinds import table_of
from skdensity.rows import block_rows

ESTIMATORS = [
    GaussianMLE(),
    CholeskyGaussian(max_iter=30, tol=None),
    EMGaussianMixture(2, random_state=0),
    EMGaussianMixture(2, random_state=0, covariance_type="diag"),
    AdamGaussianMixture(2, random_state=0, max_iter=20, tol=None),
]
METHODS = ["score_samples", "predict", "predict_proba", "score_components", "impute"]
N_ROWS = 500


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces of 70 rows, so that small tables have many."""
    for module in (block_rows, mapped_table):
        monkeypatch.setattr(module, "PIECE_BYTES", 70 * 3 * 8)


@pytest.fixture
def table():
    X = np.random.RandomState(0).standard_normal((N_ROWS, 3))
    X[::2] += [3, 0, 1]
    return X


@pytest.fixture
def weight():
    weight = np.random.RandomState(1).uniform(size=N_ROWS)
    weight[:100] = 0
    return weight


def with_holes(X):
    return np.where(np.random.RandomState(2).uniform(size=X.shape) < 0.2, np.nan, X)


def mapped(X, path, mode="r"):
    np.save(path, X)
    return np.load(path, mmap_mode=mode)


@pytest.mark.parametrize("has_holes", [False, True])
@pytest.mark.parametrize("has_weights", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_mapped_array_is_the_array(
    estimator, has_weights, has_holes, table, weight, tmp_path
):
    X, own = with_holes(table) if has_holes else table, weight if has_weights else None
    expected = clone(estimator).fit(X, sample_weight=own)
    file = mapped(X, tmp_path / "X.npy")
    in_file = None if own is None else mapped(own, tmp_path / "weight.npy")
    found = clone(estimator).fit(file, sample_weight=in_file)
    for name in estimator._told_by:
        value = getattr(expected, name)
        scale = np.abs(value).max()
        np.testing.assert_allclose(getattr(found, name), value, atol=1e-9 * scale)
    score = expected.score(X, sample_weight=own)
    assert found.score(file, sample_weight=in_file) == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_arrays(method, table, tmp_path):
    mixture = EMGaussianMixture(2, random_state=0).fit(table)
    X = with_holes(table)
    found = getattr(mixture, method)(mapped(X, tmp_path / "X.npy"))
    expected = getattr(mixture, method)(X)
    assert type(found) is np.ndarray
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_any_numbers_in_any_order(order, dtype, table, tmp_path):
    X = np.asarray(10 * table, dtype, order=order)
    found = GaussianMLE().fit(mapped(X, tmp_path / "X.npy"))
    expected = GaussianMLE().fit(X)
    np.testing.assert_allclose(found.covariance_, expected.covariance_, rtol=1e-6)
    assert found.covariance_.dtype == expected.covariance_.dtype
    answer = found.score_samples(mapped(X, tmp_path / "X.npy"))
    assert answer.dtype == expected.score_samples(X).dtype


def test_a_kernel_density_keeps_its_rows(table, tmp_path):
    file = mapped(table[:, :1], tmp_path / "X.npy")
    density = LOOKernelDensity().fit(file)
    expected = LOOKernelDensity().fit(table[:, :1])
    np.testing.assert_array_equal(density.locations_, expected.locations_)
    np.testing.assert_allclose(
        density.score_samples(file), expected.score_samples(table[:, :1]), atol=1e-6
    )


@pytest.mark.parametrize("has_holes", [False, True])
@pytest.mark.parametrize("has_weights", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_mapped_batch_is_a_batch(
    estimator, has_weights, has_holes, table, weight, tmp_path
):
    # The first rows wait for others, those that follow still do with 8 components.
    X = with_holes(table) if has_holes else table
    own = weight[::-1] if has_weights else None
    batches = [slice(20), slice(20, 250), slice(250, N_ROWS)]
    if "n_components" in estimator.get_params():
        estimator = clone(estimator).set_params(n_components=8)
    found, expected = clone(estimator), clone(estimator)
    for batch in batches:
        some = None if own is None else own[batch]
        expected.partial_fit(X[batch], sample_weight=some)
        file = mapped(X[batch], tmp_path / f"{batch.stop}.npy")
        found.partial_fit(file, sample_weight=some)
    assert found.n_samples_seen_ == expected.n_samples_seen_
    for name in estimator._told_by:
        value = getattr(expected, name)
        # What is 0 but for rounding, 1e-15, Adam divides by 1e-8.
        np.testing.assert_allclose(getattr(found, name), value, atol=1e-6)


def test_what_is_read_is_let_go_of_and_stays(table, tmp_path):
    # Private changes, and those not yet written, are nowhere else.
    for mode in ("c", "r+"):
        file = mapped(table, tmp_path / "X.npy", mode)
        file += 1
        found = GaussianMLE().fit(file)
        np.testing.assert_array_equal(file, table + 1)
        np.testing.assert_allclose(found.location_, (table + 1).mean(axis=0))


def test_small_maps_are_arrays(table, tmp_path):
    file = mapped(table[:70], tmp_path / "X.npy")
    assert type(table_of(file)) is type(table_of(table))
    assert type(table_of(mapped(table, tmp_path / "Y.npy"))) is not type(
        table_of(table)
    )


@pytest.mark.parametrize(("value", "place"), [(np.inf, 3), (-np.inf, 3), (1e200, None)])
def test_errors_name_the_rows(value, place, table, tmp_path):
    X = table.copy()
    X[250, 1] = value
    density = GaussianMLE().fit(table)
    before = dict(vars(density))
    message = "In rows 210 to 279: Input X contains infinity"
    if place is None:
        message = "Feature 1 has values up to 1e[+]200, whose squares overflow"
    with pytest.raises(ValueError, match=message):
        density.fit(mapped(X, tmp_path / "X.npy"))
    assert vars(density) == before


@pytest.mark.parametrize("weight", [np.ones(3), np.ones((N_ROWS, 1))])
def test_weights_are_as_many_as_the_rows(weight, table, tmp_path):
    file = mapped(table, tmp_path / "X.npy")
    for method in (GaussianMLE().fit, GaussianMLE().fit(table).score):
        with pytest.raises(ValueError, match=r"`sample_weight` has shape .*\(500,\)"):
            method(file, sample_weight=weight)


# ---- Memory, in a process of its own ----

N_BYTES = 256e6
# Resident bytes beyond those of the interpreter and the libraries.
LIMIT = 200e6
MEASURE = """
import json, re, sys, warnings
from pathlib import Path
import numpy as np
import pyarrow.dataset
from skdensity import EMGaussianMixture, RowBlocks

def resident(field):
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(field + r":\\s+(\\d+)", status)[1])

warnings.simplefilter("ignore")
few = np.random.RandomState(0).standard_normal((1000, 8))
EMGaussianMixture(3, random_state=0).fit(few).score(few)
before = resident("VmRSS")
kind, path = sys.argv[1:]
X = np.load(path, mmap_mode="r") if kind == "map" else RowBlocks.from_parquet(path)
mixture = EMGaussianMixture(3, random_state=0, max_iter=2).fit(X)
print(json.dumps([resident("VmHWM") - before, mixture.score(X)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="It reads /proc.")
@pytest.mark.parametrize("kind", ["map", "parquet"])
def test_large_tables_take_little_memory(kind, tmp_path):
    from pyarrow import parquet, table

    n_rows = int(N_BYTES / 64)
    path = tmp_path / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float64, (n_rows, 8))
    for i, rows in enumerate(np.array_split(np.arange(n_rows), 8)):
        X[rows] = np.random.RandomState(i).standard_normal((len(rows), 8))
        if kind == "parquet":
            columns = {f"f{j}": column for j, column in enumerate(X[rows].T)}
            (tmp_path / "parts").mkdir(exist_ok=True)
            parquet.write_table(
                table(columns),
                tmp_path / "parts" / f"{i}.parquet",
                row_group_size=131_072,
            )
    X.flush()
    source = path if kind == "map" else tmp_path / "parts"
    command = [sys.executable, "-c", MEASURE, kind, str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, score = json.loads(run.stdout)
    assert peak <= LIMIT
    # Of independent normal features: −d/2 (log 2π + 1), to some thousandths.
    assert score == pytest.approx(-4 * (np.log(2 * np.pi) + 1), abs=0.01)
