"""What a fitted kernel density tells besides its value: parts, cdf, slopes, modes."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid
from scipy.special import softmax
from scipy.stats import gaussian_kde, norm

from skdensity import LOOKernelDensity

MATRIX = np.array([[0.5, 0.2, -0.1], [0.2, 0.3, 0.1], [-0.1, 0.1, 0.4]])
# Kernels of every shape, for three features.
SHAPES = {
    "spherical": {"bandwidth": 0.5},
    "diag": {"bandwidth": [0.3, 0.5, 0.8]},
    "full": {"bandwidth": MATRIX},
    "bounded": {
        "bandwidth": 0.5,
        "bounds": [(None, 4.0), (-3.0, 3.5), (None, None)],
    },
    "bounded diag": {
        "bandwidth": [0.3, 0.5, 0.8],
        "bounds": [(None, 4.0), (-3.0, 3.5), (-3.2, None)],
    },
}
EACH_SHAPE = pytest.mark.parametrize("shape", SHAPES)
NAMES = ["height", "weight", "age"]


def rows(n_features, n_samples=50):
    rng = np.random.RandomState(n_features)
    X = np.clip(rng.standard_normal((n_samples, n_features)), -3, 3)
    X[:10] *= 0.2
    return X


def weights(n_samples=50):
    return np.random.RandomState(0).uniform(0.1, 3, n_samples)


def fitted(shape):
    return LOOKernelDensity(**SHAPES[shape]).fit(rows(3), sample_weight=weights())


def frame():
    return pd.DataFrame(rows(3), columns=NAMES)


def line(lower, upper, step):
    return np.arange(lower, upper, step)[:, None]


class TestCdf:
    def test_it_is_the_integral_of_the_density(self):
        density = LOOKernelDensity(0.3).fit(rows(1), sample_weight=weights())
        for x in (-2.0, -0.1, 0.0, 0.4, 3.0):
            # The trapezoidal rule to an end costs h² p' / 12 there, and nothing else.
            t = np.linspace(-8, x, 40001)[:, None]
            mass = trapezoid(np.exp(density.score_samples(t)), t[:, 0])
            assert density.cdf([[x]])[0] == pytest.approx(mass, abs=1e-7)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_it_is_scipys(self, weighted):
        X, weight = rows(1), weights() if weighted else None
        theirs = gaussian_kde(X[:, 0], bw_method="scott", weights=weight)
        width = np.sqrt(theirs.covariance.item())
        ours = LOOKernelDensity(width).fit(X, sample_weight=weight)
        x = np.linspace(-4, 4, 30)
        expected = [theirs.integrate_box_1d(-np.inf, end) for end in x]
        np.testing.assert_allclose(ours.cdf(x[:, None]), expected, rtol=1e-11)

    @pytest.mark.parametrize("bounds", [None, (-3, None), (None, 3), (-3, 3.1)])
    @pytest.mark.parametrize("bandwidth", [0.01, 0.3, 5.0])
    def test_it_rises_from_zero_to_one(self, bounds, bandwidth):
        density = LOOKernelDensity(bandwidth, bounds=bounds).fit(rows(1))
        x = np.linspace(-300, 300, 10001)
        values = density.cdf(x[:, None])
        # Sums of a hundred shares and differences of two of them lose a few eps.
        assert np.diff(values).min() >= -1e-15
        assert values[0] == pytest.approx(0, abs=1e-15)
        assert values[-1] == pytest.approx(1, abs=1e-14)
        assert values.min() >= 0
        assert values.max() <= 1 + 1e-15

    @pytest.mark.parametrize("bandwidth", [0.01, 0.3, 5.0])
    def test_bounds_are_its_ends(self, bandwidth):
        density = LOOKernelDensity(bandwidth, bounds=(-3, 3.1)).fit(rows(1))
        values = density.cdf([[-1e9], [-3.1], [-3.0], [3.1], [3.2], [1e9]])
        np.testing.assert_allclose(values, [0, 0, 0, 1, 1, 1], atol=1e-14)
        assert np.all(values[:3] == 0)
        for lower, upper in ((-3, 0.1), (0.1, 3.1)):
            t = np.linspace(lower, upper, 20001)[:, None]
            mass = trapezoid(np.exp(density.score_samples(t)), t[:, 0])
            ends = density.cdf([[lower], [upper]])
            assert ends[1] - ends[0] == pytest.approx(mass, abs=1e-5)

    def test_the_lower_tail_keeps_its_relative_error(self):
        density = LOOKernelDensity(0.5).fit([[0.0], [1.0]], sample_weight=[1, 3])
        x = np.array([-1.0, -5.0, -15.0, -19.0])
        # Half a unit in the last place of z moves Φ by z² eps.
        expected = 0.25 * norm.cdf(x / 0.5) + 0.75 * norm.cdf((x - 1) / 0.5)
        np.testing.assert_allclose(density.cdf(x[:, None]), expected, rtol=1e-11)
        np.testing.assert_array_equal(density.cdf([[-1e5], [1e5]]), [0, 1])

    @pytest.mark.parametrize("order", [slice(None, None, -1), [2, 0, 1]])
    def test_rows_may_come_in_any_order(self, order):
        density = LOOKernelDensity(0.5).fit(rows(1))
        Q = np.array([[-1.0], [0.5], [0.7]])
        np.testing.assert_allclose(
            density.cdf(Q[order]), density.cdf(Q)[order], rtol=1e-14
        )

    def test_float32_rows_give_float32(self):
        X = rows(1).astype(np.float32)
        density = LOOKernelDensity(0.5).fit(X)
        assert density.cdf(X).dtype == np.float32
        exact = density.cdf(X.astype(float))
        np.testing.assert_allclose(density.cdf(X), exact, rtol=1e-6)

    def test_more_features_have_none_but_their_marginals(self):
        density = LOOKernelDensity(0.5).fit(rows(2))
        with pytest.raises(ValueError, match=r"this density has 2\. Take a `marginal`"):
            density.cdf(rows(2))
        expected = LOOKernelDensity(0.5).fit(rows(2)[:, [1]])
        np.testing.assert_allclose(
            density.marginal([1]).cdf(rows(1)), expected.cdf(rows(1)), rtol=1e-12
        )


class TestGradient:
    @EACH_SHAPE
    @pytest.mark.parametrize("algorithm", ["exact", "nufft"])
    def test_it_equals_finite_differences(self, shape, algorithm):
        density = fitted(shape).set_params(algorithm=algorithm, rtol=1e-12)
        exact = fitted(shape)
        Q = 0.8 * np.clip(rows(3)[::-1][:15] + 0.1, -3, 3)
        step = 1e-4
        differences = [
            exact.score_samples(Q + delta) - exact.score_samples(Q - delta)
            for delta in step * np.eye(3)
        ]
        # Third derivatives times step² / 6, and eps / step.
        np.testing.assert_allclose(
            density.gradient(Q), np.transpose(differences) / (2 * step), atol=1e-6
        )

    @pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
    def test_it_follows_the_chosen_kernel(self, covariance_type):
        X = rows(2)
        density = LOOKernelDensity(covariance_type=covariance_type).fit(X)
        step = 1e-4
        differences = [
            density.score_samples(X + delta) - density.score_samples(X - delta)
            for delta in step * np.eye(2)
        ]
        np.testing.assert_allclose(
            density.gradient(X), np.transpose(differences) / (2 * step), atol=1e-5
        )

    @pytest.mark.parametrize("shape", ["spherical", "diag", "full"])
    @pytest.mark.parametrize("distance", [1e2, 1e4, 1e8])
    def test_far_away_it_points_to_the_nearest_rows(self, shape, distance):
        density = fitted(shape)
        q = distance * np.array([1.0, -2.0, 0.5])
        precision = np.linalg.inv(density.covariance_)
        delta = density.locations_ - q
        squares = np.einsum("na,ab,nb->n", delta, precision, delta)
        shares = softmax(np.log(density.weights_) - 0.5 * squares)
        # Exponents of 1e4 and more keep some ten digits of the nearest rows' shares.
        np.testing.assert_allclose(
            density.gradient([q])[0], precision @ (shares @ delta), rtol=1e-9
        )

    def test_float32_rows_give_float32(self):
        X = rows(2).astype(np.float32)
        gradient = LOOKernelDensity(0.5).fit(X).gradient(X)
        assert gradient.shape == X.shape
        assert gradient.dtype == np.float32


def hessian(density, x, step=1e-3):
    """Second differences of the log-density."""
    change = step * np.eye(len(x))
    ahead, behind = density.gradient(x + change), density.gradient(x - change)
    return (ahead - behind) / (2 * step)


class TestModes:
    @pytest.mark.parametrize("shape", ["spherical", "diag", "full"])
    @pytest.mark.parametrize("factor", [0.3, 0.6, 1.0, 3.0])
    def test_they_are_strict_maxima(self, shape, factor):
        bandwidth = SHAPES[shape]["bandwidth"]
        bandwidth = np.multiply(bandwidth, factor ** max(1, np.ndim(bandwidth)))
        bandwidth = float(bandwidth) if bandwidth.ndim == 0 else bandwidth
        density = LOOKernelDensity(bandwidth).fit(rows(3), sample_weight=weights())
        modes = density.modes()
        # Steps end below 1e-9 bandwidths; a gradient is a step over h².
        np.testing.assert_allclose(density.gradient(modes), 0, atol=1e-6)
        for mode in modes:
            assert np.linalg.eigvalsh(hessian(density, mode)).max() < 0
        log_density = density.score_samples(modes)
        assert np.all(np.diff(log_density) <= 0)
        # Every row can be climbed from: none is above the highest mode.
        assert density.score_samples(rows(3)).max() <= log_density[0]
        assert len(np.unique(modes.round(3), axis=0)) == len(modes)

    @pytest.mark.parametrize(("distance", "n_modes"), [(1.99, 1), (2.02, 2)])
    def test_two_kernels_part_at_two_bandwidths(self, distance, n_modes):
        density = LOOKernelDensity(1.0).fit([[0.0], [distance]])
        assert len(density.modes()) == n_modes

    def test_one_feature_has_those_of_a_fine_grid(self):
        density = LOOKernelDensity(0.15).fit(rows(1), sample_weight=weights())
        x = line(-5, 5, 1e-3)
        values = density.score_samples(x)
        is_top = (values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])
        expected = x[1:-1][is_top, 0]
        np.testing.assert_allclose(np.sort(density.modes()[:, 0]), expected, atol=1e-3)

    @pytest.mark.parametrize("matrix", [None, [[0.3, 0.1], [0.1, 0.2]]])
    def test_two_clusters_have_two_modes(self, matrix):
        rng = np.random.RandomState(0)
        groups = [
            centre + 0.3 * rng.standard_normal((n, 2))
            for centre, n in (([0, 0], 60), ([5, -5], 30))
        ]
        density = LOOKernelDensity(0.5 if matrix is None else matrix)
        modes = density.fit(np.vstack(groups)).modes()
        # Symmetric groups have a mode within standard errors of their centre.
        np.testing.assert_allclose(modes, [[0, 0], [5, -5]], atol=0.2)

    @pytest.mark.parametrize("bandwidth", [3.0, [2.0, 4.0]])
    def test_wide_kernels_have_one_mode_near_the_mean(self, bandwidth):
        X = rows(2)
        (mode,) = LOOKernelDensity(bandwidth).fit(X).modes()
        # The mean solves the equation up to the third moments over h².
        np.testing.assert_allclose(mode, X.mean(axis=0), atol=0.3)

    def test_narrow_kernels_have_a_mode_at_every_row(self):
        X = rows(2, 30)
        modes = LOOKernelDensity(1e-3).fit(X, sample_weight=weights(30)).modes()
        order = np.argsort(-weights(30))
        np.testing.assert_allclose(modes, X[order], atol=1e-9)

    @pytest.mark.parametrize("bounds", [(0, None), (0, 1)])
    def test_a_mode_may_lie_on_a_bound(self, bounds):
        X = np.random.RandomState(0).beta(0.7, 4, (200, 1))
        density = LOOKernelDensity(0.1, bounds=bounds).fit(X)
        modes = density.modes()
        np.testing.assert_allclose(modes[0], 0, atol=1e-6)
        assert np.isfinite(density.score_samples(np.clip(modes, 0, None))).all()
        x = line(0, 1, 1e-3)
        best = np.exp(density.score_samples(x)).max()
        assert np.exp(density.score_samples([[0.0]]))[0] == pytest.approx(best)

    @pytest.mark.parametrize("n_features", [1, 2])
    @pytest.mark.parametrize("seed", range(4))
    def test_modes_are_within_the_bounds(self, n_features, seed):
        X = np.random.RandomState(seed).beta(0.5, 0.5, (100, n_features))
        density = LOOKernelDensity(0.15, bounds=(0, 1)).fit(X)
        modes = density.modes()
        assert np.isfinite(density.score_samples(modes)).all()
        np.testing.assert_allclose(density.gradient(modes), 0, atol=1e-5)

    def test_they_are_of_the_type_of_the_rows(self):
        X = rows(2).astype(np.float32)
        assert LOOKernelDensity(0.5).fit(X).modes().dtype == np.float32


FEATURES = [[0], [2], [0, 1], [2, 0], [1, 2]]


class TestParts:
    @EACH_SHAPE
    @pytest.mark.parametrize("given", FEATURES)
    def test_a_marginal_times_a_conditional_is_the_joint(self, shape, given):
        density = fitted(shape)
        others = np.setdiff1d(np.arange(3), given)
        Q = np.clip(rows(3)[::-1][:10] + 0.3, -3, 3)
        marginal = density.marginal(given).score_samples(Q[:, given])
        conditional = [
            density.condition(given, q[given]).score_samples([q[others]])[0] for q in Q
        ]
        np.testing.assert_allclose(
            marginal + conditional, density.score_samples(Q), rtol=0, atol=1e-10
        )

    @EACH_SHAPE
    def test_far_from_the_rows_too(self, shape):
        density = fitted(shape)
        lower = -30.0 if not shape.startswith("bounded") else -3.0
        q = np.array([-40.0, lower, 50.0])
        marginal = density.marginal([0, 2]).score_samples([q[[0, 2]]])
        if shape == "bounded diag":
            q[2] = 50.0
        conditional = density.condition([0, 2], q[[0, 2]]).score_samples([[q[1]]])
        np.testing.assert_allclose(
            marginal + conditional, density.score_samples([q]), rtol=1e-12
        )

    @EACH_SHAPE
    def test_a_marginal_is_the_density_of_the_columns(self, shape):
        density = fitted(shape)
        for features in FEATURES:
            parameters = dict(SHAPES[shape])
            bandwidth = parameters.pop("bandwidth")
            if np.ndim(bandwidth):
                pick = np.ix_(*[features] * np.ndim(bandwidth))
                bandwidth = np.asarray(bandwidth)[pick]
            if "bounds" in parameters:
                parameters["bounds"] = [parameters["bounds"][f] for f in features]
            expected = LOOKernelDensity(bandwidth, **parameters)
            expected.fit(rows(3)[:, features], sample_weight=weights())
            marginal = density.marginal(features)
            Q = rows(len(features), 20)
            np.testing.assert_allclose(
                marginal.score_samples(Q), expected.score_samples(Q), atol=1e-12
            )
            np.testing.assert_allclose(
                marginal.covariance_, expected.covariance_, rtol=1e-12
            )
            assert marginal.loo_score_ == pytest.approx(expected.loo_score_, rel=1e-12)

    @EACH_SHAPE
    def test_a_marginal_is_the_integral_of_the_joint(self, shape):
        density = fitted(shape)
        q = np.array([0.2, -0.4, 0.9])
        lower, upper = (-3.0, 3.5) if shape.startswith("bounded") else (-12, 12)
        # The trapezoidal rule converges exponentially, as no slope is left at the ends.
        x = np.linspace(lower, upper, 401)
        Q = np.tile(q, (len(x), 1))
        Q[:, 1] = x
        mass = trapezoid(np.exp(density.score_samples(Q)), x)
        marginal = density.marginal([0, 2]).score_samples([q[[0, 2]]])[0]
        assert np.exp(marginal) == pytest.approx(mass, rel=1e-9)

    @EACH_SHAPE
    def test_a_conditional_integrates_to_one(self, shape):
        density = fitted(shape).condition([2, 0], [0.5, -1.0])
        lower, upper = (-3.0, 3.5) if shape.startswith("bounded") else (-12, 12)
        x = np.linspace(lower, upper, 401)
        mass = trapezoid(np.exp(density.score_samples(x[:, None])), x)
        assert mass == pytest.approx(1, abs=1e-9)

    @EACH_SHAPE
    def test_the_order_of_what_is_given_makes_no_difference(self, shape):
        density, Q = fitted(shape), rows(1, 20)
        one = density.condition([0, 2], [0.5, -1.0]).score_samples(Q)
        other = density.condition([2, 0], [-1.0, 0.5]).score_samples(Q)
        np.testing.assert_allclose(other, one, atol=1e-12)

    @EACH_SHAPE
    def test_conditioning_step_by_step_is_the_same(self, shape):
        density, Q = fitted(shape), rows(1, 20)
        at_once = density.condition([0, 2], [0.5, -1.0])
        by_steps = density.condition([0], [0.5]).condition([1], [-1.0])
        np.testing.assert_allclose(
            by_steps.score_samples(Q), at_once.score_samples(Q), atol=1e-10
        )

    @EACH_SHAPE
    def test_all_features_in_another_order_are_a_marginal(self, shape):
        density, order = fitted(shape), [2, 0, 1]
        Q = rows(3, 20)
        np.testing.assert_allclose(
            density.marginal(order).score_samples(Q[:, order]),
            density.score_samples(Q),
            atol=1e-12,
        )

    @EACH_SHAPE
    def test_results_are_fitted_estimators_like_any_other(self, shape):
        for part in (
            fitted(shape).marginal([1, 2]),
            fitted(shape).condition([0], [0.5]),
        ):
            again = pickle.loads(pickle.dumps(part))
            Q = rows(2, 20)
            expected = part.score_samples(Q)
            np.testing.assert_array_equal(again.score_samples(Q), expected)
            draws = again.sample(2000, random_state=0)
            assert np.isfinite(part.score_samples(draws)).all()
            # Draws have the mean of the locations, up to reflection.
            centre = part.weights_ @ part.locations_
            np.testing.assert_allclose(draws.mean(axis=0), centre, atol=0.35)
            assert part.n_features_in_ == 2
            assert part.gradient(Q).shape == Q.shape
            assert np.isfinite(part.loo_score_)
            assert part.weights_.sum() == pytest.approx(1, rel=1e-14)
            # A refit on their locations is the same density.
            again.fit(part.locations_, sample_weight=part.weights_)
            np.testing.assert_allclose(again.score_samples(Q), expected, atol=1e-12)

    def test_names_do_as_well_as_indices(self):
        density = LOOKernelDensity(MATRIX).fit(frame())
        by_name = density.marginal(["age", "height"])
        Q = rows(2, 20)
        assert list(by_name.feature_names_in_) == ["age", "height"]
        named = pd.DataFrame(Q, columns=["age", "height"])
        plain = LOOKernelDensity(MATRIX).fit(rows(3)).marginal([2, 0])
        np.testing.assert_array_equal(
            by_name.score_samples(named), plain.score_samples(Q)
        )
        np.testing.assert_array_equal(
            density.marginal("age").locations_, plain.marginal([0]).locations_
        )
        rest = density.condition(["age"], [0.3])
        assert list(rest.feature_names_in_) == ["height", "weight"]
        assert list(rest.marginal(["weight"]).feature_names_in_) == ["weight"]

    def test_the_joint_stays_as_it_was(self):
        density = fitted("full")
        before = pickle.dumps(density)
        density.marginal([0])
        density.condition([0], [0.1])
        assert pickle.dumps(density) == before

    def test_a_choice_by_rule_has_parts_of_the_same_kernel(self):
        density = LOOKernelDensity(covariance_type="full").fit(rows(3))
        part = density.marginal([0, 2])
        np.testing.assert_allclose(
            part.covariance_, density.covariance_[np.ix_([0, 2], [0, 2])], rtol=1e-12
        )
        np.testing.assert_allclose(part.bandwidth, part.bandwidth_)

    def test_float32_stays_float32(self):
        X = rows(3).astype(np.float32)
        density = LOOKernelDensity(MATRIX).fit(X)
        for part in (density.marginal([0]), density.condition([1, 2], [0.1, 0.2])):
            assert part.locations_.dtype == np.float32
            assert part.score_samples(X[:, :1]).dtype == np.float32

    @pytest.mark.parametrize("shape", ["spherical", "full"])
    def test_values_beyond_reach_leave_a_density(self, shape):
        part = fitted(shape).condition([0], [1e5])
        assert np.isfinite(part.score_samples(rows(2))).all()
        assert part.weights_.sum() == pytest.approx(1)

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            ([3], r"`features` has 3; expected an index from 0 to 2\."),
            ([-1], "`features` has -1; expected an index from 0 to 2"),
            ([0.5], "`features` has 0.5; expected an index"),
            (["age"], "`features` has 'age'; expected an index from 0 to 2"),
            ([None], "`features` has None"),
            ([0, 0], "name from 1 to 3 features, each once"),
            ([], "name from 1 to 3 features, each once"),
        ],
    )
    def test_features_that_are_not_there_are_refused(self, features, message):
        with pytest.raises(ValueError, match=message):
            fitted("full").marginal(features)

    def test_unknown_names_are_refused_with_those_that_are_known(self):
        density = LOOKernelDensity(0.5).fit(frame())
        with pytest.raises(ValueError, match=r"'size'; .*one of .*'height', 'weight'"):
            density.marginal(["size"])
        with pytest.raises(ValueError, match="each once"):
            density.marginal(["age", 2])

    @pytest.mark.parametrize(
        ("features", "values", "message"),
        [
            ([0, 1, 2], [0.0, 0, 0], "name from 1 to 2 features, each once"),
            ([0], [0.0, 1.0], r"`values` has shape \(2,\); expected \(1,\)"),
            ([0, 1], [[0.0, 1.0]], r"`values` has shape \(1, 2\); expected \(2,\)"),
            ([0], [np.nan], "values contains NaN"),
            ([0], [np.inf], "values contains infinity"),
            ([0], ["a"], "could not convert string"),
            ([1], [9.0], r"`values` has 9 for feature 1, .* bounded by \(-3, 3.5\)"),
            ([2, 0], [0.0, 4.1], "`values` has 4.1 for feature 0"),
        ],
    )
    def test_values_that_make_no_sense_are_refused(self, features, values, message):
        with pytest.raises(ValueError, match=message):
            fitted("bounded").condition(features, values)
