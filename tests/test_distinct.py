"""Distinct rows, and a fair sample of them."""

import numpy as np
import pytest

from skdensity.rows.distinct import sample_distinct


def chosen_rows(X, n_rows, seed=0):
    chosen = sample_distinct(X, n_rows, np.random.RandomState(seed))
    return np.unique(X[chosen], axis=0)


def test_which_values_are_sampled_depends_on_the_values_alone():
    X = np.random.RandomState(0).randint(-50, 50, size=(5000, 2)).astype(np.float64)
    expected = chosen_rows(X, 300)
    assert len(expected) == 300
    assert len(chosen_rows(X, 300, seed=1)) == 300
    assert not np.array_equal(expected, chosen_rows(X, 300, seed=1))
    for same in (X[::-1], np.repeat(X, 3, axis=0), X.astype(np.float32), X * -1 * -1):
        np.testing.assert_array_equal(chosen_rows(same, 300), expected)


def test_a_sampled_value_comes_with_all_its_copies():
    X = np.random.RandomState(0).randint(20, size=(1000, 1)).astype(np.float64)
    chosen = sample_distinct(X, 5, np.random.RandomState(0))
    np.testing.assert_array_equal(chosen, np.flatnonzero(np.isin(X, X[chosen])))
    assert len(sample_distinct(X, 20, np.random.RandomState(0))) == 1000


def test_a_negative_zero_is_a_zero():
    X = np.random.RandomState(0).randint(-9, 10, size=(4000, 2)).astype(np.float64)
    negative = np.where(X == 0, -0.0, X)
    assert np.signbit(negative[negative == 0]).all()
    for seed in range(5):
        expected = sample_distinct(X, 50, np.random.RandomState(seed))
        for same in (negative, negative.astype(np.float32)):
            chosen = sample_distinct(same, 50, np.random.RandomState(seed))
            np.testing.assert_array_equal(chosen, expected)


def test_how_rows_lie_in_memory_makes_no_difference():
    X = np.random.RandomState(0).standard_normal((3000, 6))
    expected = sample_distinct(X[:, ::2].copy(), 100, np.random.RandomState(0))
    for same in (
        X[:, ::2],
        np.asfortranarray(X)[:, ::2],
        X.repeat(2, axis=0)[::2, ::2],
    ):
        chosen = sample_distinct(same, 100, np.random.RandomState(0))
        np.testing.assert_array_equal(chosen, expected)


def test_features_may_not_be_exchanged_or_merged():
    X = np.random.RandomState(0).randint(60, size=(2000, 2)).astype(np.float64)
    pairs = np.unique(np.concatenate([X, X[:, ::-1]]), axis=0)
    chosen = pairs[sample_distinct(pairs, 500, np.random.RandomState(0))]
    # Of the pairs, whose mirror images are all there, by chance alone some are chosen
    # with theirs: were hashes symmetric, all would be.
    images = {tuple(row) for row in chosen[:, ::-1]}
    assert 0 < sum(tuple(row) in images for row in chosen) < 0.7 * len(chosen)


@pytest.mark.parametrize("n_copies", [1, 5000])
def test_a_row_repeated_thousands_of_times_is_one_value(n_copies):
    rare = np.random.RandomState(0).standard_normal((3000, 2))
    X = np.concatenate([np.zeros((n_copies, 2)), rare])
    assert len(chosen_rows(X, 200)) == 200
    # Every value is as likely as any other: 200 of 3001, and not the frequent ones.
    n_chosen = sum(0 in chosen_rows(X, 200, seed) for seed in range(300))
    # Four standard deviations of a binomial count about 20.
    assert abs(n_chosen - 300 * 200 / 3001) < 4 * np.sqrt(300 * 200 / 3001)


def test_each_row_is_sampled_as_often_as_any_other():
    X = np.random.RandomState(0).standard_normal((1000, 1))
    counts = np.zeros(1000)
    for seed in range(200):
        counts[sample_distinct(X, 250, np.random.RandomState(seed))] += 1
    assert counts.sum() == 200 * 250
    # Counts are binomial, of 200 and a quarter; their squared deviations over the
    # variance are χ² with 1000 degrees of freedom, whose standard deviation is √2000.
    statistic = np.sum((counts - 50) ** 2) / 37.5
    assert abs(statistic - 1000) < 4 * np.sqrt(2000)


def test_all_rows_are_sampled_where_they_are_few():
    X = np.array([[1.0], [2.0], [2.0], [3.0]])
    for n_rows in (3, 4, 100):
        chosen = sample_distinct(X, n_rows, np.random.RandomState(0))
        np.testing.assert_array_equal(chosen, np.arange(4))
    assert len(sample_distinct(X[:1], 1, np.random.RandomState(0))) == 1
