"""The algebra of densities: their parts, what is missing, their shape."""

import pickle
import warnings

import numpy as np
import pytest
from conftest import (
    ISOTROPIC,
    MIXTURES,
    TYPES,
    UNTIED,
    central_differences,
    mixture_of,
    scipys_log_joint,
)
from mpmath import mp
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import kstest, multivariate_normal, norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

NAMES = ["a", "b", "c", "d"]


def em_of(name, n_features=4):
    """A fitted mixture of three components of a type."""
    model = mixture_of(name, n_features)
    public = model.family.shape.public(model.covariances)
    return EMGaussianMixture.from_parameters(
        model.weights, model.means, public, covariance_type=name
    )


def gaussian_mle_of(name):
    rng = np.random.RandomState(3)
    X = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)) + [1, 2, 3, 4]
    return GaussianMLE(covariance_type=name).fit(X)


def kernels_of(name):
    """Kernels of a shape, with weights; their sums keep all digits."""
    X = draws_of(em_of("full"), 25)
    density = LOOKernelDensity(covariance_type=name, rtol=1e-12)
    weight = np.random.RandomState(4).uniform(0.1, 2, len(X))
    with warnings.catch_warnings():  # one width does not serve these features
        warnings.simplefilter("ignore")
        return density.fit(X, sample_weight=weight)


def draws_of(density, n_samples, random_state=0):
    drawn = density.sample(n_samples, random_state=random_state)
    return drawn[0] if isinstance(drawn, tuple) else drawn


def one_of_each():
    adam = em_of("full")
    other = AdamGaussianMixture.from_parameters(
        adam.weights_, adam.means_, adam.covariances_
    )
    gaussian = gaussian_mle_of("full")
    yield from [em_of(name) for name in TYPES]
    yield other
    yield from [gaussian_mle_of(name) for name in UNTIED]
    yield CholeskyGaussian.from_parameters(gaussian.location_, gaussian.covariance_)
    yield from [kernels_of(name) for name in UNTIED]


FITTED = list(one_of_each())
GIVEN = [[0], [3, 1], [0, 2, 3]]


def label(density):
    covariance_type = getattr(density, "covariance_type", "")
    return f"{type(density).__name__}-{covariance_type}"


@pytest.fixture(params=FITTED, ids=label)
def density(request):
    return pickle.loads(pickle.dumps(request.param))


class TestParts:
    @pytest.mark.parametrize("given", GIVEN, ids=str)
    def test_a_marginal_times_a_conditional_is_the_joint(self, density, given):
        X = draws_of(density, 10)
        others = np.setdiff1d(range(4), given)
        marginal = density.marginal(given).score_samples(X[:, given])
        conditional = [
            density.condition(given, x[given]).score_samples([x[others]])[0] for x in X
        ]
        np.testing.assert_allclose(
            marginal + conditional, density.score_samples(X), rtol=0, atol=1e-10
        )

    def test_a_marginal_is_the_integral_of_the_joint(self, density):
        (x,) = draws_of(density, 1)

        def joint(value):
            return np.exp(density.score_samples([[*x[:3], value]])[0])

        # As wide as the last feature is, with the places where components are.
        centres = np.sort(moments_of(density)[1][:, 3])
        integral, _ = quad(
            joint, centres[0] - 40, centres[-1] + 40, points=centres, epsabs=0,
            epsrel=1e-10, limit=400,
        )  # fmt: skip
        marginal = density.marginal([0, 1, 2]).score_samples([x[:3]])
        assert np.exp(marginal[0]) == pytest.approx(integral, rel=1e-8)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_parts_are_estimators_like_any_other(self, density):
        features = [2, 0]
        for part in (density.marginal(features), density.condition([1, 3], [0.5, -1])):
            assert type(part) is type(density)
            assert part.n_features_in_ == 2
            if hasattr(density, "covariance_type"):
                assert part.covariance_type == density.covariance_type
            X = draws_of(part, 300)
            expected = part.score_samples(X)
            again = pickle.loads(pickle.dumps(part))
            np.testing.assert_array_equal(again.score_samples(X), expected)
            refitted = clone(part).fit(X)
            assert refitted.n_features_in_ == 2

    @pytest.mark.parametrize(
        "n_draws",
        [
            100,
            pytest.param(1000, marks=pytest.mark.slow),
            pytest.param(5000, marks=pytest.mark.nightly),
        ],
    )
    def test_sequential_conditionals_of_draws_are_uniform(self, density, n_draws):
        X = draws_of(density, n_draws, random_state=1)
        places = [density.marginal([0]).cdf(X[:, :1])]
        for feature in range(1, 4):
            known = range(feature)
            joint = density.marginal(range(feature + 1))
            conditionals = (joint.condition(known, x[:feature]) for x in X)
            values = zip(conditionals, X[:, feature], strict=True)
            places.append([given.cdf([[value]])[0] for given, value in values])
        for place in places:
            assert kstest(place, "uniform").pvalue > 1e-3

    def test_names_stay_with_their_features(self, density):
        density.feature_names_in_ = np.array(NAMES, dtype=object)
        part = density.marginal(["d", "b"])
        assert list(part.feature_names_in_) == ["d", "b"]
        given = density.condition(["b"], [0.0])
        assert list(given.feature_names_in_) == ["a", "c", "d"]
        np.testing.assert_array_equal(
            draws_of(part, 2), draws_of(density.marginal([3, 1]), 2)
        )

    def test_the_dtype_stays(self):
        X = np.random.RandomState(0).standard_normal((50, 3)).astype(np.float32)
        for estimator in (GaussianMLE(), EMGaussianMixture(2), LOOKernelDensity()):
            density = estimator.fit(X)
            for part in (density.marginal([0, 2]), density.condition([1], [0.5])):
                assert draws_of(part, 2).dtype == np.float32

    def test_a_stream_begins_anew(self):
        X = np.random.RandomState(0).standard_normal((60, 3))
        density = GaussianMLE().partial_fit(X[:30])
        part = density.marginal([0, 2]).partial_fit(X[30:, :2]).partial_fit(X[:9, :2])
        expected = GaussianMLE().fit(np.concatenate([X[30:, :2], X[:9, :2]]))
        np.testing.assert_allclose(part.covariance_, expected.covariance_, rtol=1e-12)

    def test_initial_parameters_of_more_features_are_left(self, lecture_mixture):
        X = np.column_stack([lecture_mixture, -lecture_mixture + 0.1])
        X[::3, 1] += 1
        mixture = EMGaussianMixture(2, means_init=[[0, 0], [4, -4]]).fit(X)
        part = mixture.marginal([1])
        assert part.means_init is None
        assert part.fit(X[:, 1:]).n_features_in_ == 1


BAD_PARTS = {
    "out of range": (lambda d: d.marginal([4]), "expected an index from 0 to 3"),
    "repeated": (lambda d: d.marginal([1, 1]), "each once"),
    "misnamed": (lambda d: d.condition(["z"], [0.0]), r"one of \['a'"),
    "nothing": (lambda d: d.condition([], []), "from 1 to 3 features"),
    "everything": (lambda d: d.condition(range(4), np.zeros(4)), "from 1 to 3"),
    "shape": (lambda d: d.condition([0], [1.0, 2.0]), r"`values` has shape \(2,\)"),
    "NaN": (lambda d: d.condition([0], [np.nan]), "values contains NaN"),
}


@pytest.mark.parametrize("case", BAD_PARTS)
def test_bad_parts_are_errors_and_change_nothing(density, case):
    call, message = BAD_PARTS[case]
    density.feature_names_in_ = np.array(NAMES, dtype=object)
    before = pickle.dumps(density)
    with pytest.raises(ValueError, match=message):
        call(density)
    assert pickle.dumps(density) == before


BAD_QUESTIONS = {
    "infinite": (lambda d: d.score_samples([[np.inf, np.nan, 0, 0]]), "infinity"),
    "infinite hole": (lambda d: d.impute([[np.inf, np.nan, 0, 0]]), "infinity"),
    "infinite slope": (lambda d: d.gradient([[np.inf, 0, 0, 0]]), "infinity"),
    "narrow": (lambda d: d.impute([[np.nan, 0.0]]), "expecting 4 features"),
    "infinite value": (
        lambda d: d.condition([0], [np.inf]),
        "values contains infinity",
    ),
    "none": (lambda d: d.marginal([]), "from 1 to 4 features"),
    "the only one": (
        lambda d: d.marginal([0]).condition([0], [0.5]),
        r"is \[0\], and this density has one feature.* Take `score_samples`",
    ),
    "negative": (lambda d: d.marginal([-1]), "has -1; expected an index from 0 to 3"),
    "mask": (lambda d: d.marginal([True, False]), "has True; expected an index"),
    "cdf": (lambda d: d.cdf(np.zeros((1, 4))), "`cdf` is for one .* has 4"),
    "sf": (lambda d: d.sf(np.zeros((1, 4))), "`sf` is for one .* has 4"),
    "quantile": (lambda d: d.quantile(0.5), "`quantile` is for one .* `marginal`"),
    "q": (lambda d: d.marginal([0]).quantile([0.5, 1.5]), r"`q` has 1\.5"),
    "corner": (lambda d: d.probability([0, 0], 1), r"`lower` has shape \(2,\)"),
    "upside down": (lambda d: d.probability(1, 0), "`lower` is 1 .* Swap them"),
    "NaN corner": (lambda d: d.probability(0, np.nan), "`upper` contains NaN"),
    "everything": (lambda d: d.region(1.0), r"`coverage` is 1\.0"),
}


@pytest.mark.parametrize("case", BAD_QUESTIONS)
def test_bad_questions_are_errors_and_change_nothing(density, case):
    ask, message = BAD_QUESTIONS[case]
    before = pickle.dumps(density)
    with pytest.raises(ValueError, match=message):
        ask(density)
    assert pickle.dumps(density) == before


def with_holes(density, n_samples=60):
    X, rng = draws_of(density, n_samples), np.random.RandomState(0)
    X[rng.random_sample(X.shape) < 0.4] = np.nan
    X[5] = np.nan
    return X


class TestImpute:
    def test_means_are_those_of_conditionals(self, density):
        X = with_holes(density)
        filled = density.impute(X)
        for x, row in zip(X, filled, strict=True):
            known = np.flatnonzero(~np.isnan(x))
            missing = np.flatnonzero(np.isnan(x))
            if 0 < len(missing) < 4:
                part = density.condition(known, x[known])
                np.testing.assert_allclose(row[missing], mean_of(part), atol=1e-9)
        np.testing.assert_allclose(filled[5], mean_of(density), atol=1e-9)

    def test_draws_have_the_conditional_mean_and_covariance(self, density):
        x = np.array([np.nan, 0.5, np.nan, -1.0])
        n_draws = 40_000
        X = density.impute(np.tile(x, (n_draws, 1)), sample=True, random_state=0)
        part = density.condition([1, 3], [0.5, -1.0])
        expected, found = mean_of(part), X[:, [0, 2]]
        error = np.sqrt(np.diag(np.cov(found.T)) / n_draws)
        assert np.all(np.abs(found.mean(axis=0) - expected) < 5 * error)
        spread = covariance_of(part)
        # A product of two standardised draws has a kurtosis of some ten at most here.
        scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
        assert np.all(np.abs(np.cov(found.T) - spread) < 15 * scale / n_draws**0.5)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("sample", [False, True])
    def test_what_was_observed_stays_to_the_bit(self, density, sample, dtype):
        X = with_holes(density).astype(dtype)
        before = X.copy()
        filled = density.impute(X, sample=sample, random_state=0)
        there = ~np.isnan(X)
        assert filled.dtype == dtype
        assert np.isfinite(filled).all()
        np.testing.assert_array_equal(filled[there], X[there])
        np.testing.assert_array_equal(X, before)

    def test_whole_rows_stay(self, density):
        X = draws_of(density, 5)
        filled = density.impute(X)
        np.testing.assert_array_equal(filled, X)
        assert not np.shares_memory(filled, X)

    def test_draws_follow_their_seed(self, density):
        X = with_holes(density)
        first, again, other = (
            density.impute(X, sample=True, random_state=seed) for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)


def moments_of(density):
    """Weights, means and matrices of the Gaussians of a density."""
    model = density._model()
    if isinstance(density, LOOKernelDensity):
        matrices = np.stack([model.kernel.covariance] * len(model.masses))
        return model.masses, model.locations, matrices
    weights = getattr(model, "weights", np.ones(1))
    means = np.atleast_2d(getattr(model, "means", getattr(model, "mean", None)))
    if not hasattr(model, "weights"):
        return weights, means, model.covariance[None]
    family = model.family
    matrices = family.shape.matrices(model.covariances, model.n_features)
    return weights, means, model.own(matrices)


def mean_of(density):
    weights, means, _ = moments_of(density)
    return weights @ means


def covariance_of(density):
    weights, means, matrices = moments_of(density)
    steps = means - weights @ means
    outer = np.einsum("k,kd,ke->de", weights, steps, steps)
    return np.tensordot(weights, matrices, axes=1) + outer


class TestAscent:
    def test_gradients_are_finite_differences(self, density):
        X = draws_of(density, 5)
        for x, slope in zip(X, density.gradient(X), strict=True):
            expected = central_differences(lambda y: density.score_samples([y])[0], x)
            np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-6)

    def test_gradients_keep_the_dtype(self, density):
        X = draws_of(density, 5).astype(np.float32)
        assert density.gradient(X).dtype == np.float32

    def test_modes_are_tops(self, density):
        modes = density.modes()
        np.testing.assert_allclose(density.gradient(modes), 0, atol=1e-6)
        heights = density.score_samples(modes)
        assert np.all(np.diff(heights) <= 0)
        noise = 1e-3 * np.random.RandomState(0).standard_normal((200, 4))
        for mode, height in zip(modes, heights, strict=True):
            assert np.all(density.score_samples(mode + noise) < height)

    def test_modes_of_one_feature_are_all_tops_of_a_grid(self):
        mixture = em_of("spherical", 1)
        x = np.linspace(-10, 10, 20_001)
        height = mixture.score_samples(x[:, None])
        is_top = (height[1:-1] > height[:-2]) & (height[1:-1] > height[2:])
        modes = np.sort(mixture.modes().ravel())
        np.testing.assert_allclose(modes, x[1:-1][is_top], atol=1e-3)

    def test_a_mean_between_two_tops_is_none(self):
        mixture = EMGaussianMixture.from_parameters(
            [0.495, 0.01, 0.495], [[-3], [0], [3]], [1, 1, 1],
            covariance_type="spherical",
        )  # fmt: skip
        np.testing.assert_allclose(np.sort(mixture.modes().ravel()), [-3, 3], atol=0.1)

    @pytest.mark.parametrize("method", ["gradient", "cdf", "sf"])
    def test_whole_rows_are_asked_for(self, density, method):
        part = density if method == "gradient" else density.marginal([0])
        X = np.full((2, part.n_features_in_), np.nan)
        with pytest.raises(ValueError, match=f"`{method}` is for whole rows"):
            getattr(part, method)(X)


class TestProbabilities:
    def test_quantiles_invert_the_distribution_function(self, density):
        part = density.marginal([1])
        x = np.sort(draws_of(part, 50).ravel())
        np.testing.assert_allclose(part.quantile(part.cdf(x[:, None])), x, atol=1e-9)
        q = np.array([1e-200, 1e-12, 0.3, 0.5, 1 - 1e-12])
        values = part.quantile(q)[:, None]
        np.testing.assert_allclose(part.cdf(values), q, rtol=1e-10)
        np.testing.assert_allclose(part.sf(values), 1 - q, rtol=1e-10)
        np.testing.assert_array_equal(part.quantile([0, 1]), [-np.inf, np.inf])

    @pytest.mark.parametrize("z", [-30.0, -8.0, -1.0, 2.0, 9.0, 33.0])
    def test_tails_keep_their_digits(self, density, z):
        part = density.marginal([2])
        weights, means, matrices = moments_of(part)
        x = z * np.sqrt(matrices.max()) + means.mean()
        with mp.workdps(40):
            below = sum(
                w * mp.ncdf((mp.mpf(x) - m) / mp.sqrt(mp.mpf(s)))
                for w, m, s in zip(weights, means[:, 0], matrices.ravel(), strict=True)
            )
            above = 1 - below if z < 5 else sum(
                w * mp.ncdf((m - mp.mpf(x)) / mp.sqrt(mp.mpf(s)))
                for w, m, s in zip(weights, means[:, 0], matrices.ravel(), strict=True)
            )  # fmt: skip
        assert part.cdf([[x]])[0] == pytest.approx(float(below), rel=1e-9, abs=0)
        assert part.sf([[x]])[0] == pytest.approx(float(above), rel=1e-9, abs=0)

    def test_boxes_have_scipys_mass(self, density):
        part = density.marginal([0, 1, 3])
        lower, upper = np.array([-2.0, -1.5, -np.inf]), np.array([1.5, 4.0, 3.0])
        rng = np.random.default_rng(0)
        expected = sum(
            weight * multivariate_normal(mean, matrix, seed=rng).cdf(
                upper, lower_limit=lower
            )
            for weight, mean, matrix in zip(*moments_of(part), strict=True)
        )  # fmt: skip
        # SciPy's rule stops at 1e-5, ours at 1e-6 of the mass.
        assert part.probability(lower, upper) == pytest.approx(expected, abs=3e-5)

    def test_independent_boxes_are_products(self):
        for name in ("diag", "spherical", "tied_diag", "tied_spherical"):
            density = em_of(name)
            lower, upper = np.full(4, -1.0), np.array([2.0, np.inf, 0.5, 1.0])
            weights, means, matrices = moments_of(density)
            deviations = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
            sides = norm(means, deviations).cdf(upper) - norm(means, deviations).cdf(
                lower
            )
            expected = weights @ sides.prod(axis=1)
            found = density.probability(lower, upper)
            assert found == pytest.approx(expected, rel=1e-12)

    def test_regions_hold_their_share(self, density):
        part = density.marginal([0])
        region = part.region(0.9)
        ends = part.cdf(region.intervals.reshape(-1, 1)).reshape(-1, 2)
        assert np.sum(ends[:, 1] - ends[:, 0]) == pytest.approx(0.9, abs=1e-9)
        np.testing.assert_allclose(
            part.score_samples(region.intervals.reshape(-1, 1)), region.log_density,
            atol=1e-6,
        )  # fmt: skip
        draws = draws_of(density, 20_000, random_state=5)
        share = np.mean(density.score_samples(draws) >= density.region(0.9).log_density)
        # Five standard errors of the share, and of the level's.
        assert share == pytest.approx(0.9, abs=0.025)


def unfitted():
    one_of_each = GaussianMLE(), CholeskyGaussian(), LOOKernelDensity()
    return [*one_of_each, *(each(2) for each in MIXTURES)]


@pytest.mark.parametrize("estimator", unfitted(), ids=label)
def test_nothing_is_told_before_a_fit(estimator):
    X = np.zeros((2, 2))
    for call in (
        lambda d: d.marginal([0]),
        lambda d: d.condition([0], [0.0]),
        lambda d: d.impute(X),
        lambda d: d.gradient(X),
        lambda d: d.modes(),
        lambda d: d.cdf(X),
        lambda d: d.quantile(0.5),
        lambda d: d.region(0.5),
        lambda d: d.probability(0, 1),
    ):
        with pytest.raises(NotFittedError):
            call(estimator)


class TestComponents:
    @pytest.mark.parametrize("name", TYPES)
    def test_scores_are_scipys(self, name):
        mixture = em_of(name)
        X = draws_of(mixture, 20)
        weights, means, matrices = moments_of(mixture)
        joint = scipys_log_joint(X, weights, means, matrices)
        np.testing.assert_allclose(
            mixture.score_components(X), joint - np.log(weights), atol=1e-10
        )
        total = logsumexp(joint, axis=1, keepdims=True)
        np.testing.assert_allclose(
            mixture.predict_log_proba(X), joint - total, atol=1e-10
        )

    def test_they_score_what_was_observed(self):
        mixture = em_of("full")
        X = with_holes(mixture)
        scores = mixture.score_components(X)
        np.testing.assert_allclose(
            logsumexp(scores + np.log(mixture.weights_), axis=1),
            mixture.score_samples(X),
            atol=1e-12,
        )
        np.testing.assert_allclose(
            np.exp(mixture.predict_log_proba(X)), mixture.predict_proba(X), atol=1e-12
        )
        np.testing.assert_allclose(scores[5], 0, atol=1e-13)

    def test_a_component_without_weight_has_a_density(self):
        mixture = EMGaussianMixture.from_parameters(
            [1.0, 0.0], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        )
        expected = norm([0, 4], 1).logpdf(3)
        np.testing.assert_allclose(mixture.score_components([[3.0]]), [expected])
        np.testing.assert_array_equal(
            mixture.predict_log_proba([[3.0]]), [[0, -np.inf]]
        )

    @pytest.mark.parametrize("name", TYPES)
    def test_draws_of_a_component_are_its_own(self, name):
        mixture = em_of(name)
        X, y = mixture.sample(4000, random_state=0, component=2)
        np.testing.assert_array_equal(y, 2)
        _, means, matrices = moments_of(mixture)
        z = (X - means[2]) / np.sqrt(np.diag(matrices[2]))
        assert np.all(kstest(z, "norm").pvalue > 1e-3)

    def test_there_is_no_such_component(self):
        mixture = em_of("full")
        for component in (3, -1):
            with pytest.raises(ValueError, match="must be from 0 to 2"):
                mixture.sample(component=component)
        with pytest.raises(TypeError, match="component"):
            mixture.sample(component=0.5)


THEIRS = ("full", "tied", "diag", "spherical")


class TestExchange:
    @pytest.mark.parametrize("name", TYPES)
    def test_scores_are_equal(self, name):
        mixture = em_of(name)
        theirs = mixture.to_sklearn()
        X = draws_of(mixture, 200)
        np.testing.assert_allclose(
            theirs.score_samples(X), mixture.score_samples(X), rtol=1e-12, atol=1e-12
        )
        np.testing.assert_array_equal(theirs.predict(X), mixture.predict(X))
        assert theirs.bic(X) >= mixture.bic(X) - 1e-9  # never fewer parameters

    @pytest.mark.parametrize("name", THEIRS)
    def test_round_trips_are_exact(self, name):
        X = draws_of(em_of(name), 300)
        theirs = GaussianMixture(
            3, covariance_type=name, random_state=0, max_iter=300
        ).fit(X)
        ours = EMGaussianMixture.from_sklearn(theirs)
        again = ours.to_sklearn()
        assert again.get_params() == theirs.get_params()
        assert vars(again).keys() == vars(theirs).keys()
        for attribute, value in vars(theirs).items():
            np.testing.assert_array_equal(getattr(again, attribute), value)
        np.testing.assert_allclose(
            ours.score_samples(X), theirs.score_samples(X), rtol=1e-12, atol=1e-12
        )
        fitted = EMGaussianMixture(3, covariance_type=name, random_state=0).fit(X)
        back = EMGaussianMixture.from_sklearn(fitted.to_sklearn())
        np.testing.assert_array_equal(back.score_samples(X), fitted.score_samples(X))

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("name", TYPES)
    def test_results_can_be_fitted_again(self, name):
        X = draws_of(em_of(name), 300)
        ours = EMGaussianMixture(3, covariance_type=name, random_state=0).fit(X)
        guess = {"means_init": ours.means_, "precisions_init": ours.precisions_}
        theirs = ours.set_params(**guess).to_sklearn()
        assert theirs.init_params == "kmeans"
        assert theirs.reg_covar == pytest.approx(smallest_added(X, name), rel=1e-6)
        again = clone(theirs).fit(X)
        assert again.score(X) >= ours.score(X) - 1e-3
        assert EMGaussianMixture.from_sklearn(again).fit(X).score(X) > -np.inf

    def test_names_and_float32_stay(self):
        X = draws_of(em_of("full"), 300).astype(np.float32)
        ours = EMGaussianMixture(3, random_state=0).fit(X)
        ours.feature_names_in_ = np.array(NAMES, dtype=object)
        theirs = ours.to_sklearn()
        assert theirs.means_.dtype == np.float32
        assert list(theirs.feature_names_in_) == NAMES

    def test_only_fitted_mixtures_of_scikit_learn_are_taken(self):
        with pytest.raises(TypeError, match="must be a fitted sklearn"):
            EMGaussianMixture.from_sklearn(em_of("full"))
        with pytest.raises(NotFittedError):
            EMGaussianMixture.from_sklearn(GaussianMixture())
        with pytest.raises(NotFittedError):
            EMGaussianMixture().to_sklearn()


def smallest_added(X, name):
    """A millionth of the smallest variance, or of the mean one."""
    variances = X.var(axis=0)
    return 1e-6 * (variances.mean() if name in ISOTROPIC else variances.min())
