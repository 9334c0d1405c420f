"""How a pass runs changes nothing: blocks, threads, dtypes, weights for repetitions."""

import numpy as np
import pytest
from conftest import (
    ISOTROPIC,
    MATRICES,
    STARTS_ON_ROWS,
    TYPES,
    dense_covariances,
    mixture_of,
    scipys_log_joint,
)
from scipy.special import logsumexp

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.forms.triangular import TriangularForm
from skdensity.passes import blocks
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.em import EM


def all_results(mixture, X, n_threads=1):
    """What passes compute: densities, responsibilities and a step of EM."""
    with Workspace(n_threads) as workspace:
        rows = ArrayRows(X, workspace=workspace)
        step = EM(rows, 1e-6)
        after = step.step(step.init(mixture)).mixture
        log_density = mixture.log_density(rows)
        responsibilities = mixture.responsibilities(rows)
    return {
        "log_density": log_density,
        "responsibilities": responsibilities,
        "weights": after.weights,
        "means": after.means,
        "covariances": after.covariances,
    }


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 10, 40])
@pytest.mark.parametrize("with_far_rows", [False, True])
def test_blocks_and_threads_change_nothing(
    monkeypatch, name, n_features, with_far_rows
):
    mixture = mixture_of(name, n_features)
    assert isinstance(mixture.form.near, TriangularForm) == (
        n_features == 40 and name in MATRICES
    )
    X, _ = mixture.sample(700, np.random.RandomState(0))
    if with_far_rows:
        X[400:410] *= 1e4
    expected = all_results(mixture, X)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 60 * mixture.form.row_bytes)
    for n_threads in (1, 3):
        results = all_results(mixture, X, n_threads)
        for part, values in expected.items():
            # Small entries are differences of large ones: by the largest.
            np.testing.assert_allclose(
                results[part], values, rtol=1e-12, atol=1e-12 * np.abs(values).max()
            )


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_float32_is_float64_to_four_digits(name, offset):
    mixture = mixture_of(name, 4)
    X, _ = mixture.sample(500, np.random.RandomState(0))
    X = (X + offset).astype(np.float32)  # the rounded rows are the data of both
    em = EMGaussianMixture(3, covariance_type=name, random_state=0, tol=1e-8)
    single = em.fit(X).score_samples(X)
    double = em.fit(X.astype(np.float64)).score_samples(X.astype(np.float64))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", TYPES)
def test_50_000_weighted_rows_are_repeated_rows(name):
    truth = mixture_of(name, 3)
    X, _ = truth.sample(50_000, np.random.RandomState(0))
    weight = np.random.RandomState(1).randint(0, 4, len(X))
    repeated = np.repeat(X, weight, axis=0)
    mixture = EMGaussianMixture(3, covariance_type=name, max_iter=30, random_state=0)
    weighted = mixture.fit(X, sample_weight=weight)
    scores = weighted.score_samples(X)
    total = weighted.score(X, sample_weight=weight)
    # The fits take the same path; sums of 75,000 rows differ by their rounding, which
    # the iterations amplify.
    np.testing.assert_allclose(
        mixture.fit(repeated).score_samples(X), scores, rtol=1e-7, atol=1e-7
    )
    assert mixture.score(repeated) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 10, 40])
@pytest.mark.parametrize("with_far_rows", [False, True])
def test_a_pass_is_the_sum_over_rows_written_out(
    monkeypatch, name, n_features, with_far_rows
):
    mixture, shape = mixture_of(name, n_features), FAMILIES[name].shape
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 50 * mixture.form.row_bytes)
    X, _ = mixture.sample(300, np.random.RandomState(0))
    if with_far_rows:
        X[100:110] *= 1e4
    weight = np.random.RandomState(1).uniform(0.5, 2, 300)
    public = shape.public(mixture.covariances)
    covariances = dense_covariances(name, public, 3, n_features)
    log_joint = scipys_log_joint(X, mixture.weights, mixture.means, covariances)
    log_density = logsumexp(log_joint, axis=1)
    rows = ArrayRows(X, weight)
    np.testing.assert_allclose(mixture.log_density(rows), log_density, rtol=1e-9)
    np.testing.assert_allclose(
        mixture.log_completed(rows), log_joint.max(axis=1), rtol=1e-9
    )
    np.testing.assert_array_equal(mixture.labels(rows), log_joint.argmax(axis=1))
    moments = mixture.moments(rows)
    assert moments.log_likelihood == pytest.approx(weight @ log_density, rel=1e-10)
    shares = weight[:, None] * np.exp(log_joint - log_density[:, None])
    residuals = X[:, None] - mixture.means
    first = np.einsum("nk,nkd->kd", shares, residuals)
    second = np.einsum("nk,nkd,nke->kde", shares, residuals, residuals)
    if name not in MATRICES:
        second = np.diagonal(second, axis1=1, axis2=2)
    if name in ISOTROPIC:  # which need the trace alone
        second = second.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(moments.mass, shares.sum(axis=0), rtol=1e-9)
    for part, expected in (("first", first), ("second", second)):
        actual, size = getattr(moments, part), np.abs(expected).max()
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, atol=1e-9 * size)


@pytest.mark.parametrize("name", ["full", "tied", "diag"])
@pytest.mark.parametrize("n_features", [2, 40])
def test_a_block_may_be_a_row(monkeypatch, name, n_features):
    mixture = mixture_of(name, n_features)
    X, _ = mixture.sample(50, np.random.RandomState(0))
    X[7] *= 1e3
    expected = all_results(mixture, X)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    for part, values in all_results(mixture, X, n_threads=2).items():
        np.testing.assert_allclose(
            values, expected[part], rtol=1e-12, atol=1e-12 * np.abs(values).max()
        )


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [2, 40])
def test_how_rows_lie_in_memory_changes_nothing(name, n_features):
    mixture = mixture_of(name, n_features)
    wide = np.zeros((400, 2 * n_features))
    wide[:, ::2] = mixture.sample(400, np.random.RandomState(0))[0]
    X = wide[:, ::2].copy()
    expected = all_results(mixture, X)
    X.flags.writeable = False
    for same in (X, np.asfortranarray(X), wide[:, ::2], X[::-1].copy()[::-1]):
        for part, values in all_results(mixture, same).items():
            np.testing.assert_allclose(
                values, expected[part], rtol=1e-12, atol=1e-12 * np.abs(values).max()
            )


@pytest.mark.parametrize("name", TYPES)
def test_a_pass_over_all_rows_is_the_sum_of_passes_over_some(name):
    mixture = mixture_of(name, 3)
    X, _ = mixture.sample(500, np.random.RandomState(0))
    weight = np.random.RandomState(1).uniform(0.5, 2, 500)
    whole = mixture.moments(ArrayRows(X, weight))
    one, other = (
        mixture.moments(ArrayRows(X[some], weight[some]))
        for some in (slice(200), slice(200, None))
    )
    halves = one + other
    for part in ("log_likelihood", "mass", "first", "second"):
        expected = getattr(whole, part)
        np.testing.assert_allclose(
            getattr(halves, part), expected, atol=1e-12 * np.abs(expected).max()
        )


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_float32_assigns_rows_as_float64_does(name, offset):
    mixture = mixture_of(name, 4)
    X, _ = mixture.sample(500, np.random.RandomState(0))
    X = (X + offset).astype(np.float32)
    double = EMGaussianMixture(3, covariance_type=name, random_state=0, tol=1e-8)
    double.fit(X.astype(np.float64))
    single = EMGaussianMixture(
        3,
        covariance_type=name,
        weights_init=double.weights_,
        means_init=double.means_,
        precisions_init=double.precisions_,
    ).fit(X)
    proba = single.predict_proba(X)
    assert proba.dtype == np.float32
    # Means at 1e3 are stored to 3e-5, of standard deviations near 1 and distances near
    # 5 in four dimensions: log-densities move by 20 of that, and shares by a quarter.
    np.testing.assert_allclose(
        proba, double.predict_proba(X.astype(np.float64)), atol=1e-3
    )
    for stored in (single.weights_, single.means_, single.covariances_):
        assert np.asarray(stored).dtype == np.float32


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", TYPES)
def test_50_000_weighted_rows_from_a_given_start_are_repeated_rows(name):
    truth, family = mixture_of(name, 3), FAMILIES[name]
    precisions = family.factors.square(truth.precision_factors)
    X, _ = truth.sample(50_000, np.random.RandomState(0))
    weight = np.random.RandomState(1).randint(0, 4, len(X))
    mixture = EMGaussianMixture(
        3,
        covariance_type=name,
        max_iter=10,
        tol=0,
        weights_init=np.ones(3) / 3,
        means_init=truth.means + 0.5,
        precisions_init=family.shape.public(precisions),
    )
    weighted = mixture.fit(X, sample_weight=weight).lower_bounds_
    means = mixture.means_
    repeated = mixture.fit(np.repeat(X, weight, axis=0)).lower_bounds_
    # Sums of 75,000 terms, in another order: their rounding is 1e-16 times the root of
    # their number, and ten steps that contract do not add to it.
    np.testing.assert_allclose(repeated, weighted, rtol=1e-12)
    np.testing.assert_allclose(mixture.means_, means, atol=1e-10)


@pytest.mark.parametrize("init_params", STARTS_ON_ROWS)
def test_a_start_on_many_rows_does_not_see_their_order(init_params):
    weight = np.ones(8000)
    if init_params != "small_em":
        # Where rows count the same, seeds mean what they mean in scikit-learn.
        weight = np.random.RandomState(2).randint(1, 3, 8000)
    X, _ = mixture_of("full", 2).sample(8000, np.random.RandomState(0))
    order = np.random.RandomState(1).permutation(8000)
    mixture = EMGaussianMixture(3, init_params=init_params, max_iter=0, random_state=0)
    expected = mixture.fit(X, sample_weight=weight).means_
    shuffled = mixture.fit(X[order], sample_weight=weight[order]).means_
    # In any order of the components: of climbs to one optimum, rounding chooses.
    np.testing.assert_allclose(
        shuffled[np.argsort(shuffled[:, 0])],
        expected[np.argsort(expected[:, 0])],
        atol=1e-8,
    )
