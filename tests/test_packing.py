"""What travels to where the rows are: parameters, without what follows from them."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from conftest import TYPES, mixture_of

from skdensity.models.covariances.packing import PackedFactors
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.rows.array_rows import ArrayRows

NUMBER = 8  # bytes


def travelled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.fixture(params=TYPES)
def mixture(request):
    return mixture_of(request.param, n_features=4)


def test_a_mixture_arrives_to_the_bit(mixture):
    there = travelled(mixture)
    for name in ("weights", "means", "precision_factors"):
        np.testing.assert_array_equal(getattr(there, name), getattr(mixture, name))


@pytest.mark.parametrize("order", ["as it is", "C"])
def test_a_journey_changes_no_layout(mixture, order):
    """The layout decides the last digits of what is computed."""
    if order == "C":
        factors = np.ascontiguousarray(mixture.precision_factors)
        mixture = replace(mixture, precision_factors=factors)
    once = travelled(mixture)
    for there in (once, travelled(once)):
        assert there.precision_factors.strides == mixture.precision_factors.strides


@pytest.mark.parametrize("form", ["form", "pass_form"])
def test_forms_are_found_again_to_the_bit(mixture, form):
    X = np.random.RandomState(0).standard_normal((50, 4))
    rows, there = ArrayRows(X), travelled(getattr(mixture, form))
    found, expected = (
        type(mixture).moments(whole, rows)
        for whole in (travelled(mixture), mixture_with(mixture, form, there))
    )
    for name in ("log_likelihood", "mass", "first", "second"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def mixture_with(mixture, name, form):
    """A mixture that evaluates passes by a given form."""
    made = travelled(mixture)
    vars(made)["pass_form"] = form
    return made


def test_what_was_derived_stays_behind():
    mixture = mixture_of("full", n_features=60)
    mixture.moments(ArrayRows(mixture.means))
    n_numbers = 3 * (1 + 60 + 60 * 61 // 2)
    assert len(pickle.dumps(mixture)) < NUMBER * n_numbers + 2000
    assert len(pickle.dumps(mixture.pass_form)) < NUMBER * n_numbers + 3000


def test_whitened_passes_arrive_to_the_bit():
    mixture = mixture_of("full", n_features=5)
    parameters = MixtureParameters(3, mixture.gaussian(0))
    white, _ = parameters.white_pass(parameters.ravel(mixture), n_rows=50)
    rows = ArrayRows(np.random.RandomState(0).standard_normal((50, 5)))
    found, expected = travelled(white).moments(rows), white.moments(rows)
    np.testing.assert_array_equal(found.second, expected.second)
    np.testing.assert_array_equal(found.first, expected.first)


def test_only_triangles_are_packed():
    rng = np.random.RandomState(0)
    square = rng.standard_normal((2, 3, 3))
    for factors in (square, np.triu(square, -1), np.triu(square), square[:, 0]):
        np.testing.assert_array_equal(PackedFactors.of(factors).factors(), factors)
    assert PackedFactors.of(np.triu(square)).values.shape == (2, 6)
    assert PackedFactors.of(square).n_features is None
