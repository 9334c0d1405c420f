"""The lecture's data sets, from their recipes."""

import numpy as np
import pytest

from skdensity.datasets import make_gaussian_1d, make_gaussian_2d, make_mixture_1d


def test_gaussian_1d_is_its_recipe():
    rng = np.random.RandomState(42)
    np.testing.assert_array_equal(make_gaussian_1d()[:, 0], rng.normal(3, 1, 200))


def test_gaussian_2d_is_its_recipe():
    rng = np.random.RandomState(42)
    expected = rng.multivariate_normal([2, 1], [[1.5, 0.8], [0.8, 1]], 300)
    np.testing.assert_array_equal(make_gaussian_2d(), expected)


def test_mixture_1d_is_its_recipe():
    rng = np.random.RandomState(0)
    labels = rng.choice(3, size=500, p=[0.3, 0.5, 0.2])
    means, scales = [-4, 0.5, 4], [0.8, 1.5, 0.6]
    X, y = make_mixture_1d()
    expected = [rng.normal(means[z], scales[z]) for z in labels]
    np.testing.assert_array_equal(X[:, 0], expected)
    np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("make", [make_gaussian_1d, make_gaussian_2d, make_mixture_1d])
def test_the_number_of_rows_is_not_negative(make):
    with pytest.raises(ValueError, match="negative dimensions"):
        make(-1)
