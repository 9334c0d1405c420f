"""Units at the ends of floats: fits and answers are as in any other unit."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityClassifier,
    DensityDisplay,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)

ROWS = np.random.RandomState(0).standard_normal((60, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
ROWS[30:] += 4
CLASSES = np.arange(60) // 30
LABELLED = [
    EMGaussianMixture(2, random_state=0),
    AdamGaussianMixture(2, max_iter=40, tol=None, random_state=0),
]
FITTED_IN_ANY_UNIT = [
    GaussianMLE(),
    LOOKernelDensity("scott"),
    LOOKernelDensity("scott", covariance_type="full"),
    *LABELLED,
]


def name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize("exponent", [-30, -20, 20, 30])
@pytest.mark.parametrize("estimator", FITTED_IN_ANY_UNIT, ids=name)
def test_float32_rows_in_any_unit_have_the_density_of_others(estimator, exponent):
    unit = np.float32(2.0) ** np.float32(exponent * 3.32)
    rows = np.float32(ROWS)
    plain, scaled = (clone(estimator).fit(X) for X in (rows, unit * rows))
    for attribute, value in vars(scaled).items():
        if attribute.endswith("_") and isinstance(value, np.ndarray):
            assert np.all(np.isfinite(value) | (value.dtype == object)), attribute
    change = ROWS.shape[1] * np.log(np.float64(unit))
    expected = plain.score_samples(rows) - change
    np.testing.assert_allclose(
        scaled.score_samples(unit * rows), expected, rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("size", [1e100, 1e140])
def test_descents_from_slopes_beyond_all_squares_go_on(size):
    # From a mean of 0 and a covariance of 1, slopes are squares of the rows.
    density = CholeskyGaussian(max_iter=5, tol=None).fit(size * ROWS)
    assert np.all(np.isfinite(density.covariance_))
    assert np.all(np.diff(density.loss_curve_) <= 0)


@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
def test_tiny_weights_lose_no_feature(unit):
    weight = np.full(len(ROWS), 1e-40)
    found = GaussianMLE().fit(unit * ROWS, sample_weight=weight).covariance_ / unit**2
    np.testing.assert_allclose(found, GaussianMLE().fit(ROWS).covariance_, rtol=1e-12)


@pytest.mark.parametrize(
    "model", [*LABELLED, DensityClassifier(GaussianMLE())], ids=name
)
def test_logs_of_probabilities_are_normalised_far_away(model):
    model = clone(model).fit(ROWS, CLASSES)
    directions = np.array([[1.0, 0.3], [-0.2, 1.0], [-1.0, -1.0]])
    for distance in 10.0 ** np.arange(0, 150, 10):
        logs = model.predict_log_proba(distance * directions)
        np.testing.assert_allclose(logsumexp(logs, axis=1), 0, atol=1e-12)
        shares = model.predict_proba(distance * directions)
        np.testing.assert_allclose(np.exp(logs), shares, rtol=1e-9, atol=1e-300)


def test_classes_that_are_alike_share_what_is_far_away():
    """Where log-densities are so low that log 2 is less than their last digit."""
    X = np.tile(ROWS, (2, 1))
    classifier = DensityClassifier(GaussianMLE()).fit(X, np.repeat([0, 1], 60))
    logs = classifier.predict_log_proba([[1e12, -1e12]])
    np.testing.assert_allclose(np.exp(logs), 0.5)


def test_the_region_of_what_is_narrower_than_floats_is_a_point():
    density = GaussianMLE.from_parameters([1e17], [[1.0]])
    (interval,) = density.region(0.9).intervals
    assert interval[0] <= 1e17 <= interval[1]
    assert interval[1] - interval[0] <= 2 * np.spacing(1e17)


def to_both_sides(dtype):
    """Finite rows, in whose sum infinities of both signs meet."""
    return np.tile(np.array([1, -1], dtype) * np.finfo(dtype).max / 2, (40, 1))


def mixture_of_means(rows):
    spread = np.ones(len(rows))
    return EMGaussianMixture.from_parameters(
        spread / len(rows), rows, spread, covariance_type="spherical"
    )


def log_density_of_targets(rows):
    regressor = DensityRegressor(GaussianMLE()).fit(ROWS[:, :1], ROWS[:, 1])
    return regressor.log_density(np.zeros((len(rows), 1)), rows[:, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "ask",
    [
        GaussianMLE().fit(ROWS).score_samples,
        lambda rows: GaussianMLE().fit(ROWS).score_samples(RowBlocks(lambda: [rows])),
        DensityOutlierDetector(LOOKernelDensity(0.5)).fit(ROWS).score_samples,
        DensityOutlierDetector(random_state=0).fit(ROWS * 1e10).score_samples,
        DensityImputer(GaussianMLE(), add_indicator=True).fit(ROWS).transform,
        DensityClassifier(GaussianMLE()).fit(ROWS, CLASSES).predict_proba,
        log_density_of_targets,
        mixture_of_means,
    ],
)
def test_sums_that_overflow_to_both_sides_are_no_matter(ask, dtype):
    with np.errstate(all="warn"):
        ask(to_both_sides(dtype))


@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
@pytest.mark.parametrize("n_queries", [1, 3, 100])
@pytest.mark.parametrize("far", [1e155, 1e200, 4e307])
def test_queries_whose_squares_overflow_have_no_density(n_features, n_queries, far):
    rng = np.random.RandomState(0)
    density = LOOKernelDensity(0.5).fit(rng.standard_normal((200, n_features)))
    queries = rng.choice([-far, far], (n_queries, n_features))
    np.testing.assert_array_equal(density.score_samples(queries), -np.inf)
    near = density.locations_[:20]
    found = density.score_samples(np.concatenate([near, queries]))
    np.testing.assert_array_equal(found[20:], -np.inf)
    np.testing.assert_allclose(found[:20], density.score_samples(near), rtol=1e-9)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_frames_in_another_order_of_bytes_are_numbers(n_columns):
    swapped = ROWS[:, :n_columns].astype(np.dtype(np.float64).newbyteorder("S"))
    names = list("ab")[:n_columns]
    expected = GaussianMLE().partial_fit(pd.DataFrame(ROWS[:, :n_columns], None, names))
    found = GaussianMLE().partial_fit(pd.DataFrame(swapped, None, names))
    np.testing.assert_array_equal(found.covariance_, expected.covariance_)


@pytest.mark.parametrize("exponent", [-990, -530, -515, 515, 530, 990])
def test_regions_of_pairs_are_drawn_in_any_unit(exponent):
    """Where a density of two features overflows, or vanishes, in all of the picture."""
    estimator = LOOKernelDensity("scott")
    shown = [
        DensityDisplay.from_estimator(clone(estimator).fit(unit * ROWS)).surfaces[0, 1]
        for unit in (1.0, 2.0**exponent)
    ]
    (_, _, plain, levels), (_, _, scaled, scaled_levels) = shown
    np.testing.assert_allclose(scaled_levels / scaled_levels[0], levels / levels[0])
    assert scaled_levels[0] / scaled.max() == pytest.approx(
        levels[0] / plain.max(), rel=0.01
    )


@pytest.mark.parametrize("bandwidth", ["scott", "isj", "loo"])
def test_widths_without_reciprocals_are_refused(bandwidth):
    density = LOOKernelDensity(bandwidth)
    with pytest.raises(ValueError, match=r"widths about .* reciprocals overflow"):
        density.fit(1e-308 * ROWS)
    assert not hasattr(density, "bandwidth_")
    with pytest.raises(ValueError, match="`bandwidth` must be positive, from"):
        LOOKernelDensity(bandwidth=1e-309).fit(ROWS)


@pytest.mark.parametrize("narrow", [1.0, 1e-100])
@pytest.mark.parametrize("unit", [1e-155, 1e155])
def test_deviations_of_conditionals_in_any_unit(unit, narrow):
    """Of a target that may be narrow beside the kernel, which is all of it then."""
    rows = ROWS * [1.0, narrow]
    expected, found = (
        LOOKernelDensity(scale / 2)
        .fit(scale * rows)
        .conditional_std([[scale * rows[0, 0], np.nan]], features=[1])
        / scale
        for scale in (1.0, unit)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    if narrow < 1:
        np.testing.assert_allclose(found, 0.5)


@pytest.mark.parametrize("n_features", [1, 2])
def test_values_that_leave_axes_no_margin_are_named(n_features):
    density = LOOKernelDensity("scott").fit(1e307 * ROWS[:, :n_features])
    with pytest.raises(ValueError, match=r"DensityDisplay: .* up to 1e\+300 only"):
        DensityDisplay.from_estimator(density)
