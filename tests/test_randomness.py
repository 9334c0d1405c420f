"""Whatever draws takes a Generator of NumPy's, too; what is constructed takes none."""

import inspect
import pydoc
import re
from functools import cache, cached_property

import numpy as np
import pytest
from conftest import ONE_OF_EACH
from public import PUBLIC
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler

from skdensity import (
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    TransformedDensity,
)
from skdensity.densities.base import BaseDensity
from skdensity.models.draws import rows_of
from skdensity.uses.draws import draws_of

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
HOLES = np.where(np.arange(X.size).reshape(X.shape) % 7 == 0, np.nan, X)[:20]
FLOWERS = EMGaussianMixture(2, covariance_type="tied", random_state=0)
ESTIMATORS = {
    type(estimator).__name__: estimator
    for estimator in [
        *ONE_OF_EACH,
        DensityClassifier(FLOWERS),
        DensityImputer(),
        DensityOutlierDetector(),
        DensityRegressor(FLOWERS),
        GaussianMixtureSearch([2], ["full"], random_state=0),
        TransformedDensity(StandardScaler(), FLOWERS),
    ]
}
CONSTRUCTED = [name for name in ESTIMATORS if hasattr(ESTIMATORS[name], "random_state")]


@cache
def fitted(name):
    return clone(ESTIMATORS[name]).fit(X, Y)


# By the name of a function or a method: an array that is random by its random_state.
CALLS = {
    "make_gaussian_1d": lambda f, rng: f(5, random_state=rng),
    "make_gaussian_2d": lambda f, rng: f(5, random_state=rng),
    "make_mixture_1d": lambda f, rng: f(5, random_state=rng)[0],
    "entropy": lambda f, rng: f(
        fitted("EMGaussianMixture"), n_samples=5, random_state=rng
    ),
    "kl_divergence": lambda f, rng: f(
        fitted("EMGaussianMixture"),
        fitted("GaussianMLE"),
        n_samples=5,
        random_state=rng,
    ),
    "mutual_information": lambda f, rng: f(
        fitted("EMGaussianMixture"), [0], [1], n_samples=5, random_state=rng
    ),
    "sample": lambda f, rng: rows_of(f(5, random_state=rng)),
    "sample_y": lambda f, rng: f(X[:5], 2, random_state=rng),
    "impute": lambda f, rng: f(HOLES, sample=True, random_state=rng),
    # Regions of this display are quantiles at draws.
    "from_estimator": lambda f, rng: f(
        fitted("EMGaussianMixture"), features=[0, 1], n_points=5, random_state=rng
    ).surfaces[0, 1][-1],
}


def is_random(name):
    value = pydoc.locate(name)
    function = value.func if isinstance(value, cached_property) else value
    return "random_state" in inspect.signature(function).parameters


ALL = [name for name in PUBLIC if is_random(name)]
# Constructors have a contract of their own, below.
RANDOM = [name for name in ALL if not inspect.isclass(pydoc.locate(name))]


def called(name, random_state):
    owner, _, function = name.removeprefix("skdensity.").rpartition(".")
    holder = (
        fitted(owner) if owner in ESTIMATORS else pydoc.locate(f"skdensity.{owner}")
    )
    return np.asarray(CALLS[function](getattr(holder, function), random_state))


def test_all_that_draws_is_known_here():
    """A new public function with a `random_state` needs an entry in CALLS."""
    methods = {name.rpartition(".")[2] for name in RANDOM}
    assert methods == set(CALLS)
    assert len(RANDOM) > 15


@pytest.mark.parametrize("name", RANDOM)
def test_equal_generators_draw_alike_and_advance(name):
    one, other = (np.random.default_rng(0) for _ in range(2))
    first = called(name, one)
    np.testing.assert_array_equal(first, called(name, other))
    assert one.random() == other.random() != np.random.default_rng(0).random()
    assert np.any(called(name, one) != first)


@pytest.mark.parametrize("name", RANDOM)
def test_instances_advance_and_seeds_do_not(name):
    rng = np.random.RandomState(0)
    first = called(name, rng)
    assert np.any(called(name, rng) != first)
    np.testing.assert_array_equal(called(name, 0), first)
    np.testing.assert_array_equal(called(name, 0), first)


@pytest.mark.parametrize("name", RANDOM)
def test_docstrings_say_so(name):
    said = re.search(
        r"random_state : (.*), default=", inspect.getdoc(pydoc.locate(name))
    )
    assert said[1] == "int, RandomState instance, Generator or None"


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_of_every_kind_draw_from_the_density(kind):
    """Deviations of 4,000 draws from a normal density: 5 standard errors."""
    rng = np.random.Generator(getattr(np.random, kind)(0))
    density = fitted("GaussianMLE")
    draws = density.sample(4000, rng)
    triangle = np.linalg.cholesky(density.covariance_)
    white = np.linalg.solve(triangle, (draws - density.location_).T)
    np.testing.assert_allclose(white.mean(axis=1), 0, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(white.var(axis=1), 1, atol=5 * np.sqrt(2 / 4000))


@pytest.mark.parametrize(
    "density", [KernelDensity(), GaussianMixture(2, random_state=0)], ids=repr
)
def test_densities_of_others_draw_by_a_generator(density):
    transformed = TransformedDensity(StandardScaler(), density).fit(X)
    for draws in (
        transformed.sample,
        lambda n, rng: draws_of(density.fit(X), n, rng),
    ):
        one, other = (np.random.default_rng(0) for _ in range(2))
        first = draws(5, one)
        np.testing.assert_array_equal(first, draws(5, other))
        assert np.any(draws(5, one) != first)
    assert getattr(density, "random_state", 0) == 0


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_constructors_refuse_a_generator_by_name(name):
    rng = np.random.default_rng(0)
    changed = clone(ESTIMATORS[name]).set_params(random_state=rng)
    with pytest.raises(ValueError, match=r"'random_state' parameter of .*Generator"):
        changed.fit(X, Y)
    if isinstance(changed, BaseDensity):
        # Set after the fit, it is refused where it would be used.
        found = clone(ESTIMATORS[name]).fit(X, Y).set_params(random_state=rng)
        with pytest.raises(ValueError, match="Generator"):
            found.sample(2)
        assert rows_of(found.sample(2, 0)).shape == (2, 4)


def test_every_constructor_with_a_random_state_is_known_here():
    named = {name.removeprefix("skdensity.") for name in set(ALL) - set(RANDOM)}
    assert set(CONSTRUCTED) == named
