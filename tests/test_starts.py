"""Where mixtures start: rows by weight, whatever their order."""

import numpy as np
import pytest
from conftest import STARTS_ON_ROWS, TYPES, mixture_of_shares

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES, FULL, SPHERICAL
from skdensity.models.mixtures.mixture import Mixture
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import merge_duplicates, sample_distinct
from skdensity.rows.rows import Block
from skdensity.solvers.mixtures import small_em, starts
from skdensity.solvers.mixtures.starts import STARTS, StartProblem, start_rows


def start(name, X, weight, n_components):
    """The rows that a start looks at, and the mixture that it finds."""
    rng = np.random.RandomState(0)
    rows = start_rows(ArrayRows(X, weight), n_components, rng)
    problem = StartProblem(rows, n_components, FULL, 1e-6)
    return rows.X, STARTS[name].find(problem, rng)


def assert_same_start(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    for name in ("weights", "means", "covariances"):
        expected = getattr(other[1], name)
        np.testing.assert_allclose(getattr(one[1], name), expected, rtol=1e-12)


def responsibilities(X, weight, n_components, family):
    """Those of rows in the best of many short runs, (n_components, n_rows)."""
    rng = np.random.RandomState(0)
    climb = small_em.best_climb(ArrayRows(X, weight), n_components, family, rng)
    block = Block(X, np.ones(len(X)), slice(None))
    return climb.shares_of(block, Scratch())


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    return rng.standard_normal((60, 2)), rng.uniform(0.5, 2, 60)


@pytest.mark.parametrize("name", STARTS_ON_ROWS)
def test_a_weight_is_a_repetition_and_order_is_irrelevant(rows, name):
    X, _ = rows
    weight = np.random.RandomState(1).randint(1, 4, 60).astype(float)
    order = np.random.RandomState(2).permutation(int(weight.sum()))
    repeated = np.repeat(X, weight.astype(int), axis=0)[order]
    one = start(name, X, weight, 3)
    assert_same_start(one, start(name, repeated, np.ones(len(order)), 3))
    assert_same_start(one, start(name, repeated, None, 3))


@pytest.mark.parametrize("name", ["k-means++", "random_from_data"])
def test_rows_are_chosen_by_weight(rows, name):
    X, weight = rows
    heavy = weight.copy()
    heavy[7] = 1e6
    _, mixture = start(name, X, heavy, 1)
    np.testing.assert_array_equal(mixture.means, X[[7]])


def test_k_means_weighs_rows(rows):
    X, weight = rows
    heavy = np.where(X[:, 0] > 0, 1e6 * weight, 1e-6 * weight)
    _, mixture = start("kmeans", X, heavy, 2)
    assert (mixture.means[:, 0] > 0).all()


@pytest.mark.parametrize("name", STARTS_ON_ROWS)
def test_every_component_gets_a_share(monkeypatch, rows, name):
    (X, weight), m_step, steps = rows, starts.m_step, []

    def watched(moments, *args):
        steps.append((moments.mass, m_step(moments, *args)))
        return steps[-1][1]

    monkeypatch.setattr(starts, "m_step", watched)
    start(name, X, weight, 3)
    ((mass, (_, n_revived)),) = steps
    assert (mass > 0).all()
    assert n_revived == 0


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


@pytest.mark.parametrize("name", STARTS_ON_ROWS)
def test_of_many_rows_a_start_sees_some(monkeypatch, name):
    monkeypatch.setattr(starts, "MAX_ROWS", 400)
    X = np.random.RandomState(0).standard_normal((3000, 2))
    weight = np.random.RandomState(1).randint(1, 4, 3000).astype(float)
    some = start(name, X, weight, 3)
    assert len(some[0]) == 400
    repeated = np.repeat(X, weight.astype(int), axis=0)[::-1]
    assert_same_start(some, start(name, repeated, np.ones(len(repeated)), 3))


def clusters(n_rows, n_features, n_clusters):
    """Rows of round clusters, some of them close together, and their mixture."""
    rng = np.random.RandomState(0)
    means = 10 * rng.standard_normal((n_clusters, n_features))
    means[1] = means[0] + 4
    cholesky = np.ones((n_clusters, 1))
    weights = np.full(n_clusters, 1 / n_clusters)
    mixture = Mixture.from_cholesky(weights, means, cholesky, SPHERICAL)
    return mixture.sample(n_rows, rng)[0], mixture


def assert_found(shares, X, truth):
    """Whether responsibilities tell the clusters apart as well as the truth does."""
    rows = ArrayRows(X)
    found = mixture_of_shares(X, shares, SPHERICAL, 1e-6)
    # A fit of some parameters beats the truth; a cluster missed costs far more.
    assert found.log_density(rows).mean() > truth.log_density(rows).mean() - 0.1


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 20])
def test_short_runs_find_the_clusters(name, n_features):
    X, truth = clusters(1000, n_features, 8)
    shares = responsibilities(X, None, 8, FAMILIES[name])
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert_found(shares, X, truth)


@pytest.mark.parametrize("n_sampled", [200, 5000])
def test_short_runs_do_not_depend_on_units_or_order(monkeypatch, n_sampled):
    monkeypatch.setattr(small_em, "CLIMB_ROWS", n_sampled)
    monkeypatch.setattr(small_em, "CLIMB_ROWS_PER_COMPONENT", 10)
    X, _ = clusters(500, 2, 5)

    def run(X):
        shares = responsibilities(X, None, 5, FULL)
        # Of climbs to one optimum, rounding decides which is best: order the clusters.
        return shares[np.argsort(shares @ X[:, 0] / shares.sum(axis=1))]

    expected = run(X)
    np.testing.assert_allclose(run(X[::-1])[:, ::-1], expected, atol=1e-9)
    np.testing.assert_allclose(run(X * [1e-3, 1e3] + 1e3), expected, atol=1e-6)


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


@pytest.mark.parametrize("name", STARTS_ON_ROWS)
def test_enough_rows_for_all_components_are_sampled(monkeypatch, name):
    monkeypatch.setattr(starts, "MAX_ROWS", 100)
    monkeypatch.setattr(starts, "ROWS_PER_COMPONENT", 20)
    X = np.random.RandomState(0).standard_normal((2000, 2))
    rows, mixture = start(name, X, np.ones(2000), 10)
    assert (len(rows), mixture.means.shape) == (200, (10, 2))
    # As many as there are, in their order, and each of them a row of the data.
    where = [np.flatnonzero((row == X).all(axis=1))[0] for row in rows]
    assert where == sorted(where)


@pytest.mark.parametrize("name", TYPES)
def test_a_weight_is_a_repetition_to_short_runs(monkeypatch, name):
    monkeypatch.setattr(small_em, "CLIMB_ROWS", 150)
    monkeypatch.setattr(small_em, "CLIMB_ROWS_PER_COMPONENT", 10)
    X, _ = clusters(400, 2, 4)
    weight = np.random.RandomState(0).randint(1, 4, 400)
    repeated = np.repeat(X, weight, axis=0)

    def run(X, weight):
        shares = responsibilities(X, weight, 4, FAMILIES[name])
        return shares[np.argsort(shares @ X[:, 0] / shares.sum(axis=1))]

    expected = run(X, weight.astype(float))
    np.testing.assert_allclose(expected.sum(axis=0), 1)
    merged, masses, first = merge_duplicates(repeated, np.ones(len(repeated)))
    np.testing.assert_allclose(
        run(merged, masses)[:, np.argsort(first)], expected, atol=1e-6
    )
    np.testing.assert_allclose(run(X, 1e-9 * weight), expected, atol=1e-6)


@pytest.mark.parametrize("name", TYPES)
def test_short_runs_on_some_rows_find_the_clusters_of_all(monkeypatch, name):
    monkeypatch.setattr(small_em, "CLIMB_ROWS", 300)
    monkeypatch.setattr(small_em, "CLIMB_ROWS_PER_COMPONENT", 10)
    X, truth = clusters(3000, 3, 6)
    shares = responsibilities(X, None, 6, FAMILIES[name])
    assert shares.shape == (6, 3000)
    assert_found(shares, X, truth)


@pytest.mark.parametrize("name", TYPES)
def test_short_runs_take_many_features_as_independent(name):
    n_features = small_em.MAX_CLIMB_PRODUCTS + 20
    family = small_em._climbing_family(FAMILIES[name], n_features)
    assert family.products.n_products(n_features) <= n_features
    assert not family.shape.tied
    X, _ = clusters(400, n_features, 3)
    shares = responsibilities(X, None, 3, FAMILIES[name])
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    # In so many dimensions no cluster touches another, but for rounding.
    assert shares.max(axis=0).min() > 1 - 1e-9
    assert (shares.sum(axis=1) > 50).all()


@pytest.mark.parametrize("name", TYPES)
def test_short_runs_with_a_component_for_every_row(name):
    distinct = np.random.RandomState(0).standard_normal((7, 2))
    X = np.repeat(distinct, 3, axis=0)
    for n_components in (7, 6, 1):
        shares = responsibilities(X, None, n_components, FAMILIES[name])
        assert shares.shape == (n_components, 21)
        np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_short_runs_survive_constant_and_huge_features():
    X, _ = clusters(300, 2, 3)
    X = np.column_stack([X, np.full(300, 7.0), X[:, 0] * 1e200])
    for family in FAMILIES.values():
        shares = responsibilities(X, None, 3, family)
        np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_short_runs_find_an_optimum_that_k_means_misses():
    rng = np.random.RandomState(2)
    means = 6 * rng.standard_normal((6, 2))
    means[1] = means[0] + [4, 0]
    covariances = [
        np.diag(variances) for variances in np.exp(rng.uniform(-2, 2, (6, 2)))
    ]
    truth = EMGaussianMixture.from_parameters(np.ones(6) / 6, means, covariances)
    X, _ = truth.sample(1000, random_state=2)
    from_truth = EMGaussianMixture(
        6,
        weights_init=truth.weights_,
        means_init=truth.means_,
        precisions_init=truth.precisions_,
        tol=1e-8,
    ).fit(X)
    k_means = EMGaussianMixture(6, init_params="kmeans", random_state=0).fit(X)
    assert k_means.score(X) < from_truth.score(X) - 0.1
    for seed in range(4):
        mixture = EMGaussianMixture(6, random_state=seed, tol=1e-8).fit(X)
        assert mixture.score(X) > from_truth.score(X) - 1e-3
