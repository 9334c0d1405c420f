"""Moves keep their promises, and leave optima that EM cannot."""

import numpy as np
import pytest
from conftest import TYPES

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.climbs import DIGITS, ClimbStep
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.moves import Moves, moved, ranked_after_steps

CENTRES = np.array([[-20.0, 0.0], [0.0, 0.0], [6.0, 0.0], [20.0, 3.0]])


@pytest.fixture(params=sorted({FAMILIES[name].untied.name for name in TYPES}))
def poor(request):
    """Rows of four clusters, of which one has two components, and two have one."""
    rng = np.random.RandomState(0)
    X = np.repeat(CENTRES, 100, axis=0) + rng.standard_normal((400, 2))
    family = FAMILIES[request.param]
    rows = ArrayRows(X, rng.uniform(0.5, 2, 400))
    means = np.array([[-20.5, 0.3], [-19.5, -0.3], [3.0, 0.0], [20.0, 3.0]])
    variances = np.array([[1.0, 1.0], [1.0, 1.0], [10.0, 1.0], [1.0, 1.0]])
    covariances = np.stack([family.scatter.isolated(v) for v in variances])
    mixture = Mixture.from_cholesky(
        np.full(4, 0.25), means, family.cholesky(covariances, "{detail}"), family
    )
    em = EM(rows, 1e-6 * family.scatter.isolated(np.ones(2)))
    state = em.init(mixture)
    for _ in range(300):
        state = em.step(state)
    return rows, state.mixture, ClimbStep(family, em.reg_covar)


def log_likelihood(mixture, rows):
    return rows.weight @ mixture.log_density(rows)


def test_a_move_gains_at_least_what_it_promises(poor):
    rows, mixture, m_step = poor
    moves = Moves(mixture, rows, m_step)
    some = moves.fusions() + moves.cuts(np.random.RandomState(0))
    before = log_likelihood(mixture, rows)
    assert {len(move.components) for move in some} == {1, 2}
    for move in some:
        gain = log_likelihood(moves.made([move]), rows) - before
        assert gain >= move.gain - 1e-9 * abs(before)


def test_it_leaves_an_optimum_where_em_stays(poor):
    rows, mixture, m_step = poor
    left = moved(mixture, rows, m_step, np.random.RandomState(0))
    assert left.n_components == 4
    np.testing.assert_allclose(left.weights.sum(), 1)
    order = np.argsort(left.means[:, 0])
    np.testing.assert_allclose(left.means[order], CENTRES, atol=0.5)
    assert log_likelihood(left, rows) > log_likelihood(mixture, rows) + 100


def test_at_a_good_optimum_nothing_is_lost(poor):
    rows, mixture, m_step = poor
    best = moved(mixture, rows, m_step, np.random.RandomState(0))
    for seed in range(5):
        again = moved(best, rows, m_step, np.random.RandomState(seed))
        assert log_likelihood(again, rows) > log_likelihood(best, rows) - 0.1


def test_a_component_without_rows_does_no_harm(poor):
    rows, mixture, m_step = poor
    weights, means = mixture.weights.copy(), mixture.means.copy()
    weights[0] += weights[1]
    weights[1], means[1] = 0, 1e6
    lost = Mixture.from_cholesky(weights, means, mixture.cholesky, mixture.family)
    left = moved(lost, rows, m_step, np.random.RandomState(0))
    np.testing.assert_allclose(left.weights.sum(), 1)
    assert log_likelihood(left, rows) > log_likelihood(lost, rows)


@pytest.mark.filterwarnings("ignore:EMGaussianMixture:UserWarning")
def test_a_fit_of_more_components_than_rows_differ_starts():
    rng = np.random.RandomState(0)
    X = np.round(2 * rng.standard_normal((30_000, 1)))
    assert len(np.unique(X)) < 30
    fit = EMGaussianMixture(30, max_iter=5, tol=10.0, random_state=0).fit(X)
    np.testing.assert_allclose(fit.weights_.sum(), 1)


def test_those_that_promise_most_are_made(poor):
    rows, mixture, m_step = poor
    moves = Moves(mixture, rows, m_step)
    some = moves.fusions() + moves.cuts(np.random.RandomState(0))
    best = max(some, key=lambda move: move.gain)
    (made,) = moves.one_by_one(some, 1)
    np.testing.assert_array_equal(made.means, moves.made([best]).means)


@pytest.mark.parametrize("unit", [1e-9, 1, 1e9])
@pytest.mark.parametrize(("n_digits", "is_worse"), [(0.1, False), (4.0, True)])
def test_climbs_that_differ_in_digits_of_a_row_stay_in_turn(
    poor, unit, n_digits, is_worse
):
    rows, mixture, m_step = poor
    weighted = ArrayRows(rows.X, unit * rows.weight)
    # Less likely by so much per row; to be known, its components are in reverse.
    lower = Mixture.from_cholesky(
        mixture.weights[::-1] * np.exp(-n_digits * 10.0**-DIGITS),
        mixture.means[::-1],
        mixture.cholesky[::-1],
        mixture.family,
    )
    first, _ = ranked_after_steps([lower, mixture], weighted, m_step, 1)
    expected = mixture if is_worse else lower
    np.testing.assert_allclose(first.means, expected.means, atol=0.1)
