"""What estimators with a density inside refuse alike, and take from others."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdensity import (
    DensityClassifier,
    DensityImputer,
    DensityRegressor,
    GaussianMLE,
    TransformedDensity,
)

Log = FunctionTransformer(np.log)
X = np.random.RandomState(0).gamma(2, size=(40, 2))
Y = np.repeat([0, 1], 20)
USES = [DensityClassifier(), DensityImputer(), DensityRegressor(), TransformedDensity()]


class OfScipy(BaseEstimator):
    """A density that counts no features."""

    def fit(self, X, y=None):
        self.kde_ = gaussian_kde(X.T)
        return self

    def score_samples(self, X):
        return self.kde_.logpdf(X.T)


@pytest.mark.parametrize("use", USES, ids=repr)
def test_what_numpy_takes_for_numbers_is_refused(use):
    masked = np.ma.masked_greater(X, 1)
    times = X[:, :1].astype("datetime64[s]")
    fitted = use.fit(X, Y)
    ask = getattr(fitted, "transform", getattr(fitted, "score_samples", None))
    for method in (lambda X: use.fit(X, Y), ask or fitted.predict):
        with pytest.raises(ValueError, match=r"`X` has .* masked entries"):
            method(masked)
        with pytest.raises(TypeError, match="`X` holds times"):
            method(times)


def test_targets_are_numbers():
    regressor = DensityRegressor(GaussianMLE()).fit(X, Y)
    for method in (regressor.fit, regressor.log_density):
        with pytest.raises(TypeError, match="`y` holds times"):
            method(X, Y.astype("datetime64[s]"))


def test_a_pipeline_is_no_density_of_its_input():
    pipeline = make_pipeline(StandardScaler(), GaussianMLE())
    for density in (pipeline, GridSearchCV(pipeline, {})):
        for use in (DensityClassifier(density), TransformedDensity(Log, density)):
            with pytest.raises(TypeError, match="Give TransformedDensity"):
                use.fit(X, Y)
        with pytest.raises(TypeError, match="Give TransformedDensity"):
            TransformedDensity.from_pipeline(make_pipeline(Log, density).fit(X))
    # Alone, it is one.
    alone = DensityClassifier(make_pipeline(GaussianMLE())).fit(X, Y)
    there = TransformedDensity(StandardScaler(), GaussianMLE())
    expected = alone.predict_proba(X)
    np.testing.assert_allclose(
        DensityClassifier(there).fit(X, Y).predict_proba(X), expected
    )


def test_densities_that_count_no_features():
    pipeline = make_pipeline(Log, OfScipy()).fit(X)
    found = TransformedDensity.from_pipeline(pipeline)
    expected = TransformedDensity(Log, OfScipy()).fit(X).score_samples(X)
    np.testing.assert_array_equal(found.score_samples(X), expected)
    assert DensityClassifier(OfScipy()).fit(X, Y).score(X, Y) > 0.5


def test_what_float32_cannot_hold_is_infinite_in_silence():
    rows, far = X.astype(np.float32), np.full((1, 2), 3e38, np.float32)
    classifier = DensityClassifier().fit(rows, Y)
    assert classifier.score_samples(far) == -np.inf
    np.testing.assert_allclose(classifier.predict_proba(far).sum(), 1)
    farther = np.array([[1.7e308, -1.7e308], [1.7e308, 1.7e308]])
    np.testing.assert_array_equal(classifier.score_samples(farther), -np.inf)
    np.testing.assert_array_equal(classifier.predict_proba(farther), 0.5)
    density = TransformedDensity(StandardScaler(), GaussianMLE()).fit(rows)
    assert density.score_samples(far) == -np.inf
    regressor = DensityRegressor(GaussianMLE()).fit(rows, Y)
    assert regressor.log_density(rows[:1], [1e30]) == -np.inf
