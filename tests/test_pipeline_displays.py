"""Displays of pipelines: in the units of the data."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path
from scipy.integrate import trapezoid
from scipy.special import expit, logit
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler

from skdensity import (
    DensityDisplay,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    MixtureDisplay,
    TransformedDensity,
)

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

Log = FunctionTransformer(np.log)
TwoOf = EMGaussianMixture(2, random_state=0)


@pytest.fixture
def X():
    """Two groups in logarithms, with names."""
    rng = np.random.RandomState(0)
    Z = rng.standard_normal((300, 2)) * [1.0, 0.5]
    Z[:100] += [4.0, 1.0]
    return pd.DataFrame(np.exp(Z), columns=["price", "weight"])


def area(display):
    x, y = display.curves[0]
    return trapezoid(y, x)


def test_behind_a_scaler_it_is_the_picture_of_the_density_in_units(X):
    pipeline = make_pipeline(StandardScaler(), TwoOf).fit(X)
    plain = TransformedDensity.from_pipeline(pipeline).untransformed()
    for display in (DensityDisplay, MixtureDisplay):
        drawn, expected = (
            display.from_estimator(each, X) for each in (pipeline, plain)
        )
        for name, values in vars(expected).items():
            if isinstance(values, np.ndarray) and values.dtype == float:
                np.testing.assert_allclose(getattr(drawn, name), values)
        assert drawn.names == ["price", "weight"]
        assert drawn.ax_.get_xlim() == expected.ax_.get_xlim()
    scaler, mixture = pipeline
    np.testing.assert_allclose(plain.means_, scaler.inverse_transform(mixture.means_))
    expected = mixture.covariances_ * np.outer(scaler.scale_, scaler.scale_)
    np.testing.assert_allclose(plain.covariances_, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(Log, TwoOf),
        make_pipeline(Log, StandardScaler(), LOOKernelDensity()),
        make_pipeline(StandardScaler(), LOOKernelDensity()),
    ],
    ids=lambda pipeline: "-".join(pipeline.named_steps),
)
def test_curves_and_surfaces_are_the_density_of_the_data(X, pipeline):
    density = TransformedDensity.from_pipeline(pipeline.fit(X))
    display = DensityDisplay.from_estimator(pipeline, X, n_points=30)
    x, y, surface, _ = display.surfaces[0, 1]
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    expected = np.exp(density.score_samples(pd.DataFrame(grid, columns=X.columns)))
    np.testing.assert_allclose(surface.ravel(), expected, rtol=1e-9)
    for i, name in enumerate(X):
        x, curve = display.curves[i]
        marginal = density.marginal([name])
        rows = pd.DataFrame({name: x})
        np.testing.assert_allclose(curve, np.exp(marginal.score_samples(rows)))
    one = DensityDisplay.from_estimator(pipeline, features=["weight"])
    # What a window of one feature shows, and what is between its points.
    assert 0.94 < area(one) < 1.002


def test_levels_hold_their_shares(X):
    pipeline = make_pipeline(Log, GaussianMLE()).fit(X)
    display = DensityDisplay.from_estimator(pipeline, coverage=(0.5, 0.9))
    density = TransformedDensity.from_pipeline(pipeline)
    draws = pd.DataFrame(density.sample(4000, random_state=1), columns=X.columns)
    heights = np.exp(density.score_samples(draws))
    levels = display.surfaces[0, 1][3]
    shares = (heights[:, None] >= levels).mean(axis=0)
    # Two samples of 4,000: three standard errors.
    np.testing.assert_allclose(shares, (0.5, 0.9), atol=3 * 0.5 * np.sqrt(2 / 4000))


def test_components_behind_a_logarithm(X):
    pipeline = make_pipeline(Log, TwoOf).fit(X)
    display = MixtureDisplay.from_estimator(pipeline, X, features=["price"])
    *parts, total = [line.get_xydata().T for line in display.ax_.lines[:3]]
    x = total[0]
    marginal = TransformedDensity.from_pipeline(pipeline).marginal(["price"])
    expected = np.exp(marginal.score_samples(pd.DataFrame({"price": x})))
    np.testing.assert_allclose(total[1], expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(sum(part[1] for part in parts), total[1])
    np.testing.assert_allclose(display.responsibilities, pipeline.predict_proba(X))


@pytest.mark.parametrize("steps", [[Log], [Log, PCA()]], ids=len)
def test_outlines_hold_their_shares(X, steps):
    pipeline = make_pipeline(*steps, TwoOf).fit(X)
    display = MixtureDisplay.from_estimator(pipeline, X, coverage=(0.5, 0.9))
    mixture = pipeline[-1]
    outlines = iter(display.ax_.patches)
    for mean, covariance in zip(mixture.means_, mixture.covariances_, strict=True):
        draws = multivariate_normal(mean, covariance).rvs(4000, random_state=0)
        if len(steps) > 1:
            draws = pipeline[1].inverse_transform(draws)
        for coverage in (0.5, 0.9):
            outline = Path(next(outlines).get_xy())
            share = outline.contains_points(np.exp(draws)).mean()
            assert share == pytest.approx(coverage, abs=3 * 0.5 / np.sqrt(4000))


def test_rows_where_the_density_is_zero_are_shared_by_weight(X):
    pipeline = make_pipeline(Log, TwoOf).fit(X)
    rows = X.iloc[:2].copy()
    rows.iloc[0, 0] = -1.0
    display = MixtureDisplay.from_estimator(pipeline, rows)
    shares = display.responsibilities
    np.testing.assert_array_equal(shares[0], pipeline[-1].weights_)
    np.testing.assert_allclose(shares[1:], pipeline.predict_proba(rows.iloc[1:]))


def test_outlines_end_where_the_data_do():
    x = np.random.RandomState(0).uniform(size=(300, 2)) ** 2
    pipeline = make_pipeline(FunctionTransformer(np.sqrt), EMGaussianMixture()).fit(x)
    display = MixtureDisplay.from_estimator(pipeline, coverage=(0.99,))
    corners = display.ax_.patches[0].get_xy()
    assert np.isfinite(corners).all()
    assert corners.min() > 0


def test_a_search_is_what_it_found(X):
    search = GridSearchCV(
        TransformedDensity(density=TwoOf), {"transformer": [None, Log]}
    ).fit(X)
    assert search.best_params_["transformer"] is Log
    over_pipelines = GridSearchCV(
        make_pipeline(Log, TwoOf), {"emgaussianmixture__n_components": [1, 2]}
    ).fit(X)
    for found in (search, over_pipelines):
        density = DensityDisplay.from_estimator(found, X, n_points=20)
        mixture = MixtureDisplay.from_estimator(found, X)
        assert density.names == mixture.names == ["price", "weight"]
        assert (mixture.transformer is None) == (found is None)


def test_marginals_that_a_transform_mixes(X):
    three = np.column_stack([X, X["price"] * X["weight"] ** 2])
    pipeline = make_pipeline(Log, PCA(), EMGaussianMixture(2, random_state=0))
    pipeline.fit(three + np.random.RandomState(0).uniform(size=three.shape))
    with pytest.raises(ValueError, match="mixes with others"):
        MixtureDisplay.from_estimator(pipeline, features=[0, 1])
    # A kernel density of draws stands for the marginal.
    assert 0.9 < area(DensityDisplay.from_estimator(pipeline, features=[1])) < 1.01


def test_what_tells_no_density_of_the_data_says_what_to_do(X):
    for step in (PCA(1), KBinsDiscretizer(encode="ordinal")):
        pipeline = make_pipeline(Log, step, GaussianMLE(reg_covar=1e-3)).fit(X)
        with pytest.raises(TypeError, match="no density of the data") as error:
            DensityDisplay.from_estimator(pipeline, X)
        *_, first, second = str(error.value).splitlines()
        names = {"pipeline": pipeline, "X": X, "DensityDisplay": DensityDisplay}
        exec(f"{first.strip()}\n{second.strip()}", names)  # the recipe in two lines
        assert names["Z"].shape[0] == len(X)
    with pytest.raises(TypeError, match=r"MixtureDisplay.from_estimator\(pipeline"):
        MixtureDisplay.from_estimator(make_pipeline(PCA(1), TwoOf).fit(X))


def test_other_bad_input(X):
    with pytest.raises(NotFittedError):
        DensityDisplay.from_estimator(make_pipeline(Log, GaussianMLE()))
    search = GridSearchCV(GaussianMLE(), {"covariance_type": ["diag"]}, refit=False)
    with pytest.raises(NotFittedError):
        DensityDisplay.from_estimator(search)
    with pytest.raises(TypeError, match=r"GridSearchCV(.|\n)*no method `sample`"):
        DensityDisplay.from_estimator(search.fit(X))
    with pytest.raises(TypeError, match="a Pipeline that ends in a density"):
        DensityDisplay.from_estimator(
            make_pipeline(Log, LinearRegression()).fit(X, X["price"])
        )
    with pytest.raises(TypeError, match="got LOOKernelDensity"):
        MixtureDisplay.from_estimator(make_pipeline(Log, LOOKernelDensity()).fit(X))
    with pytest.raises(TypeError, match="got GaussianMixture"):
        MixtureDisplay.from_estimator(make_pipeline(Log, GaussianMixture()).fit(X))


def test_shares_of_a_bounded_feature():
    x = expit(np.random.RandomState(0).standard_normal((200, 1)))
    pipeline = make_pipeline(FunctionTransformer(logit), LOOKernelDensity()).fit(x)
    assert area(DensityDisplay.from_estimator(pipeline, x)) == pytest.approx(
        1, abs=0.01
    )
