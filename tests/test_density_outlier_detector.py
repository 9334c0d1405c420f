"""The outlier detector: its threshold and its p-values keep what they promise."""

import copy
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ON_AWKWARD_DATA, ONE_OF_EACH, Unsure
from scipy.stats import false_discovery_control, kstest
from sklearn.base import clone, is_outlier_detector
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityOutlierDetector,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)
from skdensity.uses.left_out import weight_up_to, weighted_quantile


@ON_AWKWARD_DATA
@parametrize_with_checks(
    [
        DensityOutlierDetector(cv=2),
        DensityOutlierDetector(LOOKernelDensity(0.5), novelty=False),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@ON_AWKWARD_DATA
@pytest.mark.parametrize(
    "check", [check_dataframe_column_names_consistency, check_param_validation]
)
def test_checks_that_the_generator_leaves_out(check):
    check("DensityOutlierDetector", DensityOutlierDetector(cv=2))


def rows(seed, n_rows, n_features=2):
    """Independent normal rows."""
    return np.random.RandomState(seed).standard_normal((n_rows, n_features))


# ---- How rows are left out ----


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("density", ONE_OF_EACH, ids=repr)
def test_scores_are_those_of_densities_that_have_not_seen_the_row(density):
    X, density = rows(0, 60), clone(density)
    if hasattr(density, "max_iter"):
        density.set_params(max_iter=20)
    folds = list(KFold(3, shuffle=True, random_state=1).split(X))
    detector = DensityOutlierDetector(density, cv=folds).fit(X)
    for train, test in folds:
        expected = clone(density).fit(X[train]).score_samples(X[test])
        np.testing.assert_allclose(
            detector.left_out_scores_[test], expected, rtol=1e-12
        )
    expected = clone(density).fit(X).score_samples(X)
    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-12)


def test_kernels_are_asked_for_their_leave_one_out_scores(iris):
    density = LOOKernelDensity(covariance_type="diag")
    detector = DensityOutlierDetector(density, cv=3).fit(iris)
    expected = clone(density).fit(iris).loo_log_density_
    np.testing.assert_array_equal(detector.left_out_scores_, expected)


def test_a_share_is_held_out_of_the_density():
    X = rows(0, 60)
    detector = DensityOutlierDetector(GaussianMLE(), cv=0.25, random_state=0).fit(X)
    is_out = ~np.isnan(detector.left_out_scores_)
    assert is_out.sum() == 15
    density = GaussianMLE().fit(X[~is_out])
    np.testing.assert_allclose(
        detector.left_out_scores_[is_out], density.score_samples(X[is_out]), rtol=1e-12
    )
    np.testing.assert_allclose(
        detector.score_samples(X), density.score_samples(X), rtol=1e-12
    )


def test_rows_in_the_order_of_their_groups_are_dealt_at_random(iris):
    """Consecutive folds would leave out whole species, unknown to the others."""
    contamination = {"contamination": 0.1, "random_state": 0}
    dealt = DensityOutlierDetector(
        EMGaussianMixture(3, random_state=0), **contamination
    )
    consecutive = clone(dealt).set_params(cv=KFold(3))
    assert consecutive.fit(iris).offset_ < dealt.fit(iris).offset_ - 100


@pytest.mark.parametrize("cv", [5, 0.3], ids=str)
@pytest.mark.parametrize(
    "density",
    [GaussianMLE(), LOOKernelDensity(), KernelDensity(), GaussianMixture()],
    ids=repr,
)
def test_a_row_of_weight_zero_is_absent(density, cv):
    """Others weigh equally where a density takes no weights."""
    X, weight = rows(0, 60), np.arange(60) % 3
    if isinstance(density, GaussianMixture):
        weight = np.minimum(weight, 1)
    detector = DensityOutlierDetector(density, cv=cv, random_state=0)
    weighted = clone(detector).fit(X, sample_weight=weight)
    absent = clone(detector).fit(X[weight > 0], sample_weight=weight[weight > 0])
    assert weighted.offset_ == pytest.approx(absent.offset_, rel=1e-12)
    queries = rows(1, 20)
    np.testing.assert_allclose(weighted.p_values(queries), absent.p_values(queries))


def test_p_values_of_any_weights_are_not_above_one():
    """Whatever rounding makes of sums of the same weights in another order."""
    found = []
    for seed in range(50):
        weight = 1e12 * np.random.default_rng(seed).uniform(size=50)
        detector = DensityOutlierDetector(GaussianMLE(), random_state=0)
        detector.fit(rows(seed, 50), sample_weight=weight)
        found.append(detector.p_values(detector.density_.modes()).item())
    assert max(found) == 1


@pytest.mark.parametrize("cv", [5, KFold(5)], ids=str)
def test_rows_of_weight_zero_are_judged_by_what_has_not_seen_them(cv):
    X, weight = rows(0, 60), np.arange(60) % 3
    detector = DensityOutlierDetector(GaussianMLE(), cv=cv, novelty=False)
    labels = detector.fit_predict(X, sample_weight=weight)
    assert set(labels[weight == 0]) == {-1, 1}
    assert np.isfinite(detector.left_out_scores_).all()


def test_a_weight_is_a_repetition_for_kernels():
    """Their leave-one-out scores know copies; folds would deal them apart."""
    X, weight, queries = rows(0, 60), np.arange(60) % 3, rows(1, 20)
    detector = DensityOutlierDetector(LOOKernelDensity(0.5), contamination=0.07)
    weighted = clone(detector).fit(X, sample_weight=weight)
    repeated = clone(detector).fit(np.repeat(X, weight, axis=0))
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-6)
    np.testing.assert_allclose(weighted.p_values(queries), repeated.p_values(queries))


# ---- Thresholds and p-values ----


@pytest.mark.parametrize("share", [0.01, 0.07, 0.1, 0.25, 1 / 3, 0.5])
def test_a_quantile_is_the_first_value_that_has_the_share(share):
    values = np.random.RandomState(0).standard_normal(100)
    weight = np.random.RandomState(1).randint(0, 4, 100)
    for times in (np.ones(100, dtype=int), weight):
        repeated = np.sort(np.repeat(values, times))
        expected = next(v for v in repeated if np.mean(repeated <= v) >= share)
        assert weighted_quantile(values, times.astype(float), share) == expected


@pytest.mark.parametrize("weight", [0.1, 0.3, 1 / 3, 7e-5])
def test_equal_weights_are_none_to_the_last_row(weight):
    """Although their sums are rounded."""
    X = np.random.RandomState(0).standard_normal((100, 1))
    for contamination in np.arange(1, 51) / 100:
        detector = DensityOutlierDetector(
            LOOKernelDensity(1.0), contamination=contamination, novelty=False
        )
        labels = detector.fit_predict(X, sample_weight=np.full(100, weight))
        n_at_most = (detector.left_out_scores_ <= detector.offset_).sum()
        assert (labels == -1).sum() == n_at_most == round(100 * contamination)


def test_weights_up_to_a_value_are_counted():
    values = np.random.RandomState(0).randint(0, 9, 50).astype(float)
    weight = np.random.RandomState(1).uniform(size=50)
    at = np.arange(-1.0, 10.0, 0.5)
    expected = [weight[values <= value].sum() for value in at]
    np.testing.assert_allclose(weight_up_to(values, weight, at), expected, atol=1e-12)


@pytest.mark.parametrize("cv", [5, 0.5], ids=str)
def test_p_values_count_rows_that_are_as_unusual(cv):
    X, queries = rows(0, 80), 2 * rows(1, 30)
    detector = DensityOutlierDetector(GaussianMLE(), cv=cv, random_state=0).fit(X)
    left_out = detector.left_out_scores_[~np.isnan(detector.left_out_scores_)]
    scores = detector.score_samples(queries)
    counts = (left_out <= scores[:, None]).sum(axis=1)
    expected = (1 + counts) / (1 + len(left_out))
    np.testing.assert_allclose(detector.p_values(queries), expected, rtol=1e-15)


@pytest.mark.parametrize("contamination", [0.05, 0.1, 0.5])
def test_a_row_is_flagged_if_its_p_value_is_at_most_the_contamination(contamination):
    """Where n times that share is a number of rows."""
    X, queries = rows(0, 80), 2 * rows(1, 200)
    detector = DensityOutlierDetector(
        GaussianMLE(), contamination=contamination, random_state=0
    ).fit(X)
    is_flagged = detector.predict(queries) == -1
    np.testing.assert_array_equal(
        is_flagged, detector.p_values(queries) <= contamination
    )
    np.testing.assert_array_equal(is_flagged, detector.decision_function(queries) < 0)


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.333])
def test_of_the_rows_of_the_fit_exactly_the_share_is_flagged(contamination):
    X = rows(0, 200)
    detector = DensityOutlierDetector(
        GaussianMLE(), contamination=contamination, novelty=False, random_state=0
    )
    is_flagged = detector.fit_predict(X) == -1
    assert is_flagged.sum() == int(200 * contamination)
    scores = detector.left_out_scores_
    assert scores[is_flagged].max() < scores[~is_flagged].min()


def test_rows_that_tie_are_flagged_together_or_not_at_all():
    X = np.array([[0.0], [0.0], [0.0], [9.0], [9.0]])
    detector = DensityOutlierDetector(LOOKernelDensity(1.0), novelty=False)
    for contamination, n_flagged in [(0.3, 0), (0.4, 2), (0.5, 2)]:
        detector.set_params(contamination=contamination)
        assert (detector.fit_predict(X) == -1).sum() == n_flagged


def test_rows_that_cannot_be_are_flagged_without_a_warning():
    """Log-densities of −inf, also at the threshold."""
    X = np.random.RandomState(0).uniform(size=(50, 1))
    detector = DensityOutlierDetector(LOOKernelDensity(0.1, bounds=(0, 1))).fit(X)
    assert detector.decision_function([[2.0]]) == -np.inf
    assert detector.p_values([[2.0]]) == 1 / 51
    detector.offset_ = -np.inf
    np.testing.assert_array_equal(
        detector.decision_function([[2.0], [0.5]]), [0, np.inf]
    )
    np.testing.assert_array_equal(detector.predict([[2.0], [0.5]]), [1, 1])


def test_float32_rows_have_float32_scores():
    X = rows(0, 60).astype(np.float32)
    detector = DensityOutlierDetector(GaussianMLE(), random_state=0).fit(X)
    assert detector.score_samples(X).dtype == np.float32
    assert detector.decision_function(X).dtype == np.float32
    assert detector.left_out_scores_.dtype == np.float64


# ---- Promises ----

# Some of many fits end with a component on few rows, and promises hold all the same.
OF_MANY_FITS = pytest.mark.filterwarnings("ignore:EMGaussianMixture.*reg_covar")


def in_groups(rng, n_rows, n_features):
    """Three groups of correlated features, the second of a fifth of the rows."""
    groups = rng.choice(3, size=n_rows, p=[0.5, 0.2, 0.3])
    directions = np.random.RandomState(n_features).standard_normal((3, n_features))
    centres = 4 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    common = rng.standard_normal((n_rows, 1))
    spread = np.array([1.0, 0.6, 1.4])[groups, None]
    noise = rng.standard_normal((n_rows, n_features))
    return centres[groups] + spread * (0.6 * common + 0.8 * noise)


def test_a_quantile_of_leave_one_out_scores_keeps_what_one_of_scores_does_not():
    """500 rows of ten features: the quantile of the scores flags nearly all."""
    contamination, naive, kept = 0.05, [], []
    for seed in range(5):
        X, fresh = rows(seed, 500, 10), rows(100 + seed, 4000, 10)
        detector = DensityOutlierDetector(
            LOOKernelDensity(), contamination=contamination
        ).fit(X)
        kept.append(np.mean(detector.predict(fresh) == -1))
        threshold = np.quantile(detector.score_samples(X), contamination)
        naive.append(np.mean(detector.score_samples(fresh) < threshold))
    assert np.mean(naive) > 0.9
    assert abs(np.mean(kept) - contamination) < 0.01


def flagged(density, contaminations, n_rows, n_features, seed, n_fresh=2000):
    """Shares of fresh rows that are flagged."""
    rng = np.random.RandomState(seed)
    X = in_groups(rng, n_rows, n_features)
    fresh = in_groups(rng, n_fresh, n_features)
    detector = DensityOutlierDetector(density, random_state=seed).fit(X)
    scores = detector.left_out_scores_
    ones = np.ones(n_rows)
    offsets = [weighted_quantile(scores, ones, share) for share in contaminations]
    return np.mean(detector.score_samples(fresh) < np.array(offsets)[:, None], axis=1)


# Ten rows or more for each free parameter.
PROMISES = [
    (GaussianMLE(), 660, 10),
    (CholeskyGaussian(tol=None, max_iter=60), 500, 4),
    (LOOKernelDensity(), 500, 10),
    (LOOKernelDensity(covariance_type="full"), 500, 3),
    (EMGaussianMixture(3, random_state=0), 1800, 10),
    (EMGaussianMixture(3, random_state=0), 500, 1),
    (AdamGaussianMixture(3, tol=None, max_iter=40, random_state=0), 500, 4),
]


@OF_MANY_FITS
@pytest.mark.slow
@pytest.mark.parametrize(("density", "n_rows", "n_features"), PROMISES, ids=str)
def test_the_share_of_fresh_rows_that_are_flagged_is_the_contamination(
    density, n_rows, n_features
):
    """Means over 20 seeds; `benchmarks.uses.promises` has more of everything."""
    contaminations = np.array([0.01, 0.05, 0.1])
    shares = np.array(
        [flagged(density, contaminations, n_rows, n_features, s) for s in range(20)]
    )
    assert np.all(np.abs(shares.mean(axis=0) - contaminations) < 0.01)


def p_value_of_one_fresh_row(density, cv, seed):
    rng = np.random.RandomState(seed)
    X = in_groups(rng, 120, 2)
    detector = DensityOutlierDetector(density, cv=cv, random_state=seed).fit(X)
    return detector.p_values(in_groups(rng, 1, 2))[0]


@OF_MANY_FITS
@pytest.mark.slow
@pytest.mark.parametrize("cv", [5, 0.5], ids=str)
@pytest.mark.parametrize(
    "density", [GaussianMLE(), LOOKernelDensity(), EMGaussianMixture(2)], ids=repr
)
def test_p_values_are_not_smaller_than_uniform(density, cv):
    """One fresh row for every fit, so that p-values are independent."""
    n_fits = 60 if isinstance(density, EMGaussianMixture) else 200
    p = [p_value_of_one_fresh_row(density, cv, seed) for seed in range(n_fits)]
    assert kstest(p, "uniform", alternative="greater").pvalue > 0.01


def false_discoveries(cv, level, seed, n_outliers=20):
    """Share of inliers among the rows that are selected from a mixed sample."""
    rng = np.random.RandomState(seed)
    detector = DensityOutlierDetector(GaussianMLE(), cv=cv, random_state=seed)
    detector.fit(rng.standard_normal((500, 3)))
    mixed = rng.standard_normal((200, 3))
    mixed[:n_outliers] += 4
    selected = false_discovery_control(detector.p_values(mixed)) <= level
    n_false = np.count_nonzero(selected[n_outliers:])
    return n_false / max(np.count_nonzero(selected), 1), selected[:n_outliers].mean()


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.1, 0.2])
@pytest.mark.parametrize("cv", [5, 0.5], ids=str)
def test_selected_rows_are_inliers_no_more_often_than_the_level(cv, level):
    """By Benjamini and Hochberg; the bound is the level times the share of inliers."""
    shares, found = np.transpose(
        [false_discoveries(cv, level, seed) for seed in range(100)]
    )
    error = shares.std() / np.sqrt(len(shares))
    assert shares.mean() <= 0.9 * level + 3 * error
    assert found.mean() > 0.8


# ---- Conventions ----


def test_it_is_an_outlier_detector():
    assert is_outlier_detector(DensityOutlierDetector())
    for novelty in (True, False):
        detector = DensityOutlierDetector(GaussianMLE(), novelty=novelty)
        detector.fit(rows(0, 50))
        for name in ("predict", "decision_function", "score_samples", "p_values"):
            assert hasattr(detector, name) == novelty
        assert hasattr(detector, "fit_predict") != novelty
        with pytest.raises(AttributeError) as error:
            _ = detector.fit_predict if novelty else detector.predict
        assert f"novelty={not novelty}" in str(error.value.__cause__)


def test_callers_that_expect_a_detector_are_served():
    """As PyOD and nonconform call: settings by name, copies, scores turned round."""
    X = rows(0, 100)
    detector = DensityOutlierDetector(GaussianMLE())
    detector.set_params(contamination=sys.float_info.min, random_state=1)
    unusual = np.vstack([np.zeros((5, 2)), np.full((5, 2), 5.0)])
    scores = -copy.deepcopy(detector).fit(X).decision_function(unusual)
    assert scores[:5].max() < 0 < scores[5:].min()
    assert clone(detector).fit(X).offset_ == pytest.approx(
        clone(detector).fit(X).left_out_scores_.min()
    )


@pytest.mark.parametrize(
    "density",
    [
        KernelDensity(bandwidth=0.5),
        GaussianMixture(2, random_state=0),
        make_pipeline(StandardScaler(), LOOKernelDensity()),
    ],
    ids=lambda density: type(density).__name__,
)
def test_densities_of_others_serve(density):
    X, fresh = rows(0, 300), rows(1, 3000)
    detector = DensityOutlierDetector(density, random_state=0).fit(X)
    # Of 300 rows the share is uncertain by √(0.1 · 0.9 / 300), three times that.
    assert abs(np.mean(detector.predict(fresh) == -1) - 0.1) < 0.052


def test_frames_reach_the_density_as_they_are(iris):
    """Its columns may go by name."""
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    frame = pd.DataFrame(iris, columns=names)
    petals = ColumnTransformer([("petals", "passthrough", names[2:])])
    density = make_pipeline(petals, GaussianMLE())
    for cv in (5, 0.5):
        detector = DensityOutlierDetector(density, cv=cv, random_state=0).fit(frame)
        other = DensityOutlierDetector(GaussianMLE(), cv=cv, random_state=0)
        other.fit(iris[:, 2:])
        assert detector.offset_ == pytest.approx(other.offset_, rel=1e-12)
        np.testing.assert_array_equal(
            detector.predict(frame), other.predict(iris[:, 2:])
        )
    assert detector.feature_names_in_.tolist() == names


@pytest.mark.parametrize("cv", [0.5, KFold(2)], ids=repr)
def test_single_rows_of_weight_two_keep_their_names(cv):
    """Or else those left out, which have names, would meet a warning."""
    frame = pd.DataFrame({"a": [0.0, 1.0]})
    detector = DensityOutlierDetector(LOOKernelDensity(bandwidth=1.0), cv=cv)
    detector.fit(frame, sample_weight=[2, 2])
    assert detector.density_.feature_names_in_ == ["a"]


def test_missing_values_are_the_densitys():
    X, fresh = rows(0, 60), rows(1, 1000)
    X[::7, 0] = fresh[::7, 0] = np.nan
    for density in (None, GaussianMLE()):
        detector = DensityOutlierDetector(density, cv=2, random_state=0).fit(X)
        # Of 60 rows the share is uncertain by √(0.1 · 0.9 / 60), three times that.
        assert abs(np.mean(detector.predict(fresh) == -1) - 0.1) < 0.12
    kernels = DensityOutlierDetector(LOOKernelDensity(0.3))
    with pytest.raises(ValueError, match="contains NaN"):
        kernels.fit(X)
    with pytest.raises(ValueError, match="contains NaN"):
        kernels.fit(rows(0, 60)).predict(fresh)


def test_a_pipeline_that_fills_in_what_is_missing_is_asked_for_fresh_rows(iris):
    X = iris.copy()
    X[::5, 1] = np.nan
    density = make_pipeline(SimpleImputer(), GaussianMLE())
    detector = DensityOutlierDetector(density, random_state=0).fit(X)
    np.testing.assert_allclose(
        detector.score_samples(X), clone(density).fit(X).score_samples(X), rtol=1e-12
    )


# ---- Bad input ----


@pytest.mark.parametrize("cv", [2, 0.5, KFold(2)], ids=repr)
def test_scores_that_are_nan_are_an_error(cv):
    """They would drop out of the threshold, and fresh rows would all be inliers."""
    X = np.linspace(0, 1, 20)[:, None]
    detector = DensityOutlierDetector(Unsure(), cv=cv, random_state=0)
    message = r"that Unsure\(\) gives is NaN for .* rows, the first of them \[-"
    with pytest.raises(ValueError, match=message):
        detector.fit(X - 0.5)
    assert not hasattr(detector, "offset_")
    detector.fit(X)
    for method in (detector.predict, detector.p_values, detector.score_samples):
        with pytest.raises(ValueError, match=message):
            method(X - 0.5)


WEIGHTS = np.arange(50.0)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"contamination": 0}, ValueError, r"'contamination'.*in the range \(0.0, 0.5"),
        ({"contamination": 0.6}, ValueError, "'contamination'.*Got 0.6"),
        ({"contamination": "auto"}, ValueError, "'contamination'"),
        ({"density": LinearRegression()}, ValueError, "'fit' and 'score_samples'"),
        ({"cv": 1}, ValueError, "'cv'"),
        ({"cv": 1.5}, ValueError, "'cv'"),
        ({"cv": 60}, ValueError, "cv=60 folds.*only 50 have"),
        ({"cv": RepeatedKFold(random_state=0)}, ValueError, "more than once"),
        ({"cv": []}, ValueError, "leaves out no row.*a generator"),
        ({"cv": [(range(40), [40, 40])]}, ValueError, "more than once"),
        ({"cv": [(range(41), [40, 41])]}, ValueError, "both in a fit and among"),
        ({"cv": 0.99}, ValueError, "cv=0.99 leaves none of 50 rows.*smaller share"),
        ({"cv": 0.3, "novelty": False}, ValueError, "`cv` leaves out only 15 of 50"),
        (
            {"cv": ShuffleSplit(1, random_state=0), "novelty": False},
            ValueError,
            "leaves out only 5 of 50",
        ),
        ({"density": EMGaussianMixture(55)}, ValueError, "n_components=55 needs"),
    ],
)
def test_bad_parameters_are_errors(parameters, error, message):
    detector = DensityOutlierDetector(GaussianMLE(), random_state=0).fit(rows(0, 50))
    before = vars(detector).copy()
    with pytest.raises(error, match=message):
        detector.set_params(**parameters).fit(rows(1, 50))
    fitted = {name for name in before if name.endswith("_")}
    assert all(vars(detector)[name] is before[name] for name in fitted)


def test_bad_rows_and_weights_are_errors():
    X = rows(0, 50)
    detector = DensityOutlierDetector(GaussianMLE())
    with pytest.raises(NotFittedError):
        detector.predict(X)
    with pytest.raises(NotFittedError):
        detector.p_values(X)
    with pytest.raises(TypeError, match="DensityOutlierDetector needs all rows"):
        detector.fit(RowBlocks(lambda: iter([X])))
    with pytest.raises(ValueError, match="non-negative"):
        detector.fit(X, sample_weight=-WEIGHTS)
    with pytest.raises(ValueError, match="features"):
        detector.fit(X).predict(X[:, :1])
    mixture = DensityOutlierDetector(GaussianMixture())
    with pytest.raises(ValueError, match=r"`fit` of GaussianMixture\(\) takes none"):
        mixture.fit(X, sample_weight=WEIGHTS)
    assert mixture.fit(X, sample_weight=np.full(50, 2.0)).offset_


def test_rows_that_count_must_be_left_out(iris):
    detector = DensityOutlierDetector(GaussianMLE(), cv=[(range(100), range(100, 150))])
    with pytest.raises(ValueError, match="leaves out no row that counts"):
        detector.fit(iris, sample_weight=np.arange(150) < 100)
    with pytest.raises(ValueError, match=r"cv=5 folds.*only 3 have a positive weight"):
        detector.set_params(cv=5).fit(iris, sample_weight=np.arange(150) < 3)


def test_a_fold_may_be_empty_or_a_mask(iris):
    is_test = np.arange(150) % 3 == 0
    splits = [(~is_test, is_test), (range(100), [])]
    masks = DensityOutlierDetector(GaussianMLE(), cv=splits).fit(iris)
    splits = [(np.flatnonzero(~is_test), np.flatnonzero(is_test))]
    numbers = DensityOutlierDetector(GaussianMLE(), cv=splits).fit(iris)
    np.testing.assert_array_equal(masks.left_out_scores_, numbers.left_out_scores_)


def test_the_default_takes_no_mask_for_numbers(iris):
    with pytest.raises(ValueError, match="masked entries"):
        DensityOutlierDetector().fit(np.ma.masked_greater(iris, 6))


def test_components_that_hold_one_value_are_none_of_the_default(iris):
    """Where one feature is an integer, more of them would buy any likelihood."""
    X = np.column_stack([iris[:, 0], np.random.RandomState(0).randint(2, size=150)])
    assert DensityOutlierDetector(cv=2).fit(X).density_.n_components == 1
    with pytest.warns(UserWarning, match="rests? on"):
        two = EMGaussianMixture(2, random_state=0).fit(X)
    assert two.bic(X) < EMGaussianMixture().fit(X).bic(X) - 100


def test_the_default_is_a_mixture_of_few_components(iris):
    detector = DensityOutlierDetector(cv=2, random_state=0).fit(iris)
    assert isinstance(detector.density_, EMGaussianMixture)
    assert 1 < detector.density_.n_components < 5
    again = DensityOutlierDetector(cv=2, random_state=0).fit(iris)
    np.testing.assert_array_equal(again.left_out_scores_, detector.left_out_scores_)


def test_frames_in_another_order_of_bytes_are_dealt_to_folds():
    X = rows(0, 50)
    swapped = X.astype(X.dtype.newbyteorder("S"))
    detector = DensityOutlierDetector(GaussianMLE(), random_state=0)
    found = clone(detector).fit(pd.DataFrame(swapped)).offset_
    assert found == detector.fit(pd.DataFrame(X)).offset_
