"""Kernel densities and missing values: their density, and what is filled in."""

import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import simpson
from scipy.special import logsumexp, softmax
from scipy.stats import kstest, multivariate_normal, norm
from sklearn.utils import get_tags

from skdensity import LOOKernelDensity
from skdensity.models.kernels.averages import average_of
from skdensity.models.kernels.sums.total import KernelSums
from skdensity.models.kernels.support import LINE, Axis

MATRIX = np.array([[0.5, 0.2, -0.1], [0.2, 0.3, 0.1], [-0.1, 0.1, 0.4]])
# Kernels of every shape in three features, and everywhere that they can be; those of 3
# are wide beside a period of 6 and bounds 7 apart.
KERNELS = {
    "spherical": {"bandwidth": 0.5},
    "diag": {"bandwidth": [0.3, 0.5, 0.8]},
    "full": {"bandwidth": MATRIX},
    "bounded": {"bandwidth": 0.5, "bounds": [(None, 4), (-3, 3.5), (-3.2, None)]},
    "periodic": {"bandwidth": [0.3, 0.5, 0.8], "periodic": [6, None, 6]},
    "wide": {"bandwidth": 3.0, "bounds": [(-3, 4)] * 2 + [(None, None)],
             "periodic": [None, None, 6]},
}  # fmt: skip
PATTERNS = list(product([False, True], repeat=3))
# Beyond so many images nothing is left of the widest kernel here.
N_IMAGES = 6


def rows(n_samples=30, seed=0):
    rng = np.random.RandomState(seed)
    return np.clip(rng.standard_normal((n_samples, 3)), -3, 3)


def weights(n_samples=30):
    return np.random.RandomState(1).uniform(0.1, 3, n_samples)


def fitted(kernel, **parameters):
    density = LOOKernelDensity(**KERNELS[kernel], **parameters)
    return density.fit(rows(), sample_weight=weights())


@pytest.fixture(params=KERNELS)
def density(request):
    return pickle.loads(pickle.dumps(fitted(request.param)))


def with_every_pattern(n_each=4):
    X = rows(n_each * len(PATTERNS), seed=2)
    X[np.tile(PATTERNS, (n_each, 1))] = np.nan
    return X


# ---- Brute force: all kernels with all images ----


def images(density, feature, x):
    """Values and what they are reflected or repeated as, one image a row."""
    bounds, periods = density.bounds, density.periodic
    turns = np.arange(-N_IMAGES, N_IMAGES + 1)[:, None]
    if periods is not None and periods[feature] is not None:
        return x + periods[feature] * turns
    lower, upper = (None, None) if bounds is None else bounds[feature]
    if lower is None and upper is None:
        return x[None]
    if lower is None or upper is None:
        return np.array([x, 2 * (upper if lower is None else lower) - x])
    turns = 2 * (upper - lower) * turns
    return np.concatenate([x + turns, 2 * lower - x + turns])


def log_kernels(density, X):
    """Of every row and location, with the features that the row has."""
    locations, covariance = density.locations_, density.covariance_
    out = np.zeros((len(X), len(locations)))
    for i, row in enumerate(X if np.ndim(density.bandwidth_) == 2 else ()):
        known = np.flatnonzero(~np.isnan(row))
        if len(known):
            part = multivariate_normal(cov=covariance[np.ix_(known, known)])
            out[i] = part.logpdf(row[known] - locations[:, known])
    for k in range(3 * (np.ndim(density.bandwidth_) < 2)):
        known = ~np.isnan(X[:, k])
        values = images(density, k, locations[:, k])
        steps = X[known, k, None, None] - values.T
        kernels = norm(scale=np.sqrt(covariance[k, k])).logpdf(steps)
        out[known] += logsumexp(kernels, axis=2)
    return out


def brute_log_density(density, X):
    log_density = logsumexp(log_kernels(density, X), b=density.weights_, axis=1)
    return np.where(np.isnan(X).all(axis=1), 0, log_density)


def brute_mean(density, row, feature, ends):
    """∫ x p(x | row) dx, on a circle the direction of ∫ exp(iωx) p(x | row) dx."""
    grid = np.full((801, 3), np.nan)
    grid[:, feature] = x = np.linspace(*ends, len(grid))
    joint = log_kernels(density, grid) + log_kernels(density, row[None])
    log_density = logsumexp(joint, b=density.weights_, axis=1)
    p = np.exp(log_density - log_density.max())
    p /= simpson(p, x=x)
    if density.periodic is not None and density.periodic[feature] is not None:
        wave = simpson(np.exp(2j * np.pi * x / 6) * p, x=x)
        return np.angle(wave) / (2 * np.pi) * 6 % 6
    return simpson(x * p, x=x)


def ends_of(density, feature):
    """An interval that holds all of a feature."""
    if density.periodic is not None and density.periodic[feature] is not None:
        return 0, 6
    lower, upper = (None, None) if density.bounds is None else density.bounds[feature]
    return -30 if lower is None else lower, 30 if upper is None else upper


class TestScores:
    def test_they_are_those_of_what_was_observed(self, density):
        X = with_every_pattern()
        expected = brute_log_density(density, X)
        found = density.score_samples(X)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
        weight = np.random.RandomState(3).uniform(size=len(X))
        mean = np.average(expected, weights=weight)
        assert density.score(X, sample_weight=weight) == pytest.approx(mean, abs=1e-9)
        assert density.score(X) == pytest.approx(expected.mean(), abs=1e-9)

    def test_they_are_those_of_marginals(self, density):
        X = with_every_pattern()
        for row, score in zip(X, density.score_samples(X), strict=True):
            known = np.flatnonzero(~np.isnan(row))
            if len(known):
                part = density.marginal(known)
                expected = part.score_samples([row[known]])[0]
                assert score == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("distance", [1e3, 1e6])
    @pytest.mark.parametrize("kernel", ["spherical", "diag", "full"])
    def test_far_rows_keep_their_digits(self, kernel, distance):
        density, X = fitted(kernel), distance * with_every_pattern()
        expected = brute_log_density(density, X)
        np.testing.assert_allclose(density.score_samples(X), expected, rtol=1e-9)

    def test_by_transforms_they_keep_the_promise(self):
        rng = np.random.RandomState(0)
        X = rng.standard_normal((1000, 3)) * [1, 1, 5] + [0, 0, 50]
        X[::2, 1] += 4
        queries = X + 0.1
        queries[rng.random_sample(X.shape) < 0.4] = np.nan
        fast, exact = (
            LOOKernelDensity(0.3, algorithm=name).fit(X).score_samples(queries)
            for name in ("nufft", "exact")
        )
        np.testing.assert_allclose(fast, exact, rtol=0, atol=2e-6)

    def test_each_pattern_is_evaluated_once(self, monkeypatch):
        calls, at = [], KernelSums.at
        monkeypatch.setattr(
            KernelSums, "at", lambda *args: calls.append(len(args[1])) or at(*args)
        )
        fitted("diag").score_samples(with_every_pattern(n_each=5))
        assert calls == [5] * (len(PATTERNS) - 1)

    def test_values_out_of_bounds_have_density_zero(self):
        X = np.array([[5, np.nan, 0], [np.nan, np.nan, -4], [np.nan, 0, 5]])
        expected = [-np.inf, -np.inf, brute_log_density(fitted("bounded"), X[2:])[0]]
        np.testing.assert_allclose(fitted("bounded").score_samples(X), expected)

    def test_columns_that_coincide_when_others_are_missing(self):
        X = np.column_stack([np.arange(3000) % 2, rows(3000)[:, 0]])
        density = LOOKernelDensity([0.5, 0.2]).fit(X)
        queries = np.column_stack([np.linspace(-2, 3, 2000), np.full(2000, np.nan)])
        two = LOOKernelDensity(0.5).fit([[0.0], [1.0]])
        expected = two.score_samples(queries[:, :1])
        np.testing.assert_allclose(density.score_samples(queries), expected, atol=2e-6)


class TestImpute:
    @pytest.mark.parametrize("kernel", sorted(set(KERNELS) - {"full"}))
    def test_means_are_those_of_conditionals_by_quadrature(self, kernel):
        density, X = fitted(kernel), with_every_pattern(n_each=1)
        filled = density.impute(X)
        for row, whole in zip(X, filled, strict=True):
            for feature in np.flatnonzero(np.isnan(row)):
                expected = brute_mean(density, row, feature, ends_of(density, feature))
                # Simpson's rule on 800 intervals, and circles that join their ends.
                error = whole[feature] - expected
                if density.periodic is not None and density.periodic[feature]:
                    error -= 6 * np.rint(error / 6)
                assert abs(error) < 1e-6

    @pytest.mark.parametrize("kernel", ["spherical", "diag", "full"])
    def test_means_are_sums_over_kernels(self, kernel):
        density, X = fitted(kernel), with_every_pattern()
        filled, H = density.impute(X), density.covariance_
        shares = softmax(log_kernels(density, X) + np.log(density.weights_), axis=1)
        for row, share, whole in zip(X, shares, filled, strict=True):
            m, o = np.flatnonzero(np.isnan(row)), np.flatnonzero(~np.isnan(row))
            steps = row[o] - density.locations_[:, o]
            follow = np.linalg.solve(H[np.ix_(o, o)], H[np.ix_(o, m)])
            expected = share @ (density.locations_[:, m] + steps @ follow)
            np.testing.assert_allclose(whole[m], expected, atol=1e-10)

    @pytest.mark.parametrize("known", [[0], [0, 1], [1, 2]], ids=str)
    def test_draws_follow_the_conditional(self, density, known):
        x = np.array([[0.7, 0.4, 1.2]])
        missing = np.setdiff1d(range(3), known)
        x[:, missing] = np.nan
        drawn = density.impute(np.tile(x, (2000, 1)), sample=True, random_state=0)
        part = density.condition(known, x[0, known])
        place = part.marginal([0]).cdf(drawn[:, missing[:1]])
        assert kstest(place, "uniform").pvalue > 1e-3
        if len(missing) == 2:
            half = len(drawn) // 20
            place = [
                part.condition([0], row[:1]).cdf([row[1:]])[0]
                for row in drawn[:half, missing]
            ]
            assert kstest(place, "uniform").pvalue > 1e-3

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("sample", [False, True])
    def test_what_is_filled_in_is_where_it_can_be(self, density, sample, dtype):
        X = with_every_pattern(n_each=25).astype(dtype)
        X[:, 2] -= 600  # modulo a period, any number will do
        if density.bounds is not None or density.periodic is None:
            X[:, 2] += 600
        before = X.copy()
        filled = density.impute(X, sample=sample, random_state=0)
        there = ~np.isnan(X)
        np.testing.assert_array_equal(filled[there], X[there])
        np.testing.assert_array_equal(X, before)
        assert filled.dtype == dtype
        for feature, inside in enumerate(~there.T):
            lower, upper = ends_of(density, feature)
            values = filled[inside, feature]
            assert np.all((values >= dtype(lower)) & (values <= dtype(upper)))
            if density.periodic is not None and density.periodic[feature]:
                assert np.all(values < 6)

    def test_float32_differs_by_rounding(self, density):
        X = with_every_pattern()
        single = density.impute(X.astype(np.float32))
        np.testing.assert_allclose(single, density.impute(X), atol=2e-5)
        scores = density.score_samples(X.astype(np.float32))
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, density.score_samples(X), atol=1e-4)

    @pytest.mark.parametrize("distance", [1e3, 1e8])
    @pytest.mark.parametrize("kernel", ["spherical", "diag", "full"])
    def test_beside_far_values_the_nearest_kernel_counts(self, kernel, distance):
        density, H = fitted(kernel), fitted(kernel).covariance_
        x = np.array([np.nan, distance, np.nan])
        slopes = H[[0, 2], 1] / H[1, 1]
        nearest = density.locations_[density.locations_[:, 1].argmax()]
        expected = nearest[[0, 2]] + slopes * (distance - nearest[1])
        found = density.impute([x])[0, [0, 2]]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert np.isfinite(density.impute([x], sample=True, random_state=0)).all()

    def test_values_without_a_square_tell_nothing(self):
        density = fitted("spherical")
        found = density.impute([[1e200, np.nan, np.nan], [np.nan] * 3])
        np.testing.assert_allclose(found[0, 1:], found[1, 1:])
        # Beside 1e150 all kernels are as far, up to what rounding makes of it.
        found = density.impute([[1e150, np.nan, np.nan]])
        assert np.all(np.abs(found[0, 1:]) <= 3)

    def test_weights_are_repetitions(self):
        X, weight = rows(), np.arange(30) % 4
        holes = with_every_pattern()
        one = LOOKernelDensity(0.5).fit(X, sample_weight=weight)
        other = LOOKernelDensity(0.5).fit(np.repeat(X, weight, axis=0))
        for method in ("impute", "score_samples"):
            found, expected = (getattr(d, method)(holes) for d in (one, other))
            np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_neither_order_nor_threads_nor_blocks_make_a_difference(self, monkeypatch):
        X, order = with_every_pattern(20), np.random.RandomState(0).permutation(160)
        expected = fitted("bounded").impute(X)
        again = fitted("bounded").impute(X[order])
        np.testing.assert_allclose(again, expected[order], atol=1e-13)
        monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 2**12)
        for n_jobs in (1, 2):
            blocked = fitted("bounded", n_jobs=n_jobs).impute(X)
            np.testing.assert_allclose(blocked, expected, atol=1e-13)
        drawn = fitted("bounded").impute(X, sample=True, random_state=0)
        monkeypatch.undo()
        again = fitted("bounded").impute(X, sample=True, random_state=0)
        np.testing.assert_allclose(drawn, again, atol=1e-13)

    def test_names_and_missing_values_of_pandas(self):
        frame = pd.DataFrame(rows(), columns=["a", "b", "c"])
        density = LOOKernelDensity(0.5).fit(frame)
        holes = frame.head().convert_dtypes()
        holes.iloc[0, 1] = pd.NA
        X = frame.head().to_numpy().copy()
        X[0, 1] = np.nan
        expected = LOOKernelDensity(0.5).fit(rows())
        np.testing.assert_array_equal(density.impute(holes), expected.impute(X))
        np.testing.assert_array_equal(
            density.score_samples(holes), expected.score_samples(X)
        )

    def test_numpy_may_raise_what_it_will(self, density):
        X = with_every_pattern()
        expected = density.impute(X, sample=True, random_state=0)
        with np.errstate(all="raise"):
            found = density.impute(X, sample=True, random_state=0)
            assert np.isfinite(density.impute(X)).all()
            assert np.isfinite(density.score_samples(X)).all()
        np.testing.assert_array_equal(found, expected)


class TestRefusals:
    def test_fits_take_no_missing_values(self, density):
        before = pickle.dumps(density)
        with pytest.raises(ValueError, match="LOOKernelDensity takes none in `fit`"):
            density.fit(with_every_pattern())
        assert pickle.dumps(density) == before
        assert not get_tags(density).input_tags.allow_nan

    def test_beside_an_impossible_value_nothing_is_filled_in(self):
        density = fitted("bounded")
        for sample in (False, True):
            with pytest.raises(ValueError, match=r"`X` has 5 for feature 0.*\(-inf, 4"):
                density.impute([[0.0, 0.0, np.nan], [5.0, np.nan, 0.0]], sample=sample)
        whole = [[5.0, 0.0, 0.0]]
        np.testing.assert_array_equal(density.impute(whole), whole)

    @pytest.mark.parametrize("method", ["score_samples", "impute", "score"])
    def test_infinities_are_refused(self, method):
        with pytest.raises(ValueError, match="infinity"):
            getattr(fitted("diag"), method)([[np.inf, np.nan, 0.0]])


class TestAverages:
    @pytest.mark.parametrize("width", [0.01, 0.3, 0.99, 1.01, 2.0, 30.0])
    @pytest.mark.parametrize("ends", [(0, 2), (-1, np.inf), (-np.inf, 3)], ids=str)
    def test_between_mirrors_they_are_integrals(self, ends, width):
        axis = Axis(*map(float, ends))
        x = np.clip(np.array([0.0, 0.1, 0.7, 1.9, 2.0]), *ends)
        z = np.linspace(-12, 12, 400_001)
        average = average_of(axis, width)
        found = average.of(average.columns(x))
        for place, mean in zip(x, found, strict=True):
            folded = axis.fold(place + width * z)
            expected = np.sum(folded * norm.pdf(z)) * (z[1] - z[0])
            # The zigzag has kinks, at most 1,400 of them between the points here.
            assert mean == pytest.approx(expected, abs=1e-7)
        assert np.all((found >= axis.lower) & (found <= axis.upper))

    def test_wide_kernels_are_flat_and_narrow_ones_where_they_stand(self):
        x = np.array([0.0, 0.3, 2.0])
        for width, expected in ((100.0, np.ones(3)), (1e-9, x)):
            average = average_of(Axis(0.0, 2.0), width)
            found = average.of(average.columns(x))
            np.testing.assert_allclose(found, expected, atol=1e-9)
        straight = average_of(LINE, 1.0)
        np.testing.assert_array_equal(straight.of(straight.columns(x)), x)

    def test_a_circle_has_no_seam(self):
        average = average_of(Axis(0.0, 24.0, is_circle=True), 1.0)
        columns = average.columns(np.array([23.0, 1.0, 3.0]))
        share = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [1, 0, 0]])
        middles = average.of(share @ columns)
        np.testing.assert_allclose((middles + 12) % 24 - 12, [0, 2, -1], atol=1e-12)
        assert np.all((middles >= 0) & (middles < 24))
