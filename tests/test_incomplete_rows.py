"""Rows with holes: their order by pattern shows in nothing that is computed."""

from itertools import pairwise

import numpy as np
import pytest

from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.block_rows import BlockRows
from skdensity.rows.distinct import merge_duplicates, sample_distinct
from skdensity.rows.incomplete_rows import IncompleteRows, rows_of_table
from skdensity.rows.patterns import MAX_PAIRS, pattern_order, patterns_of


def table(n_rows=300, n_features=4, share=0.3):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_rows, n_features))
    X[rng.uniform(size=X.shape) < share] = np.nan
    return X, rng.randint(0, 3, n_rows).astype(float)


@pytest.fixture
def holed():
    return table()


@pytest.mark.parametrize("n_features", [1, 4, 70, 130])
def test_the_order_is_by_number_of_holes_then_by_pattern(n_features):
    X, _ = table(n_features=n_features)
    order, n_missing = pattern_order(X)
    assert sorted(order) == list(range(len(X)))
    np.testing.assert_array_equal(n_missing, np.isnan(X).sum(axis=1))
    assert np.all(np.diff(n_missing[order]) >= 0)
    patterns = [tuple(row) for row in np.isnan(X[order])]
    changes = sum(a != b for a, b in pairwise(patterns))
    assert changes + 1 == len(set(patterns)), "rows of a pattern are together"
    for pattern in set(patterns):
        same = order[[other == pattern for other in patterns]]
        assert np.all(np.diff(same) > 0), "in their order"


def test_patterns_tell_the_holes(holed):
    X, _ = holed
    is_missing = np.isnan(X[pattern_order(X)[0]])
    found = np.zeros_like(is_missing)
    seen = []
    for patterns in patterns_of(is_missing):
        found.T.flat[patterns.holes.ravel()] = True
        seen += range(len(X))[patterns.rows]
        assert patterns.counts.sum() == patterns.holes.shape[1]
        assert patterns.missing.shape == (patterns.n_missing, len(patterns.begin))
    assert seen == list(range(len(X)))
    np.testing.assert_array_equal(found, is_missing)


def test_stacks_of_patterns_are_small():
    is_missing = np.random.RandomState(0).uniform(size=(2000, 60)) < 0.5
    order, _ = pattern_order(np.where(is_missing, np.nan, 0.0))
    for patterns in patterns_of(is_missing[order]):
        assert patterns.holes.shape[1] * patterns.n_missing**2 <= MAX_PAIRS


def test_no_block_mixes_complete_rows_with_others(holed):
    rows = IncompleteRows(*holed)

    def term(block, scratch):
        n_missing = np.isnan(block.X).sum(axis=1)
        assert np.all(n_missing == 0) or np.all(n_missing > 0)
        return len(block.X)

    assert rows.add(term, row_bytes=10**6) == rows.n_rows


def test_sums_and_values_are_those_of_the_table(holed):
    X, weight = holed
    counts = ~np.isnan(X).all(axis=1)
    rows = IncompleteRows(X, weight)
    assert not rows.are_complete
    assert rows.near is rows
    assert rows.total_weight == weight[counts].sum()
    assert rows.n_rows == np.count_nonzero(weight[counts])

    def term(block, scratch):
        np.testing.assert_array_equal(block.X, X[block.index])
        return block.weight @ np.nan_to_num(block.X)

    expected = (weight * counts) @ np.nan_to_num(X)
    np.testing.assert_allclose(rows.add(term, 10**5), expected, rtol=1e-12)
    filled = rows.fill(lambda X, _: np.isnan(X).sum(axis=1), 10**5, dtype=int)
    np.testing.assert_array_equal(filled, np.isnan(X).sum(axis=1))


def test_rows_without_any_value_are_not_there():
    X = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, np.nan]])
    rows = IncompleteRows(X)
    assert (rows.n_rows, rows.total_weight) == (2, 2.0)
    assert rows.positive().X.shape == (2, 2)


def test_the_origin_is_the_first_row_that_counts():
    X = np.arange(6.0).reshape(3, 2)
    for weight, first in (([0, 1, 1], 1), ([0, 0, 1], 2), ([1, 0, 1], 0), (None, 0)):
        rows = ArrayRows(X, None if weight is None else np.array(weight, float))
        np.testing.assert_array_equal(rows.origin, X[first])


def test_the_origin_is_the_first_value_of_every_feature():
    X = np.array([[9.0, np.nan, np.nan], [np.nan, 2.0, np.nan], [1.0, 7.0, np.nan]])
    rows = IncompleteRows(X, np.array([0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(rows.origin, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(rows.observed, [True, True, False])


def test_the_kind_of_rows_follows_the_table(holed):
    workspace = Workspace()
    X, weight = holed
    assert type(rows_of_table(X, weight, workspace)) is IncompleteRows
    assert type(rows_of_table(np.nan_to_num(X), weight, workspace)) is ArrayRows
    # Whose sum is infinite, and no hole.
    large = np.full((2, 1), np.finfo(float).max)
    assert type(rows_of_table(large, None, workspace)) is ArrayRows
    for other in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        rows = rows_of_table(other, weight, workspace)
        assert type(rows) is IncompleteRows
        filled = rows.fill(lambda X, _: np.nansum(X, axis=1), 10**5)
        np.testing.assert_allclose(filled, np.nansum(X, axis=1), atol=1e-15)
        rows = rows_of_table(np.nan_to_num(other), weight, workspace)
        assert type(rows) is ArrayRows


def test_samples_and_merging_see_neither_order_nor_repetition(holed):
    X, weight = holed
    X = X[: 3 * (len(X) // 3)]
    weight = weight[: len(X)] + 1
    merged = merge_duplicates(X, weight)
    repeated = np.repeat(X, weight.astype(int), axis=0)
    shuffled = repeated[np.random.RandomState(1).permutation(len(repeated))]
    again = merge_duplicates(shuffled, np.ones(len(shuffled)))
    np.testing.assert_array_equal(merged[0], again[0])
    np.testing.assert_allclose(merged[1], again[1])
    for some in (X, shuffled):
        chosen = sample_distinct(some, 20, np.random.RandomState(0))
        values = np.unique(np.nan_to_num(some[chosen], nan=99.0), axis=0)
        if some is X:
            first = values
    np.testing.assert_array_equal(first, values)


def test_the_payload_of_nan_makes_no_difference():
    X = np.arange(200.0)[:, None].repeat(2, axis=1)
    X[:, 0] = np.nan
    other = X.copy()
    other[:, 0] = -other[:, 0]  # the sign of NaN
    chosen, same = (
        sample_distinct(rows, 20, np.random.RandomState(0)) for rows in (X, other)
    )
    np.testing.assert_array_equal(chosen, same)
    assert len(chosen) == 20


def test_batches_have_all_rows_once(holed):
    X, weight = holed
    rows, seen = IncompleteRows(X, weight), []
    for batch, part in rows.batches(32, np.random.RandomState(0)):
        assert part == batch.total_weight / rows.total_weight
        seen.append(batch.X)
    expected = X[(weight > 0) & ~np.isnan(X).all(axis=1)]
    found = np.concatenate(seen)
    assert len(found) == len(expected)
    np.testing.assert_array_equal(
        *(np.sort(np.nan_to_num(rows, nan=99.0), axis=0) for rows in (found, expected))
    )


@pytest.mark.parametrize("size", [0.0, 1e-3, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("kind", [ArrayRows, IncompleteRows])
def test_sizes_are_those_of_the_largest_values_that_count(kind, size):
    X, weight = table() if kind is IncompleteRows else table(share=0.0)
    X[:, 1] /= 1e3
    X[:, 2] = 0.0
    X[weight == 0] = 9.0
    # A feature may reach it only long after the first block.
    X = np.vstack([np.zeros((40_000, 4)), X])
    weight = np.append(np.ones(40_000), weight)
    largest = np.nanmax(np.abs(X[weight > 0]), axis=0)
    rows, halves = kind(X, weight), np.array_split(np.arange(len(X)), 2)
    np.testing.assert_array_equal(rows.sizes, largest)
    np.testing.assert_array_equal(rows.reaches(size), largest >= size)
    blocks = BlockRows(lambda: ((X[half], weight[half]) for half in halves))
    np.testing.assert_array_equal(blocks.reaches(size), largest >= size)
