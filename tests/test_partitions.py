"""Parts of tables that climbs begin with, and the coordinates that they are cut in."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chisquare
from sklearn.cluster import KMeans

from skdensity.models.covariances.table import DIAGONAL, FULL, SPHERICAL
from skdensity.models.mixtures.variances import gaussian_of
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.partitions import (
    EVERY,
    MAX_STEPS,
    POWERS,
    Table,
    invariant_axes,
    kmeans_labels,
    nearest_seeds,
)


def skewed(n_rows, n_features, seed=0):
    """Rows whose fourth moments tell axes apart, and their weights."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_rows, n_features))
    X[:, 0] += 3 * rng.randint(2, size=n_rows)
    X[:, -1] *= np.exp(rng.standard_normal(n_rows))
    return X, rng.uniform(0.5, 2, n_rows)


def whitened(X, weight, family=FULL):
    return gaussian_of(ArrayRows(X, weight), family, 0.0, "{detail}").whiten(X)


def changes_of_axes(n_features):
    """Matrices of several kinds and conditions."""
    rng = np.random.RandomState(1)
    rotation, _ = np.linalg.qr(rng.standard_normal((n_features, n_features)))
    scales = np.geomspace(0.1, 10, n_features)
    return {
        "scales": np.diag(scales),
        "mirror": np.diag(np.where(np.arange(n_features) % 2, 1.0, -1.0)),
        "order": np.eye(n_features)[::-1],
        "rotation": rotation,
        "shear": np.tril(np.ones((n_features, n_features))),
        "all": rotation * scales @ rotation.T @ np.diag(scales[::-1]),
    }


# ---- Coordinates ----


@pytest.mark.parametrize("change", changes_of_axes(2))
@pytest.mark.parametrize("n_features", [2, 3, 8])
def test_no_linear_map_of_the_rows_is_seen_in_invariant_coordinates(n_features, change):
    X, weight = skewed(600, n_features)
    A = changes_of_axes(n_features)[change]
    white = whitened(X, weight)
    axes, fourth = invariant_axes(white, weight)
    changed = whitened(X @ A.T + 5.0, weight)
    other_axes, other_fourth = invariant_axes(changed, weight)
    # A covariance is rounded, and its factor is as wrong as its condition is large.
    rounding = np.finfo(float).eps * np.linalg.cond(np.cov(A @ X.T))
    np.testing.assert_allclose(other_fourth, fourth, rtol=10 * rounding)
    # Axes lose the digits that gaps between eigenvalues lack.
    gap = np.diff(fourth).min()
    assert gap > 1e-3
    expected, found = white @ axes, changed @ other_axes
    sign = np.sign(np.sum(expected * found, axis=0))
    tol = 10 * rounding * (1 + 1 / gap) * np.abs(expected).max()
    np.testing.assert_allclose(sign * found, expected, atol=tol)


def test_axes_are_eigenvectors_of_fourth_moments():
    X, weight = skewed(50, 3)
    white = whitened(X, weight)
    moments = sum(
        w * (z @ z) * np.outer(z, z) for w, z in zip(weight, white, strict=True)
    ) / (5 * weight.sum())
    axes, fourth = invariant_axes(white, weight)
    np.testing.assert_allclose(moments @ axes, axes * fourth, atol=1e-12)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert (np.diff(fourth) > 0).all()


def test_no_axis_of_a_gaussian_is_special():
    white = np.random.RandomState(0).standard_normal((100_000, 4))
    _, fourth = invariant_axes(white, np.ones(len(white)))
    # Their standard errors are about 0.01.
    np.testing.assert_allclose(fourth, 1, atol=0.05)


@pytest.mark.parametrize("n_features", [2, 5])
def test_two_like_clusters_are_the_first_axis_and_far_rows_the_last(n_features):
    X, weight = skewed(4000, n_features)
    axes, fourth = invariant_axes(whitened(X, weight), weight)
    assert fourth[0] < 0.9
    assert fourth[-1] > 1.2
    # Features are nearly uncorrelated, so that whitening hardly mixes them.
    assert np.abs(axes[0, 0]) > 0.95
    assert np.abs(axes[-1, -1]) > 0.95


def test_fourth_moments_have_a_bound_that_two_points_reach():
    white = np.array([[-1.0, 0.0], [1.0, 0.0]])  # the second feature is constant
    _, fourth = invariant_axes(white, np.ones(2))
    np.testing.assert_allclose(fourth, 1 / 4, rtol=1e-12)


def table_of(X, weight, family):
    white = whitened(X, weight, family)
    return Table(
        plain=X,
        scaled=X / X.std(axis=0),
        white=white,
        weight=weight,
        is_oriented=family.shape.is_oriented,
    )


def without_distances(tables):
    """Those that tell more than the distance from the mean."""
    return tables[np.arange(len(tables)) % EVERY < EVERY - 1]


@pytest.mark.parametrize("n_tables", [1, 2, 3, 5, 32])
def test_tables_of_a_family_with_orientation_are_of_both_kinds(n_tables):
    X, weight = skewed(100, 3)
    table = table_of(X, weight, FULL)
    tables, is_invariant = table.coordinates(n_tables)
    assert tables.shape == (n_tables, 100, 3)
    assert is_invariant.shape == (n_tables,)
    # Those that do not know the axes come last; where there is one, it is such a one.
    assert (np.diff(is_invariant.astype(int)) >= 0).all()
    assert is_invariant[-1]
    # One in the units of the table, where there are more; the others have no units.
    given = tables[~is_invariant]
    if len(given) > 1:
        np.testing.assert_array_equal(given[1], X)
    for found in np.delete(given, 1, axis=0) if len(given) > 1 else given:
        np.testing.assert_array_equal(found, table.scaled)
    axes, _ = invariant_axes(table.white, weight)
    for found in without_distances(tables[is_invariant]):
        scale = np.linalg.norm(found, axis=0) / np.linalg.norm(
            table.white @ axes, axis=0
        )
        np.testing.assert_allclose(found, table.white @ axes * scale, rtol=1e-9)


def test_invariant_tables_are_stretched_along_some_axes():
    X, weight = skewed(500, 3)
    table = table_of(X, weight, FULL)
    tables, is_invariant = table.coordinates(20)
    _, fourth = invariant_axes(table.white, weight)
    tables = tables[is_invariant]
    powers = without_distances(np.resize(POWERS, len(tables)))
    tables = without_distances(tables)
    # White rows vary by 1: what is found is the stretch.
    stretches = np.sqrt(np.average(tables**2, axis=1, weights=weight))
    for stretch, power in zip(stretches, powers, strict=True):
        np.testing.assert_allclose(np.log(stretch), -power * np.log(fourth), atol=1e-9)
    # Of two clusters the first axis tells, and most tables are long in it.
    assert np.mean(stretches[:, 0] > stretches[:, -1]) > 0.5


@pytest.mark.parametrize("family", [FULL, DIAGONAL, SPHERICAL])
def test_some_tables_tell_the_distance_from_the_mean_alone(family):
    X, weight = skewed(100, 3)
    table = table_of(X, weight, family)
    tables, is_invariant = table.coordinates(32)
    tables = tables[is_invariant] if is_invariant.any() else tables
    for found in tables[EVERY - 1 :: EVERY]:
        distance = np.linalg.norm(table.white, axis=1)
        np.testing.assert_allclose(
            cdist(found, found), np.abs(distance - distance[:, None])
        )


@pytest.mark.parametrize(
    ("family", "n_features"),
    [(DIAGONAL, 3), (SPHERICAL, 3), (DIAGONAL, 1), (SPHERICAL, 1), (FULL, 1)],
    ids=lambda value: getattr(value, "name", value),
)
def test_other_tables_are_whitened_as_the_family_allows(family, n_features):
    X, weight = skewed(100, n_features)
    table = table_of(X, weight, family)
    tables, is_invariant = table.coordinates(3)
    assert not is_invariant.any()
    for found in tables:
        np.testing.assert_array_equal(found, table.white)


# ---- Parts ----


def by_d2_sampling(table, weight, n_components, draws):
    """Labels by the nearest of seeds, row by row."""
    seeds, nearest = [], np.ones(len(table))
    for draw in draws[:n_components]:
        heights = np.cumsum(weight * nearest)
        (after, *_) = np.flatnonzero(heights > draw * heights[-1])
        seeds.append(table[after])
        distances = [[np.sum((row - seed) ** 2) for seed in seeds] for row in table]
        nearest = np.min(distances, axis=1)
    return np.argmin(distances, axis=1)


@pytest.mark.parametrize("n_components", [1, 2, 7])
def test_many_tables_are_cut_by_seeds_of_d2_sampling(n_components):
    n_tables = 7
    rng = np.random.RandomState(0)
    tables = rng.standard_normal((n_tables, 60, 3)) + 5
    weight = rng.uniform(0.1, 2, 60)
    labels = nearest_seeds(tables, weight, n_components, np.random.RandomState(1))
    draws = np.random.RandomState(1).uniform(size=(n_components, n_tables))
    for table, own, found in zip(tables, draws.T, labels, strict=True):
        expected = by_d2_sampling(table, weight, n_components, own)
        np.testing.assert_array_equal(found, expected)


def test_few_tables_are_cut_by_k_means():
    X, weight = skewed(80, 2)
    tables = np.stack([X, X * [1, 10], X * [10, 1]])
    labels = kmeans_labels(tables, weight, 3, np.random.RandomState(1))
    rng = np.random.RandomState(1)
    for table, found in zip(tables, labels, strict=True):
        means = KMeans(3, n_init=1, max_iter=MAX_STEPS, random_state=rng)
        expected = means.fit(table, sample_weight=weight).labels_
        np.testing.assert_array_equal(found, expected)


def test_a_first_seed_is_chosen_by_weight():
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    far = np.array([0.0, 1.0, 10.0, 30.0])[:, None]
    rng = np.random.RandomState(0)
    tables = np.broadcast_to(far, (2000, 4, 1))
    labels = nearest_seeds(tables, weight, 4, rng)
    # As many components as rows: every row is a seed, and label 0 is that of the first.
    assert (np.sort(labels, axis=1) == np.arange(4)).all()
    counts = np.bincount(np.argmin(labels, axis=1), minlength=4)
    assert chisquare(counts, 200 * weight).pvalue > 1e-3


@pytest.mark.parametrize(
    ("cut", "n_components"), [(kmeans_labels, 2), (nearest_seeds, 6)]
)
def test_rows_may_be_fewer_than_the_parts(cut, n_components):
    X = np.repeat([[0.0, 1.0], [2.0, 3.0]], 5, axis=0)
    tables = np.broadcast_to(X, (3, 10, 2))
    labels = cut(tables, np.ones(10), n_components, np.random.RandomState(0))
    for found in labels:
        assert len(np.unique(found)) == 2
        np.testing.assert_array_equal(found == found[0], X[:, 0] == 0)


@pytest.mark.parametrize("cut", [kmeans_labels, nearest_seeds])
def test_units_of_the_weights_do_not_matter_to_parts(cut):
    X, weight = skewed(200, 2)
    tables = np.broadcast_to(X, (3, 200, 2))
    expected = cut(tables, weight, 4, np.random.RandomState(0))
    for unit in (2.0**-40, 2.0**40):
        found = cut(tables, unit * weight, 4, np.random.RandomState(0))
        np.testing.assert_array_equal(found, expected)
