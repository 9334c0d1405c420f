"""What is right of the methods' answers, for a use of a density fitted to any problem.

`ANSWERS` has a function of the problem and the estimator for every class and method.
It asks by `attempted`, which returns None where a refusal is right.
"""

import numpy as np
from answers_of_densities import has_lost_some
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer
from uses import attempted, fit_arguments, labels_of, targets_of

from skdensity import (
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    GaussianMixtureSearch,
    TransformedDensity,
)
from skdensity.uses.mixture_table import ROUNDING

ANSWERS = {}
# Two roundings of float32 apart.
SINGLE = 1e-5


def answer_of(cls, *names):
    """Register what is right of these methods of a class."""

    def register(function):
        ANSWERS.update({(cls, name): function for name in names})
        return function

    return register


def asked_rows(problem, rows=None):
    """Rows to ask about, in the problem's container."""
    return problem.as_table(problem.queries if rows is None else rows)


def takes_holes(estimator):
    """Whether rows to ask about may have NaN."""
    return estimator.__sklearn_tags__().input_tags.allow_nan


def tables_of(problem, estimator):
    """Rows to ask about: whole ones, and with holes if it takes them."""
    holed = [problem.holed] if takes_holes(estimator) else []
    return [problem.queries, *holed]


def draws_of(drawn):
    return drawn[0] if isinstance(drawn, tuple) else drawn


def check_draws(problem, estimator, n_features, **options):
    """Finite, as many as were asked for, and the same again."""
    first, again = (
        attempted(problem, estimator, "sample", 20, random_state=1, **options)
        for _ in range(2)
    )
    X = draws_of(first)
    assert X.shape == (20, n_features)
    assert np.isfinite(X).all()
    np.testing.assert_array_equal(X, draws_of(again))
    return first


def same_as_mean(found, values, weight):
    """A score is the weighted mean of rows' log-densities; −∞ of one is of all."""
    rows = weight > 0
    with np.errstate(over="ignore"):
        expected = np.average(values[rows].astype(np.float64), weights=weight[rows])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


# ---- Everything ----


def fit_leaves_rows(problem, estimator):
    np.testing.assert_array_equal(problem.values, problem.recipe.made().values)
    assert estimator.n_features_in_ == problem.recipe.n_features
    is_named = problem.recipe.container in ("pandas", "polars")
    assert hasattr(estimator, "feature_names_in_") == is_named


for use in (
    DensityImputer,
    DensityClassifier,
    DensityRegressor,
    DensityOutlierDetector,
    GaussianMixtureSearch,
    TransformedDensity,
):
    answer_of(use, "fit")(fit_leaves_rows)


# ---- Imputer ----


@answer_of(DensityImputer, "transform")
def filled(problem, imputer):
    is_empty = np.isnan(problem.values.astype(np.float64)).all(axis=0)
    for rows in (problem.values, problem.queries, problem.holed):
        found = attempted(problem, imputer, "transform", asked_rows(problem, rows))
        known = rows[:, ~is_empty]
        values, tells = np.split(found, [known.shape[1]], axis=1)
        assert not np.isnan(values).any()
        there = ~np.isnan(known.astype(np.float64))
        np.testing.assert_array_equal(values[there], known[there])
        if imputer.indicator_ is not None:
            missing = np.isnan(rows[:, imputer.indicator_.features_].astype(float))
            np.testing.assert_array_equal(tells, missing)
        else:
            assert tells.shape[1] == 0
        if found.dtype == np.float32:
            assert rows.dtype == np.float32


@answer_of(DensityImputer, "get_feature_names_out")
def names_of_columns(problem, imputer):
    names = attempted(problem, imputer, "get_feature_names_out")
    found = attempted(problem, imputer, "transform", asked_rows(problem))
    assert len(set(names)) == len(names) == found.shape[1]


# ---- Classifier ----


@answer_of(DensityClassifier, "predict_proba", "predict_log_proba", "predict")
def bayes(problem, classifier):
    for rows in tables_of(problem, classifier):
        X = asked_rows(problem, rows)
        shares = attempted(problem, classifier, "predict_proba", X)
        logs = attempted(problem, classifier, "predict_log_proba", X)
        labels = attempted(problem, classifier, "predict", X)
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-9)
        assert np.all(shares >= 0)
        expected = log_joint_of(classifier, rows)
        expected[np.isneginf(expected).all(axis=1)] = np.log(classifier.priors_)
        # The largest first: beside it the logarithm of a sum may be lost.
        expected -= expected.max(axis=1, keepdims=True)
        expected -= logsumexp(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(logs, expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(shares, np.exp(logs), atol=1e-12)
        np.testing.assert_array_equal(labels, classifier.classes_[logs.argmax(axis=1)])


def log_joint_of(classifier, rows):
    """Of each row and class, by the densities alone."""
    rows = rows.astype(np.float64)
    columns = [density.score_samples(rows) for density in classifier.densities_]
    return np.column_stack(columns) + np.log(classifier.priors_)


@answer_of(DensityClassifier, "score_samples")
def density_of_all_classes(problem, classifier):
    for rows in tables_of(problem, classifier):
        X = asked_rows(problem, rows)
        found = attempted(problem, classifier, "score_samples", X)
        expected = logsumexp(log_joint_of(classifier, rows), axis=1)
        assert not np.isnan(found).any()
        with np.errstate(over="ignore"):
            expected = expected.astype(found.dtype)
        np.testing.assert_allclose(found, expected, rtol=SINGLE, atol=1e-9)


@answer_of(DensityClassifier, "score")
def accuracy(problem, classifier):
    X, rng = asked_rows(problem), np.random.RandomState(problem.recipe.seed)
    y = rng.choice(classifier.classes_, len(problem.queries))
    weight = 1.0 + np.arange(len(y)) % 3
    found = attempted(problem, classifier, "score", X, y, sample_weight=weight)
    right = classifier.predict(X) == y
    np.testing.assert_allclose(found, weight[right].sum() / weight.sum())


@answer_of(DensityClassifier, "sample")
def labelled_draws(problem, classifier):
    n_features = problem.recipe.n_features
    _, y = check_draws(problem, classifier, n_features)
    assert np.isin(y, classifier.classes_).all()
    label = classifier.classes_[-1]
    _, y = check_draws(problem, classifier, n_features, label=label)
    assert np.all(y == label)


@answer_of(DensityClassifier, "fit")
def shares_of_weight(problem, classifier):
    fit_leaves_rows(problem, classifier)
    labels, weight = labels_of(problem), problem.weight / problem.weight.max()
    classes = np.unique(labels[weight > 0])
    np.testing.assert_array_equal(classifier.classes_, classes)
    mass = np.array([weight[labels == label].sum() for label in classes])
    np.testing.assert_allclose(classifier.priors_, mass / mass.sum())


# ---- Regressor ----


@answer_of(DensityRegressor, "predict")
def means_and_spreads(problem, regressor):
    for rows in (problem.queries, problem.holed):
        X = asked_rows(problem, rows)
        alone = attempted(problem, regressor, "predict", X)
        mean, std = attempted(problem, regressor, "predict", X, return_std=True)
        np.testing.assert_array_equal(alone, mean)
        assert mean.shape == std.shape == (len(rows),)
        assert not np.isnan(mean).any()
        assert np.all(std >= 0)


@answer_of(DensityRegressor, "predict_quantiles")
def ordered_quantiles(problem, regressor):
    for rows in (problem.queries, problem.holed):
        X = asked_rows(problem, rows)
        q = [0.01, 0.05, 0.5, 0.95, 0.99]
        found = attempted(problem, regressor, "predict_quantiles", X, q)
        assert found.shape == (len(rows), len(q))
        assert not np.isnan(found).any()
        # So that every interval holds the median.
        assert np.all(found[:, 1:] >= found[:, :-1])
        median = attempted(problem, regressor, "predict_quantiles", X, 0.5)
        np.testing.assert_array_equal(median, found[:, 2])


@answer_of(DensityRegressor, "sample_y")
def drawn_targets(problem, regressor):
    for rows in (problem.queries, problem.holed):
        X = asked_rows(problem, rows)
        found = attempted(problem, regressor, "sample_y", X, 3, random_state=1)
        assert found.shape == (len(rows), 3)
        assert not np.isnan(found).any()
        again = regressor.sample_y(X, 3, random_state=1)
        np.testing.assert_array_equal(found, again)


@answer_of(DensityRegressor, "score")
def share_of_variance(problem, regressor):
    X, y = asked_rows(problem, problem.values), targets_of(problem)
    if len(y) < 2:
        return  # of which scikit-learn warns that there is no such score
    weight = 1.0 + np.arange(len(y)) % 3
    found = attempted(problem, regressor, "score", X, y, sample_weight=weight)
    unit = np.abs(y).max()
    errors = (y - regressor.predict(X).astype(np.float64)) / unit
    spread = (y - np.average(y, weights=weight)) / unit
    if not spread.any():
        assert found == (0.0 if errors.any() else 1.0)  # which is scikit-learn's word
        return
    expected = 1 - weight @ errors**2 / (weight @ spread**2)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@answer_of(DensityRegressor, "log_density")
def joint_over_marginal(problem, regressor):
    y = targets_of(problem)[:3]
    rows = problem.queries[: len(y)]
    found = attempted(problem, regressor, "log_density", asked_rows(problem, rows), y)
    assert not np.isnan(found).any()
    features = np.arange(problem.recipe.n_features)
    for row, target, value in zip(rows.astype(np.float64), y, found, strict=True):
        given = regressor.density_.condition(features, row)
        if has_lost_some(regressor.density_, given):
            continue
        expected = given.score_samples([[target]])[0]
        tolerance = 1e-4 + of_rounding(problem)
        np.testing.assert_allclose(value, expected, 1e-4, tolerance)


# ---- Outlier detector ----


def novel(detector):
    return detector.novelty


@answer_of(DensityOutlierDetector, "predict", "decision_function", "score_samples")
def below_the_threshold(problem, detector):
    if not novel(detector):
        return
    for rows in tables_of(problem, detector):
        X = asked_rows(problem, rows)
        scores = attempted(problem, detector, "score_samples", X)
        decision = attempted(problem, detector, "decision_function", X)
        labels = attempted(problem, detector, "predict", X)
        assert not np.isnan(scores).any()
        assert not np.isnan(decision).any()
        np.testing.assert_array_equal(
            labels, np.where(scores < detector.offset_, -1, 1)
        )
        np.testing.assert_array_equal(decision < 0, labels == -1)


@answer_of(DensityOutlierDetector, "p_values")
def p_values(problem, detector):
    if not novel(detector):
        return
    scores, weight = detector._left_out()
    for rows in tables_of(problem, detector):
        X = asked_rows(problem, rows)
        found = attempted(problem, detector, "p_values", X)
        at_most = scores <= detector.score_samples(X)[:, None]
        expected = (1 + at_most @ weight) / (1 + weight.sum())
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert np.all((found > 0) & (found <= 1))


@answer_of(DensityOutlierDetector, "fit", "fit_predict")
def flagged_share(problem, detector):
    """The threshold is the least score up to which there is the share of weight."""
    fit_leaves_rows(problem, detector)
    scores, weight = detector._left_out()
    weight = weight / weight.sum()
    assert not np.isnan(scores).any()
    share, slack = detector.contamination, 1e-12
    assert weight[scores < detector.offset_].sum() <= share + slack
    assert weight[scores <= detector.offset_].sum() >= share - slack
    if novel(detector):
        return
    again = clone(detector)
    args, kwargs = fit_arguments(problem, detector)
    labels = attempted(problem, again, "fit_predict", *args, **kwargs)
    assert weight @ (labels == -1)[problem.weight > 0] <= share + slack
    np.testing.assert_array_equal(again.left_out_scores_, detector.left_out_scores_)


# ---- Search ----


@answer_of(GaussianMixtureSearch, "fit")
def best_of_table(problem, search):
    fit_leaves_rows(problem, search)
    table, best = search.results_, search.best_estimator_
    values = table[search.criterion]
    counts = table["reason"] == ""
    np.testing.assert_array_equal(counts, ~np.isnan(values))
    for name, value in search.best_params_.items():
        assert table[name][search.best_index_] == value == getattr(best, name)
    if counts.any():
        # Of those that are equal but for rounding it is the first.
        least = np.nanmin(values)
        is_least = values <= least + ROUNDING * abs(least)  # no NaN is
        assert search.best_index_ == is_least.argmax()
        check_criteria(problem, search)


def check_criteria(problem, search):
    """Those of the table are those that the best mixture tells of the rows."""
    best, i = search.best_estimator_, search.best_index_
    if problem.weight[problem.counts].sum() <= search.results_["n_parameters"][i]:
        return  # then they warn
    rtol = 1e-4 if problem.recipe.dtype == "float32" else 1e-6
    for name in ("aic", "bic"):
        expected = getattr(best, name)(problem.X, problem.sample_weight)
        found = search.results_[name][i]
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@answer_of(GaussianMixtureSearch, "score_samples", "score", "predict", "predict_proba")
def those_of_the_best(problem, search):
    for rows in (problem.queries, problem.holed):
        X, best = asked_rows(problem, rows), search.best_estimator_
        for name in ("score_samples", "score", "predict", "predict_proba"):
            found = attempted(problem, search, name, X)
            assert not np.isnan(found).any()
            np.testing.assert_array_equal(found, getattr(best, name)(X))
        np.testing.assert_allclose(search.predict_proba(X).sum(axis=1), 1, rtol=SINGLE)
        labels = search.predict(X)
        assert np.all((labels >= 0) & (labels < best.n_components))


@answer_of(GaussianMixtureSearch, "sample")
def labelled_rows(problem, search):
    _, y = check_draws(problem, search, problem.recipe.n_features)
    assert np.all((y >= 0) & (y < search.best_estimator_.n_components))


# ---- Transformed density ----


@answer_of(TransformedDensity, "score_samples")
def change_of_variables(problem, density):
    """q of the transformed row, times by how much volumes grow there."""
    found = attempted(problem, density, "score_samples", asked_rows(problem))
    assert not np.isnan(found).any()
    assert not np.isposinf(found).any()
    near = problem.queries[:8].astype(np.float64) + 1e-3 * problem.recipe.scales
    scores = density.score_samples(near)
    near, scores = near[np.isfinite(scores)], scores[np.isfinite(scores)]
    for row, score in zip(near, scores, strict=True):
        of_image = density.density_.score_samples(transformed(density, row[None]))[0]
        growth = log_growth(density, row, problem.recipe.scales)
        if np.isfinite(growth):  # steps may be too small to change the image
            tolerance = 1e-3 + of_rounding(problem)
            np.testing.assert_allclose(score, of_image + growth, 1e-4, tolerance)


def of_rounding(problem):
    """What transformed rows lose, in nats, where they are far from 0.

    Some eps of the offset, in standard deviations, times the slope of a log-density,
    which is at most a hundred nats a standard deviation near the rows.
    """
    dtype = np.float32 if problem.recipe.dtype == "float32" else np.float64
    return 100 * np.finfo(dtype).eps * abs(problem.recipe.offset)


def transformed(density, X):
    transformer = density.transformer_
    return X if transformer is None else transformer.transform(X)


def log_growth(density, row, scales):
    """Log of the determinant of central differences; NaN where they do not tell.

    Parts of a step differ at knots of quantiles, and where powers lose digits.
    """
    step = 1e-5 * np.abs(row) + 1e-300
    if isinstance(density.transformer_, QuantileTransformer):
        step = np.minimum(step, 1e-3 * scales)  # from knot to knot it is far more
    sides = np.linspace(-1, 1, 21)
    places = [transformed(density, row + side * np.diag(step)) for side in sides]
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = np.diag((row + np.diag(step)) - (row - np.diag(step)))
        change = places[-1] - places[0]
        size = np.abs(change).max(axis=0)
        parts = 20 * np.diff(places, axis=0)
        if not np.all(np.abs(parts - change) <= 0.01 * size):
            return np.nan
        _, log_volume = np.linalg.slogdet(change / size)
        return log_volume + np.log(size).sum() - np.log(ends).sum()


@answer_of(TransformedDensity, "score")
def mean_of_scores(problem, density):
    weight = 1.0 + np.arange(len(problem.queries)) % 3
    X = asked_rows(problem)
    found = attempted(problem, density, "score", X, sample_weight=weight)
    same_as_mean(found, density.score_samples(X), weight)


@answer_of(TransformedDensity, "sample")
def draws_in_units(problem, density):
    if density.image_mass_ < 0.1:
        return
    X = check_draws(problem, density, problem.recipe.n_features)
    assert 0 <= density.image_mass_ <= 1
    assert not np.isnan(density.score_samples(problem.as_table(X))).any()


@answer_of(TransformedDensity, "marginal", "condition")
def parts(problem, density):
    """The density of some features, times that of the others given them."""
    if problem.recipe.n_features == 1:
        return
    marginal = attempted(problem, density, "marginal", [0])
    if marginal is None:
        return
    for row in problem.queries[:4].astype(np.float64):
        joint = density.score_samples(problem.as_table(row[None]))[0]
        alone = marginal.score_samples(row[None, :1])[0]
        assert not np.isnan(alone)
        if not np.isfinite(joint + alone):
            continue
        rest = attempted(problem, density, "condition", [0], row[:1])
        if has_lost_some(density.density_, rest.density_):
            continue
        given = rest.score_samples(row[None, 1:])[0]
        tolerance = 1e-4 + of_rounding(problem)
        np.testing.assert_allclose(alone + given, joint, 1e-4, tolerance)


@answer_of(TransformedDensity, "untransformed")
def same_without_transformer(problem, density):
    found = attempted(problem, density, "untransformed")
    if found is None:
        return
    scores = density.score_samples(problem.queries[:8])
    expected = found.score_samples(problem.queries[:8])
    tolerance = 1e-4 + of_rounding(problem)
    np.testing.assert_allclose(scores, expected, 1e-4, tolerance)


@answer_of(TransformedDensity, "from_pipeline")
def same_as_pipeline(problem, density):
    pipeline = make_pipeline(density.transformer_, density.density_)
    found = attempted(problem, density, "from_pipeline", pipeline)
    X = problem.queries
    np.testing.assert_array_equal(found.score_samples(X), density.score_samples(X))


@answer_of(TransformedDensity, "get_metadata_routing")
def routes(problem, density):
    router = attempted(problem, density, "get_metadata_routing")
    given = {name for name in ("transformer", "density") if getattr(density, name)}
    assert set(router._route_mappings) == given
