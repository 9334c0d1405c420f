"""A family of covariances that is defined elsewhere works like those of the table."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.datasets import load_iris

from skdensity import AdamGaussianMixture, EMGaussianMixture
from skdensity.models.covariances.diagonal import (
    DiagonalParameters,
    DiagonalProducts,
    DiagonalScatter,
    DiagonalShape,
)
from skdensity.models.covariances.table import DIAGONAL, FAMILIES
from skdensity.models.mixtures.forms.whitened import WhitenedForm
from skdensity.testing import check_density_estimator

X = load_iris().data


class PairedShape(DiagonalShape):
    """A variance for every pair of features, written down for each of the two."""

    def n_parameters(self, n_components, n_features):
        return n_components * -(-n_features // 2)


class PairedScatter(DiagonalScatter):
    """Sums of squares of both features of a pair."""

    def estimate(self, scatter, mass, n_features, reg_covar):
        variances = super().estimate(scatter, mass, n_features, reg_covar)
        return paired(variances, np.mean)


class PairedParameters(DiagonalParameters):
    """Logarithms of standard deviations, one for each pair."""

    def ravel(self, cholesky):
        return np.log(cholesky[:, ::2]).ravel()

    def unravel(self, free, n_components, n_features):
        half = np.exp(free).reshape(n_components, -1)
        return np.repeat(half, 2, axis=1)[:, :n_features]

    def floored(self, free, log_minimum):
        return super().floored(free, log_minimum[::2])

    def gradient(self, white, mass, factors, n_features):
        return paired(white - mass[:, None], np.sum)[:, ::2].ravel()


def paired(values, pool):
    """The values of a pair, replaced by their mean or sum; an odd one stays."""
    out = values.copy()
    for i in range(0, values.shape[1], 2):
        out[:, i : i + 2] = pool(values[:, i : i + 2], axis=1, keepdims=True)
    return out


SHAPE = PairedShape()
PAIRED = replace(
    DIAGONAL,
    name="paired",
    shape=SHAPE,
    scatter=PairedScatter(SHAPE),
    free=PairedParameters(SHAPE),
)


# What a family without marginals has none of, either.
ABOUT_PARTS = dict.fromkeys(
    [
        "check_density_cdf",
        "check_density_marginal",
        "check_density_chain_rule",
        "check_density_marginal_cdfs",
        "check_density_sequential_conditionals",
    ],
    "the family has no parts",
)


class ManyProducts(DiagonalProducts):
    """The squares, said to be so many that forming them is much work."""

    def n_products(self, n_features):
        return max(super().n_products(n_features), 601)


@pytest.fixture
def registered(monkeypatch):
    return lambda family: monkeypatch.setitem(FAMILIES, family.name, family)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("without", [None, "products", "parts"])
@pytest.mark.parametrize("Mixture", [EMGaussianMixture, AdamGaussianMixture])
def test_both_mixtures_fit_it(registered, Mixture, without):
    registered(PAIRED if without is None else replace(PAIRED, **{without: None}))
    mixture = Mixture(2, covariance_type="paired", random_state=0)
    results = check_density_estimator(
        mixture,
        # Which features are a pair depends on their order.
        equivariances=["translation", "scale"],
        expected_failed_checks=ABOUT_PARTS if without == "parts" else None,
    )
    for result in results:
        if result["status"] == "xfail":
            assert "'paired' has no `parts`" in str(result["exception"])
    mixture.fit(X)
    assert mixture.covariances_.shape == (2, 4)
    np.testing.assert_array_equal(
        mixture.covariances_[:, ::2], mixture.covariances_[:, 1::2]
    )
    diagonal, spherical = (
        Mixture(2, covariance_type=name, random_state=0).fit(X).score(X)
        for name in ("diag", "spherical")
    )
    assert spherical <= mixture.score(X) <= diagonal
    assert mixture._n_parameters() == 2 * 4 + 1 + 2 * 2


def test_both_end_at_the_same_optimum(registered):
    registered(PAIRED)
    options = {"covariance_type": "paired", "random_state": 0, "reg_covar": 0}
    em = EMGaussianMixture(2, tol=1e-10, **options).fit(X)
    adam = AdamGaussianMixture(2, max_iter=2000, **options).fit(X)
    assert adam.score(X) == pytest.approx(em.score(X), abs=1e-6)


def test_rows_may_have_holes(registered):
    registered(PAIRED)
    rng = np.random.RandomState(0)
    holed = np.where(rng.uniform(size=X.shape) < 0.2, np.nan, X)
    mixture = EMGaussianMixture(2, covariance_type="paired", random_state=0).fit(holed)
    densities = norm(mixture.means_, np.sqrt(mixture.covariances_)).logpdf
    joint = np.nansum(densities(holed[:, None]), axis=2) + np.log(mixture.weights_)
    np.testing.assert_allclose(mixture.score_samples(holed), logsumexp(joint, axis=1))
    values = mixture.lower_bounds_
    assert np.all(np.diff(values) > -1e-9)
    registered(replace(PAIRED, conditionals=None))
    with pytest.raises(ValueError, match="'paired' has no `conditionals`"):
        mixture.fit(holed)


def test_without_free_parameters_a_descent_refuses_by_name(registered):
    registered(replace(PAIRED, free=None))
    EMGaussianMixture(2, covariance_type="paired", random_state=0).fit(X)
    for mixture, name in (
        (AdamGaussianMixture(2), "AdamGaussianMixture"),
        (EMGaussianMixture(2, acceleration="lbfgs"), "acceleration='lbfgs'"),
    ):
        mixture.set_params(covariance_type="paired")
        with pytest.raises(ValueError, match=f"'paired' has no `free`, which {name}"):
            mixture.fit(X)


def test_with_many_products_but_no_triangles_rows_are_whitened(registered):
    registered(replace(PAIRED, products=ManyProducts()))
    mixture = EMGaussianMixture(2, covariance_type="paired", random_state=0).fit(X)
    assert isinstance(mixture._model().form, WhitenedForm)
    registered(PAIRED)
    assert mixture.score(X) == pytest.approx(
        EMGaussianMixture(2, covariance_type="paired", random_state=0).fit(X).score(X)
    )
