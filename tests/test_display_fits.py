"""Awkward fits are drawn without a warning, and pictures hold their peaks."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    ConvergenceDisplay,
    DensityDisplay,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    MixtureDisplay,
)
from skdensity.displays.bumps import Bumps
from skdensity.rows.array_rows import ArrayRows
from skdensity.uses.draws import draws_of

K = LOOKernelDensity
NORMAL = np.random.RandomState(0).normal(size=(120, 5))
UNIFORM = np.random.RandomState(1).uniform(size=(120, 5))
OTHER = np.random.RandomState(2).normal(size=(80, 5))
EXPONENTIAL = -np.log(UNIFORM)
CAUCHY = np.tan(np.pi * (UNIFORM - 0.5))


def with_a_row_at(distance, n_features):
    far = np.eye(1, n_features) * distance
    return np.vstack([NORMAL[:, :n_features], far])


def clusters(distance, n_features):
    return np.vstack([NORMAL[:, :n_features], OTHER[:, :n_features] + distance])


def mixture(weights, means, deviations):
    means = np.array(means, dtype=float)
    covariances = np.square(deviations)[:, None, None] * np.eye(means.shape[1])
    return EMGaussianMixture.from_parameters(weights, means, covariances)


def going_round(density, period):
    """A density with the attribute that says so, and draws within the period."""
    density.periodic = period
    return density


# Estimators, and rows to fit and to show; None for what is made of its parameters.
FITS = {
    "one far row": (K("robust_loo"), with_a_row_at(1000, 1)),
    "one far row, two features": (K("robust_loo"), with_a_row_at(1000, 2)),
    "one far row, corner": (K(0.4), with_a_row_at(1000, 3)),
    "one far row, five features": (K(0.8), with_a_row_at(-9999, 5)),
    "two clusters": (K(0.4), clusters(300, 2)),
    "two clusters, farther": (K(0.4), clusters(1e4, 1)),
    "two clusters, farther, two features": (K(0.4), clusters(1e4, 2)),
    "two clusters along one axis": (K(0.4), clusters([1e4, 0], 2)),
    "two clusters of a mixture": (
        EMGaussianMixture(2, reg_covar=1e-6, random_state=0),
        clusters([1e4, 0], 2),
    ),
    "two clusters, five features": (
        mixture([0.6, 0.4], [[0] * 5, [1e4] * 5], [1, 1]),
        clusters(1e4, 5),
    ),
    "two clusters of unlike width": (
        mixture([0.5, 0.5], [[0, 0], [100, 100]], [1, 1e-3]),
        None,
    ),
    "a spike": (mixture([0.9, 0.08, 0.02], [[0], [4], [6]], [1, 1e-2, 1e-5]), None),
    "a wide background": (
        mixture([0.97, 0.03], [[0, 0], [0, 0]], [1, 1e4]),
        NORMAL[:, :2],
    ),
    "bounded": (K(0.3, bounds=(0, None)), EXPONENTIAL[:, :1]),
    "bounded above": (K(0.3, bounds=(None, 0)), -EXPONENTIAL[:, :1]),
    "bounded, two features": (K(0.3, bounds=(0, None)), EXPONENTIAL[:, :2]),
    "bounded, corner": (K(0.3, bounds=(0, None)), EXPONENTIAL[:, :3]),
    "an interval": (K(0.2, bounds=(0, 1)), UNIFORM[:, :1]),
    "a square": (K(0.2, bounds=(0, 1)), UNIFORM[:, :2]),
    "a flat square": (K(1.5, bounds=(0, 1)), UNIFORM[:, :2]),
    "round": (going_round(K(0.5), 24), 12 + NORMAL[:, :1]),
    "round, two features": (going_round(K(0.5), (24, None)), 12 + NORMAL[:, :2]),
    "round, three features": (
        going_round(K(0.5), (24, None, 24)),
        12 + NORMAL[:, :3],
    ),
    "an atom": (K(0.3), np.where(UNIFORM[:, :1] < 0.3, 0, 5 * EXPONENTIAL[:, 1:2])),
    "an atom at a bound": (
        K(0.01, bounds=(0, None)),
        np.where(UNIFORM[:, :1] < 0.3, 0, 5 * EXPONENTIAL[:, 1:2]),
    ),
    "atoms, two features": (K([0.05, 0.4]), np.c_[UNIFORM[:, 0] < 0.5, NORMAL[:, 0]]),
    "prices": (K(1.2), np.floor(np.exp(7 + NORMAL[:, :1])) + 0.99),
    "constant": (K(0.5), np.full((50, 1), 3.0)),
    "one constant feature": (
        GaussianMLE(covariance_type="diag", reg_covar=1e-9),
        np.c_[NORMAL[:, 0], np.full(120, 3.0)],
    ),
    "nearly constant": (GaussianMLE(), np.c_[NORMAL[:, 0], 5 + 1e-7 * NORMAL[:, 1]]),
    "a line": (GaussianMLE(), np.c_[NORMAL[:, 0], NORMAL[:, 0] + NORMAL[:, 1] / 100]),
    "Cauchy": (K(0.5), CAUCHY[:, :1]),
    "Cauchy, three features": (K(0.5), CAUCHY[:, :3]),
    "lognormal": (K(1.0), np.exp(8 * NORMAL[:, :1])),
    "one row": (K(0.5), np.array([[2.0, 3.0]])),
    "two rows": (K(0.5), np.array([[2.0, 3.0], [7.0, 3.0]])),
    "float32": (K("loo"), NORMAL[:, :2].astype(np.float32)),
    "shifted": (K(0.3), 1e8 + NORMAL[:, :1]),
    "shifted, two features": (GaussianMLE(), 1e8 + NORMAL[:, :2]),
    "as far apart as float64": (K(3e-8), 1e8 + 3e-8 * NORMAL[:, :1]),
    "tiny units": (K(1e-150), 1e-150 * NORMAL[:, :1]),
    "huge units": (K(1e100), 1e100 * NORMAL[:, :1]),
    "units": (K("scott", covariance_type="diag"), NORMAL[:, :2] * [1e6, 1e-6]),
    "four features": (CholeskyGaussian(max_iter=50, tol=None), NORMAL[:, :4]),
}


def fitted(name):
    """A fit of its own for every test, in whatever order they run."""
    estimator, X = FITS[name]
    is_told = isinstance(estimator, EMGaussianMixture) and hasattr(estimator, "means_")
    return (estimator if is_told else clone(estimator).fit(X)), X


def highest(model):
    """The largest density of one or two features, by climbing from many places."""
    if hasattr(model, "locations"):
        starts = model.locations[:: -(-len(model.locations) // 200)].astype(float)
    else:
        starts = getattr(model, "means", np.atleast_2d(getattr(model, "mean", 0.0)))
    values = log_density(model, starts)
    best = starts[np.argsort(-values)[:2]]
    scale = np.sqrt(np.diag(np.atleast_2d(covariance_of(model, best[0]))))
    climbs = [
        minimize(
            lambda z, start=start: -log_density(model, [start + scale * z])[0],
            np.zeros(len(start)),
            method="Nelder-Mead",
        )
        for start in best
    ]
    return np.exp(-min(climb.fun for climb in climbs))


def log_density(model, X):
    return model.log_density(ArrayRows(np.asarray(X, dtype=float)))


def covariance_of(model, start):
    if hasattr(model, "kernel"):
        return model.kernel.covariance
    if hasattr(model, "weights"):
        k = np.argmin(np.linalg.norm(model.means - start, axis=1))
        return model.gaussian(k).covariance
    return model.covariance


def assert_nothing_is_blank(display):
    """Every panel has pixels of the density's blue."""
    display.figure_.canvas.draw()
    pixels = np.asarray(display.figure_.canvas.buffer_rgba()).astype(int)[::-1]
    for ax in display.axes_[np.tril_indices(len(display.axes_))]:
        (left, bottom), (right, top) = ax.bbox.get_points().round().astype(int)
        panel = pixels[bottom:top, left:right]
        assert np.sum(panel[..., 2] - panel[..., 0] > 40) > 20


# Two clusters as far apart as this make reg_covar="auto" large, which a fit says.
@pytest.mark.filterwarnings("ignore:EMGaussianMixture. reg_covar:UserWarning")
@pytest.mark.parametrize("name", FITS)
def test_awkward_fits_are_drawn_and_hold_the_peak(name):
    estimator, X = fitted(name)
    display = DensityDisplay.from_estimator(estimator, X, n_points=40)
    assert_nothing_is_blank(display)
    model = estimator._model()
    for feature, (_, density) in enumerate(display.curves):
        peak = highest(model.marginal(np.array([feature])))
        assert density.max() == pytest.approx(peak, rel=0.02)
    for pair, (_, _, density, levels) in display.surfaces.items():
        peak = highest(model.marginal(np.array(pair)))
        assert density.max() == pytest.approx(peak, rel=0.05)
        assert density.max() >= levels.max() * (1 - 1e-6)


@pytest.mark.parametrize("name", FITS)
def test_windows_hold_most_of_the_density(name):
    estimator, X = fitted(name)
    draws = draws_of(estimator, 4000, 0)
    bumps = Bumps.of(estimator, np.arange(draws.shape[1]), draws)
    for feature, values in enumerate(draws.T):
        lower, upper = bumps.window(feature, X)
        # A share of .95 at least, and three standard errors.
        assert np.mean((values >= lower) & (values <= upper)) > 0.95 - 0.01


MIXTURES = [
    name for name, (fit, _) in FITS.items() if isinstance(fit, EMGaussianMixture)
]


@pytest.mark.parametrize("name", MIXTURES)
def test_awkward_mixtures_are_drawn_component_by_component(name):
    estimator, X = fitted(name)
    for features in ([0], [0, 1])[: estimator.means_.shape[1]]:
        display = MixtureDisplay.from_estimator(estimator, X, features=features)
        display.figure_.canvas.draw()
    if estimator.means_.shape[1] == 1:
        peak = highest(estimator._model())
        assert display.ax_.lines[-1].get_ydata().max() == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("name", ["one far row", "a spike", "bounded", "prices"])
def test_lines_between_points_are_the_density(name):
    estimator, X = fitted(name)
    ((x, values),) = DensityDisplay.from_estimator(estimator, X).curves
    assert np.all(np.diff(x) > 0)
    between = np.random.RandomState(0).uniform(x[0], x[-1], 5000)
    exact = np.exp(estimator.score_samples(between[:, None]))
    drawn = np.interp(between, x, values)
    assert np.abs(drawn - exact).max() < 0.01 * values.max()


@pytest.mark.parametrize("shift", [0, 1e6])
@pytest.mark.parametrize("unit", [1e-6, 1, 1e6])
def test_windows_follow_units(unit, shift):
    rows = with_a_row_at(30, 1)
    windows = []
    for a, b in ((1, 0), (unit, shift * unit)):
        density = K(0.4 * a).fit(a * rows + b)
        bumps = Bumps.of(density, np.arange(1), rows)
        windows.append((np.array(bumps.window(0, a * rows + b)) - b) / a)
    np.testing.assert_allclose(windows[1], windows[0], rtol=1e-6, atol=1e-6)


PARTS = {
    "marginal": (lambda d: d.marginal(["c"]), ["c"]),
    "marginal of two": (lambda d: d.marginal(["c", "a"]), ["c", "a"]),
    "conditional": (lambda d: d.condition(["a", "c"], [0.5, -0.5]), ["b"]),
    "conditional of two": (lambda d: d.condition(["b"], [0.5]), ["a", "c"]),
    "marginal of a conditional": (
        lambda d: d.condition(["a"], [0.5]).marginal(["c"]),
        ["c"],
    ),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        CholeskyGaussian(max_iter=20, tol=None),
        LOOKernelDensity("silverman", covariance_type="full"),
        LOOKernelDensity(0.5, bounds=[(0, None), (None, None), (None, 9)]),
        LOOKernelDensity(0.5, periodic=[None, None, 6]),
        EMGaussianMixture(2, random_state=0),
        AdamGaussianMixture(2, max_iter=20, tol=None, random_state=0),
    ],
    ids=repr,
)
def test_parts_of_every_estimator_are_drawn_with_their_names(estimator, part):
    frame = pd.DataFrame(np.abs(NORMAL[:, :3]), columns=["a", "b", "c"])
    take, names = PARTS[part]
    density = take(clone(estimator).fit(frame))
    display = DensityDisplay.from_estimator(density, frame[names])
    assert display.names == names
    assert display.ax_.get_xlabel() == names[0]
    modes = pd.DataFrame(density.modes(), columns=names)
    peak = density.score_samples(modes).max()
    shown = display.curves[0][1] if len(names) == 1 else display.surfaces[0, 1][2]
    assert shown.max() == pytest.approx(np.exp(peak), rel=0.05)


def test_parts_have_no_convergence_to_show():
    mixture = EMGaussianMixture(2, random_state=0).fit(NORMAL)
    for density in (mixture.marginal([0]), mixture.condition([0], [0.0])):
        with pytest.raises(TypeError, match="this EMGaussianMixture is not fitted by"):
            ConvergenceDisplay.from_estimator(density)
