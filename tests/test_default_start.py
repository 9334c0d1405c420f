"""Fits that begin as they do by default: optima, axes, memory."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from conftest import STARTS_ON_ROWS, TYPES
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_wine

from skdensity import EMGaussianMixture
from skdensity.solvers.mixtures import partitions

SEEDS = range(10)


def agreement(one, other, n_components):
    """Share of the rows in the same part, the parts in their best order."""
    table = np.zeros((n_components, n_components))
    np.add.at(table, (one, other), 1)
    return table[linear_sum_assignment(-table)].sum() / len(one)


# ---- The optimum ----


def waves(n_features, n_rows=4000):
    """Rows along a curve that winds through all features."""
    of_curve, of_rows = (np.random.RandomState(seed) for seed in (n_features, 1))
    frequency = of_curve.uniform(0.2, 3, n_features)
    phase = of_curve.uniform(0, 6, n_features)
    t = of_rows.uniform(0, 60, (n_rows, 1))
    noise = of_rows.normal(0, 0.02, (n_rows, n_features))
    return np.sin(t * frequency + phase) + noise


def rotated(X, seed=0):
    n_features = X.shape[1]
    normal = np.random.RandomState(seed).standard_normal((n_features, n_features))
    return X @ np.linalg.qr(normal)[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("change", ["as given", "rotated", "units", "weights"])
@pytest.mark.parametrize(("n_features", "n_components"), [(15, 60), (30, 30)])
def test_of_many_features_not_below_the_start_by_k_means(
    n_features, n_components, change, seed
):
    X, weight = waves(n_features), None
    if change == "rotated":
        X = rotated(X)
    if change == "units":
        X = X * np.geomspace(1e-3, 1e3, n_features)
    if change == "weights":
        weight = np.random.RandomState(0).randint(1, 3, len(X))
    score = {
        start: EMGaussianMixture(n_components, init_params=start, random_state=seed)
        .fit(X, sample_weight=weight)
        .score(X, sample_weight=weight)
        for start in ("small_em", "kmeans")
    }
    assert score["small_em"] >= score["kmeans"]


def layers(n_features, length, n_layers=3, n_rows=300):
    """Parallel layers, each as long as `length` in all features but one."""
    rng = np.random.RandomState(0)
    labels = np.repeat(np.arange(n_layers), n_rows)
    scale = np.append(np.full(n_features - 1, float(length)), 1)
    X = scale * rng.standard_normal((len(labels), n_features))
    X[:, -1] += 5 * labels
    return X, labels


def turned(X, angle):
    """Rows turned in the plane of their last two features."""
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.eye(X.shape[1])
    rotation[-2:, -2:] = [[cos, -sin], [sin, cos]]
    return X @ rotation


def assert_layers_are_found(X, labels, covariance_type="full", weight=None, unit=1.0):
    n_layers = labels.max() + 1
    for seed in SEEDS:
        mixture = EMGaussianMixture(
            n_layers, covariance_type=covariance_type, random_state=seed
        ).fit(X * unit, sample_weight=weight)
        # Layers are five deviations apart: a row in a hundred is beyond the middle.
        assert agreement(mixture.predict(X * unit), labels, n_layers) > 0.97


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize("angle", [0, 0.3, 0.5, np.pi / 4, 1.2, np.pi / 2])
def test_layers_are_found_along_any_axes(angle, covariance_type):
    X, labels = layers(2, 200)
    assert_layers_are_found(turned(X, angle), labels, covariance_type)


@pytest.mark.parametrize("n_layers", [2, 3])
@pytest.mark.parametrize("length", [1, 10, 200, 1e5])
@pytest.mark.parametrize("n_features", [2, 3])
def test_layers_are_found_whatever_their_length(n_features, length, n_layers):
    X, labels = layers(n_features, length, n_layers)
    assert_layers_are_found(rotated(X, seed=3), labels)


@pytest.mark.parametrize("unit", [1e-3, 1e6])
def test_layers_are_found_in_any_unit_and_with_weights(unit):
    X, labels = layers(2, 200)
    weight = np.random.RandomState(0).uniform(0.5, 2, len(X))
    assert_layers_are_found(turned(X, 0.5), labels, weight=weight, unit=unit)


def far_blobs(n_features):
    """Five groups of rows, one after the other along the diagonal."""
    rng = np.random.RandomState(0)
    return np.concatenate(
        [rng.normal(3 * k, 1, (400, n_features)) for k in range(5)]
    ), np.repeat(np.arange(5), 400)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("covariance_type", "n_features"),
    [("diag", 512), ("tied_diag", 512), ("spherical", 512), ("full", 40), ("tied", 40)],
)
def test_groups_in_hundreds_of_features_are_found_by_the_start(
    covariance_type, n_features, seed
):
    X, labels = far_blobs(n_features)
    mixture = EMGaussianMixture(
        5, covariance_type=covariance_type, max_iter=0, random_state=seed
    ).fit(X)
    assert agreement(mixture.predict(X), labels, 5) == 1


# ---- Axes ----


def clustered(n_features, n_components, seed):
    """600 rows of clusters of unequal weights and covariances."""
    rng = np.random.RandomState(seed)
    weights = rng.dirichlet(np.full(n_components, 4.0))
    labels = rng.choice(n_components, 600, p=weights)
    X = 6 * rng.standard_normal((n_components, n_features))[labels]
    for k in range(n_components):
        L = rng.standard_normal((n_features, n_features)) / n_features
        L = np.exp(rng.uniform(-1, 1)) * (L + np.eye(n_features))
        X[labels == k] += rng.standard_normal((np.sum(labels == k), n_features)) @ L.T
    return X


TABLES = [(2, 2), (2, 4), (3, 3), (3, 5), (4, 4), (5, 3), (6, 6), (8, 2)]


def change_of_axes(n_features, condition, seed, kind):
    """A linear map of the features and a translation."""
    rng = np.random.RandomState(seed)
    half = np.sqrt(condition)
    scales = rng.permutation(np.geomspace(1 / half, half, n_features))
    A = np.diag(scales)
    if kind == "any":
        one, other = (
            np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
            for _ in range(2)
        )
        A = one @ A @ other
    return A, 10 * rng.standard_normal(n_features)


def assert_equivariant(
    X, n_components, covariance_type, changes, atol, seeds=SEEDS, n_elsewhere=0
):
    """Fits of rows and of changed rows are the same fit, but for some."""
    elsewhere = []
    for seed in seeds:
        A, b = changes(seed)
        mixture = EMGaussianMixture(
            n_components, covariance_type=covariance_type, random_state=seed
        )
        labels = mixture.fit(X).predict(X)
        expected = mixture.score_samples(X) - np.linalg.slogdet(A)[1]
        Y = X @ A.T + b
        found = mixture.fit(Y).score_samples(Y)
        if agreement(mixture.predict(Y), labels, n_components) < 0.999:
            elsewhere.append(seed)
            continue
        error = np.abs(found - expected) / np.maximum(1, np.abs(expected))
        assert error.max() <= atol
    assert len(elsewhere) <= n_elsewhere


CONDITIONS = [(1e2, 1e-8), (1e4, 1e-5), (1e6, 1e-2)]


@pytest.mark.slow
@pytest.mark.parametrize(("condition", "atol"), CONDITIONS)
@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize(("n_features", "n_components"), TABLES, ids=str)
def test_axes_make_no_difference_in_invariant_coordinates(
    monkeypatch, n_features, n_components, covariance_type, condition, atol
):
    monkeypatch.setattr(partitions, "SHARE_AS_GIVEN", 0.0)
    assert_equivariant(
        clustered(n_features, n_components, n_features + n_components),
        n_components,
        covariance_type,
        lambda seed: change_of_axes(n_features, condition, seed, "any"),
        atol,
        # Covariances of condition 1e12 leave whitened rows four digits: a seed that is
        # drawn at the edge of two rows may be either.
        n_elsewhere=int(condition == 1e6),
    )


@pytest.mark.parametrize(("condition", "atol"), CONDITIONS[:2])
@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize(("n_features", "n_components"), [(3, 3), (8, 2)])
def test_axes_make_no_difference_to_plain_clusters(
    n_features, n_components, covariance_type, condition, atol
):
    assert_equivariant(
        clustered(n_features, n_components, n_features + n_components),
        n_components,
        covariance_type,
        lambda seed: change_of_axes(n_features, condition, seed, "any"),
        atol,
    )


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("covariance_type", ["diag", "tied_diag"])
@pytest.mark.parametrize(("n_features", "n_components"), TABLES[1:6:2], ids=str)
def test_units_of_features_make_no_difference_to_diagonal_families(
    n_features, n_components, covariance_type, condition
):
    assert_equivariant(
        clustered(n_features, n_components, n_features + n_components),
        n_components,
        covariance_type,
        lambda seed: change_of_axes(n_features, condition, seed, "diagonal"),
        1e-8,
    )


@pytest.mark.parametrize("covariance_type", ["spherical", "tied_spherical"])
@pytest.mark.parametrize(("n_features", "n_components"), TABLES[1:6:2], ids=str)
def test_turns_and_one_unit_make_no_difference_to_spherical_families(
    n_features, n_components, covariance_type
):
    def changes(seed):
        A, b = change_of_axes(n_features, 1.0, seed, "any")
        return 30.0 * A, b

    X = clustered(n_features, n_components, n_features + n_components)
    assert_equivariant(X, n_components, covariance_type, changes, 1e-8)


@pytest.mark.parametrize("covariance_type", ["diag", "tied_diag"])
def test_units_make_no_difference_to_wine(covariance_type):
    X = load_wine().data
    assert_equivariant(
        X,
        3,
        covariance_type,
        lambda seed: change_of_axes(13, 1e6, seed, "diagonal"),
        1e-8,
    )


# ---- Memory ----


def peak(mixture, X):
    """Bytes that a fit holds beyond its rows, at most."""
    tracemalloc.start()
    try:
        mixture.fit(X)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("covariance_type", "n_features", "n_components"),
    [("full", 1, 300), ("full", 1, 1000), ("full", 2, 300), ("diag", 5, 300)],
)
def test_a_start_with_many_components_holds_tens_of_megabytes(
    covariance_type, n_features, n_components
):
    X = np.random.RandomState(0).gamma(2, 3, (200_000, n_features))
    mixture = EMGaussianMixture(
        n_components,
        covariance_type=covariance_type,
        max_iter=0,
        random_state=0,
        n_jobs=1,
    )
    assert peak(mixture, X) < 60e6


@pytest.mark.parametrize(
    ("init_params", "covariance_type"),
    [*product(["small_em"], TYPES), *product(STARTS_ON_ROWS, ["full"])],
)
def test_a_start_holds_no_table_of_rows_and_components(init_params, covariance_type):
    n_rows, n_components = 30_000, 100
    X = np.random.RandomState(0).standard_normal((n_rows, 2))
    mixture = EMGaussianMixture(
        n_components,
        covariance_type=covariance_type,
        init_params=init_params,
        max_iter=0,
        random_state=0,
        n_jobs=1,
    )
    assert peak(mixture, X) < 8 * n_rows * n_components


@pytest.mark.filterwarnings("ignore:.*rests on")  # where a poor optimum ends
def test_wide_clusters_do_not_hide_narrow_ones_in_many_features():
    labels, reached = np.repeat(range(6), 240), []
    for table in range(3):
        rng = np.random.default_rng(table)
        parts = [
            rng.normal(size=(240, 30)) @ rng.normal(0, size, (30, 30))
            + rng.normal(0, 4, 30)
            for size in (0.04, 0.1, 0.4, 0.6, 1.2, 1.2)
        ]
        X = np.concatenate(parts)
        mixture = EMGaussianMixture(6, covariance_type="diag", init_params=labels)
        optimum = mixture.fit(X).score(X)
        for seed in SEEDS:
            mixture.set_params(init_params="small_em", random_state=seed)
            reached.append(mixture.fit(X).score(X) > optimum - 0.05)
    assert sum(reached) >= 27
