"""Periodic features: kernels that go around circles, from any origin and any width."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chisquare, kstest, vonmises

from skdensity import LOOKernelDensity
from skdensity.models.kernels.folds import Fold, FoldedKernel
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import NOTHING
from skdensity.models.kernels.sums.dense import Pairs
from skdensity.models.kernels.support import Axis, Support
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

# Features here are as unlike as their periods.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

RULES = sorted(BANDWIDTHS)
TURN = 2 * np.pi
WIDTHS = [0.02, 0.3, 1.2, 1.7, 5.0, 1e3]
# A circle, a line, a half line, an interval, and another circle.
PERIODIC = [TURN, None, None, None, 24.0]
BOUNDS = [(None, None), (None, None), (0, None), (0, 1), (None, None)]
ENDS = np.array([[0, TURN], [0, 1], [0, 3], [0, 1], [0, 24]])


def angles(n_samples=60, kappa=2.0, seed=0):
    """Rows around 0, on both sides of the end."""
    rng = np.random.RandomState(seed)
    return rng.vonmises(0, kappa, (n_samples, 1)) % TURN


def mixed_rows(n_features, n_samples=50, seed=0):
    rng = np.random.RandomState(seed)
    lower, upper = ENDS[:n_features].T
    return rng.uniform(lower, upper, (n_samples, n_features))


def folds_of(n_features):
    return {"bounds": BOUNDS[:n_features], "periodic": PERIODIC[:n_features]}


def weights(n_samples):
    return np.random.RandomState(1).uniform(0.1, 3, n_samples)


def all_images(column, bounds, period, n_turns=400):
    """Every value and its images, far more than can matter."""
    lower, upper = bounds
    copies, turn = [column], period
    if lower is not None:
        copies.append(2 * lower - column)
    if upper is not None:
        turn = 2 * (upper - lower)
    turns = np.arange(-n_turns, n_turns + 1) * turn if turn else np.zeros(1)
    return np.vstack([copy + turns[:, None] for copy in copies])


def exact_log_density(Q, X, weight, width, bounds, periodic):
    """Brute force: the images of a row are the product of those of its features."""
    log_kernel = np.log(weight / weight.sum()) + np.zeros((len(Q), 1))
    for q, x, *fold in zip(Q.T, X.T, bounds, periodic, strict=True):
        delta = (q[:, None, None] - all_images(x, *fold)) / width
        log_kernel = log_kernel + logsumexp(-0.5 * delta**2, axis=1)
        log_kernel -= np.log(width) + 0.5 * np.log(TURN)
    return logsumexp(log_kernel, axis=1)


@pytest.mark.parametrize("algorithm", ["exact", "nufft", "auto"])
@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [0.02, 0.3, 1.2, 1.7, 30.0])
def test_it_equals_a_sum_over_very_many_images(algorithm, n_features, width):
    X, weight, folds = mixed_rows(n_features), weights(50), folds_of(n_features)
    Q = np.vstack(
        [mixed_rows(n_features, 20, seed=2), np.zeros((1, n_features)), X[:5]]
    )
    density = LOOKernelDensity(width, algorithm=algorithm, **folds)
    actual = density.fit(X, sample_weight=weight).score_samples(Q)
    expected = exact_log_density(Q, X, weight, width, **folds)
    # Transforms keep rtol; logarithms of 1e6 hold nine digits after the point.
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_density_integrates_to_one_and_its_ends_agree(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    # Around a circle equal steps are exact for as many waves.
    x = np.linspace(0, TURN, 4000, endpoint=False)[:, None]
    assert TURN * np.exp(density.score_samples(x)).mean() == pytest.approx(1, abs=1e-12)
    below, at, turn = density.score_samples([[-1e-9], [0.0], [TURN]])
    assert turn == pytest.approx(at, abs=2e-6)  # of another block, within rtol
    assert below == pytest.approx(at, abs=2e-6)


def test_wide_kernels_are_flat_and_cost_nothing_more():
    # The first wave that is left is exp(−2π² h² / T²).
    density = LOOKernelDensity(1e6, periodic=[1.0, 24.0]).fit(mixed_rows(5)[:, 3:])
    Q = mixed_rows(5, 30, seed=4)[:, 3:]
    np.testing.assert_allclose(density.score_samples(Q), -np.log(24), atol=1e-12)
    np.testing.assert_allclose(density.gradient(Q), 0, atol=1e-12)


@pytest.mark.parametrize("n_features", [1, 3, 5])
@pytest.mark.parametrize("bandwidth", ["loo", 0.4])
def test_rows_may_come_from_any_origin(n_features, bandwidth):
    X, folds = mixed_rows(n_features), folds_of(n_features)
    periods = np.array([period or 0.0 for period in folds["periodic"]])
    here = LOOKernelDensity(bandwidth, **folds).fit(X)
    there = LOOKernelDensity(bandwidth, **folds)
    there.fit(X + periods * np.random.RandomState(3).randint(-9, 9, X.shape))
    Q = mixed_rows(n_features, 20, seed=2)
    np.testing.assert_allclose(there.locations_, here.locations_, atol=1e-13)
    np.testing.assert_allclose(
        there.score_samples(Q - 7 * periods), here.score_samples(Q), atol=1e-5
    )


@pytest.mark.parametrize("bandwidth", [*RULES, 0.3])
@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
def test_it_turns_with_the_rows(bandwidth, covariance_type):
    X = np.hstack([angles(100), np.random.RandomState(0).normal(size=(100, 1))])
    Q, turn = np.array([[0.1, 0.0], [3.0, 1.0], [6.0, -1.0]]), np.array([2.5, 0.0])
    here, there = (
        LOOKernelDensity(
            bandwidth, covariance_type=covariance_type, periodic=[TURN, None]
        ).fit(rows)
        for rows in (X, X + turn)
    )
    # A search ends within √eps of the best bandwidth, where the score is flat. Draws
    # of the robust criterion are of the sorted rows, which a turn sorts anew.
    rel = 0.05 if bandwidth == "robust_loo" else 1e-6
    np.testing.assert_allclose(there.bandwidth_, here.bandwidth_, rtol=rel)
    np.testing.assert_allclose(
        there.score_samples(Q + turn), here.score_samples(Q), atol=max(5 * rel, 1e-5)
    )


@pytest.mark.parametrize("bandwidth", RULES)
def test_far_from_the_end_a_long_circle_is_a_line(bandwidth):
    X = 5000 + np.random.RandomState(0).normal(size=(80, 1))
    line = LOOKernelDensity(bandwidth).fit(X)
    circle = LOOKernelDensity(bandwidth, periodic=1e4).fit(X)
    assert circle.bandwidth_ == pytest.approx(line.bandwidth_, rel=1e-6)
    np.testing.assert_allclose(
        circle.score_samples(X), line.score_samples(X), atol=1e-5
    )


@pytest.mark.parametrize("n_features", [1, 3, 5])
@pytest.mark.parametrize("bandwidth", ["loo", 0.5, 2.0])
def test_all_images_of_a_row_are_left_out_with_it(n_features, bandwidth):
    X, folds, weight = mixed_rows(n_features, 30), folds_of(n_features), weights(30)
    density = LOOKernelDensity(bandwidth, **folds).fit(X, sample_weight=weight)
    others = ~np.eye(len(X), dtype=bool)
    refits = [
        LOOKernelDensity(density.bandwidth_, **folds)
        .fit(X[other], sample_weight=weight[other])
        .score_samples(X[[i]])[0]
        for i, other in enumerate(others)
    ]
    # Sums of positive terms: both lose a few eps.
    expected = np.average(refits, weights=weight)
    assert density.loo_score_ == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
def test_the_bandwidth_is_the_best_around_the_circle(covariance_type):
    X = np.hstack([angles(), angles(seed=1) / 2])
    density = LOOKernelDensity(
        covariance_type=covariance_type, periodic=[TURN, np.pi]
    ).fit(X)
    for factor in [1 - 1e-3, 1 + 1e-3, *(1.5 ** np.arange(-8.0, 9.0))]:
        other = LOOKernelDensity(factor * density.bandwidth_, periodic=[TURN, np.pi])
        assert other.fit(X).loo_score_ <= density.loo_score_ + 1e-12


@pytest.mark.parametrize("bandwidth", ["loo", "robust_loo", "lscv"])
def test_uniform_rows_have_a_flat_density(bandwidth):
    for seed in (4, 5):
        X = np.random.RandomState(seed).uniform(size=(500, 1))
        density = LOOKernelDensity(bandwidth, periodic=1.0).fit(X)
        # As likely as the uniform density itself, or more.
        assert density.loo_score_ > -1e-3
        x = np.linspace(0, 1, 50)[:, None]
        np.testing.assert_allclose(density.score_samples(x), 0, atol=0.25)


@pytest.mark.parametrize("n_features", [1, 3, 5])
@pytest.mark.parametrize("width", [0.05, 0.3, 1.7])
def test_the_gradient_equals_finite_differences(n_features, width):
    density = LOOKernelDensity(width, **folds_of(n_features)).fit(
        mixed_rows(n_features)
    )
    Q = 0.01 + 0.98 * mixed_rows(n_features, 15, seed=3)
    Q[0, 0] = 0.0  # where the circle is cut
    step = 1e-4 * width
    for feature in range(n_features):
        delta = step * np.eye(n_features)[feature]
        ahead, behind = map(density.score_samples, (Q + delta, Q - delta))
        # Third derivatives are some h^-3, second differences lose eps/step.
        np.testing.assert_allclose(
            density.gradient(Q)[:, feature],
            (ahead - behind) / (2 * step),
            atol=1e-5 / width,
        )


@pytest.mark.parametrize("width", [0.1, 0.8, 5.0, 1e3])
def test_draws_are_from_one_turn_and_follow_the_density(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles() - 20 * TURN)
    draws = density.sample(5000, random_state=0)
    assert np.all((draws >= 0) & (draws < TURN))
    assert kstest(draws[:, 0], lambda x: density.cdf(x[:, None])).pvalue > 1e-3


def test_draws_of_a_circle_and_an_interval_follow_the_density():
    X = np.hstack([angles(), mixed_rows(4, 60)[:, 3:]])
    folds = {"bounds": [(None, None), (0, 1)], "periodic": [TURN, None]}
    density = LOOKernelDensity([0.4, 0.1], **folds).fit(X)
    draws = density.sample(5000, random_state=0)
    edges = np.linspace(0, TURN, 6), np.linspace(0, 1, 5)
    observed, *_ = np.histogram2d(*draws.T, bins=edges)
    assert observed.sum() == len(draws)
    middles = [np.linspace(*edge[[0, -1]], 401)[:-1] for edge in edges]
    half = [0.5 * (middle[1] - middle[0]) for middle in middles]
    grid = np.array(list(product(*(m + h for m, h in zip(middles, half, strict=True)))))
    mass, *_ = np.histogram2d(
        *grid.T, bins=edges, weights=np.exp(density.score_samples(grid))
    )
    # The midpoint rule of 400 cells is right to 1e-4, far below the draws' noise.
    assert (
        chisquare(observed.ravel(), (len(draws) * mass / mass.sum()).ravel()).pvalue
        > 1e-3
    )


@pytest.mark.parametrize("width", [0.05, 0.6, 2.0, 50.0])
def test_the_distribution_starts_at_zero_and_ends_at_one(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    x = np.linspace(0, TURN, 800, endpoint=False)[:, None]
    cdf = density.cdf(x)
    assert cdf[0] == 0
    assert density.cdf([[TURN - 1e-12]]) == pytest.approx(1, abs=1e-10)
    assert density.cdf(x + 3 * TURN) == pytest.approx(cdf, abs=1e-10)
    # Simpson's rule between the points.
    half = 0.5 * (x[1] - x[0])
    p = np.exp([density.score_samples(x + part) for part in (0, half, 2 * half)])
    mass = (p[0] + 4 * p[1] + p[2]) * half / 3
    np.testing.assert_allclose(np.diff(cdf, append=1), mass, atol=1e-8)


@pytest.mark.parametrize("width", [0.15, 0.5, 1.2])
def test_modes_may_be_where_the_circle_is_cut(width):
    X = angles(200)
    modes = LOOKernelDensity(width, periodic=TURN).fit(X).modes()
    turned = LOOKernelDensity(width, periodic=TURN).fit(X + np.pi).modes()
    assert np.all((modes >= 0) & (modes < TURN))
    assert len(modes) == len(turned)
    np.testing.assert_allclose((modes + np.pi) % TURN, turned, atol=1e-6)
    gradient = LOOKernelDensity(width, periodic=TURN).fit(X).gradient(modes)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


def test_two_rows_on_both_sides_of_the_end_have_one_mode_between():
    density = LOOKernelDensity(1.0, periodic=24.0).fit([[23.5], [0.5]])
    (mode,) = density.modes()
    # In floating point, 0 from below may be 24 less an ulp.
    assert 0 <= mode[0] < 24
    assert min(mode[0], 24 - mode[0]) < 1e-6


@pytest.mark.parametrize("given", [[0], [3], [0, 3], [1, 4]])
def test_a_marginal_times_a_conditional_is_the_joint(given):
    folds, X = folds_of(5), mixed_rows(5)
    density = LOOKernelDensity([0.5, 0.3, 0.4, 0.2, 3.0], **folds).fit(X)
    Q, rest = mixed_rows(5, 10, seed=2), np.setdiff1d(np.arange(5), given)
    known = density.marginal(given)
    for q in Q:
        other = density.condition(given, q[given])
        product_of_both = known.score_samples(q[None, given])
        product_of_both += other.score_samples(q[None, rest])
        np.testing.assert_allclose(
            product_of_both, density.score_samples(q[None]), atol=4e-6
        )
        # Any turn is as good.
        turns = np.array([period or 0.0 for period in PERIODIC])[given]
        again = density.condition(given, q[given] - 2 * turns)
        np.testing.assert_allclose(again.weights_, other.weights_, atol=1e-10)
    for part, features in ((known, given), (other, rest)):
        periods = [PERIODIC[feature] for feature in features]
        assert part.periodic == (periods if any(periods) else None)
        refitted = LOOKernelDensity(**part.get_params())
        refitted.fit(part.locations_, sample_weight=part.weights_)
        np.testing.assert_allclose(
            refitted.score_samples(Q[:, features]), part.score_samples(Q[:, features])
        )


@pytest.mark.parametrize("origin", [0.0, -TURN, 5 * TURN])
def test_float32_rows_stay_within_one_turn(origin):
    X = (angles() + origin).astype(np.float32)
    X[:2] = np.float32([[TURN], [-1e-9]])  # the nearest float32 is beyond 2π
    density = LOOKernelDensity(0.5, periodic=TURN).fit(X)
    for values in (density.locations_, density.sample(500, 0), density.modes()):
        assert values.dtype == np.float32
        assert np.all((values >= 0) & (values < TURN))
    assert density.score_samples(X).dtype == np.float32
    wide = LOOKernelDensity(0.5, periodic=TURN).fit(X.astype(np.float64))
    np.testing.assert_allclose(
        density.score_samples(X), wide.score_samples(X), atol=1e-5
    )


def test_fitted_attributes_may_be_set_by_hand():
    fitted = LOOKernelDensity(0.5, periodic=TURN).fit(angles())
    density = LOOKernelDensity(periodic=TURN)
    density.locations_ = fitted.locations_ - 4 * TURN
    density.weights_, density.bandwidth_ = fitted.weights_, fitted.bandwidth_
    density.n_features_in_ = 1
    np.testing.assert_allclose(density.score(angles()), fitted.score(angles()))


@pytest.mark.parametrize("fold", [{"bounds": (0, 1)}, {"periodic": 1.0}])
@pytest.mark.parametrize("width", [0.1, 0.6])
def test_work_adds_up_over_features_and_does_not_multiply(monkeypatch, fold, width):
    kernels, factors = [], []
    exponents = Pairs.exponents

    def watch(pairs, rows, block, scratch):
        kernels.append((rows.stop - rows.start) * (block.stop - block.start))
        return exponents(pairs, rows, block, scratch)

    monkeypatch.setattr(Pairs, "exponents", watch)
    for kind in Fold.__subclasses__():

        def counted(self, q, x, degree, of_pairs=kind.of_pairs):
            factors.append(np.broadcast(q, x).size)
            return of_pairs(self, q, x, degree)

        monkeypatch.setattr(kind, "of_pairs", counted)
    monkeypatch.setattr(Sources, "points", None)  # reflected 2^d times
    for n_features in (4, 5, 8, 12):
        kernels.clear()
        factors.clear()
        X = np.random.RandomState(0).uniform(size=(200, n_features))
        LOOKernelDensity(width, **fold).fit(X).score_samples(X[:100])
        assert sum(kernels) == 100 * 200
        assert sum(factors) == n_features * 100 * 200
        transformed = LOOKernelDensity(width, algorithm="nufft", **fold)
        assert np.isfinite(transformed.fit(X).score_samples(X)).all()


@pytest.mark.parametrize("period", [1.0, 3.3, 4.001, 5.0, 8.0, 9.0, 60.0])
@pytest.mark.parametrize("is_circle", [False, True])
def test_a_pair_has_all_images_to_the_last_digit(period, is_circle):
    mpmath = pytest.importorskip("mpmath")
    upper = period if is_circle else period / 2
    axis = Axis(0.0, upper, is_circle)
    x = np.array([[0.3 * upper]])
    kernel = FoldedKernel(Support({0: axis}), 1.0)
    q = np.linspace(0, 0.999 * upper, 7)[:, None]
    log_kernels, _ = kernel.log_of_rows(q, x, NOTHING)
    with mpmath.workdps(40):
        copies = [0.3 * upper] if is_circle else [0.3 * upper, -0.3 * upper]
        for (place,), actual in zip(q, log_kernels, strict=True):
            terms = (
                mpmath.exp(-((mpmath.mpf(place) - copy + k * period) ** 2) / 2)
                for copy in copies
                for k in range(-40, 41)
            )
            assert actual == pytest.approx(
                float(mpmath.log(sum(terms))), abs=4e-15 * period**2
            )


def integrated_error(density, x):
    return np.mean((np.exp(density.score_samples(x)) - vonmises.pdf(x[:, 0], 2)) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize(("n_samples", "gain"), [(500, 3), (4000, 6)])
def test_the_end_is_no_border_for_rows_that_cross_it(n_samples, gain):
    x = np.linspace(0, TURN, 1000, endpoint=False)[:, None]
    gains = []
    for seed in range(20):
        X = angles(n_samples, seed=seed)
        plain, circle = LOOKernelDensity(), LOOKernelDensity(periodic=TURN)
        errors = [integrated_error(density.fit(X), x) for density in (plain, circle)]
        gains.append(errors)
    plain, circle = np.median(gains, axis=0)
    assert plain > gain * circle


@pytest.mark.parametrize("bandwidth", ["loo", 0.1])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"periodic": 0}, "`periodic` is 0 for feature 0; expected the length"),
        ({"periodic": 1e200}, "`periodic` has 1e.200; .*None where there is none"),
        ({"periodic": -24.0}, "`periodic` is -24.0 for feature 0.*positive"),
        ({"periodic": [None, np.nan]}, "`periodic` is nan for feature 1"),
        ({"periodic": [np.inf, None]}, "`periodic` is inf for feature 0"),
        ({"periodic": [None, "day"]}, "`periodic` is 'day' for feature 1"),
        ({"periodic": True}, "`periodic` is True for feature 0"),
        ({"periodic": "day"}, "'periodic' parameter.*'day'"),
        ({"periodic": [1.0]}, r"`periodic` has shape \(1,\).*each of the 2 features"),
        ({"periodic": [[1.0, 2.0]]}, r"`periodic` has shape \(1, 2\)"),
        (
            {"periodic": [None, 1.0], "bounds": (0, 1)},
            r"Feature 1 has `bounds` and is `periodic`.*\(None, None\)",
        ),
    ],
)
def test_periods_that_make_no_sense_are_refused(bandwidth, parameters, message):
    density = LOOKernelDensity(bandwidth, **parameters)
    with pytest.raises(ValueError, match=message):
        density.fit(mixed_rows(4)[:, 2:])
    assert not hasattr(density, "locations_")


@pytest.mark.parametrize(
    "parameters", [{"covariance_type": "full"}, {"bandwidth": [[1, 0.5], [0.5, 1]]}]
)
def test_correlated_kernels_go_around_no_circle(parameters):
    density = LOOKernelDensity(periodic=[1.0, None], **parameters)
    with pytest.raises(ValueError, match=r"`periodic` need.*'diag' or 'spherical'"):
        density.fit(mixed_rows(2))


@pytest.mark.parametrize("periodic", [None, [None, None]])
def test_without_a_period_nothing_changes(periodic):
    X = mixed_rows(2)
    full = LOOKernelDensity(covariance_type="full", periodic=None).fit(X)
    assert full.bandwidth_.shape == (2, 2)
    one = LOOKernelDensity("loo", periodic=periodic).fit(X)
    assert one.bandwidth_ == LOOKernelDensity("loo").fit(X).bandwidth_
    np.testing.assert_array_equal(
        one.locations_, LOOKernelDensity(1.0).fit(X).locations_
    )


@pytest.mark.parametrize("fold", [{"bounds": (0, 1)}, {"periodic": 1.0}])
def test_kernels_of_any_width_in_many_features_overflow_nowhere(fold):
    X = np.random.RandomState(0).uniform(size=(20, 64))
    density = LOOKernelDensity(1e6, **fold).fit(X)
    np.testing.assert_allclose(density.score_samples(X), 0, atol=1e-10)
    assert density.loo_score_ == pytest.approx(0, abs=1e-10)


def test_the_number_of_threads_makes_no_difference():
    X, folds = mixed_rows(5, 300), folds_of(5)
    one, two = (
        LOOKernelDensity(0.3, n_jobs=n_jobs, **folds).fit(X) for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.score_samples(X), two.score_samples(X))
    np.testing.assert_array_equal(one.gradient(X), two.gradient(X))
    assert one.loo_score_ == two.loo_score_


@pytest.mark.parametrize("seed", range(5))
def test_unrolled_rows_stay_below_the_period(seed):
    """Of the last value of a turn the first is subtracted, which may round up."""
    rng = np.random.default_rng(seed)
    for lower, period in rng.uniform(-1, 1, (200, 2)) * [10, 1] + [0, 1.5]:
        support = Support({0: Axis(lower, lower + period, is_circle=True)})
        last = np.nextafter(lower + period, -np.inf)
        (found,) = support.unrolled(np.array([[last]])).ravel()
        assert 0 <= found < support.axes[0].period


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_flat_circle_has_one_mode(seed):
    hours = np.random.default_rng(seed).uniform(0, 24, (200, 1))
    density = LOOKernelDensity(periodic=24.0).fit(hours)
    assert density.bandwidth_ == pytest.approx(24)  # nothing to see
    assert len(density.modes()) == 1


@pytest.mark.parametrize(
    "folds", [{"periodic": [None, 6]}, {"bounds": [(None, None), (0, 6)]}]
)
def test_a_flat_feature_has_the_modes_of_the_others(folds):
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=300), rng.uniform(0, 6, 300)]
    found = LOOKernelDensity([0.1, 20.0], **folds).fit(X).modes()
    expected = LOOKernelDensity(0.1).fit(X[:, :1]).modes()
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=1e-6)
