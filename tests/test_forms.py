"""Expanded, triangular and whitened blocks are the same density."""

import mpmath
import numpy as np
import pytest
from conftest import MATRICES, TYPES, mixture_of

from skdensity.models.covariances.table import DIAGONAL, FULL
from skdensity.models.mixtures.forms.expansion import Expansion
from skdensity.models.mixtures.forms.quadratic import ExpandedBlock, QuadraticForm
from skdensity.models.mixtures.forms.triangular import TriangularBlock, TriangularForm
from skdensity.models.mixtures.forms.whitened import WhitenedBlock, WhitenedForm
from skdensity.models.mixtures.mixture import Mixture
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows

ROUNDOFF = np.finfo(np.float64).eps / 2


def mixture_and_rows(name, n_features, distance=3.0):
    mixture = mixture_of(name, n_features, distance)
    return mixture, mixture.sample(200, np.random.RandomState(n_features))[0]


def mixture_of_condition(condition, distance, n_features, seed=0):
    """Two components, narrow in unlike directions."""
    rng = np.random.RandomState(seed)
    cholesky = []
    for _ in range(2):
        axes, _ = np.linalg.qr(rng.standard_normal((n_features, n_features)))
        variances = np.geomspace(1, 1 / condition, n_features)
        cholesky.append(np.linalg.cholesky((axes * variances) @ axes.T))
    means = distance * rng.standard_normal((2, n_features))
    return Mixture.from_cholesky(np.array([0.3, 0.7]), means, np.stack(cholesky), FULL)


def exact_log_joint(mixture, X):
    """In sixty digits, from the factors U that the mixture holds."""
    out = np.empty((mixture.n_components, len(X)), dtype=object)
    with mpmath.workdps(60):
        for k, weight in enumerate(mixture.weights):
            U = mpmath.matrix(mixture.precision_factors[k].tolist())
            log_det = sum(mpmath.log(U[j, j]) for j in range(U.rows))
            peak = mpmath.log(mpmath.mpf(weight)) + log_det
            peak -= mpmath.mpf(U.rows) / 2 * mpmath.log(2 * mpmath.pi)
            for i, x in enumerate(X):
                steps = [
                    mpmath.mpf(a) - mpmath.mpf(b)
                    for a, b in zip(x, mixture.means[k], strict=True)
                ]
                white = U.T * mpmath.matrix(steps)
                out[k, i] = peak - sum(z * z for z in white) / 2
    return out


@pytest.mark.parametrize(
    ("form", "name"),
    [(QuadraticForm, name) for name in TYPES]
    + [(TriangularForm, name) for name in MATRICES],
)
# From 65 features on, components are whitened one at a time.
@pytest.mark.parametrize("n_features", [1, 2, 7, 40, 70])
def test_all_ways_agree(form, name, n_features):
    mixture, X = mixture_and_rows(name, n_features)
    near = form.of(Expansion.of(mixture)).block(X, Scratch())
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


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("distance", [1.0, 30.0, 1e3])
@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_forms_keep_the_digits_that_their_bounds_say(condition, distance, n_features):
    mixture = mixture_of_condition(condition, distance, n_features)
    X, component = mixture.sample(12, np.random.RandomState(1))
    exact = exact_log_joint(mixture, X)
    own = component, np.arange(len(X))
    expansion = Expansion.of(mixture)
    log_peaks = mixture.log_peaks[component]
    length = np.sqrt(np.maximum(2 * (log_peaks - exact[own].astype(float)), 0))
    # Besides, the sum of the logarithms is rounded.
    rest = np.abs(log_peaks) + length**2 + n_features
    for form, bound in (
        (QuadraticForm.of(expansion), expansion.reach),
        (TriangularForm.of(expansion), np.sqrt(expansion.reach) * (1 + length)),
        (WhitenedForm(mixture), np.sqrt(condition) * (1 + length) ** 2),
    ):
        log_joint = form.block(X, Scratch()).log_joint()[own]
        error = np.abs((log_joint - exact[own]).astype(float))
        assert np.all(error <= 4 * ROUNDOFF * (bound + rest))


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10])
def test_far_rows_lose_no_more_of_their_log_density(condition):
    mixture = mixture_of_condition(condition, 3.0, 2)
    X = 1e8 * np.random.RandomState(2).standard_normal((10, 2))
    exact = exact_log_joint(mixture, X).max(axis=0).astype(float)
    log_density = mixture.log_density(ArrayRows(X))
    np.testing.assert_allclose(log_density, exact, rtol=1e-9)


@pytest.mark.parametrize("name", TYPES)
def test_what_would_lose_digits_is_not_expanded(name):
    narrow = TriangularBlock if name in MATRICES else WhitenedBlock
    for distance, kind in ((30.0, ExpandedBlock), (1e4, narrow), (1e7, WhitenedBlock)):
        mixture, X = mixture_and_rows(name, 2, distance)
        assert isinstance(mixture.form.block(X, Scratch()), kind)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 40])
def test_rows_whose_squares_overflow_have_log_densities(name, n_features):
    mixture, X = mixture_and_rows(name, n_features)
    expected = mixture.log_density(ArrayRows(X))
    X[7] = 1e80
    log_density = mixture.log_density(ArrayRows(X))
    assert np.all(np.isfinite(log_density))
    assert log_density[7] < -1e150
    others = np.arange(len(X)) != 7
    np.testing.assert_allclose(log_density[others], expected[others], rtol=1e-11)


def test_one_narrow_place_is_where_products_are_relative_to():
    # Pixels that are 0 in all but one component: so narrow there, no other matters.
    family = DIAGONAL
    means = np.array([[0.0, 1.0], [0.0, -1.0], [5.0, 0.0]])
    cholesky = np.array([[1e-6, 1.0], [1e-6, 1.0], [1.0, 1.0]])
    expansion = Expansion.of(
        Mixture.from_cholesky(np.full(3, 1 / 3), means, cholesky, family)
    )
    assert abs(expansion.origin[0]) < 1e-11
    assert expansion.reach < 100


def test_many_features_are_whitened():
    for name, form in (("full", TriangularForm), ("diag", QuadraticForm)):
        mixture, _ = mixture_and_rows(name, 50)
        assert isinstance(mixture.form.near, form)


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
