"""Where mixtures start: rows by weight, whatever their order."""

import numpy as np
import pytest

from skdensity.models.covariances import FAMILIES
from skdensity.models.mixture import Mixture
from skdensity.models.moments import moments_of
from skdensity.passes.rows import sample_distinct
from skdensity.solvers import small_em, starts
from skdensity.solvers.starts import STARTS, start_rows, start_shares


def start(name, X, weight, n_components):
    rng = np.random.RandomState(0)
    rows = start_rows(X, weight, n_components, rng)
    return rows.X, start_shares(name, rows, n_components, FAMILIES["full"], rng)


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    return rng.standard_normal((60, 2)), rng.uniform(0.5, 2, 60)


@pytest.mark.parametrize("name", STARTS)
def test_a_weight_is_a_repetition_and_order_is_irrelevant(rows, name):
    X, _ = rows
    weight = np.random.RandomState(1).randint(1, 4, 60).astype(float)
    order = np.random.RandomState(2).permutation(int(weight.sum()))
    repeated = np.repeat(X, weight.astype(int), axis=0)[order]
    one = start(name, X, weight, 3)
    other = start(name, repeated, np.ones(len(order)), 3)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], rtol=1e-12)


@pytest.mark.parametrize("name", ["k-means++", "random_from_data"])
def test_rows_are_chosen_by_weight(rows, name):
    X, weight = rows
    heavy = weight.copy()
    heavy[7] = 1e6
    starts, shares = start(name, X, heavy, 1)
    (chosen,) = starts[shares[0] > 0]
    np.testing.assert_array_equal(chosen, X[7])


def test_k_means_weighs_rows(rows):
    X, weight = rows
    heavy = np.where(X[:, 0] > 0, 1e6 * weight, 1e-6 * weight)
    starts, shares = start("kmeans", X, heavy, 2)
    means = shares @ starts / shares.sum(axis=1, keepdims=True)
    assert (means[:, 0] > 0).all()


@pytest.mark.parametrize("name", STARTS)
def test_every_component_gets_a_share(rows, name):
    X, weight = rows
    _, shares = start(name, X, weight, 3)
    assert (shares.sum(axis=1) > 0).all()


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


@pytest.mark.parametrize("name", STARTS)
def test_of_many_rows_a_start_sees_some(monkeypatch, name):
    monkeypatch.setattr(starts, "MAX_ROWS", 400)
    X = np.random.RandomState(0).standard_normal((3000, 2))
    weight = np.random.RandomState(1).randint(1, 4, 3000).astype(float)
    rows, shares = start(name, X, weight, 3)
    assert len(rows) == 400
    repeated = np.repeat(X, weight.astype(int), axis=0)[::-1]
    same, same_shares = start(name, repeated, np.ones(len(repeated)), 3)
    np.testing.assert_array_equal(rows, same)
    np.testing.assert_allclose(shares, same_shares, rtol=1e-12)


def clusters(n_rows, n_features, n_clusters):
    """Rows of round clusters, some of them close together, and their mixture."""
    rng = np.random.RandomState(0)
    family = FAMILIES["spherical"]
    means = 10 * rng.standard_normal((n_clusters, n_features))
    means[1] = means[0] + 4
    cholesky = np.ones((n_clusters, 1))
    weights = np.full(n_clusters, 1 / n_clusters)
    mixture = Mixture.from_cholesky(weights, means, cholesky, family)
    return mixture.sample(n_rows, rng)[0], mixture


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n_features", [1, 2, 20])
def test_short_runs_find_the_clusters(name, n_features):
    X, truth = clusters(1000, n_features, 8)
    rng = np.random.RandomState(0)
    shares = small_em.small_em(X, None, 8, FAMILIES[name], rng)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    family = FAMILIES["spherical"]
    found = Mixture.from_moments(moments_of(X, shares, family), family, 1e-6)
    # A fit of some parameters beats the truth; a cluster missed costs far more.
    assert found.log_density(X).mean() > truth.log_density(X).mean() - 0.1


def test_short_runs_do_not_depend_on_units_or_order():
    X, _ = clusters(500, 2, 5)
    family = FAMILIES["full"]

    def run(X):
        shares = small_em.small_em(X, None, 5, family, np.random.RandomState(0))
        # Of climbs to one optimum, rounding decides which is best: order the clusters.
        return shares[np.argsort(shares @ X[:, 0] / shares.sum(axis=1))]

    expected = run(X)
    np.testing.assert_allclose(run(X[::-1])[:, ::-1], expected, atol=1e-9)
    np.testing.assert_allclose(run(X * [1e-3, 1e3] + 1e3), expected, atol=1e-6)
