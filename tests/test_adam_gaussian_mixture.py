"""AdamGaussianMixture: EM's optimum by gradient descent."""

import numpy as np
import pytest
from conftest import ISOTROPIC, TYPES, UNTIED, stretched
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning

from skdensity import AdamGaussianMixture, EMGaussianMixture, GaussianMLE
from skdensity.datasets import make_mixture_1d


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_ends_at_the_optimum_of_em(load, covariance_type):
    X = load().data[:, :6]
    adam = AdamGaussianMixture(
        3, covariance_type=covariance_type, reg_covar=0, max_iter=2000, random_state=0
    ).fit(X)
    start = {
        "weights_init": adam.weights_,
        "means_init": adam.means_,
        "precisions_init": adam.precisions_,
    }
    em = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        tol=1e-10,
        max_iter=1000,
        **start,
    ).fit(X)
    assert adam.score(X) == pytest.approx(em.score(X), abs=1e-4)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_one_component_is_the_closed_form(iris, covariance_type):
    adam = AdamGaussianMixture(covariance_type=covariance_type, reg_covar=0).fit(iris)
    shape = {"tied": "full"}.get(covariance_type, covariance_type.removeprefix("tied_"))
    closed = GaussianMLE(covariance_type=shape).fit(iris)
    np.testing.assert_allclose(
        adam.score_samples(iris), closed.score_samples(iris), rtol=1e-6
    )


@pytest.mark.parametrize("covariance_type", TYPES)
def test_units_of_the_features_make_no_difference(covariance_type):
    X = load_wine().data
    scales = np.full(13, 1e4)
    if covariance_type not in ISOTROPIC:
        scales = np.logspace(-3, 3, 13)
    adam = AdamGaussianMixture(
        2,
        covariance_type=covariance_type,
        reg_covar=0,
        max_iter=50,
        tol=None,
        weights_init=[0.5, 0.5],
        means_init=X[[0, 100]],
        precisions_init=EMGaussianMixture(2, covariance_type=covariance_type)
        .fit(X)
        .precisions_,
    )
    here = clone(adam).fit(X)
    there = adam.set_params(
        means_init=X[[0, 100]] * scales,
        precisions_init=adam.precisions_init / stretched(covariance_type, scales),
    ).fit(X * scales)
    expected = here.score_samples(X) - np.log(scales).sum()
    np.testing.assert_allclose(there.score_samples(X * scales), expected, atol=1e-6)
    np.testing.assert_allclose(
        there.loss_curve_, np.add(here.loss_curve_, np.log(scales).sum()), rtol=1e-9
    )


def test_the_result_is_the_most_likely_of_all_parameters_visited(lecture_mixture):
    adam = AdamGaussianMixture(3, random_state=0, tol=None, max_iter=40)
    adam.fit(lecture_mixture)
    assert adam.lower_bound_ == max(adam.lower_bounds_) == -min(adam.loss_curve_)
    assert adam.score(lecture_mixture) >= adam.lower_bound_ - 1e-12
    assert adam.lower_bounds_ == [-loss for loss in adam.loss_curve_]


def test_warm_start_continues_as_if_never_stopped(iris):
    # Far from an optimum the last parameters are the best of all, in both.
    adam = AdamGaussianMixture(3, tol=None, init_params="random", random_state=0)
    whole = clone(adam).set_params(max_iter=60).fit(iris)
    halves = clone(adam).set_params(max_iter=30, warm_start=True).fit(iris).fit(iris)
    np.testing.assert_array_equal(halves.means_, whole.means_)
    assert halves.loss_curve_ == whole.loss_curve_[30:]


def test_warm_start_on_other_rows_fits_these():
    rng = np.random.RandomState(0)
    narrow = 0.3 * rng.standard_normal((100, 1))
    wide = 1 + rng.standard_normal((100, 1))
    adam = AdamGaussianMixture(warm_start=True, max_iter=5000)
    adam.fit(narrow).fit(wide)
    closed = GaussianMLE().fit(wide)
    assert adam.score(wide) == pytest.approx(closed.score(wide), abs=1e-3)
    assert adam.lower_bound_ == max(adam.lower_bounds_)


def test_warm_start_from_given_parameters(lecture_mixture):
    adam = AdamGaussianMixture.from_parameters(
        [0.3, 0.5, 0.2],
        [[-4], [0.5], [4]],
        [0.64, 2.25, 0.36],
        covariance_type="spherical",
    )
    before = adam.score(lecture_mixture)
    adam.set_params(warm_start=True, max_iter=100, tol=None).fit(lecture_mixture)
    assert adam.loss_curve_[0] == pytest.approx(-before, rel=1e-12)
    assert adam.score(lecture_mixture) > before


def test_batches_come_close_and_are_reproducible():
    X, _ = make_mixture_1d(20_000, random_state=1)
    em = EMGaussianMixture(3, random_state=0, tol=1e-8, max_iter=1000).fit(X)
    adam = AdamGaussianMixture(
        3,
        batch_size=500,
        learning_rate_init=0.01,
        max_iter=30,
        tol=None,
        random_state=0,
    )
    first, second = clone(adam).fit(X), clone(adam).fit(X)
    np.testing.assert_allclose(first.means_, second.means_, rtol=1e-9)
    assert first.score(X) == pytest.approx(em.score(X), abs=5e-3)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.filterwarnings("ignore:.*component . rests on:UserWarning")
def test_reg_covar_keeps_a_component_from_collapsing(covariance_type):
    # Nine rows lie on a point: without a floor the likelihood has no maximum.
    X = np.r_[np.zeros((9, 2)), np.random.RandomState(0).standard_normal((30, 2))]
    adam = AdamGaussianMixture(
        2, covariance_type=covariance_type, reg_covar=1e-4, max_iter=2000, tol=None
    ).fit(X)
    mixture = adam._model()
    variances = np.exp(2 * mixture.family.factors.log_diagonal(mixture.cholesky))
    assert variances.min() >= 1e-4 * (1 - 1e-9)
    assert np.isfinite(adam.score_samples(X)).all()


@pytest.mark.parametrize("covariance_type", UNTIED)
@pytest.mark.filterwarnings("ignore:.*component 1 rests on:UserWarning")
def test_a_component_on_a_single_row_stays_there(iris, covariance_type):
    # No other row reaches it, so that the gradient of its mean is 0, and not the
    # rounding error of a mean, which steps normalised by their size would follow.
    X = np.vstack([iris, [[20.3, 10.1, 30.7, 5.9]]])
    precisions = {
        "full": [np.eye(4), 1e4 * np.eye(4)],
        "diag": [np.ones(4), np.full(4, 1e4)],
        "spherical": [1, 1e4],
    }
    adam = AdamGaussianMixture(
        2,
        covariance_type=covariance_type,
        reg_covar=1e-6,
        tol=None,
        max_iter=300,
        weights_init=[0.9, 0.1],
        means_init=[iris.mean(axis=0), X[-1]],
        precisions_init=precisions[covariance_type],
    ).fit(X)
    np.testing.assert_array_equal(adam.means_[1], X[-1])
    mixture = adam._model()
    pivots = np.exp(2 * mixture.family.factors.log_diagonal(mixture.cholesky[1]))
    np.testing.assert_allclose(pivots, adam.reg_covar)


@pytest.mark.filterwarnings("ignore:.*coincide")  # as poor optima do
def test_more_starts_find_a_better_optimum(lecture_mixture):
    start = {"init_params": "standard_normal", "random_state": 3, "tol": None}
    one = AdamGaussianMixture(3, **start).fit(lecture_mixture)
    five = AdamGaussianMixture(3, n_init=5, **start).fit(lecture_mixture)
    assert five.lower_bound_ > one.lower_bound_ + 0.01
    assert five.score(lecture_mixture) > one.score(lecture_mixture) + 0.01


def test_the_loss_of_an_epoch_is_the_average_over_its_batches(iris):
    weight = np.random.RandomState(0).uniform(0.1, 3, len(iris))
    adam = AdamGaussianMixture(
        2, batch_size=32, learning_rate_init=1e-12, max_iter=1, tol=None, random_state=0
    ).fit(iris, sample_weight=weight)
    assert adam.loss_curve_[0] == pytest.approx(
        -adam.score(iris, sample_weight=weight), rel=1e-9
    )


def test_batches_are_shuffled_by_the_seed(iris):
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": iris[[0, 100]],
        "precisions_init": [np.eye(4)] * 2,
    }
    one, other = (
        AdamGaussianMixture(
            2, batch_size=32, max_iter=1, tol=None, random_state=seed, **start
        ).fit(iris)
        for seed in (0, 1)
    )
    assert not np.array_equal(one.means_, other.means_)


def test_a_diverging_descent_says_so(iris):
    with pytest.raises(
        ValueError, match=r"diverged after .* Lower `learning_rate_init"
    ):
        AdamGaussianMixture(2, learning_rate_init=1e3).fit(iris)


def test_stops_when_nothing_improves_and_warns_when_it_cannot(iris):
    assert AdamGaussianMixture(3, random_state=0).fit(iris).converged_
    with pytest.warns(ConvergenceWarning, match=r"AdamGaussianMixture used all 3 "):
        AdamGaussianMixture(3, max_iter=3, random_state=0).fit(iris)


def test_standard_normal_start_is_blind(iris):
    adam = AdamGaussianMixture(
        2, init_params="standard_normal", max_iter=0, random_state=0
    ).fit(iris + 100)
    rng = np.random.RandomState(0)
    logits, means = rng.standard_normal(2), rng.standard_normal((2, 4))
    np.testing.assert_allclose(adam.weights_, np.exp(logits) / np.exp(logits).sum())
    np.testing.assert_allclose(adam.means_, means)
    np.testing.assert_allclose(adam.covariances_, [np.eye(4)] * 2)


NEEDLES = {  # standard deviations of 1e-6, beside rows of deviation 1
    "full": np.stack([1e12 * np.eye(2)] * 2),
    "tied": 1e12 * np.eye(2),
}


@pytest.mark.parametrize("covariance_type", NEEDLES)
@pytest.mark.parametrize("reg_covar", [0, 1e-13])
def test_a_descent_that_never_improved_on_its_start_says_so(covariance_type, reg_covar):
    X = np.random.RandomState(0).standard_normal((300, 2))
    adam = AdamGaussianMixture(
        2,
        covariance_type=covariance_type,
        reg_covar=reg_covar,
        weights_init=[0.6, 0.4],
        means_init=[[-0.5, -0.3], [0.7, 0.4]],
        precisions_init=NEEDLES[covariance_type],
    )
    with pytest.warns(ConvergenceWarning, match="Mixture never improved on its start"):
        adam.fit(X)
    assert not adam.converged_
    assert adam.lower_bound_ == adam.lower_bounds_[0]
    # Shorter steps do.
    adam.set_params(learning_rate_init=1e-8, max_iter=60, tol=None).fit(X)
    assert adam.lower_bound_ > adam.lower_bounds_[0]


@pytest.mark.filterwarnings("error")
def test_a_start_at_the_optimum_is_converged(iris):
    em = EMGaussianMixture(2, random_state=0, tol=1e-13, max_iter=5000, reg_covar=0)
    em.fit(iris)
    start = {"weights_init": em.weights_, "means_init": em.means_}
    adam = AdamGaussianMixture(2, precisions_init=em.precisions_, reg_covar=0, **start)
    assert adam.fit(iris).converged_
    assert adam.lower_bound_ == pytest.approx(em.lower_bound_, abs=1e-9)
