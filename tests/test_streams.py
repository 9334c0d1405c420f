"""Streams: `partial_fit` of the four Gaussian estimators."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import MIXTURES, TYPES, UNTIED
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
)
from skdensity.densities.gaussian_mle import MAX_PATTERNS
from skdensity.models.covariances.table import FAMILIES, FULL
from skdensity.models.mixtures.moments import (
    Moments,
    blended,
    moments_of,
    shared_moments,
    shares_of_parts,
)
from skdensity.models.pattern_moments import PatternMoments
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import IncompleteRows
from skdensity.solvers.incomplete_gaussian import GaussianEM
from skdensity.solvers.mixtures.stepwise import StepwiseEM, StepwiseState

FOUR = [
    GaussianMLE(),
    CholeskyGaussian(random_state=0, tol=None, max_iter=30),
    EMGaussianMixture(2, random_state=0),
    AdamGaussianMixture(2, random_state=0, tol=None, max_iter=30),
]
ITERATIVE = FOUR[1:]
DESCENTS = [FOUR[1], FOUR[3]]


@pytest.fixture(params=FOUR, ids=lambda estimator: type(estimator).__name__)
def stream(request):
    return clone(request.param)


@pytest.fixture(params=ITERATIVE, ids=lambda estimator: type(estimator).__name__)
def iterative(request):
    return clone(request.param)


@pytest.fixture(scope="module")
def clusters():
    """3,000 rows of two clusters in two features, in random order."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((3000, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    X[rng.uniform(size=3000) < 0.3] += 6
    X.flags.writeable = False
    return X


@pytest.fixture(scope="module")
def holed(clusters):
    rng = np.random.RandomState(1)
    return np.where(rng.uniform(size=clusters.shape) < 0.2, np.nan, clusters)


def streamed(estimator, X, size=500, weight=None):
    for begin in range(0, len(X), size):
        rows = slice(begin, begin + size)
        part = None if weight is None else weight[rows]
        estimator.partial_fit(X[rows], sample_weight=part)
    return estimator


def state_of(estimator):
    """Everything that is stored, as bytes: what a pickle would hold."""
    return pickle.dumps(
        {k: v for k, v in sorted(vars(estimator).items()) if v is not None}
    )


def assert_same(one, other):
    """To the bit."""
    one, other = vars(one), vars(other)
    assert one.keys() - {"_kept"} == other.keys() - {"_kept"}
    for name in one.keys() - {"_kept"}:
        np.testing.assert_equal(one[name], other[name], err_msg=name)


class TestContract:
    """What scikit-learn asks of `partial_fit`, of all four."""

    def test_a_stream_saved_and_resumed_is_one_that_was_not(self, stream, holed):
        whole, saved = clone(stream), clone(stream)
        for begin in range(0, 3000, 500):
            rows = holed[begin : begin + 500]
            whole.partial_fit(rows)
            saved = pickle.loads(pickle.dumps(saved.partial_fit(rows)))
        assert_same(whole, saved)

    def test_rows_are_counted(self, stream, clusters):
        weight = np.arange(3000) % 3
        streamed(stream, clusters, weight=weight)
        assert stream.n_samples_seen_ == 2000
        assert stream.fit(clusters).n_samples_seen_ == 3000
        assert stream.partial_fit(clusters[:7]).n_samples_seen_ == 3007

    def test_fit_forgets(self, stream, clusters):
        used = streamed(clone(stream), clusters).fit(clusters[:500])
        assert_same(used, stream.fit(clusters[:500]))

    def test_a_clone_is_fresh(self, stream, clusters):
        assert vars(clone(streamed(stream, clusters))) == vars(clone(stream))
        assert not hasattr(clone(stream), "n_samples_seen_")

    def test_float32_stays(self, stream, clusters):
        single = streamed(clone(stream), clusters.astype(np.float32))
        double = streamed(stream, clusters.astype(np.float32).astype(np.float64))
        scores = single.score_samples(clusters[:9].astype(np.float32))
        assert scores.dtype == single.sample(3, 0)[0].dtype == np.float32
        np.testing.assert_allclose(
            scores, double.score_samples(clusters[:9]), rtol=1e-4
        )

    def test_no_row_is_as_good_as_one_of_weight_zero(self, stream, clusters):
        weight = np.ones(3000)
        weight[::2] = 0
        with_zeros = streamed(clone(stream), clusters, weight=weight)
        without = streamed(stream, clusters[1::2], size=250, weight=weight[1::2])
        for name in stream._told_by:
            np.testing.assert_allclose(
                getattr(with_zeros, name), getattr(without, name), rtol=1e-9
            )

    def test_threads_change_nothing(self, stream, holed, monkeypatch):
        monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 5000)
        one = streamed(clone(stream).set_params(n_jobs=1), holed)
        two = streamed(stream.set_params(n_jobs=2), holed).set_params(n_jobs=1)
        assert_same(one, two)

    def test_names_are_kept_and_compared(self, stream, clusters):
        frame = pd.DataFrame(clusters, columns=["a", "b"])
        stream.partial_fit(frame[:1000])
        np.testing.assert_array_equal(stream.feature_names_in_, ["a", "b"])
        before = state_of(stream)
        with pytest.raises(ValueError, match="feature names should match"):
            stream.partial_fit(frame[1000:].rename(columns={"a": "c"}))
        assert state_of(stream) == before


class TestBadBatches:
    """A batch is taken in as a whole, or not at all."""

    BAD = [
        (lambda X: X[:, :1], "X has 1 features, but"),
        (lambda X: X[:0], r"0 sample\(s\)"),
        (lambda X: X.astype(np.float32), r"X has dtype float32.*began with float64"),
        (lambda X: np.where(X > 5, np.inf, X), "contains infinity"),
        (lambda X: 1e200 * X, "squares overflow"),
    ]
    WEIGHTS = [
        (np.full(9, np.nan), "sample_weight contains NaN"),
        (np.ones(3), r"sample_weight.shape == \(3,\), expected \(9,\)"),
        (np.zeros(9), "zero"),
        (-np.ones(9), "non-negative"),
    ]

    @pytest.fixture(params=["streamed", "fitted", "waiting"])
    def begun(self, request, stream, clusters):
        if request.param == "fitted":
            return stream.fit(clusters)
        return streamed(stream, clusters[: 3 if request.param == "waiting" else 1000])

    @pytest.mark.parametrize(("bad", "message"), BAD)
    def test_bad_rows(self, begun, clusters, bad, message):
        before = state_of(begun)
        with pytest.raises(ValueError, match=message):
            begun.partial_fit(bad(clusters[:100]))
        assert state_of(begun) == before
        begun.partial_fit(clusters[1000:1100])

    @pytest.mark.parametrize(("weight", "message"), WEIGHTS)
    def test_bad_weights(self, begun, clusters, weight, message):
        before = state_of(begun)
        with pytest.raises(ValueError, match=message):
            begun.partial_fit(clusters[:9], sample_weight=weight)
        assert state_of(begun) == before

    def test_a_bad_first_batch_leaves_nothing(self, stream):
        before = dict(vars(stream))
        for X in ([[np.inf, 1.0]] * 9, [[np.nan, 1.0]] * 9):
            with pytest.raises(ValueError, match=r"infinity|no value of feature 0"):
                stream.partial_fit(X)
            assert vars(stream) == before

    def test_parameters_are_checked_in_every_call(self, iterative, clusters):
        streamed(iterative, clusters)
        with pytest.raises(ValueError, match=r"'reg_covar' parameter.*Got -1"):
            iterative.set_params(reg_covar=-1).partial_fit(clusters)

    @pytest.mark.parametrize("place", ["in a pass", "at the end"])
    def test_an_interrupt_leaves_the_state_before(
        self, stream, clusters, place, monkeypatch
    ):
        streamed(stream, clusters[:1000])
        before = state_of(stream)

        def interrupt(*args, **kwargs):
            raise KeyboardInterrupt

        if place == "in a pass":
            monkeypatch.setattr(ArrayRows, "add", interrupt)
        else:
            count = property(lambda self: 0, interrupt)
            monkeypatch.setattr(type(stream), "n_samples_seen_", count, raising=False)
        with pytest.raises(KeyboardInterrupt):
            stream.partial_fit(clusters[:50])
        assert state_of(stream) == before

    @pytest.mark.parametrize("Mixture", MIXTURES)
    @pytest.mark.parametrize(
        "change", [{"n_components": 3}, {"covariance_type": "diag"}]
    )
    def test_another_kind_of_mixture_is_another_stream(self, Mixture, clusters, change):
        stream = Mixture(2, random_state=0).partial_fit(clusters)
        with pytest.raises(
            ValueError, match=r"covariance_type\) = \(2, 'full'\) cannot"
        ):
            stream.set_params(**change).partial_fit(clusters)
        stream.set_params(max_iter=0).fit(clusters).partial_fit(clusters)

    def test_a_descent_that_diverges_is_an_error(self, clusters):
        stream = CholeskyGaussian().partial_fit(clusters)
        before = state_of(stream.set_params(learning_rate_init=1e3))
        with pytest.raises(ValueError, match="descent diverged after 2 updates"):
            stream.partial_fit(clusters)
        assert state_of(stream) == before


class TestBeginning:
    """A stream of a mixture begins once there are rows enough for a start."""

    @pytest.mark.parametrize("Mixture", MIXTURES)
    @pytest.mark.parametrize("weighted", [False, True])
    def test_rows_wait_until_they_are_enough(self, Mixture, holed, weighted):
        weight = np.arange(1.0, 3001) if weighted else None
        parts = Mixture(2, random_state=0)
        for begin, end in pairwise([0, 1, 2, 9, 30, 70, 99, 130]):
            part = None if weight is None else weight[begin:end]
            parts.partial_fit(holed[begin:end], sample_weight=part)
        weight = None if weight is None else weight[:130]
        whole = Mixture(2, random_state=0).partial_fit(holed[:130], None, weight)
        assert_same(parts, whole)

    def test_what_waits_is_not_the_users_array(self, clusters):
        X, weight = clusters[:60].copy(), np.ones(60)
        stream = EMGaussianMixture(2, random_state=0).partial_fit(X, None, weight)
        X[:], weight[:] = 1e9, 1e-9
        stream.partial_fit(clusters[60:120], None, np.ones(60))
        whole = EMGaussianMixture(2, random_state=0)
        assert_same(stream, whole.partial_fit(clusters[:120], None, np.ones(120)))

    @pytest.mark.parametrize("Mixture", MIXTURES)
    def test_fewer_rows_than_components_make_no_mixture(self, Mixture, clusters):
        stream = Mixture(5, random_state=0).partial_fit(clusters[:4])
        with pytest.raises(NotFittedError, match=r"seen 4 rows.*n_components=5.*kept"):
            stream.score(clusters)
        assert np.isfinite(stream.partial_fit(clusters[4:10]).score(clusters))

    def test_small_batches_need_few_starts(self, clusters, monkeypatch):
        calls = []
        found = EMGaussianMixture._starts

        def starts(self, problem):
            calls.append(problem.rows.n_rows)
            return found(self, problem)

        monkeypatch.setattr(EMGaussianMixture, "_starts", starts)
        streamed(EMGaussianMixture(2, random_state=0), clusters[:120], size=1)
        assert calls == [2, 4, 8, 16, 32, 64, 100]

    def test_few_rows_wait_where_nothing_is_added(self, clusters):
        stream = EMGaussianMixture(2, random_state=0, reg_covar=0)
        with pytest.raises(NotFittedError, match=r"seen 3 rows.*too few for a start"):
            stream.partial_fit(clusters[:3]).score(clusters)
        assert np.isfinite(stream.partial_fit(clusters[3:200]).score(clusters))

    def test_labels_are_of_the_first_batch(self, clusters):
        labels = (clusters[:20, 0] > 3).astype(int)
        stream = EMGaussianMixture(2, init_params=labels).partial_fit(clusters[:20])
        assert stream.means_[1, 0] > 3 > stream.means_[0, 0]
        assert stream.partial_fit(clusters[20:40]).n_samples_seen_ == 40

    @pytest.mark.parametrize("Mixture", MIXTURES)
    def test_given_parameters_are_a_start(self, Mixture, clusters):
        given = Mixture.from_parameters(
            [0.5, 0.5], [[6.0, 6.0], [0.0, 0.0]], np.stack([np.eye(2)] * 2)
        )
        stream = given.partial_fit(clusters[:30])
        # Too few rows to learn from: they wait.
        np.testing.assert_array_equal(stream.means_, [[6, 6], [0, 0]])
        streamed(stream, clusters[30:])
        assert stream.means_[0, 0] > 5
        assert stream.means_[1, 0] < 1
        assert stream.n_samples_seen_ == 3000

    def test_a_blind_start_needs_no_rows(self, clusters):
        start = {"init_params": "standard_normal", "random_state": 0}
        stream = AdamGaussianMixture(2, **start).partial_fit(clusters[:2])
        assert stream.partial_fit(clusters[2:4])._waiting is None


def brute_force(X, start, sizes, power, offset, reg_covar):
    """Stepwise EM from responsibilities, with sums about the origin."""
    mixture, sums, average, memory, total = start, None, None, 0.0, 0.0
    for begin, end in pairwise(np.cumsum([0, *sizes])):
        rows, w = X[begin:end], end - begin
        r = mixture.responsibilities(ArrayRows(rows))
        new = [
            r.sum(0) / w,
            r.T @ rows / w,
            np.einsum("nk,ni,nj->kij", r, rows, rows) / w,
        ]
        if sums is None:
            sums = average = new
            memory, total = w * (1 + offset) ** power, w
        else:
            memory = (memory ** (1 / power) + w ** (1 / power)) ** power
            share = 1 - (total / (total + w)) ** 3
            total += w
            sums = [a + w / memory * (b - a) for a, b in zip(sums, new, strict=True)]
            average = [a + share * (b - a) for a, b in zip(average, sums, strict=True)]
        mixture = maximised(sums, reg_covar)
    return maximised(average, reg_covar)


def maximised(sums, reg_covar):
    mass, first, second = sums
    means = first / mass[:, None]
    outer = means[:, :, None] * means[:, None, :]
    covariances = second / mass[:, None, None] - outer + reg_covar * np.eye(2)
    return EMGaussianMixture.from_parameters(mass, means, covariances)._model()


class TestStepwiseEM:
    @pytest.mark.parametrize("sizes", [[500] * 6, [300, 1, 7, 1000, 2, 1690]])
    @pytest.mark.parametrize("schedule", [(0.6, 1.0), (1.0, 0.0), (0.8, 10.0)])
    def test_equals_the_formulas(self, clusters, sizes, schedule):
        power, offset = schedule
        start = EMGaussianMixture(2, random_state=3, max_iter=0).fit(clusters[:200])
        stream = EMGaussianMixture.from_parameters(
            start.weights_, start.means_, start.covariances_
        ).set_params(reg_covar=0.01, step_power=power, step_offset=offset)
        for begin, end in pairwise(np.cumsum([0, *sizes])):
            stream.partial_fit(clusters[begin:end])
        expected = brute_force(clusters, start._model(), sizes, power, offset, 0.01)
        np.testing.assert_allclose(stream.weights_, expected.weights, rtol=1e-10)
        np.testing.assert_allclose(stream.means_, expected.means, rtol=1e-9)
        np.testing.assert_allclose(
            stream.precisions_cholesky_,
            expected.precision_factors,
            rtol=1e-8,
            atol=1e-9,
        )

    def test_equal_batches_follow_the_usual_schedule(self):
        solver = StepwiseEM(FULL, lambda moments: np.zeros((1, 1)), 0.6, 3.0)
        memory = 50 * 4**0.6
        for t in range(2, 100):
            memory = solver._longer(memory, 50.0)
            assert 50 / memory == pytest.approx((t + 3) ** -0.6, rel=1e-12)

    @pytest.mark.parametrize("unit", [1e-200, 1e200])
    def test_the_unit_of_weights_is_no_matter(self, clusters, unit):
        weight = np.random.RandomState(0).uniform(size=3000)
        one = streamed(EMGaussianMixture(2, random_state=0), clusters, weight=weight)
        other = EMGaussianMixture(2, random_state=0)
        streamed(other, clusters, weight=unit * weight)
        np.testing.assert_allclose(other.means_, one.means_, rtol=1e-9)
        np.testing.assert_allclose(other.covariances_, one.covariances_, rtol=1e-9)

    @pytest.mark.parametrize("covariance_type", TYPES)
    def test_a_batch_like_all_rows_leaves_an_optimum(self, clusters, covariance_type):
        params = {"covariance_type": covariance_type, "random_state": 0}
        mixture = EMGaussianMixture(2, tol=1e-13, **params).fit(clusters)
        before = mixture.score(clusters), mixture.covariances_
        mixture.partial_fit(clusters)
        assert mixture.lower_bound_ == pytest.approx(before[0], abs=1e-9)
        np.testing.assert_allclose(mixture.covariances_, before[1], rtol=1e-5)

    def test_power_one_forgets_nothing(self, clusters):
        stream = EMGaussianMixture(step_power=1.0, step_offset=0.0, reg_covar=0.0)
        for begin, end in pairwise([0, 60, 61, 500, 3000]):
            stream.partial_fit(clusters[begin:end])
        moments = stream._stream["moments"]
        mean = moments["about"] + moments["first"]
        np.testing.assert_allclose(mean[0], clusters.mean(axis=0), rtol=1e-12)
        assert stream._stream["memory"] == pytest.approx(3000, rel=1e-12)

    def test_after_fit_it_goes_on_from_the_moments(self, clusters):
        fitted = EMGaussianMixture(2, random_state=0, reg_covar=1e-3).fit(clusters)
        last = StepwiseState.after(fitted._model().moments(ArrayRows(clusters)))
        solver = StepwiseEM(FULL, lambda _: np.diag([1e-3, 1e-3]), 0.6, 1.0)
        expected, _ = solver.finished(solver.step(last, ArrayRows(clusters[:100])))
        assert last.memory == last.total == pytest.approx(3000)
        fitted.partial_fit(clusters[:100])
        np.testing.assert_allclose(fitted.means_, expected.means, rtol=1e-4)

    def test_fit_goes_on_from_a_stream(self, clusters):
        stream = streamed(EMGaussianMixture(2, random_state=0), clusters)
        expected = stream.score(clusters)
        stream.set_params(warm_start=True).fit(clusters)
        assert stream.lower_bounds_[0] == pytest.approx(expected, rel=1e-12)
        assert stream.n_samples_seen_ == 3000

    def test_what_a_batch_says_does_not_end_a_fit(self, clusters):
        stream = EMGaussianMixture(2, random_state=0).partial_fit(clusters)
        # As if the batch had been as likely as all rows are.
        stream.lower_bound_ = stream.score(clusters)
        stream.set_params(warm_start=True, tol=1.0).fit(clusters)
        assert stream.n_iter_ > 1

    def test_bounds_are_of_the_last_batch(self, clusters):
        stream = streamed(EMGaussianMixture(2, random_state=0), clusters)
        assert stream.n_iter_ == len(stream.lower_bounds_) == 1
        assert not stream.converged_
        assert stream.lower_bound_ == stream.lower_bounds_[0]

    def test_auto_follows_the_axes(self, clusters):
        A = np.array([[1e3, 0.0], [2e3, 1e-4]])
        one = streamed(EMGaussianMixture(2, random_state=0), clusters)
        other = streamed(EMGaussianMixture(2, random_state=0), clusters @ A)
        np.testing.assert_allclose(other.means_, one.means_ @ A, rtol=1e-5)
        np.testing.assert_allclose(
            other.covariances_, A.T @ one.covariances_ @ A, rtol=1e-5
        )

    @pytest.mark.parametrize("covariance_type", UNTIED)
    def test_auto_is_of_the_running_covariance(self, clusters, covariance_type):
        params = {"step_power": 1.0, "step_offset": 0.0, "random_state": 0}
        stream = EMGaussianMixture(2, covariance_type=covariance_type, **params)
        streamed(stream, clusters)
        family = FAMILIES[covariance_type]
        expected = stream._stepwise(stream._regularisation)
        state = stream._stream["moments"]
        variances = family.shape.variances(expected.added_to(Moments(**state)), 2)
        exact = clusters.var(axis=0)
        if covariance_type == "spherical":
            exact = np.full(2, exact.mean())
        np.testing.assert_allclose(variances, 1e-6 * exact, rtol=1e-9)

    def test_blank_features_get_a_width_on_a_stream(self):
        X = load_digits().data[:1500]
        params = {"covariance_type": "diag", "random_state": 0}
        stream = streamed(EMGaussianMixture(3, **params), X)
        with pytest.warns(match="rest on `reg_covar`"):
            whole = EMGaussianMixture(3, **params).fit(X)
        assert stream.covariances_.min() >= 1e-6 / 2
        assert stream.score(X) > whole.score(X) - 5
        # A fit hands its shares on, and a small batch does not change them.
        shares = whole._shares
        whole.partial_fit(X[:1])
        np.testing.assert_array_equal(whole._shares, shares)

    def test_one_component_with_holes_comes_near_the_maximum(self, holed):
        stream = streamed(EMGaussianMixture(random_state=0), holed, size=100)
        whole = GaussianMLE().fit(holed)
        assert whole.score(holed) - stream.score(holed) < 2e-3

    def test_a_feature_may_be_missing_in_a_batch(self, clusters):
        X = clusters.copy()
        X[1000:1500, 1] = np.nan
        stream = streamed(EMGaussianMixture(2, random_state=0), X)
        whole = streamed(EMGaussianMixture(2, random_state=0), clusters)
        assert abs(stream.score(clusters) - whole.score(clusters)) < 0.01

    @pytest.mark.parametrize("covariance_type", TYPES)
    def test_comes_near_sixty_passes(self, covariance_type):
        rng = np.random.RandomState(0)
        means = 6 * rng.standard_normal((4, 3))
        X = rng.standard_normal((20_000, 3)) + means[rng.randint(4, size=20_000)]
        params = {"covariance_type": covariance_type, "random_state": 0, "tol": 0}
        sixty = EMGaussianMixture(4, max_iter=60, **params)
        with pytest.warns(match="used all 60"):
            sixty.fit(X)
        stream = EMGaussianMixture(4, max_iter=5, warm_start=True, **params)
        for _ in range(3):
            streamed(stream, X, size=2000)
        assert sixty.score(X) - stream.score(X) < 0.02
        with pytest.warns(match="used all 5"):
            stream.fit(X)
        assert sixty.score(X) - stream.score(X) < 1e-3

    def test_runs_may_begin_with_passes(self, overlapping):
        start = EMGaussianMixture(3, random_state=0, init_params="kmeans")
        plain = clone(start).set_params(max_iter=1, tol=0, n_init=1)
        passes = clone(plain).set_params(n_stepwise_passes=3)
        fits = []
        for estimator in (plain, passes, clone(passes)):
            with pytest.warns(match="used all 1"):
                fits.append(estimator.fit(overlapping))
        assert fits[1].lower_bound_ > fits[0].lower_bound_ + 0.001
        assert_same(fits[1], fits[2])
        ends = [
            clone(start).set_params(n_stepwise_passes=n).fit(overlapping)
            for n in (0, 1)
        ]
        assert ends[1].score(overlapping) == pytest.approx(
            ends[0].score(overlapping), abs=1e-3
        )

    def test_passes_are_over_all_rows_once(self, holed, monkeypatch):
        seen = []
        step = StepwiseEM._expected

        def expected(self, mixture, rows):
            seen.append(rows.X)
            return step(self, mixture, rows)

        monkeypatch.setattr(StepwiseEM, "_expected", expected)
        mixture = EMGaussianMixture(2, random_state=0, n_stepwise_passes=2, tol=0.1)
        mixture.fit(holed)
        assert [len(X) for X in seen] == [2000, len(seen[1])] * 2
        some = ~np.isnan(holed).all(axis=1)
        for one_pass in (seen[:2], seen[2:]):
            X = np.concatenate(one_pass)
            np.testing.assert_allclose(np.nansum(X, axis=0), np.nansum(holed, axis=0))
            assert len(X) == some.sum()

    def test_more_starts_are_compared(self, clusters):
        params = {"init_params": "random_from_data", "random_state": 0}
        batch = clusters[:300]
        stream = EMGaussianMixture(2, n_init=20, **params).partial_fit(batch)
        one = EMGaussianMixture(2, **params).partial_fit(batch)
        assert stream.lower_bound_ > one.lower_bound_

    @pytest.mark.parametrize("step", [{"step_power": 0}, {"step_offset": -1.0}])
    def test_steps_are_checked(self, clusters, step):
        with pytest.raises(ValueError, match=f"'{next(iter(step))}' parameter"):
            EMGaussianMixture(**step).partial_fit(clusters)

    def test_goes_to_scikit_learn(self, clusters):
        stream = streamed(EMGaussianMixture(2, random_state=0), clusters)
        theirs = stream.to_sklearn()
        assert theirs.score(clusters) == pytest.approx(stream.score(clusters))
        smallest = 1e-6 * np.linalg.eigvalsh(np.cov(clusters.T)).min()
        assert theirs.reg_covar > smallest


class TestMoments:
    @pytest.mark.parametrize("covariance_type", TYPES)
    def test_components_add_up_to_all_rows(self, clusters, covariance_type):
        scatter = FAMILIES[covariance_type].scatter
        labels = np.random.RandomState(0).randint(3, size=3000)
        rows = ArrayRows(clusters + 1e6)
        parts = shared_moments(rows, 3, shares_of_parts(labels, 3), scatter)
        one, expected = parts.as_one(scatter), moments_of(rows, scatter)
        np.testing.assert_allclose(one.mean, expected.mean, rtol=1e-14)
        np.testing.assert_allclose(
            one.central(scatter), expected.central(scatter), rtol=1e-9, atol=1e-6
        )

    @pytest.mark.parametrize("covariance_type", TYPES)
    def test_an_average_of_halves_is_that_of_all(self, clusters, covariance_type):
        scatter = FAMILIES[covariance_type].scatter
        halves = [
            moments_of(ArrayRows(X), scatter).scaled(1 / len(X))
            for X in (clusters[:1000], clusters[1000:])
        ]
        mean = blended(*halves, 2 / 3, scatter)
        whole = moments_of(ArrayRows(clusters), scatter).scaled(1 / 3000)
        np.testing.assert_allclose(mean.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(mean.central(scatter), whole.second, rtol=1e-10)


class TestDescents:
    """A step of Adam for every batch."""

    @pytest.mark.parametrize("estimator", DESCENTS, ids=lambda e: type(e).__name__)
    @pytest.mark.parametrize("reg_covar", [1e-3, "auto"])
    def test_a_batch_is_an_epoch_of_one_batch(self, estimator, clusters, reg_covar):
        estimator = clone(estimator).set_params(reg_covar=reg_covar, tol=None)
        stream = clone(estimator).partial_fit(clusters)
        epoch = estimator.set_params(batch_size=3000, max_iter=1).fit(clusters)
        for name in estimator._told_by:
            np.testing.assert_allclose(
                getattr(stream, name), getattr(epoch, name), rtol=1e-9, atol=1e-12
            )
        np.testing.assert_allclose(stream.loss_curve_, epoch.loss_curve_, rtol=1e-12)

    @pytest.mark.parametrize("estimator", DESCENTS, ids=lambda e: type(e).__name__)
    def test_batches_of_a_call_are_calls(self, estimator, clusters):
        calls = streamed(clone(estimator), clusters)
        stream = clone(estimator).partial_fit(clusters[:500])
        stream.set_params(batch_size=500).partial_fit(clusters[500:])
        for name in estimator._told_by:
            np.testing.assert_allclose(
                getattr(stream, name), getattr(calls, name), rtol=1e-9
            )
        assert stream._adam is not None

    @pytest.mark.parametrize("estimator", DESCENTS, ids=lambda e: type(e).__name__)
    def test_it_comes_near_the_optimum(self, estimator, clusters):
        stream = clone(estimator).set_params(learning_rate_init=0.05)
        for _ in range(30):
            streamed(stream, clusters, size=250)
        n_components = 2 if hasattr(stream, "n_components") else 1
        best = EMGaussianMixture(n_components, random_state=0).fit(clusters)
        assert best.score(clusters) - stream.score(clusters) < 0.02

    @pytest.mark.parametrize("estimator", DESCENTS, ids=lambda e: type(e).__name__)
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_it_goes_on_from_a_fit_and_a_fit_from_it(self, estimator, clusters):
        fitted = clone(estimator).set_params(max_iter=7, warm_start=True).fit(clusters)
        assert n_updates(fitted) == 7
        fitted.partial_fit(clusters[:100])
        assert n_updates(fitted) == 8
        expected = -fitted.score(clusters)
        assert n_updates(fitted.fit(clusters)) == 15
        assert fitted.loss_curve_[0] == pytest.approx(expected, rel=1e-9)

    def test_auto_follows_all_rows_so_far(self, clusters):
        stream = CholeskyGaussian(reg_covar="auto")
        streamed(stream, clusters, size=7)
        moments = Moments(**stream._moments)
        (covariance,) = moments.covariances(FULL.scatter, 0.0)
        expected = np.cov(clusters.T, bias=True)
        np.testing.assert_allclose(covariance, expected, rtol=1e-10)
        assert CholeskyGaussian.from_parameters([0, 0], np.eye(2)).set_params(
            reg_covar="auto"
        ).partial_fit(clusters)._moments["mass"] == [3000]

    def test_a_path_is_that_of_the_batch(self, clusters):
        stream = streamed(CholeskyGaussian(store_path=True), clusters)
        np.testing.assert_array_equal(stream.location_path_, [stream.location_])

    def test_given_parameters_are_a_start(self, clusters):
        stream = CholeskyGaussian.from_parameters([3.0, 3.0], np.eye(2))
        stream.partial_fit(clusters[:1])
        assert np.abs(stream.location_ - 3).max() < 0.1


def n_updates(estimator):
    adam = estimator._adam
    return adam.get("state", adam)["n_updates"]


class TestGaussianMLE:
    """Exact, whatever the split."""

    @pytest.mark.parametrize("covariance_type", UNTIED)
    @pytest.mark.parametrize("with_nan", [False, True])
    @pytest.mark.parametrize("size", [1, 7, 100, 299])
    def test_any_split_is_a_fit(self, clusters, holed, covariance_type, with_nan, size):
        scale = np.array([1e-4, 1e5]) if covariance_type != "spherical" else 1.0
        X = (holed if with_nan else clusters)[:300] * scale + 1e6 * scale
        X[0] = clusters[0] * scale + 1e6 * scale
        weight = np.random.RandomState(0).uniform(0.5, 2, size=300)
        params = {"covariance_type": covariance_type, "reg_covar": "auto"}
        whole = GaussianMLE(**params).fit(X, sample_weight=weight)
        parts = streamed(GaussianMLE(**params), X, size=size, weight=weight)
        deviations = np.sqrt(np.diag(whole.covariance_))
        gap = np.abs(parts.covariance_ - whole.covariance_)
        assert np.max(gap / np.outer(deviations, deviations)) < 1e-12
        # The mean has the digits of the rows.
        rounding = 4 * np.finfo(float).eps * np.abs(whole.location_)
        assert np.all(np.abs(parts.location_ - whole.location_) <= rounding)

    def test_patterns_come_again_in_stacks_and_blocks(self, holed, monkeypatch):
        whole = PatternMoments.of(IncompleteRows(holed), FULL, most=3)
        monkeypatch.setattr("skdensity.rows.patterns.MAX_PAIRS", 50)
        monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 5000)
        parts = PatternMoments.of(IncompleteRows(holed), FULL, most=3)
        assert len(parts.by_pattern) == 3
        for observed, part in parts.by_pattern.items():
            X = holed[(~np.isnan(holed) == np.isin([0, 1], observed)).all(axis=1)]
            X = X[:, observed]
            for moments in (part, whole.by_pattern[observed]):
                assert moments.mass == [len(X)]
                np.testing.assert_allclose(moments.mean[0], X.mean(axis=0), rtol=1e-12)
                covariance = moments.covariances(FULL.scatter, 0.0)[0]
                expected = np.cov(X.T, bias=True).reshape(covariance.shape)
                np.testing.assert_allclose(covariance, expected, rtol=1e-12)

    @pytest.mark.parametrize("family", [FULL, FAMILIES["diag"]])
    def test_few_rows_have_the_moments_of_all(self, family):
        rng = np.random.RandomState(0)
        X = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 3)) + 5
        X[rng.uniform(size=X.shape) < 0.3] = np.nan
        X[:3] = [[1, 2, 3], [np.nan, np.nan, 1], [2, np.nan, np.nan]]
        weight = rng.uniform(size=200)
        moments = PatternMoments.of(IncompleteRows(X, weight), family, most=10)
        few = moments.rows(Workspace())
        assert few.n_rows <= sum(len(observed) + 1 for observed in moments.by_pattern)
        again = PatternMoments.of(few, family, most=10)
        assert again.by_pattern.keys() == moments.by_pattern.keys()
        for observed, part in moments.by_pattern.items():
            other, here = again.by_pattern[observed], list(observed)
            mean = other.mean[0] + moments.origin[here]
            np.testing.assert_allclose(mean, part.mean[0], rtol=1e-12)
            np.testing.assert_allclose(other.mass, part.mass, rtol=1e-12)
            np.testing.assert_allclose(
                other.central(family.scatter),
                part.central(family.scatter),
                rtol=1e-11,
                atol=1e-13,
            )

    @pytest.mark.parametrize("covariance_type", UNTIED)
    def test_sums_tell_what_rows_do(self, holed, covariance_type, monkeypatch):
        params = {"covariance_type": covariance_type, "reg_covar": 1e-3}
        of_sums = GaussianMLE(**params).fit(holed)
        monkeypatch.setattr("skdensity.densities.gaussian_mle.MAX_PATTERNS", 1)
        of_rows = GaussianMLE(**params).fit(holed)
        np.testing.assert_allclose(of_sums.location_, of_rows.location_, rtol=1e-9)
        np.testing.assert_allclose(of_sums.covariance_, of_rows.covariance_, rtol=1e-9)
        with pytest.raises(ValueError, match=r"EMGaussianMixture\(1\)\.partial_fit"):
            of_rows.partial_fit(holed)

    def test_too_many_patterns_are_refused(self):
        rng = np.random.RandomState(0)
        X = rng.standard_normal((3000, 12))
        stream = GaussianMLE().partial_fit(X)
        before = state_of(stream)
        X[rng.uniform(size=X.shape) < 0.4] = np.nan
        with pytest.raises(ValueError, match=r"EMGaussianMixture\(1\)\.partial_fit"):
            stream.partial_fit(X)
        assert state_of(stream) == before
        n_patterns = len(np.unique(np.isnan(X[:900]), axis=0))
        assert 500 < n_patterns < MAX_PATTERNS
        assert len(stream.partial_fit(X[:900])._sums) == n_patterns

    def test_a_feature_may_be_missing_in_a_batch(self, clusters):
        X = clusters.copy()
        X[1000:, 1] = np.nan
        stream = streamed(GaussianMLE(), X)
        np.testing.assert_allclose(
            stream.covariance_, GaussianMLE().fit(X).covariance_, rtol=1e-11
        )

    def test_a_stream_goes_on_from_a_fit_with_holes(self, holed):
        stream = GaussianMLE().fit(holed[:1000]).partial_fit(holed[1000:])
        np.testing.assert_allclose(
            stream.covariance_, GaussianMLE().fit(holed).covariance_, rtol=1e-11
        )

    def test_what_still_moves_is_a_warning(self, holed, monkeypatch):
        monkeypatch.setattr(GaussianEM.run, "__defaults__", (None, 2))
        with pytest.warns(match="GaussianMLE: what is missing") as record:
            GaussianMLE().partial_fit(holed)
        assert record[0].filename == __file__
