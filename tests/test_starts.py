"""Where mixtures start: rows by weight, whatever their order."""

import numpy as np
import pytest

from skdensity.models.covariances import FAMILIES
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
