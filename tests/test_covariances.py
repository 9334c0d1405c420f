"""The covariance families: shapes, factors and conversions."""

import numpy as np
import pytest

from skdensity.models.covariances import FAMILIES

K, D = 3, 4


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def covariances(family):
    rng = np.random.RandomState(0)
    shape = family.shape(K, D)
    if family.rank == 1:
        return rng.uniform(0.5, 2, shape)
    A = rng.standard_normal(shape)
    return A @ A.transpose(0, 2, 1) + np.eye(D)


def dense(family, inner):
    matrices = family.matrices(np.broadcast_to(inner, inner.shape), D)
    return np.broadcast_to(matrices, (len(matrices), D, D))


def test_public_shape_drops_pooled_axes(family, covariances):
    public = family.public(covariances)
    assert public.shape == family.public_shape(K, D)
    np.testing.assert_array_equal(family.inner(public), covariances)


def test_the_number_of_free_parameters():
    expected = {
        "full": K * D * (D + 1) / 2,
        "tied": D * (D + 1) / 2,
        "diag": K * D,
        "tied_diag": D,
        "spherical": K,
        "tied_spherical": 1,
    }
    assert {n: f.n_parameters(K, D) for n, f in FAMILIES.items()} == expected


def test_factors_invert_each_other(family, covariances):
    cholesky = family.cholesky(covariances, "{component}{detail}")
    factors = family.precision_factors(cholesky)
    np.testing.assert_allclose(family.cholesky_factors(factors), cholesky, rtol=1e-10)
    np.testing.assert_allclose(family.square(cholesky), covariances, rtol=1e-10)
    np.testing.assert_allclose(
        dense(family, family.square(factors)),
        np.linalg.inv(dense(family, covariances)),
        rtol=1e-9,
        atol=1e-12,
    )


def test_cholesky_of_inverse(family, covariances):
    cholesky = family.cholesky(covariances, "{component}{detail}")
    precisions = family.square(family.precision_factors(cholesky))
    np.testing.assert_allclose(
        family.cholesky_of_inverse(precisions, "{component}{detail}"),
        cholesky,
        rtol=1e-8,
        atol=1e-10,
    )


def test_log_det(family, covariances):
    cholesky = family.cholesky(covariances, "{component}{detail}")
    _, expected = np.linalg.slogdet(dense(family, covariances))
    np.testing.assert_allclose(2 * family.log_det(cholesky, D), expected)


def test_free_parameters_round_trip(family, covariances):
    cholesky = family.cholesky(covariances, "{component}{detail}")
    free = family.ravel(cholesky)
    assert len(free) == family.n_parameters(K, D)
    np.testing.assert_allclose(family.unravel(free, K, D), cholesky)


def test_floor_bounds_the_pivots_and_nothing_else(family, covariances):
    cholesky = family.cholesky(covariances, "{component}{detail}")
    log_minimum = np.full_like(family.log_diagonal(cholesky)[0], 0.2)
    floored = family.floored(family.ravel(cholesky), log_minimum)
    floored = family.unravel(floored, K, D)
    log_diagonal = family.log_diagonal(floored)
    np.testing.assert_allclose(
        log_diagonal, np.maximum(family.log_diagonal(cholesky), 0.2)
    )


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_singularity_is_found_at_any_scale(family, covariances, scale):
    singular = covariances.copy()
    if family.rank == 1:
        singular[-1, 0] = 0
    else:
        singular[-1, :, 0] = singular[-1, :, 1]
        singular[-1, 0, :] = singular[-1, 1, :]
    with pytest.raises(ValueError, match=f"component {len(singular) - 1}: "):
        family.cholesky(singular * scale, "component {component}: {detail}")
