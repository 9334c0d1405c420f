"""Densities behind transforms: they are densities of the data."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import ON_AWKWARD_DATA
from scipy import stats
from scipy.special import exp10, expit, logit
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdensity import (
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
    RowBlocks,
    TransformedDensity,
    log_jacobian,
)
from skdensity.uses.changes.draws import come_back
from skdensity.uses.changes.questions import forward, inverse

Log, Sqrt = FunctionTransformer(np.log), FunctionTransformer(np.sqrt)


def asinh(x, scale=1.0):
    return np.arcsinh(x / scale)


def sinh(z, scale=1.0):
    return scale * np.sinh(z)


asinh.derivative = lambda x, scale=1.0: 1 / np.hypot(x, scale)
Asinh = FunctionTransformer(
    asinh, sinh, kw_args={"scale": 2.0}, inv_kw_args={"scale": 2.0}
)


def by_column(*transformers):
    """A transformer for each of two columns, in the other order."""
    first, second = transformers
    return ColumnTransformer([("second", second, [1]), ("first", first, [0])])


# ---- Where the data are: rows of a kind, and panels of its axis for quadrature ----

PANELS = {
    "real": np.sinh(np.linspace(-6, 6, 61)),
    "positive": np.exp(np.linspace(-40, 10, 101)),
    "beyond -1": np.exp(np.linspace(-40, 10, 101)) - 1,
    "unit": expit(np.linspace(-30, 30, 101)),
}


def rows_of_kind(kind, n_features, n_samples=200):
    rng = np.random.RandomState(n_features)
    X = rng.standard_normal((n_samples, n_features))
    X[:, -1] += X[:, 0]
    X[:50] -= 2
    maps = {"positive": np.exp, "beyond -1": np.expm1, "unit": expit}
    return maps.get(kind, np.asarray)(0.5 * X)


ONTO_ALL = [
    (None, "real"),
    (StandardScaler(), "real"),
    (StandardScaler(with_mean=False, with_std=False), "real"),
    (MinMaxScaler((-1, 3)), "real"),
    (MaxAbsScaler(), "real"),
    (RobustScaler(), "real"),
    (RobustScaler(with_scaling=False), "real"),
    (PCA(), "real"),
    (PCA(whiten=True), "real"),
    (FunctionTransformer(), "real"),
    (Log, "positive"),
    (FunctionTransformer(np.log1p), "beyond -1"),
    (FunctionTransformer(logit), "unit"),
    (FunctionTransformer(np.arcsinh), "real"),
    (FunctionTransformer(np.sinh), "real"),
    (Asinh, "real"),
    (make_pipeline(Log, StandardScaler(), PCA()), "positive"),
    (make_pipeline("passthrough", Log), "positive"),
]
INTO_A_PART = [
    (Sqrt, "positive"),
    (FunctionTransformer(np.exp), "real"),
    (FunctionTransformer(np.expm1), "real"),
    (FunctionTransformer(np.square), "positive"),
    (FunctionTransformer(expit), "real"),
    (PowerTransformer(), "real"),
    (PowerTransformer(standardize=False), "real"),
    (PowerTransformer(method="box-cox"), "positive"),
    (PowerTransformer(method="box-cox", standardize=False), "positive"),
    (make_pipeline(Sqrt, StandardScaler()), "positive"),
    (make_pipeline(MinMaxScaler(), PowerTransformer(standardize=False)), "real"),
]
OF_TWO = [
    (by_column(Log, Sqrt), "positive"),
    (by_column("passthrough", StandardScaler()), "real"),
    (make_pipeline(by_column(Log, Log), PCA(whiten=True)), "positive"),
]
QUANTILES = [
    QuantileTransformer(n_quantiles=8),
    QuantileTransformer(n_quantiles=8, output_distribution="normal"),
]


def quadrature(density, panels, n_features, n_nodes=10):
    """The integral of a density by Gauss and Legendre's rule on every panel."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    halves = np.diff(panels)[:, None] / 2
    x = ((panels[1:] + panels[:-1])[:, None] / 2 + halves * nodes).ravel()
    w = (halves * weights).ravel()
    if n_features == 1:
        return np.exp(density.score_samples(x[:, None])) @ w
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    return w @ np.exp(density.score_samples(grid)).reshape(len(x), -1) @ w


def case_name(value):
    # Without addresses: processes must agree on names.
    return re.sub(r" at 0x\w+|\s", "", repr(value))


@pytest.mark.parametrize(("transformer", "kind"), ONTO_ALL + INTO_A_PART, ids=case_name)
@pytest.mark.parametrize("n_features", [1, 2])
def test_it_integrates_to_what_the_image_has(transformer, kind, n_features):
    X = rows_of_kind(kind, n_features)
    is_onto = (transformer, kind) in ONTO_ALL
    # Boxes are cut exactly where features are independent.
    gaussian = GaussianMLE(covariance_type="full" if is_onto else "diag")
    density = TransformedDensity(transformer, gaussian).fit(X)
    mass = quadrature(density, PANELS[kind], n_features, 12 if n_features == 1 else 5)
    assert mass == pytest.approx(density.image_mass_, abs=2e-6)
    if is_onto:
        assert density.image_mass_ == 1


@pytest.mark.parametrize(("transformer", "kind"), OF_TWO, ids=case_name)
def test_so_it_does_column_by_column(transformer, kind):
    X = rows_of_kind(kind, 2)
    density = TransformedDensity(transformer, EMGaussianMixture(2, random_state=0))
    density.fit(X)
    mass = quadrature(density, PANELS[kind], 2, 5)
    assert mass == pytest.approx(density.image_mass_, abs=2e-6)


@pytest.mark.parametrize("transformer", QUANTILES, ids=case_name)
@pytest.mark.parametrize("n_features", [1, 2])
def test_so_it_does_between_quantiles(transformer, n_features):
    X = rows_of_kind("real", n_features)
    gaussian = GaussianMLE(covariance_type="diag")
    density = TransformedDensity(transformer, gaussian).fit(X)
    quantiles = density.transformer_.quantiles_
    # Towards its ends the slope of the normal quantile grows without end.
    near = np.geomspace(1e-9, 0.1, 25)[:, None]
    panels = np.unique([*quantiles, *(quantiles[0] + near), *(quantiles[-1] - near)])
    mass = quadrature(density, panels, n_features, 10 if n_features == 1 else 6)
    # Within 1e-7 of an end in levels the transform is flat: 2e-7 for each feature,
    # times the ratio of the Gaussian to a standard one there, which is less than 3.
    assert mass == pytest.approx(density.image_mass_, abs=2e-6)
    assert density.image_mass_ < 1


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_values_that_come_again_are_steps_that_quantiles_leave_out(output):
    X = np.round(rows_of_kind("real", 1), 1)
    transformer = QuantileTransformer(n_quantiles=40, output_distribution=output)
    density = TransformedDensity(transformer, GaussianMLE()).fit(X)
    knots = np.unique(density.transformer_.quantiles_)
    mass = quadrature(density, knots, 1, 40)
    # Of draws: three standard errors. Lines bend next to the ends only.
    error = 3 * np.sqrt(mass * (1 - mass) / 2**16)
    assert mass < 0.95
    assert density.image_mass_ == pytest.approx(mass, abs=error + 1e-4)


@pytest.mark.parametrize("kind", ["real", "positive", "unit"])
@pytest.mark.parametrize(
    "density", [LOOKernelDensity(), EMGaussianMixture(2)], ids=repr
)
def test_any_density_is_one_of_the_data(kind, density):
    transformer = {"real": Asinh, "positive": Log, "unit": FunctionTransformer(logit)}
    fitted = TransformedDensity(transformer[kind], density).fit(rows_of_kind(kind, 1))
    assert quadrature(fitted, PANELS[kind], 1) == pytest.approx(1, abs=1e-6)


def test_bounded_kernels_keep_all_mass_in_the_image():
    X = rows_of_kind("positive", 1)
    density = TransformedDensity(Sqrt, LOOKernelDensity(bounds=(0, None))).fit(X)
    assert density.image_mass_ == pytest.approx(1, abs=1e-9)
    assert quadrature(density, PANELS["positive"], 1) == pytest.approx(1, abs=1e-6)


def test_a_pipeline_is_no_density_and_this_is_one():
    """Case K18."""
    X = np.random.RandomState(0).lognormal(0, 0.5, size=(500, 1))
    pipeline = make_pipeline(Log, LOOKernelDensity()).fit(X)
    assert quadrature(pipeline, PANELS["positive"], 1) > 1.1
    density = TransformedDensity.from_pipeline(pipeline)
    assert quadrature(density, PANELS["positive"], 1) == pytest.approx(1, abs=1e-6)
    fitted = TransformedDensity(Log, LOOKernelDensity()).fit(X)
    np.testing.assert_array_equal(fitted.score_samples(X), density.score_samples(X))


# ---- Against SciPy ----


def test_it_is_scipys_lognormal():
    X = rows_of_kind("positive", 1)
    density = TransformedDensity(Log, GaussianMLE()).fit(X)
    gaussian = density.density_
    theirs = stats.lognorm(
        s=np.sqrt(gaussian.covariance_[0, 0]), scale=np.exp(gaussian.location_[0])
    )
    x = np.geomspace(1e-6, 1e6, 200)
    ours = density.score_samples(x[:, None])
    np.testing.assert_allclose(ours, theirs.logpdf(x), rtol=1e-10, atol=1e-10)
    assert stats.kstest(density.sample(2000, 0)[:, 0], theirs.cdf).pvalue > 1e-3


def test_it_is_scipys_logit_normal():
    X = rows_of_kind("unit", 1)
    density = TransformedDensity(FunctionTransformer(logit), GaussianMLE()).fit(X)
    mean, deviation = (
        density.density_.location_[0],
        np.sqrt(density.density_.covariance_),
    )
    theirs = stats.johnsonsb(-mean / deviation[0, 0], 1 / deviation[0, 0])
    x = np.linspace(0.001, 0.999, 200)
    ours = density.score_samples(x[:, None])
    np.testing.assert_allclose(ours, theirs.logpdf(x), rtol=1e-9, atol=1e-9)


def test_with_a_derivative_of_ones_own_it_is_scipys_johnson():
    X = rows_of_kind("real", 1)
    density = TransformedDensity(Asinh, GaussianMLE()).fit(X)
    mean, deviation = (
        density.density_.location_[0],
        np.sqrt(density.density_.covariance_),
    )
    theirs = stats.johnsonsu(-mean / deviation[0, 0], 1 / deviation[0, 0], scale=2)
    x = np.linspace(-50, 50, 200)
    ours = density.score_samples(x[:, None])
    np.testing.assert_allclose(ours, theirs.logpdf(x), rtol=1e-10, atol=1e-10)
    assert stats.kstest(density.sample(2000, 0)[:, 0], theirs.cdf).pvalue > 1e-3


# ---- Jacobians, inverses, draws ----

ALL = [
    *ONTO_ALL,
    *INTO_A_PART,
    *OF_TWO,
    *((t, "real") for t in QUANTILES),
    *((FunctionTransformer(f), "positive") for f in (np.log2, np.log10)),
    *((FunctionTransformer(f), "real") for f in (np.exp2, exp10)),
]


@pytest.mark.parametrize(("transformer", "kind"), ALL, ids=case_name)
def test_jacobians_are_those_of_differences(transformer, kind):
    X = rows_of_kind(kind, 2)
    transformer = TransformedDensity(transformer, GaussianMLE()).fit(X).transformer_
    # Rows away from the ends, and from knots between which quantiles are lines.
    x = np.quantile(X, [0.213, 0.4567, 0.789], axis=0)
    step = 1e-5 * np.abs(x)
    columns = [
        (forward(transformer, x + step * e) - forward(transformer, x - step * e))
        / (2 * step @ e)[:, None]
        for e in np.eye(2)
    ]
    _, expected = np.linalg.slogdet(np.stack(columns, axis=-1))
    np.testing.assert_allclose(log_jacobian(transformer, x), expected, atol=1e-6)


@pytest.mark.parametrize(("transformer", "kind"), ALL, ids=case_name)
def test_rows_come_back(transformer, kind):
    X = rows_of_kind(kind, 2)
    transformer = TransformedDensity(transformer, GaussianMLE()).fit(X).transformer_
    np.testing.assert_allclose(
        inverse(transformer, forward(transformer, X)), X, rtol=1e-8, atol=1e-8
    )


@pytest.mark.parametrize(
    ("transformer", "kind"),
    [
        (Sqrt, "positive"),
        (make_pipeline(PowerTransformer(), StandardScaler()), "positive"),
        (by_column(Sqrt, Log), "positive"),
        (QUANTILES[0], "real"),
    ],
    ids=case_name,
)
def test_draws_are_those_of_the_image(transformer, kind):
    """Draws that nothing becomes are left out, and no others."""
    X = rows_of_kind(kind, 2)
    density = TransformedDensity(transformer, GaussianMLE()).fit(X)
    draws = density.sample(3000, random_state=0)
    assert draws.shape == (3000, 2)
    assert np.isfinite(density.score_samples(draws)).all()
    # Transformed draws are from the Gaussian, given the image.
    Z = density.density_.sample(40_000, random_state=1)
    kept = Z[come_back(density.transformer_, Z)[1]]
    assert len(kept) / len(Z) == pytest.approx(density.image_mass_, abs=0.01)
    for ours, theirs in zip(
        forward(density.transformer_, draws).T, kept.T, strict=True
    ):
        assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def test_the_mass_is_that_of_the_last_fit():
    X = rows_of_kind("positive", 1)
    density = TransformedDensity(Sqrt, GaussianMLE()).fit(X)
    assert density.image_mass_ < 1
    density.set_params(transformer=Log).fit(X)
    assert density.image_mass_ == 1


def test_draws_follow_the_seed():
    X = rows_of_kind("positive", 2)
    density = TransformedDensity(Log, EMGaussianMixture(2, random_state=3)).fit(X)
    np.testing.assert_array_equal(density.sample(5, 0), density.sample(5, 0))
    np.testing.assert_array_equal(density.sample(5), density.sample(5, 3))


def test_an_image_that_is_hardly_hit_is_an_error():
    density = TransformedDensity(Sqrt, GaussianMLE()).fit([[1.0], [1.1]])
    density.density_ = GaussianMLE.from_parameters([-100.0], [[1.0]])
    assert density.image_mass_ < 1e-9
    with pytest.raises(ValueError, match=r"Of \d+ draws .* 0 are transforms of rows"):
        density.sample(5, random_state=0)


# ---- What any density has ----


@ON_AWKWARD_DATA
@parametrize_with_checks(
    [TransformedDensity(), TransformedDensity(StandardScaler(), GaussianMLE())]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_outside_of_the_support_it_is_zero_without_a_warning():
    X = rows_of_kind("positive", 2)
    outside = np.array([[-1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [-2.0, -3.0]])
    for transformer in (
        Log,
        Sqrt,
        PowerTransformer(method="box-cox"),
        QUANTILES[1],
        make_pipeline(Log, StandardScaler(), PCA()),
        by_column(Log, Sqrt),
    ):
        density = TransformedDensity(transformer, GaussianMLE()).fit(X)
        np.testing.assert_array_equal(density.score_samples(outside), -np.inf)
        inside = density.score_samples(np.vstack([outside, X]))[4:]
        np.testing.assert_array_equal(inside, density.score_samples(X))
        assert density.score(outside) == -np.inf


def half_log(x):
    return np.log(x)


half_log.derivative = lambda x: 1 / x  # which is finite where there is no logarithm


def test_what_a_transform_cannot_tell_is_outside():
    X = rows_of_kind("positive", 1)
    exp, square = FunctionTransformer(np.exp), FunctionTransformer(np.square)
    cases = [
        (exp, GaussianMLE(), 800.0),
        (square, GaussianMLE(), 1e200),
        (make_pipeline(square, StandardScaler()), GaussianMLE(), 1e200),
        (
            FunctionTransformer(half_log, np.exp, check_inverse=False),
            EMGaussianMixture(),
            -1.0,
        ),
    ]
    for transformer, density, value in cases:
        found = TransformedDensity(transformer, density).fit(X)
        assert found.score_samples([[value]]) == -np.inf
        with pytest.raises(ValueError, match=r"density would be 0|infinity"):
            TransformedDensity(transformer, density).fit([[1.0], [2.0], [value]])
    for method in ("yeo-johnson", "box-cox"):
        transformer = PowerTransformer(method).fit(X)
        for power in (3.0, 0.5):
            transformer.lambdas_ = np.array([power])
            assert np.isneginf(log_jacobian(transformer, [[1e200]])) == (power > 1)
            assert np.isfinite(log_jacobian(transformer, [[1e99]]))


@pytest.mark.parametrize(
    "transformer",
    [Log, StandardScaler(), PowerTransformer(), QUANTILES[0], by_column(Log, Sqrt)],
    ids=case_name,
)
def test_float32_stays_float32(transformer):
    X = rows_of_kind("positive", 2)
    double = TransformedDensity(transformer, GaussianMLE()).fit(X)
    single = TransformedDensity(transformer, GaussianMLE()).fit(X.astype(np.float32))
    found = single.score_samples(X.astype(np.float32))
    assert found.dtype == single.sample(2, random_state=0).dtype == np.float32
    # Rounding moves rows by parts of 1e-7, and past an end of the quantiles.
    expected = double.score_samples(X)
    both = np.isfinite(found) & np.isfinite(expected)
    assert both.sum() >= len(X) - 4
    np.testing.assert_allclose(found[both], expected[both], atol=1e-2)


def test_what_is_missing_is_left_to_the_density():
    X = rows_of_kind("positive", 2)
    X[::3, 1] = np.nan
    transformer = make_pipeline(Log, StandardScaler())
    density = TransformedDensity(transformer, GaussianMLE()).fit(X)
    expected = density.density_.score_samples(forward(density.transformer_, X))
    log_slopes = -np.log(X) - np.log(density.transformer_[-1].scale_)
    np.testing.assert_allclose(
        density.score_samples(X), expected + np.nansum(log_slopes, axis=1), rtol=1e-12
    )
    with pytest.raises(ValueError, match="LOOKernelDensity takes none"):
        TransformedDensity(Log, LOOKernelDensity()).fit(X)
    with pytest.raises(ValueError, match="PCA"):
        TransformedDensity(PCA(), GaussianMLE()).fit(X)


@pytest.mark.parametrize(
    ("transformer", "kind"),
    [
        (transformer, kind)
        for transformer, kind in ALL
        if "PCA" not in case_name(transformer)
    ],
    ids=case_name,
)
def test_marginal_and_conditional_make_the_joint(transformer, kind):
    X = pd.DataFrame(rows_of_kind(kind, 2), columns=["a", "b"])
    density = TransformedDensity(transformer, GaussianMLE()).fit(X)
    x = X.iloc[[60, 70, 80]]
    marginal = density.marginal(["b"])
    found = [
        density.condition(["b"], [b]).score_samples(pd.DataFrame({"a": [a]}))[0]
        for a, b in x.to_numpy()
    ]
    joint = marginal.score_samples(x[["b"]]) + found
    np.testing.assert_allclose(joint, density.score_samples(x), rtol=1e-9)
    missing = x.assign(a=np.nan)
    np.testing.assert_allclose(
        marginal.score_samples(x[["b"]]), density.score_samples(missing), rtol=1e-9
    )


def test_parts_of_parts_keep_names_and_order():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(np.exp(rng.standard_normal((50, 4))), columns=list("abcd"))
    mixed = ColumnTransformer([("x", Log, ["d", "b"]), ("y", Sqrt, ["a", "c"])])
    density = TransformedDensity(mixed, GaussianMLE()).fit(X)
    part = density.marginal(["c", "d", "b"])
    assert list(part.feature_names_in_) == ["c", "d", "b"]
    again = part.marginal(["b", "c"]).score_samples(X[["b", "c"]])
    np.testing.assert_allclose(
        again, density.marginal([1, 2]).score_samples(X[["b", "c"]])
    )
    given = density.condition(["b"], [1.5])
    assert list(given.feature_names_in_) == ["a", "c", "d"]
    one_by_one = given.condition(["c"], [0.5]).score_samples(X[["a", "d"]])
    at_once = density.condition(["c", "b"], [0.5, 1.5]).score_samples(X[["a", "d"]])
    np.testing.assert_allclose(one_by_one, at_once)
    assert given.sample(5, random_state=0).shape == (5, 3)
    assert part.image_mass_ == pytest.approx(density.marginal(["c"]).image_mass_)


def test_a_table_is_known_by_its_names():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(np.exp(rng.standard_normal((50, 2))), columns=["a", "b"])
    columns = ColumnTransformer([("log", Log, ["b"])], remainder="passthrough")
    density = TransformedDensity(columns, GaussianMLE()).fit(X)
    rows = X.to_numpy()
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        unnamed = density.score_samples(rows)
    np.testing.assert_array_equal(density.score_samples(X), unnamed)
    by_hand = TransformedDensity(by_column("passthrough", Log), GaussianMLE()).fit(rows)
    np.testing.assert_allclose(unnamed, by_hand.score_samples(rows))
    with pytest.raises(ValueError, match="feature names"):
        density.score_samples(X[["b", "a"]])
    with config_context(transform_output="pandas"):
        again = clone(density).fit(X).score_samples(X)
    np.testing.assert_array_equal(again, unnamed)
    of_polars = pl.from_pandas(X)
    again = clone(density).fit(of_polars).score_samples(of_polars)
    np.testing.assert_array_equal(again, unnamed)


def test_it_travels(iris):
    density = TransformedDensity(
        make_pipeline(PowerTransformer(), Asinh), EMGaussianMixture(2, random_state=0)
    ).fit(iris)
    again = pickle.loads(pickle.dumps(density.marginal([1, 3])))
    part = iris[:, [1, 3]]
    expected = density.marginal([1, 3]).score_samples(part)
    np.testing.assert_array_equal(again.score_samples(part), expected)


# ---- Weights and metadata ----


def test_weights_reach_whoever_takes_them():
    X, rng = rows_of_kind("positive", 2), np.random.RandomState(0)
    weight = rng.randint(0, 4, size=len(X))
    for transformer in (
        StandardScaler(),
        Log,
        make_pipeline(Log, make_pipeline(StandardScaler(), Asinh)),
        by_column(Log, Sqrt),
    ):
        weighted = TransformedDensity(transformer, GaussianMLE()).fit(X, None, weight)
        repeated = clone(weighted).fit(np.repeat(X, weight, axis=0))
        expected = repeated.score_samples(X)
        np.testing.assert_allclose(weighted.score_samples(X), expected, rtol=1e-9)


def test_weights_that_a_transformer_cannot_take_are_refused():
    X = rows_of_kind("positive", 2)
    weight = np.ones(len(X))
    weight[0] = 2
    takes_none = [
        PowerTransformer(),
        make_pipeline(Log, PCA()),
        by_column(StandardScaler(), Log),
    ]
    for transformer in takes_none:
        density = TransformedDensity(transformer, GaussianMLE())
        with pytest.raises(ValueError, match="unequal weights") as refused:
            density.fit(X, sample_weight=weight)
        assert advice_for(transformer) in str(refused.value)
        # Equal weights are none, and rows of weight 0 are not there.
        equal = density.fit(X, sample_weight=5 * (weight == 1))
        expected = clone(density).fit(X[1:])
        np.testing.assert_allclose(
            equal.score_samples(X), expected.score_samples(X), rtol=1e-9
        )
    with pytest.raises(ValueError, match=r"`fit` of GaussianMixture\(\) takes none"):
        TransformedDensity(Log, GaussianMixture()).fit(X, sample_weight=weight)
    with pytest.raises(ValueError, match="zero"):
        TransformedDensity(Log, GaussianMLE()).fit(X, sample_weight=0 * weight)


def advice_for(transformer):
    is_composed = isinstance(transformer, ColumnTransformer)
    return "enable_metadata_routing=True" if is_composed else "StandardScaler()"


def test_rows_of_weight_zero_are_taken_out_in_any_order_of_bytes():
    X, weight = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    density = TransformedDensity(StandardScaler(), GaussianMLE())
    expected = clone(density).fit(X[weight > 0]).score_samples(X)
    swapped = pd.DataFrame(X.astype(np.dtype(np.float64).newbyteorder("S")))
    density.fit(swapped, sample_weight=weight)
    np.testing.assert_allclose(density.score_samples(X), expected, rtol=1e-12)


def test_rows_of_weight_zero_may_be_anywhere():
    X = np.array([[1.0], [2.0], [4.0], [-1.0]])
    density = TransformedDensity(Log, GaussianMLE())
    weighted = density.fit(X, sample_weight=[1, 1, 2, 0]).score_samples(X[:3])
    repeated = density.fit(X[[0, 1, 2, 2]]).score_samples(X[:3])
    np.testing.assert_allclose(weighted, repeated)


def test_with_routing_requests_are_followed():
    X, rng = rows_of_kind("positive", 2), np.random.RandomState(0)
    weight = rng.uniform(size=len(X))
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        columns = by_column(Log, scaler)
        to_both = GaussianMLE().set_fit_request(sample_weight=True)
        found = TransformedDensity(columns, to_both).fit(X, sample_weight=weight)
        scaled = StandardScaler().fit(X[:, [1]], sample_weight=weight)
        Z = np.column_stack([scaled.transform(X[:, [1]]), np.log(X[:, 0])])
        expected = GaussianMLE().fit(Z, sample_weight=weight)
        np.testing.assert_allclose(found.density_.location_, expected.location_)
        unweighted = GaussianMLE().set_fit_request(sample_weight=False)
        found = TransformedDensity(columns, unweighted).fit(X, sample_weight=weight)
        np.testing.assert_allclose(
            found.density_.location_, GaussianMLE().fit(Z).location_
        )
        with pytest.raises(ValueError, match="sample_weight"):
            TransformedDensity(Log, GaussianMLE()).fit(X, sample_weight=weight)
        search = GridSearchCV(
            TransformedDensity(Log, to_both)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True),
            {"transformer": [Log, scaler]},
        ).fit(X, sample_weight=weight)
        assert search.best_params_["transformer"] is Log
        TransformedDensity(Log).fit(X, sample_weight=weight)  # the default takes them
    with pytest.raises(ValueError, match="other"):
        TransformedDensity(Log, GaussianMLE()).fit(X, other=weight)


# ---- Others' densities and transformers ----


@pytest.mark.parametrize(
    "density",
    [KernelDensity(bandwidth=0.3), GaussianMixture(2, random_state=0)],
    ids=repr,
)
def test_densities_that_others_wrote(density):
    X = rows_of_kind("positive", 1)
    fitted = TransformedDensity(Log, density).fit(X)
    assert quadrature(fitted, PANELS["positive"], 1) == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(fitted.sample(5, 0), fitted.sample(5, 0))
    assert not np.array_equal(fitted.sample(5, 0), fitted.sample(5, 1))
    leaking = TransformedDensity(Sqrt, density).fit(X)
    mass = quadrature(leaking, PANELS["positive"], 1)
    assert leaking.image_mass_ == pytest.approx(mass, abs=3 * 0.5 / 2**8)
    with pytest.raises(TypeError, match="no method `marginal`, which Transf"):
        fitted.marginal([0])


class Halver(TransformerMixin, BaseEstimator):
    """A transformer that nothing is known of."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X) / 2

    def inverse_transform(self, Z):
        return np.asarray(Z) * 2


class KnownHalver(Halver):
    """One that is made known."""


class OneWay(KnownHalver):
    """One that has no way back."""

    inverse_transform = property()


@log_jacobian.register
def _(transformer: KnownHalver, X):
    return np.full(len(X), -X.shape[1] * np.log(2))


def test_a_transformer_is_made_known():
    X = rows_of_kind("real", 2)
    density = TransformedDensity(KnownHalver(), GaussianMLE()).fit(X)
    expected = GaussianMLE().fit(X).score_samples(X)
    np.testing.assert_allclose(density.score_samples(X), expected)
    assert density.image_mass_ == 1
    assert density.sample(3, random_state=0).shape == (3, 2)


@pytest.mark.parametrize(
    ("transformer", "error", "message"),
    [
        (Halver(), TypeError, r"Nothing is known of Halver .*log_jacobian\.register"),
        (KBinsDiscretizer(encode="ordinal"), TypeError, "KBinsDiscretizer"),
        (make_pipeline(Log, Halver()), TypeError, "Halver"),
        (FunctionTransformer(np.cbrt), TypeError, "derivative of cbrt.*log1p"),
        (FunctionTransformer(asinh), TypeError, "not invertible.*`inverse_func`"),
        (OneWay(), TypeError, "OneWay is not invertible"),
        (PCA(1), ValueError, "PCA drops features: it keeps 1 of 2"),
        (MinMaxScaler(clip=True), ValueError, r"not invertible.*clip=False"),
        (ColumnTransformer([("a", Log, [0])]), ValueError, r"drops features: \[1\]"),
        (
            ColumnTransformer([("a", Log, [0, 1]), ("b", Sqrt, [1])]),
            ValueError,
            "takes 1 twice",
        ),
    ],
    ids=case_name,
)
def test_transformers_that_cannot_be_used(transformer, error, message):
    density = TransformedDensity(transformer, GaussianMLE())
    X = rows_of_kind("positive", 2)
    with pytest.raises(error, match=message):
        density.fit(X)
    assert not hasattr(density, "transformer_")
    with pytest.raises(NotFittedError):
        density.score_samples(X)


def test_rows_that_cannot_be_transformed():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 0.0], [1.0, 5.0]])
    for transformer in (Log, Sqrt, make_pipeline(StandardScaler(), Log)):
        with pytest.raises(ValueError, match="rows where the density would be 0"):
            TransformedDensity(transformer, GaussianMLE()).fit(X)
    with pytest.raises(ValueError, match=r"first \[3\. 0\.\]"):
        TransformedDensity(Log, GaussianMLE()).fit(X)
    collinear = np.column_stack([X, X.sum(axis=1)])
    for solver in ("full", "covariance_eigh"):
        for scaled in (PCA(svd_solver=solver), PCA(svd_solver=solver, whiten=True)):
            with pytest.raises(ValueError, match="which is rounding"):
                TransformedDensity(scaled, GaussianMLE()).fit(collinear)
    # Of one row, the other has no weight, variances are NaN and no complaint of shapes.
    with pytest.raises(ValueError, match="which is rounding"):
        TransformedDensity(PCA(whiten=True), GaussianMLE()).fit(
            [[1.0], [2.0]], sample_weight=[1, 0]
        )
    tiny = QuantileTransformer(n_quantiles=3, output_distribution="normal")
    with pytest.raises(ValueError, match="Scale first"):
        TransformedDensity(tiny, GaussianMLE()).fit(1e-6 * X)


def test_other_bad_input():
    X = rows_of_kind("positive", 2)
    density = TransformedDensity(Log, GaussianMLE()).fit(X)
    before = vars(density).copy()
    for bad in (RowBlocks(lambda: iter([X])), [["a", "b"]], X[:0]):
        with pytest.raises((TypeError, ValueError)):
            density.fit(bad)
    assert vars(density) == before
    for method in (density.fit, density.score_samples, density.score):
        with pytest.raises(TypeError, match="needs all rows in memory"):
            method(RowBlocks(lambda: iter([X])))
    with pytest.raises(ValueError, match="expecting 2 features"):
        density.score_samples(X[:, :1])
    with pytest.raises(ValueError, match="must be at least 1"):
        density.sample(0)
    with pytest.raises(ValueError, match="`values` are"):
        density.condition([0], [-1.0])
    with pytest.raises(ValueError, match="mixes them"):
        TransformedDensity(PCA(), GaussianMLE()).fit(X).marginal([0])
    with pytest.raises(ValueError, match=r"density.*score_samples"):
        TransformedDensity(Log, StandardScaler()).fit(X)


# ---- Pipelines and units ----


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        PCA(whiten=True),
        make_pipeline(RobustScaler(), PCA(), MinMaxScaler()),
        by_column(MaxAbsScaler(), StandardScaler()),
    ],
    ids=case_name,
)
@pytest.mark.parametrize(
    "density",
    [
        GaussianMLE(),
        EMGaussianMixture(2, covariance_type="tied_diag", random_state=0),
        GaussianMixture(2, random_state=0),
    ],
    ids=case_name,
)
def test_behind_affine_transforms_it_is_of_its_class(transformer, density):
    X = rows_of_kind("real", 2) + 1e4
    pipeline = make_pipeline(clone(transformer), clone(density)).fit(X)
    behind = TransformedDensity.from_pipeline(pipeline)
    plain = behind.untransformed()
    np.testing.assert_allclose(
        plain.score_samples(X), behind.score_samples(X), rtol=1e-6, atol=1e-6
    )
    if isinstance(density, GaussianMLE):
        of_rows = GaussianMLE().fit(X)
        np.testing.assert_allclose(plain.location_, of_rows.location_)
        np.testing.assert_allclose(plain.covariance_, of_rows.covariance_, rtol=1e-6)


def test_what_has_no_means_in_units_says_so():
    X = rows_of_kind("positive", 2)
    with pytest.raises(ValueError, match="affine transformers"):
        TransformedDensity(Log, GaussianMLE()).fit(X).untransformed()
    with pytest.raises(TypeError, match="got LOOKernelDensity"):
        TransformedDensity(PCA(whiten=True), LOOKernelDensity()).fit(X).untransformed()


def test_pipelines_that_are_no_densities():
    X = rows_of_kind("positive", 2)
    with pytest.raises(NotFittedError):
        TransformedDensity.from_pipeline(make_pipeline(Log, GaussianMLE()))
    for other in (make_pipeline(Log, StandardScaler()).fit(X), GaussianMLE().fit(X)):
        with pytest.raises(TypeError, match="a Pipeline that ends in a density"):
            TransformedDensity.from_pipeline(other)
    with pytest.raises(ValueError, match="PCA drops features"):
        TransformedDensity.from_pipeline(make_pipeline(PCA(1), GaussianMLE()).fit(X))
    with pytest.raises(TypeError, match="Halver"):
        TransformedDensity.from_pipeline(
            make_pipeline(Log, Halver(), GaussianMLE()).fit(X)
        )


def test_a_pipeline_of_a_density_alone_and_of_named_columns():
    X = pd.DataFrame(rows_of_kind("positive", 2), columns=["a", "b"])
    alone = make_pipeline(GaussianMLE()).fit(X)
    density = TransformedDensity.from_pipeline(alone)
    np.testing.assert_array_equal(density.score_samples(X), alone.score_samples(X))
    scaler = StandardScaler().set_output(transform="pandas")
    columns = ColumnTransformer([("log", Log, ["b"])], remainder="passthrough")
    named = make_pipeline(columns, scaler, GaussianMLE()).fit(X)
    found = TransformedDensity.from_pipeline(named)
    assert list(found.feature_names_in_) == ["a", "b"]
    expected = named.score_samples(X) - np.log(X["b"]) - np.log(scaler.scale_).sum()
    np.testing.assert_allclose(found.score_samples(X), expected)


# ---- The search that it is for ----

# Functions and the ends of where they are defined.
CANDIDATES = {
    None: (-np.inf, np.inf),
    np.log: (0, np.inf),
    np.sqrt: (0, np.inf),
    logit: (0, 1),
}
TRUTHS = [
    (lambda rng: rng.normal(3, 1, size=500), None),
    (lambda rng: rng.lognormal(size=500), np.log),
    (lambda rng: rng.normal(3, 0.8, size=500) ** 2, np.sqrt),
    (lambda rng: expit(rng.normal(size=500)), logit),
]


def chosen(x):
    """The function that a search chooses among those that are defined."""
    defined = [
        FunctionTransformer(function)
        for function, (lower, upper) in CANDIDATES.items()
        if lower < x.min() and x.max() < upper
    ]
    search = GridSearchCV(
        TransformedDensity(density=GaussianMLE()), {"transformer": defined}
    )
    return search.fit(x[:, None]).best_params_["transformer"].func


@pytest.mark.parametrize(("draw", "right"), TRUTHS)
def test_a_search_finds_the_transform(draw, right):
    assert chosen(draw(np.random.RandomState(0))) is right


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "right"), TRUTHS)
def test_a_search_finds_the_transform_in_all_seeds(draw, right):
    found = [chosen(draw(np.random.RandomState(seed))) for seed in range(20)]
    assert found == 20 * [right]
