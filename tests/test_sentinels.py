"""Robust kernels do not depend on how far a few rows are, such as codes for missing."""

import warnings

import numpy as np
import pytest

from skdensity import LOOKernelDensity

N_ROWS = 500
ROBUST = ["robust_loo", "isj", "silverman", "scott"]


def cauchy_rows(n_features, seed=0):
    """Multivariate Cauchy rows, which have the scatter that is looked for."""
    r = np.random.default_rng(seed)
    X = r.normal(size=(N_ROWS, n_features)) / np.abs(r.normal(size=(N_ROWS, 1)))
    return X @ r.normal(size=(n_features, n_features))


def matrix(X, bandwidth="scott", sample_weight=None):
    density = LOOKernelDensity(bandwidth, covariance_type="full")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*finds no structure", UserWarning)
        return density.fit(X, sample_weight=sample_weight).covariance_


def apart(A, B):
    """The largest difference of log-widths in any direction."""
    whitener = np.linalg.inv(np.linalg.cholesky(B))
    ratios = np.linalg.eigvalsh(whitener @ A @ whitener.T)
    return 0.5 * np.abs(np.log(ratios)).max()


def direction(n_features, kind):
    if kind == "one feature":
        return np.eye(n_features)[0]
    if kind == "all features":
        return -np.ones(n_features)
    return 1 / np.arange(1.0, n_features + 1) ** 2


@pytest.mark.parametrize("n_features", [2, 3, 5])
@pytest.mark.parametrize("kind", ["one feature", "all features", "oblique"])
def test_one_row_has_the_influence_of_one_row_however_far(n_features, kind):
    X = cauchy_rows(n_features)
    expected, towards = matrix(X), direction(n_features, kind)
    found = [matrix([*X, 10.0**k * towards]) for k in range(2, 13)]
    # S is (d + 1) times the mean of z zᵀ / (1 + zᵀ S⁻¹ z), to which a far row adds
    # (d + 1) / n of S. By the derivative at Cauchy rows, 2 / (d + 3), shapes answer
    # (d + 3) / n in squares of widths. The median of distances is good for as much.
    for each in found:
        assert apart(each, expected) < (n_features + 3) / N_ROWS
    # What a far row says is its direction from the middle, which is near 0.
    for k, each in enumerate(found[:-1], start=2):
        assert apart(each, found[-1]) < max(10.0**-k, 1e-8)


@pytest.mark.parametrize("n_features", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_a_twentieth_of_the_rows_may_be_anywhere(n_features, spread):
    X, r = cauchy_rows(n_features), np.random.default_rng(1)
    expected, share = matrix(X), 1 / 20
    n_far = int(share * N_ROWS)
    places = spread * r.normal(size=(n_far, n_features)) + direction(n_features, "")
    found = []
    for k in (4, 6, 8, 10, 12):
        X[:n_far] = 10.0**k * places + np.arange(n_far)[:, None]
        found.append(matrix(X))
    # As one row, per row; and towards the breakdown, at 1 / (d + 1) of the rows.
    allowance = share * (n_features + 3) / (1 - share * (n_features + 1))
    for each in found:
        assert apart(each, expected) < allowance
        assert apart(each, found[-1]) < 0.01 * allowance


@pytest.mark.parametrize("bandwidth", ROBUST)
@pytest.mark.parametrize("far", [1e6, 99999999.0, 1e10, 1e12])
@pytest.mark.parametrize("kind", ["one feature", "all features", "oblique"])
def test_gaussian_rows_keep_their_kernel(bandwidth, far, kind):
    Y = np.random.default_rng(0).normal(size=(N_ROWS, 2))
    there = matrix([*Y, far * direction(2, kind)], bandwidth)
    # Their covariance, which is the smaller of two estimates where it counts, differs
    # from the other one by some sqrt(3 / n); an integral is over random draws.
    assert apart(there, matrix(Y, bandwidth)) < np.sqrt(3 / N_ROWS)
    near = matrix([*Y, 1e4 * direction(2, kind)], bandwidth)
    assert apart(there, near) < (0.01 if bandwidth == "robust_loo" else 1e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_weights_and_single_precision_make_no_difference_to_that(weighted):
    X, r = cauchy_rows(3).astype(np.float32), np.random.default_rng(2)
    weight = r.integers(1, 4, N_ROWS).astype(float) if weighted else np.ones(N_ROWS)
    Z = np.vstack([X, np.float32(-99999999) * np.ones((1, 3), np.float32)])
    there = matrix(Z, sample_weight=np.append(weight, 1.0))
    largest = 1 / weight.sum()
    assert apart(there, matrix(X, sample_weight=weight)) < 6 * largest + 1e-5
    there = matrix(Z.astype(float), sample_weight=np.append(weight, 0.0))
    expected = matrix(X.astype(float), sample_weight=weight)
    assert apart(there, expected) < 1e-12


@pytest.mark.parametrize("far", [1e3, 1e8, 1e12])
@pytest.mark.parametrize("n_features", [2, 5])
def test_kernels_follow_linear_maps_of_rows_with_far_ones(n_features, far):
    X = np.vstack([cauchy_rows(n_features), far * direction(n_features, "oblique")])
    A = np.random.default_rng(3).normal(size=(n_features, n_features))
    # Rows of 1e12 know their place to 1e-4.
    assert apart(matrix(X @ A.T + 5), A @ matrix(X) @ A.T) < max(1e-8, 1e-16 * far)


@pytest.mark.parametrize("far", [1e6, 1e12, 1e15])
def test_loo_bridges_the_gap_to_a_far_row_along_the_feature_that_has_it(far):
    Y = np.random.default_rng(0).normal(size=(N_ROWS, 2))
    full, diagonal = (
        LOOKernelDensity(covariance_type=each).fit([*Y, [far, 0.0]])
        for each in ("full", "diag")
    )
    # Any diagonal kernel is a full one.
    assert full.loo_score_ >= diagonal.loo_score_ - 1e-6
    # Where no matrix of floats is as wide and as narrow, one is found that is as good
    # as the best of the others.
    full, round_ = (
        LOOKernelDensity(covariance_type=each).fit([*Y, [far, far]])
        for each in ("full", "spherical")
    )
    assert full.loo_score_ >= round_.loo_score_ - 0.01
