"""Accelerated EM: EM's optimum, in fewer steps, never a step down."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conftest import ISOTROPIC, TYPES, central_differences, stretched
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from skdensity import EMGaussianMixture
from skdensity.densities import em_gaussian_mixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.passes import blocks
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures import acceleration, directions
from skdensity.solvers.mixtures.acceleration import AcceleratedEM
from skdensity.solvers.mixtures.directions import ACCELERATIONS, Point
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.visits import Visit

# Of numbers that show, and of more components than there are clusters.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*reg_covar=:UserWarning", "ignore:.*coincide:UserWarning"
)


@pytest.fixture
def led(monkeypatch):
    """What directions were told, each time that one was asked for."""
    told = []

    def listening(direction):
        def asked(points):
            told.append(points)
            return direction(points)

        return asked

    for name, direction in ACCELERATIONS.items():
        monkeypatch.setitem(ACCELERATIONS, name, listening(direction))
    return told


@pytest.fixture
def eager(monkeypatch):
    """Lets directions lead as soon as EM's steps shrink: small tables take few."""
    monkeypatch.setattr(acceleration, "MAX_AHEAD", np.inf)
    monkeypatch.setattr(acceleration, "MANY_STEPS", 0)


def plain_em(n_components=3, **parameters):
    return EMGaussianMixture(
        n_components, acceleration=None, random_state=0, **parameters
    )


def solver_and_state(X, covariance_type, direction, reg_covar=0.0):
    """Accelerated EM one plain step away from a start."""
    start = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        init_params="kmeans",  # the default start leaves little to climb
        max_iter=0,
        random_state=0,
    ).fit(X)
    family = FAMILIES[covariance_type]
    added = family.scatter.isolated(np.full(X.shape[1], reg_covar))
    em = EM(ArrayRows(X), added)
    units = Gaussian.isolated(np.zeros(X.shape[1]), X.var(axis=0), family)
    solver = AcceleratedEM(em, MixtureParameters(3, units), direction)
    return solver, solver.step(solver.init(start._model()))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_ends_at_ems_optimum_without_a_step_down(iris, led, covariance_type, name):
    em = plain_em(covariance_type=covariance_type, reg_covar=0, init_params="kmeans")
    plain = clone(em).set_params(tol=1e-11, max_iter=5000).fit(iris)
    fast = clone(em).set_params(tol=1e-11, acceleration=name).fit(iris)
    assert led
    assert fast.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-8)
    # The sum of 150 log-densities is rounded in its last digits.
    assert np.diff(fast.lower_bounds_).min() >= -1e-13


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_regularised_fits_end_where_em_rests(iris, name):
    em = plain_em(reg_covar=1e-2, tol=1e-11, max_iter=5000)
    plain = clone(em).fit(iris)
    fast = clone(em).set_params(acceleration=name).fit(iris)
    np.testing.assert_allclose(fast.means_, plain.means_, atol=1e-3)


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_regularised_fits_take_fewer_steps(name):
    # Where `reg_covar` is a tenth of a nat, EM does not climb the likelihood alone.
    rows = StandardScaler().fit_transform(load_wine().data[:, :2])
    em = plain_em(init_params="kmeans", reg_covar=0.02, tol=1e-9, max_iter=5000)
    plain = clone(em).fit(rows)
    fast = clone(em).set_params(acceleration=name).fit(rows)
    assert fast.n_iter_ < plain.n_iter_ / 2
    # Plain EM ends within its last steps over 1 less their factor, 0.9.
    np.testing.assert_allclose(fast.means_, plain.means_, atol=1e-2)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_penalty_rises_by_the_integral_of_its_gradient(iris, covariance_type):
    # What regularised gradients have beyond the likelihood's, along a short way.
    solver, state = solver_and_state(iris, covariance_type, None, reg_covar=1e-2)
    parameters, rows = solver.parameters, ArrayRows(iris)
    middle = parameters.ravel(state.mixture)
    way = 1e-4 * np.random.RandomState(0).standard_normal(len(middle))

    def visit(theta):
        there = parameters.unravel(theta)
        return Visit(solver._landscape, there, there.moments(rows), there)

    here = visit(middle)
    free = replace(solver._landscape, reg_covar=np.zeros_like(solver.em.reg_covar))
    pull = here.point.gradient - free.gradient(here.mixture, here.moments)
    rise = visit(middle + way).rise_in_penalty(visit(middle - way))
    # Central differences are off by the square of the way.
    assert rise == pytest.approx(-2 * way @ pull, rel=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_auto_is_lbfgs_but_where_em_itself_is_asked_for(monkeypatch, overlapping):
    def path(acceleration, **parameters):
        em = plain_em(tol=1e-7, max_iter=2000).set_params(acceleration=acceleration)
        return em.set_params(**parameters).fit(overlapping).lower_bounds_

    assert path("auto") == path("lbfgs") != path(None)
    steps = {"tol": 0, "max_iter": 50}
    assert path("auto", **steps) == path(None, **steps) != path("lbfgs", **steps)
    monkeypatch.setattr(em_gaussian_mixture, "MAX_FREE", 8)
    assert path("auto") == path(None)


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_takes_fewer_steps_where_components_overlap(overlapping, name):
    em = plain_em(tol=1e-7, max_iter=5000)
    plain = clone(em).fit(overlapping)
    fast = clone(em).set_params(acceleration=name).fit(overlapping)
    assert fast.n_iter_ < plain.n_iter_ / 2
    assert fast.lower_bound_ >= plain.lower_bound_ - 1e-6


def rows_about(n_centres, n_samples, box, deviation, seed):
    """Rows about centres that are uniform in a square."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-box, box, (n_centres, 2))
    noise = deviation * rng.standard_normal((n_samples, 2))
    return centres[rng.integers(0, n_centres, n_samples)] + noise


def rows_of_cases():
    """Tables, and fits of them, by what they are like."""
    rng = np.random.default_rng(4)
    close = rng.standard_normal((3, 2))[rng.integers(0, 3, 2000)]
    close += rng.standard_normal(close.shape)
    iris, wine, digits = load_iris().data, load_wine().data, load_digits().data
    weight = rng.exponential(size=len(close))
    many = rows_about(20, 2000, 6, 0.3, 3)
    for shape in TYPES:
        yield f"overlapping {shape}", close, None, {"covariance_type": shape}
        yield (
            f"many {shape}",
            many,
            None,
            {"n_components": 20, "covariance_type": shape},
        )
    yield "weights", close, weight, {}
    yield "regularised", close, None, {"reg_covar": 0.05}
    yield "separated", rows_about(5, 1000, 10, 0.3, 0), None, {"n_components": 5}
    yield "iris", iris, None, {}
    yield "iris, regularised", iris, None, {"n_components": 5, "reg_covar": 1e-2}
    yield "wine", wine, None, {"reg_covar": 1e-2}
    yield "digits", digits, None, {"n_components": 10, "reg_covar": 1e-2}


CASES = {name: case for name, *case in rows_of_cases()}
# Where EM's steps shrink so fast that no direction may lead.
EASY = [
    "many tied",
    "many tied_diag",
    "regularised",
    "separated",
    "iris",
    "iris, regularised",
    "wine",
    "digits",
]


@pytest.fixture
def counted(monkeypatch):
    """The passes made so far, in a list."""
    moments, passes = Mixture.moments, []

    def counting(self, *args):
        passes.append(self)
        return moments(self, *args)

    monkeypatch.setattr(Mixture, "moments", counting)
    return passes


def fit_of_case(case, acceleration):
    """A fit with a tolerance that EM alone often needs hundreds of steps for."""
    X, weight, options = CASES[case]
    em = plain_em(**{"init_params": "kmeans", **options}, tol=1e-6, max_iter=5000)
    return em.set_params(acceleration=acceleration).fit(X, sample_weight=weight)


@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("case", [case for case in CASES if case not in EASY])
def test_ends_where_ems_rule_ends_it_not_below_plain_em(counted, led, case, name):
    X, weight, _ = CASES[case]
    plain = fit_of_case(case, None)
    n_plain = len(counted)
    fast = fit_of_case(case, name)
    assert led
    assert plain.converged_
    assert fast.converged_
    n_passes = len(counted) - n_plain
    ends = (m.score(X, sample_weight=weight) for m in (fast, plain))
    gain = next(ends) - next(ends)
    assert gain >= -plain.tol
    # More of them only on the way to another, higher optimum.
    assert gain > 10 * plain.tol or n_passes <= 1.2 * n_plain


@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("case", EASY)
def test_where_em_is_fast_every_step_is_ems(led, case, name):
    plain, fast = fit_of_case(case, None), fit_of_case(case, name)
    assert not led
    assert fast.lower_bounds_ == plain.lower_bounds_
    np.testing.assert_array_equal(fast.means_, plain.means_)


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_ems_own_steps_find_nothing_more(overlapping, name):
    tol = 1e-6
    fast = EMGaussianMixture(
        3, acceleration=name, tol=tol, random_state=0, warm_start=True
    )
    fast.fit(overlapping)
    reached = fast.score(overlapping)
    assert np.diff(fast.lower_bounds_)[-4:].max() < tol
    fast.set_params(acceleration=None, tol=1e-9, max_iter=5000).fit(overlapping)
    assert fast.score(overlapping) - reached < tol


def test_a_run_goes_on_where_directions_and_not_ems_steps_are_short(iris):
    solver, state = solver_and_state(iris, "full", ACCELERATIONS["lbfgs"])
    assert state.may_end
    while not (state.n_own == 0 and state.gains == ()):
        state = solver.step(state)
    assert not state.may_end  # after a step in the direction
    solver = replace(solver, tol=np.inf)  # little is ahead, by any measure
    for _ in range(acceleration.N_OWN):
        assert not state.may_end
        state = solver.step(state)
    assert state.may_end
    assert len(state.gains) == acceleration.N_OWN


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_its_first_step_is_ems(iris, name):
    em = EMGaussianMixture(3, max_iter=1, random_state=0, tol=0)
    plain = clone(em).fit(iris)
    fast = clone(em).set_params(acceleration=name).fit(iris)
    np.testing.assert_array_equal(fast.means_, plain.means_)
    np.testing.assert_array_equal(fast.covariances_, plain.covariances_)


def far(points):
    return 1e6 * points[-1].gradient / np.abs(points[-1].gradient).max()


def nowhere(points):
    return np.full_like(points[-1].gradient, np.nan)


def down(points):
    return -points[-1].gradient


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("direction", [far, nowhere, down])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_bad_directions_leave_plain_em(iris, covariance_type, direction):
    n_asked = 0

    def asked(points):
        nonlocal n_asked
        n_asked += 1
        return direction(points)

    solver, state = solver_and_state(iris, covariance_type, asked)
    plain = solver.em.init(state.mixture)
    for _ in range(8):
        state, plain = solver.step(state), solver.em.step(plain)
        assert state.value == pytest.approx(plain.value, abs=1e-12)
    assert n_asked


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_units_of_the_features_make_no_difference(iris, led, name):
    scale = np.array([1e-3, 1, 10, 1e4])
    mixture = EMGaussianMixture(
        3, reg_covar=0, acceleration=name, tol=1e-11, random_state=0
    )
    expected = mixture.fit(iris).score_samples(iris)
    scores = mixture.fit(iris * scale).score_samples(iris * scale) + np.log(scale).sum()
    assert led
    # Both are within 1e-8 nats of the optimum; responsibilities move by its root.
    np.testing.assert_allclose(scores, expected, atol=1e-3)


@pytest.mark.parametrize("reg_covar", [0.0, 1e-2])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_gradient_weighs_ems_step(iris, covariance_type, reg_covar):
    solver, state = solver_and_state(iris, covariance_type, None, reg_covar)
    for _ in range(3):
        mixture = state.mixture
        state = solver.step(replace(state, visits=()))
        (point,) = state.points
        logits, means = point.gradient[:3], point.gradient[3:15].reshape(3, 4)
        step_logits, step_means = point.step[:3], point.step[3:15].reshape(3, 4)
        # With N_k / W = π_k exp(step), Σ⁻¹ S1 / W = N_k / W Σ⁻¹ (μ_new − μ).
        share = mixture.weights * np.exp(step_logits)
        np.testing.assert_allclose(logits, share - mixture.weights, atol=1e-14)
        algebra, scale = mixture.family.factors, solver.parameters.units.deviations
        solved = algebra.solve(mixture.precision_factors, step_means * scale) * scale
        np.testing.assert_allclose(means, share[:, None] * solved, atol=1e-12)


@pytest.mark.parametrize("reg_covar", [0.0, 1e-2])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_gradient_vanishes_where_em_rests(iris, covariance_type, reg_covar):
    solver, state = solver_and_state(iris, covariance_type, None, reg_covar)
    em, plain = solver.em, solver.em.init(state.mixture)
    (away,) = solver.step(replace(state, visits=())).points
    assert away.step @ away.gradient > 0  # EM climbs, so that it is a direction to go
    for _ in range(600):
        plain = em.step(plain)
    (point,) = solver.step(solver.init(plain.mixture)).points
    # Steps shrink by 0.95 or less: after 600 of them rounding is left, near 1e-15, and
    # the gradient is a step times precisions, below 1e3 in units of the features.
    assert np.abs(point.step).max() < 1e-12
    assert np.abs(point.gradient).max() < 1e-12
    assert np.abs(away.gradient).max() > 1e-4


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize(
    ("covariance_type", "reg_covar"),
    [
        *((name, 0.0) for name in TYPES),
        # In the others the likelihood falls before EM rests, which ends any run.
        *((name, 1e-2) for name in ("full", "tied", "tied_diag")),
    ],
)
def test_it_ends_where_em_rests(iris, led, covariance_type, reg_covar, name):
    em = plain_em(
        covariance_type=covariance_type,
        reg_covar=reg_covar,
        init_params="kmeans",
        tol=1e-13,
        max_iter=5000,
    )
    fast = clone(em).set_params(acceleration=name).fit(iris)
    assert led
    # Where EM rests, the mean log-likelihood may go on by an ulp to and fro; it is
    # rounded in some of them, and less than that is no gain.
    rounding = 8 * np.finfo(float).eps * abs(fast.lower_bound_)
    plain = clone(em).set_params(tol=rounding).fit(iris)
    # The least curvature at these optima is 0.07 per squared unit of the features: a
    # likelihood within 1e-13 means parameters within √(2e-13 / 0.07) < 2e-6 units.
    np.testing.assert_allclose(fast.means_, plain.means_, atol=1e-5)
    np.testing.assert_allclose(fast.covariances_, plain.covariances_, atol=1e-5)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_gradient_is_that_of_the_mean_log_likelihood(iris, covariance_type):
    solver, state = solver_and_state(iris, covariance_type, None)
    (point,) = state.points

    def value(parameters):
        mixture = solver.parameters.unravel(parameters)
        return mixture.moments(ArrayRows(iris)).log_likelihood / len(iris)

    expected = central_differences(value, point.parameters)
    # Off by the fifth derivative over 30, some thousands where the second reaches 50,
    # times the fourth power of the step, 3e-13; and by rounding, 1e-15 / 1e-3.
    np.testing.assert_allclose(point.gradient, expected, atol=1e-7)


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", [t for t in TYPES if t not in ISOTROPIC])
def test_units_and_offsets_change_the_path_by_a_constant(
    iris, led, covariance_type, name
):
    # Powers of two and multiples of 2^-10, so that rows are exact in all units.
    rows = np.round(iris * 2**10) / 2**10
    scale, offset = 2.0 ** np.array([-8, 0, 4, 20]), [1.0, -32.0, 2.0**8, 0.0]
    start = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        init_params="kmeans",
        max_iter=0,
        random_state=0,
    ).fit(rows)

    def path(scale, offset):
        mixture = EMGaussianMixture(
            3,
            covariance_type=covariance_type,
            reg_covar=0,
            acceleration=name,
            tol=0,
            max_iter=10,
            weights_init=start.weights_,
            means_init=start.means_ * scale + offset,
            precisions_init=start.precisions_ / stretched(covariance_type, scale),
        ).fit(rows * scale + offset)
        return np.array(mixture.lower_bounds_) + np.log(scale).sum()

    expected = path(np.ones(4), 0.0)
    assert led
    assert expected[-1] - expected[0] > 1e-6
    # Rounding, of 1e-14 with these offsets, counts by how small the differences of
    # steps are that directions divide by: 1e-4 of the first ones after ten.
    np.testing.assert_allclose(path(scale, offset), expected, atol=1e-10)


# The random start of tied components is near a saddle where they are one.
@pytest.mark.filterwarnings("ignore:.* coincide:UserWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_never_falls_from_a_random_start(overlapping, covariance_type, name):
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        init_params="random",
        acceleration=name,
        tol=1e-9,
        random_state=0,
    ).fit(overlapping)
    assert np.diff(mixture.lower_bounds_).min() >= -1e-13
    assert mixture.score(overlapping) >= mixture.lower_bound_ - 1e-13


@pytest.mark.parametrize("name", ACCELERATIONS)
def test_takes_fewer_passes_where_components_overlap(counted, overlapping, name):
    mixture = plain_em(tol=1e-7, max_iter=5000).fit(overlapping)
    n_plain = len(counted)
    mixture.set_params(acceleration=name).fit(overlapping)
    assert len(counted) - n_plain < n_plain / 2


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_weight_is_a_repetition(iris, led, covariance_type, name):
    weight = np.random.RandomState(0).randint(0, 4, len(iris))
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        init_params="kmeans",
        acceleration=name,
        tol=1e-10,
        random_state=0,
    )
    weighted = mixture.fit(iris, sample_weight=weight).score_samples(iris)
    assert led
    total = mixture.lower_bound_
    repeated = mixture.fit(np.repeat(iris, weight, axis=0)).score_samples(iris)
    # Both are within 1e-10 nats of one optimum, densities within its root.
    assert mixture.lower_bound_ == pytest.approx(total, abs=1e-9)
    np.testing.assert_allclose(repeated, weighted, atol=1e-4)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_the_unit_of_the_weights_makes_no_difference(iris, led, name):
    mixture = EMGaussianMixture(3, acceleration=name, tol=1e-9, random_state=0)
    expected = mixture.fit(iris, sample_weight=np.ones(len(iris))).lower_bounds_
    assert led
    for unit in (2.0**-30, 2.0**30):
        bounds = mixture.fit(iris, sample_weight=np.full(len(iris), unit)).lower_bounds_
        np.testing.assert_allclose(bounds, expected, rtol=1e-12)


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_threads_make_no_difference(monkeypatch, overlapping, led, name):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**14)
    mixture = EMGaussianMixture(
        3, acceleration=name, max_iter=10, tol=0, random_state=0
    )
    expected = mixture.fit(overlapping).lower_bounds_
    assert led
    threaded = mixture.set_params(n_jobs=2).fit(overlapping).lower_bounds_
    assert threaded == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ACCELERATIONS)
def test_a_warm_start_goes_on(overlapping, name):
    mixture = EMGaussianMixture(
        3, acceleration=name, tol=1e-9, random_state=0, warm_start=True, reg_covar=0
    )
    mixture.set_params(max_iter=6).fit(overlapping)
    reached = mixture.score(overlapping)
    mixture.set_params(max_iter=1000).fit(overlapping)
    assert mixture.converged_
    assert mixture.lower_bounds_[0] == pytest.approx(reached, rel=1e-12)
    assert np.diff([reached, *mixture.lower_bounds_]).min() >= -1e-13
    cold = clone(mixture).set_params(warm_start=False).fit(overlapping)
    assert mixture.lower_bound_ == pytest.approx(cold.lower_bound_, abs=1e-8)


def test_it_is_a_parameter_like_any_other(iris):
    for name in (None, "auto", *ACCELERATIONS):
        mixture = EMGaussianMixture(3, acceleration=name)
        assert mixture.get_params()["acceleration"] == name
        assert clone(mixture).acceleration == name
    with pytest.raises(ValueError, match="'acceleration' parameter"):
        EMGaussianMixture(3, acceleration="newton").fit(iris)


@pytest.mark.parametrize("name", [None, *ACCELERATIONS])
def test_a_component_without_rows_is_revived(name):
    X = np.random.RandomState(0).standard_normal((50, 1))
    start = {"means_init": [[0.0], [1e6]], "weights_init": [0.5, 0.5]}
    mixture = EMGaussianMixture(
        2, acceleration=name, precisions_init=[[[1]]] * 2, **start
    ).fit(X)
    assert mixture.weights_.min() > 0
    assert np.abs(mixture.means_).max() < np.abs(X).max()
    assert mixture.score(X) > EMGaussianMixture(1).fit(X).score(X)


def endless(points):
    gradient = points[-1].gradient
    return np.where(gradient == 0, 0.0, np.copysign(np.inf, gradient))


def half_endless(points):
    direction = np.zeros_like(points[-1].gradient)
    steepest = np.abs(points[-1].gradient).argmax()
    direction[steepest] = np.copysign(np.inf, points[-1].gradient[steepest])
    return direction


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("direction", [nowhere, down, endless, half_endless])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_fits_with_bad_directions_are_ems(
    monkeypatch, iris, covariance_type, direction
):
    monkeypatch.setitem(ACCELERATIONS, "anderson", direction)
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        reg_covar=0,
        init_params="kmeans",
        tol=0,
        max_iter=20,
        random_state=0,
    )
    plain = clone(mixture).fit(iris)
    fast = clone(mixture).set_params(acceleration="anderson").fit(iris)
    # From clusters on, EM contracts: rounding does not grow.
    np.testing.assert_allclose(fast.lower_bounds_, plain.lower_bounds_, atol=1e-13)
    np.testing.assert_allclose(fast.means_, plain.means_, rtol=1e-12)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ACCELERATIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_directions_that_go_too_far_still_end_at_the_optimum(
    monkeypatch, iris, led, covariance_type, name
):
    right = ACCELERATIONS[name]
    monkeypatch.setitem(ACCELERATIONS, name, lambda points: 1e6 * right(points))
    mixture = plain_em(
        covariance_type=covariance_type,
        reg_covar=0,
        init_params="kmeans",
        tol=1e-11,
        max_iter=5000,
    )
    plain = clone(mixture).fit(iris)
    fast = clone(mixture).set_params(acceleration=name).fit(iris)
    assert led
    assert fast.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-8)
    assert np.diff(fast.lower_bounds_).min() >= -1e-13


def parabola(n):
    """Points of a gradient ascent on a concave parabola, and its peak."""
    rng = np.random.RandomState(n)
    root = rng.standard_normal((n, n))
    curvature = np.eye(n) + root @ root.T / n
    peak, parameters, points = rng.standard_normal(n), np.zeros(n), []
    for _ in range(n + 1):
        gradient = curvature @ (peak - parameters)
        step = gradient / np.linalg.norm(curvature, 2)
        points.append(Point(parameters, gradient, parameters + step))
        parameters = parameters + step
    return tuple(points), peak


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_anderson_solves_linear_problems(n):
    # In n dimensions n differences of steps span the space, and none of it is left.
    points, peak = parabola(n)
    reached = points[-1].parameters + directions.anderson(points)
    np.testing.assert_allclose(reached, peak, atol=1e-8)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_lbfgs_is_bfgs_with_a_matrix_that_begins_as_ems(n):
    points, _ = parabola(n)
    # EM's step is a matrix times the gradient; any will do.
    root = np.random.RandomState(1).standard_normal((n, n))
    inverse = np.eye(n) + root @ root.T
    points = tuple(
        replace(point, image=point.parameters + inverse @ point.gradient)
        for point in points
    )
    for before, after in pairwise(points):
        move = after.parameters - before.parameters
        change = before.gradient - after.gradient
        left = np.eye(n) - np.outer(move, change) / (move @ change)
        inverse = left @ inverse @ left.T + np.outer(move, move) / (move @ change)
    direction = directions.lbfgs(points)
    np.testing.assert_allclose(direction, inverse @ points[-1].gradient, rtol=1e-9)
    assert direction @ points[-1].gradient > 0


def test_lbfgs_takes_ems_step_where_no_curvature_shows():
    one, two = np.array([0.0]), np.array([1.0])
    # The gradient grows along the move: a Newton step would go down.
    points = (Point(one, one + 1, one + 1), Point(two, two + 1, two + 0.5))
    np.testing.assert_array_equal(directions.lbfgs(points), [0.5])


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("direction", [far, endless, half_endless])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_trials_that_go_too_far_are_silent(
    monkeypatch, iris, covariance_type, direction, n_jobs
):
    monkeypatch.setitem(ACCELERATIONS, "anderson", direction)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**12)
    mixture = EMGaussianMixture(
        3,
        covariance_type=covariance_type,
        acceleration="anderson",
        tol=0,
        max_iter=9,
        n_jobs=n_jobs,
        random_state=0,
    )
    assert np.isfinite(mixture.fit(iris).lower_bounds_).all()
