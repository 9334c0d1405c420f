"""Bad input: a clear error, and an estimator that is left as it was."""

from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import ONE_OF_EACH
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

X = load_iris().data[::5, :2]

BAD_ROWS = [
    (np.where(X > 6, np.inf, X), "Input X contains infinity"),
    (X + 1j, "Complex data not supported"),
    (X[:, 0], "Expected 2D array, got 1D array"),
    (X[:0], r"0 sample\(s\)"),
    (X[:, :0], r"0 feature\(s\)"),
    (X[:1], r"1 sample|n_samples=1|minimum of 2"),
    ([["a", "b"], ["c", "d"]], "`X` holds strings in columns 0, 1"),
]

BAD_WEIGHTS = [
    (
        -np.ones(len(X)),
        r"`sample_weight` must be non-negative; its smallest value is -1\.",
    ),
    (np.zeros(len(X)), "zero"),
    (np.ones(3), r"sample_weight.shape == \(3,\), expected \(30,\)"),
    (np.full(len(X), np.nan), "sample_weight contains NaN"),
    (np.ones((len(X), 2)), "Sample weights must be 1D"),
    (np.full(len(X), 1e308), r"largest value is 1e\+308\. Divide the weights by it"),
    (np.eye(1, len(X)).ravel(), "n_samples=1"),
]


@pytest.fixture(params=ONE_OF_EACH, ids=lambda estimator: type(estimator).__name__)
def fitted(request):
    return clone(request.param).fit(X)


def methods_that_fit(estimator):
    yield estimator.fit
    if hasattr(estimator, "partial_fit"):
        yield estimator.partial_fit


@pytest.mark.parametrize(("rows", "message"), BAD_ROWS)
def test_bad_rows_in_fit(fitted, rows, message):
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(rows)
    assert vars(fitted) == before


@pytest.mark.parametrize(("weight", "message"), BAD_WEIGHTS)
def test_bad_weights(fitted, weight, message):
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, sample_weight=weight)
    assert vars(fitted) == before


@pytest.mark.parametrize(("weight", "message"), BAD_WEIGHTS[:-1])
def test_bad_weights_in_score(fitted, weight, message):
    with pytest.raises(ValueError, match=message):
        fitted.score(X, sample_weight=weight)


def test_bad_rows_in_partial_fit():
    density = GaussianMLE().fit(X)
    before = dict(vars(density))
    for rows, message in [*BAD_ROWS[:-2], (X[:, :1], "X has 1 features, but Gaussian")]:
        with pytest.raises(ValueError, match=message):
            density.partial_fit(rows)
        assert vars(density) == before


def test_sparse_rows_are_refused_with_advice(fitted):
    for method in methods_that_fit(fitted):
        with pytest.raises(TypeError, match="toarray"):
            method(csr_array(X))


DAYS = np.arange("2020-01-01", "2020-01-31", dtype="datetime64[D]")
SINCE = DAYS - DAYS[0]
TIMES = [
    np.column_stack([DAYS, DAYS]),
    np.column_stack([SINCE, SINCE]),
    [[day, day] for day in DAYS],
    [[day, 1.0] for day in DAYS.astype(object)],
    np.array([[day, 1.0] for day in DAYS], dtype=object),
    [[timedelta(day), timedelta(1)] for day in range(30)],
    pd.DataFrame({"a": DAYS, "b": 1.0}),
    pd.DataFrame({"a": SINCE, "b": SINCE}),
    pd.DataFrame({"a": pd.Series(DAYS).dt.tz_localize("UTC"), "b": 1.0}),
    pd.DataFrame({"a": 1.0, "b": pd.Series(DAYS).astype(object)}),
    pl.DataFrame({"a": DAYS, "b": DAYS}),
    pl.DataFrame({"a": 1.0, "b": DAYS.astype("datetime64[us]")}),
    pl.DataFrame({"a": 1.0, "b": SINCE.astype("timedelta64[us]")}),
]


@pytest.mark.parametrize("rows", TIMES)
def test_times_are_refused_with_advice(fitted, rows):
    check_refused(
        fitted, rows, TypeError, r"`X` holds times \(\w+.*days since the first"
    )


MASKED = np.ma.array(X, mask=np.eye(*X.shape))


@pytest.mark.parametrize("rows", [MASKED, list(MASKED)], ids=["array", "list"])
def test_masked_entries_are_refused_with_advice(fitted, rows):
    advice = r"`X` has 2 masked entries.*getmaskarray.*filled\(np.nan\)"
    check_refused(fitted, rows, ValueError, advice)


def test_a_mask_that_hides_nothing_is_no_mask(fitted):
    expected = fitted.score_samples(X)
    bare = np.ma.array(X, mask=False)
    np.testing.assert_array_equal(fitted.score_samples(bare), expected)
    np.testing.assert_array_equal(fitted.fit(bare).score_samples(X), expected)


def test_weights_are_numbers(fitted):
    hidden = np.ma.array(np.ones(len(X)), mask=np.arange(len(X)) == 3)
    with pytest.raises(ValueError, match="`sample_weight` has 1 masked entr"):
        fitted.fit(X, sample_weight=hidden)
    with pytest.raises(TypeError, match="`sample_weight` holds times"):
        fitted.score(X, sample_weight=SINCE)


def check_refused(fitted, rows, error, message):
    before = dict(vars(fitted))
    for method in [*methods_that_fit(fitted), *methods_that_evaluate(fitted)]:
        with pytest.raises(error, match=message):
            method(rows)
        assert vars(fitted) == before


def methods_that_evaluate(fitted):
    names = "score_samples score predict predict_proba aic bic icl gradient cdf"
    return [getattr(fitted, name) for name in names.split() if hasattr(fitted, name)]


BAD_QUERIES = [
    *BAD_ROWS[:-2],
    (csr_array(X), "toarray"),
    (np.ones((2, 3)), r"X has 3 features, but .* is expecting 2"),
]


@pytest.mark.parametrize(("rows", "message"), BAD_QUERIES)
def test_bad_rows_once_fitted(fitted, rows, message):
    for method in methods_that_evaluate(fitted):
        with pytest.raises((ValueError, TypeError), match=message):
            method(rows)


def test_not_fitted(fitted):
    fresh = type(fitted)()
    for call in (
        lambda: fresh.score_samples(X),
        lambda: fresh.score(X),
        lambda: fresh.sample(),
    ):
        with pytest.raises(NotFittedError, match=f"This {type(fitted).__name__} inst"):
            call()


@pytest.mark.parametrize("n_samples", [0, -1])
def test_sample_wants_a_positive_number(fitted, n_samples):
    with pytest.raises(ValueError, match=f"'n_samples': {n_samples}; it must be"):
        fitted.sample(n_samples)


def test_sample_wants_an_integer(fitted):
    with pytest.raises(TypeError, match="n_samples must be an instance of int"):
        fitted.sample(1.5)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (GaussianMLE(covariance_type="tied"), "'covariance_type'.*'tied'"),
        (GaussianMLE(reg_covar=-1), "'reg_covar'.*-1"),
        (CholeskyGaussian(learning_rate_init=0), "'learning_rate_init'.*0"),
        (CholeskyGaussian(beta_2=1.0), "'beta_2'.*1.0"),
        (LOOKernelDensity("cv"), "'bandwidth'.*'cv'"),
        (LOOKernelDensity(0), "'bandwidth'.*Got 0"),
        (LOOKernelDensity(-1.0), "'bandwidth'.*Got -1.0"),
        (LOOKernelDensity(np.inf), "'bandwidth'.*inf"),
        (EMGaussianMixture(0), "'n_components'.*0"),
        (EMGaussianMixture(init_params="standard_normal"), "'init_params'"),
        (EMGaussianMixture(31), r"n_components=31.*n_samples=30"),
        (AdamGaussianMixture(batch_size=0), "'batch_size'.*0"),
        (AdamGaussianMixture(31), r"n_components=31.*n_samples=30"),
    ],
    ids=repr,
)
def test_bad_parameters(estimator, message):
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X)
    assert vars(estimator) == before


def test_zero_weights_count_as_absent_when_components_are_counted():
    weight = np.zeros(len(X))
    weight[:3] = 1
    with pytest.raises(ValueError, match=r"n_components=4.*n_samples=3"):
        EMGaussianMixture(4).fit(X, sample_weight=weight)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("size", [1e154, 1e300])
@pytest.mark.parametrize(
    "estimator",
    [GaussianMLE(), CholeskyGaussian(), EMGaussianMixture(2), AdamGaussianMixture(2)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_values_whose_squares_overflow_are_named(estimator, size):
    table = pd.DataFrame(X.copy(), columns=["a", "b"])
    fitted = clone(estimator).fit(table)
    table["b"] *= size
    before = dict(vars(fitted))
    for fit in methods_that_fit(fitted):
        with pytest.raises(ValueError, match=r"'b' has values .* squares.*Rescale"):
            fit(table)
        assert vars(fitted).keys() == before.keys()
    # A row of weight zero is not there.
    rows = np.vstack([X, [[1.0, size]]])
    fitted.fit(rows, sample_weight=np.append(np.ones(len(X)), 0.0))


ALL = [
    GaussianMLE(),
    CholeskyGaussian(),
    LOOKernelDensity(covariance_type="full"),
    EMGaussianMixture(2),
    AdamGaussianMixture(2),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("size", [1e-160, 1e-300, 5e-324])
@pytest.mark.parametrize("estimator", ALL, ids=lambda one: type(one).__name__)
def test_values_whose_squares_underflow_are_named(estimator, size):
    table = pd.DataFrame(X.copy(), columns=["a", "b"])
    fitted = clone(estimator).fit(table)
    table["b"] = size * np.arange(len(X))  # which begins with 0
    before = dict(vars(fitted))
    for fit in methods_that_fit(fitted):
        with pytest.raises(ValueError, match=r"'b' has no value .* underflow.*1e\d+"):
            fit(table)
        assert vars(fitted).keys() == before.keys()


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_a_given_bandwidth_needs_no_squares(size):
    density = LOOKernelDensity(bandwidth=size).fit(size * X)
    assert np.isfinite(density.score(size * X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", ALL, ids=lambda one: type(one).__name__)
def test_finite_rows_whose_sum_is_no_number_are_finite(estimator):
    largest = np.finfo(np.float32).max
    rows = np.tile([[0.8], [-0.8]], (40, 1)).astype(np.float32) * largest
    density = clone(estimator).fit(np.float32(X))
    assert not np.isnan(density.score_samples(np.hstack([rows, -rows]))).any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [EMGaussianMixture(2), AdamGaussianMixture(2), GaussianMLE(), CholeskyGaussian()],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_whose_products_with_squares_overflow_are_named(estimator, dtype):
    rows = X.astype(dtype)
    with pytest.raises(ValueError, match="Divide `sample_weight` by its largest value"):
        clone(estimator).fit(rows, sample_weight=np.full(len(X), 1e306))
    heavy = clone(estimator).fit(rows, sample_weight=np.full(len(X), 1e300))
    unit = clone(estimator).fit(rows)
    assert heavy.score(rows) == pytest.approx(unit.score(rows), abs=1e-4)


@pytest.mark.filterwarnings("ignore:.*rests on `reg_covar`:UserWarning")
@pytest.mark.parametrize(
    "estimator",
    [GaussianMLE(reg_covar="auto"), EMGaussianMixture(1)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_inverse_that_overflows_is_an_error(estimator):
    collinear = 4e-151 * np.array([[2.0, 4.0, 1.0, 2.0], [1.9, 3.9, 1.0, 1.9]])
    fitted = clone(estimator).fit(X)
    before = dict(vars(fitted))
    with pytest.raises(
        ValueError, match=r"inverse of a covariance overflows.*multiply"
    ):
        fitted.fit(collinear)
    assert vars(fitted).keys() == before.keys()
    assert fitted.n_features_in_ == 2
