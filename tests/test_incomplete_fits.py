"""Fits to rows with missing values, by the four Gaussian estimators."""

import numpy as np
import pytest
from conftest import MIXTURES, TYPES, UNTIED, central_differences, mixture_of
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.utils import get_tags
from test_missing import in_layout, lifted_moments

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.densities.regularisation import added_to_gaussian
from skdensity.models.covariances.table import FAMILIES, FULL
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.losses import (
    IncompleteGaussianLoss,
    MixtureLoss,
    mixture_loss,
)
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import available_gaussian, moments_to_lean_on
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.solvers.incomplete_gaussian import GaussianEM
from skdensity.solvers.mixtures.em import EM, m_step
from skdensity.solvers.mixtures.stand_in import stand_in_for
from skdensity.solvers.mixtures.starts import STARTS

FOUR = [
    GaussianMLE(),
    CholeskyGaussian(tol=None, max_iter=50),
    EMGaussianMixture(2, random_state=0),
    AdamGaussianMixture(2, random_state=0, max_iter=30, tol=None),
]
TO_THE_END = {"reg_covar": 0, "tol": 1e-12, "max_iter": 5000}


@pytest.fixture(params=FOUR, ids=lambda estimator: type(estimator).__name__)
def estimator(request):
    return clone(request.param)


def with_holes(X, share=0.2, seed=0):
    """The rows less a share of the values, some of them without any."""
    rng = np.random.RandomState(seed)
    holed = np.where(rng.uniform(size=X.shape) < share, np.nan, X)
    holed[3] = np.nan
    return holed


@pytest.fixture(scope="module")
def holed(iris):
    return with_holes(iris)


def clusters(n_rows=400, n_features=4):
    """Two clusters that any two features tell apart, and what they are."""
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=n_rows)
    return rng.standard_normal((n_rows, n_features)) + 5 * y[:, None], y


# ---- Optima ----


@pytest.mark.parametrize("name", TYPES)
def test_em_never_falls_and_ends_where_the_lifted_form_does(name):
    mixture = mixture_of(name, 3)
    X = with_holes(mixture.sample(150, np.random.RandomState(0))[0], 0.3)
    weight = np.random.RandomState(1).uniform(0.5, 2, 150)
    em = EM(IncompleteRows(X, weight), 0.0)
    state, values = em.init(mixture), []
    for _ in range(6):
        state = em.step(state)
        values.append(state.value)
    assert np.all(np.diff(values) > 0)
    has_value = ~np.isnan(X).all(axis=1)
    X, weight = X[has_value], weight[has_value]
    for _ in range(6):
        mass, first, second = lifted_moments(mixture, X, weight)
        second = in_layout(mixture.family, second)
        moments = Moments(0.0, mass, first, second, mixture.means)
        mixture, _ = m_step(moments, mixture.family, 0.0)
    found = state.mixture
    np.testing.assert_allclose(found.weights, mixture.weights, rtol=1e-9)
    np.testing.assert_allclose(found.means, mixture.means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        found.covariances, mixture.covariances, rtol=1e-9, atol=1e-9
    )


def monotone(n_rows=120, n_features=4):
    """Rows of which each lacks the last so many features."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_rows, n_features)) @ rng.standard_normal((4, 4)) + 3
    weight = rng.uniform(0.5, 2, n_rows)
    n_seen = rng.randint(1, n_features + 1, n_rows)
    X[np.arange(n_features) >= n_seen[:, None]] = np.nan
    return X, weight


def by_regressions(X, weight):
    """Mean and covariance of monotone patterns (Anderson 1957, doi:10.2307/2280845).

    Each feature is regressed on those before it, on the rows that have it.
    """
    d = X.shape[1]
    mean, covariance = np.zeros(d), np.zeros((d, d))
    for j in range(d):
        seen = ~np.isnan(X[:, j])
        w = weight[seen] / weight[seen].sum()
        design = np.column_stack([np.ones(seen.sum()), X[seen, :j]])
        root = np.sqrt(w)[:, None]
        slopes, *_ = np.linalg.lstsq(root * design, root[:, 0] * X[seen, j], rcond=None)
        left = w @ (X[seen, j] - design @ slopes) ** 2
        mean[j] = slopes[0] + slopes[1:] @ mean[:j]
        covariance[j, :j] = covariance[:j, j] = covariance[:j, :j] @ slopes[1:]
        covariance[j, j] = left + slopes[1:] @ covariance[:j, j]
    return mean, covariance


def test_monotone_patterns_have_the_closed_form():
    X, weight = monotone()
    mean, covariance = by_regressions(X, weight)
    density = GaussianMLE().fit(X, sample_weight=weight)
    np.testing.assert_allclose(density.location_, mean, rtol=1e-8)
    np.testing.assert_allclose(density.covariance_, covariance, rtol=1e-8, atol=1e-8)


def starts_of_one():
    rng = np.random.RandomState(0)
    for scale in (0.3, 1.0, 10.0):
        half = rng.standard_normal((4, 6))
        matrix = scale * half @ half.T
        yield Gaussian.of_matrix(10 * rng.standard_normal(4), matrix, FULL, "")


@pytest.mark.parametrize("is_monotone", [True, False])
def test_one_gaussian_ends_alike_from_any_start(is_monotone, iris):
    X, weight = monotone() if is_monotone else (with_holes(iris, 0.4), np.ones(150))
    em = GaussianEM(IncompleteRows(X, weight), FULL, np.zeros((4, 4)))
    ends = [em.run(start) for start in (None, *starts_of_one())]
    for end in ends:
        assert end.converged
        for name in ("mean", "covariance"):
            np.testing.assert_allclose(
                getattr(end.gaussian, name),
                getattr(ends[0].gaussian, name),
                rtol=1e-8,
                atol=1e-8,
            )


def test_steps_that_are_mixed_end_where_ems_own_do(holed):
    density = GaussianMLE().fit(holed)
    em = EM(IncompleteRows(holed), 0.0)
    units = available_gaussian(em.rows, FULL)
    state = em.init(Mixture.alone(units))
    for _ in range(300):
        state = em.step(state)
    np.testing.assert_allclose(state.mixture.means[0], density.location_, rtol=1e-9)
    np.testing.assert_allclose(
        state.mixture.covariances[0], density.covariance_, rtol=1e-8
    )
    score = np.delete(density.score_samples(holed), 3).mean()
    assert score == pytest.approx(state.value, rel=1e-12)


@pytest.mark.parametrize("reg_covar", [0, 1e-3, "auto"])
def test_the_gaussians_end_where_em_rests(holed, reg_covar):
    density = GaussianMLE(reg_covar=reg_covar).fit(holed)
    start = Mixture.alone(density._model())
    moments = start.moments(IncompleteRows(holed))
    lean_on = moments_to_lean_on(IncompleteRows(holed), FULL)
    added = added_to_gaussian(reg_covar, lean_on, FULL)
    end, _ = m_step(moments, FULL, added)
    np.testing.assert_allclose(end.means[0], density.location_, rtol=1e-9)
    np.testing.assert_allclose(end.covariances[0], density.covariance_, rtol=1e-8)
    descent = CholeskyGaussian(
        learning_rate_init=0.1, tol=1e-12, max_iter=4000, reg_covar=reg_covar
    )
    descent.fit(holed)
    np.testing.assert_allclose(descent.covariance_, density.covariance_, atol=2e-4)


@pytest.mark.parametrize("name", UNTIED)
def test_independent_features_are_estimated_from_what_is_there(name, holed):
    density = GaussianMLE(covariance_type=name).fit(holed)
    if name == "full":
        return
    np.testing.assert_allclose(density.location_, np.nanmean(holed, axis=0))
    squares = (holed - density.location_) ** 2
    expected = np.nanmean(squares, axis=0) if name == "diag" else np.nanmean(squares)
    np.testing.assert_allclose(
        np.diag(density.covariance_), np.broadcast_to(expected, 4), rtol=1e-9
    )


def test_what_is_added_counts_for_more_the_less_was_observed(holed):
    # v = (1 - p) s + p v + r
    share = np.isnan(np.delete(holed, 3, axis=0)).mean(axis=0)
    density = GaussianMLE(covariance_type="diag", reg_covar=1e-3).fit(holed)
    expected = np.nanvar(holed, axis=0) + 1e-3 / (1 - share)
    np.testing.assert_allclose(np.diag(density.covariance_), expected, rtol=1e-9)


@pytest.mark.parametrize("acceleration", ["anderson", "lbfgs"])
def test_accelerated_and_descending_fits_end_at_the_same_optimum(holed, acceleration):
    plain = EMGaussianMixture(2, random_state=0, **TO_THE_END).fit(holed)
    fast = clone(plain).set_params(acceleration=acceleration).fit(holed)
    adam = AdamGaussianMixture(2, random_state=0, reg_covar=0, max_iter=2000).fit(holed)
    assert fast.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-8)
    assert adam.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-5)


# ---- Gradients ----


def assert_gradient(loss, parameters, rows):
    value, gradient = loss.value_and_gradient(parameters, rows)
    numerical = central_differences(
        lambda free: loss.value_and_gradient(free, rows)[0], parameters
    )
    np.testing.assert_allclose(gradient, numerical, atol=1e-8)
    return value


@pytest.mark.parametrize("name", TYPES)
def test_gradients_of_mixtures_are_finite_differences(name, holed):
    rows = IncompleteRows(holed[::3], np.random.RandomState(0).uniform(0.5, 2, 50))
    units = available_gaussian(rows, FAMILIES[name].untied)
    units = Gaussian(units.mean, units.cholesky, FAMILIES[name])
    loss = mixture_loss(MixtureParameters(2, units), rows)
    n_free = FAMILIES[name].shape.n_parameters(2, 4)
    free = 0.3 * np.random.RandomState(1).standard_normal(2 * 5 + n_free)
    value = assert_gradient(loss, free, rows)
    density = loss.unravel(free).log_density(rows)
    assert value == pytest.approx(-np.average(density, weights=rows.weight))


def test_many_features_with_holes_are_not_whitened_whole():
    X = with_holes(np.random.RandomState(0).standard_normal((9, 40)))
    rows = IncompleteRows(X)
    parameters = MixtureParameters(1, available_gaussian(rows, FULL))
    assert type(mixture_loss(parameters, rows)) is MixtureLoss


@pytest.mark.parametrize("added", [None, 0.1 * np.eye(4)])
@pytest.mark.parametrize("name", UNTIED)
def test_gradients_of_one_gaussian_are_finite_differences(name, added, holed):
    family = FAMILIES[name]
    if added is not None:
        added = family.scatter.isolated(np.diag(added))
    rows = IncompleteRows(holed[::3])
    loss = IncompleteGaussianLoss(4, family, added)
    start = available_gaussian(rows, family)
    free = loss.ravel(start) + 0.1
    value = assert_gradient(loss, free, loss.prepared(rows))
    gaussian = loss.unravel(free)
    expected = -gaussian.log_density(rows)[~np.isnan(rows.X).all(axis=1)].mean()
    if added is not None:
        expected += 0.5 * np.trace(gaussian.precision @ (0.1 * np.eye(4)))
    assert value == pytest.approx(expected)


# ---- What makes no difference ----


def test_a_weight_is_a_repetition_and_order_is_nothing(estimator, holed):
    weight = np.random.RandomState(0).randint(0, 3, len(holed))
    weighted = clone(estimator).fit(holed, sample_weight=weight)
    repeated = clone(estimator).fit(np.repeat(holed, weight, axis=0))
    backwards = clone(estimator).fit(holed[::-1], sample_weight=weight[::-1])
    for other in (repeated, backwards):
        np.testing.assert_allclose(
            other.score_samples(holed), weighted.score_samples(holed), atol=1e-6
        )
    assert weighted.score(holed, sample_weight=weight) == pytest.approx(
        repeated.score(np.repeat(holed, weight, axis=0))
    )


def test_a_row_without_any_value_is_not_there(estimator, holed):
    rest = np.delete(holed, 3, axis=0)
    one, other = (clone(estimator).fit(rows) for rows in (holed, rest))
    np.testing.assert_allclose(
        one.score_samples(rest), other.score_samples(rest), rtol=1e-9, atol=1e-9
    )
    assert one.score_samples(holed)[3] == pytest.approx(0, abs=1e-14)
    if hasattr(one, "bic"):
        assert one.lower_bound_ == pytest.approx(other.lower_bound_, rel=1e-9)
        np.testing.assert_allclose(one.predict_proba(holed)[3], one.weights_)
        for criterion in ("aic", "bic", "icl"):
            assert getattr(one, criterion)(holed) == pytest.approx(
                getattr(one, criterion)(rest), rel=1e-12
            )


def test_units_and_offsets_make_no_difference(holed):
    scale, offset = np.array([1e-3, 1.0, 1e4, 10.0]), np.array([5.0, -1e5, 0, 1])
    for density in (
        GaussianMLE(),
        EMGaussianMixture(2, random_state=0),
        EMGaussianMixture(2, random_state=0, covariance_type="diag"),
    ):
        one = clone(density).fit(holed).score_samples(holed)
        other = clone(density).fit(holed * scale + offset)
        found = other.score_samples(holed * scale + offset)
        change = ~np.isnan(holed) @ np.log(scale)
        np.testing.assert_allclose(found, one - change, atol=1e-5)


def test_float32_in_float32_out(estimator, holed):
    narrow = clone(estimator).fit(holed.astype(np.float32))
    found = narrow.score_samples(holed.astype(np.float32))
    assert found.dtype == np.float32
    wide = clone(estimator).fit(holed).score_samples(holed)
    np.testing.assert_allclose(found, wide, atol=2e-3)


def test_threads_make_no_difference(estimator, holed, monkeypatch):
    monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 5000)
    one, two = (
        clone(estimator).set_params(n_jobs=n).fit(holed).score_samples(holed)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


# ---- Starts ----


@pytest.mark.parametrize("name", ["small_em", "kmeans", "k-means++"])
@pytest.mark.parametrize("covariance_type", ["full", "spherical"])
def test_starts_finds_clusters_behind_holes(name, covariance_type):
    X, y = clusters()
    X = with_holes(X, 0.35)
    mixture = EMGaussianMixture(
        2, covariance_type=covariance_type, init_params=name, random_state=0
    ).fit(X)
    some = ~np.isnan(X).all(axis=1)
    assert adjusted_rand_score(y[some], mixture.predict(X)[some]) > 0.97


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", MIXTURES)
def test_the_users_own_starts_get_rows_without_holes(Estimator):
    X, y = clusters()
    X = with_holes(X, 0.35)
    counts, seen = ~np.isnan(X).all(axis=1), []

    def start(rows, n_components, random_state):
        seen.append(rows)
        return y[counts]

    options = {"random_state": 0, "max_iter": 30, "tol": 1e-3}
    called = Estimator(2, init_params=start, **options).fit(X)
    (rows,) = seen
    assert np.all(np.isfinite(rows))
    is_there = ~np.isnan(X[counts])
    np.testing.assert_array_equal(rows[is_there], X[counts][is_there])
    for values in (y, np.eye(2)[y]):
        given = Estimator(2, init_params=values, **options).fit(X)
        np.testing.assert_allclose(given.means_, called.means_, rtol=1e-6)
        assert np.all(np.diff(given.means_[:, 0]) > 0), "components as they are given"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", STARTS)
def test_every_start_takes_holes(name, holed):
    Estimator = AdamGaussianMixture if STARTS[name].is_blind else EMGaussianMixture
    mixture = Estimator(2, init_params=name, max_iter=0, random_state=0).fit(holed)
    before = mixture.score(holed)
    assert mixture.set_params(max_iter=20).fit(holed).score(holed) > before


def test_of_two_starts_the_one_that_leads_higher_is_taken(monkeypatch):
    X, _ = clusters()
    rows = IncompleteRows(with_holes(X, 0.35))
    looked_at, nothing = [], np.zeros((4, 4))
    both, one = (
        EMGaussianMixture.from_parameters([0.5, 0.5], [low, high], [np.eye(4)] * 2)
        for low, high in ((np.zeros(4), np.full(4, 5)), (np.zeros(4), np.zeros(4)))
    )

    def leading(first, second):
        def again(completed):
            looked_at.append(completed.X)
            return second

        stand_in = stand_in_for(rows, 1000, 2, np.random.RandomState(0))
        return stand_in.better(first, again, nothing), stand_in.rows.X

    both, one = both._model(), one._model()
    for first, second in ((both, one), (one, both)):
        found, before = leading(first, second)
        assert found is both
        completed = looked_at.pop()
        assert not np.isnan(completed).any()
        seen = completed == before
        assert 0.6 < seen.mean() < 0.7, "what was observed, and other draws"
    monkeypatch.setattr("skdensity.solvers.mixtures.stand_in.MAX_JUDGED", 100)
    assert leading(one, both)[0] is one
    assert not looked_at


def test_draws_keep_means_and_covariances():
    rng = np.random.RandomState(0)
    factor = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [-0.5, 0.3, 0.4]])
    gaussian = Gaussian(np.array([1.0, 2, 3]), factor, FULL)
    row = np.array([[np.nan, 2.5, np.nan]])
    drawn = gaussian.drawn(np.repeat(row, 40_000, axis=0), rng)
    np.testing.assert_array_equal(drawn[:, 1], 2.5)
    expected = gaussian.conditional(np.array([1]), np.array([2.5]))
    np.testing.assert_allclose(
        gaussian.completed(IncompleteRows(row))[0, [0, 2]], expected.mean
    )
    # Five standard errors.
    spread = expected.deviations.max()
    np.testing.assert_allclose(
        drawn[:, [0, 2]].mean(axis=0), expected.mean, atol=5 * spread / 200
    )
    np.testing.assert_allclose(
        np.cov(drawn[:, [0, 2]].T),
        expected.covariance,
        atol=5 * spread**2 * np.sqrt(2) / 200,
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", MIXTURES)
def test_a_warm_start_goes_on(Estimator, holed):
    options = {"random_state": 0, "tol": 0, "reg_covar": 0}
    whole = Estimator(2, max_iter=10, **options).fit(holed)
    half = Estimator(2, max_iter=5, warm_start=True, **options).fit(holed).fit(holed)
    np.testing.assert_allclose(half.means_, whole.means_, rtol=1e-9)


def test_batches_may_have_holes(holed):
    for density in (
        CholeskyGaussian(tol=None, max_iter=5, batch_size=8, random_state=0),
        AdamGaussianMixture(2, tol=None, max_iter=5, batch_size=20, random_state=0),
    ):
        assert np.isfinite(density.fit(holed).score(holed))


def test_more_features_than_rows():
    X = with_holes(np.random.RandomState(0).standard_normal((20, 30)), 0.1)
    mixture = EMGaussianMixture(2, covariance_type="tied_diag", random_state=0).fit(X)
    assert np.isfinite(mixture.score(X))


# ---- Input ----


def test_tags_say_who_takes_nan(estimator):
    assert get_tags(estimator).input_tags.allow_nan
    assert not get_tags(LOOKernelDensity()).input_tags.allow_nan


def test_other_tables_of_missing_values(estimator, holed):
    expected = clone(estimator).fit(holed).score_samples(holed)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(holed, columns=list("abcd"))
    tables = [
        frame,
        frame.convert_dtypes(),
        frame.astype(object).where(frame.notna(), None),
    ]
    polars = pytest.importorskip("polars")
    tables.append(polars.DataFrame(frame.to_dict("list")).fill_nan(None))
    for table in tables:
        found = clone(estimator).fit(table).score_samples(table)
        np.testing.assert_array_equal(found, expected)


def test_a_feature_that_was_never_observed_is_named(estimator, holed):
    pandas = pytest.importorskip("pandas")
    fitted = clone(estimator).fit(holed)
    X = holed.copy()
    X[:, 2] = np.nan
    weight = np.isnan(holed[:, 1]).astype(float)
    before = dict(vars(fitted))
    with pytest.raises(
        ValueError, match="no value of feature 2: every row that counts"
    ):
        fitted.fit(X)
    with pytest.raises(ValueError, match="no value of feature 1:"):
        fitted.fit(holed, sample_weight=weight)
    with pytest.raises(ValueError, match="no value of features 0, 1, 2, 3:"):
        fitted.fit(np.full((5, 4), np.nan))
    frame = pandas.DataFrame(X, columns=["one", "two", "three", "four"])
    with pytest.raises(ValueError, match="no value of feature 'three':"):
        fitted.fit(frame)
    assert vars(fitted) == before
    assert np.all(np.isfinite(fitted.score_samples(X))), "it may be missing later"


def test_infinities_and_nan_elsewhere_are_refused(estimator, holed):
    fitted = clone(estimator).fit(holed)
    before = dict(vars(fitted))
    for bad in (np.inf, -np.inf):
        X = holed.copy()
        X[0, 0] = bad
        for method in (fitted.fit, fitted.score_samples):
            with pytest.raises(ValueError, match="Input X contains infinity"):
                method(X)
    weight = np.where(np.arange(len(holed)) == 7, np.nan, 1)
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        fitted.fit(holed, sample_weight=weight)
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        fitted.score(holed, sample_weight=weight)
    assert vars(fitted) == before


@pytest.mark.parametrize("Estimator", MIXTURES)
@pytest.mark.parametrize("name", ["weights_init", "means_init", "precisions_init"])
def test_nan_in_initial_values_is_refused(Estimator, name, holed):
    values = {
        "weights_init": [0.5, np.nan],
        "means_init": np.full((2, 4), np.nan),
        "precisions_init": np.full((2, 4, 4), np.nan),
    }
    with pytest.raises(ValueError, match=f"Input {name} contains NaN"):
        Estimator(2, **{name: values[name]}).fit(holed)


def test_rows_that_are_left(estimator):
    X = np.array([[1.0, 2.0], [np.nan, np.nan], [np.nan, np.nan]])
    with pytest.raises(ValueError, match="n_samples=1"):
        estimator.fit(X)


@pytest.mark.parametrize("Estimator", MIXTURES)
def test_criteria_need_a_value(Estimator, holed):
    mixture = Estimator.from_parameters([1.0], np.zeros((1, 4)), np.eye(4)[None])
    for criterion in (mixture.aic, mixture.bic, mixture.icl):
        with pytest.raises(ValueError, match="consist of NaN alone"):
            criterion(np.full((2, 4), np.nan))
        with pytest.raises(ValueError, match="consist of NaN alone"):
            criterion(holed, sample_weight=np.arange(len(holed)) == 3)


def test_kernels_say_what_to_do(holed):
    with pytest.raises(ValueError, match=r"Input X contains NaN[\s\S]*EMGaussianMixt"):
        LOOKernelDensity().fit(holed)


def test_a_covariance_that_cannot_be_told_is_an_error(iris):
    X = iris[:, :3].copy()
    X[:, 2] = X[:, 0] + X[:, 1]
    X[::2, 1] = X[1::2, 2] = np.nan
    with pytest.raises(ValueError, match="rows with missing values is singular"):
        GaussianMLE().fit(np.column_stack([X, np.ones(150)]))


def test_an_estimate_that_still_moves_is_a_warning(holed, monkeypatch):
    monkeypatch.setattr("skdensity.solvers.incomplete_gaussian.MAX_STEPS", 2)
    monkeypatch.setattr(GaussianEM.run, "__defaults__", (None, 2))
    with pytest.warns(
        ConvergenceWarning, match="GaussianMLE: what is missing"
    ) as record:
        GaussianMLE().fit(holed)
    assert record[0].filename == __file__
