"""Fisher's identity: gradients from moments equal finite differences."""

import numpy as np
import pytest
from conftest import MATRICES, TYPES, UNTIED, central_differences, mixture_of_shares

from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.losses import (
    GaussianLoss,
    MixtureLoss,
    WhitenedMixtureLoss,
    mixture_loss,
)
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import gaussian_of
from skdensity.rows.array_rows import ArrayRows


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((40, 3)) * [1, 2, 0.5]
    return ArrayRows(X, rng.uniform(0.1, 2, 40))


def own_units(n_features, family):
    """The units of the data: parameters are those of the mixture itself."""
    return Gaussian.isolated(np.zeros(n_features), np.ones(n_features), family)


def loss_of(n_components, units):
    return MixtureLoss(MixtureParameters(n_components, units))


def checked_value(loss, parameters, prepared):
    """The loss, whose gradient is that of central differences."""
    value, gradient = loss.value_and_gradient(parameters, prepared)
    expected = central_differences(
        lambda p: loss.value_and_gradient(p, prepared)[0], parameters
    )
    np.testing.assert_allclose(
        gradient, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
    )
    return value


@pytest.mark.parametrize("are_whitened", [False, True])
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_components", [1, 3])
def test_mixture_gradient(rows, name, n_components, are_whitened):
    family = FAMILIES[name]
    units = gaussian_of(rows, family, 0, "") if are_whitened else own_units(3, family)
    loss = loss_of(n_components, units)
    n_free = family.shape.n_parameters(n_components, 3)
    rng = np.random.RandomState(1)
    parameters = 0.5 * rng.standard_normal(n_components * 4 + n_free)
    checked_value(loss, parameters, loss.prepared(rows))


@pytest.mark.parametrize("name", UNTIED)
def test_gaussian_gradient_and_value(rows, name):
    family = FAMILIES[name]
    loss = GaussianLoss(3, family)
    rng = np.random.RandomState(1)
    parameters = 0.5 * rng.standard_normal(3 + family.shape.n_parameters(1, 3))
    value = checked_value(loss, parameters, loss.prepared(rows))
    log_density = loss.unravel(parameters).log_density(rows)
    mean = np.average(log_density, weights=rows.weight)
    assert value == pytest.approx(-mean, rel=1e-12)


@pytest.mark.parametrize("name", TYPES)
def test_parameters_round_trip(name):
    family = FAMILIES[name]
    loss = loss_of(3, own_units(2, family))
    n_parameters = 9 + family.shape.n_parameters(3, 2)
    parameters = np.random.RandomState(0).standard_normal(n_parameters)
    mixture = loss.unravel(parameters)
    again = loss.unravel(loss.ravel(mixture))
    np.testing.assert_allclose(again.weights, mixture.weights)
    np.testing.assert_allclose(again.means, mixture.means)
    np.testing.assert_allclose(again.cholesky, mixture.cholesky)


@pytest.mark.parametrize("name", TYPES)
def test_a_mixture_measured_in_units_and_back(name):
    family = FAMILIES[name]
    rng = np.random.RandomState(0)
    X = rng.standard_normal((50, 2)) @ [[2.0, 1.0], [0.0, 0.1]] + 100
    rows = ArrayRows(X)
    units = gaussian_of(rows, family, 0, "")
    mixture = mixture_of_shares(X, rng.uniform(size=(3, 50)), family)
    measured = MixtureParameters(3, units)
    parameters = measured.ravel(mixture)
    inside = MixtureParameters(3, own_units(2, family)).unravel(parameters)
    np.testing.assert_allclose(
        inside.log_density(ArrayRows(units.whiten(X))) - units.log_volume,
        mixture.log_density(rows),
        rtol=1e-9,
    )
    elsewhere = MixtureParameters(3, units, rng.standard_normal((3, 2)))
    for one in (measured, elsewhere):
        back = one.unravel(one.ravel(mixture))
        np.testing.assert_allclose(back.weights, mixture.weights)
        np.testing.assert_allclose(back.means, mixture.means)
        np.testing.assert_allclose(back.cholesky, mixture.cholesky, atol=1e-12)


@pytest.mark.parametrize("name", TYPES)
def test_means_that_stay_at_their_origins_keep_all_their_digits(rows, name):
    family = FAMILIES[name]
    units = gaussian_of(rows, family, 0, "")
    means = np.random.RandomState(0).standard_normal((3, 3))
    cholesky = np.broadcast_to(units.cholesky, family.shape.inner_shape(3, 3))
    mixture = Mixture.from_cholesky(np.ones(3) / 3, means, cholesky, family)
    parameters = MixtureParameters(3, units, means)
    back = parameters.unravel(parameters.ravel(mixture))
    np.testing.assert_array_equal(back.means, means)


@pytest.mark.parametrize("n_rows", [30, 90])  # fewer and more than features
@pytest.mark.parametrize("name", MATRICES)
def test_moments_of_whitened_rows_are_whitened_moments_of_rows(name, n_rows):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_rows, 40)) * np.logspace(-1, 1, 40)
    rows = ArrayRows(X, rng.uniform(0.1, 2, n_rows))
    units = gaussian_of(rows, FAMILIES[name], 0.01, "")
    parameters = MixtureParameters(2, units, X[:2])
    n_free = units.family.shape.n_parameters(2, 40)
    free = 0.05 * rng.standard_normal(2 * 41 + n_free)
    (value, gradient), (expected, slope) = (
        loss(parameters).value_and_gradient(free, rows)
        for loss in (WhitenedMixtureLoss, MixtureLoss)
    )
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, slope, atol=1e-10 * np.abs(slope).max())


@pytest.mark.parametrize("n_rows", [3, 40])
@pytest.mark.parametrize("name", MATRICES)
def test_the_gradient_from_whitened_rows(name, n_rows):
    family, rng = FAMILIES[name], np.random.RandomState(0)
    rows = ArrayRows(rng.standard_normal((n_rows, 4)), rng.uniform(0.1, 2, n_rows))
    cholesky = np.tril(0.3 * rng.standard_normal((4, 4)), -1) + np.eye(4)
    units = Gaussian(rng.standard_normal(4), cholesky, family)
    loss = WhitenedMixtureLoss(MixtureParameters(2, units))
    n_free = family.shape.n_parameters(2, 4)
    checked_value(loss, 0.5 * rng.standard_normal(2 * 5 + n_free), rows)


@pytest.mark.parametrize("name", TYPES)
def test_rows_are_whitened_where_matrices_are_large(name, rows):
    small, large = (loss_of(2, own_units(d, FAMILIES[name])) for d in (4, 64))
    assert type(mixture_loss(small.parameters, rows)) is MixtureLoss
    is_matrix = name in MATRICES
    assert (
        isinstance(mixture_loss(large.parameters, rows), WhitenedMixtureLoss)
        == is_matrix
    )


def test_the_gradient_of_a_mean_on_its_own_row_is_exactly_zero():
    # Adam would follow a rounding error like any other gradient.
    rng = np.random.RandomState(0)
    X = np.r_[rng.standard_normal((30, 40)), 100 + rng.standard_normal((1, 40))]
    units = gaussian_of(ArrayRows(X), FAMILIES["full"], 0.1, "")
    means = np.stack([X[:-1].mean(axis=0), X[-1]])
    start = Mixture.from_cholesky(
        np.array([0.9, 0.1]), means, np.stack([np.eye(40)] * 2), FAMILIES["full"]
    )
    loss = WhitenedMixtureLoss(MixtureParameters(2, units, means))
    _, gradient = loss.value_and_gradient(loss.ravel(start), ArrayRows(X))
    np.testing.assert_array_equal(gradient[2 + 40 : 2 + 80], 0)
