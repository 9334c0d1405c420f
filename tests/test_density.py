"""Every estimator is a density: the theorems of `skdensity.testing`."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.models.covariances import FAMILIES
from skdensity.testing import check_density_estimator

DENSITIES = [
    *(GaussianMLE(covariance_type=name) for name in ("full", "diag", "spherical")),
    CholeskyGaussian(tol=None),
    *(LOOKernelDensity(bandwidth) for bandwidth in ("loo", "scott", "silverman", 0.5)),
    *(
        mixture(k, covariance_type=name, random_state=0)
        for mixture in (EMGaussianMixture, AdamGaussianMixture)
        for k in (1, 3)
        for name in FAMILIES
    ),
]


@pytest.mark.parametrize("estimator", DENSITIES, ids=repr)
def test_is_a_density(estimator):
    check_density_estimator(estimator)


@pytest.mark.parametrize("start", ["k-means++", "random", "random_from_data"])
def test_every_start_respects_weights(start):
    check_density_estimator(
        EMGaussianMixture(2, init_params=start, random_state=0, max_iter=1000)
    )


class Improper(GaussianMLE):
    def score_samples(self, X):
        return super().score_samples(X) + 0.01


class Deaf(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X)


class Wide(GaussianMLE):
    def sample(self, n_samples=1, random_state=None):
        return 1.2 * super().sample(n_samples, random_state)


@pytest.mark.parametrize(
    ("broken", "theorem"),
    [
        (Improper(), "integrates to 1"),
        (Deaf(), "a weight equals repetition"),
        (Wide(), "samples differ"),
    ],
)
def test_the_check_finds_what_is_broken(broken, theorem):
    with pytest.raises(AssertionError, match=theorem):
        check_density_estimator(broken)


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        LOOKernelDensity(),
        EMGaussianMixture(3, random_state=0, reg_covar=0),
        AdamGaussianMixture(3, random_state=0, reg_covar=0),
    ],
    ids=repr,
)
def test_a_change_of_units_moves_log_densities_by_a_constant(estimator):
    # x → s x + b scales the density by s^-d. With s = 1e6 and b = 1e8 the data keep ten
    # digits, and they, not the fit, bound the agreement.
    X = load_iris().data
    scale, offset = 1e6, 1e8
    expected = clone(estimator).fit(X).score_samples(X) - X.shape[1] * np.log(scale)
    Z = scale * X + offset
    np.testing.assert_allclose(
        clone(estimator).fit(Z).score_samples(Z), expected, rtol=0, atol=1e-6
    )
