"""CholeskyGaussian: the descent, its path, its starts and its batches."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skdensity import CholeskyGaussian, GaussianMLE


@pytest.fixture(scope="module")
def X(iris):
    return StandardScaler().fit_transform(iris)


def test_ends_at_the_closed_form_in_four_dimensions(X):
    # A constant step hovers around the optimum; half the default one settles in time.
    density = CholeskyGaussian(tol=None, learning_rate_init=0.02).fit(X)
    closed = GaussianMLE().fit(X)
    assert density.score(X) == pytest.approx(closed.score(X), abs=1e-7)
    np.testing.assert_allclose(density.covariance_, closed.covariance_, atol=1e-3)
    np.testing.assert_allclose(
        density.cholesky_ @ density.cholesky_.T, density.covariance_, atol=1e-15
    )
    np.testing.assert_array_equal(np.triu(density.cholesky_, 1), 0)


def test_the_loss_is_minus_the_score_before_each_update(X):
    density = CholeskyGaussian(tol=None, max_iter=5, store_path=True).fit(X)
    assert len(density.loss_curve_) == density.n_iter_ == 5
    for t in range(1, 5):
        partial = CholeskyGaussian(tol=None, max_iter=t).fit(X)
        assert density.loss_curve_[t] == pytest.approx(-partial.score(X), rel=1e-12)
        path = density.location_path_[t - 1], density.cholesky_path_[t - 1]
        np.testing.assert_allclose(path[0], partial.location_, rtol=1e-10)
        np.testing.assert_allclose(path[1], partial.cholesky_, rtol=1e-10, atol=1e-12)


def test_warm_start_continues_as_if_never_stopped(X):
    whole = CholeskyGaussian(tol=None, max_iter=60).fit(X)
    halves = CholeskyGaussian(tol=None, max_iter=30, warm_start=True).fit(X).fit(X)
    np.testing.assert_array_equal(halves.covariance_, whole.covariance_)
    assert halves.loss_curve_ == whole.loss_curve_[30:]


def test_warm_start_refuses_other_features(X):
    density = CholeskyGaussian(tol=None, max_iter=2, warm_start=True).fit(X)
    with pytest.raises(ValueError, match=r"4 features.*X has 2"):
        density.fit(X[:, :2])
    assert density.n_features_in_ == 4


def test_starts_where_it_is_told(X):
    closed = GaussianMLE().fit(X)
    cholesky = np.linalg.cholesky(closed.covariance_)
    density = CholeskyGaussian(
        max_iter=0, location_init=closed.location_, cholesky_init=cholesky
    ).fit(X)
    np.testing.assert_array_equal(density.location_, closed.location_)
    np.testing.assert_allclose(density.covariance_, closed.covariance_)
    assert (density.loss_curve_, density.n_iter_) == ([], 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"location_init": [0.0]},
            r"`location_init` has shape \(1,\); expected \(4,\)",
        ),
        ({"cholesky_init": np.eye(3)}, r"`cholesky_init` has shape \(3, 3\)"),
        ({"cholesky_init": -np.eye(4)}, "lower triangular with a positive diagonal"),
        ({"cholesky_init": np.ones((4, 4))}, "lower triangular with a positive"),
        ({"location_init": [0, 0, np.nan, 0]}, "location_init contains NaN"),
    ],
)
def test_bad_starts(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        CholeskyGaussian(**parameters).fit(X)


def test_batches_come_close_and_are_reproducible(X):
    closed = GaussianMLE().fit(X).score(X)
    first, second = (
        CholeskyGaussian(
            batch_size=32,
            learning_rate_init=0.01,
            max_iter=300,
            tol=None,
            random_state=0,
        ).fit(X)
        for _ in range(2)
    )
    np.testing.assert_allclose(first.covariance_, second.covariance_, rtol=1e-9)
    assert closed - 0.02 < first.score(X) <= closed


def test_stops_when_nothing_improves_and_warns_when_it_cannot(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density = CholeskyGaussian(max_iter=3000).fit(X)
    assert density.converged_
    assert density.n_iter_ < 3000
    with pytest.warns(
        ConvergenceWarning, match=r"CholeskyGaussian used all 3 .*tol=1e"
    ):
        assert not CholeskyGaussian(max_iter=3).fit(X).converged_


@pytest.mark.parametrize(
    ("parameters", "index", "verb"),
    [
        ({"max_iter": 3}, -1, "was"),
        ({"cholesky_init": 1e-9 * np.eye(4)}, 0, "there is"),
    ],
)
def test_warnings_tell_the_likelihood_and_not_the_loss(X, parameters, index, verb):
    density = CholeskyGaussian(**parameters)
    with pytest.warns(ConvergenceWarning) as caught:
        density.fit(X)
    told = f"log-likelihood {verb} {-density.loss_curve_[index]:.6g} nats per row"
    assert told in str(caught[0].message)


@pytest.mark.parametrize("scale", [1e-6, 1e-9])
def test_a_descent_that_never_improved_on_its_start_says_so(X, scale):
    density = CholeskyGaussian(cholesky_init=scale * np.eye(4))
    with pytest.warns(ConvergenceWarning, match="Gaussian never improved on its start"):
        density.fit(X)
    assert not density.converged_
    np.testing.assert_allclose(density.cholesky_, scale * np.eye(4), rtol=1e-12)


def test_a_start_at_the_optimum_is_converged(X):
    closed = GaussianMLE().fit(X)
    density = CholeskyGaussian(
        location_init=closed.location_,
        cholesky_init=np.linalg.cholesky(closed.covariance_),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert density.fit(X).converged_


def test_the_default_fit_of_standardised_data_is_near_the_closed_form(X):
    density = CholeskyGaussian().fit(X)
    assert density.score(X) == pytest.approx(GaussianMLE().fit(X).score(X), abs=2e-3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_result_is_the_most_likely_of_all_parameters_visited(correlated_normals):
    X = 1e-3 * correlated_normals  # steps of 0.05 are far too long here
    density = CholeskyGaussian().fit(X)
    assert density.score(X) >= -min(density.loss_curve_) - 1e-12


def test_a_refit_without_path_forgets_the_old_one(X):
    density = CholeskyGaussian(tol=None, max_iter=5, store_path=True).fit(X)
    assert density.location_path_.shape == (5, 4)
    density.set_params(store_path=False).fit(X[:, :1])
    assert not hasattr(density, "location_path_")
    assert not hasattr(density, "cholesky_path_")


def test_a_diverging_descent_says_so(X):
    with pytest.raises(
        ValueError, match=r"diverged after .* Lower `learning_rate_init"
    ):
        CholeskyGaussian(learning_rate_init=1e3).fit(X)


def test_verbose_prints_and_silence_does_not(capsys, X):
    CholeskyGaussian(tol=None, max_iter=20).fit(X)
    assert capsys.readouterr().out == ""
    CholeskyGaussian(tol=None, max_iter=20, verbose=1).fit(X)
    assert capsys.readouterr().out.count("Iteration") == 2
