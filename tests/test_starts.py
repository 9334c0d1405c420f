"""Where mixtures start: rows by weight, whatever their order."""

import numpy as np
import pytest
from conftest import STARTS_ON_ROWS, TYPES

from skdensity.models.covariances.table import FAMILIES, FULL
from skdensity.models.mixtures.moments import moments_of
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures import problem, starts
from skdensity.solvers.mixtures.em import m_step
from skdensity.solvers.mixtures.neighbours import NeighbourStart
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.starts import STARTS, start_rows


def start(name, X, weight, n_components, family=FULL):
    """The rows that a start looks at, and the mixture that it finds."""
    rng = np.random.RandomState(0)
    rows, _ = start_rows(ArrayRows(X, weight), n_components, rng)
    added = 1e-6 * family.scatter.isolated(np.ones(X.shape[1]))
    sought = StartProblem(rows, n_components, family, added)
    return rows.X, STARTS[name].find(sought, rng)


def assert_same_start(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    for name in ("weights", "means", "covariances"):
        expected = getattr(other[1], name)
        np.testing.assert_allclose(getattr(one[1], name), expected, rtol=1e-12)


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
    revived = []

    def watched(*args):
        mixture, n_revived = m_step(*args)
        revived.append(n_revived)
        return mixture, n_revived

    monkeypatch.setattr(problem, "m_step", watched)
    _, mixture = start(name, *rows, 3)
    assert (mixture.weights > 0).all()
    assert not any(revived)


@pytest.mark.parametrize("family", TYPES)
@pytest.mark.parametrize("name", ["kmeans", "random", "small_em"])
def test_one_component_is_the_gaussian_of_all_rows(rows, family, name):
    X, weight = rows
    family = FAMILIES[family]
    seen, found = start(name, X, weight, 1, family)
    order = np.lexsort(X.T[::-1])  # of weights that differ, starts sort the rows
    np.testing.assert_array_equal(seen, X[order])
    moments = moments_of(ArrayRows(X, weight), family.scatter)
    expected, _ = m_step(moments, family, 1e-6)
    np.testing.assert_array_equal(found.weights, [1.0])
    np.testing.assert_allclose(found.means, expected.means, rtol=1e-12)
    np.testing.assert_allclose(found.covariances, expected.covariances, rtol=1e-12)


@pytest.mark.parametrize("name", STARTS_ON_ROWS)
def test_of_many_rows_a_start_sees_some(monkeypatch, name):
    monkeypatch.setattr(starts, "MAX_ROWS", 400)
    X = np.random.RandomState(0).standard_normal((3000, 2))
    weight = np.random.RandomState(1).randint(1, 4, 3000).astype(float)
    some = start(name, X, weight, 3)
    assert len(some[0]) == 400
    repeated = np.repeat(X, weight.astype(int), axis=0)[::-1]
    assert_same_start(some, start(name, repeated, np.ones(len(repeated)), 3))


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


def test_a_start_without_neighbours_is_fresh():
    # Of rows with holes it is then asked again, of better draws.
    assert NeighbourStart().is_fresh
