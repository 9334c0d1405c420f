"""Rows with missing values: the exact pass of mixtures and Gaussians over them."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from conftest import TYPES, mixture_of
from mpmath import mp
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from skdensity.models.covariances.matrix_conditionals import LARGE, inverted
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import IncompleteRows

PATTERNS = np.array(list(product([False, True], repeat=4)))


@pytest.fixture(params=TYPES)
def mixture(request):
    return mixture_of(request.param, 4)


def alone(mixture):
    """The last component as a mixture of one."""
    family = mixture.family
    cholesky = mixture.own(mixture.cholesky)[-1:]
    return Mixture.from_cholesky(np.ones(1), mixture.means[-1:], cholesky, family)


def with_every_pattern(mixture, n_each=5):
    """Draws with each of the patterns of four features, in random order."""
    n_rows, rng = n_each * len(PATTERNS), np.random.RandomState(0)
    X, _ = mixture.sample(n_rows, rng)
    X[PATTERNS[rng.permutation(n_rows) % len(PATTERNS)]] = np.nan
    return X, rng.uniform(0.1, 2, n_rows)


def matrices_of(mixture):
    own = mixture.own(mixture.covariances)
    return mixture.family.shape.matrices(own, mixture.n_features)


def marginal_log_joint(mixture, X):
    """log π_k N(observed part of x_i | k), of shape (n_rows, n_components)."""
    out = np.zeros((len(X), mixture.n_components))
    components = zip(mixture.means, matrices_of(mixture), strict=True)
    for k, (mean, matrix) in enumerate(components):
        for i, row in enumerate(X):
            o = np.flatnonzero(~np.isnan(row))
            if len(o):
                part = multivariate_normal(mean[o], matrix[np.ix_(o, o)])
                out[i, k] = part.logpdf(row[o])
    return out + np.log(mixture.weights)


def lifted_moments(mixture, X, weight):
    """Moments about the means by regressions on what was observed.

    S1 = G S1_o and S2 = G S2_o Gᵀ + N pad(C) with G = [I; Σ_mo Σ_oo⁻¹].
    """
    joint = marginal_log_joint(mixture, X)
    shares = weight[:, None] * np.exp(joint - logsumexp(joint, axis=1)[:, None])
    d = mixture.n_features
    first = np.zeros((mixture.n_components, d))
    second = np.zeros((mixture.n_components, d, d))
    for k, matrix in enumerate(matrices_of(mixture)):
        for pattern in np.unique(np.isnan(X), axis=0):
            rows = np.all(np.isnan(X) == pattern, axis=1)
            m, o = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            G = np.zeros((d, len(o)))
            G[o] = np.eye(len(o))
            G[m] = matrix[np.ix_(m, o)] @ np.linalg.inv(matrix[np.ix_(o, o)])
            residuals = X[np.ix_(rows, o)] - mixture.means[k, o]
            share = shares[rows, k]
            first[k] += G @ (share @ residuals)
            second[k] += G @ (residuals.T * share) @ residuals @ G.T
            C = matrix[np.ix_(m, m)] - G[m] @ matrix[np.ix_(o, m)]
            second[k][np.ix_(m, m)] += share.sum() * C
    return shares.sum(axis=0), first, second


def in_layout(family, matrices):
    """Second moments as the family keeps them."""
    d = matrices.shape[-1]
    identity = np.eye(d)
    return sum(
        family.scatter.outer(
            matrices[:, :, j], np.tile(identity[j], (len(matrices), 1))
        )
        for j in range(d)
    )


def test_the_density_is_that_of_what_was_observed(mixture):
    for model in (mixture, alone(mixture)):
        X, _ = with_every_pattern(model)
        joint = marginal_log_joint(model, X)
        rows, expected = IncompleteRows(X), logsumexp(joint, axis=1)
        np.testing.assert_allclose(model.log_density(rows), expected, atol=1e-10)
        np.testing.assert_allclose(
            model.log_completed(rows), joint.max(axis=1), atol=1e-10
        )
        np.testing.assert_array_equal(model.labels(rows), joint.argmax(axis=1))
        np.testing.assert_allclose(
            model.responsibilities(rows),
            np.exp(joint - expected[:, None]),
            atol=1e-10,
        )
    gaussian = model.gaussian(0)
    np.testing.assert_allclose(gaussian.log_density(rows), expected, atol=1e-10)


def test_a_row_without_any_value_tells_nothing(mixture):
    rows = IncompleteRows(np.full((1, 4), np.nan))
    np.testing.assert_allclose(mixture.log_density(rows), [0], atol=1e-14)
    np.testing.assert_allclose(mixture.responsibilities(rows), [mixture.weights])


@pytest.mark.parametrize("part_of", [lambda mixture: mixture, alone])
def test_moments_are_those_of_the_lifted_marginals(mixture, part_of):
    mixture = part_of(mixture)
    X, weight = with_every_pattern(mixture)
    moments = mixture.moments(IncompleteRows(X, weight))
    counts = ~np.isnan(X).all(axis=1)
    X, weight = X[counts], weight[counts]
    mass, first, second = lifted_moments(mixture, X, weight)
    expected = weight @ logsumexp(marginal_log_joint(mixture, X), axis=1)
    assert moments.log_likelihood == pytest.approx(expected, rel=1e-12)
    for found, sums in (
        (moments.mass, mass),
        (moments.first, first),
        (moments.second, in_layout(mixture.family, second)),
    ):
        np.testing.assert_allclose(found, sums, rtol=1e-10, atol=1e-11)
    np.testing.assert_array_equal(moments.about, mixture.means)


def test_effective_rows_count_by_responsibilities(mixture):
    X, weight = with_every_pattern(mixture)
    found = mixture.effective_rows(IncompleteRows(X, weight))
    counts = ~np.isnan(X).all(axis=1)
    joint = marginal_log_joint(mixture, X)
    shares = np.exp(joint - logsumexp(joint, axis=1)[:, None])
    if mixture.family.shape.tied:
        shares = np.ones((len(X), 1))
    shares = shares[counts] * weight[counts, None]
    expected = shares.sum(axis=0) ** 2 / (shares**2).sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_neither_threads_nor_blocks_show(mixture, monkeypatch):
    X, weight = with_every_pattern(mixture, n_each=20)
    alone = mixture.moments(IncompleteRows(X, weight))
    monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 10_000)
    with Workspace(2) as workspace:
        rows = IncompleteRows(X, weight, workspace)
        blocked = mixture.moments(rows)
        density = mixture.log_density(rows)
    one_by_one = [mixture.log_density(IncompleteRows(row[None]))[0] for row in X[:32]]
    np.testing.assert_allclose(density[:32], one_by_one, rtol=1e-12, atol=1e-12)
    for name in ("log_likelihood", "mass", "first", "second"):
        found, expected = getattr(blocked, name), getattr(alone, name)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_complete_rows_take_the_way_that_they_took(mixture):
    X, weight = with_every_pattern(mixture, n_each=20)
    complete = ~np.isnan(X).any(axis=1)
    density = mixture.log_density(IncompleteRows(X))
    rows = ArrayRows(X[complete], weight[complete])
    np.testing.assert_array_equal(density[complete], mixture.log_density(rows))


def test_far_rows_keep_their_digits(mixture):
    X, _ = with_every_pattern(mixture)
    offset = np.array([1e8, -1e8, 1e7, 0.0])
    moved = replace(mixture, means=mixture.means + offset)
    X = np.round(X * 2**20) / 2**20  # so that the sum is exact
    found = moved.log_density(IncompleteRows(X + offset))
    expected = marginal_log_joint(moved, X + offset)
    np.testing.assert_allclose(
        found, logsumexp(expected, axis=1), rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("n_features", [6, 2 * LARGE])
def test_nearly_equal_features_may_be_missing_together(n_features):
    rng = np.random.RandomState(0)
    factor = np.tril(0.1 * rng.standard_normal((n_features, n_features)))
    factor[np.diag_indices(n_features)] = 1
    factor[-1], factor[-1, -1] = factor[-2], 1e-6  # a variance of 1e-12 is left
    mean = rng.standard_normal(n_features)
    mixture = Mixture.from_cholesky(
        np.ones(1), mean[None], factor[None], FAMILIES["full"]
    )
    X, _ = mixture.sample(3, rng)
    X[0, -2:] = X[1, 1:] = X[2, -1] = np.nan
    matrix = factor @ factor.T
    for row, found in zip(X, mixture.log_density(IncompleteRows(X)), strict=True):
        o = ~np.isnan(row)
        lower = np.linalg.cholesky(matrix[np.ix_(o, o)])
        white = np.linalg.solve(lower, row[o] - mean[o])
        log_det = np.log(np.diag(lower)).sum()
        expected = -0.5 * (white @ white + o.sum() * np.log(2 * np.pi)) - log_det
        assert found == pytest.approx(expected, abs=1e-7)


def exact_log_density(factor, mean, row):
    """log N of what was observed, with fifty digits."""
    o = np.flatnonzero(~np.isnan(row))
    with mp.workdps(50):
        whole = mp.matrix(factor.tolist()) * mp.matrix(factor.tolist()).T
        lower = mp.cholesky(mp.matrix([[whole[i, j] for j in o] for i in o]))
        steps = mp.matrix([mp.mpf(row[i]) - mp.mpf(mean[i]) for i in o])
        white = mp.lu_solve(lower, steps)
        log_det = sum(mp.log(lower[i, i]) for i in range(len(o)))
        distance = sum(z**2 for z in white)
        return float(-(distance + len(o) * mp.log(2 * mp.pi)) / 2 - log_det)


@pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-6])
def test_holes_cost_no_digits_where_features_are_nearly_equal(width):
    rng = np.random.RandomState(0)
    mean, factor = rng.standard_normal(5), np.tril(rng.standard_normal((5, 5)))
    factor[np.diag_indices(5)] = 1
    factor[3], factor[3, 3] = factor[2], width
    factor[4] = factor[0] + width * rng.standard_normal(5)
    factor[4, 4] = width
    row = mean + factor @ rng.standard_normal(5)
    gaussian = Gaussian(mean, factor, FAMILIES["full"])
    for pattern in product([False, True], repeat=5):
        if all(pattern):
            continue
        X = np.where(pattern, np.nan, row)[None]
        (found,) = gaussian.log_density(IncompleteRows(X))
        # Of pivots six digits may go; rounding a row costs eps / width in any case.
        expected = exact_log_density(factor, mean, X[0])
        assert found == pytest.approx(expected, abs=1e-10 + 1e-14 / width)


@pytest.mark.parametrize("n_features", [3, LARGE + 2])
def test_factors_that_are_no_numbers_raise_nothing(n_features):
    X = np.zeros((2, n_features))
    X[0, :-1] = X[1, 1:] = np.nan
    factor = np.full((n_features, n_features), np.nan)
    gaussian = Gaussian(np.zeros(n_features), factor, FAMILIES["full"])
    assert np.all(np.isnan(gaussian.log_density(IncompleteRows(X))))


@pytest.mark.parametrize("n", [3, LARGE + 2])
def test_a_matrix_that_is_not_positive_definite_leaves_the_others_theirs(n):
    rng = np.random.RandomState(0)
    A = rng.standard_normal((4, n, n))
    matrices = A @ A.transpose(0, 2, 1) + np.eye(n)
    matrices[2, 0, 1] = matrices[2, 1, 0] = 2 * matrices[2].diagonal().max()
    stack = np.ascontiguousarray(matrices.transpose(1, 2, 0))
    inverses, _, left = inverted(stack, Scratch())
    assert not left[2] > 0
    for k in (0, 1, 3):
        assert left[k] > 0
        np.testing.assert_allclose(inverses[..., k], np.linalg.inv(matrices[k]))


@pytest.mark.parametrize("n", [1, 2, 7, LARGE, LARGE + 9])
def test_stacks_of_matrices_are_inverted(n):
    half = np.random.RandomState(n).standard_normal((11, n, n + 3))
    stack = half @ half.swapaxes(1, 2)
    matrices = stack.transpose(1, 2, 0).copy()
    inverses, log_det, left = inverted(matrices, Scratch())
    np.testing.assert_allclose(
        inverses.transpose(2, 0, 1), np.linalg.inv(stack), rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(log_det, np.linalg.slogdet(stack)[1], rtol=1e-9)
    pivots = np.diagonal(np.linalg.cholesky(stack), axis1=1, axis2=2) ** 2
    shares = pivots / np.diagonal(stack, axis1=1, axis2=2)
    np.testing.assert_allclose(left, shares.min(axis=1), rtol=1e-9)


def test_float32_rows_lose_no_more_than_their_digits(mixture):
    X, weight = with_every_pattern(mixture)
    X32 = X.astype(np.float32)
    found = mixture.log_density(IncompleteRows(X32))
    assert found.dtype == np.float32
    expected = mixture.log_density(IncompleteRows(X32.astype(np.float64)))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    narrow, wide = (
        mixture.moments(IncompleteRows(rows, weight))
        for rows in (X32, X32.astype(np.float64))
    )
    np.testing.assert_array_equal(narrow.second, wide.second)


def test_a_family_without_conditionals_refuses_by_name(mixture):
    family = replace(mixture.family, name="plain", conditionals=None)
    plain = replace(mixture, family=family)
    plain.log_density(ArrayRows(np.zeros((1, 4))))
    with pytest.raises(ValueError, match="'plain' has no `conditionals`, which a row"):
        plain.log_density(IncompleteRows(np.array([[np.nan, 0, 0, 0]])))
