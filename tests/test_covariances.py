"""The covariance families: shapes, factors and conversions."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import MATRICES, dense_covariances

from skdensity.models.covariances import cholesky as triangles
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.moments import Moments

K, D = 3, 4
COMPLAINT = "component {component}: {detail}"


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def covariances(family):
    rng = np.random.RandomState(0)
    shape = family.shape.inner_shape(K, D)
    if family.name not in MATRICES:
        return rng.uniform(0.5, 2, shape)
    A = rng.standard_normal(shape)
    return A @ A.transpose(0, 2, 1) + np.eye(D)


@pytest.fixture
def cholesky(family, covariances):
    return family.cholesky(covariances, COMPLAINT)


def dense(family, inner):
    return dense_covariances(family.name, family.shape.public(inner), K, D)


def test_public_shape_drops_pooled_axes(family, covariances):
    public = family.shape.public(covariances)
    assert public.shape == family.shape.public_shape(K, D)
    np.testing.assert_array_equal(family.shape.inner(public), covariances)


def test_matrices_are_dense_covariances(family, covariances):
    matrices = family.shape.matrices(covariances, D)
    np.testing.assert_array_equal(
        family.shape.untied(matrices, K), dense(family, covariances)
    )
    np.testing.assert_array_equal(family.shape.of_matrix(matrices[0]), covariances[0])


def test_slopes_are_those_of_dense_covariances(family, covariances, cholesky):
    given, others = np.array([2, 0]), np.array([1, 3])
    matrices = family.shape.matrices(covariances, D)
    slopes, _ = family.parts.conditional(cholesky, given, others)
    cross = matrices[:, others[:, None], given]
    expected = cross @ np.linalg.inv(matrices[:, given[:, None], given])
    assert slopes.shape == expected.shape
    np.testing.assert_allclose(slopes, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pivot", [1e-4, 1e-9, 1e-13])
def test_another_order_of_features_keeps_small_pivots(pivot):
    """Where Σ = L Lᵀ has none of the digits of the smallest, it has no factors."""
    rng = np.random.RandomState(0)
    lower = np.tril(rng.standard_normal((K, D, D)))
    lower[:, range(D), range(D)] = 1, 2, 0.5, pivot
    order = np.array([3, 0, 2, 1])
    found = FAMILIES["full"].parts.marginal(lower, order)
    np.testing.assert_array_equal(found, np.tril(found))
    expected = (lower @ lower.transpose(0, 2, 1))[:, order[:, None], order]
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), expected, rtol=1e-12)
    pivots = np.diagonal(found, axis1=1, axis2=2)
    # The order of features does not change the determinant; errors grow with 1/pivot.
    lost = 100 * np.finfo(float).eps / pivot
    np.testing.assert_allclose(pivots.prod(axis=1), pivot, rtol=lost)


def test_the_number_of_free_parameters():
    expected = {
        "full": K * D * (D + 1) / 2,
        "tied": D * (D + 1) / 2,
        "diag": K * D,
        "tied_diag": D,
        "spherical": K,
        "tied_spherical": 1,
    }
    counts = {n: f.shape.n_parameters(K, D) for n, f in FAMILIES.items()}
    assert counts == expected


def test_factors_invert_each_other(family, covariances, cholesky):
    algebra = family.factors
    factors = algebra.precision_factors(cholesky)
    np.testing.assert_allclose(algebra.cholesky_factors(factors), cholesky, rtol=1e-10)
    np.testing.assert_allclose(algebra.square(cholesky), covariances, rtol=1e-10)
    np.testing.assert_allclose(
        dense(family, algebra.square(factors)),
        np.linalg.inv(dense(family, covariances)),
        rtol=1e-9,
        atol=1e-12,
    )


def test_cholesky_of_precisions(family, cholesky):
    precisions = family.factors.square(family.factors.precision_factors(cholesky))
    np.testing.assert_allclose(
        family.cholesky_of_precisions(precisions, COMPLAINT),
        cholesky,
        rtol=1e-8,
        atol=1e-10,
    )


def test_log_det(family, covariances, cholesky):
    _, expected = np.linalg.slogdet(dense(family, covariances))
    log_det = family.shape.untied(family.factors.log_det(cholesky, D), K)
    np.testing.assert_allclose(2 * log_det, expected)


def test_free_parameters_round_trip(family, cholesky):
    free = family.free.ravel(cholesky)
    assert len(free) == family.shape.n_parameters(K, D)
    np.testing.assert_allclose(family.free.unravel(free, K, D), cholesky)


def test_floor_bounds_the_pivots_and_nothing_else(family, cholesky):
    log_diagonal = family.factors.log_diagonal(cholesky)
    log_minimum = np.full_like(log_diagonal[0], 0.2)
    free = family.free.floored(family.free.ravel(cholesky), log_minimum)
    floored = family.free.unravel(free, K, D)
    np.testing.assert_allclose(
        family.factors.log_diagonal(floored), np.maximum(log_diagonal, 0.2)
    )
    is_pivot = dense(family, np.ones_like(cholesky)) * np.eye(D) > 0
    np.testing.assert_allclose(
        dense(family, floored)[~is_pivot], dense(family, cholesky)[~is_pivot]
    )


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_singularity_is_found_at_any_scale(family, covariances, scale):
    singular = covariances.copy()
    if family.name not in MATRICES:
        singular[-1, 0] = 0
    else:
        singular[-1, :, 0] = singular[-1, :, 1]
        singular[-1, 0, :] = singular[-1, 1, :]
    with pytest.raises(ValueError, match=f"component {len(singular) - 1}: "):
        family.cholesky(singular * scale, COMPLAINT)


def test_row_norms_are_known_to_the_ends_of_floats():
    limits = np.finfo(np.float64)
    for size in (limits.max / 2, limits.smallest_subnormal * 2):
        found = triangles.row_norms(size * np.array([[1.0, 0.0], [1.0, 1.0]]))
        np.testing.assert_allclose(found, size * np.sqrt([1, 2]), rtol=0.5)


@pytest.mark.parametrize(("n_matrices", "n_features"), [(1, 30), (30, 1), (30, 30)])
def test_rank_is_told_by_the_features_of_one_matrix(n_matrices, n_features):
    """A feature is explained by so many others, whatever the number of matrices."""
    eps = np.finfo(np.float64).eps
    for share, expected in ((0.9, False), (1.1, True)):
        cholesky = np.tile(np.eye(n_features), (n_matrices, 1, 1))
        cholesky[-1, -1, -1] = np.sqrt(share * n_features * eps)
        assert triangles.has_rank(cholesky) == expected


def test_row_norms_are_those_of_rows_of_any_size():
    rng = np.random.RandomState(0)
    matrices = rng.standard_normal((5, 3, 4))
    expected = np.linalg.norm(matrices, axis=-1)
    expected[2, 1] = matrices[2, 1] = 0
    sizes = 10.0 ** rng.uniform(-300, 300, (5, 3))
    found = triangles.row_norms(sizes[..., None] * matrices)
    np.testing.assert_allclose(found, sizes * expected, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 33, 70])
@pytest.mark.parametrize("n_matrices", [1, 3])
def test_products_of_triangles_leave_out_only_zeros(n_matrices, n):
    rng = np.random.RandomState(0)
    A, B, root = rng.standard_normal((3, n_matrices, n, n))
    lower, other = np.tril(A), np.tril(B)
    symmetric = root @ root.transpose(0, 2, 1)
    upper = lower.transpose(0, 2, 1)
    close = {"rtol": 1e-12, "atol": 1e-12 * n}
    product = triangles.product_of_lower(lower, other)
    np.testing.assert_allclose(product, lower @ other, **close)
    whole = lower @ symmetric @ upper
    white = triangles.congruence(lower, symmetric)
    np.testing.assert_allclose(np.tril(white), np.tril(whole), **close)
    part = triangles.lower_part_of_product(upper, white)
    np.testing.assert_allclose(np.tril(part), np.tril(upper @ whole), rtol=1e-9)
    packed = triangles.packed(lower)
    np.testing.assert_array_equal(packed, lower[:, *np.tril_indices(n)])
    np.testing.assert_array_equal(triangles.unpacked(packed, n), lower)
    np.testing.assert_array_equal(
        packed[:, triangles.packed_diagonal(n)], np.einsum("kdd->kd", lower)
    )


@pytest.mark.parametrize("n", [1, 15, 16, 40])
def test_inverses_of_triangles(n):
    rng = np.random.RandomState(0)
    lower = np.tril(0.1 * rng.standard_normal((3, n, n))) + np.eye(n)
    inverse = triangles.inverse_of_lower(lower)
    np.testing.assert_array_equal(np.triu(inverse, 1), 0)
    np.testing.assert_allclose(
        inverse @ lower, np.broadcast_to(np.eye(n), lower.shape), atol=1e-12
    )
    lower[1, -1, -1] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        is_finite = np.isfinite(triangles.inverse_of_lower(lower)).all(axis=(1, 2))
    np.testing.assert_array_equal(is_finite, [True, False, True])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_is_singular_to_rounding_is_lifted(family, covariances, scale):
    def lifted(matrices):
        return family.lifted(matrices, D)

    np.testing.assert_array_equal(lifted(covariances), covariances)
    if family.name not in MATRICES:
        return
    units = scale ** np.arange(D)
    noise = np.random.RandomState(0).standard_normal((D, D))
    noise += noise.T
    np.fill_diagonal(noise, 0.1)
    for singular in (np.ones((D, D)), noise):
        faulty = np.stack([*covariances, singular]) * np.outer(units, units)
        regular = lifted(faulty)
        np.testing.assert_array_equal(regular[:-1], faulty[:-1])
        family.cholesky(regular, COMPLAINT)
    np.testing.assert_allclose(
        lifted(np.ones((1, D, D)) * scale), np.full((1, D, D), scale), rtol=1e-11
    )


def test_sums_of_squares_are_no_less_than_their_rounding_errors(family):
    rng = np.random.RandomState(0)
    residuals = rng.standard_normal((K, 30, D))
    mean = 1e9 * rng.standard_normal((K, D))
    scatter = family.untied.scatter
    about = np.zeros((K, D))
    share, out = np.ones(30), np.empty((D, 30))
    second = np.stack(
        [
            scatter.of_residuals((r + m).T, share, out)
            for r, m in zip(residuals, mean, strict=True)
        ]
    )
    first = (residuals + mean[:, None]).sum(axis=1)
    moments = Moments(0.0, np.full(K, 30.0), first, second, about)
    squares = family.shape.variances(moments.centred(scatter).second, D)
    lost = family.shape.variances(scatter.outer(30 * moments.shift, moments.shift), D)
    assert np.all(squares > 1e-16 * lost)
    assert np.all(squares < 1e-12 * lost)
    # About points near the means nothing cancels.
    near = Moments(0.0, moments.mass, residuals.sum(axis=1), 0 * second, about)
    second = np.stack([scatter.of_residuals(r.T, share, out) for r in residuals])
    shift = residuals.mean(axis=1)
    np.testing.assert_allclose(
        replace(near, second=second).centred(scatter).second,
        second - scatter.outer(30 * shift, shift),
    )
