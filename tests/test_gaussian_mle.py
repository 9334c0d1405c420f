"""GaussianMLE: the closed form, its stream, and its singular cases."""

import numpy as np
import pytest
from conftest import UNTIED
from scipy.stats import multivariate_normal
from sklearn.covariance import EmpiricalCovariance
from sklearn.datasets import load_digits

from skdensity import GaussianMLE


def test_equals_the_empirical_covariance_and_scipys_density(iris):
    density, reference = GaussianMLE().fit(iris), EmpiricalCovariance().fit(iris)
    np.testing.assert_allclose(density.location_, reference.location_)
    np.testing.assert_allclose(density.covariance_, reference.covariance_)
    np.testing.assert_allclose(density.precision_, reference.precision_, rtol=1e-9)
    expected = multivariate_normal(density.location_, density.covariance_).logpdf(iris)
    np.testing.assert_allclose(density.score_samples(iris), expected, rtol=1e-10)


@pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
def test_simpler_covariances_are_averages_of_the_full_one(iris, covariance_type):
    variances = np.diag(GaussianMLE().fit(iris).covariance_)
    if covariance_type == "spherical":
        variances = np.full(4, variances.mean())
    density = GaussianMLE(covariance_type=covariance_type).fit(iris)
    np.testing.assert_allclose(density.covariance_, np.diag(variances), atol=1e-15)


@pytest.mark.parametrize("covariance_type", UNTIED)
@pytest.mark.parametrize("cuts", [[1], [1, 2, 3], [50, 51, 140]])
def test_a_stream_is_exact_however_it_is_cut(iris, covariance_type, cuts):
    # An offset of 1e8 would cost a sum of squares all its digits.
    X = iris + 1e8
    weight = np.random.RandomState(0).randint(1, 4, len(X))
    whole = GaussianMLE(covariance_type=covariance_type).fit(X, sample_weight=weight)
    stream = GaussianMLE(covariance_type=covariance_type)
    parts = zip(np.split(X, cuts), np.split(weight, cuts), strict=True)
    for rows, part in parts:
        stream.partial_fit(rows, sample_weight=part)
    np.testing.assert_allclose(stream.location_, whole.location_, rtol=1e-15)
    np.testing.assert_allclose(
        stream.covariance_, whole.covariance_, rtol=1e-7, atol=1e-9
    )


def test_fit_forgets_the_stream(iris):
    density = GaussianMLE().partial_fit(iris[:100]).fit(iris[100:])
    np.testing.assert_allclose(density.location_, iris[100:].mean(axis=0))


def test_a_stream_keeps_its_covariance_type():
    density = GaussianMLE(covariance_type="diag").partial_fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="covariance_type='full' cannot continue"):
        density.set_params(covariance_type="full").partial_fit([[1.0, 2.0]])


def test_a_singular_covariance_is_stored_but_is_no_density():
    X = load_digits().data  # some pixels are always white
    density = GaussianMLE().fit(X)
    np.testing.assert_allclose(density.covariance_, np.cov(X.T, bias=True), atol=1e-12)
    product = density.covariance_ @ density.precision_ @ density.covariance_
    np.testing.assert_allclose(product, density.covariance_, atol=1e-9)
    for use in (density.score_samples, density.score):
        with pytest.raises(
            ValueError, match=r"singular.*variance 0 of feature 0.*reg_"
        ):
            use(X)
    with pytest.raises(ValueError, match="singular"):
        density.sample(3)
    assert np.isfinite(GaussianMLE(reg_covar="auto").fit(X).score(X))


def test_float32_at_an_offset_keeps_its_digits(iris):
    X = (iris + 1e3).astype(np.float32)
    single = GaussianMLE().fit(X)
    double = GaussianMLE().fit(X.astype(np.float64))
    assert single.location_.dtype == single.score_samples(X).dtype == np.float32
    np.testing.assert_allclose(single.covariance_, double.covariance_, rtol=1e-6)
    np.testing.assert_allclose(
        single.score_samples(X), double.score_samples(X.astype(np.float64)), rtol=1e-6
    )


@pytest.mark.parametrize("other", ["spherical", "full"])
def test_a_stream_keeps_its_type_whatever_the_shapes(other):
    # In one feature, all types are laid out alike.
    density = GaussianMLE(covariance_type="diag").partial_fit([[1.0], [2.0]])
    before = dict(vars(density.set_params(covariance_type=other)))
    message = f"covariance_type='{other}' cannot continue a stream.*'diag' began"
    with pytest.raises(ValueError, match=message):
        density.partial_fit([[3.0]])
    density.set_params(covariance_type="nothing")
    with pytest.raises(ValueError, match=r"'covariance_type'.*Got 'nothing'"):
        density.partial_fit([[3.0]])
    density.set_params(covariance_type=other)
    assert vars(density) == before
    density.set_params(covariance_type="diag").partial_fit([[6.0]])
    assert density.location_ == 3
