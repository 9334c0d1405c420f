"""Rows in blocks: the same as in memory, however they are cut; and what is refused."""

import sys
from functools import partial
from itertools import pairwise
from threading import Event, active_count

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityDisplay,
    DensityImputer,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)
from skdensity.passes.ahead import read_ahead
from skdensity.rows import block_rows
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.block_rows import BlockRows
from skdensity.solvers.mixtures import starts

# Numbers of steps are compared, whatever they lead to.
pytestmark = pytest.mark.filterwarnings("ignore:.*max_iter:UserWarning")

N_ROWS = 300
# Rows of the blocks, from one for each to all in one, and empty ones among them.
CUTS = {
    "each": np.arange(N_ROWS + 1),
    "uneven": np.array([0, 0, 1, 7, 7, 130, 131, N_ROWS, N_ROWS]),
    "one": np.array([0, N_ROWS]),
}
ESTIMATORS = [
    GaussianMLE(),
    GaussianMLE(covariance_type="diag", reg_covar="auto"),
    CholeskyGaussian(max_iter=30, tol=None),
    EMGaussianMixture(2, random_state=0, max_iter=30, tol=0),
    EMGaussianMixture(3, random_state=0, covariance_type="diag"),
    EMGaussianMixture(2, random_state=0, covariance_type="tied", init_params="kmeans"),
    AdamGaussianMixture(2, random_state=0, max_iter=20, tol=None),
]
MIXTURES = ESTIMATORS[3:]


@pytest.fixture(scope="module")
def table():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N_ROWS, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0], [0, 0, 2]])
    X[::2] += 3
    return X


@pytest.fixture(scope="module")
def holed(table):
    is_missing = np.random.RandomState(1).uniform(size=table.shape) < 0.2
    is_missing[5] = True
    return np.where(is_missing, np.nan, table)


@pytest.fixture(scope="module")
def weight():
    weight = np.random.RandomState(2).uniform(size=N_ROWS)
    weight[:20] = 0  # the first blocks count for nothing
    return weight


def in_blocks(X, cuts, weight=None):
    """Blocks of a table, with weights if there are any."""

    def make_blocks():
        for begin, end in pairwise(cuts):
            if weight is None:
                yield X[begin:end]
            else:
                yield X[begin:end], weight[begin:end]

    return RowBlocks(make_blocks)


def told(estimator):
    return {name: getattr(estimator, name) for name in estimator._told_by}


def assert_same_fit(one, other, rtol=1e-9):
    for name, value in told(one).items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(getattr(other, name), value, atol=rtol * scale)
    if hasattr(one, "n_iter_"):
        assert one.n_iter_ == other.n_iter_
    assert one.n_features_in_ == other.n_features_in_


# ---- Blocks are the same as memory ----


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_fit_to_blocks_is_that_to_an_array(estimator, cuts, table):
    expected = clone(estimator).fit(table)
    found = clone(estimator).fit(in_blocks(table, cuts))
    assert_same_fit(expected, found)


@pytest.mark.parametrize("has_holes", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_weights_and_holes_are_what_they_are_in_memory(
    estimator, has_holes, table, holed, weight
):
    X = holed if has_holes else table
    expected = clone(estimator).fit(X, sample_weight=weight)
    blocks = in_blocks(X, CUTS["uneven"], weight)
    found = clone(estimator).fit(blocks)
    assert_same_fit(expected, found)
    assert found.score(blocks) == pytest.approx(
        expected.score(X, sample_weight=weight), abs=1e-9
    )


@pytest.mark.parametrize("mixture", MIXTURES, ids=str)
def test_a_sample_of_blocks_is_that_of_memory(mixture, table, weight, monkeypatch):
    # As if the table had many times more rows than a start looks at.
    monkeypatch.setattr(starts, "MAX_ROWS", 100)
    monkeypatch.setattr(starts, "ROWS_PER_COMPONENT", 1)
    expected = clone(mixture).fit(table, sample_weight=weight)
    found = clone(mixture).fit(in_blocks(table, CUTS["uneven"], weight))
    assert_same_fit(expected, found)


def test_a_sample_of_rows_with_holes_is_that_of_memory(holed, monkeypatch):
    monkeypatch.setattr(starts, "MAX_ROWS", 100)
    mixture = EMGaussianMixture(2, random_state=0)
    expected = clone(mixture).fit(holed)
    assert_same_fit(expected, clone(mixture).fit(in_blocks(holed, CUTS["uneven"])))


@pytest.mark.parametrize("kind", ["distinct", "copies", "few"])
def test_which_rows_are_sampled_depends_on_neither_cuts_nor_copies(kind, table):
    X = {
        "distinct": table,
        "copies": np.repeat(table, np.arange(N_ROWS) % 5 + 1, axis=0),
        "few": np.repeat(table[:20], 40, axis=0),
    }[kind]
    in_memory = ArrayRows(X).sample(50, np.random.RandomState(3))
    for cuts in ([0, len(X)], range(0, len(X) + 1, 10), [0, 0, 3, len(X)]):
        rows = BlockRows(lambda cuts=cuts: ((X[a:b], None) for a, b in pairwise(cuts)))
        found = rows.sample(50, np.random.RandomState(3))
        values, counts = np.unique(in_memory.X, axis=0, return_counts=True)
        places = np.unique(found.X, axis=0, return_inverse=True)[1]
        np.testing.assert_array_equal(np.unique(found.X, axis=0), values)
        np.testing.assert_allclose(
            np.bincount(places.ravel(), found.each_weight), counts
        )
        assert len(found.X) <= 2 * 50 or kind == "distinct"


def test_a_small_table_leaves_the_generator_as_memory_does(table):
    one, other = np.random.RandomState(0), np.random.RandomState(0)
    ArrayRows(table).sample(N_ROWS, one)
    BlockRows(lambda: iter([(table, None)])).sample(N_ROWS, other)
    assert one.randint(100) == other.randint(100)


def test_large_blocks_are_cut(holed, monkeypatch):
    expected = EMGaussianMixture(2, random_state=0).fit(holed)
    monkeypatch.setattr(block_rows, "PIECE_BYTES", 1000)
    blocks = in_blocks(holed, CUTS["one"])
    assert_same_fit(expected, EMGaussianMixture(2, random_state=0).fit(blocks))


def test_one_gaussian_takes_one_pass(table):
    n_passes = 0

    def make_blocks():
        nonlocal n_passes
        n_passes += 1
        yield from np.array_split(table, 7)

    for gaussian in (GaussianMLE(), CholeskyGaussian(max_iter=30, tol=None)):
        n_passes = 0
        gaussian.fit(RowBlocks(make_blocks))
        assert n_passes == 1, gaussian


def test_a_mixture_takes_two_passes_and_one_for_each_step(table):
    n_passes = 0

    def make_blocks():
        nonlocal n_passes
        n_passes += 1
        yield table

    EMGaussianMixture(2, random_state=0, max_iter=5, tol=0).fit(RowBlocks(make_blocks))
    assert n_passes == 2 + 5


def test_no_row_is_far_from_the_mean_of_its_block(table):
    # About the first row of all, seven digits of the covariance would cancel.
    X = np.concatenate([[[1e7, 1e7, 1e7]], table])
    weight = np.ones(len(X))
    weight[0] = 1e-15
    exact = GaussianMLE().fit(X, sample_weight=weight).covariance_
    blocks = in_blocks(X, [0, 100, 200, len(X)], weight)
    np.testing.assert_allclose(GaussianMLE().fit(blocks).covariance_, exact, rtol=1e-9)


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_batches_are_consecutive_rows_however_blocks_are_cut(cuts, holed, weight):
    rows = BlockRows(in_blocks(holed, cuts, weight).__iter__)
    batches, parts = zip(*rows.batches(64, None), strict=True)
    assert {batch.n_rows for batch in batches[:-1]} == {64}
    counts = (weight > 0) & ~np.isnan(holed).all(axis=1)
    X = np.concatenate([batch.X for batch in batches])
    np.testing.assert_array_equal(X, holed[counts])
    assert sum(parts) == pytest.approx(1)


@pytest.mark.parametrize(
    "estimator",
    [
        CholeskyGaussian(batch_size=100, tol=None, max_iter=3),
        EMGaussianMixture(2, n_stepwise_passes=1, max_iter=3, random_state=0),
    ],
    ids=str,
)
def test_steps_for_batches_do_not_depend_on_blocks(estimator, table):
    one, *others = (clone(estimator).fit(in_blocks(table, c)) for c in CUTS.values())
    for other in others:
        assert_same_fit(one, other)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_stream_takes_one_batch_at_a_time(estimator, table):
    stream = clone(estimator).partial_fit(table)
    before = dict(vars(stream))
    with pytest.raises(TypeError, match="for X, weight in blocks"):
        stream.partial_fit(in_blocks(table, CUTS["one"]))
    assert vars(stream) == before


def test_a_warm_start_goes_on(table):
    blocks = in_blocks(table, CUTS["uneven"])
    settings = {"tol": 0, "random_state": 0, "acceleration": None}
    whole = EMGaussianMixture(2, max_iter=8, **settings).fit(blocks)
    parts = EMGaussianMixture(2, max_iter=4, warm_start=True, **settings)
    parts.fit(blocks).fit(blocks)
    np.testing.assert_allclose(parts.means_, whole.means_, rtol=1e-12)


def test_threads_make_no_difference(table):
    blocks = in_blocks(table, CUTS["uneven"])
    one, two = (
        EMGaussianMixture(2, random_state=0, n_jobs=n_jobs).fit(blocks)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.means_, two.means_)


# ---- Answers come block by block ----


@pytest.mark.parametrize(
    "method",
    [
        "score_samples",
        "predict",
        "predict_proba",
        "predict_log_proba",
        "score_components",
        "gradient",
        "impute",
    ],
)
def test_answers_are_arrays_one_for_every_block(method, table):
    mixture = EMGaussianMixture(2, random_state=0).fit(table)
    answer, cuts = getattr(mixture, method), CUTS["uneven"]
    found = list(answer(in_blocks(table, cuts)))
    assert [len(block) for block in found] == np.diff(cuts).tolist()
    expected = answer(table)
    assert all(block.shape[1:] == expected.shape[1:] for block in found)
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-12, atol=1e-12)


def test_labels_of_a_fit_come_block_by_block(table):
    blocks = in_blocks(table, CUTS["uneven"])
    labels = EMGaussianMixture(2, random_state=0).fit_predict(blocks)
    expected = EMGaussianMixture(2, random_state=0).fit_predict(table)
    np.testing.assert_array_equal(np.concatenate(list(labels)), expected)


@pytest.mark.parametrize("criterion", ["aic", "bic", "icl"])
def test_criteria_count_rows_of_all_blocks(criterion, holed, weight):
    mixture = EMGaussianMixture(2, random_state=0).fit(holed)
    expected = getattr(mixture, criterion)(holed, weight)
    blocks = in_blocks(holed, CUTS["uneven"], weight)
    assert getattr(mixture, criterion)(blocks) == pytest.approx(expected, rel=1e-12)


def test_a_kernel_density_is_evaluated_at_blocks(table):
    density = LOOKernelDensity().fit(table[:, :1])
    blocks = in_blocks(table[:, :1], CUTS["uneven"])
    for method in ("score_samples", "gradient", "cdf"):
        answer = getattr(density, method)
        found = np.concatenate(list(answer(blocks)))
        np.testing.assert_allclose(found, answer(table[:, :1]), atol=1e-6)
    assert density.score(blocks) == pytest.approx(density.score(table[:, :1]))


def test_blocks_are_asked_for_as_answers_are(table):
    seen = []

    def make_blocks():
        for block in np.array_split(table, 3):
            seen.append(len(block))
            yield block

    answers = GaussianMLE().fit(table).score_samples(RowBlocks(make_blocks))
    assert seen == []
    next(answers)
    assert seen == [100]


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4")], ids=str)
def test_empty_blocks_have_no_dtype(dtypes, table):
    empty, others = (
        table[:n_rows].astype(t) for n_rows, t in zip((0, 90), dtypes, strict=True)
    )
    blocks = RowBlocks(lambda: iter([empty, others, empty]))
    density = GaussianMLE().fit(blocks)
    assert density.location_.dtype == others.dtype
    assert_same_fit(GaussianMLE().fit(others), density, rtol=1e-6)


def test_float32_stays(table):
    blocks = in_blocks(table.astype(np.float32), CUTS["uneven"])
    mixture = EMGaussianMixture(2, random_state=0).fit(blocks)
    assert mixture.means_.dtype == np.float32
    assert {block.dtype for block in mixture.score_samples(blocks)} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_blocks_may_be_frames(frame, table):
    def make_blocks():
        for block in np.array_split(table, 4):
            yield frame(dict(zip("abc", block.T, strict=True)))

    blocks = RowBlocks(make_blocks)
    density = GaussianMLE().fit(blocks)
    assert density.feature_names_in_.tolist() == ["a", "b", "c"]
    assert density.score(blocks) == pytest.approx(GaussianMLE().fit(table).score(table))
    assert sum(len(block) for block in density.score_samples(blocks)) == N_ROWS


# ---- Parquet ----


@pytest.fixture
def folder(tmp_path, holed, weight):
    """Two files of several row groups, with a column that is none of the features."""
    for i, rows in enumerate(np.array_split(np.arange(N_ROWS), 2)):
        columns = {
            name: pa.array(column, from_pandas=True)
            for name, column in zip("abc", holed[rows].T, strict=True)
        }
        labels = pa.array(["x"] * len(rows))
        columns = {"id": labels, **columns, "w": pa.array(weight[rows])}
        parquet.write_table(
            pa.table(columns), tmp_path / f"part-{i}.parquet", row_group_size=60
        )
    return tmp_path


def test_a_parquet_folder_is_its_table(folder, holed, weight):
    blocks = RowBlocks.from_parquet(
        folder, columns=["a", "b", "c"], batch_size=25, sample_weight="w"
    )
    assert max(len(X) for X, _ in blocks) == 25
    expected = EMGaussianMixture(2, random_state=0).fit(holed, sample_weight=weight)
    found = EMGaussianMixture(2, random_state=0).fit(blocks)
    assert_same_fit(expected, found)
    assert found.feature_names_in_.tolist() == ["a", "b", "c"]


def test_columns_come_in_the_order_that_is_asked_for(folder, holed):
    blocks = RowBlocks.from_parquet(folder / "part-0.parquet", columns=("c", "a"))
    rows = np.concatenate([np.asarray(X) for X, _ in blocks])
    np.testing.assert_array_equal(rows, holed[:150, [2, 0]])


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["float32", "float32"], np.float32),
        (["float32", "float64"], np.float64),
        (["int16", "bool"], np.float64),
    ],
)
def test_numbers_of_parquet_are_floats(tmp_path, kinds, expected):
    columns = {f"f{i}": np.arange(4).astype(kind) for i, kind in enumerate(kinds)}
    parquet.write_table(pa.table(columns), tmp_path / "table.parquet")
    ((X, _),) = RowBlocks.from_parquet(tmp_path)
    assert np.asarray(X).dtype == expected


def test_columns_that_are_no_numbers_are_named(folder):
    with pytest.raises(TypeError, match="'id' is of type string"):
        RowBlocks.from_parquet(folder)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"columns": ["a", "d"]}, ValueError, "no column 'd'; the files have"),
        ({"sample_weight": "d"}, ValueError, "no column 'd'; the files have"),
        ({"columns": "abc"}, TypeError, r"a list of them: \['abc'\]"),
        ({"columns": ["a", "a"]}, ValueError, "choose column 'a' twice"),
        ({"columns": [*"abab"]}, ValueError, "choose column 'a' twice"),
        ({"columns": ["w"], "sample_weight": "w"}, ValueError, "column 'w' twice"),
        ({"columns": []}, ValueError, "choose no column"),
        ({"columns": ["a"], "batch_size": 0}, ValueError, "batch_size == 0, must be"),
        ({"columns": ["a"], "batch_size": 2.5}, TypeError, "batch_size must be"),
    ],
    ids=str,
)
def test_choices_that_are_of_no_use_are_refused(choice, error, message, folder):
    with pytest.raises(error, match=message):
        RowBlocks.from_parquet(folder, **choice)


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no files in"):
        RowBlocks.from_parquet(tmp_path)


def test_the_index_of_a_frame_is_no_feature(tmp_path, table):
    # pandas writes any but a range as a column.
    frame = pd.DataFrame(table, columns=["a", "b", "c"]).sample(100, random_state=0)
    frame.to_parquet(tmp_path / "part.parquet")
    density = GaussianMLE().fit(RowBlocks.from_parquet(tmp_path))
    assert_same_fit(GaussianMLE().fit(frame), density)


def test_without_pyarrow_the_error_names_the_extra(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "pyarrow.dataset", None)
    with pytest.raises(ImportError, match=r"skdensity\[parquet\]"):
        RowBlocks.from_parquet(folder)


def test_without_pyarrow_blocks_are_read(monkeypatch, table):
    monkeypatch.delitem(sys.modules, "pyarrow")
    density = GaussianMLE().fit(in_blocks(table, CUTS["uneven"]))
    assert_same_fit(GaussianMLE().fit(table), density)


# ---- What is refused, and leaves the estimator as it was ----


def changed(block):
    return {
        "width": block[:, :2],
        "dtype": block.astype(np.float32),
        "inf": np.where(block == block[3, 1], np.inf, block),
        "names": pd.DataFrame(block, columns=["a", "b", "d"]),
        "text": np.full((2, 3), "x"),
        "times": np.zeros((2, 3), "datetime64[s]"),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("width", "In block 2: X has 2 features, but .* is expecting 3"),
        ("dtype", "In block 2: Its rows are of float32, and those before of float64"),
        ("inf", "In block 2: Input X contains infinity"),
        ("names", "In block 2: The feature names should match"),
        ("text", "In block 2: "),
        ("times", "In block 2: `X` holds times"),
    ],
)
@pytest.mark.parametrize(
    "estimator", [GaussianMLE(), EMGaussianMixture(2, random_state=0)], ids=str
)
def test_a_block_that_is_unlike_the_others_is_named(estimator, change, message, table):
    frames = change == "names"

    def make_blocks():
        for number, block in enumerate(np.array_split(table, 4)):
            frame = pd.DataFrame(block, columns=list("abc")) if frames else block
            yield changed(block)[change] if number == 2 else frame

    estimator = clone(estimator).fit(table)
    before = dict(vars(estimator))
    with pytest.raises((TypeError, ValueError), match=message):
        estimator.fit(RowBlocks(make_blocks))
    assert vars(estimator) == before


def test_a_block_that_has_no_answer_is_named(table):
    X = table.copy()
    X[130] = np.nan  # all of block 5
    answers = GaussianMLE().fit(table).gradient(in_blocks(X, CUTS["uneven"]))
    with pytest.raises(ValueError, match="In block 5: X contains NaN, first in row 0"):
        list(answers)


@pytest.mark.parametrize("change", ["width", "inf", "text", "times"])
def test_a_block_that_has_no_score_is_named(change, table):
    def make_blocks():
        yield from (table, table[:0], changed(table)[change])

    density = GaussianMLE().fit(table)
    with pytest.raises((TypeError, ValueError), match="In block 2"):
        density.score(RowBlocks(make_blocks))
    with pytest.raises((TypeError, ValueError), match="In block 2"):
        list(density.score_samples(RowBlocks(make_blocks)))


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "gave no blocks"),
        ([np.empty((0, 3)), np.empty((0, 3))], "X has no rows"),
        ([np.ones((1, 3)), np.empty((0, 3))], "n_samples=1 rows of positive weight"),
        ([(np.ones((2, 3)), np.zeros(2))], "`sample_weight` is zero for every row"),
        ([(np.ones((2, 3)), [1, -1])], "In block 0: `sample_weight` must be non-neg"),
        ([(np.ones((2, 3)), [1, 1, 1])], "In block 0: `sample_weight` has shape"),
        ([(np.ones((2, 3)), [np.nan, 1])], "In block 0: Input sample_weight contains"),
        ([np.full((2, 3), [1, 1, np.nan])], "X has no value of feature 2"),
        ([np.full((2, 3), 1e200)], "squares overflow"),
    ],
)
@pytest.mark.parametrize(
    "estimator", [GaussianMLE(), EMGaussianMixture(2, random_state=0)], ids=str
)
def test_blocks_of_no_use_are_refused(estimator, blocks, message, table):
    estimator = clone(estimator).fit(table)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(RowBlocks(lambda: iter(blocks)))
    assert vars(estimator) == before


def test_no_rows_have_no_score(table):
    with pytest.raises(ValueError, match="X has no rows"):
        GaussianMLE().fit(table).score(RowBlocks(lambda: [np.empty((0, 3))]))


def test_too_few_rows_for_the_components_are_refused(table):
    with pytest.raises(ValueError, match="n_components=5 needs at least as many rows"):
        EMGaussianMixture(5).fit(RowBlocks(lambda: [table[:2], table[2:4]]))


@pytest.mark.parametrize("later", ["fewer", "more", "none", "other weights"])
def test_other_rows_in_a_later_pass_are_noticed(later, table, weight):
    n_passes = 0

    def make_blocks():
        nonlocal n_passes
        n_passes += 1
        last = slice(200, 300)
        if n_passes > 1:
            last = {"fewer": slice(200, 299), "none": slice(0, 0)}.get(later, last)
        yield table[:200], weight[:200]
        factor = 2 if n_passes > 1 and later == "other weights" else 1
        yield table[last], factor * weight[last]
        if n_passes > 1 and later == "more":
            yield table[:1], weight[:1]

    mixture = EMGaussianMixture(2, random_state=0)
    with pytest.raises(ValueError, match="The first pass found 300 rows of total"):
        mixture.fit(RowBlocks(make_blocks))
    assert not hasattr(mixture, "means_")


@pytest.mark.parametrize("source", ["generator", "list", "array"])
def test_what_can_be_read_once_is_refused(source, table):
    given = {"generator": (block for block in [table]), "list": [table]}
    with pytest.raises(TypeError, match="a fit reads all rows again in every pass"):
        RowBlocks(given.get(source, table))


@pytest.mark.parametrize("method", ["fit", "score", "score_samples"])
def test_a_generator_is_no_table(method, table):
    density = GaussianMLE().fit(table)
    with pytest.raises(TypeError, match="X is a generator, which can be read once"):
        getattr(density, method)(block for block in [table])


def test_an_estimator_that_is_not_fitted_says_so(table):
    for method in ("score", "score_samples", "predict", "bic"):
        with pytest.raises(NotFittedError):
            getattr(EMGaussianMixture(), method)(in_blocks(table, CUTS["uneven"]))


def test_a_generator_that_is_used_up_is_noticed(table):
    blocks = iter([table])
    with pytest.raises(ValueError, match="gave no blocks: `make_blocks` must return"):
        EMGaussianMixture(2, random_state=0).fit(RowBlocks(lambda: blocks))


def test_weights_come_with_the_blocks(table):
    blocks = in_blocks(table, CUTS["uneven"])
    for method in (GaussianMLE().fit, GaussianMLE().fit(table).score):
        with pytest.raises(ValueError, match="comes with the blocks, as pairs"):
            method(blocks, sample_weight=np.ones(N_ROWS))


def test_a_kernel_density_says_what_to_fit_instead(table):
    density = LOOKernelDensity()
    with pytest.raises(TypeError, match=r"LOOKernelDensity\.fit needs all rows"):
        density.fit(in_blocks(table, CUTS["uneven"]))
    assert not hasattr(density, "locations_")


def test_what_takes_arrays_says_so(table):
    blocks = in_blocks(table, CUTS["uneven"])
    display = partial(DensityDisplay.from_estimator, GaussianMLE().fit(table))
    for use in (StandardScaler().fit, np.asarray, display):
        with pytest.raises(TypeError, match="RowBlocks are no array"):
            use(blocks)


def test_an_imputer_takes_arrays_and_its_density_blocks(holed):
    blocks = in_blocks(holed, CUTS["uneven"])
    with pytest.raises(TypeError, match=r"DensityImputer\.fit needs all rows"):
        DensityImputer(GaussianMLE()).fit(blocks)
    imputer = DensityImputer(GaussianMLE()).fit(holed)
    with pytest.raises(TypeError, match="DensityImputer needs all rows in memory"):
        imputer.transform(blocks)
    found = np.concatenate(list(imputer.density_.impute(blocks)))
    np.testing.assert_allclose(found, imputer.transform(holed), rtol=1e-12)


def test_labels_of_all_rows_have_no_place_beside_blocks(table):
    mixture = EMGaussianMixture(2, init_params=np.arange(N_ROWS) % 2)
    with pytest.raises(ValueError, match="`init_params` is an array"):
        mixture.fit(in_blocks(table, CUTS["uneven"]))


def test_a_callable_start_is_given_the_sample(table, monkeypatch):
    monkeypatch.setattr(starts, "MAX_ROWS", 100)
    monkeypatch.setattr(starts, "ROWS_PER_COMPONENT", 1)
    seen = []

    def labels(X, n_components, rng):
        seen.append(X.shape)
        return np.arange(len(X)) % n_components

    mixture = EMGaussianMixture(2, init_params=labels, random_state=0)
    mixture.fit(in_blocks(table, CUTS["uneven"]))
    assert seen == [(100, 3)]


@pytest.mark.parametrize("start", ["small_em", "kmeans", "random_from_data"])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_fewer_distinct_rows_than_components_are_no_error(start):
    # As in memory, where all copies stand for themselves.
    X = np.repeat([[0.0], [1.0]], 40_000, axis=0)
    blocks = RowBlocks(lambda: np.array_split(X, 9))
    with pytest.warns(UserWarning, match=r"rest on `reg_covar`|coincide"):
        mixture = EMGaussianMixture(3, init_params=start, random_state=0).fit(blocks)
    one = EMGaussianMixture(1).fit(X)
    assert mixture.score(blocks) >= one.score(X) - 1e-9


@pytest.mark.parametrize("at", [0, 1, 6])
def test_an_interrupt_leaves_a_complete_state(at, table):
    n_passes = 0

    def make_blocks():
        nonlocal n_passes
        n_passes += 1
        yield table[:100]
        if n_passes > at:
            raise KeyboardInterrupt
        yield table[100:]

    settings = {"random_state": 0, "tol": 0, "acceleration": None}
    mixture = EMGaussianMixture(2, max_iter=20, **settings)
    with pytest.raises(KeyboardInterrupt):
        mixture.fit(RowBlocks(make_blocks))
    if at < 2:
        assert not hasattr(mixture, "means_")
        return
    # Two passes before the first step.
    blocks = in_blocks(table, [0, 100, N_ROWS])
    steps = EMGaussianMixture(2, max_iter=at - 2, **settings).fit(blocks)
    assert_same_fit(steps, mixture)


def test_the_next_item_is_read_while_one_is_worked_on():
    begun = [Event() for _ in range(3)]

    def items():
        for event in begun:
            event.set()
            yield event

    reader = read_ahead(items())
    assert next(reader) is begun[0]
    assert begun[1].wait(timeout=60)
    assert not begun[2].is_set()
    assert list(reader) == begun[1:]


def test_threads_that_read_ahead_end_with_their_reader():
    before = active_count()
    items = read_ahead(iter(range(5)))
    assert next(items) == 0
    items.close()
    assert active_count() == before


def test_errors_of_what_is_read_ahead_come_where_they_belong():
    def items():
        yield 1
        raise ZeroDivisionError

    reader = read_ahead(items())
    assert next(reader) == 1
    with pytest.raises(ZeroDivisionError):
        next(reader)
