"""The imputer, as a step of scikit-learn's pipelines."""

import numpy as np
import pandas as pd
import pytest
from conftest import ON_AWKWARD_DATA
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdensity import DensityImputer, EMGaussianMixture, GaussianMLE, LOOKernelDensity


@ON_AWKWARD_DATA
@parametrize_with_checks([DensityImputer(), DensityImputer(GaussianMLE())])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def X(iris):
    rng = np.random.RandomState(0)
    X = iris.copy()
    X[rng.random_sample(X.shape) < 0.2] = np.nan
    return X


def test_it_fills_in_what_its_density_does(X):
    for sample in (False, True):
        imputer = DensityImputer(GaussianMLE(), sample_posterior=sample, random_state=0)
        filled = imputer.fit_transform(X)
        expected = GaussianMLE().fit(X).impute(X, sample=sample, random_state=0)
        np.testing.assert_array_equal(filled, expected)


def test_the_default_density_has_the_least_bic(X):
    density = DensityImputer(random_state=0).fit(X).density_
    n = density.n_components
    assert n > 1
    for other in (n - 1, n + 1):
        mixture = EMGaussianMixture(other, random_state=0).fit(X)
        assert mixture.bic(X) >= density.bic(X)


@pytest.mark.filterwarnings("ignore:DensityImputer.*have no value:UserWarning")
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("add", [False, True])
def test_empty_features_and_indicators(X, keep, add):
    X = np.insert(X, 1, np.nan, axis=1)
    imputer = DensityImputer(
        GaussianMLE(), keep_empty_features=keep, add_indicator=add
    ).fit(X)
    out = imputer.transform(X)
    names = imputer.get_feature_names_out()
    assert out.shape[1] == len(names) == 4 + keep + 5 * add
    assert np.isfinite(out).all()
    assert ("x1" in names) == keep
    if keep:
        np.testing.assert_array_equal(out[:, 1], 0)
    if add:
        np.testing.assert_array_equal(out[:, -5:], np.isnan(X))


@pytest.mark.parametrize("is_named", [False, True])
def test_what_is_left_out_is_told(X, is_named):
    X = np.insert(X, 1, np.nan, axis=1)
    rows = pd.DataFrame(X, columns=list("abcde")) if is_named else X
    told = r"\['b'\] have no value" if is_named else r"1.*\] have no value"
    with pytest.warns(UserWarning, match=told + ".*keep_empty_features=True"):
        DensityImputer(GaussianMLE()).fit(rows)
    DensityImputer(GaussianMLE(), keep_empty_features=True).fit(rows)


def test_it_is_a_step_of_pipelines(X, iris):
    columns = ColumnTransformer([("fill", DensityImputer(GaussianMLE()), [0, 2, 3])])
    model = make_pipeline(columns, LinearRegression()).fit(X, iris[:, 1])
    assert model.score(X, iris[:, 1]) > 0.3
    assert list(columns.fit(X).get_feature_names_out()) == [
        "fill__x0",
        "fill__x2",
        "fill__x3",
    ]


def test_what_it_cannot_use_is_an_error(X):
    imputer = DensityImputer(GaussianMLE()).fit(X)
    before = vars(imputer).copy()
    with pytest.raises(ValueError, match="no value at all"):
        imputer.fit(np.full((5, 4), np.nan))
    assert vars(imputer) == before
    with pytest.raises(ValueError, match="infinity"):
        imputer.transform([[np.inf, 1, 1, 1]])
    with pytest.raises(NotFittedError):
        DensityImputer().transform(X)
    with pytest.raises(ValueError, match="'density' parameter"):
        DensityImputer(LinearRegression()).fit(X)


def test_kernels_learn_from_complete_rows_and_fill_in_others(X):
    imputer, complete = DensityImputer(LOOKernelDensity(0.3)), ~np.isnan(X).any(axis=1)
    before = vars(imputer).copy()
    message = r"density=LOO\S+0.3\) takes none in `fit`.*the complete rows"
    with pytest.raises(ValueError, match=message):
        imputer.fit(X)
    assert vars(imputer) == before
    filled = imputer.fit(X[complete]).transform(X)
    expected = LOOKernelDensity(0.3).fit(X[complete]).impute(X)
    np.testing.assert_array_equal(filled, expected)


def test_what_else_a_density_complains_of_is_said(X):
    with pytest.raises(ValueError, match="n_components=500 needs"):
        DensityImputer(EMGaussianMixture(500)).fit(X)
    with pytest.raises(ValueError, match="`bounds` exclude rows"):
        DensityImputer(LOOKernelDensity(bounds=(0, 1))).fit(np.arange(6)[:, None])


def test_finite_rows_whose_sum_is_no_number_are_indicated():
    largest = np.finfo(np.float32).max
    X = np.float32(0.8 * largest) * np.array([[1, -1], [-1, 1]] * 20, np.float32)
    X[0, 0] = np.nan
    imputer = DensityImputer(GaussianMLE(reg_covar="auto"), add_indicator=True)
    assert imputer.fit_transform(X)[:2, 2].tolist() == [1, 0]
