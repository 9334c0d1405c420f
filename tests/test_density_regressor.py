"""The regressor: a density of rows and targets, conditioned for every row."""

import pickle

import numpy as np
import pytest
from conftest import ON_AWKWARD_DATA
from scipy.integrate import trapezoid
from scipy.stats import kstest, norm
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skdensity import (
    DensityRegressor,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)

LEVELS = [0.05, 0.5, 0.95]
DENSITIES = [
    GaussianMLE(),
    EMGaussianMixture(3, random_state=0),
    LOOKernelDensity(0.4, covariance_type="diag"),
    LOOKernelDensity(0.1 * np.eye(4) + 0.05),
]


@ON_AWKWARD_DATA
@pytest.mark.filterwarnings("ignore:GaussianMLE.*rests on:UserWarning")
@parametrize_with_checks(
    [DensityRegressor(), DensityRegressor(GaussianMLE(reg_covar="auto"))]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check", [check_dataframe_column_names_consistency, check_param_validation]
)
def test_checks_that_the_generator_leaves_out(check):
    check("DensityRegressor", DensityRegressor(GaussianMLE()))


@pytest.fixture(scope="module")
def X():
    return np.random.RandomState(0).standard_normal((200, 2))


@pytest.fixture(scope="module")
def Y(X):
    """Two targets: one bends, one varies more and more."""
    noise = np.random.RandomState(1).standard_normal((200, 2))
    bent = np.abs(X[:, 0]) + 0.3 * noise[:, 0]
    return np.column_stack([bent, X[:, 1] + np.exp(0.5 * X[:, 0]) * noise[:, 1]])


@pytest.fixture
def holed(X):
    rows = X[:9].copy()
    rows[::3, 0] = rows[::4, 1] = np.nan
    return rows


# ---- One Gaussian: least squares ----


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("is_flat", [False, True])
def test_one_gaussian_is_least_squares(is_weighted, is_flat):
    X, y = load_diabetes(return_X_y=True)
    y = y if is_flat else np.column_stack([y, X[:, 0] ** 2 * y])
    weight = np.random.RandomState(0).uniform(size=len(X)) if is_weighted else None
    ols = LinearRegression().fit(X, y, sample_weight=weight)
    regressor = DensityRegressor(GaussianMLE()).fit(X, y, sample_weight=weight)
    # Coefficients, from the predictions of unit vectors.
    intercept = regressor.predict(np.zeros((1, 10)))
    slopes = (regressor.predict(np.eye(10)) - intercept).T
    np.testing.assert_allclose(intercept[0], ols.intercept_, rtol=1e-10)
    np.testing.assert_allclose(
        slopes, ols.coef_, rtol=1e-10, atol=1e-10 * np.abs(ols.coef_).max()
    )
    mean, std = regressor.predict(X, return_std=True)
    np.testing.assert_allclose(mean, ols.predict(X), rtol=1e-10)
    variance = np.average((y - ols.predict(X)) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(std**2, np.broadcast_to(variance, std.shape), rtol=1e-10)
    assert regressor.score(X, y) == pytest.approx(ols.score(X, y), rel=1e-10)


def test_its_log_density_is_that_of_the_residuals():
    X, y = load_diabetes(return_X_y=True)
    regressor = DensityRegressor(GaussianMLE()).fit(X, y)
    mean, std = regressor.predict(X, return_std=True)
    np.testing.assert_allclose(
        regressor.log_density(X, y), norm(mean, std).logpdf(y), rtol=1e-9
    )
    quantiles = regressor.predict_quantiles(X, LEVELS)
    expected = mean[:, None] + std[:, None] * norm.ppf(LEVELS)
    np.testing.assert_allclose(quantiles, expected, rtol=1e-10)


# ---- Any density: the conditional of every row ----


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_every_row_has_its_conditional(density, X, Y, holed):
    regressor = DensityRegressor(density).fit(X, Y)
    mean, std = regressor.predict(holed, return_std=True)
    quantiles = regressor.predict_quantiles(holed, LEVELS)
    log_density = regressor.log_density(holed, Y[:9])
    assert mean.shape == std.shape == (9, 2)
    assert quantiles.shape == (9, 3, 2)
    for i, row in enumerate(holed):
        known = np.flatnonzero(~np.isnan(row))
        joint = regressor.density_
        given = joint.condition(known, row[known]) if len(known) else joint
        given = given.marginal(np.arange(2) + 2 - len(known))
        np.testing.assert_allclose(
            log_density[i], given.score_samples(Y[[i]]), rtol=1e-6
        )
        for target in range(2):
            alone = given.marginal([target])
            np.testing.assert_allclose(
                quantiles[i, :, target], alone.quantile(LEVELS), rtol=1e-9, atol=1e-9
            )
            # The mean is minus the integral of the distribution function, from 0 on.
            low, high = alone.quantile([1e-12, 1 - 1e-12])
            x = np.linspace(low, high, 4001)[:, None]
            below = trapezoid(alone.cdf(x), x[:, 0])
            assert mean[i, target] == pytest.approx(high - below, abs=1e-4)


def test_kernels_with_widths_are_the_nadaraya_watson_estimator(X, Y):
    widths = np.array([0.5, 0.7, 1.0])
    regressor = DensityRegressor(LOOKernelDensity(widths)).fit(X, Y[:, 0])
    rows = X[:20] + 0.1
    z = (rows[:, None] - X) / widths[:2]
    shares = np.exp(-0.5 * np.sum(z**2, axis=2))
    shares /= shares.sum(axis=1, keepdims=True)
    mean, std = regressor.predict(rows, return_std=True)
    expected = shares @ Y[:, 0]
    np.testing.assert_allclose(mean, expected)
    squares = (Y[:, 0] - expected[:, None]) ** 2
    np.testing.assert_allclose(std**2, 1 + np.sum(shares * squares, axis=1))


@pytest.mark.parametrize("row", [(0.5, 0.0), (np.nan, 1.0), (50.0, 0.0)], ids=str)
def test_a_conditional_density_integrates_to_one(row, X, Y):
    regressor = DensityRegressor(random_state=0).fit(X, Y[:, 0])
    (mean,), (std,) = regressor.predict([row], return_std=True)
    y = np.linspace(mean - 12 * std, mean + 12 * std, 20_001)
    density = np.exp(regressor.log_density(np.tile(row, (len(y), 1)), y))
    assert trapezoid(density, y) == pytest.approx(1, abs=1e-6)
    assert trapezoid(density * y, y) == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_draws_have_the_conditional_distribution(density, X, Y):
    regressor = DensityRegressor(density).fit(X, Y)
    draws = regressor.sample_y(X[:2], 1000, random_state=0)
    assert draws.shape == (2, 2, 1000)
    for i in range(2):
        given = regressor.density_.condition([0, 1], X[i])
        shares = [
            given.marginal([target]).cdf(draws[i, target][:, None])
            for target in range(2)
        ]
        for share in shares:
            assert kstest(share, "uniform").pvalue > 1e-4
        # Targets of a draw belong together: their correlation is that of the density.
        drawn, _ = np.corrcoef(norm.ppf(shares))
        rows = regressor.density_.condition([0, 1], X[i]).sample(
            100_000, random_state=1
        )
        rows = rows[0] if isinstance(rows, tuple) else rows
        expected = [given.marginal([k]).cdf(rows[:, [k]]) for k in range(2)]
        known, _ = np.corrcoef(norm.ppf(expected))
        assert abs(drawn[1] - known[1]) < 5 / np.sqrt(1000)


def test_seeds_and_shapes_of_draws(X, Y):
    regressor = DensityRegressor(GaussianMLE()).fit(X, Y[:, 0])
    draws = regressor.sample_y(X, 3)
    assert draws.shape == (200, 3)
    np.testing.assert_array_equal(draws, regressor.sample_y(X, 3, random_state=0))
    assert not np.allclose(draws, regressor.sample_y(X, 3, random_state=1))
    assert regressor.sample_y(X).shape == (200, 1)
    regressor.set_params(random_state=1)  # which None falls back on
    ones = regressor.sample_y(X, 3, random_state=1)
    np.testing.assert_array_equal(regressor.sample_y(X, 3, random_state=None), ones)
    column = DensityRegressor(GaussianMLE()).fit(X, Y[:, :1])
    assert column.predict(X).shape == (200, 1)
    assert column.sample_y(X, 3).shape == (200, 1, 3)
    assert column.predict_quantiles(X, LEVELS).shape == (200, 3, 1)
    assert column.predict_quantiles(X, 0.5).shape == (200, 1)
    assert regressor.predict_quantiles(X, 0.5).shape == (200,)


def test_the_default_is_the_mixture_of_least_bic(X, Y):
    density = DensityRegressor(random_state=0).fit(X, Y[:, 0]).density_
    joint, n = np.column_stack([X, Y[:, 0]]), density.n_components
    assert n > 1
    for other in (n - 1, n + 1):
        mixture = EMGaussianMixture(other, random_state=0).fit(joint)
        assert mixture.bic(joint) >= density.bic(joint)


def test_weights_that_sum_to_one_choose_as_many_components(X, Y):
    one = DensityRegressor(random_state=0).fit(X, Y[:, 0])
    for each in (1 / 200, 1e-300):
        weight = np.full(200, each)
        other = DensityRegressor(random_state=0).fit(X, Y[:, 0], sample_weight=weight)
        np.testing.assert_allclose(other.predict(X), one.predict(X))


def test_a_bend_is_followed(X, Y):
    folds = KFold(5, shuffle=True, random_state=0)
    line = cross_val_score(DensityRegressor(GaussianMLE()), X, Y[:, 0], cv=folds)
    bent = cross_val_score(DensityRegressor(random_state=0), X, Y[:, 0], cv=folds)
    assert line.mean() < 0.1
    assert bent.mean() > 0.6


# ---- Weights, holes, kinds of input ----


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_a_weight_is_a_repetition_and_zero_is_absence(density, X, Y):
    weight = np.random.RandomState(0).randint(0, 3, size=200)
    weighted = DensityRegressor(density).fit(X, Y, sample_weight=weight)
    rows, targets = (np.repeat(values, weight, axis=0) for values in (X, Y))
    repeated = DensityRegressor(density).fit(rows, targets)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-3)
    counts = weight > 0
    present = DensityRegressor(density).fit(
        X[counts], Y[counts], sample_weight=weight[counts]
    )
    np.testing.assert_array_equal(weighted.predict(X), present.predict(X))


def test_holes_in_the_fit_are_missing_values(X, Y):
    rows = X.copy()
    rows[np.random.RandomState(0).uniform(size=X.shape) < 0.2] = np.nan
    regressor = DensityRegressor(GaussianMLE()).fit(rows, Y[:, 0])
    expected = GaussianMLE().fit(np.column_stack([rows, Y[:, 0]]))
    np.testing.assert_array_equal(regressor.density_.covariance_, expected.covariance_)
    # Nothing is known: the marginal density of the targets.
    mean, std = regressor.predict([[np.nan, np.nan]], return_std=True)
    np.testing.assert_allclose(mean, expected.location_[2])
    np.testing.assert_allclose(std**2, expected.covariance_[2, 2])


def test_nan_is_allowed_where_the_density_takes_it(X, Y):
    def allows(estimator):
        return get_tags(estimator).input_tags.allow_nan

    assert allows(DensityRegressor())
    assert allows(DensityRegressor(GaussianMLE()))
    assert not allows(DensityRegressor(LOOKernelDensity()))
    rows = X.copy()
    rows[0, 0] = np.nan
    regressor = DensityRegressor(LOOKernelDensity(0.5))
    with pytest.raises(ValueError, match="contains NaN"):
        regressor.fit(rows, Y)
    assert not vars(regressor).keys() & {"density_", "n_outputs_"}
    assert np.isfinite(regressor.fit(X, Y).predict(rows)).all()


def test_targets_stay_within_bounds(X, Y):
    density = LOOKernelDensity(0.5, bounds=[(None, None), (None, None), (0, None)])
    y = np.abs(Y[:, 0])
    regressor = DensityRegressor(density).fit(X, y)
    quantiles = regressor.predict_quantiles(X, [0, 0.001, 0.5])
    assert (quantiles[:, 0] == 0).all()
    assert (quantiles[:, 1] > 0).all()
    assert (regressor.sample_y(X, 5) >= 0).all()
    assert regressor.log_density(X[:1], [-1.0]) == -np.inf


def test_it_works_in_pipelines_and_for_transformed_targets(X, Y):
    y = np.exp(Y[:, 0])
    model = make_pipeline(
        StandardScaler(),
        TransformedTargetRegressor(
            DensityRegressor(random_state=0), func=np.log, inverse_func=np.exp
        ),
    ).fit(X, y)
    assert r2_score(Y[:, 0], np.log(model.predict(X))) > 0.6


def test_single_precision_goes_in_and_comes_out(X, Y):
    single, y = X.astype(np.float32), Y[:, 0].astype(np.float32)
    regressor = DensityRegressor(GaussianMLE()).fit(single, y)
    double = DensityRegressor(GaussianMLE()).fit(X, Y[:, 0])
    assert regressor.density_.location_.dtype == np.float32
    for method, arguments in (
        ("predict", ()),
        ("predict_quantiles", (LEVELS,)),
        ("log_density", (y,)),
        ("sample_y", ()),
    ):
        values = getattr(regressor, method)(single, *arguments)
        assert values.dtype == np.float32
        expected = getattr(double, method)(X, *arguments)
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-3)


def test_targets_too_small_for_single_precision_are_silent():
    X, y = np.arange(4, dtype=np.float32)[:, np.newaxis], 1e-50 * np.arange(4.0) ** 2
    regressor = DensityRegressor(GaussianMLE()).fit(X, y)
    with np.errstate(all="raise"):
        for values in (regressor.predict(X), regressor.predict_quantiles(X, LEVELS)):
            np.testing.assert_array_equal(values, np.float32(0))


def test_draws_beyond_single_precision_are_infinite_and_silent():
    X, y = np.arange(4, dtype=np.float32)[:, np.newaxis], 1e50 * np.arange(4.0) ** 2
    draws = DensityRegressor(GaussianMLE()).fit(X, y).sample_y(X, 100)
    assert draws.dtype == np.float32
    assert np.isinf(draws).all()


def test_a_pickle_is_the_same(X, Y):
    regressor = DensityRegressor(random_state=0).fit(X, Y)
    copy = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(regressor.predict(X), copy.predict(X))


# ---- What cannot be ----


class Filling(BaseEstimator):
    """A density that can fill in means, and nothing else."""

    def fit(self, X):
        self.mean_ = X.mean(axis=0)
        return self

    def impute(self, X):
        return np.where(np.isnan(X), self.mean_, X)


def test_what_a_density_lacks_is_named(X, Y):
    y = Y[:, 0]
    with pytest.raises(ValueError, match="'fit' and 'impute'"):
        DensityRegressor(LinearRegression()).fit(X, y)
    regressor = DensityRegressor(Filling()).fit(X, y)
    np.testing.assert_allclose(regressor.predict(X), y.mean())
    with pytest.raises(TypeError, match=r"`conditional_std`, which .*return_std"):
        regressor.predict(X, return_std=True)
    with pytest.raises(TypeError, match=r"Filling\(\) has no .*conditional_quant"):
        regressor.predict_quantiles(X, LEVELS)
    with pytest.raises(TypeError, match=r"`score_samples`, which .*log_density"):
        regressor.log_density(X, y)
    with pytest.raises(ValueError, match="unequal weights"):
        regressor.fit(X, y, sample_weight=np.arange(1, 201))
    regressor.fit(X, y, sample_weight=np.full(200, 3.0))


def test_bad_input(X, Y):
    pd = pytest.importorskip("pandas")
    y = Y[:, 0]
    with pytest.raises(NotFittedError):
        DensityRegressor().predict(X)
    frame = pd.DataFrame(X, columns=["a", "b"])
    regressor = DensityRegressor(GaussianMLE()).fit(frame, y)
    before = vars(regressor).copy()
    with pytest.raises(ValueError, match="contains NaN"):
        regressor.fit(frame, np.where(y > 1, np.nan, y))
    with pytest.raises(ValueError, match="1 sample"):
        regressor.fit(frame[:1], y[:1])
    assert vars(regressor) == before
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- c"):
        regressor.predict(frame.rename(columns={"a": "c"}))
    with pytest.raises(ValueError, match=r"`quantiles` has 1\.5; .* from 0 to 1"):
        regressor.predict_quantiles(frame, [1.5])
    with pytest.raises(
        ValueError, match=r"`y` has shape \(200, 2\); expected \(200,\)"
    ):
        regressor.log_density(frame, Y)
    with pytest.raises(ValueError, match=r"`y` has shape \(3,\); expected \(200,\)"):
        regressor.log_density(frame, y[:3])
    with pytest.raises(ValueError, match="'n_samples': 0"):
        regressor.sample_y(frame, 0)
    with pytest.raises(TypeError, match="memory"):
        DensityRegressor().fit(RowBlocks(lambda: iter([X])), y)


def test_nothing_follows_from_what_cannot_be(X, Y):
    density = LOOKernelDensity(0.5, bounds=[(-5, 5), (None, None), (None, None)])
    regressor = DensityRegressor(density).fit(X, Y[:, 0])
    beyond = [[0.0, 0.0], [9.0, 0.0]]
    with pytest.raises(ValueError, match="has 9 for feature 0, which is bounded"):
        regressor.predict(beyond)
    with pytest.raises(
        ValueError, match="the density of the features is 0, first row 1"
    ):
        regressor.log_density(beyond, [0.0, 0.0])


# ---- Intervals cover ----


def coverage(regressor, X, y, level):
    """Share of targets within the interval of a level, with equal tails."""
    ends = regressor.predict_quantiles(X, [0.5 - level / 2, 0.5 + level / 2])
    return np.mean((ends[:, 0] <= y) & (y <= ends[:, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_intervals_cover_diabetes_out_of_sample(level):
    X, y = load_diabetes(return_X_y=True)
    covered = [
        coverage(DensityRegressor(random_state=0).fit(X[a], y[a]), X[b], y[b], level)
        for a, b in KFold(10, shuffle=True, random_state=0).split(X)
    ]
    assert abs(np.mean(covered) - level) < 0.04


def two_answers(n, seed):
    """Targets near x or near −x, with noise that grows."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(0.5, 3, size=n)
    sign = np.where(rng.uniform(size=n) < 0.3, -1, 1)
    return x[:, None], sign * x + 0.1 * (1 + x) * rng.standard_normal(n)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_intervals_cover_where_there_are_two_answers(level):
    """With 40,000 fresh rows the standard error is at most 0.25 %."""
    X, y = two_answers(20_000, seed=0)
    regressor = DensityRegressor(EMGaussianMixture(8, random_state=0)).fit(X, y)
    assert abs(coverage(regressor, *two_answers(40_000, seed=1), level) - level) < 0.01
