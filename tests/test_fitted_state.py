"""What a fit leaves behind: plain values, which tell the whole density."""

import pickle
from dataclasses import is_dataclass

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

X = load_iris().data
ESTIMATORS = [
    GaussianMLE(),
    GaussianMLE(covariance_type="spherical"),
    CholeskyGaussian(max_iter=30, tol=None, store_path=True),
    EMGaussianMixture(2, random_state=0),
    EMGaussianMixture(2, covariance_type="tied_spherical", random_state=0),
    AdamGaussianMixture(2, max_iter=30, tol=None, random_state=0),
    LOOKernelDensity(),
    LOOKernelDensity(covariance_type="diag", bounds=(0, None)),
    LOOKernelDensity(covariance_type="diag", periodic=10.0),
    LOOKernelDensity("scott", covariance_type="full"),
]
# One width for features of unlike spread is enough here.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")
PLAIN = (bool, int, float, str, type(None), np.ndarray, np.generic)


@pytest.fixture(params=ESTIMATORS, ids=repr)
def fitted(request):
    return clone(request.param).fit(X)


def leaves(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    elif is_dataclass(value):  # a record of plain values
        yield from leaves(vars(value))
    else:
        yield value


def test_what_is_fitted_is_plain(fitted):
    for name, value in fitted.__getstate__().items():
        for leaf in leaves(value):
            assert isinstance(leaf, PLAIN), (name, type(leaf))
            assert np.asarray(leaf).dtype != object or leaf is None, name


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_pickle_is_the_same_density_and_holds_nothing_that_was_kept(fitted, dtype):
    rows = X.astype(dtype)
    fitted = clone(fitted).fit(rows)
    before = len(pickle.dumps(fitted))
    expected = fitted.score_samples(rows)
    assert len(pickle.dumps(fitted)) == before
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.score_samples(rows), expected)
    np.testing.assert_array_equal(again.score_samples(rows), expected)


LOCATIONS = ["location_", "means_", "locations_"]


def test_changes_in_place_are_seen(fitted):
    expected = fitted.score_samples(X)
    (name,) = (name for name in LOCATIONS if hasattr(fitted, name))
    step = np.array([1.0, 0.5, -0.25, 2.0])
    array = getattr(fitted, name)
    before = array.copy()
    array += step
    if getattr(fitted, "bounds", None) is None:
        # Multiples of 1/4 are exact, and so are the differences that count.
        np.testing.assert_allclose(fitted.score_samples(X + step), expected, atol=1e-9)
    array[...] = before
    np.testing.assert_array_equal(fitted.score_samples(X), expected)


MIXTURES = [EMGaussianMixture, AdamGaussianMixture]


@pytest.mark.parametrize("Mixture", MIXTURES)
def test_attributes_set_by_hand_are_a_fitted_mixture(Mixture):
    covariances = np.array([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 3.0]]])
    weights, means = np.array([0.25, 0.75]), np.array([[0.0, 1.0], [5.0, 5.0]])
    known = Mixture.from_parameters(weights, means, covariances)
    by_hand = Mixture(2)
    by_hand.weights_, by_hand.means_ = weights, means
    by_hand.covariances_ = covariances
    by_hand.precisions_cholesky_ = known.precisions_cholesky_
    rows, labels = by_hand.sample(3, random_state=0)
    expected, expected_labels = known.sample(3, random_state=0)
    np.testing.assert_allclose(rows, expected, rtol=1e-12)
    np.testing.assert_array_equal(labels, expected_labels)
    np.testing.assert_array_equal(
        by_hand.score_samples(rows), known.score_samples(rows)
    )
    with pytest.raises(ValueError, match=r"3 features.*expecting 2"):
        by_hand.predict(np.zeros((1, 3)))


@pytest.mark.parametrize("Mixture", MIXTURES)
class TestSetByHand:
    def test_lists_will_do(self, Mixture):
        mixture = Mixture(2, covariance_type="spherical")
        mixture.weights_, mixture.means_ = [0.5, 0.5], [[0, 0], [4, 4]]
        mixture.precisions_cholesky_ = [1, 0.5]
        rows, _ = mixture.sample(5, random_state=0)
        assert rows.dtype == np.float64
        expected = mixture.score_samples(rows)
        mixture.means_[0][0] = 1
        assert not np.array_equal(mixture.score_samples(rows), expected)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_another_type_after_a_fit(self, Mixture):
        mixture = Mixture(2, random_state=0, max_iter=1, tol=0).fit(X)
        mixture.covariance_type = "diag"
        expected = Mixture(2, covariance_type="diag", random_state=0, max_iter=1, tol=0)
        expected.fit(X)
        for name in mixture._told_by:
            setattr(mixture, name, getattr(expected, name))
        np.testing.assert_array_equal(
            mixture.score_samples(X), expected.score_samples(X)
        )

    def test_shapes_that_do_not_match_are_named(self, Mixture):
        mixture = Mixture.from_parameters([1.0], [[0.0, 1.0]], [np.eye(2)])
        mixture.precisions_cholesky_ = np.eye(3)
        with pytest.raises(
            ValueError, match=r"`precisions_cholesky_` of shape \(3, 3\)"
        ):
            mixture.score_samples([[0.0, 1.0]])
        mixture = Mixture.from_parameters([1.0], [[0.0, 1.0]], [np.eye(2)])
        mixture.weights_ = np.ones(2)
        with pytest.raises(ValueError, match=r"`weights_` has shape \(2,\)"):
            mixture.sample()

    def test_a_warm_start_goes_on_from_them(self, Mixture):
        fit = EMGaussianMixture(2, random_state=0, tol=1e-8).fit(X)
        mixture = Mixture(2, warm_start=True, max_iter=1, tol=0)
        for name in (*mixture._told_by, "lower_bound_"):
            setattr(mixture, name, getattr(fit, name))
        mixture.converged_ = True
        with pytest.warns(ConvergenceWarning):
            mixture.fit(X)
        assert mixture.score(X) == pytest.approx(fit.score(X), abs=1e-6)


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("left_out", ["weights_", "means_", "precisions_cholesky_"])
def test_half_of_a_mixture_is_not_fitted(Mixture, left_out):
    mixture = Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]])
    delattr(mixture, left_out)
    for ask in (lambda m: m.sample(), lambda m: m.score_samples([[0.0]])):
        with pytest.raises(NotFittedError, match=f"not `{left_out}`.*from_parameters"):
            ask(mixture)


@pytest.mark.parametrize("Gaussian", [GaussianMLE, CholeskyGaussian])
class TestGivenGaussians:
    location = np.array([1.0, -2.0])
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])

    def test_they_have_the_density_of_their_parameters(self, Gaussian):
        from scipy.stats import multivariate_normal

        rows = np.random.RandomState(0).standard_normal((20, 2))
        given = Gaussian.from_parameters(self.location, self.covariance)
        expected = multivariate_normal(self.location, self.covariance).logpdf(rows)
        np.testing.assert_allclose(given.score_samples(rows), expected, rtol=1e-12)
        np.testing.assert_array_equal(given.location_, self.location)
        np.testing.assert_array_equal(given.covariance_, self.covariance)
        np.testing.assert_allclose(
            given.precision_, np.linalg.inv(self.covariance), rtol=1e-12
        )

    @pytest.mark.parametrize(
        ("location", "covariance", "message"),
        [
            ([[0.0]], [[1.0]], "`location` has shape"),
            ([0.0], [[1.0, 0.0], [0.0, 1.0]], "`covariance` has shape"),
            ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], "`covariance` must be symmetric"),
            ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "`covariance` is not positive"),
            ([np.nan], [[1.0]], "location contains NaN"),
        ],
    )
    def test_bad_parameters_are_named(self, Gaussian, location, covariance, message):
        with pytest.raises(ValueError, match=message):
            Gaussian.from_parameters(location, covariance)


@pytest.mark.parametrize("Gaussian", [GaussianMLE, CholeskyGaussian])
def test_a_gaussian_may_be_set_by_hand(Gaussian):
    by_hand, known = Gaussian(), Gaussian.from_parameters([0.0, 10.0], np.eye(2))
    location, matrix = by_hand._told_by
    setattr(by_hand, location, [0, 10])
    with pytest.raises(NotFittedError, match=f"not `{matrix}`.*`from_parameters`"):
        by_hand.sample()
    setattr(by_hand, matrix, np.eye(2, dtype=int))
    np.testing.assert_array_equal(
        by_hand.sample(3, random_state=0), known.sample(3, random_state=0)
    )
    setattr(by_hand, matrix, np.eye(3))
    with pytest.raises(ValueError, match=r"of shape \(3, 3\) are no Gaussian"):
        by_hand.sample()
    with pytest.raises(ValueError, match=r"`location` has shape \(\)"):
        Gaussian.from_parameters(0.0, [[1.0]])


def test_kernels_may_be_set_by_hand():
    by_hand = LOOKernelDensity()
    by_hand.locations_, by_hand.weights_ = [[0], [5]], [0.5, 0.5]
    with pytest.raises(NotFittedError, match=r"not `bandwidth_`\. Call `fit`\."):
        by_hand.sample()
    by_hand.bandwidth_ = 1.0
    known = LOOKernelDensity(1.0).fit([[0.0], [5.0]])
    np.testing.assert_array_equal(
        by_hand.sample(3, random_state=0), known.sample(3, random_state=0)
    )
    np.testing.assert_array_equal(by_hand.modes(), known.modes())
    by_hand.weights_ = [75, 75]
    with pytest.raises(ValueError, match=r"`weights_` must be non-neg.*sums to 150\."):
        by_hand.sample()


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [0.0, 0.0], [75, 75], [np.nan, 1.0]])
@pytest.mark.parametrize("Mixture", MIXTURES)
def test_weights_set_by_hand_are_shares(Mixture, weights):
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [5.0]], np.ones((2, 1, 1)))
    mixture.weights_ = weights
    with pytest.raises(
        ValueError, match=r"`?weights_`? (must be non-neg|contains NaN)"
    ):
        mixture.score_samples([[0.0]])


def test_what_tells_how_to_sum_is_checked_when_it_changes():
    density = LOOKernelDensity(1.0).fit(X)
    with pytest.raises(ValueError, match="algorithm='abacus' is not known"):
        density.set_params(algorithm="abacus").score(X)


def test_a_descent_may_set_out_from_given_parameters():
    start = CholeskyGaussian.from_parameters(X.mean(axis=0), np.cov(X.T, bias=True))
    start.set_params(warm_start=True, max_iter=1, tol=None)
    expected = GaussianMLE().fit(X).score(X)
    # The start is the optimum, and the most likely of the two visited is kept.
    assert start.fit(X).score(X) == pytest.approx(expected, rel=1e-12)
    assert start.loss_curve_ == [pytest.approx(-expected, rel=1e-12)]


def test_a_stream_does_not_continue_from_given_parameters():
    given = GaussianMLE.from_parameters([0.0], [[1.0]])
    with pytest.raises(ValueError, match="stand for no rows"):
        given.partial_fit([[1.0]])


@pytest.mark.parametrize("X", [X[:, :1], X])
def test_a_stream_keeps_its_family(X):
    stream = GaussianMLE(covariance_type="diag").partial_fit(X)
    before = dict(vars(stream))
    stream.covariance_type = "spherical"
    with pytest.raises(ValueError, match=r"'spherical' cannot continue.*'diag' began"):
        stream.partial_fit(X)
    stream.covariance_type = "no such type"
    with pytest.raises(ValueError, match=r"'covariance_type' parameter.*must be a str"):
        stream.partial_fit(X)
    stream.covariance_type = "diag"
    assert vars(stream) == before
    stream.partial_fit(X)


def test_near_singular_rows_in_float32_keep_their_density():
    # A correlation of 1 − 1e-7 does not survive the rounding of a covariance.
    rng = np.random.RandomState(0)
    z = rng.standard_normal(500).astype(np.float32)
    rows = np.column_stack([z, z + 3e-4 * rng.standard_normal(500)]).astype(np.float32)
    single = GaussianMLE().fit(rows)
    double = GaussianMLE().fit(rows.astype(np.float64))
    assert single.covariance_.dtype == np.float32
    np.testing.assert_allclose(
        single.score_samples(rows),
        double.score_samples(rows.astype(np.float64)),
        rtol=1e-5,
    )
