"""What densities of periodic features answer, and what is asked of their columns."""

import mpmath
import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss

from skdensity import LOOKernelDensity
from skdensity.models.kernels.masses.lines import line_of
from skdensity.models.kernels.support import Axis
from skdensity.passes.workspace import Workspace

TURN = 2 * np.pi
WIDTHS = [0.01, 0.3, 1.5, 3.0, 9.0, 1e5]


def angles(n_samples=60, seed=0):
    """Rows around 0, on both sides of the end."""
    return np.random.RandomState(seed).vonmises(0, 2, (n_samples, 1)) % TURN


def exact_mass(x, locations, width):
    """Mass of kernels of equal weight between 0 and x, from very many images."""
    mpmath.mp.dps = 40
    width, total = mpmath.mpf(width), mpmath.mpf(0)
    for k in range(-20, 21):
        for y in locations:
            image = mpmath.mpf(float(y)) + k * mpmath.mpf(TURN)
            # From the smaller of both tails, so that 40 digits will do.
            sign = 1 if image > 0 else -1
            ends = [sign * (image - end) / width for end in (0, mpmath.mpf(float(x)))]
            below = [mpmath.ncdf(-end) for end in ends]
            total += sign * (below[1] - below[0])
    return total / len(locations)


def test_quantiles_find_the_mass_that_goes_on_past_the_end():
    density = LOOKernelDensity(0.3, periodic=TURN).fit([[TURN - 0.05], [TURN - 0.1]])
    x = np.array([0.01, 0.2, 0.4, 5.9, 6.2])
    below = density.cdf(x[:, None])
    assert below[2] > 0.2
    np.testing.assert_allclose(density.quantile(below), x, rtol=1e-6)


@pytest.mark.parametrize("width", WIDTHS)
def test_distribution_functions_equal_quadrature(width):
    density = LOOKernelDensity(width, periodic=TURN, rtol=1e-12).fit(angles())
    for x in (0.2, 1.0, 3.3, 6.1):
        nodes, weight = leggauss(16)
        panels = np.linspace(0, x, 301)
        half = 0.5 * (panels[1] - panels[0])
        Q = (panels[:-1, None] + half * (1 + nodes)).reshape(-1, 1)
        mass = half * np.sum(np.tile(weight, 300) * np.exp(density.score_samples(Q)))
        assert density.cdf([[x]]) == pytest.approx(mass, rel=1e-9)
        assert density.sf([[x]]) == pytest.approx(1 - mass, rel=1e-7)


@pytest.mark.parametrize("width", [0.09, 0.3, 1.2, 3.0])
@pytest.mark.parametrize("locations", [[3.0, 3.5], [0.02, 6.2], [0.0, 2.0, 5.0]])
def test_small_masses_have_nine_digits(width, locations):
    x = np.array([1e-12, 1e-3, 0.02, 0.1, 0.5, 1.4])
    line = line_of(
        np.array(locations),
        np.full(len(locations), 1 / len(locations)),
        width,
        Axis(0.0, TURN, is_circle=True),
    )
    mirrored = [TURN - y for y in locations]
    exact = [float(exact_mass(each, locations, width)) for each in x]
    above = [float(exact_mass(TURN - (TURN - each), mirrored, width)) for each in x]
    np.testing.assert_allclose(line.below(x, Workspace()), exact, rtol=1e-9)
    # Distances from the upper end have lost digits before they are asked for.
    np.testing.assert_allclose(
        line.above(TURN - x[1:], Workspace()), above[1:], rtol=1e-9
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_distribution_functions_rise_from_0_to_1_and_turn(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    x = np.linspace(0, TURN, 2001)[:, None]
    cdf, sf = density.cdf(x), density.sf(x)
    assert cdf[0] == sf[-1] == 0
    assert cdf[-1] == sf[0] == 1
    # Short arcs are integrals, others differences: they meet to 1e-11.
    assert np.all(np.diff(cdf) > -1e-11 * cdf[1:])
    np.testing.assert_allclose(cdf + sf, 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(density.cdf(x[:-1] - TURN), cdf[:-1], atol=1e-11)
    assert density.cdf(x[[-1]].astype(np.float32)).item() == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_quantiles_are_within_the_turn_and_invert(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    q = np.array([0, 1e-9, 0.01, 0.3, 0.5, 0.8, 0.999, 1])
    values = density.quantile(q)
    assert values[0] == 0
    assert values[-1] == TURN
    assert np.all((values[1:-1] > 0) & (values[1:-1] < TURN))
    # Narrow kernels leave gaps, in which the function is as good as constant.
    np.testing.assert_allclose(density.cdf(values[:, None]), q, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("width", WIDTHS)
def test_regions_hold_their_share_above_their_level(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    region = density.region(0.7)
    ends = region.intervals
    assert np.all((ends >= 0) & (ends <= TURN))
    held = sum(density.probability(*interval) for interval in ends)
    assert held >= 0.7 - 1e-9
    if width < 3:  # otherwise it is flat, or nearly
        assert held == pytest.approx(0.7, abs=1e-8)
        x = np.linspace(0, TURN, 1000)
        inside = np.any((x[:, None] >= ends[:, 0]) & (x[:, None] <= ends[:, 1]), axis=1)
        log_density = density.score_samples(x[:, None])
        np.testing.assert_array_equal(log_density >= region.log_density, inside)


def test_a_region_across_the_end_has_its_last_and_its_first_part():
    density = LOOKernelDensity(0.4, periodic=TURN).fit([[0.1], [6.2]])
    first, last = density.region(0.9).intervals
    assert first[0] == 0
    assert last[1] == TURN
    levels = density.score_samples([[first[1]], [last[0]]])
    np.testing.assert_allclose(levels, density.region(0.9).log_density, atol=1e-9)


@pytest.mark.parametrize("width", WIDTHS)
def test_boxes_are_arcs(width):
    density = LOOKernelDensity(width, periodic=TURN).fit(angles())
    cdf = density.cdf([[0.5], [1.5], [6.0]])
    assert density.probability(0.5, 1.5) == pytest.approx(cdf[1] - cdf[0], rel=1e-9)
    around = 1 - cdf[2] + cdf[0]
    for lower, upper in [(6.0 - TURN, 0.5), (6.0, 0.5 + TURN)]:
        assert density.probability(lower, upper) == pytest.approx(around, rel=1e-9)
    assert density.probability(-np.inf, 1.5) == pytest.approx(cdf[1], rel=1e-9)
    assert density.probability(1.5, np.inf) == pytest.approx(1 - cdf[1], rel=1e-9)
    assert density.probability(-np.inf, np.inf) == pytest.approx(1, rel=1e-12)
    assert density.probability(1.0, 1.0 + 2 * TURN) == pytest.approx(1, rel=1e-12)


def test_a_box_of_an_angle_and_a_length_equals_draws():
    rng = np.random.RandomState(0)
    X = np.hstack([angles(), rng.gamma(4, 2, (60, 1))])
    density = LOOKernelDensity(
        [0.5, 2.0], periodic=[TURN, None], bounds=[(None, None), (0, None)]
    ).fit(X)
    angle, length = density.sample(100_000, random_state=0).T
    share = np.mean(((angle < 1) | (angle > TURN - 1)) & (length < 7))
    # Four standard errors.
    assert density.probability([-1, 0], [1, 7]) == pytest.approx(share, abs=0.0064)


@pytest.mark.parametrize(
    "folds", [{"periodic": TURN}, {"bounds": (0, None)}, {"bounds": (0, TURN)}]
)
def test_rows_are_left_out_with_all_their_images(folds):
    X = angles(20)
    density = LOOKernelDensity(1.5, **folds).fit(X)
    for i in (0, 7, X.argmax()):
        other = LOOKernelDensity(1.5, **folds).fit(np.delete(X, i, axis=0))
        expected = other.score_samples(X[[i]])[0]
        assert density.loo_log_density_[i] == pytest.approx(expected, rel=1e-9)


def test_rows_of_no_weight_are_somewhere_on_the_circle():
    X, weight = angles(20) + 3 * TURN, np.ones(20)
    weight[4] = 0
    density = LOOKernelDensity(0.5, periodic=TURN).fit(X, sample_weight=weight)
    expected = density.score_samples(X[[4]])[0]
    assert density.loo_log_density_[4] == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*as rounding makes:UserWarning")
@pytest.mark.parametrize("period", [24, 24.25])
def test_hours_are_a_grid_wherever_they_begin(period):
    hours = np.round(np.random.RandomState(0).vonmises(0, 1, (900, 1)) * 24 / TURN) % 24
    for bandwidth in ("loo", "lscv", "robust_loo", "isj"):
        density = LOOKernelDensity(bandwidth, periodic=period).fit(hours)
        (column,) = density.columns_
        assert (column.kind, column.steps) == ("grid", (1.0,))
        assert density.bandwidth_ >= 0.5
    if period == 24:
        turned = LOOKernelDensity(periodic=24).fit(hours + 48)
        assert turned.columns_ == LOOKernelDensity(periodic=24).fit(hours).columns_


def test_isj_sees_neighbours_across_the_end():
    X = angles(500)
    (here, there), line = (
        [
            LOOKernelDensity("isj", periodic=TURN).fit(rows).bandwidth_
            for rows in (X, X + np.pi)
        ],
        LOOKernelDensity("isj").fit(np.mod(X + np.pi, TURN)).bandwidth_,
    )
    assert here == pytest.approx(there, rel=1e-6)
    # Far from the end there is nothing that a line has not.
    assert here == pytest.approx(line, rel=0.01)


@pytest.mark.parametrize("covariance_type", ["spherical", "diag"])
def test_a_part_of_a_periodic_density_is_one(covariance_type):
    X = np.hstack([angles(), np.random.RandomState(0).normal(size=(60, 1))])
    density = LOOKernelDensity(
        covariance_type=covariance_type, periodic=[TURN, None]
    ).fit(X)
    known = density.condition([0], [6.2])
    # The joint density over that of the angle.
    Q = np.array([[6.2 - TURN, -1.0], [6.2, 0.5]])
    expected = density.score_samples(Q) - density.marginal([0]).score_samples(Q[:, :1])
    np.testing.assert_allclose(known.score_samples(Q[:, 1:]), expected, atol=1e-5)
    angle = density.condition([1], [0.5])
    assert angle.cdf([[0.0], [TURN]]).tolist() == [0, 1]
    assert angle.loo_log_density_.shape == (60,)
