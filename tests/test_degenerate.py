"""Awkward data: a finite density, or an error that says what to do."""

import numpy as np
import pytest
from conftest import STARTS_ON_ROWS, TYPES
from sklearn.base import clone

from skdensity import AdamGaussianMixture, EMGaussianMixture, GaussianMLE
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.em import EM

# What is awkward is warned of; test_doubts.py says of what.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*reg_covar:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* coincide:UserWarning"),
]

RNG = np.random.RandomState(0)
CLUSTERS = RNG.standard_normal((200, 3))
CLUSTERS[:100] += 5
TRIANGLE = np.array([[0.0, 0.0], [1.0, 5.0], [4.0, 2.0]])

# Data on which a component, or all of them, can lose a dimension.
SINGULAR = {
    "duplicated rows": np.repeat(CLUSTERS[:10], 20, axis=0),
    "a constant feature": np.column_stack([CLUSTERS, np.full(200, 7.0)]),
    "collinear features": np.column_stack([CLUSTERS, CLUSTERS @ [2, -1, 0]]),
    "equal rows": np.ones((20, 2)),
    "as many distinct rows as components": np.repeat(TRIANGLE, 5, axis=0),
    "fewer distinct rows than components": np.repeat(TRIANGLE[:2], 5, axis=0),
    "as many rows as components": TRIANGLE,
}
FAR = {
    "features of different units": CLUSTERS * [1e-100, 1, 1e100],
    "far from the origin": CLUSTERS + 1e8,
    "a far outlier": np.vstack([CLUSTERS, [[1e8, 0, 0]]]),
    **{f"scale {s:g}": s * CLUSTERS for s in (1e-150, 1e-10, 1e10, 1e150)},
}


def assert_finite(mixture, X):
    assert np.isfinite(mixture.score_samples(X)).all()
    np.testing.assert_allclose(mixture.predict_proba(X).sum(axis=1), 1)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        assert np.isfinite(getattr(mixture, name)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("X", (SINGULAR | FAR).values(), ids=(SINGULAR | FAR).keys())
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("reg_covar", [1e-6, "auto"])
def test_every_start_ends_in_a_finite_density(X, covariance_type, reg_covar):
    for init_params in STARTS_ON_ROWS:
        mixture = EMGaussianMixture(
            3,
            covariance_type=covariance_type,
            reg_covar=reg_covar,
            init_params=init_params,
            max_iter=50,
            random_state=0,
        )
        assert_finite(mixture.fit(X), X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("X", (SINGULAR | FAR).values(), ids=(SINGULAR | FAR).keys())
@pytest.mark.parametrize(
    "mixture",
    [
        EMGaussianMixture(3, acceleration="anderson", max_iter=50, random_state=0),
        EMGaussianMixture(3, acceleration="lbfgs", max_iter=50, random_state=0),
        AdamGaussianMixture(3, max_iter=50, random_state=0),
    ],
    ids=["anderson", "lbfgs", "adam"],
)
def test_so_do_the_other_solvers(X, mixture):
    assert_finite(mixture.fit(X), X)


@pytest.mark.parametrize("name", ["equal rows", "a constant feature"])
def test_without_regularisation_singular_data_have_no_density(name):
    with pytest.raises(
        ValueError, match=r"covariance .* not positive definite.*Increase `reg_covar`"
    ):
        EMGaussianMixture(3, reg_covar=0, random_state=0).fit(SINGULAR[name])


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("exponent", [-498, -30, 30, 490])
def test_auto_regularisation_makes_fits_scale_with_the_data(covariance_type, exponent):
    # A power of two changes no digit, so that the fits take the same path.
    mixture = EMGaussianMixture(
        3, covariance_type=covariance_type, reg_covar="auto", random_state=0
    )
    expected = mixture.fit(CLUSTERS).score_samples(CLUSTERS)
    X = np.ldexp(CLUSTERS, exponent)
    np.testing.assert_allclose(
        mixture.fit(X).score_samples(X) + 3 * exponent * np.log(2), expected, rtol=1e-9
    )


def test_auto_regularisation_of_a_constant_feature_is_that_of_the_others():
    X = SINGULAR["a constant feature"]
    variances = X[:, :3].var(axis=0)
    mixture = EMGaussianMixture(1, reg_covar="auto").fit(X)
    expected = 1e-6 * np.append(variances, variances.mean())
    added = np.diag(mixture.covariances_[0]) - X.var(axis=0)
    np.testing.assert_allclose(added, expected, rtol=1e-6)


def test_components_settle_on_the_distinct_rows():
    X = SINGULAR["as many distinct rows as components"]
    mixture = EMGaussianMixture(3, random_state=0).fit(X)
    order = np.argsort(mixture.means_[:, 0])
    np.testing.assert_allclose(mixture.means_[order], TRIANGLE, atol=1e-9)
    np.testing.assert_allclose(mixture.weights_, 1 / 3)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_lost_component_is_cut_from_the_heaviest(covariance_type):
    family = FAMILIES[covariance_type]
    n_free = family.shape.n_parameters(3, 3)
    cholesky = family.free.unravel(np.zeros(n_free), 3, 3)
    means = np.array([[5.0, 5, 5], [0, 0, 0], [1e9, 0, 0]])
    weights = np.array([0.3, 0.3, 0.4])
    start = Mixture.from_cholesky(weights, means, cholesky, family)
    rows = ArrayRows(CLUSTERS)
    solver = EM(rows, 0.0)
    state = solver.step(solver.init(start))
    assert state.n_revivals == 1
    assert state.mixture.weights.min() > 0.2
    assert np.abs(state.mixture.means).max() < 10
    after = [state := solver.step(state) for _ in range(20)]
    assert np.diff([step.value for step in after]).min() >= -1e-13
    assert np.isfinite(state.mixture.log_density(rows)).all()


@pytest.mark.parametrize("weight", [1e-300, 5e-324])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_rows_of_next_to_no_weight_are_next_to_absent(covariance_type, weight):
    sample_weight = np.where(np.arange(200) < 150, 1.0, weight)
    mixture = EMGaussianMixture(2, covariance_type=covariance_type, random_state=0)
    with np.errstate(all="raise"):
        mixture.fit(CLUSTERS, sample_weight=sample_weight)
    heavy = CLUSTERS[:150]
    optimum = mixture.score(heavy)
    mixture.set_params(init_params=mixture.predict(heavy)).fit(heavy)
    np.testing.assert_allclose(optimum, mixture.score(heavy), atol=1e-3)


@pytest.mark.parametrize("unit", [1e-300, 5e-324])
def test_tiny_weights_count_by_their_ratios(unit):
    counts = np.arange(200) % 4
    for estimator in (GaussianMLE(), EMGaussianMixture(2, random_state=0)):
        expected = clone(estimator).fit(CLUSTERS, sample_weight=counts)
        with np.errstate(all="raise"):
            found = estimator.fit(CLUSTERS, sample_weight=unit * counts)
        np.testing.assert_allclose(
            found.score_samples(CLUSTERS), expected.score_samples(CLUSTERS)
        )


@pytest.mark.parametrize("n_components", [2, 3, 5])
@pytest.mark.parametrize("n_features", [2, 3])
@pytest.mark.parametrize("size", [1e7, 3e7, 1e8, 3e8])
def test_an_outlier_in_all_features_is_no_reason_to_fail(
    n_components, n_features, size
):
    X = np.random.RandomState(0).standard_normal((501, n_features))
    X[-1] = size
    mixture = EMGaussianMixture(n_components, random_state=0).fit(X)
    assert np.sum(mixture.predict(X) == mixture.predict(X[-1:])) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_components", [1, 2, 3])
@pytest.mark.parametrize("share", [1e-4, 1e-6, 1e-7, 1e-8])
def test_nearly_collinear_rows_are_no_reason_to_fail(
    covariance_type, n_components, share
):
    # What "auto" adds to a component is itself singular to rounding beside it.
    mixture = EMGaussianMixture(
        n_components, covariance_type=covariance_type, max_iter=30, random_state=0
    )
    for seed in range(3):
        rng = np.random.RandomState(seed)
        points = rng.standard_normal((3, 3))
        points[:, 0] = points[:, 1:].sum(axis=1) + share * points[:, 0]
        assert_finite(mixture.fit(points), points)
        lines = rng.standard_normal((40, 3))
        lines[:, 2] = lines[:, 0] + share * (rng.uniform(size=40) < 0.5)
        assert_finite(mixture.fit(lines), lines)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("far", [1e9, 1e12])
def test_a_step_of_the_means_that_cancels_digits_does_not_end_a_fit(
    covariance_type, far
):
    X = np.vstack([CLUSTERS, CLUSTERS + far])
    mixture = EMGaussianMixture(
        3, covariance_type=covariance_type, reg_covar=1e-6, random_state=0
    )
    for init_params in STARTS_ON_ROWS:
        assert_finite(mixture.set_params(init_params=init_params).fit(X), X)
