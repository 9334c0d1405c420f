"""Climbs side by side are climbs one by one."""

import numpy as np
import pytest
from conftest import TYPES, mixture_of, scipys_log_joint
from scipy.special import logsumexp

from skdensity.models.covariances.table import FAMILIES, FULL
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.climbs import OUTWEIGHING, Climbs, ClimbStep, ranked
from skdensity.solvers.mixtures.em import m_step

N_CLIMBS, N_COMPONENTS = 3, 2


def climbs_of(family, n_features):
    """Three mixtures of two components that lie among the rows."""
    own, rng = family.untied, np.random.RandomState(0)
    weights = rng.dirichlet(np.ones(N_COMPONENTS), N_CLIMBS)
    means = 2 * rng.standard_normal((N_CLIMBS * N_COMPONENTS, n_features))
    variances = np.exp(rng.uniform(-1, 1, (len(means), n_features)))
    covariances = np.stack([own.scatter.isolated(v) for v in variances])
    cholesky = own.cholesky(covariances, "{detail}")
    return Climbs(
        Mixture.from_cholesky(weights.ravel(), means, cholesky, own), N_CLIMBS
    )


def each_of(climbs):
    """The climbs' mixtures, one by one."""
    for part in np.split(np.arange(climbs.mixture.n_components), climbs.n_climbs):
        mixture = climbs.mixture
        yield Mixture.from_cholesky(
            mixture.weights[part],
            mixture.means[part],
            mixture.cholesky[part],
            mixture.family,
        )


def matrices(mixture):
    """Covariances of a mixture as matrices."""
    n_features, shape = mixture.n_features, mixture.family.shape
    inner = mixture.family.factors.square(mixture.cholesky)
    inner = shape.untied(inner, mixture.n_components)
    return np.stack([shape.matrices(covariance, n_features) for covariance in inner])


def covariance_in(family, X, weight):
    """NumPy's covariance, of which the family keeps what it has room for."""
    covariance = np.cov(X.T, aweights=weight, ddof=0)
    if family.shape.is_oriented:
        return covariance
    return family.scatter.isolated(np.diag(covariance))


@pytest.fixture(params=[(2, None), (2, 0), (7, 1)], ids=str)
def rows(request):
    n_features, seed = request.param
    X, _ = mixture_of("full", n_features).sample(400, np.random.RandomState(0))
    if seed is None:
        return ArrayRows(X)
    weight = np.random.RandomState(seed).uniform(0.1, 3, len(X))
    weight[::7] = 0
    return ArrayRows(X, weight)


@pytest.mark.parametrize("name", TYPES)
def test_moments_are_those_of_every_climb_by_itself(rows, name):
    climbs = climbs_of(FAMILIES[name], rows.n_features)
    found = climbs.moments(rows)
    expected = [mixture.moments(rows) for mixture in each_of(climbs)]
    for key in ("mass", "first", "second", "about"):
        of_each = np.concatenate([getattr(moments, key) for moments in expected])
        np.testing.assert_allclose(getattr(found, key), of_each, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        found.log_likelihood, [moments.log_likelihood for moments in expected]
    )


def test_a_row_that_no_component_reaches_is_shared_by_weight():
    climbs = climbs_of(FULL, 2)
    rows = ArrayRows(np.full((1, 2), 1e200), np.array([3.0]))
    with np.errstate(over="ignore"):  # second moments have no number
        found = climbs.moments(rows)
    np.testing.assert_allclose(found.mass, 3 * climbs.mixture.weights)
    assert (found.log_likelihood == -np.inf).all()


def test_moments_do_not_depend_on_blocks(monkeypatch):
    X, _ = mixture_of("full", 3).sample(5000, np.random.RandomState(0))
    climbs = climbs_of(FULL, 3)
    expected = climbs.moments(ArrayRows(X))
    monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 1 << 14)
    found = climbs.moments(ArrayRows(X, workspace=Workspace(2)))
    for key in ("mass", "first", "second", "log_likelihood"):
        np.testing.assert_allclose(
            getattr(found, key), getattr(expected, key), rtol=1e-11, atol=1e-11
        )


@pytest.mark.parametrize("name", TYPES)
def test_moments_of_parts_are_those_of_the_rows_in_them(rows, name):
    family, X = FAMILIES[name], rows.X
    climbs = climbs_of(family, rows.n_features)
    labels = np.random.RandomState(3).randint(N_COMPONENTS, size=(N_CLIMBS, len(X)))
    moments = climbs.moments_of_parts(rows, labels)
    weight = np.ones(len(X)) if rows.weight is None else rows.weight
    own = family.untied
    covariances = moments.covariances(own.scatter, 0.0)
    for k in range(len(moments.mass)):
        climb, component = divmod(k, N_COMPONENTS)
        is_part = (labels[climb] == component) & (weight > 0)
        assert moments.mass[k] == pytest.approx(weight[is_part].sum())
        mean = np.average(X[is_part], axis=0, weights=weight[is_part])
        np.testing.assert_allclose(moments.mean[k], mean, atol=1e-12)
        expected = covariance_in(own, X[is_part], weight[is_part])
        np.testing.assert_allclose(covariances[k], expected, atol=1e-11)


def step_by_hand(X, weight, mixture, family, lent, added):
    """One step of one climb with SciPy's densities: weights, means, covariances."""
    covariances = matrices(mixture)
    joint = scipys_log_joint(X, mixture.weights, mixture.means, covariances)
    log_density = logsumexp(joint, axis=1)
    shares = weight[:, None] * np.exp(joint - log_density[:, None])
    mass = shares.sum(axis=0)
    means = shares.T @ X / mass[:, None]
    each = [covariance_in(family.untied, X, share) for share in shares.T]
    common = np.average(each, axis=0, weights=mass)
    if family.shape.tied or lent == OUTWEIGHING:
        each = [common for _ in each]
    else:
        each = [
            (m * own + lent * common) / (m + lent)
            for m, own in zip(mass, each, strict=True)
        ]
    own, d = family.untied.shape, X.shape[1]
    dense = np.stack([own.matrices(covariance + added, d) for covariance in each])
    return mass / mass.sum(), means, dense, weight @ log_density


@pytest.mark.parametrize("name", TYPES)
def test_three_steps_are_those_of_every_climb_by_hand(rows, name):
    family = FAMILIES[name]
    X, d = rows.X, rows.n_features
    weight = np.ones(len(X)) if rows.weight is None else rows.weight
    added = family.untied.scatter.isolated(np.full(d, 1e-3))
    lent = np.array([1.5, 30.0, OUTWEIGHING])
    step, climbs = ClimbStep(family, added), climbs_of(family, d)
    for _ in range(3):
        moments = climbs.moments(rows)
        following = step(moments, lent)
        pairs = zip(each_of(climbs), each_of(following), strict=True)
        for climb, (before, after) in enumerate(pairs):
            weights, means, dense, log_likelihood = step_by_hand(
                X[weight > 0], weight[weight > 0], before, family, lent[climb], added
            )
            np.testing.assert_allclose(after.weights, weights, rtol=1e-9)
            np.testing.assert_allclose(after.means, means, atol=1e-9)
            np.testing.assert_allclose(matrices(after), dense, atol=1e-9)
            assert moments.log_likelihood[climb] == pytest.approx(log_likelihood)
        climbs = following


@pytest.mark.parametrize("name", TYPES)
def test_without_lent_rows_a_step_is_that_of_em(rows, name):
    family = FAMILIES[name]
    climbs, nothing = climbs_of(family, rows.n_features), np.full(N_CLIMBS, 1e-300)
    found = ClimbStep(family, 0.0)(climbs.moments(rows), nothing)
    for before, after in zip(each_of(climbs), each_of(found), strict=True):
        expected, _ = m_step(before.moments(rows), family, 0.0)
        np.testing.assert_allclose(after.weights, expected.weights, rtol=1e-9)
        np.testing.assert_allclose(after.means, expected.means, atol=1e-9)
        np.testing.assert_allclose(matrices(after), matrices(expected), atol=1e-9)


@pytest.mark.parametrize("lent", [1e-3, 1.0, OUTWEIGHING])
@pytest.mark.parametrize("name", TYPES)
def test_components_share_a_covariance_if_all_rows_are_lent_or_it_is_tied(
    rows, name, lent
):
    family = FAMILIES[name]
    climbs = climbs_of(family, rows.n_features)
    found = ClimbStep(family, 0.0)(climbs.moments(rows), np.full(N_CLIMBS, lent))
    cholesky = found.mixture.cholesky.reshape(N_CLIMBS, N_COMPONENTS, -1)
    is_common = np.allclose(cholesky, cholesky[:, :1], rtol=1e-12, atol=1e-12)
    assert is_common == (family.shape.tied or lent == OUTWEIGHING)


@pytest.mark.parametrize("lent", [1e-3, OUTWEIGHING])
@pytest.mark.parametrize("name", TYPES)
def test_a_part_of_few_rows_or_none_borrows_its_covariance(name, lent):
    family = FAMILIES[name]
    X, _ = mixture_of("full", 3).sample(90, np.random.RandomState(0))
    climbs = climbs_of(family, 3)
    labels = np.zeros((N_CLIMBS, len(X)), dtype=int)
    labels[1, 0] = 1  # of one row; the others have none
    moments = climbs.moments_of_parts(ArrayRows(X), labels)
    found = ClimbStep(family, 0.0)(moments, np.full(N_CLIMBS, lent))
    for mixture in each_of(found):
        assert np.isfinite(mixture.means).all()
        assert (np.linalg.eigvalsh(matrices(mixture)) > 0).all()
        assert mixture.weights.sum() == pytest.approx(1)
    moments = found.moments(ArrayRows(X))
    assert np.isfinite(moments.log_likelihood).all()


def test_some_climbs_keep_their_components():
    climbs = climbs_of(FULL, 2)
    mixtures = list(each_of(climbs))
    for order in ([2], [2, 0], [2, 0, 1]):
        some = climbs.some(np.array(order))
        assert some.n_climbs == len(order)
        for found, expected in zip(each_of(some), order, strict=True):
            for key in ("weights", "means", "cholesky"):
                np.testing.assert_array_equal(
                    getattr(found, key), getattr(mixtures[expected], key)
                )


@pytest.mark.parametrize("offset", [0.0, -3.3, 1e3 / 7])
@pytest.mark.parametrize("rounding", [0.0, 1e-12, -1e-9])
def test_of_equal_climbs_the_first_is_the_best(rounding, offset):
    values = offset + rounding * np.arange(3) + 0.5 * np.array([0.0, 0.0, -1.0])
    np.testing.assert_array_equal(ranked(values), [0, 1, 2])
    np.testing.assert_array_equal(ranked(values[::-1]), [1, 2, 0])


def test_lending_rows_costs_likelihood_and_more_of_them_more():
    X, _ = mixture_of("full", 2).sample(300, np.random.RandomState(0))
    rows, climbs = ArrayRows(X), climbs_of(FULL, 2)
    # One climb three times, with more and more rows lent.
    one = climbs.climb(0)
    same = [np.concatenate([a] * 3) for a in (one.weights, one.means, one.cholesky)]
    climbs = Climbs(Mixture.from_cholesky(*same, FULL), 3)
    step = ClimbStep(FULL, 0.0)
    after = step(climbs.moments(rows), np.array([1e-300, 10.0, OUTWEIGHING]))
    # The moments are the same, of which the M-step without lent rows is the maximum.
    surrogate = []
    shares = one.responsibilities(rows)
    for mixture in each_of(after):
        dense = matrices(mixture)
        joint = scipys_log_joint(X, mixture.weights, mixture.means, dense)
        surrogate.append(np.sum(shares * joint))
    assert surrogate[0] > surrogate[1] > surrogate[2]


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_a_covariance_lost_to_rounding_is_what_components_share(name):
    scatter, mass = FAMILIES[name].scatter, np.array([1.0, 1e-12])
    first = mass[:, None] * [[0.0, 0.0], [1e9, 1e9]]
    about = np.zeros((2, 2))
    unit = scatter.isolated(np.ones(2)) * (2 if name == "spherical" else 1)
    second = scatter.outer(first, first / mass[:, None])
    second = np.stack([unit, second[1] * (1 - 1e-12)])
    moments = Moments(0.0, mass, first, second, about)
    step = ClimbStep(FAMILIES[name], 0 * unit, scatter.isolated(np.ones(2)))
    covariances = step(moments, np.array([1e-300])).mixture.covariances
    np.testing.assert_allclose(covariances[1], covariances[0], atol=1e-5)
