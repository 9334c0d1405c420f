"""Expanded, triangular and whitened blocks are the same density."""

import mpmath
import numpy as np
import pytest
from conftest import MATRICES, TYPES, mixture_of

from skdensity.models.covariances.table import FULL
from skdensity.models.mixtures.forms.quadratic import ExpandedBlock, QuadraticForm
from skdensity.models.mixtures.forms.triangular import TriangularForm
from skdensity.models.mixtures.forms.whitened import WhitenedBlock, WhitenedForm
from skdensity.models.mixtures.mixture import Mixture
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows


def mixture_and_rows(name, n_features, distance=3.0):
    mixture = mixture_of(name, n_features, distance)
    return mixture, mixture.sample(200, np.random.RandomState(n_features))[0]


@pytest.mark.parametrize(
    ("form", "name"),
    [(QuadraticForm.of, name) for name in TYPES]
    + [(TriangularForm.of, name) for name in MATRICES],
)
@pytest.mark.parametrize("n_features", [1, 2, 7, 40])
def test_all_ways_agree(form, name, n_features):
    mixture, X = mixture_and_rows(name, n_features)
    near = form(mixture).block(X, Scratch())
    whitened = WhitenedForm(mixture).block(X, Scratch())
    np.testing.assert_allclose(
        near.log_joint(), whitened.log_joint(), rtol=1e-11, atol=1e-11
    )
    shares = np.random.RandomState(0).uniform(size=(3, 200))
    one = near.sums(shares, 0.0).moments()
    other = whitened.sums(shares, 0.0)
    for part in ("mass", "first", "second", "about"):
        np.testing.assert_allclose(
            getattr(one, part), getattr(other, part), rtol=1e-10, atol=1e-9
        )


@pytest.mark.parametrize("name", TYPES)
def test_rows_out_of_reach_are_whitened(name):
    for distance, kind in ((30.0, ExpandedBlock), (3e4, WhitenedBlock)):
        mixture, X = mixture_and_rows(name, 2, distance)
        assert isinstance(mixture.block(X, Scratch()), kind)


def test_many_features_are_whitened():
    for name, form in (("full", TriangularForm), ("diag", QuadraticForm)):
        mixture, _ = mixture_and_rows(name, 50)
        assert isinstance(mixture.form, form)


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("distance", [1.0, 1e2, 1e4])
def test_log_densities_against_higher_precision(condition, offset, distance):
    # Powers of two add to 1e8 exactly, so that the rows are the same at every offset.
    rng = np.random.RandomState(0)
    angle = np.array([[0.8, -0.6], [0.6, 0.8]])
    covariance = angle @ np.diag([1.0, 1 / condition]) @ angle.T
    covariance = (covariance + covariance.T) / 2
    means = offset + np.round(distance * rng.standard_normal((2, 2)) * 2**20) / 2**20
    cholesky = FULL.cholesky(np.stack([covariance] * 2), "{component}")
    mixture = Mixture.from_cholesky(np.array([0.25, 0.75]), means, cholesky, FULL)
    X = means[rng.randint(2, size=20)]
    X = X + np.round(rng.standard_normal((20, 2)) @ np.diag([1, 0.5]) * 2**20) / 2**20
    with mpmath.workdps(60):
        a, b, c = (mpmath.mpf(v) for v in covariance[[0, 0, 1], [0, 1, 1]])
        det = a * c - b * b

        def log_density(x):
            total = mpmath.mpf(0)
            for weight, mean in zip((0.25, 0.75), means, strict=True):
                u, v = (
                    mpmath.mpf(p) - mpmath.mpf(q) for p, q in zip(x, mean, strict=True)
                )
                distance = (c * u * u - 2 * b * u * v + a * v * v) / det
                total += weight * mpmath.exp(-distance / 2)
            return mpmath.log(total / (2 * mpmath.pi * mpmath.sqrt(det)))

        exact = np.array([float(log_density(x)) for x in X])
    tolerance = 1e-9 if condition < 1e8 else 1e-6
    error = np.abs(mixture.log_density(ArrayRows(X)) - exact)
    assert np.max(error / np.maximum(1, np.abs(exact))) <= tolerance
