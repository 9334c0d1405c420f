"""The default start: the best of many short runs, for what a fit is worth."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import TIED, TYPES, mixture_of

from skdensity.models.covariances.table import DIAGONAL, FAMILIES, FULL, SPHERICAL
from skdensity.models.mixtures.mixture import Mixture
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import merge_duplicates
from skdensity.solvers.mixtures import (
    budget,
    climbs,
    moves,
    partitions,
    sample,
    small_em,
)
from skdensity.solvers.mixtures.budget import MAX_CLIMBS, MIN_CLIMBS
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.sample import n_climb_rows as rows_of
from skdensity.solvers.mixtures.small_em import Search


def problem_of(X, n_components, family=FULL, weight=None):
    nothing = 0.0 * family.scatter.isolated(np.ones(X.shape[1]))
    return StartProblem(ArrayRows(X, weight), n_components, family, nothing)


def search(X, n_components, family=FULL, weight=None, seed=0):
    problem = problem_of(X, n_components, family, weight)
    return Search(problem, np.random.RandomState(seed))


def start(X, n_components, family=FULL, weight=None, seed=0):
    problem = problem_of(X, n_components, family, weight)
    return small_em.small_em(problem, np.random.RandomState(seed))


def clusters(n_rows, n_features, n_clusters):
    """Rows of round clusters, some of them close together, and their mixture."""
    rng = np.random.RandomState(0)
    means = 10 * rng.standard_normal((n_clusters, n_features))
    means[1] = means[0] + 4
    cholesky = np.ones((n_clusters, 1))
    weights = rng.dirichlet(np.full(n_clusters, 10.0))
    mixture = Mixture.from_cholesky(weights, means, cholesky, SPHERICAL)
    return mixture.sample(n_rows, rng)[0], mixture


def assert_same(found, expected, rtol=1e-6):
    for key in ("weights", "means", "covariances"):
        values = getattr(expected, key)
        np.testing.assert_allclose(
            getattr(found, key), values, rtol=rtol, atol=rtol * np.abs(values).max()
        )


# ---- What it finds ----


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 20])
@pytest.mark.parametrize("n_rows", [1000, 5000])
def test_finds_the_clusters(name, n_features, n_rows):
    X, truth = clusters(n_rows, n_features, 8)
    family, rows = FAMILIES[name], ArrayRows(X)
    found, expected = (
        mixture.log_density(rows).mean() for mixture in (start(X, 8, family), truth)
    )
    # Parameters estimated on some rows cost half a nat each on as many other rows; a
    # cluster that is missed costs far more.
    n_parameters = family.shape.n_parameters(8, n_features)
    assert found > expected - 0.1 - 0.5 * n_parameters / 2000


@pytest.mark.parametrize("name", TYPES)
def test_components_come_by_weight_in_the_layout_of_the_family(name):
    X, _ = clusters(500, 2, 5)
    family = FAMILIES[name]
    found = start(X, 5, family)
    assert (np.diff(found.weights) <= 0).all()
    assert found.family is family
    assert found.cholesky.shape == family.shape.inner_shape(5, 2)


@pytest.mark.parametrize("name", TIED)
def test_a_tied_start_is_where_its_climb_ended(name):
    X, _ = clusters(500, 3, 4)
    family = FAMILIES[name]
    climbed = search(X, 4, family).best()
    rows = ArrayRows(X)
    np.testing.assert_allclose(
        start(X, 4, family).log_density(rows), climbed.log_density(rows), rtol=1e-12
    )


@pytest.mark.parametrize("name", TYPES)
def test_finds_clusters_in_more_features_than_rows_of_a_cluster(name):
    n_features = 120
    X, _ = clusters(400, n_features, 3)
    found = start(X, 3, FAMILIES[name])
    shares = found.responsibilities(ArrayRows(X))
    # In so many dimensions no cluster touches another, but for rounding.
    assert shares.max(axis=1).min() > 1 - 1e-9
    assert (shares.sum(axis=0) > 50).all()


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_components", [7, 6, 2, 1])
def test_a_component_for_every_row(name, n_components):
    distinct = np.random.RandomState(0).standard_normal((7, 2))
    found = start(np.repeat(distinct, 3, axis=0), n_components, FAMILIES[name])
    assert found.weights.sum() == pytest.approx(1)
    assert np.isfinite(found.means).all()
    assert np.isfinite(found.log_density(ArrayRows(distinct))).all()


@pytest.mark.parametrize("name", TYPES)
def test_survives_constant_collinear_and_huge_features(name):
    X, _ = clusters(300, 2, 3)
    X = np.column_stack([X, np.full(300, 7.0), X[:, 0] * 1e100, X[:, 0] - X[:, 1]])
    found = start(X, 3, FAMILIES[name])
    assert np.isfinite(found.log_density(ArrayRows(X))).all()


def test_rows_that_are_all_the_same_have_a_start():
    for name in TYPES:
        found = start(np.full((10, 2), 3.0), 2, FAMILIES[name])
        np.testing.assert_allclose(found.means, 3.0)


@pytest.mark.parametrize("family", [DIAGONAL, FULL])
def test_the_most_likely_of_the_last_climbs_is_taken(monkeypatch, family):
    last, taken = [], []

    def noted(value, is_invariant, n_left):
        left = survivors(value, is_invariant, n_left)
        last.append(value[left])
        return left

    def noted_climb(these, index):
        taken.append(index)
        return climb(these, index)

    survivors, climb = small_em.survivors, climbs.Climbs.climb
    monkeypatch.setattr(small_em, "survivors", noted)
    monkeypatch.setattr(climbs.Climbs, "climb", noted_climb)
    monkeypatch.setattr(small_em, "MARGIN", 0.0)
    for seed in range(10):
        X = np.random.RandomState(seed).uniform(size=(300, 2))  # of many optima
        search(X, 6, family, seed=seed).best()
        *_, value = last
        first, *_ = taken  # what moves take comes later
        assert value.min() < value.max() == value[first]
        taken.clear()


# ---- What makes no difference ----


@pytest.fixture(params=[250, 5000], ids=["some rows", "all rows"])
def n_climb_rows(request, monkeypatch):
    """Whether a sample of the rows is climbed on."""
    for name in ("CLIMB_ROWS", "CLIMB_ROWS_PER_COMPONENT", "CLIMB_ROWS_PER_FEATURE"):
        monkeypatch.setattr(sample, name, 1)
    monkeypatch.setattr(sample, "CLIMB_ROWS", request.param)
    return request.param


@pytest.mark.parametrize("name", TYPES)
def test_order_is_irrelevant(n_climb_rows, name):
    X, _ = clusters(500, 2, 5)
    weight = np.random.RandomState(0).uniform(0.5, 2, 500)
    order = np.random.RandomState(1).permutation(500)
    for w in (None, weight):
        expected = start(X, 5, FAMILIES[name], w)
        shuffled = None if w is None else w[order]
        assert_same(start(X[order], 5, FAMILIES[name], shuffled), expected)


@pytest.mark.parametrize("name", TYPES)
def test_order_is_irrelevant_to_rows_as_far_from_the_mean(n_climb_rows, name):
    X, _ = clusters(200, 2, 3)
    X = np.concatenate([X, -X])
    order = np.random.RandomState(1).permutation(400)
    expected = start(X, 4, FAMILIES[name])
    assert_same(start(X[order], 4, FAMILIES[name]), expected)


@pytest.mark.parametrize("name", TYPES)
def test_a_weight_is_a_repetition(n_climb_rows, name):
    X, _ = clusters(400, 2, 4)
    weight = np.random.RandomState(0).randint(1, 4, 400).astype(float)
    repeated = np.repeat(X, weight.astype(int), axis=0)
    expected = start(X, 4, FAMILIES[name], weight / weight.sum())
    locations, masses, *_ = merge_duplicates(repeated, np.ones(len(repeated)))
    assert_same(start(locations, 4, FAMILIES[name], masses), expected)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_weights_is_irrelevant(n_climb_rows, name, unit):
    X, _ = clusters(400, 2, 4)
    weight = np.random.RandomState(0).uniform(0.5, 2, 400)
    expected = start(X, 4, FAMILIES[name], weight)
    assert_same(start(X, 4, FAMILIES[name], unit * weight), expected)


def restored(mixture, scale, offset):
    """The mixture of rows that were multiplied by `scale` and moved by `offset`."""
    d = len(scale)
    covariances = mixture.family.shape.untied(mixture.covariances, mixture.n_components)
    dense = [mixture.family.shape.matrices(c, d) for c in covariances]
    means = (mixture.means - offset) / scale
    return mixture.weights, means, np.stack(dense) / np.outer(scale, scale)


@pytest.mark.parametrize("name", TYPES)
def test_units_and_origin_are_irrelevant(n_climb_rows, name):
    X, _ = clusters(500, 3, 5)
    scale, offset = np.array([1e-3, 1e3, 1.0]), np.array([1.0, -1e4, 10.0])
    if name.endswith("spherical"):  # all features have one unit
        scale, offset = np.full(3, 1e-3), np.full(3, 10.0)
    one = np.ones(3)
    expected = restored(start(X, 5, FAMILIES[name]), one, 0 * one)
    found = restored(start(X * scale + offset, 5, FAMILIES[name]), scale, offset)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["full", "tied"])
def test_axes_are_irrelevant_to_climbs_in_invariant_coordinates(
    monkeypatch, n_climb_rows, name, seed
):
    monkeypatch.setattr(partitions, "SHARE_AS_GIVEN", 0.0)
    X, _ = mixture_of("full", 3).sample(500, np.random.RandomState(seed))
    A = np.array([[1.0, 2.0, 0.5], [0.0, -3.0, 1.0], [4.0, 0.0, 0.1]])
    expected = start(X, 3, FAMILIES[name], seed=seed)
    found = start(X @ A.T - 2, 3, FAMILIES[name], seed=seed)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-7)
    np.testing.assert_allclose(found.means, expected.means @ A.T - 2, atol=1e-6)
    np.testing.assert_allclose(
        found.covariances, A @ expected.covariances @ A.T, rtol=1e-6, atol=1e-6
    )


# ---- What it looks at ----


@pytest.mark.parametrize("name", ["full", "diag"])
def test_climbs_look_at_some_rows_once(n_climb_rows, name):
    X, _ = clusters(600, 2, 3)
    weight = np.random.RandomState(0).uniform(0.5, 2, 600)
    rows, table = search(X, 3, FAMILIES[name], weight).sample
    assert len(rows.X) == min(n_climb_rows, 600)
    where = [np.flatnonzero((row == X).all(axis=1)) for row in rows.X]
    assert {len(w) for w in where} == {1}
    where = np.concatenate(where)
    assert len(set(where)) == len(where)
    np.testing.assert_array_equal(rows.weight, weight[where])
    np.testing.assert_array_equal(table.weight, weight[where])
    # The coordinates are in the units of all rows.
    deviations = np.sqrt(np.cov(X.T, aweights=weight, ddof=0).diagonal())
    scaled = (rows.X - np.average(X, axis=0, weights=weight)) / deviations
    np.testing.assert_allclose(table.scaled, scaled, atol=1e-10)


def test_more_components_and_features_need_more_rows():
    X = np.zeros((10, 40))
    few, many, diagonal = (
        rows_of(problem_of(X + np.eye(10, 40), n, family))
        for n, family in ((2, FULL), (100, FULL), (100, DIAGONAL))
    )
    assert few < diagonal < many
    # As many as there are parameters of a covariance, up to a factor.
    assert many >= 100 * 40


# ---- What it costs ----


class Counted:
    """Counts what passes of climbs multiply."""

    def __init__(self, monkeypatch):
        self.work = 0.0
        moments = climbs.Climbs.moments

        def counted(these, rows, *weight):
            mixture = these.mixture
            self.work += self.of_pass(mixture.family, mixture.n_components, rows.X)
            return moments(these, rows, *weight)

        monkeypatch.setattr(climbs.Climbs, "moments", counted)

    @staticmethod
    def of_pass(family, n_components, X):
        """Products with coefficients, and as many with responsibilities."""
        n_rows, d = X.shape
        of_row = (
            1 + d + {"full": d * (d + 1) // 2, "diag": d, "spherical": 1}[family.name]
        )
        return 2.0 * n_rows * n_components * of_row


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
@pytest.mark.parametrize(
    ("n_rows", "n_features", "n_components"),
    [(300, 2, 3), (3000, 2, 3), (3000, 2, 40), (6000, 8, 10), (1500, 40, 5)],
)
def test_a_start_costs_some_iterations_of_the_fit_or_little(
    monkeypatch, name, n_rows, n_features, n_components
):
    counted, family = Counted(monkeypatch), FAMILIES[name]
    X, _ = clusters(n_rows, n_features, n_components)
    sought = search(X, n_components, family)
    sought.best()
    iteration = counted.of_pass(family, n_components, X)
    most = budget.FREE_WORK + budget.FIT_ITERATIONS * iteration
    # Of few climbs all go on after the first round, which the estimate leaves out.
    (first, n_left), (second, _) = budget.ROUNDS
    always = budget.SHARED_STEPS + first
    at_most = (always + second) / (always + second * n_left / MAX_CLIMBS)
    least = MIN_CLIMBS * (always + second)  # which is done at any price
    # In passes: halves that find their places, pairs that are compared, the last steps.
    cuts = 2 * moves.N_CUTS * (moves.CUT_STEPS + 1) + moves.N_CUTS
    of_moves = sought.budget.may_move * (cuts + 5 + 2 * moves.STEPS)
    of_sample = counted.of_pass(family, n_components, sought.sample[0].X)
    assert counted.work <= max(at_most * most, least * of_sample) + of_moves * of_sample


def test_there_are_fewer_climbs_the_more_one_costs():
    X = np.random.RandomState(0).standard_normal((5000, 60))
    sizes = [
        [search(X[:n, :d], k, family).budget.n_climbs for n, d, k in shapes]
        for family in (FULL, DIAGONAL, SPHERICAL)
        for shapes in (
            [(5000, 5, k) for k in (2, 5, 20, 100, 400)],
            [(5000, d, 10) for d in (1, 5, 20, 60)],
            [(n, 5, 10) for n in (100, 500, 2000)],
        )
    ]
    for n_climbs in sizes:
        assert (np.diff(n_climbs) <= 0).all()
        assert MIN_CLIMBS <= n_climbs[-1] <= n_climbs[0] <= MAX_CLIMBS
    assert max(max(n) for n in sizes) == MAX_CLIMBS
    assert min(min(n) for n in sizes) == MIN_CLIMBS


def test_a_family_without_products_costs_as_much_as_square_matrices():
    X = np.random.RandomState(0).standard_normal((50, 10))
    costs = [
        search(X, 2, family).budget.row_work
        for family in (DIAGONAL, FULL, replace(FULL, products=None))
    ]
    assert costs[0] < costs[1] < costs[2] < 2 * costs[1]


def test_a_fit_of_more_rows_is_worth_more_climbs():
    X = np.random.RandomState(0).standard_normal((20_000, 10))
    n_climbs = [search(X[:n], 20).budget.n_climbs for n in (2000, 8000, 20_000)]
    assert (np.diff(n_climbs) >= 0).all()
    assert n_climbs[0] < n_climbs[-1]


def test_kmeans_cuts_tables_only_where_a_fit_takes_longer_than_that():
    X = np.random.RandomState(0).standard_normal((20_000, 10))
    n_cut = [search(X[:n], 5).budget.n_by_kmeans for n in (300, 20_000)]
    assert n_cut[0] == 0 < n_cut[1]


# ---- Where rows are few for the matrices ----


def test_few_rows_for_the_matrices_are_told_from_many():
    X = np.random.RandomState(0).standard_normal((1500, 60))
    assert search(X, 10).is_short_of_rows
    assert not search(X[:, :20], 10).is_short_of_rows  # which is enough of them
    assert not search(X[:60, :10], 3).is_short_of_rows  # climbs cost next to nothing
    for family in (DIAGONAL, SPHERICAL):
        assert not search(X, 10, family).is_short_of_rows


def test_a_start_with_few_rows_costs_a_few_iterations(monkeypatch):
    counted = Counted(monkeypatch)
    X = np.random.RandomState(0).standard_normal((1500, 60))
    search(X, 10).best()
    # A pass for the first step of each partition, and one for each step after it.
    n_passes = small_em.N_PARTITIONS * (1 + small_em.PARTITION_STEPS)
    assert counted.work <= n_passes * counted.of_pass(FULL, 10, X)


def test_clusters_that_all_runs_find_are_not_climbed_from(monkeypatch):
    X, labels = clusters_apart(400, 60, 4)
    passes = []
    monkeypatch.setattr(climbs.Climbs, "moments", lambda *args: passes.append(args))
    found = start(X, 4)
    assert not passes
    means = np.array([X[labels == k].mean(axis=0) for k in range(4)])
    order = np.lexsort(found.means.round(6).T), np.lexsort(means.round(6).T)
    np.testing.assert_allclose(found.means[order[0]], means[order[1]], atol=1e-9)


def clusters_apart(n_rows, n_features, n_clusters):
    rng = np.random.RandomState(0)
    labels = np.arange(n_rows) % n_clusters
    return 30.0 * labels[:, None] + rng.standard_normal((n_rows, n_features)), labels
