"""What is right of each method's answer, for a density fitted to any problem.

`ANSWERS` has a function of the problem and the density for every method's name. It asks
by `attempted`, which returns None where a refusal is right.
"""

import warnings

import numpy as np
from judged import KEPT, attempted, same
from oracles import LOWEST, gaussians_of, log_density
from sklearn.base import clone

from skdensity import GaussianMLE

ANSWERS = {}
# To fit to before a problem.
ORDINARY = np.random.RandomState(0).standard_normal((8, 2))


def answer_of(*names):
    """Register what is right of these methods."""

    def register(function):
        ANSWERS.update(dict.fromkeys(names, function))
        return function

    return register


def has_density(problem, density):
    """Whether the fitted density is one: the closed form may be singular."""
    return attempted(problem, density, "score_samples", of(problem)) is not None


def of(problem, rows=None, first=0):
    """Rows to ask about, of features from the first on, in the problem's container."""
    return problem.as_table(problem.queries if rows is None else rows, first)


def is_exact(problem):
    """Whether the attributes tell the density to the last digits."""
    return problem.recipe.dtype != "float32"


@answer_of("fit")
def fit(problem, density):
    """X is as it was, and another fit to other rows leaves nothing of this one."""
    np.testing.assert_array_equal(problem.values, problem.recipe.made().values)
    assert density.n_features_in_ == problem.recipe.n_features
    with warnings.catch_warnings(action="ignore"):
        again = clone(density).fit(ORDINARY, sample_weight=np.arange(1, 9))
    refitted = attempted(
        problem, again, "fit", problem.X, sample_weight=problem.sample_weight
    )
    assert refitted is again
    ours, theirs = vars(density), vars(again)
    assert ours.keys() - KEPT == theirs.keys() - KEPT
    for name in density._told_by:
        assert same(ours[name], theirs[name])


@answer_of("score_samples")
def scores(problem, density):
    found = attempted(problem, density, "score_samples", of(problem))
    if found is None:
        return
    assert found.shape == (len(problem.queries),)
    assert not np.isnan(found).any()
    assert not np.isposinf(found).any()
    holed = attempted(problem, density, "score_samples", of(problem, problem.holed))
    assert not np.isnan(holed).any()
    assert abs(holed[-1]) < 1e-6
    if is_exact(problem):
        assert_close(found, *log_density(density, problem.queries))


@answer_of("score")
def score(problem, density):
    weight = np.arange(len(problem.queries)) % 3
    found = attempted(problem, density, "score", of(problem), sample_weight=weight)
    if found is None:
        return
    values = density.score_samples(of(problem)).astype(np.float64)
    expected = np.average(values[weight > 0], weights=weight[weight > 0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@answer_of("sample")
def sample(problem, density):
    drawn = attempted(problem, density, "sample", 20, random_state=0)
    if drawn is None:
        return
    X = drawn[0] if isinstance(drawn, tuple) else drawn
    assert X.shape == (20, problem.recipe.n_features)
    assert np.isfinite(X).all()
    again = density.sample(20, random_state=0)
    np.testing.assert_array_equal(X, again[0] if isinstance(again, tuple) else again)


@answer_of("gradient")
def gradient(problem, density):
    found = attempted(problem, density, "gradient", of(problem))
    if found is None:
        return
    assert found.shape == problem.queries.shape
    assert not np.isnan(found).any()


@answer_of("modes")
def modes(problem, density):
    if not has_density(problem, density):
        return
    found = attempted(problem, density, "modes")
    assert found.ndim == 2
    assert len(found) >= 1
    assert np.isfinite(found).all()
    if is_exact(problem):
        # No mean and no kernel is higher than the first of them.
        heights, error = log_density(density, found)
        _, means, _ = gaussians_of(density)
        others, more = log_density(density, means)
        assert others.max() <= heights[0] + 1e-4 + error[0] + more.max()


@answer_of("cdf", "sf")
def distribution(problem, density):
    if not has_density(problem, density):
        return
    for method in ("cdf", "sf"):
        refused = attempted(problem, density, method, of(problem))
        assert (refused is None) == (problem.recipe.n_features > 1)
    marginal = attempted(problem, density, "marginal", [0])
    x = problem.as_table(np.sort(problem.queries[:, :1], axis=0))
    below = attempted(problem, marginal, "cdf", x)
    above = attempted(problem, marginal, "sf", x)
    for values in (below, above):
        assert np.all((values >= 0) & (values <= 1))
    assert np.all(np.diff(below) >= 0)
    assert np.all(np.diff(above) <= 0)
    np.testing.assert_allclose(below + above, 1, atol=1e-6)


@answer_of("quantile")
def quantile(problem, density):
    if not has_density(problem, density):
        return
    marginal = attempted(problem, density, "marginal", [0])
    q = [0.0, 1e-6, 0.1, 0.5, 0.9, 1.0]
    found = attempted(problem, marginal, "quantile", q)
    assert np.all(np.diff(found) >= 0)
    assert np.isfinite(found[1:-1]).all()
    assert np.isneginf(found[0])
    assert np.isposinf(found[-1])


@answer_of("probability")
def probability(problem, density):
    if not has_density(problem, density):
        return
    whole = attempted(problem, density, "probability", -np.inf, np.inf)
    np.testing.assert_allclose(whole, 1, rtol=1e-9)
    upper = np.full(problem.recipe.n_features, np.inf)
    upper[0] = problem.queries[0, 0]
    found = attempted(problem, density, "probability", -np.inf, upper)
    marginal = attempted(problem, density, "marginal", [0])
    expected = marginal.cdf(of(problem, problem.queries[:1, :1]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@answer_of("region")
def region(problem, density):
    if not has_density(problem, density):
        return
    marginal = attempted(problem, density, "marginal", [0])
    found = attempted(problem, marginal, "region", 0.9)
    assert np.isfinite(found.log_density)
    ends = found.intervals
    assert np.isfinite(ends).all()
    assert np.all(np.diff(ends.ravel()) >= 0)
    whole = attempted(problem, density, "region", 0.9) if several(problem) else found
    assert np.isfinite(whole.log_density)


def several(problem):
    """Whether there are so many features that few draws are made for a region."""
    return problem.recipe.n_features >= 4


@answer_of("impute")
def impute(problem, density):
    if not has_density(problem, density):
        return
    holed = problem.holed
    there = ~np.isnan(holed)
    for options in ({}, {"sample": True, "random_state": 0}):
        found = attempted(problem, density, "impute", of(problem, holed), **options)
        assert not np.isnan(found).any()
        np.testing.assert_array_equal(found[there], holed[there])


@answer_of("conditional_std")
def conditional_std(problem, density):
    if not has_density(problem, density):
        return
    found = attempted(problem, density, "conditional_std", of(problem, problem.holed))
    assert np.all(np.isfinite(found) & (found >= 0))
    assert np.all(found[~np.isnan(problem.holed)] == 0)


@answer_of("conditional_quantile")
def conditional_quantile(problem, density):
    if not has_density(problem, density):
        return
    holed = problem.holed
    q = [0.05, 0.5, 0.95]
    found = attempted(problem, density, "conditional_quantile", of(problem, holed), q)
    # What follows from values near the end of float32 may be beyond it.
    assert not np.isnan(found).any()
    assert np.isfinite(found).all() or problem.recipe.dtype == "float32"
    assert np.all(found[:, :-1] <= found[:, 1:])


@answer_of("marginal", "condition")
def parts(problem, density):
    if not has_density(problem, density) or problem.recipe.n_features == 1:
        return
    marginal = attempted(problem, density, "marginal", [0])
    for row in problem.queries[::5]:
        rest = attempted(problem, density, "condition", [0], row[:1])
        joint = density.score_samples(of(problem, row[None]))[0]
        given = rest.score_samples(of(problem, row[None, 1:], first=1))[0]
        alone = marginal.score_samples(of(problem, row[None, :1]))[0]
        assert not np.isnan([joint, given, alone]).any()
        if is_exact(problem):
            _, error = log_density(density, row[None])
            joint, product = max(joint, LOWEST), max(float(given) + alone, LOWEST)
            tolerance = 1e-5 + 10 * error[0] + 3e-9 * max(-product, abs(joint))
            assert product <= joint + tolerance
            assert product >= joint - tolerance or has_lost_some(density, rest)


def has_lost_some(density, rest):
    """Whether a value is so far away that weights of a conditional are 0 to a float."""
    if not hasattr(rest, "weights_"):
        return False
    return len(rest.weights_) < len(density.weights_) or rest.weights_.min() == 0


@answer_of("predict", "predict_proba", "predict_log_proba", "score_components")
def responsibilities(problem, mixture):
    for rows in (problem.queries, problem.holed):
        X = of(problem, rows)
        shares = attempted(problem, mixture, "predict_proba", X)
        logs = attempted(problem, mixture, "predict_log_proba", X)
        labels = attempted(problem, mixture, "predict", X)
        values = attempted(problem, mixture, "score_components", X)
        assert not np.isnan(values).any()
        assert np.all(shares >= 0)
        tolerance = 1e-5 if shares.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=tolerance)
        np.testing.assert_allclose(np.exp(logs), shares, atol=tolerance)
        best = shares[np.arange(len(labels)), labels]
        assert np.all(best >= shares.max(axis=1) - tolerance)


@answer_of("aic", "bic", "icl")
def criteria(problem, mixture):
    X = of(problem, np.repeat(problem.queries[:8], 20, axis=0))
    for method in ("aic", "bic", "icl"):
        assert np.isfinite(attempted(problem, mixture, method, X))


@answer_of("fit_predict")
def fit_predict(problem, mixture):
    again = clone(mixture)
    labels = attempted(
        problem, again, "fit_predict", problem.X, sample_weight=problem.sample_weight
    )
    np.testing.assert_array_equal(labels, mixture.predict(problem.X))


@answer_of("partial_fit")
def partial_fit(problem, density):
    """As many rows as count are seen, and the closed form forgets none of them."""
    stream, n_seen = clone(density), 0
    half = (problem.recipe.n_rows + 1) // 2
    for part in (slice(0, half), slice(half, None)):
        X = problem.as_table(problem.values[part])
        if len(problem.values[part]) == 0:
            continue
        weight = problem.sample_weight
        weight = None if weight is None else weight[part]
        if attempted(problem, stream, "partial_fit", X, sample_weight=weight):
            n_seen += np.count_nonzero(problem.counts[part])
            assert stream.n_samples_seen_ == n_seen
    is_closed = isinstance(density, GaussianMLE) and not problem.recipe.missing
    if is_closed and is_exact(problem) and n_seen == len(problem.counting):
        size = np.sqrt(np.diag(density.covariance_))
        noise = 1e-8 * size + 1e-13 * np.abs(density.location_)
        found = np.abs(stream.covariance_ - density.covariance_)
        assert np.all(found <= np.outer(size, noise) + np.outer(noise, size + noise))


@answer_of("from_parameters")
def from_parameters(problem, density):
    """The attributes tell all of the density, but for what float32 rounds away."""
    if not (is_exact(problem) and has_density(problem, density)):
        return
    if hasattr(density, "weights_"):
        told = (density.weights_, density.means_, density.covariances_)
        options = {"covariance_type": density.covariance_type}
    else:
        told, options = (density.location_, density.covariance_), {}
    again = attempted(problem, clone(density), "from_parameters", *told, **options)
    if again is not None:
        found = again.score_samples(problem.queries)
        assert_close(found, *log_density(density, problem.queries))


@answer_of("from_sklearn", "to_sklearn")
def exchange(problem, mixture):
    """There and back again: the same density, in the shape that theirs has."""
    theirs = attempted(problem, mixture, "to_sklearn")
    again = attempted(problem, mixture, "from_sklearn", theirs)
    np.testing.assert_array_equal(again.means_, mixture.means_)
    if is_exact(problem):
        expected, error = log_density(mixture, problem.queries)
        assert_close(again.score_samples(of(problem)), expected, error)


def assert_close(found, expected, error):
    """Log-densities are as close as rounding allows."""
    assert np.all(np.abs(np.maximum(found, LOWEST) - expected) <= 1e-5 + error)
