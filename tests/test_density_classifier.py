"""The classifier: Bayes' rule with a density for each class."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import Unsure
from joblib import parallel_config
from scipy.integrate import trapezoid
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skdensity import (
    DensityClassifier,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
)

DENSITIES = [
    GaussianMLE(),
    EMGaussianMixture(2, covariance_type="diag", random_state=0),
    LOOKernelDensity(0.3),
    KernelDensity(bandwidth=0.3),
    GaussianMixture(2, reg_covar=1e-2, random_state=0),
]


# Their classes have few rows, of which the fits warn.
FEW_ROWS = pytest.mark.filterwarnings("ignore:.*GaussianMLE.*rests on:UserWarning")


@FEW_ROWS
@parametrize_with_checks([DensityClassifier()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check", [check_dataframe_column_names_consistency, check_param_validation]
)
def test_checks_that_the_generator_leaves_out(check):
    check("DensityClassifier", DensityClassifier())


@pytest.fixture(scope="module")
def X():
    return load_iris().data


@pytest.fixture(scope="module")
def y():
    iris = load_iris()
    return iris.target_names[iris.target].astype(str)


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_it_is_bayes_rule(density, X, y):
    priors = [0.2, 0.3, 0.5]
    classifier = DensityClassifier(density, priors=priors).fit(X, y)
    each = [clone(density).fit(X[y == c]).score_samples(X) for c in classifier.classes_]
    joint = np.transpose(each) + np.log(priors)
    total = logsumexp(joint, axis=1)
    log_proba = joint - total[:, None]
    np.testing.assert_allclose(classifier.score_samples(X), total)
    np.testing.assert_allclose(classifier.predict_log_proba(X), log_proba, atol=1e-9)
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_array_equal(
        classifier.predict(X), classifier.classes_[log_proba.argmax(axis=1)]
    )


@pytest.mark.parametrize("priors", [None, [0.2, 0.3, 0.5]])
def test_one_gaussian_for_each_class_is_quadratic_discriminant_analysis(X, y, priors):
    classifier = DensityClassifier(GaussianMLE(), priors=priors).fit(X, y)
    qda = QuadraticDiscriminantAnalysis(priors=priors, store_covariance=True).fit(X, y)
    for k, density in enumerate(classifier.densities_):
        n = np.count_nonzero(y == classifier.classes_[k])
        ratio = qda.covariance_[k][0, 0] / density.covariance_[0, 0]
        # From 1.9 on scikit-learn divides by n, too; before by n − 1.
        assert min(abs(ratio - 1), abs(ratio - n / (n - 1))) < 1e-12
        density.covariance_ = ratio * density.covariance_
    np.testing.assert_allclose(classifier.priors_, qda.priors_)
    np.testing.assert_allclose(
        classifier.predict_log_proba(X), qda.predict_log_proba(X), rtol=1e-9, atol=1e-9
    )


def test_independent_features_are_naive_bayes(X, y):
    classifier = DensityClassifier(GaussianMLE(covariance_type="diag")).fit(X, y)
    bayes = GaussianNB(var_smoothing=0).fit(X, y)
    np.testing.assert_allclose(
        classifier.predict_log_proba(X), bayes.predict_log_proba(X), atol=1e-9
    )


@pytest.mark.parametrize("density", [None, KernelDensity(bandwidth=0.3)], ids=repr)
def test_a_weight_is_a_repetition_and_zero_is_absence(density, X, y):
    rng = np.random.RandomState(0)
    weight = rng.randint(0, 3, size=len(X))
    weighted = DensityClassifier(density).fit(X, y, sample_weight=weight)
    repeated = DensityClassifier(density).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    np.testing.assert_allclose(weighted.priors_, repeated.priors_)
    np.testing.assert_allclose(
        weighted.predict_log_proba(X), repeated.predict_log_proba(X), atol=1e-7
    )


def test_a_class_without_weight_is_none(X, y):
    weight = np.where(y == "setosa", 0.0, 1.0)
    classifier = DensityClassifier().fit(X, y, sample_weight=weight)
    assert classifier.classes_.tolist() == ["versicolor", "virginica"]
    assert classifier.predict_proba(X).shape == (150, 2)
    alone = DensityClassifier().fit(X[:50], y[:50])
    assert (alone.predict(X) == "setosa").all()


def test_unequal_weights_need_a_density_that_takes_them(X, y):
    density = GaussianMixture(random_state=0)
    plain = DensityClassifier(density).fit(X, y)
    # Of each class by itself.
    equal = np.where(y == "setosa", 2.0, 1.0)
    weighted = DensityClassifier(density).fit(X, y, sample_weight=equal)
    np.testing.assert_allclose(weighted.priors_, [0.5, 0.25, 0.25])
    np.testing.assert_array_equal(
        plain.densities_[0].means_, weighted.densities_[0].means_
    )
    with pytest.raises(ValueError, match=r"unequal weights.*takes none.*EMGaussianMix"):
        DensityClassifier(density).fit(X, y, sample_weight=np.arange(1, 151))


def test_what_is_missing_is_integrated_out(X, y):
    holed = X.copy()
    holed[:, 1] = np.nan
    classifier = DensityClassifier(GaussianMLE()).fit(X, y)
    without = DensityClassifier(GaussianMLE()).fit(np.delete(X, 1, axis=1), y)
    for method in ("predict_log_proba", "score_samples"):
        expected = getattr(without, method)(np.delete(X, 1, axis=1))
        np.testing.assert_allclose(
            getattr(classifier, method)(holed), expected, atol=1e-9
        )
    # Nothing is known of a row without any value.
    nothing = np.full((1, 4), np.nan)
    np.testing.assert_allclose(classifier.predict_proba(nothing), [classifier.priors_])
    some = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
    assert DensityClassifier().fit(some, y).score(some, y) > 0.95


def test_nan_is_allowed_where_the_density_takes_it(X, y):
    def allows(estimator):
        return get_tags(estimator).input_tags.allow_nan

    assert allows(DensityClassifier())
    assert allows(DensityClassifier(EMGaussianMixture()))
    assert not allows(DensityClassifier(LOOKernelDensity()))
    assert not allows(DensityClassifier(KernelDensity()))
    X = X.copy()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"class 'setosa'.*contains NaN"):
        DensityClassifier(KernelDensity()).fit(X, y)


@pytest.mark.parametrize("density", [GaussianMLE(), KernelDensity(bandwidth=0.2)])
def test_the_density_of_all_integrates_to_one(density, X, y):
    classifier = DensityClassifier(density).fit(X[:, :1], y)
    x = np.linspace(0, 12, 4001)
    total = trapezoid(np.exp(classifier.score_samples(x[:, None])), x)
    assert abs(total - 1) < 1e-6


def test_rows_that_no_class_makes_possible_have_the_priors(X, y):
    density = LOOKernelDensity(0.3, bounds=(0, None))
    classifier = DensityClassifier(density, priors=[0.2, 0.2, 0.6]).fit(X, y)
    beyond = [[-1.0, 3.0, 3.0, 1.0]]
    assert classifier.score_samples(beyond) == -np.inf
    np.testing.assert_allclose(classifier.predict_proba(beyond), [[0.2, 0.2, 0.6]])
    assert classifier.predict(beyond) == ["virginica"]


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_draws_come_from_the_classes(density, X, y):
    priors = [0.1, 0.3, 0.6]
    classifier = DensityClassifier(density, priors=priors).fit(X, y)
    rows, labels = classifier.sample(2000, random_state=0)
    again, _ = classifier.sample(2000, random_state=0)
    np.testing.assert_array_equal(rows, again)
    assert rows.shape == (2000, 4)
    for k, label in enumerate(classifier.classes_):
        here = labels == label
        # Within five standard errors, the probability of more being below 1e-6.
        error = np.sqrt(priors[k] * (1 - priors[k]) / 2000)
        assert abs(here.mean() - priors[k]) < 5 * error
        spread = rows[here].std(axis=0) / np.sqrt(here.sum())
        off = rows[here].mean(axis=0) - X[y == label].mean(axis=0)
        assert (np.abs(off) < 5 * spread).all()


def test_the_class_that_is_asked_for_is_drawn(X, y):
    classifier = DensityClassifier().fit(X, y)
    rows, labels = classifier.sample(500, random_state=0, label="virginica")
    assert (labels == "virginica").all()
    assert np.mean(classifier.predict(rows) == "virginica") > 0.9
    assert classifier.sample()[0].shape == (1, 4)
    with pytest.raises(ValueError, match="`label` is 'rose'; it must be one of"):
        classifier.sample(label="rose")
    with pytest.raises(ValueError, match=r"`label` is .*; it must be one of"):
        classifier.sample(label=["setosa", "virginica"])
    with pytest.raises(ValueError, match="'n_samples': 0"):
        classifier.sample(0)


def test_a_seed_draws_the_same_from_what_has_its_own(X, y):
    """scikit-learn's mixture repeats itself by its own seed, which stays as it is."""
    classifier = DensityClassifier(GaussianMixture(random_state=7)).fit(X, y)
    first, _ = classifier.sample(5, random_state=1, label="setosa")
    other, _ = classifier.sample(5, random_state=2, label="setosa")
    again, _ = classifier.sample(5, random_state=1, label="setosa")
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert classifier.densities_[0].random_state == 7


class Scored(KernelDensity):
    """A density that nothing can be drawn from."""

    @property
    def sample(self):
        raise AttributeError


def test_what_a_density_lacks_is_named(X, y):
    with pytest.raises(ValueError, match="'fit' and 'score_samples'"):
        DensityClassifier(LinearRegression()).fit(X, y)
    with pytest.raises(TypeError, match=r"density=Scored.*no method `sample`"):
        DensityClassifier(Scored()).fit(X, y).sample()


@FEW_ROWS
def test_a_class_that_is_too_small_is_named(X, y):
    X, y = X[49:52], y[49:52]
    classifier = DensityClassifier().fit(X[1:], y[1:])
    before = vars(classifier).copy()
    message = (
        r"GaussianMLE.*cannot be fitted to class 'setosa', which has 1 sample: .*2"
    )
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    assert vars(classifier) == before


def test_a_class_without_a_density_is_named(X, y):
    X = X.copy()
    X[y == "virginica", 2] = 1.0
    with pytest.raises(ValueError, match=r"class 'virginica', .*covariance_` is sing"):
        DensityClassifier(GaussianMLE()).fit(X, y)
    assert DensityClassifier().fit(X, y).score(X, y) > 0.95


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ([0.5, 0.5], r"shape \(2,\); expected \(3,\).*setosa"),
        ([0.5, 0.6, 0.1], "sum to 1; got .* which sums to 1.2"),
        ([-0.5, 1.0, 0.5], "non-negative"),
        ([np.nan, 0.5, 0.5], "priors contains NaN"),
    ],
)
def test_priors_are_probabilities(X, y, priors, message):
    with pytest.raises(ValueError, match=message):
        DensityClassifier(priors=priors).fit(X, y)


def test_other_bad_input(X, y):
    pd = pytest.importorskip("pandas")
    with pytest.raises(NotFittedError):
        DensityClassifier().predict(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    classifier = DensityClassifier().fit(frame, y)
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- e"):
        classifier.predict(frame.rename(columns={"a": "e"}))
    with pytest.raises(ValueError, match="X has 3 features"):
        DensityClassifier().fit(X, y).predict(X[:, :3])
    with pytest.raises(ValueError, match="infinity"):
        classifier.predict_proba(frame.replace(5.1, np.inf))
    with pytest.raises(TypeError, match="memory"):
        DensityClassifier().fit(RowBlocks(lambda: iter([X])), y)


def test_single_precision_goes_in_and_comes_out(X, y):
    single = X.astype(np.float32)
    classifier = DensityClassifier().fit(single, y)
    for method in ("predict_proba", "predict_log_proba", "score_samples"):
        values = getattr(classifier, method)(single)
        # Probabilities near 1 tell apart what float32 does not.
        assert values.dtype == (np.float32 if method == "score_samples" else np.float64)
        expected = getattr(classifier, method)(single.astype(np.float64))
        np.testing.assert_array_equal(values, expected.astype(values.dtype))
    assert classifier.sample(3, random_state=0)[0].dtype == np.float32


def test_classes_are_fitted_at_the_same_time(X, y):
    with parallel_config("threading"):
        one, two = (DensityClassifier(n_jobs=n).fit(X, y) for n in (None, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_a_pickle_is_the_same(X, y):
    for density in DENSITIES:
        classifier = DensityClassifier(density).fit(X, y)
        copy = pickle.loads(pickle.dumps(classifier))
        np.testing.assert_array_equal(
            classifier.predict_proba(X), copy.predict_proba(X)
        )


# ---- Warnings and scores of densities ----


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_warning_of_a_density_tells_the_class(n_jobs):
    X, y = np.arange(9.0)[:, None], np.array(["few"] * 3 + ["many"] * 6)
    classifier = DensityClassifier(Unsure(), n_jobs=n_jobs)
    message = "DensityClassifier: class 'few': There are few rows."
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        classifier.fit(X, y)
    (warned,) = caught
    assert str(warned.message) == message
    assert warned.category is ConvergenceWarning
    assert warned.filename == __file__
    with pytest.raises(ConvergenceWarning, match=message):
        DensityClassifier(Unsure()).fit(X, y)


def test_other_threads_leave_the_filters_of_warnings_alone():
    """They belong to all threads, so that warnings take their usual way."""
    X, y = np.arange(9.0)[:, None], np.repeat(["few", "many"], [3, 6])
    filters = list(warnings.filters)
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(DensityClassifier(Unsure()).fit, X, y)
        with pytest.raises(ConvergenceWarning, match=r"^There are few rows\.$"):
            fit.result()
    assert warnings.filters == filters


def test_scores_that_are_nan_are_an_error():
    X, y = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
    classifier = DensityClassifier(Unsure()).fit(X, y)
    message = r"that Unsure\(\) gives is NaN for 1 of 2 rows, the first of them \[-1"
    for method in (classifier.predict, classifier.score_samples):
        with pytest.raises(ValueError, match=message):
            method([[3.0], [-1.0]])
