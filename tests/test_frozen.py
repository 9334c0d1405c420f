"""Densities and transformers that are frozen: a fit leaves them as they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdensity import (
    BandwidthDisplay,
    ConvergenceDisplay,
    DensityClassifier,
    DensityDisplay,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    LOOKernelDensity,
    MixtureDisplay,
    MixtureSearchDisplay,
    TransformedDensity,
)

Log = FunctionTransformer(np.log)


def wrapped(density, X):
    """A fitted density behind all that may stand before it, by name."""
    return {
        "frozen": FrozenEstimator(density.fit(X)),
        "search": GridSearchCV(density, {}).fit(X),
        "both": FrozenEstimator(GridSearchCV(density, {}).fit(X)),
    }


@pytest.fixture
def rows():
    """Positive rows to freeze at, and others, which are not alike."""
    rng = np.random.RandomState(0)
    return rng.gamma(2, size=(60, 2)), rng.gamma(9, size=(40, 2))


# ---- Fits leave them as they are ----


@pytest.mark.parametrize(
    "use",
    [DensityClassifier, DensityImputer, DensityOutlierDetector, DensityRegressor],
)
def test_a_frozen_density_is_not_fitted_again(rows, use):
    X, others = rows
    n_features = 1 if use is DensityRegressor else 2
    frozen = FrozenEstimator(GaussianMLE().fit(X))
    before = frozen.location_.copy()
    found = use(frozen).fit(others[:, :n_features], np.arange(40) % 2)
    for density in getattr(found, "densities_", [getattr(found, "density_", None)]):
        assert_array_equal(density.location_, before)
    unfitted = use(FrozenEstimator(GaussianMLE()))
    with pytest.raises(ValueError, match="not fitted yet"):
        unfitted.fit(others[:, :n_features], np.arange(40) % 2)


def test_weights_do_not_matter_to_what_is_frozen(rows):
    X, others = rows
    weight = np.random.RandomState(0).uniform(1, 2, size=len(others))
    for density in (GaussianMLE(), LOOKernelDensity(1.0)):
        frozen = FrozenEstimator(density.fit(X))
        found = TransformedDensity(FrozenEstimator(Log.fit(X)), frozen)
        assert found.fit(others, sample_weight=weight).density_ is frozen
    pipeline = make_pipeline(FrozenEstimator(StandardScaler().fit(X)), GaussianMLE())
    DensityOutlierDetector(pipeline).fit(others, sample_weight=weight)


@pytest.mark.parametrize("density", [GaussianMLE(), LOOKernelDensity(1.0)], ids=repr)
def test_a_frozen_density_has_left_out_all_rows(rows, density):
    """The threshold is then a quantile of the scores of any rows, in any folds."""
    X, others = rows
    frozen = FrozenEstimator(density.fit(X))
    scores = frozen.score_samples(others)
    detector = DensityOutlierDetector(frozen, contamination=0.1).fit(others)
    assert_array_equal(detector.left_out_scores_, scores)
    assert detector.offset_ == np.quantile(scores, 0.1, method="inverted_cdf")


# ---- Frozen transformers are known ----


def test_frozen_transformers_are_changes_of_variables(rows):
    X, others = rows
    scaler = StandardScaler().fit(X)
    columns = ColumnTransformer([("log", Log, [0]), ("scale", StandardScaler(), [1])])
    columns.fit(X)
    for transformer in (scaler, Log.fit(X), columns, make_pipeline(Log, scaler)):
        frozen = FrozenEstimator(transformer)
        found = TransformedDensity(frozen, GaussianMLE()).fit(others)
        Z = transformer.transform(others)
        alone = GaussianMLE().fit(Z)
        assert_allclose(found.density_.location_, alone.location_)
        jacobian = found.score_samples(others) - alone.score_samples(Z)
        expected = TransformedDensity(transformer, GaussianMLE()).fit(X)
        expected.transformer_, expected.density_ = transformer, alone
        assert_allclose(
            jacobian + alone.score_samples(Z), expected.score_samples(others)
        )
        assert found.image_mass_ == pytest.approx(expected.image_mass_)
        assert_allclose(found.sample(3, 0), expected.sample(3, 0))
        assert_allclose(
            found.marginal([1]).score(others[:, [1]]),
            expected.marginal([1]).score(others[:, [1]]),
        )


# ---- What is behind them is seen ----


@pytest.mark.parametrize("name", ["frozen", "search", "both"])
@pytest.mark.parametrize("transformer", [StandardScaler(), Log], ids=["scaler", "log"])
def test_a_transformed_density_asks_what_is_behind(rows, name, transformer):
    X, _ = rows
    mixture = EMGaussianMixture(2, random_state=0)
    plain = TransformedDensity(transformer, mixture).fit(X)
    Z = plain.transformer_.transform(X)
    found = TransformedDensity(transformer, wrapped(mixture, Z)[name]).fit(X)
    for ask in (
        lambda density: density.score_samples(X),
        lambda density: density.marginal([1]).score_samples(X[:, [1]]),
        lambda density: density.condition([0], [2.0]).score_samples(X[:, [1]]),
        lambda density: density.image_mass_,
    ):
        assert_array_equal(ask(found), ask(plain))
    if transformer is not Log:
        assert_array_equal(found.untransformed().means_, plain.untransformed().means_)


@pytest.mark.usefixtures("no_figures_left_open")
def test_displays_see_through(rows):
    X, _ = rows
    mixture = EMGaussianMixture(2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), mixture)
    transformed = TransformedDensity(StandardScaler(), mixture).fit(X)
    for density in (mixture, pipeline, transformed):
        found = wrapped(density, X)["both"]
        expected = MixtureDisplay.from_estimator(density, X)
        drawn = MixtureDisplay.from_estimator(found, X)
        assert_array_equal(drawn.means, expected.means)
    plain, seen = (
        DensityDisplay.from_estimator(each, features=[1]).curves[0]
        for each in (transformed, found)
    )
    assert_array_equal(seen, plain)
    inner = make_pipeline(
        StandardScaler(), wrapped(mixture, (X - X.mean(0)) / X.std(0))["both"]
    )
    drawn = MixtureDisplay.from_estimator(inner.fit(X), X)
    expected = MixtureDisplay.from_estimator(pipeline.fit(X), X)
    assert_allclose(drawn.means, expected.means)


@pytest.mark.usefixtures("no_figures_left_open")
def test_displays_of_fits_see_through(rows):
    X, _ = rows
    kernels = LOOKernelDensity(covariance_type="diag").fit(X)
    frozen = FrozenEstimator(kernels)
    for kw in ({}, {"X": X, "rules": ["scott"]}):
        expected = BandwidthDisplay.from_estimator(kernels, **kw)
        drawn = BandwidthDisplay.from_estimator(frozen, **kw)
        assert drawn.others == expected.others
        assert_array_equal(drawn.scores, expected.scores)
    mixture = FrozenEstimator(EMGaussianMixture(2, random_state=0).fit(X))
    (curve,) = ConvergenceDisplay.from_estimator(mixture).curves.values()
    assert_array_equal(curve, mixture.lower_bounds_)
    search = GaussianMixtureSearch([1, 2], "full", random_state=0).fit(X)
    drawn = MixtureSearchDisplay.from_estimator(FrozenEstimator(search))
    assert drawn.chosen == ("full", search.best_params_["n_components"])
    behind = make_pipeline(StandardScaler(), search).fit(X)
    assert len(MixtureDisplay.from_estimator(behind, X).means) >= 1
