"""Displays: what they show is what the estimators say, and errors say what to do."""

import re
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid
from scipy.stats import chi2, logistic
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skdensity import (
    AdamGaussianMixture,
    BandwidthDisplay,
    CholeskyGaussian,
    ConvergenceDisplay,
    DensityDisplay,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    MixtureDisplay,
)

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

FRAME = load_iris(as_frame=True).data
X = FRAME.to_numpy()
DENSITIES = [
    GaussianMLE(),
    GaussianMLE(covariance_type="diag"),
    LOOKernelDensity(covariance_type="diag"),
    LOOKernelDensity(0.4),
    EMGaussianMixture(3, random_state=0),
    EMGaussianMixture(2, covariance_type="tied_spherical", random_state=0),
    AdamGaussianMixture(2, random_state=0, max_iter=50, tol=None),
]


@pytest.mark.parametrize("estimator", DENSITIES, ids=repr)
def test_curves_and_surfaces_integrate_to_one(estimator):
    estimator.fit(X)
    display = DensityDisplay.from_estimator(estimator, n_points=150)
    # The range is that of 4,000 draws and a fifth more: it holds nearly all mass.
    for x, density in display.curves:
        assert trapezoid(density, x) == pytest.approx(1, abs=0.005)
    for x, y, density, _ in display.surfaces.values():
        assert trapezoid(trapezoid(density, x), y) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("estimator", DENSITIES, ids=repr)
def test_marginals_are_integrals_of_the_pairs(estimator):
    display = DensityDisplay.from_estimator(estimator.fit(X), n_points=150)
    for (i, j), (x, y, density, _) in display.surfaces.items():
        for axis, feature, along in ((0, i, y), (1, j, x)):
            expected = trapezoid(density, along, axis=axis)
            values, marginal = display.curves[feature]
            np.testing.assert_array_equal(values, x if axis == 0 else y)
            assert np.abs(expected - marginal).max() < 0.01 * marginal.max()


@pytest.mark.parametrize("n_features", [2, 3])
def test_regions_hold_the_probability_that_they_are_labelled_with(n_features):
    estimator = EMGaussianMixture(2, random_state=0).fit(X[:, :n_features])
    display = DensityDisplay.from_estimator(estimator)
    draws, _ = estimator.sample(20_000, random_state=1)
    marginal = EMGaussianMixture.from_parameters(
        estimator.weights_,
        estimator.means_[:, :2],
        estimator.covariances_[:, :2, :2],
    )
    density = np.exp(marginal.score_samples(draws[:, :2]))
    *_, levels = display.surfaces[0, 1]
    for level, coverage in zip(levels, display.coverage, strict=True):
        # Four standard errors of 4,000 and of 20,000 draws.
        error = 4 * np.sqrt(coverage * (1 - coverage) * (1 / 4000 + 1 / 20_000))
        assert np.mean(density >= level) == pytest.approx(coverage, abs=error)


def test_a_coverage_is_written_once_however_many_parts_its_region_has():
    groups = np.concatenate([X[:, :2], X[:, :2] + [9, 0], 0.2 * X[:, :2] + [20, 5]])
    display = DensityDisplay.from_estimator(LOOKernelDensity(0.2).fit(groups))
    written = [text.get_text() for text in display.ax_.texts]
    assert sorted(written) == ["50%", "90%", "99%"]


def test_data_frames_give_names_and_may_name_features():
    estimator = LOOKernelDensity(0.3).fit(FRAME)
    names = ["petal width (cm)", "sepal width (cm)"]
    display = DensityDisplay.from_estimator(estimator, FRAME, features=names)
    assert [display.ax_.get_xlabel(), display.ax_.get_ylabel()] == names
    np.testing.assert_array_equal(display.rows, X[:, [3, 1]])
    assert DensityDisplay.from_estimator(estimator, features=[2]).names == [
        "petal length (cm)"
    ]


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        CholeskyGaussian(tol=None, max_iter=50),
        LOOKernelDensity(covariance_type="full"),
        EMGaussianMixture(2, random_state=0),
        AdamGaussianMixture(2, random_state=0, max_iter=50, tol=None),
    ],
    ids=repr,
)
@pytest.mark.parametrize("n_given", [1, 2, 3])
def test_conditionals_show_the_features_that_are_left(estimator, n_given):
    names = ["petal width (cm)", "sepal length (cm)", "petal length (cm)"][:n_given]
    density = estimator.fit(FRAME)
    given = density.condition(names, FRAME[names].iloc[0])
    display = DensityDisplay.from_estimator(given)
    left = [name for name in FRAME if name not in names]
    assert display.names == left
    assert display.axes_[-1, 0].get_xlabel() == left[0]
    # The first picture is the conditional: joint density over that of what is given.
    x, values = display.curves[0]
    rows = FRAME.iloc[np.zeros(len(x), dtype=int)].assign(**{left[0]: x})
    joint, known = (
        density.marginal(some).score_samples(rows[some])
        for some in ([left[0], *names], names)
    )
    np.testing.assert_allclose(values, np.exp(joint - known), rtol=1e-5)


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
def test_curves_on_the_same_axes_are_all_seen(orientation):
    density = EMGaussianMixture(3, random_state=0).fit(FRAME.iloc[:, 2:])
    displays, ax = [], None
    for length in (1.5, 3.0, 6.0, 1.5):
        given = density.condition([0], [length])
        display = DensityDisplay.from_estimator(given, ax=ax, orientation=orientation)
        displays.append(display)
        ax = display.ax_
    is_horizontal = orientation == "horizontal"
    limits = (ax.get_xlim(), ax.get_ylim())[:: -1 if is_horizontal else 1]
    assert len(ax.lines) == len(displays)
    assert limits[0] == (
        min(display.curves[0][0][0] for display in displays),
        max(display.curves[0][0][-1] for display in displays),
    )
    highest = max(display.curves[0][1].max() for display in displays)
    assert limits[1] == pytest.approx((0, 1.05 * highest))


def test_curves_side_by_side_share_what_is_seen():
    _, axes = plt.subplots(1, 2, sharex=True, sharey=True)
    axes[1].axvline(500)  # is no limit, and cannot flatten the curves
    narrow = GaussianMLE.from_parameters([0.0], [[1.0]])
    wide = GaussianMLE.from_parameters([9.0], [[4.0]])
    ends, heights = [], []
    for ax, density in zip(axes, (narrow, wide), strict=True):
        (curve,) = DensityDisplay.from_estimator(density, ax=ax).curves
        ends.append(curve[0][[0, -1]])
        heights.append(curve[1].max())
    for ax in axes:
        assert ax.get_xlim() == (ends[0][0], ends[1][1])
        assert ax.get_ylim() == pytest.approx((0, 1.05 * max(heights)))


def test_a_corner_has_all_features_and_pairs():
    display = DensityDisplay.from_estimator(GaussianMLE().fit(FRAME), FRAME)
    assert display.axes_.shape == (4, 4)
    assert len(display.curves) == 4
    assert len(display.surfaces) == 6
    assert not display.axes_[0, 1].axison


def test_given_axes_are_used():
    fig, axes = plt.subplots(2, 2)
    estimator = GaussianMLE().fit(X[:, :2])
    display = DensityDisplay.from_estimator(estimator, ax=axes[1, 0])
    assert display.ax_ is axes[1, 0]
    assert display.figure_ is fig
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("n_features", [1, 2])
def test_components_are_those_of_the_mixture(n_features):
    mixture = EMGaussianMixture(3, covariance_type="tied", random_state=0).fit(X)
    display = MixtureDisplay.from_estimator(mixture, X, features=range(n_features))
    np.testing.assert_allclose(display.means, mixture.means_[:, :n_features])
    part = mixture.covariances_[:n_features, :n_features]
    for covariance in display.covariances:
        np.testing.assert_allclose(covariance, part, rtol=1e-12)
    np.testing.assert_array_equal(display.responsibilities, mixture.predict_proba(X))


def test_curves_add_up_to_the_density():
    mixture = EMGaussianMixture(2, random_state=0).fit(X[:, [2]])
    *components, total = MixtureDisplay.from_estimator(mixture).ax_.lines
    x, sum_of_all = total.get_data()
    np.testing.assert_allclose(sum_of_all, sum(c.get_ydata() for c in components))
    density = np.exp(mixture.score_samples(x[:, None]))
    np.testing.assert_allclose(sum_of_all, density, rtol=1e-9)


def test_ellipses_are_at_the_distance_that_holds_their_share():
    mixture = EMGaussianMixture(2, random_state=0).fit(X[:, :2])
    display = MixtureDisplay.from_estimator(mixture, coverage=(0.5, 0.9))
    patches = iter(display.ax_.patches)
    for mean, covariance in zip(mixture.means_, mixture.covariances_, strict=True):
        for share in (0.5, 0.9):
            ellipse = next(patches)
            np.testing.assert_array_equal(ellipse.center, mean)
            border = border_of(ellipse)
            distances = np.sum(border * np.linalg.solve(covariance, border.T).T, axis=1)
            np.testing.assert_allclose(distances, chi2.ppf(share, 2), rtol=1e-9)


def border_of(ellipse):
    phase, turn = np.linspace(0, 2 * np.pi, 9), np.radians(ellipse.angle)
    along = ellipse.width / 2 * np.cos(phase)
    across = ellipse.height / 2 * np.sin(phase)
    rotation = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return np.column_stack([along, across]) @ rotation


def test_rows_have_the_colours_that_their_responsibilities_mix():
    mixture = EMGaussianMixture(2, random_state=0).fit(X[:, :2])
    display = MixtureDisplay.from_estimator(mixture, X[:, :2])
    colours = display.ax_.collections[0].get_facecolors()[:, :3]
    certain = display.responsibilities.max(axis=1) > 0.999999
    assert len(np.unique(colours[certain].round(3), axis=0)) == 2
    assert len(np.unique(colours, axis=0)) > 2


def test_convergence_is_that_of_the_fits():
    fits = {k: EMGaussianMixture(k, random_state=0).fit(X) for k in (1, 2, 3)}
    display = ConvergenceDisplay.from_estimators(fits)
    for line, fit in zip(display.ax_.lines, fits.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), fit.lower_bounds_)
        assert line.get_xdata()[-1] == fit.n_iter_
    adam = AdamGaussianMixture(2, max_iter=20, tol=None, random_state=0).fit(X)
    display = ConvergenceDisplay.from_estimator(adam)
    (marked,) = display.ax_.collections[0].get_offsets()
    assert marked[1] == max(adam.lower_bounds_)


def test_no_two_of_many_curves_look_alike():
    fit = EMGaussianMixture(2, random_state=0).fit(X)
    lines = ConvergenceDisplay.from_estimators([fit] * 20).ax_.lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_the_chosen_bandwidth_has_the_best_score(covariance_type):
    density = LOOKernelDensity(covariance_type=covariance_type).fit(X)
    display = BandwidthDisplay.from_estimator(density, X, rules=["scott", "isj"])
    best = display.bandwidths[np.argmax(display.scores)]
    assert display.chosen == pytest.approx(best, rel=1e-6)
    assert set(display.others) == {"scott", "isj"}
    assert np.all(np.diff(display.bandwidths) >= 0)


@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
def test_other_rules_see_the_weights_of_the_fit(covariance_type):
    rng = np.random.RandomState(0)
    rows, weights = rng.gamma(2, 1, (60, 2)).round(1), rng.randint(0, 4, 60)
    rows[weights == 0] = -9  # outside of the bounds: what does not count may be
    density = LOOKernelDensity(covariance_type=covariance_type)
    if covariance_type != "full":
        density.set_params(bounds=(0, None))
    density.fit(rows, sample_weight=weights)
    marked = BandwidthDisplay.from_estimator(density, rules=["scott"]).others["scott"]
    alone = clone(density).set_params(bandwidth="scott")
    chosen = alone.fit(rows, sample_weight=weights).covariance_
    width = np.exp(np.linalg.slogdet(chosen)[1] / 4)
    assert marked == pytest.approx(width, rel=1e-9)


def test_further_bandwidths_have_their_leave_one_out_scores():
    rows = np.random.RandomState(0).standard_normal((60, 2))
    density = LOOKernelDensity().fit(rows)
    display = BandwidthDisplay.from_estimator(density, n_points=5)
    width = density.bandwidth_ * np.geomspace(0.2, 5, 5)[1]
    position = np.argmin(np.abs(display.bandwidths - width))
    expected = LOOKernelDensity(width).fit(rows).loo_score_
    assert display.scores[position] == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*Allowed for:UserWarning")
@pytest.mark.parametrize("bandwidth", ["loo", "robust_loo", "lscv"])
def test_further_bandwidths_are_scored_as_the_fit_does(bandwidth):
    """On a grid with an atom the criterion is not the likelihood."""
    rng = np.random.RandomState(0)
    rounded = np.append(rng.standard_normal(400).round(1), np.full(80, 0.3))
    density = LOOKernelDensity(bandwidth).fit(rounded[:, None])
    tried = BandwidthDisplay.from_estimator(density)
    more = BandwidthDisplay.from_estimator(density, n_points=9)
    # The fifth of nine widths is the chosen one, and no other has a better score.
    assert more.scores.max() == pytest.approx(tried.scores.max(), abs=1e-9)
    assert len(more.scores) == len(tried.scores) + 9
    is_chosen = np.isclose(more.bandwidths, density.bandwidth_, rtol=1e-9)
    np.testing.assert_allclose(more.scores[is_chosen], tried.scores.max(), atol=1e-9)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: DensityDisplay.from_estimator(GaussianMLE()), NotFittedError, "fit"),
        (
            lambda: MixtureDisplay.from_estimator(EMGaussianMixture()),
            NotFittedError,
            "fit",
        ),
        (
            lambda: MixtureDisplay.from_estimator(GaussianMLE().fit(X)),
            TypeError,
            "got GaussianMLE. DensityDisplay shows any",
        ),
        (
            lambda: MixtureDisplay.from_estimator(EMGaussianMixture(2).fit(X)),
            ValueError,
            "one or two features, not 4; choose",
        ),
        (
            lambda: DensityDisplay.from_estimator(GaussianMLE().fit(X), features=[7]),
            ValueError,
            "`features` has 7; expected an index from 0 to 3",
        ),
        (
            lambda: DensityDisplay.from_estimator(
                GaussianMLE(covariance_type="diag").fit(np.tile(X, 3))
            ),
            ValueError,
            "choose at most 8 with `features`",
        ),
        (
            lambda: DensityDisplay.from_estimator(
                GaussianMLE().fit(X), ax=plt.figure().add_subplot()
            ),
            ValueError,
            "`ax` has 1 axes; DensityDisplay of these features needs 16",
        ),
        (
            lambda: ConvergenceDisplay.from_estimator(GaussianMLE().fit(X)),
            TypeError,
            "GaussianMLE is not fitted by iterations",
        ),
        (
            lambda: ConvergenceDisplay.from_estimators(
                [EMGaussianMixture().fit(X), CholeskyGaussian(max_iter=1).fit(X)]
            ),
            TypeError,
            "do not share an axis",
        ),
        (
            lambda: BandwidthDisplay.from_estimator(LOOKernelDensity(1.0).fit(X)),
            TypeError,
            "fitted with bandwidth='loo'",
        ),
        (
            lambda: BandwidthDisplay.from_estimator(
                LOOKernelDensity().fit(X).set_params(bandwidth=1.0)
            ),
            TypeError,
            "fitted with bandwidth='loo'",
        ),
        (
            lambda: BandwidthDisplay.from_estimator(
                LOOKernelDensity().fit(X), rules=["scot"]
            ),
            ValueError,
            "'bandwidth' parameter.*'scot'",
        ),
        (
            lambda: BandwidthDisplay.from_estimator(
                LOOKernelDensity(covariance_type="diag").fit(X), n_points=3
            ),
            ValueError,
            "kernels of one width; these have covariance_type='diag'",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_errors_say_what_to_do(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


def test_without_matplotlib_an_error_says_how_to_get_it(monkeypatch):
    estimator = GaussianMLE().fit(X[:, :1])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"DensityDisplay needs matplotlib.*pip"):
        DensityDisplay.from_estimator(estimator)


def test_arguments_reach_the_artists():
    estimator = GaussianMLE().fit(X[:, :2])
    display = DensityDisplay.from_estimator(estimator, X[:, :2], rows_kw={"s": 33})
    assert display.ax_.collections[-1].get_sizes() == 33
    mixture = EMGaussianMixture(2, random_state=0).fit(X[:, :2])
    display = MixtureDisplay.from_estimator(mixture, ellipse_kw={"linewidth": 5})
    assert display.ax_.patches[0].get_linewidth() == 5


BAD_COVERAGES = [(0.0, 0.5), (), (68, 95), 0.68, (0.5, 1.0), (np.nan,), "half", None]


@pytest.mark.parametrize("coverage", BAD_COVERAGES)
def test_coverage_is_shares(coverage):
    # The value as it was given, whatever is in it.
    message = f"`coverage` must be .*between 0 and 1.*got {re.escape(repr(coverage))}"
    with pytest.raises(ValueError, match=message):
        DensityDisplay.from_estimator(GaussianMLE().fit(X), coverage=coverage)
    mixture = EMGaussianMixture(2, random_state=0).fit(X[:, :2])
    with pytest.raises(ValueError, match=message):
        MixtureDisplay.from_estimator(mixture, coverage=coverage)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"n_points": 1}, ValueError, "`n_points` must be .* at least 2; got 1"),
        ({"n_points": 9.5}, ValueError, "`n_points` must be an integer.*got 9.5"),
        ({"X": X[:, :1]}, ValueError, "`X` has 1 features, and the density has 2"),
        ({"X": X[:, 0]}, ValueError, "Expected 2D array, got 1D array"),
        ({"X": X[:, :2].astype("M8[s]")}, TypeError, "`X` holds times"),
        ({"orientation": "up"}, ValueError, "'vertical' or 'horizontal'; got 'up'"),
        ({"orientation": "horizontal"}, ValueError, "is for one feature, not 2"),
        ({"corner": True, "ax": plt}, ValueError, "`ax` has 1 axes.*needs 4"),
    ],
)
def test_errors_name_what_is_wrong(kwargs, error, message):
    with pytest.raises(error, match=message):
        DensityDisplay.from_estimator(GaussianMLE().fit(X[:, :2]), **kwargs)


def test_peaks_do_not_depend_on_the_number_of_points():
    prices = np.floor(np.random.RandomState(0).lognormal(7, 1, (2000, 1))) + 0.99
    density = LOOKernelDensity(1.2).fit(prices)
    peaks = [
        DensityDisplay.from_estimator(density, n_points=n_points).curves[0][1].max()
        for n_points in (2, 30, 100, 1000)
    ]
    np.testing.assert_allclose(peaks, peaks[0], rtol=2e-3)


def test_a_bound_is_a_point_of_the_grid_and_a_step_of_the_line():
    rows = np.random.RandomState(0).exponential(size=(300, 2))
    density = LOOKernelDensity(0.3, bounds=[(0, None), (None, 40)]).fit(rows)
    display = DensityDisplay.from_estimator(density, features=[0])
    x, values = display.curves[0]
    np.testing.assert_allclose(
        values, np.exp(density.marginal([0]).score_samples(x[:, None]))
    )
    drawn_x, drawn = display.ax_.lines[0].get_data()
    assert x[0] == drawn_x[0] == drawn_x[1] == 0
    assert drawn[0] == 0 < drawn[1] == values[0]
    assert drawn_x[-1] == x[-1]
    both = DensityDisplay.from_estimator(density)
    assert both.surfaces[0, 1][0][0] == 0
    outline = both.ax_.collections[1].get_paths()[0].vertices
    assert np.sum(outline[:, 0] == 0) > 10  # it goes along the bound


def test_histograms_are_not_cut_off_and_their_area_is_the_share_that_is_shown():
    rows = np.r_[np.zeros((50, 1)), np.random.RandomState(0).normal(size=(48, 1))]
    rows = np.r_[rows, [[900.0], [-900.0]]]
    display = DensityDisplay.from_estimator(GaussianMLE().fit(rows[:98]), rows)
    bars = display.ax_.patches
    assert display.ax_.get_ylim()[1] > max(bar.get_height() for bar in bars)
    area = sum(bar.get_height() * bar.get_width() for bar in bars)
    assert area == pytest.approx(0.98)
    counts = [text.get_text() for text in display.ax_.texts]
    assert counts == ["1 beyond", "1 beyond"]


def test_rows_beyond_the_picture_are_marked_where_the_edge_is_nearest():
    near = np.random.RandomState(0).normal(size=(300, 2))
    rows = np.r_[near, [[1000.0, 0.5]]]
    for kind, estimator in (
        (DensityDisplay, LOOKernelDensity("robust_loo").fit(rows)),
        (MixtureDisplay, mixture_at([[-1, 0], [1, 0]])),
    ):
        ax = kind.from_estimator(estimator, rows).ax_
        *_, mark = ax.lines
        assert mark.get_marker() == ">"
        np.testing.assert_allclose(mark.get_xydata()[0][1], 0.5, atol=0.1)
        assert mark.get_xydata()[0][0] <= ax.get_xlim()[1] < 20


@pytest.mark.parametrize("scale", [1, 1e-3, 0.2])
@pytest.mark.parametrize("bounds", [None, (0, None)])
def test_labels_keep_apart(scale, bounds):
    groups = np.abs(np.concatenate([X[:, :2], scale * X[:, :2] + [9, 0]]))
    density = LOOKernelDensity([0.2 * scale, 0.2], bounds=bounds).fit(groups)
    coverage = 0.1, 0.5, 0.55, 0.9, 0.99
    display = DensityDisplay.from_estimator(density, coverage=coverage)
    assert_texts_are_apart(display)
    legend = display.ax_.get_legend()
    written = legend.get_texts() if legend else display.ax_.texts
    names = [text.get_text() for text in written]
    assert sorted(names) == ["10%", "50%", "55%", "90%", "99%"]


def test_labels_of_components_keep_apart():
    means = np.random.RandomState(0).normal(size=(30, 2))
    display = MixtureDisplay.from_estimator(mixture_at(means))
    assert len(display.ax_.texts) > 1
    assert_texts_are_apart(display)


def mixture_at(means):
    k = len(means)
    return EMGaussianMixture.from_parameters(
        np.full(k, 1 / k), means, np.tile(np.eye(2), (k, 1, 1))
    )


def assert_texts_are_apart(display):
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_flat_density_is_one_region():
    rows = np.random.RandomState(0).uniform(size=(50, 2))
    density = LOOKernelDensity(2.0, bounds=(0, 1), rtol=1e-9).fit(rows)
    display = DensityDisplay.from_estimator(density)
    (legend,) = display.ax_.get_legend().get_texts()
    assert legend.get_text() == "50%, 90%, 99%"


def test_a_corner_fits_a_page_and_so_do_two_features():
    frame = pd.DataFrame(np.random.RandomState(0).normal(size=(99, 8)))
    frame.columns = [f"a feature of a rather long name, {i}" for i in range(8)]
    display = DensityDisplay.from_estimator(GaussianMLE().fit(frame), frame)
    assert max(display.figure_.get_size_inches()) <= 8
    display.figure_.canvas.draw()
    names = [ax.xaxis.label.get_window_extent() for ax in display.axes_[-1]]
    assert not any(a.overlaps(b) for a, b in pairwise(names))
    display = DensityDisplay.from_estimator(GaussianMLE().fit(X[:, :2]), corner=True)
    assert display.axes_.shape == (2, 2)
    assert display.axes_[1, 0].collections


def test_a_horizontal_density_has_the_feature_on_the_vertical_axis():
    density = GaussianMLE().fit(FRAME.iloc[:, :1])
    display = DensityDisplay.from_estimator(density, FRAME, orientation="horizontal")
    x, values = display.curves[0]
    np.testing.assert_array_equal(display.ax_.lines[0].get_data(), (values, x))
    assert display.ax_.get_ylabel() == "sepal length (cm)"
    assert display.ax_.get_xlabel() == "density"
    assert display.ax_.get_ylim() == (x[0], x[-1])


def test_many_rows_are_thinned_and_pale():
    rows = np.random.RandomState(0).normal(size=(20_000, 2))
    ax = DensityDisplay.from_estimator(GaussianMLE().fit(rows), rows).ax_
    few = DensityDisplay.from_estimator(GaussianMLE().fit(rows), rows[:50]).ax_
    assert len(ax.collections[-1].get_offsets()) < 5000
    assert ax.collections[-1].get_alpha() < few.collections[-1].get_alpha()
    ax = MixtureDisplay.from_estimator(mixture_at([[-1, 0], [1, 0]]), rows).ax_
    assert len(ax.collections[-1].get_offsets()) < 5000


def test_what_is_missing_in_rows_is_not_drawn():
    rows = np.where(X[:, :2] > 7, np.nan, X[:, :2])
    estimator = GaussianMLE().fit(X[:, :2])
    ax = DensityDisplay.from_estimator(estimator, rows).ax_
    complete = np.isfinite(rows).all(axis=1).sum()
    assert len(ax.collections[-1].get_offsets()) == complete
    bars = DensityDisplay.from_estimator(estimator, rows, features=[0]).ax_.patches
    area = sum(bar.get_height() * bar.get_width() for bar in bars)
    assert area == pytest.approx(1)


def test_ridges_are_seen_as_one():
    line = np.random.RandomState(0).normal(size=(200, 1))
    rows = np.c_[line, line + 0.1 * np.random.RandomState(1).normal(size=(200, 1))]
    density = GaussianMLE().fit(rows)
    display = DensityDisplay.from_estimator(density)
    for outline in display.ax_.collections[1].get_paths():
        longest = max(np.ptp(part[:, 0]) for part in outline.to_polygons())
        assert longest > 0.9 * np.ptp(outline.vertices[:, 0])


class Logistic:
    """A density that somebody else wrote: no more than a display needs."""

    def __init__(self, n_features):
        self.n_features = n_features

    def score_samples(self, X):
        return logistic.logpdf(X).sum(axis=1)

    def sample(self, n_samples):
        return np.random.RandomState(0).logistic(size=(n_samples, self.n_features))


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_a_density_of_others_needs_scores_and_draws_alone(n_features):
    display = DensityDisplay.from_estimator(Logistic(n_features))
    assert display.names == [f"feature {i}" for i in range(n_features)]
    # Marginals of several features are kernel densities of 4,000 draws: their error is
    # some per cent of the peak, and more where they are smoothed in two features.
    error = 1e-12 if n_features == 1 else 0.08 * logistic.pdf(0)
    for x, density in display.curves:
        np.testing.assert_allclose(density, logistic.pdf(x), atol=error)
    for (i, j), (x, y, density, _) in display.surfaces.items():
        exact = np.multiply.outer(logistic.pdf(y), logistic.pdf(x))
        error = 1e-12 if n_features == 2 else 0.2 * logistic.pdf(0) ** 2
        np.testing.assert_allclose(density, exact, atol=error, err_msg=f"{i}, {j}")


def test_densities_of_scikit_learn_are_shown():
    for estimator in (GaussianMixture(2, random_state=0), KernelDensity(bandwidth=0.5)):
        estimator.fit(FRAME.iloc[:, :2])
        display = DensityDisplay.from_estimator(estimator, FRAME)
        assert display.names == list(FRAME.columns[:2])
        x, y, density, _ = display.surfaces[0, 1]
        expected = estimator.score_samples(
            pd.DataFrame({FRAME.columns[0]: x[:1], FRAME.columns[1]: y[:1]})
        )
        assert np.log(density[0, 0]) == pytest.approx(expected[0])
    with pytest.raises(NotFittedError):
        DensityDisplay.from_estimator(GaussianMixture())
