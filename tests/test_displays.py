"""Displays: what they show is what the estimators say, and errors say what to do."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid
from scipy.stats import chi2, logistic
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


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    plt.close("all")


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


def test_further_bandwidths_have_their_leave_one_out_scores():
    density = LOOKernelDensity().fit(X)
    display = BandwidthDisplay.from_estimator(density, X, n_points=5)
    width = density.bandwidth_ * np.geomspace(0.2, 5, 5)[1]
    position = np.argmin(np.abs(display.bandwidths - width))
    expected = LOOKernelDensity(width).fit(X).loo_score_
    assert display.scores[position] == pytest.approx(expected, rel=1e-12)


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
                GaussianMLE(reg_covar="auto").fit(np.tile(X, 3))
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
                LOOKernelDensity().fit(X), rules=["scott"]
            ),
            ValueError,
            "need the training rows `X`",
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
