"""LOOKernelDensity: leave-one-out against refits, exact tails, ties and weights."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest
from scipy.stats import gaussian_kde
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KernelDensity

from skdensity import LOOKernelDensity
from skdensity.datasets import make_mixture_1d
from skdensity.models.kernels.sums import total

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")


def rows(n_features, n_samples=80):
    rng = np.random.RandomState(n_features)
    return rng.standard_normal((n_samples, n_features)) * np.arange(1, n_features + 1)


@pytest.mark.parametrize("n_features", [1, 2, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loo_score_equals_brute_force_refits(n_features, weighted):
    X = rows(n_features)
    weight = np.random.RandomState(0).uniform(0.1, 3, len(X)) if weighted else None
    density = LOOKernelDensity().fit(X, sample_weight=weight)
    weight = np.ones(len(X)) if weight is None else weight
    others = ~np.eye(len(X), dtype=bool)
    refits = [
        LOOKernelDensity(density.bandwidth_)
        .fit(X[other], sample_weight=weight[other])
        .score_samples(X[[i]])[0]
        for i, other in enumerate(others)
    ]
    expected = np.average(refits, weights=weight)
    assert density.loo_score_ == pytest.approx(expected, abs=1e-10)


KERNELS = [0.7, [0.5, 1.0], [[0.5, 0.2], [0.2, 0.8]]]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore:.*coincide:UserWarning")
def test_loo_log_densities_are_those_of_refits_in_the_order_of_the_rows(kernel, dtype):
    X = rows(2).astype(dtype)
    X[[3, 40]] = X[[7, 7]]  # three copies, which are left out together
    weight = np.random.RandomState(0).uniform(0.1, 3, len(X))
    weight[[5, 9, 40]] = 0
    density = LOOKernelDensity(kernel).fit(X, sample_weight=weight)
    expected = [
        LOOKernelDensity(kernel)
        .fit(X[others], sample_weight=weight[others])
        .score_samples(X[[i]])[0]
        for i in range(len(X))
        for others in [np.any(X[i] != X, axis=1) | (weight[i] == 0)]
    ]
    assert density.loo_log_density_.dtype == dtype
    rtol = 1e-9 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(density.loo_log_density_, expected, rtol=rtol)
    mean = np.average(density.loo_log_density_, weights=weight)
    assert mean == pytest.approx(density.loo_score_, rel=10 * rtol)


@pytest.mark.filterwarnings("ignore:.*Allowed for:UserWarning")
def test_the_loo_score_is_their_mean_where_there_are_atoms():
    X = np.append(rows(1), np.full(30, 0.5))[:, None]
    density = LOOKernelDensity().fit(X)
    assert density.columns_[0].atoms == (0.5,)
    mean = density.loo_log_density_.mean()
    assert density.loo_score_ == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("bounds", [(-4, None), (-4, 4)])
def test_loo_log_densities_know_bounds(bounds):
    X = np.clip(rows(1), -3.9, 3.9)
    density = LOOKernelDensity(0.7, bounds=bounds).fit(X)
    for i in (0, 5, X.argmax()):
        other = LOOKernelDensity(0.7, bounds=bounds).fit(X[np.arange(len(X)) != i])
        expected = other.score_samples(X[[i]])[0]
        assert density.loo_log_density_[i] == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*rounding makes them:UserWarning")
def test_of_rounded_rows_one_is_left_out():
    X = rows(1, 2000).round(1)
    density = LOOKernelDensity().fit(X)
    for i in (0, 7, X.argmax()):
        other = LOOKernelDensity(density.bandwidth_).fit(X[np.arange(len(X)) != i])
        expected = other.score_samples(X[[i]])[0]
        assert density.loo_log_density_[i] == pytest.approx(expected, abs=1e-9)


def test_loo_log_densities_follow_a_fit_and_a_part():
    X, weight = rows(2), np.ones(80)
    weight[3] = 0
    density = LOOKernelDensity(0.7).fit(X)
    assert density.loo_log_density_.shape == (80,)
    assert density.fit(X[1:]).loo_log_density_.shape == (79,)
    again = pickle.loads(pickle.dumps(density.fit(X, sample_weight=weight)))
    np.testing.assert_array_equal(again.loo_log_density_, density.loo_log_density_)
    part = density.marginal([1])
    refit = LOOKernelDensity(0.7).fit(part.locations_, sample_weight=part.weights_)
    np.testing.assert_allclose(
        part.loo_log_density_, refit.loo_log_density_, rtol=1e-12
    )
    np.testing.assert_array_equal(
        LOOKernelDensity(1.0).fit(X[:1]).loo_log_density_, [-np.inf]
    )
    assert not hasattr(LOOKernelDensity(), "loo_log_density_")


@pytest.mark.slow
@pytest.mark.parametrize("n_features", range(1, 11))
def test_one_fresh_row_in_twenty_is_below_the_threshold(n_features):
    flagged = []
    for seed in range(20):
        rng = np.random.RandomState(seed)
        density = LOOKernelDensity().fit(rng.standard_normal((2000, n_features)))
        threshold = np.quantile(density.loo_log_density_, 0.05)
        fresh = rng.standard_normal((5000, n_features))
        flagged.append(np.mean(density.score_samples(fresh) < threshold))
    assert np.mean(flagged) == pytest.approx(0.05, abs=0.01)


def loo_score(X, bandwidth):
    return LOOKernelDensity(bandwidth, algorithm="exact").fit(X).loo_score_


@pytest.mark.parametrize(
    "X",
    [
        rows(1),
        rows(2),
        rows(5),
        load_iris().data,
        make_mixture_1d()[0],
        np.random.RandomState(0).standard_cauchy((200, 1)),
        np.r_[rows(1), [[40.0]]],
    ],
    ids=["1-D", "2-D", "5-D", "iris", "mixture", "Cauchy", "outlier"],
)
def test_the_bandwidth_is_the_best_of_a_fine_search(X):
    density = LOOKernelDensity().fit(X)
    chosen, best = density.bandwidth_, density.loo_score_
    grid = 2 * np.ptp(X) * 1.05 ** -np.arange(200)
    assert max(loo_score(X, h) for h in grid) <= best
    for factor in (1 - 1e-4, 1 + 1e-4):
        assert loo_score(X, factor * chosen) <= best


def test_the_rules_of_thumb_are_scipys_in_one_dimension():
    X = rows(1)
    weight = np.random.RandomState(0).uniform(0.1, 3, len(X))
    for rule in ("scott", "silverman"):
        for w in (None, weight):
            density = LOOKernelDensity(rule).fit(X, sample_weight=w)
            theirs = gaussian_kde(X[:, 0], bw_method=rule, weights=w)
            expected = np.sqrt(theirs.covariance[0, 0])
            assert density.bandwidth_ == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n_features", [1, 3])
def test_equals_scikit_learns_exact_sum_near_the_data(n_features):
    X = rows(n_features)
    # One leaf makes their sum exact.
    theirs = KernelDensity(bandwidth=0.7, leaf_size=1000).fit(X)
    ours = LOOKernelDensity(0.7).fit(X)
    Q = rows(n_features, 20) + 0.1
    np.testing.assert_allclose(
        ours.score_samples(Q), theirs.score_samples(Q), rtol=1e-12
    )


def test_tails_are_exact_where_scikit_learn_is_off_by_hundreds_of_nats():
    X = load_digits().data
    train, query = X[:900], X[900:905]
    actual = LOOKernelDensity(1.0).fit(train).score_samples(query)
    with mpmath.workdps(30):
        for x, value in zip(query, actual, strict=True):
            squares = ((train - x) ** 2).sum(axis=1)
            total = mpmath.fsum(mpmath.exp(-s / 2) for s in squares)
            log_peak = 32 * mpmath.log(2 * mpmath.pi) + mpmath.log(len(train))
            exact = mpmath.log(total) - log_peak
            assert abs(value - exact) < 1e-10 * abs(exact)


def test_a_query_1e3_bandwidths_away_is_finite():
    density = LOOKernelDensity(1e-3).fit([[0.0], [1.0]])
    expected = -0.5 * 1e6 - np.log(2) - 0.5 * np.log(2 * np.pi) + np.log(1e3)
    assert density.score_samples([[2.0]])[0] == pytest.approx(expected, rel=1e-12)


def test_duplicates_cannot_drive_the_bandwidth_to_zero():
    X = rows(1, 300)
    once = LOOKernelDensity().fit(X)
    with pytest.warns(UserWarning, match="50% of the rows coincide"):
        twice = LOOKernelDensity().fit(np.r_[X, X])
    # The score is flat at its maximum: rounding moves the search by up to √eps.
    assert twice.bandwidth_ == pytest.approx(once.bandwidth_, rel=1e-7)
    assert twice.loo_score_ == pytest.approx(once.loo_score_, rel=1e-12)


@pytest.mark.parametrize("bandwidth", ["loo", "scott", "silverman"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_bandwidths_scale_with_the_data(bandwidth, scale):
    X = rows(2)
    here = LOOKernelDensity(bandwidth).fit(X)
    there = LOOKernelDensity(bandwidth).fit(scale * X + 3 * scale)
    assert there.bandwidth_ == pytest.approx(scale * here.bandwidth_, rel=1e-6)
    np.testing.assert_allclose(
        there.score_samples(scale * X + 3 * scale),
        here.score_samples(X) - 2 * np.log(scale),
        atol=1e-5,
    )


@pytest.mark.parametrize("bandwidth", ["loo", "scott", "silverman"])
def test_the_unit_of_weights_and_the_order_of_rows_make_no_difference(bandwidth):
    X = rows(2)
    weight = np.random.RandomState(0).randint(1, 5, len(X))
    one = LOOKernelDensity(bandwidth).fit(X, sample_weight=weight)
    order = np.random.RandomState(1).permutation(len(X))
    other = LOOKernelDensity(bandwidth).fit(
        X[order], sample_weight=1e-9 * weight[order]
    )
    assert other.bandwidth_ == pytest.approx(one.bandwidth_, rel=1e-7)


@pytest.mark.parametrize("bandwidth", ["loo", "scott", "silverman"])
def test_identical_rows_need_a_number(bandwidth):
    with pytest.raises(ValueError, match=f"bandwidth='{bandwidth}' needs at least 2 d"):
        LOOKernelDensity(bandwidth).fit(np.ones((5, 2)))
    density = LOOKernelDensity(0.5).fit(np.ones((5, 2)))
    assert density.score([[1, 1]]) == pytest.approx(-np.log(2 * np.pi * 0.25))


def test_the_score_follows_the_bandwidth():
    X = rows(1)
    density = LOOKernelDensity().fit(X)
    best = density.loo_score_
    for bandwidth in ("scott", "silverman", 1.0):
        assert density.set_params(bandwidth=bandwidth).fit(X).loo_score_ < best
    assert LOOKernelDensity(1.0).fit(X[:1]).loo_score_ == -np.inf
    assert not hasattr(LOOKernelDensity(), "loo_score_")


@pytest.mark.parametrize("spread", [1e-5, 1e-7, 1e-9])
def test_the_best_basin_is_found_between_scales_far_apart(spread):
    # Two clusters at distance 1: the grid spans as many octaves as their spread asks.
    X = np.r_[rows(1), rows(1) + 1 / spread] * spread
    density = LOOKernelDensity().fit(X)
    grid = spread * np.logspace(-3, 3, 61)
    assert density.loo_score_ >= max(loo_score(X, h) for h in grid)


@pytest.mark.parametrize("scale", [1e-200, 1e-154, 1e154, 1e200])
@pytest.mark.parametrize("bandwidth", ["loo", "scott", "silverman", "isj"])
@pytest.mark.parametrize("shape", ["spherical", "diag"])
def test_extreme_scales(shape, bandwidth, scale):
    X = rows(2)
    here = LOOKernelDensity(bandwidth, covariance_type=shape).fit(X)
    there = LOOKernelDensity(bandwidth, covariance_type=shape).fit(scale * X)
    np.testing.assert_allclose(
        there.score_samples(scale * X) + 2 * np.log(scale),
        here.score_samples(X),
        atol=1e-6,
    )


def test_one_weight_that_holds_nearly_all_the_mass():
    for tiny in (1e-10, 1e-17, 1e-300):
        for bandwidth in ("loo", "scott", "silverman"):
            density = LOOKernelDensity(bandwidth)
            density.fit([[0.0], [1.0]], sample_weight=[1, tiny])
            assert 0 < density.bandwidth_ < 10


def test_float32_locations_lose_nothing_to_an_offset():
    X = (rows(1) + 1e4).astype(np.float32)
    single = LOOKernelDensity(0.01).fit(X).score_samples(X)
    double = LOOKernelDensity(0.01).fit(X.astype(np.float64))
    np.testing.assert_allclose(single, double.score_samples(X.astype(float)), rtol=1e-6)


# Enough rows for transforms, for several blocks of pairs, and for threads.
LARGE = [(4000, 1), (3000, 2), (2000, 3), (1200, 5)]


@pytest.mark.parametrize(("n_samples", "n_features"), LARGE)
@pytest.mark.parametrize("bandwidth", ["loo", "lscv"])
def test_the_number_of_threads_changes_no_bit(
    monkeypatch, bandwidth, n_samples, n_features
):
    monkeypatch.setattr(total, "WORTH_THREADS", 0)
    X = rows(n_features, n_samples)
    one, two, three = (
        LOOKernelDensity(bandwidth, n_jobs=n_jobs).fit(X) for n_jobs in (1, 2, 3)
    )
    for other in (two, three):
        assert other.bandwidth_ == one.bandwidth_
        assert other.loo_score_ == one.loo_score_
        np.testing.assert_array_equal(other.loo_scores_, one.loo_scores_)
        for queries in (X[:10], X[:2000] + 0.01):
            np.testing.assert_array_equal(
                other.score_samples(queries), one.score_samples(queries)
            )


@pytest.mark.parametrize(("n_samples", "n_features"), LARGE)
@pytest.mark.parametrize("bounds", [None, (-100, None)])
def test_threads_that_ask_at_once_get_what_they_get_one_by_one(
    n_samples, n_features, bounds
):
    X = rows(n_features, n_samples)
    density = LOOKernelDensity(0.5, bounds=bounds).fit(X)
    parts = [X[i : i + 800] + 10 * (i % 3) for i in range(8)]
    expected = [clone(density).fit(X).score_samples(part) for part in parts]
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(density.score_samples, parts))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bandwidth", [0.7, [0.5, 1.0], [[1.0, 0.3], [0.3, 0.5]]])
def test_attributes_set_by_hand_are_a_fitted_density(bandwidth):
    X, weight = rows(2), np.arange(1.0, 81.0)
    fitted = LOOKernelDensity(bandwidth).fit(X, sample_weight=weight)
    by_hand = LOOKernelDensity()
    with pytest.raises(NotFittedError):
        by_hand.score_samples(X)
    by_hand.locations_, by_hand.weights_ = X, weight / weight.sum()
    with pytest.raises(NotFittedError, match="`locations_`, `weights_` but not `bandw"):
        by_hand.score_samples(X)
    by_hand.bandwidth_ = np.array(bandwidth) if np.ndim(bandwidth) else bandwidth
    np.testing.assert_allclose(
        by_hand.score_samples(X), fitted.score_samples(X), rtol=1e-12
    )
    np.testing.assert_allclose(by_hand.gradient(X), fitted.gradient(X), atol=1e-12)
    assert by_hand.loo_score_ == pytest.approx(fitted.loo_score_, rel=1e-12)
    assert by_hand.sample(3, random_state=0).shape == (3, 2)
    assert by_hand.marginal([1]).n_features_in_ == 1
    by_hand.bandwidth_ = -1.0
    with pytest.raises(ValueError, match="`bandwidth_` must be positive"):
        by_hand.score_samples(X)


def test_attributes_set_by_hand_have_the_bounds_that_are_asked_for():
    X = np.abs(rows(2))
    by_hand = LOOKernelDensity(bounds=(0, None))
    by_hand.locations_, by_hand.weights_ = X, np.full(len(X), 1 / len(X))
    by_hand.bandwidth_ = 0.5
    expected = LOOKernelDensity(0.5, bounds=(0, None)).fit(X).score_samples(X)
    np.testing.assert_allclose(by_hand.score_samples(X), expected, rtol=1e-12)
    assert by_hand.score_samples([[-1.0, 1.0]]) == -np.inf


@pytest.mark.parametrize("least", [5e-324, 1e-322, 1e-310])
@pytest.mark.parametrize(
    "bandwidth", ["loo", "robust_loo", "lscv", "isj", "scott", 0.3]
)
def test_weights_whose_shares_underflow_are_none(bandwidth, least):
    X = np.random.default_rng(0).normal(size=(200, 1))
    is_light = np.arange(200) % 2 == 0
    density = LOOKernelDensity(bandwidth)
    found = density.fit(X, sample_weight=np.where(is_light, least, 1.0))
    expected = LOOKernelDensity(bandwidth).fit(X, sample_weight=~is_light * 1.0)
    assert found.bandwidth_ == expected.bandwidth_
    np.testing.assert_array_equal(found.loo_log_density_, expected.loo_log_density_)


def test_what_the_density_depends_on_is_seen_whenever_it_changes():
    X = rows(2)
    density = LOOKernelDensity(0.5, bounds=(-100, None)).fit(X)
    expected = density.score_samples(X)
    density.locations_ += 1
    np.testing.assert_allclose(density.score_samples(X + 1), expected, rtol=1e-9)
    density.locations_ -= 1
    density.weights_[:2] = density.weights_[1::-1] * [0.5, 1.5]
    assert np.all(density.score_samples(X[:1]) != expected[:1])
    density.bandwidth_ = 2.0
    assert density.score_samples([[50.0, 0.0]]) > -600
    density.set_params(rtol=1e-9, algorithm="exact")
    model = density._model()
    assert model.summation.rtol == 1e-9
    assert not model.summation.algorithm.transforms


def test_answers_about_the_fit_follow_it_and_are_found_once():
    X = rows(2)
    density = LOOKernelDensity(0.5).fit(X)
    wide = LOOKernelDensity(2.0).fit(X)
    found = density.loo_score_, density.loo_log_density_, density.columns_
    assert density.loo_log_density_ is found[1]
    density.bandwidth_ = 2.0
    assert density.loo_score_ == pytest.approx(wide.loo_score_, rel=1e-12)
    np.testing.assert_allclose(density.loo_log_density_, wide.loo_log_density_)
    density.locations_ = density.locations_.round()
    assert [column.kind for column in density.columns_] == ["discrete"] * 2
    assert found[2] != density.columns_


def test_the_model_is_kept_until_then_and_pickled_never():
    density = LOOKernelDensity(0.5).fit(rows(2))
    model = density._model()
    density.score_samples(rows(2))
    assert density._model() is model
    assert "_kept" not in density.__getstate__()
    assert density.fit(rows(2)[1:])._model() is not model
