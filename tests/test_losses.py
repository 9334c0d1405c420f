"""Fisher's identity: gradients from moments equal finite differences."""

import numpy as np
import pytest

from skdensity.models.covariances import FAMILIES
from skdensity.models.losses import GaussianLoss, MixtureLoss
from skdensity.models.mixture import Mixture
from skdensity.models.moments import moments_of


def central_differences(function, parameters):
    # The error of order 4 and a step of eps^(1/5) balance truncation and rounding.
    step = np.finfo(float).eps ** 0.2
    gradient = np.empty_like(parameters)
    for i in range(len(parameters)):
        e = np.zeros_like(parameters)
        e[i] = step
        near = function(parameters + e) - function(parameters - e)
        far = function(parameters + 2 * e) - function(parameters - 2 * e)
        gradient[i] = (8 * near - far) / (12 * step)
    return gradient


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    return rng.standard_normal((40, 3)) * [1, 2, 0.5], rng.uniform(0.1, 2, 40)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n_components", [1, 3])
def test_mixture_gradient(rows, name, n_components):
    X, weight = rows
    family = FAMILIES[name]
    loss = MixtureLoss(X, weight, n_components, family)
    n_free = family.n_parameters(n_components, 3)
    rng = np.random.RandomState(1)
    parameters = 0.5 * rng.standard_normal(n_components * 4 + n_free)
    _, gradient = loss.value_and_gradient(parameters, slice(None))
    expected = central_differences(
        lambda p: loss.value_and_gradient(p, slice(None))[0], parameters
    )
    np.testing.assert_allclose(
        gradient, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_gaussian_gradient_and_value(rows, name):
    X, weight = rows
    family = FAMILIES[name]
    loss = GaussianLoss(3, family)
    moments = moments_of(X, weight[None], family)
    rng = np.random.RandomState(1)
    parameters = 0.5 * rng.standard_normal(3 + family.n_parameters(1, 3))
    value, gradient = loss.value_and_gradient(parameters, moments)
    expected = central_differences(
        lambda p: loss.value_and_gradient(p, moments)[0], parameters
    )
    np.testing.assert_allclose(
        gradient, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
    )
    log_density = loss.unravel(parameters).log_density(X)
    assert value == pytest.approx(-np.average(log_density, weights=weight), rel=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_round_trip(name):
    family = FAMILIES[name]
    loss = MixtureLoss(np.zeros((1, 2)), np.ones(1), 3, family)
    parameters = np.random.RandomState(0).standard_normal(9 + family.n_parameters(3, 2))
    mixture = loss.unravel(parameters)
    again = loss.unravel(loss.ravel(mixture))
    np.testing.assert_allclose(again.weights, mixture.weights)
    np.testing.assert_allclose(again.means, mixture.means)
    np.testing.assert_allclose(again.cholesky, mixture.cholesky)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_mixture_measured_in_units_and_back(name):
    family = FAMILIES[name]
    rng = np.random.RandomState(0)
    X = rng.standard_normal((50, 2)) @ [[2.0, 1.0], [0.0, 0.1]] + 100
    units = Mixture.from_moments(moments_of(X, np.ones((1, 50)), family), family, 0)
    shares = rng.uniform(size=(3, 50))
    mixture = Mixture.from_moments(moments_of(X, shares, family), family, 0)
    inside = mixture.measured_in(units)
    np.testing.assert_allclose(
        inside.log_density(units.whitened(X)) - family.log_det(units.cholesky, 2),
        mixture.log_density(X),
        rtol=1e-9,
    )
    back = inside.measured_out_of(units)
    np.testing.assert_allclose(back.means, mixture.means)
    np.testing.assert_allclose(back.cholesky, mixture.cholesky, atol=1e-12)
