"""Accelerated EM: EM's optimum, in fewer steps, never a step down."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone
from sklearn.datasets import load_iris

from skdensity import EMGaussianMixture
from skdensity.models.covariances import FAMILIES
from skdensity.models.losses import MixtureLoss
from skdensity.solvers import acceleration
from skdensity.solvers.acceleration import ACCELERATIONS, AcceleratedEM
from skdensity.solvers.em import EM

TYPES = list(FAMILIES)


@pytest.fixture(scope="module")
def X():
    return load_iris().data


@pytest.fixture(scope="module")
def overlapping():
    rng = np.random.RandomState(0)
    return rng.standard_normal((2000, 2)) + 1.5 * rng.randint(3, size=(2000, 1))


def solver_and_state(X, covariance_type, direction, reg_covar=0.0):
    """Accelerated EM one plain step away from a start."""
    start = EMGaussianMixture(
        3, covariance_type=covariance_type, max_iter=0, random_state=0
    ).fit(X)
    weight, family = np.ones(len(X)), FAMILIES[covariance_type]
    em = EM(X, weight, np.full(X.shape[1], reg_covar))
    loss = MixtureLoss(X, weight, 3, family)
    solver = AcceleratedEM(em, loss, X.std(axis=0), direction)
    return solver, solver.step(solver.init(start._mixture()))


@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_ends_at_ems_optimum_without_a_step_down(X, covariance_type, name):
    em = EMGaussianMixture(
        3, covariance_type=covariance_type, reg_covar=0, random_state=0
    )
    plain = clone(em).set_params(tol=1e-11, max_iter=5000).fit(X)
    fast = clone(em).set_params(tol=1e-11, acceleration=name).fit(X)
    assert fast.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-8)
    # The sum of 150 log-densities is rounded in its last digits.
    assert np.diff(fast.lower_bounds_).min() >= -1e-13


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_regularised_fits_end_where_em_rests(X, name):
    em = EMGaussianMixture(3, reg_covar=1e-2, tol=1e-11, max_iter=5000, random_state=0)
    plain = clone(em).fit(X)
    fast = clone(em).set_params(acceleration=name).fit(X)
    np.testing.assert_allclose(fast.means_, plain.means_, atol=1e-3)


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_takes_fewer_steps_where_components_overlap(overlapping, name):
    em = EMGaussianMixture(3, tol=1e-7, max_iter=5000, random_state=0)
    plain = clone(em).fit(overlapping)
    fast = clone(em).set_params(acceleration=name).fit(overlapping)
    assert fast.n_iter_ < plain.n_iter_ / 2
    assert fast.lower_bound_ >= plain.lower_bound_ - 1e-6


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_its_first_step_is_ems(X, name):
    em = EMGaussianMixture(3, max_iter=1, random_state=0, tol=0)
    plain = clone(em).fit(X)
    fast = clone(em).set_params(acceleration=name).fit(X)
    np.testing.assert_array_equal(fast.means_, plain.means_)
    np.testing.assert_array_equal(fast.covariances_, plain.covariances_)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_gradient_is_that_of_the_mean_log_likelihood(X, covariance_type):
    solver, state = solver_and_state(X, covariance_type, acceleration.lbfgs)
    (point,) = state.points

    def value(parameters):
        mixture = solver._unravel(parameters)
        return mixture.moments(X, np.ones(len(X))).log_likelihood / len(X)

    expected = approx_fprime(point.parameters, value, 1e-6)
    # Forward differences are off by half the curvature times their step of 1e-6.
    np.testing.assert_allclose(point.gradient, expected, atol=1e-4)


def far(points):
    return 1e6 * points[-1].gradient / np.abs(points[-1].gradient).max()


def nowhere(points):
    return np.full_like(points[-1].gradient, np.nan)


def down(points):
    return -points[-1].gradient


@pytest.mark.parametrize("direction", [far, nowhere, down])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_bad_directions_leave_plain_em(X, covariance_type, direction):
    solver, state = solver_and_state(X, covariance_type, direction)
    plain = solver.em.init(state.mixture)
    for _ in range(5):
        state, plain = solver.step(state), solver.em.step(plain)
        assert state.value == pytest.approx(plain.value, abs=1e-12)


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_units_of_the_features_make_no_difference(X, name):
    scale = np.array([1e-3, 1, 10, 1e4])
    mixture = EMGaussianMixture(
        3, reg_covar=0, acceleration=name, tol=1e-11, random_state=0
    )
    expected = mixture.fit(X).score_samples(X)
    scores = mixture.fit(X * scale).score_samples(X * scale) + np.log(scale).sum()
    # Both are within 1e-8 nats of the optimum; responsibilities move by its root.
    np.testing.assert_allclose(scores, expected, atol=1e-3)
