"""The lecture's tables, through the public API, to every printed digit."""

import numpy as np
import pytest

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
)
from skdensity.datasets import make_gaussian_1d, make_gaussian_2d, make_mixture_1d

# epoch: μ and σ after the step, negative log-likelihood before it
TABLE_1D = {
    0: (0.0500, 1.0513, 5.7287),
    30: (1.1211, 2.4646, 2.1749),
    60: (1.6300, 2.1697, 1.9816),
    90: (2.1959, 1.5625, 1.6727),
    120: (2.8080, 1.0914, 1.3831),
    150: (2.9932, 0.9118, 1.3460),
    180: (2.9524, 0.9273, 1.3450),
    210: (2.9605, 0.9297, 1.3449),
    240: (2.9590, 0.9284, 1.3449),
    270: (2.9593, 0.9287, 1.3449),
    299: (2.9592, 0.9287, 1.3449),
}

# epoch: μ after the step, diagonal of Σ and negative log-likelihood before it
TABLE_2D = {
    0: ((0.05, 0.05), (1, 1), 5.5661),
    40: ((1.344, 0.587), (3.043, 1.454), 2.8954),
    80: ((1.939, 0.958), (1.604, 0.971), 2.7095),
    120: ((2.031, 1.008), (1.435, 0.931), 2.7043),
    160: ((2.017, 1.000), (1.441, 0.938), 2.7042),
    200: ((2.019, 1.001), (1.442, 0.938), 2.7042),
    240: ((2.019, 1.001), (1.441, 0.938), 2.7042),
    399: ((2.019, 1.001), (1.442, 0.938), 2.7042),
}


def printed(value, digits):
    return np.round(np.asarray(value, dtype=float), digits).tolist()


@pytest.fixture(scope="module")
def fit_1d():
    return CholeskyGaussian(max_iter=300, tol=None, store_path=True).fit(
        make_gaussian_1d()
    )


@pytest.fixture(scope="module")
def fit_2d():
    return CholeskyGaussian(max_iter=400, tol=None, store_path=True).fit(
        make_gaussian_2d()
    )


@pytest.mark.parametrize(("epoch", "row"), TABLE_1D.items())
def test_one_dimension(fit_1d, epoch, row):
    location = fit_1d.location_path_[epoch, 0]
    scale = fit_1d.cholesky_path_[epoch, 0, 0]
    assert printed([location, scale, fit_1d.loss_curve_[epoch]], 4) == list(row)


@pytest.mark.parametrize(("epoch", "row"), TABLE_2D.items())
def test_two_dimensions(fit_2d, epoch, row):
    location, variances, loss = row
    before = np.concatenate([np.eye(2)[None], fit_2d.cholesky_path_])[epoch]
    assert printed(fit_2d.location_path_[epoch], 3) == list(location)
    assert printed(np.diag(before @ before.T), 3) == list(variances)
    assert printed(fit_2d.loss_curve_[epoch], 4) == loss


def test_two_dimensions_learned_covariance(fit_2d):
    assert printed(fit_2d.covariance_, 3) == [[1.442, 0.766], [0.766, 0.938]]


@pytest.mark.parametrize("make", [make_gaussian_1d, make_gaussian_2d])
def test_the_descent_ends_at_the_closed_form(make):
    X = make()
    descent, closed = CholeskyGaussian(tol=None).fit(X), GaussianMLE().fit(X)
    np.testing.assert_allclose(descent.location_, closed.location_, atol=1e-4)
    np.testing.assert_allclose(descent.covariance_, closed.covariance_, atol=1e-3)


@pytest.mark.parametrize(
    ("weights", "means", "scales", "log_likelihood"),
    [
        ([1 / 3, 1 / 3, 1 / 3], [-2, 0, 2], [1, 1, 1], -1571.23),
        ([0.3, 0.5, 0.2], [-4, 0.5, 4], [0.8, 1.5, 0.6], -1166.43),
    ],
    ids=["a guess", "the truth"],
)
@pytest.mark.parametrize("mixture", [EMGaussianMixture, AdamGaussianMixture])
@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_guesses(mixture, covariance_type, weights, means, scales, log_likelihood):
    X, _ = make_mixture_1d()
    shape = {"full": (3, 1, 1), "diag": (3, 1), "spherical": (3,)}[covariance_type]
    guess = mixture.from_parameters(
        weights,
        np.reshape(means, (3, 1)),
        np.square(scales, dtype=float).reshape(shape),
        covariance_type=covariance_type,
    )
    assert printed(guess.score_samples(X).sum(), 2) == log_likelihood


def test_counts_per_component():
    X, y = make_mixture_1d()
    assert X.shape == (500, 1)
    assert np.bincount(y).tolist() == [162, 240, 98]


@pytest.mark.filterwarnings("ignore:.*coincide")  # as poor optima do
def test_random_starts_end_in_different_optima():
    X, _ = make_mixture_1d()
    scores = [
        AdamGaussianMixture(
            3, init_params="standard_normal", tol=None, random_state=seed
        )
        .fit(X)
        .score(X)
        for seed in range(6)
    ]
    best = EMGaussianMixture(3, n_init=5, tol=1e-8, max_iter=1000, random_state=0)
    best = best.fit(X).score(X)
    assert max(scores) == pytest.approx(best, abs=1e-5)
    assert min(scores) < best - 0.05
