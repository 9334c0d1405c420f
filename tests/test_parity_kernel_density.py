"""What scikit-learn's tests ask of `KernelDensity`, of `LOOKernelDensity`.

Its behaviours that no other file has, as theorems; `test_parity_inventory.py` says
which is where, and what is not here, such as other kernels and metrics.
"""

import inspect

import joblib
import numpy as np
import pytest
from conftest import ON_AWKWARD_DATA, read_only
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from skdensity import LOOKernelDensity

ALGORITHMS = pytest.mark.parametrize("algorithm", ["auto", "exact", "nufft"])


def rows(n_samples, n_features, seed=0):
    return read_only(
        np.random.RandomState(seed).standard_normal((n_samples, n_features))
    )


def log_mean_of_kernels(Y, X, h):
    """The log-density of a Gaussian kernel density, pair by pair."""
    n, d = X.shape
    log_kernels = -0.5 * cdist(Y / h, X / h, "sqeuclidean")
    return logsumexp(log_kernels, axis=1) - np.log(n) - d / 2 * np.log(2 * np.pi * h**2)


@ALGORITHMS
@pytest.mark.parametrize("bandwidth", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("rtol", [1e-2, 1e-9])
def test_the_density_is_the_mean_of_the_kernels(algorithm, bandwidth, rtol):
    X, Y = rows(100, 3), rows(100, 3, seed=1)
    density = LOOKernelDensity(bandwidth, algorithm=algorithm, rtol=rtol).fit(X)
    expected = log_mean_of_kernels(Y, X, bandwidth)
    # rtol bounds the relative error of the density; besides there is rounding.
    np.testing.assert_allclose(
        density.score_samples(Y), expected, rtol=1e-12, atol=1.01 * rtol
    )
    assert density.bandwidth_ == bandwidth


@ALGORITHMS
def test_its_product_over_rows_is_the_score(algorithm):
    X, Y = rows(50, 2), rows(20, 2, seed=1)
    theirs = KernelDensity(bandwidth=0.5).fit(X)
    ours = LOOKernelDensity(0.5, algorithm=algorithm).fit(X)
    # There the score is a sum over rows, here a mean.
    assert 20 * ours.score(Y) == pytest.approx(theirs.score(Y), rel=1e-6)


@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_rules_of_thumb_differ_as_scikit_learns_do(n_features):
    X = rows(100, n_features)
    ours, theirs = (
        [make(bandwidth=rule).fit(X).bandwidth_ for rule in ("silverman", "scott")]
        for make in (LOOKernelDensity, KernelDensity)
    )
    # There they are factors, here factors of the spread of the rows.
    assert ours[0] / ours[1] == pytest.approx(theirs[0] / theirs[1], rel=1e-12)
    double = LOOKernelDensity("scott").fit(2 * X)
    assert double.bandwidth_ == pytest.approx(2 * ours[1], rel=1e-12)


@pytest.mark.parametrize("n_features", [1, 3])
def test_draws_are_rows_and_gaussian_noise(n_features):
    X, h = rows(20, n_features), 1e-3
    density = LOOKernelDensity(h).fit(X)
    assert density.sample().shape == (1, n_features)
    draws = density.sample(5000, random_state=0)
    assert draws.shape == (5000, n_features)
    distances = cdist(draws, X)
    chosen = distances.argmin(axis=1)
    # Five standard errors: of the counts of rows, and of the variance of the noise.
    counts = np.bincount(chosen, minlength=20)
    assert np.all(np.abs(counts - 250) < 5 * np.sqrt(250))
    noise = (draws - X[chosen]) / h
    assert np.mean(noise**2) == pytest.approx(1, abs=5 * np.sqrt(2 / noise.size))
    assert np.mean(noise) == pytest.approx(0, abs=5 / np.sqrt(noise.size))


@ON_AWKWARD_DATA
@pytest.mark.parametrize("n_features", [1, 2, 10])
@pytest.mark.parametrize("bandwidth", [0.5, "loo"])
def test_weights_are_repetitions_in_any_unit(n_features, bandwidth):
    X, Y = rows(100, n_features), rows(10, n_features, seed=1)
    repeats = 1 + np.random.RandomState(2).randint(4, size=100)
    plain, constant, weighted, scaled, repeated = (
        LOOKernelDensity(bandwidth).fit(rows, sample_weight=weight)
        for rows, weight in [
            (X, None),
            (X, np.full(100, 3.0)),
            (X, repeats),
            (X, 0.37 * repeats),
            (np.repeat(X, repeats, axis=0), None),
        ]
    )
    same = [(plain, constant), (weighted, scaled), (weighted, repeated)]
    for one, other in same:
        np.testing.assert_allclose(
            one.score_samples(Y), other.score_samples(Y), rtol=1e-9
        )
        np.testing.assert_allclose(
            one.sample(5, random_state=3), other.sample(5, random_state=3), rtol=1e-9
        )
    assert not np.allclose(plain.score_samples(Y), weighted.score_samples(Y), atol=1e-3)


@pytest.mark.parametrize("weight", [None, [0.1, 0.2, 0.3]])
def test_a_file_keeps_the_weights(tmp_path, weight):
    density = LOOKernelDensity(1.0).fit([[1.0], [2.0], [3.0]], sample_weight=weight)
    joblib.dump(density, tmp_path / "density.joblib")
    again = joblib.load(tmp_path / "density.joblib")
    Y = np.linspace(0, 4, 9)[:, None]
    np.testing.assert_array_equal(again.score_samples(Y), density.score_samples(Y))
    np.testing.assert_array_equal(
        again.sample(9, random_state=0), density.sample(9, random_state=0)
    )


def test_what_is_not_here_is_no_parameter():
    ours, theirs = (
        set(inspect.signature(estimator).parameters)
        for estimator in (LOOKernelDensity, KernelDensity)
    )
    # Those that the guide lists for who comes from there.
    assert theirs - ours == {
        "kernel",
        "metric",
        "metric_params",
        "atol",
        "leaf_size",
        "breadth_first",
    }
