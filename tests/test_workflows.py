"""The estimators inside scikit-learn: searches, pipelines, clones, files, frames."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skdensity import (
    AdamGaussianMixture,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

# One width for the four lengths of a flower is enough here.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

SEARCHES = [
    (LOOKernelDensity(), {"bandwidth": [0.05, 0.1, 0.2, 0.4, "loo", "scott"]}),
    (EMGaussianMixture(random_state=0, reg_covar=1e-5), {"n_components": [1, 2, 3]}),
    (AdamGaussianMixture(random_state=0, reg_covar=1e-5), {"n_components": [1, 2, 3]}),
]

FOLDS = KFold(3, shuffle=True, random_state=0)


@pytest.mark.parametrize(("density", "grid"), SEARCHES, ids=repr)
def test_grid_search_finds_the_best_held_out_likelihood(iris, density, grid):
    search = GridSearchCV(density, grid, cv=FOLDS).fit(iris)
    (name,) = grid
    by_hand = [
        cross_val_score(
            clone(density).set_params(**{name: value}), iris, cv=FOLDS
        ).mean()
        for value in grid[name]
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_hand)
    assert search.best_params_[name] == grid[name][int(np.argmax(by_hand))]
    assert search.best_score_ > by_hand[0]
    assert search.score(iris) == search.best_estimator_.score(iris)


@pytest.mark.parametrize(("density", "grid"), SEARCHES, ids=repr)
def test_grid_search_inside_a_pipeline(density, grid):
    X = load_digits().data[:400]
    (name,) = grid
    pipeline = make_pipeline(StandardScaler(), PCA(5, random_state=0), density)
    prefix = f"{type(density).__name__.lower()}__"
    search = GridSearchCV(pipeline, {prefix + name: grid[name]}, cv=FOLDS).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    rows = search.best_estimator_[:-1].transform(X)
    np.testing.assert_allclose(
        search.best_estimator_.score_samples(X),
        search.best_estimator_[-1].score_samples(rows),
    )


def test_samples_come_back_through_a_pipeline():
    X = load_digits().data
    pipeline = make_pipeline(PCA(20, random_state=0), GaussianMLE()).fit(X)
    images = pipeline[:-1].inverse_transform(pipeline[-1].sample(10, random_state=0))
    assert images.shape == (10, 64)


def test_clones_are_equal_and_unfitted(iris, estimator):
    fitted = clone(estimator).fit(iris)
    again = clone(fitted)
    assert again.get_params() == estimator.get_params()
    assert not [name for name in vars(again) if name.endswith("_")]
    np.testing.assert_allclose(
        again.fit(iris).score_samples(iris), fitted.score_samples(iris), rtol=1e-9
    )


def test_files_round_trip(iris, estimator, tmp_path):
    estimator.fit(iris)
    joblib.dump(estimator, tmp_path / "density.joblib")
    for again in (
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(tmp_path / "density.joblib"),
    ):
        np.testing.assert_allclose(
            again.score_samples(iris), estimator.score_samples(iris), rtol=1e-12
        )
        np.testing.assert_allclose(
            np.vstack(again.sample(3, random_state=0)[:1]),
            np.vstack(estimator.sample(3, random_state=0)[:1]),
            rtol=1e-12,
        )


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_keep_their_names(iris, estimator, frame):
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    table = frame(dict(zip(names, iris.T, strict=True)))
    fitted = clone(estimator).fit(table)
    assert fitted.feature_names_in_.tolist() == names
    expected = clone(estimator).fit(iris).score_samples(iris)
    np.testing.assert_allclose(fitted.score_samples(table), expected, rtol=1e-9)
    with pytest.raises(ValueError, match="feature names"):
        fitted.score_samples(table[names[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        fitted.score_samples(iris)


def test_weights_are_routed_through_a_search(iris):
    weight = np.random.RandomState(0).randint(1, 5, len(iris))
    with sklearn.config_context(enable_metadata_routing=True):
        density = LOOKernelDensity().set_fit_request(sample_weight=True)
        density.set_score_request(sample_weight=True)
        search = GridSearchCV(density, {"bandwidth": [0.1, 0.3]}, cv=FOLDS)
        search.fit(iris, sample_weight=weight)
    train, test = next(iter(FOLDS.split(iris)))
    expected = (
        LOOKernelDensity(0.1)
        .fit(iris[train], sample_weight=weight[train])
        .score(iris[test], sample_weight=weight[test])
    )
    assert search.cv_results_["split0_test_score"][0] == pytest.approx(expected)


def test_links_to_its_page(estimator):
    name = type(estimator).__name__
    assert estimator._get_doc_link().endswith(f"/api/skdensity.{name}.html")


def test_is_tagged_as_a_density_estimator(estimator):
    assert get_tags(estimator).estimator_type == "density_estimator"


def test_fit_leaves_rows_weights_and_parameters_alone(iris, estimator):
    rows, weight = iris.copy(), np.ones(len(iris))
    parameters = estimator.get_params()
    estimator.fit(rows, sample_weight=weight)
    np.testing.assert_array_equal(rows, iris)
    np.testing.assert_array_equal(weight, 1)
    assert all(
        estimator.get_params()[name] is value for name, value in parameters.items()
    )


def test_read_only_rows_are_enough(iris, estimator):
    assert not iris.flags.writeable
    estimator.fit(iris).score_samples(iris)
