"""Spread and quantiles of what is missing: those of the conditional of every row."""

import numpy as np
import pytest
from conftest import TYPES
from scipy.stats import kstest

from skdensity import (
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)
from skdensity.models.covariances.table import FAMILIES

LEVELS = [0, 1e-9, 0.05, 0.5, 0.9, 1 - 1e-9, 1]
WALLS = [(-4.0, 6.0), (None, None), (-3.0, None)]

ESTIMATORS = [
    *(GaussianMLE(covariance_type=name) for name in ("full", "diag", "spherical")),
    CholeskyGaussian(tol=None, max_iter=10),
    *(EMGaussianMixture(2, covariance_type=name, random_state=0) for name in TYPES),
    LOOKernelDensity(0.5),
    LOOKernelDensity([0.3, 0.5, 0.7]),
    LOOKernelDensity(0.3 * np.eye(3) + 0.2),
    LOOKernelDensity(0.5, bounds=WALLS),
    # So wide that a series takes the place of images, and flat between walls.
    LOOKernelDensity([6.0, 1.0, 1.0], bounds=WALLS),
    LOOKernelDensity([60.0, 1.0, 1.0], bounds=WALLS),
    LOOKernelDensity(0.4, periodic=[4.0, None, None]),
]


@pytest.fixture(scope="module")
def X():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((40, 3)) @ [[1, 0.8, 0], [0, 1, -0.5], [0, 0, 0.7]] + 1
    return np.clip(X, -2.9, 5.9)


@pytest.fixture(scope="module")
def holed(X):
    """Rows with every pattern of holes, and without any value."""
    rows = np.repeat(X[:1], 8, axis=0)
    rows[[[i & 1 > 0, i & 2 > 0, i & 4 > 0] for i in range(8)]] = np.nan
    rows[:, 0] += 0.1
    return rows


def conditional(density, row, feature):
    """The density of a feature that a row misses, by itself."""
    known = np.flatnonzero(~np.isnan(row))
    others = np.setdiff1d(np.arange(len(row)), known)
    part = density.condition(known, row[known]) if len(known) else density
    return part.marginal([int(np.searchsorted(others, feature))])


def moments(density, period):
    """Standard deviation by quadrature; circular, if there is a period."""
    ends = density.quantile([1e-15, 1 - 1e-15])
    edges = np.linspace(*ends, 81)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    half = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + half * (1 + nodes)).ravel()
    mass = np.exp(density.score_samples(x[:, None])) * (half * weights).ravel()
    if period:
        length = abs(mass @ np.exp(2j * np.pi * x / period))
        return period / (2 * np.pi) * np.sqrt(-2 * np.log(length))
    return np.sqrt(mass @ (x - mass @ x) ** 2)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_every_row_has_what_its_conditional_has(estimator, X, holed):
    density = estimator.fit(X)
    std = density.conditional_std(holed)
    values = density.conditional_quantile(holed, LEVELS)
    assert values.shape == (8, len(LEVELS), 3)
    for row, own_std, own_values in zip(holed, std, values, strict=True):
        for feature in range(3):
            if not np.isnan(row[feature]):
                assert own_std[feature] == 0
                assert np.all(own_values[:, feature] == row[feature])
                continue
            alone = conditional(density, row, feature)
            # The density is kept to 1e-6 by `rtol`, the quantiles are not.
            rtol = 1e-6 if isinstance(density, LOOKernelDensity) else 1e-10
            period = getattr(density, "periodic", None) and density.periodic[feature]
            np.testing.assert_allclose(
                own_std[feature], moments(alone, period), rtol=rtol
            )
            np.testing.assert_allclose(
                own_values[:, feature], alone.quantile(LEVELS), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("name", TYPES)
def test_deviations_are_those_of_conditional_covariances(name, X):
    covariance = EMGaussianMixture(1, covariance_type=name).fit(X)
    given = covariance.condition([0], [0.5])
    family = FAMILIES[name]
    matrix = family.shape.matrices(family.shape.inner(given.covariances_), 2)
    row = [[0.5, np.nan, np.nan]]
    np.testing.assert_allclose(
        covariance.conditional_std(row)[0, 1:],
        np.sqrt(np.diagonal(np.reshape(matrix, (2, 2)))),
    )


def test_some_features_are_asked_for_by_number_and_by_name(X, holed):
    pd = pytest.importorskip("pandas")
    names = ["a", "b", "c"]
    density = GaussianMLE().fit(pd.DataFrame(X, columns=names))
    frame = pd.DataFrame(holed, columns=names)
    everything = density.conditional_quantile(frame, [0.1, 0.9])
    some = density.conditional_quantile(frame, [0.1, 0.9], features=["c", "a"])
    np.testing.assert_array_equal(some, everything[..., [2, 0]])
    std = density.conditional_std(frame, features=[1])
    np.testing.assert_array_equal(std, density.conditional_std(frame)[:, [1]])
    medians = density.conditional_quantile(frame, 0.5)
    np.testing.assert_allclose(medians, density.impute(frame))


@pytest.mark.parametrize("q", [0.3, [0.3], [0.1, 0.9]])
def test_quantiles_come_in_blocks(q, X):
    density, rows = GaussianMLE().fit(X), np.where([0, 1, 1], np.nan, X)
    blocks = RowBlocks(lambda: iter([rows[:7], rows[7:]]))
    parts = np.concatenate(list(density.conditional_quantile(blocks, q)))
    np.testing.assert_allclose(parts, density.conditional_quantile(rows, q))


@pytest.mark.parametrize("estimator", [GaussianMLE(), LOOKernelDensity(0.5)], ids=repr)
def test_neither_blocks_nor_threads_nor_kinds_of_rows_make_a_difference(estimator, X):
    rows = np.tile(X, (500, 1))
    rows[::2, 0] = rows[::3, 2] = np.nan
    density = estimator.fit(X)
    whole = density.conditional_std(rows)
    np.testing.assert_array_equal(
        whole, density.set_params(n_jobs=2).conditional_std(rows)
    )
    blocks = RowBlocks(lambda: iter([rows[:7], rows[7:]]))
    parts = np.concatenate(list(density.conditional_std(blocks)))
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
    some, whole = rows[:20], density.conditional_quantile(rows[:20], [0.1, 0.5])
    blocks = RowBlocks(lambda: iter([some[:7], some[7:]]))
    for q, expected in (([0.1, 0.5], whole), (0.5, whole[:, 1])):
        parts = np.concatenate(list(density.conditional_quantile(blocks, q)))
        np.testing.assert_allclose(parts, expected, rtol=1e-9)


def test_single_precision_goes_in_and_comes_out(X, holed):
    density = EMGaussianMixture(2, random_state=0).fit(X)
    for method, arguments in (("std", ()), ("quantile", ([0.1, 0.9],))):
        ask = getattr(density, f"conditional_{method}")
        single = ask(holed.astype(np.float32), *arguments)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, ask(holed, *arguments), rtol=1e-4, atol=1e-4)


def test_a_row_far_from_all_others_has_a_spread(X):
    density = LOOKernelDensity(0.5).fit(X)
    (spread,) = density.conditional_std([[1e6, np.nan, 0.0]])[:, 1]
    assert 0.5 - 1e-9 < spread < 10


def test_draws_are_below_a_quantile_as_often_as_it_says(X):
    density = EMGaussianMixture(2, random_state=0).fit(X)
    rows = np.tile([[0.3, np.nan, np.nan]], (2000, 1))
    draws = density.impute(rows, sample=True, random_state=0)
    levels = np.linspace(0, 1, 201)
    values = density.conditional_quantile(rows[:1], levels)[0]
    for feature in (1, 2):
        inner = slice(1, -1)
        shares = np.interp(draws[:, feature], values[inner, feature], levels[inner])
        assert kstest(shares, "uniform").pvalue > 1e-3


def test_bad_questions(X):
    density = LOOKernelDensity(0.5, bounds=WALLS).fit(X)
    row = [[0.0, np.nan, 0.0]]
    with pytest.raises(ValueError, match="`q` has 2; quantiles"):
        density.conditional_quantile(row, [0.1, 2])
    with pytest.raises(ValueError, match=r"`q` has shape \(1, 2\)"):
        density.conditional_quantile(row, [[0.1, 0.9]])
    with pytest.raises(ValueError, match="`features` has 3"):
        density.conditional_std(row, features=[3])
    with pytest.raises(ValueError, match="X has 2 features"):
        density.conditional_std([[0.0, np.nan]])
    with pytest.raises(ValueError, match="has 7 for feature 0, which is bounded"):
        density.conditional_std([[7.0, np.nan, 0.0]])
