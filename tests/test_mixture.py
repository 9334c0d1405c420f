"""What both mixtures do once fitted, and from given parameters."""

import re

import numpy as np
import pytest
from conftest import MIXTURES, dense_covariances, scipys_log_joint
from sklearn.base import clone
from sklearn.mixture import GaussianMixture

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.rows.array_rows import ArrayRows

PARAMETERS = {
    "full": ([0.3, 0.7], [[0, 0], [5, 1]], [[[1, 0.5], [0.5, 2]], [[3, 0], [0, 1]]]),
    "tied": ([0.3, 0.7], [[0, 0], [5, 1]], [[1, 0.5], [0.5, 2]]),
    "diag": ([0.3, 0.7], [[0, 0], [5, 1]], [[1, 2], [3, 4]]),
    "tied_diag": ([0.3, 0.7], [[0, 0], [5, 1]], [1, 2]),
    "spherical": ([0.3, 0.7], [[0, 0], [5, 1]], [1, 4]),
    "tied_spherical": ([0.3, 0.7], [[0, 0], [5, 1]], 4),
}


@pytest.fixture(params=MIXTURES)
def Mixture(request):
    return request.param


@pytest.fixture(params=PARAMETERS)
def covariance_type(request):
    return request.param


@pytest.fixture
def mixture(Mixture, covariance_type):
    return Mixture.from_parameters(
        *PARAMETERS[covariance_type], covariance_type=covariance_type
    )


def dense_parameters(covariance_type):
    weights, means, covariances = PARAMETERS[covariance_type]
    return weights, means, dense_covariances(covariance_type, covariances, 2, 2)


def test_the_density_is_the_weighted_sum(mixture, covariance_type):
    X = np.random.RandomState(0).uniform(-5, 10, (100, 2))
    parts = np.exp(scipys_log_joint(X, *dense_parameters(covariance_type)))
    np.testing.assert_allclose(mixture.score_samples(X), np.log(parts.sum(axis=1)))
    responsibilities = parts / parts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mixture.predict_proba(X), responsibilities, rtol=1e-9)
    np.testing.assert_array_equal(mixture.predict(X), parts.argmax(axis=1))


def test_given_parameters_are_the_fitted_attributes(mixture, covariance_type):
    weights, means, covariances = PARAMETERS[covariance_type]
    np.testing.assert_allclose(mixture.weights_, weights)
    np.testing.assert_array_equal(mixture.means_, means)
    np.testing.assert_allclose(mixture.covariances_, covariances, atol=1e-15)
    assert mixture.n_features_in_ == 2
    assert mixture.get_params()["n_components"] == 2
    assert mixture.get_params()["covariance_type"] == covariance_type


def test_samples_have_their_components_moments(mixture, covariance_type):
    X, y = mixture.sample(40_000, random_state=0)
    weights, means, covariances = dense_parameters(covariance_type)
    # Five standard errors of the largest variance, 4, and of a share.
    assert np.mean(y) == pytest.approx(weights[1], abs=5 * 0.5 / 200)
    for k, covariance in enumerate(covariances):
        n = np.sum(y == k)
        np.testing.assert_allclose(
            X[y == k].mean(axis=0), means[k], atol=5 * 2 / np.sqrt(n)
        )
        np.testing.assert_allclose(
            np.cov(X[y == k].T), covariance, atol=5 * 4 * np.sqrt(2 / n)
        )
    assert not np.all(np.diff(y) >= 0), "rows come in random order"


def test_sample_falls_back_on_the_constructors_seed(mixture):
    fresh = [mixture.sample(3)[0] for _ in range(2)]
    assert not np.array_equal(*fresh)
    mixture.set_params(random_state=0)
    np.testing.assert_array_equal(mixture.sample(3)[0], mixture.sample(3)[0])
    np.testing.assert_array_equal(
        mixture.sample(3)[0], mixture.sample(3, random_state=0)[0]
    )


def test_criteria_count_weights_as_repetitions(mixture):
    X = np.random.RandomState(0).uniform(-5, 10, (50, 2))
    weight = np.random.RandomState(1).randint(1, 4, 50)
    repeated = np.repeat(X, weight, axis=0)
    for criterion in (mixture.aic, mixture.bic, mixture.icl):
        assert criterion(X, weight) == pytest.approx(criterion(repeated), rel=1e-12)
        assert type(criterion(X, weight)) is float


def test_icl_is_the_bic_of_labelled_rows(mixture, covariance_type):
    X = np.random.RandomState(0).uniform(-5, 10, (50, 2))
    weight = np.random.RandomState(1).uniform(0.5, 2, 50)
    log_joint = scipys_log_joint(X, *dense_parameters(covariance_type))
    completed = 0.0
    for row, w, k in zip(log_joint, weight, mixture.predict(X), strict=True):
        completed += w * row[k]
    penalty = mixture._n_parameters() * np.log(weight.sum())
    icl, bic = mixture.icl(X, weight), mixture.bic(X, weight)
    assert icl == pytest.approx(-2 * completed + penalty, rel=1e-12)
    # mclust's formula, but for its sign.
    doubt = -np.log(mixture.predict_proba(X).max(axis=1))
    assert icl == pytest.approx(bic + 2 * weight @ doubt, rel=1e-12)
    assert icl > bic


def test_icl_is_bic_where_no_label_is_in_doubt(Mixture):
    X = np.repeat([[0.0], [50.0]], 5, axis=0) + np.linspace(-1, 1, 10)[:, None]
    apart = Mixture.from_parameters([0.5, 0.5], [[0], [50]], np.ones((2, 1, 1)))
    assert apart.icl(X) == apart.bic(X)
    alone = Mixture.from_parameters([1.0], [[0]], [[[1.0]]])
    assert alone.icl(X) == alone.bic(X)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_number_of_parameters_is_scikit_learns(mixture, covariance_type):
    theirs = GaussianMixture(2, covariance_type=covariance_type)
    theirs.fit(np.random.RandomState(0).standard_normal((20, 2)))
    assert mixture._n_parameters() == theirs._n_parameters()


def test_fitted_attributes_are_a_start(Mixture, covariance_type, iris):
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0).fit(iris)
    shape = FAMILIES[covariance_type].shape.public_shape(2, 4)
    for name in ("covariances_", "precisions_", "precisions_cholesky_"):
        assert np.shape(getattr(mixture, name)) == shape
    again = Mixture(
        2,
        covariance_type=covariance_type,
        max_iter=0,
        weights_init=mixture.weights_,
        means_init=mixture.means_,
        precisions_init=mixture.precisions_,
    ).fit(iris)
    np.testing.assert_allclose(
        again.score_samples(iris), mixture.score_samples(iris), rtol=1e-9
    )


@pytest.mark.parametrize("number", [4, 4.0, np.float32(4), np.array(4.0)])
def test_one_variance_for_all_is_a_number(Mixture, number):
    start = {"weights_init": [1.0], "means_init": [[0.0, 0.0]], "max_iter": 0}
    mixture = Mixture(covariance_type="tied_spherical", precisions_init=number, **start)
    assert mixture.fit(np.eye(2)).covariances_ == 0.25
    assert isinstance(mixture.covariances_, float)
    given = Mixture.from_parameters(
        [1.0], [[0.0, 0.0]], number, covariance_type="tied_spherical"
    )
    assert given.precisions_ == 0.25


@pytest.mark.parametrize(
    ("tied", "single"),
    [("tied", "full"), ("tied_diag", "diag"), ("tied_spherical", "spherical")],
)
def test_one_component_has_nothing_to_share(Mixture, tied, single, iris):
    one, other = (Mixture(covariance_type=name).fit(iris) for name in (tied, single))
    np.testing.assert_allclose(
        one.score_samples(iris), other.score_samples(iris), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": [0.5, 0.6]}, r"`weights` must be non-negative and sum to 1.*1\.1"),
        ({"weights": [-0.5, 1.5]}, "`weights` must be non-negative"),
        ({"weights": [1.0]}, r"`weights` has shape \(1,\); expected \(2,\)"),
        ({"means": [0, 1]}, "Expected 2D array"),
        ({"covariances": [[[1]]]}, r"`covariances` has shape.*expected \(2, 2, 2\)"),
        (
            {"covariances": [[[1, 2], [2, 1]], [[1, 0], [0, 1]]]},
            "`covariances` of component 0 is not positive definite: it has a negative",
        ),
        (
            {"covariances": [[[1, 0], [0, 1]], [[0, 0], [0, 1]]]},
            "component 1 is not positive definite: variance 0 of feature 0",
        ),
        (
            {"covariance_type": "diag", "covariances": [[1, 1], [1, 0]]},
            "component 1 is not positive definite: variance 0 of feature 1",
        ),
        ({"covariances": [[[1, 0.5], [0, 1]]] * 2}, "`covariances` must be symmetric"),
        (
            {"covariances": [np.eye(2), [[1e-9, 9e-10], [-9e-10, 1e-9]]]},
            "`covariances` must be symmetric; component 1",
        ),
        ({"covariances": 1.0}, r"`covariances` has shape \(\); expected \(2, 2, 2\)"),
        (
            {"covariance_type": "tied_spherical", "covariances": [1.0]},
            r"`covariances` has shape \(1,\); expected \(\)",
        ),
        (
            {"covariance_type": "tied_spherical", "covariances": -1.0},
            "is not positive definite: variance -1",
        ),
        ({"covariance_type": "round"}, "'covariance_type' parameter.*'round'"),
    ],
)
def test_bad_parameters(Mixture, changes, message):
    names = ("weights", "means", "covariances")
    given = dict(zip(names, PARAMETERS["full"], strict=True)) | changes
    with pytest.raises(ValueError, match=message):
        Mixture.from_parameters(**given)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weights_init": [0.5, 0.6]}, "`weights_init` must be non-negative"),
        ({"means_init": [[0, 0]]}, r"`means_init` has shape \(1, 2\); expected \(2, 2"),
        ({"means_init": [[np.nan] * 2] * 2}, "means_init contains NaN"),
        ({"precisions_init": np.eye(2)}, "`precisions_init` has shape"),
        ({"precisions_init": 1.0}, r"`precisions_init` has shape \(\); expected"),
        (
            {"precisions_init": [-np.eye(2)] * 2},
            "`precisions_init` of component 0 is not positive definite",
        ),
    ],
)
def test_bad_starts_leave_a_fit_as_it_was(Mixture, iris, parameters, message):
    X = iris[:, :2]
    mixture = Mixture(2, random_state=0).fit(X)
    before = dict(vars(mixture))
    mixture.set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        mixture.fit(X)
    assert vars(mixture) == before | parameters


def test_a_warm_start_on_other_rows_does_not_end_on_a_coincidence(lecture_mixture):
    mixture = EMGaussianMixture(2, random_state=0, warm_start=True).fit(lecture_mixture)
    # Weights under which the likelihood of where the last fit ended is what it was.
    score = mixture.score_samples(lecture_mixture) - mixture.lower_bound_
    is_left = lecture_mixture[:, 0] < 0
    weight = np.where(score > 0, 1 + is_left, 1.0)
    weight[score <= 0] *= -(weight * score)[score > 0].sum() / score[score <= 0].sum()
    assert mixture.score(lecture_mixture, sample_weight=weight) == pytest.approx(
        mixture.lower_bound_, abs=1e-12
    )
    cold = clone(mixture).set_params(warm_start=False)
    warm_bound = mixture.fit(lecture_mixture, sample_weight=weight).lower_bound_
    cold_bound = cold.fit(lecture_mixture, sample_weight=weight).lower_bound_
    assert warm_bound == pytest.approx(cold_bound, abs=mixture.tol)
    # On the same rows it is a step, after which nothing is ahead.
    assert mixture.fit(lecture_mixture, sample_weight=weight).n_iter_ == 1


def test_warm_start_says_what_it_cannot_continue(Mixture, iris):
    mixture = Mixture(2, warm_start=True, random_state=0, tol=1e-2, reg_covar=1e-4)
    mixture.fit(iris)
    for change, rows in (
        ({"n_components": 3}, iris),
        ({"covariance_type": "diag"}, iris),
        ({}, iris[:, :2]),
    ):
        mixture.set_params(n_components=2, covariance_type="full").set_params(**change)
        with pytest.raises(ValueError, match="warm_start=True cannot continue"):
            mixture.fit(rows)


# Of setosa alone, petals of one width make a component.
@pytest.mark.filterwarnings("ignore:.*reg_covar:UserWarning")
def test_fit_predict_is_fit_then_predict(Mixture, iris):
    weight = np.where(np.arange(150) < 50, 3.0, 0.5)
    labels = Mixture(3, random_state=0, max_iter=2000).fit_predict(
        iris, sample_weight=weight
    )
    mixture = Mixture(3, random_state=0, max_iter=2000).fit(iris, sample_weight=weight)
    np.testing.assert_array_equal(labels, mixture.predict(iris))
    unweighted = Mixture(3, random_state=0, max_iter=2000).fit_predict(iris)
    assert not np.array_equal(labels, unweighted)


def test_fitted_attributes_are_plain_numbers(Mixture, iris):
    mixture = Mixture(2, random_state=0).fit(iris)
    assert mixture.converged_ is True
    assert {type(value) for value in mixture.lower_bounds_} == {float}
    assert type(mixture.lower_bound_) is float
    assert type(mixture.n_iter_) is int


def test_another_covariance_type_waits_for_the_next_fit(Mixture, iris):
    # With as many components as features, the shapes cannot tell the types apart.
    X = iris[:, :2]
    mixture = Mixture(2, covariance_type="tied", random_state=0).fit(X)
    expected = mixture.score_samples(X), mixture.bic(X)
    mixture.set_params(covariance_type="diag")
    np.testing.assert_array_equal(mixture.score_samples(X), expected[0])
    assert mixture.bic(X) == expected[1]
    with pytest.raises(ValueError, match="warm_start=True cannot continue"):
        mixture.set_params(warm_start=True).fit(X)


def test_float32_in_float32_out(Mixture, covariance_type, iris):
    X = iris.astype(np.float32)
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    for array in (
        mixture.weights_,
        mixture.means_,
        mixture.covariances_,
        mixture.precisions_,
        mixture.precisions_cholesky_,
        mixture.score_samples(X),
        mixture.predict_proba(X),
        mixture.sample(2)[0],
    ):
        assert array.dtype == np.float32


def test_verbose_prints_and_silence_does_not(Mixture, capsys, iris):
    mixture = Mixture(3, random_state=0, reg_covar=1e-4)
    mixture.fit(iris)
    assert capsys.readouterr().out == ""
    mixture.set_params(verbose=2, verbose_interval=2).fit(iris)
    out = capsys.readouterr().out
    assert out.startswith("Run 0\n  Iteration 2  change ")
    assert "Run converged after" in out
    changes = [float(each) for each in re.findall(r"change (\S+) nats", out)]
    expected = np.abs(np.diff(mixture.lower_bounds_))[::2]
    np.testing.assert_allclose(np.abs(changes), expected[: len(changes)], rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*has 2 parameters:UserWarning")
@pytest.mark.parametrize("criterion", ["score", "aic", "bic", "icl"])
def test_a_row_of_weight_zero_may_have_no_density_at_all(criterion):
    mixture = EMGaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]])
    value = getattr(mixture, criterion)
    assert value([[0.0], [1e200]], sample_weight=[1, 0]) == value([[0.0]])


def test_components_taken_in_another_order_are_the_same_density(
    Mixture, covariance_type
):
    mixture = Mixture.from_parameters(
        *PARAMETERS[covariance_type], covariance_type=covariance_type
    )._model()
    X = ArrayRows(np.random.RandomState(0).uniform(-5, 10, (20, 2)))
    taken = mixture.taken(np.array([1, 0]))
    assert taken.cholesky.shape == mixture.cholesky.shape
    np.testing.assert_array_equal(taken.weights, mixture.weights[::-1])
    np.testing.assert_allclose(taken.log_density(X), mixture.log_density(X), rtol=1e-12)
