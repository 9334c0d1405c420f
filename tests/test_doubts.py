"""What a fit may hide: units, rows too few, components that are one, weights too light.

Whatever looks good is told from what is good by a warning, once per fit; good fits are
silent, which the configuration of pytest sees to.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import ISOTROPIC, MATRICES, MIXTURES, TIED, TYPES, UNTIED
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
)
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import moments_of
from skdensity.models.mixtures.parameters import MixtureParameters
from skdensity.models.mixtures.variances import positive_covariance
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.stopping import small_gain_ahead

ENDLESS = pytest.mark.filterwarnings("ignore:.*used all:UserWarning")


def warned(estimator, X, **fit_params):
    """The warnings of a fit, but for those of iterations that were used up."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, **fit_params)
    messages = [str(warning.message) for warning in caught]
    return [message for message in messages if "used all" not in message]


@pytest.fixture(scope="module")
def returns():
    """Two widths about the same mean, as daily returns have them, times 1000 / 1.5."""
    rng = np.random.RandomState(0)
    is_wild = rng.uniform(size=2500) < 0.3
    return np.where(is_wild, 2.3, 1.0)[:, None] * rng.standard_normal((2500, 1))


def scipys_maximum(x):
    """Mean log-likelihood of the best mixture of two in one dimension."""

    def loss(free):
        weights = np.append(free[0], 0) - np.logaddexp(free[0], 0)
        log_joint = weights + norm(free[1:3], np.exp(free[3:])).logpdf(x)
        return -logsumexp(log_joint, axis=1).mean()

    return -minimize(loss, [0.0, 0.0, 0.0, 0.0, 0.8]).fun


# ---- Units ----


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("covariance_type", UNTIED)
@pytest.mark.parametrize("unit", [1.5e-3, 1e-9, 1e6])
def test_small_units_reach_the_optimum(returns, Mixture, covariance_type, unit):
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0)
    found = mixture.fit(unit * returns).score(unit * returns) + np.log(unit)
    assert found == pytest.approx(scipys_maximum(returns), abs=1e-4)  # EM's tol


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("unit", [1.5e-3, 1e-4, 1e-7])
def test_a_number_that_is_much_is_named_once(returns, Mixture, covariance_type, unit):
    other = np.random.RandomState(1).standard_normal((2500, 1))
    X = np.hstack([unit * other] * (covariance_type in ISOTROPIC) + [unit * returns])
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0, max_iter=60)
    messages = warned(mixture.set_params(reg_covar=1e-6), X)
    # Components that are lost in what is added coincide besides.
    (message,) = (found for found in messages if "coincide" not in found)
    assert message.startswith(f"{Mixture.__name__}: reg_covar=1e-06 is ")
    assert "of feature " in message
    assert 'Set `reg_covar="auto"`' in message


def test_the_worst_feature_is_named_by_its_name(returns):
    other = np.random.RandomState(1).standard_normal(2500)
    table = pd.DataFrame({"volume": other, "return": 1.5e-3 * returns[:, 0]})
    message = r"reg_covar=1e-06.*feature 'return' within component"
    with pytest.warns(UserWarning, match=message):
        EMGaussianMixture(2, reg_covar=1e-6, random_state=0).fit(table)
    for density in (GaussianMLE(reg_covar=1e-6), CholeskyGaussian(reg_covar=1e-6)):
        (message,) = warned(density, table)
        assert "feature 'return', whose standard deviation was 0.00" in message


def test_the_share_of_a_variance_that_is_much(returns):
    variance = 1e-4
    X = np.sqrt(variance) * scale(returns)
    mixture = EMGaussianMixture(1)
    assert not warned(mixture.set_params(reg_covar=0.0099 * variance), X)
    with pytest.warns(UserWarning, match="is 0.01 times the variance") as caught:
        mixture.set_params(reg_covar=0.0101 * variance).fit(X)
    assert [warning.filename for warning in caught] == [__file__]


def with_rows_far_away(distance):
    """Rows about zero of unit variance, and a hundredth of rows that are far wider."""
    rows = np.random.RandomState(0).standard_normal((1000, 2))
    rows[:10] *= distance
    return rows


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("covariance_type", UNTIED)
def test_rows_far_away_that_widen_the_others_are_named(Mixture, covariance_type):
    mixture = Mixture(2, covariance_type=covariance_type, random_state=0, max_iter=60)
    messages = warned(mixture, with_rows_far_away(3e4))
    (message,) = (found for found in messages if "coincide" not in found)
    assert message.startswith(f'{Mixture.__name__}: reg_covar="auto" is ')
    assert "Remove rows that are far from the others" in message


@pytest.mark.parametrize("covariance_type", UNTIED)
@pytest.mark.parametrize("distance", [1e4, 3e4])
def test_what_auto_widens_is_less_likely(covariance_type, distance):
    X = with_rows_far_away(distance)
    mixture = EMGaussianMixture(2, covariance_type=covariance_type, random_state=0)
    (message,) = warned(mixture, X)
    share = float(message.split('"auto" is ')[1].split()[0])
    near = X[10:]
    # A millionth of the variance of all rows, beside a variance of about 1.
    assert share == pytest.approx((1e-6 * X.var(axis=0)).max(), rel=0.1)
    unchanged = clone(mixture).set_params(reg_covar=1e-6).fit(X)
    assert mixture.score(near) < unchanged.score(near) - 0.1


@pytest.mark.parametrize("covariance_type", TYPES)
def test_rows_far_away_that_widen_little_are_not_named(covariance_type):
    mixture = EMGaussianMixture(2, covariance_type=covariance_type, random_state=0)
    assert not warned(mixture, with_rows_far_away(1e3))


@pytest.mark.parametrize("estimator", [EMGaussianMixture(2), GaussianMLE()])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8])
def test_constant_features_have_no_unit(iris, estimator, constant):
    X = np.c_[iris, np.full(len(iris), constant)]
    estimator = clone(estimator).set_params(reg_covar=1e-6)
    assert not warned(estimator, X, sample_weight=np.linspace(1, 2, len(X)))


def given(X, covariance_type, A):
    """A start of three components, after the rows went through x → A x."""
    family = FAMILIES[covariance_type]
    rows = X @ A.T
    (covariance,) = moments_of(ArrayRows(rows), family.scatter).covariances(
        family.scatter, 0.0
    )
    shape = family.shape.inner_shape(3, X.shape[1])
    precision = np.linalg.inv(family.shape.matrices(covariance[None], X.shape[1]))
    inner = family.shape.of_matrix((precision[0] + precision[0].T) / 2)
    return rows, {
        "weights_init": np.full(3, 1 / 3),
        "means_init": rows[[0, 60, 120]],
        "precisions_init": family.shape.public(np.broadcast_to(inner, shape)),
    }


def axes_of(covariance_type):
    """Changes of axes that a family allows."""
    rng = np.random.RandomState(0)
    rotation, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    if covariance_type in MATRICES:
        return rotation @ np.diag([1, 3, 10, 1e2]) @ rotation[::-1]
    if covariance_type in ISOTROPIC:
        return 1e-5 * rotation
    return np.diag([1e-6, 1.0, 1e3, 1e8])


@pytest.mark.parametrize("covariance_type", TYPES)
def test_auto_follows_the_axes(iris, covariance_type):
    A = axes_of(covariance_type)
    scores = []
    for axes in (np.eye(4), A):
        rows, start = given(iris, covariance_type, axes)
        mixture = EMGaussianMixture(3, covariance_type=covariance_type, **start)
        scores.append(mixture.fit(rows).score_samples(rows))
    shift = np.linalg.slogdet(A)[1]
    np.testing.assert_allclose(scores[1] + shift, scores[0], atol=1e-6)


@pytest.mark.parametrize("covariance_type", UNTIED)
def test_auto_adds_a_millionth_of_all_rows(iris, covariance_type):
    options = {"covariance_type": covariance_type}
    one = EMGaussianMixture(1, **options).fit(iris)
    plain = EMGaussianMixture(1, reg_covar=0, **options).fit(iris)
    np.testing.assert_allclose(one.covariances_, plain.covariances_ * (1 + 1e-6))
    density = GaussianMLE(reg_covar="auto", **options).fit(iris)
    np.testing.assert_allclose(
        density.covariance_, GaussianMLE(**options).fit(iris).covariance_ * (1 + 1e-6)
    )


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_where_rows_do_not_vary_something_is_added(iris, covariance_type):
    family = FAMILIES[covariance_type]

    def of(X):
        found = positive_covariance(moments_of(ArrayRows(X), family.scatter), family)
        return family.shape.matrices(found, X.shape[1])

    plain = of(iris)
    np.testing.assert_allclose(np.diag(plain), iris.var(axis=0))
    # A constant feature leaves the others as they were.
    with_constant = of(np.c_[iris, np.full(len(iris), 7.0)])
    np.testing.assert_allclose(with_constant[:4, :4], plain, rtol=1e-12)
    assert with_constant[4, 4] == pytest.approx(iris.var(axis=0).mean())
    # A sum of others keeps units apart, and has a density.
    units = np.array([1e-6, 1, 1e3, 1e6, 1e-2])
    with_sum = np.c_[iris, iris @ [1, -1, 2, 0]]
    found, scaled = of(with_sum), of(with_sum * units)
    np.testing.assert_allclose(scaled, found * np.outer(units, units), rtol=1e-9)
    correlation = found / np.sqrt(np.outer(np.diag(found), np.diag(found)))
    assert np.linalg.eigvalsh(correlation).min() > 1e-3
    assert (of(np.ones((5, 3))) == np.eye(3)).all()


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_floor_of_a_descent_is_no_more_than_what_is_added(iris, covariance_type):
    family = FAMILIES[covariance_type]
    moments = moments_of(ArrayRows(iris), family.scatter)
    added = 1e-2 * positive_covariance(moments, family)
    (cholesky,) = family.cholesky(added[None], "{detail}")
    shape = family.shape.inner_shape(3, 4)
    start = EMGaussianMixture(
        3, covariance_type=covariance_type, reg_covar=0, random_state=0
    ).fit(iris)
    units = Gaussian.isolated(iris.mean(axis=0), iris.var(axis=0), family)
    parameters = MixtureParameters(3, units)
    free = parameters.ravel(start._model())
    least = parameters.least_pivots(added)
    # Σ + A has larger pivots than A, so that the floor leaves it alone.
    thick = family.cholesky(start._model().covariances + added, "{detail}")
    mixture = type(start._model()).from_cholesky(
        start.weights_, start.means_, thick, family
    )
    above = parameters.ravel(mixture)
    np.testing.assert_array_equal(parameters.floored(above, least), above)
    # What is thinner ends at the pivots of A.
    free[-int(np.prod(shape)) if covariance_type not in MATRICES else -1 :] = -100
    floored = parameters.unravel(parameters.floored(free, least))
    pivots = family.factors.log_diagonal(floored.cholesky)
    np.testing.assert_allclose(
        pivots[-1, -1], family.factors.log_diagonal(cholesky)[-1], atol=1e-9
    )


@pytest.mark.parametrize("reg_covar", [0.0, 1e-3, "auto"])
@pytest.mark.parametrize("batch_size", [None, 75])
def test_a_descent_ends_at_the_closed_form(iris, reg_covar, batch_size):
    X = scale(iris)
    density = CholeskyGaussian(
        reg_covar=reg_covar, tol=None, max_iter=1500, random_state=0
    )
    density.set_params(batch_size=batch_size).fit(X)
    expected = GaussianMLE(reg_covar=reg_covar).fit(X)
    atol = 5e-5 if batch_size is None else 0.1
    np.testing.assert_allclose(density.covariance_, expected.covariance_, atol=atol)


def test_auto_makes_a_singular_covariance_usable(iris):
    X = np.c_[iris, iris[:, 0], np.zeros(150)]
    for unit in (1.0, 1e-6):
        with pytest.warns(UserWarning, match="the covariance rests on `reg_covar`"):
            density = GaussianMLE(reg_covar="auto").fit(unit * X)
        shifted = density.score_samples(unit * X) + 6 * np.log(unit)
        assert np.isfinite(shifted).all()
        if unit == 1.0:
            expected = shifted
    np.testing.assert_allclose(shifted, expected, atol=1e-6)
    stream = GaussianMLE(reg_covar="auto")
    for begin in range(0, 150, 50):
        stream.partial_fit(X[begin : begin + 50])
    whole = GaussianMLE(reg_covar="auto").partial_fit(X)
    np.testing.assert_allclose(stream.covariance_, whole.covariance_, rtol=1e-9)


# ---- Rows that are too few, or do not vary ----


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("reg_covar", [1e-6, "auto"])
@pytest.mark.parametrize(
    ("covariance_type", "n_rows", "n_light"),
    [("full", 30, 0), ("full", 60, 0), ("full", 30, 300), ("tied", 30, 0)],
)
def test_few_rows_in_many_features_are_named(
    Mixture, reg_covar, covariance_type, n_rows, n_light
):
    X = np.random.RandomState(0).standard_normal((n_rows + n_light, 40))
    weight = np.append(np.ones(n_rows), np.full(n_light, 1e-6))
    mixture = Mixture(3, covariance_type=covariance_type, reg_covar=reg_covar)
    mixture.set_params(max_iter=50, random_state=0)
    (message,) = warned(mixture, X, sample_weight=weight)
    assert "effective number of rows" in message
    assert "rest" in message
    assert "`reg_covar`" in message
    # A mean for each component, and as many rows as features besides.
    n_means = 3 if covariance_type in TIED else 1
    assert f"takes at least {40 + n_means}" in message


@pytest.mark.parametrize("reg_covar", [1e-6, "auto"])
@pytest.mark.parametrize(
    "density", [GaussianMLE(), CholeskyGaussian()], ids=["mle", "cholesky"]
)
def test_few_rows_of_one_gaussian_are_named(density, reg_covar):
    X = np.random.RandomState(0).standard_normal((60, 40))
    density = clone(density).set_params(reg_covar=reg_covar)
    weight = np.repeat([1.0, 0.0], [10, 50])
    (message,) = warned(density, X, sample_weight=weight)
    assert message.startswith(f"{type(density).__name__}: the covariance rests on")
    assert "(effective number of rows: 10; covariance_type='full' takes" in message
    assert "components" not in message
    assert not warned(density, X)
    if isinstance(density, GaussianMLE):  # variances need fewer rows
        density.set_params(covariance_type="diag")
        assert not warned(density, X, sample_weight=weight)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_component_on_one_value_is_named_by_its_index(covariance_type):
    rng = np.random.RandomState(0)
    X = np.r_[np.repeat([[20.0, 20.0]], 40, axis=0), rng.standard_normal((200, 2))]
    mixture = EMGaussianMixture(
        2,
        covariance_type=covariance_type,
        weights_init=[0.5, 0.5],
        means_init=[[0, 0], [20, 20]],
        max_iter=50,
    )
    messages = warned(mixture, X)
    if covariance_type in TIED:
        assert messages == []  # the others tell the width
    else:
        (message,) = messages
        assert "component 1 rests on `reg_covar`" in message
        assert "(effective number of rows: 40;" in message


def test_a_feature_of_one_value_is_named():
    rng = np.random.RandomState(0)
    table = pd.DataFrame(rng.standard_normal((400, 3)), columns=list("abc"))
    table.loc[:199, "a"] += 10
    table["b"] = np.repeat([0.0, 1.0], 200)
    (message,) = warned(EMGaussianMixture(2, random_state=0), table)
    assert "components 0, 1 rest on `reg_covar`" in message
    assert "In feature 'b' the rows hardly vary" in message
    # A sum of others is thin in no feature, but in a direction.
    table["b"] = table["a"] + table["c"]
    (message,) = warned(EMGaussianMixture(2, random_state=0), table)
    assert "In some direction the rows hardly vary" in message


def test_a_covariance_that_all_share_may_rest():
    X = np.repeat([[0.0], [1.0], [5.0]], 4, axis=0)
    (message,) = warned(EMGaussianMixture(3, covariance_type="tied"), X)
    assert "the covariance that all components share rests on `reg_covar`" in message


@pytest.mark.parametrize("covariance_type", TYPES)
def test_effective_rows_by_brute_force(iris, covariance_type):
    weight = np.random.RandomState(0).gamma(0.3, 1e-3, 150)
    mixture = EMGaussianMixture(3, covariance_type=covariance_type, random_state=0)
    shares = weight[:, None] * mixture.fit(iris).predict_proba(iris)
    if covariance_type in TIED:
        shares = weight[:, None]
    expected = shares.sum(axis=0) ** 2 / np.sum(shares**2, axis=0)
    found = mixture._model().effective_rows(ArrayRows(iris, weight))
    np.testing.assert_allclose(found, expected)


def test_behind_a_component_far_from_all_rows_there_is_none():
    means, deviations = np.array([[0.0], [1e6]]), np.ones((2, 1))
    half = np.full(2, 0.5)
    mixture = Mixture.from_cholesky(half, means, deviations, FAMILIES["diag"])
    X = np.random.RandomState(0).standard_normal((50, 1))
    np.testing.assert_allclose(mixture.effective_rows(ArrayRows(X)), [50, 0])


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
def test_light_rows_are_rows(unit):
    # The light component has a hundredth of the weight, and as many rows.
    rng = np.random.RandomState(0)
    X = np.r_[rng.standard_normal((100, 2)), 20 + rng.standard_normal((100, 2))]
    weight = unit * np.repeat([1.0, 0.01], 100)
    mixture = EMGaussianMixture(
        2,
        weights_init=[0.99, 0.01],
        means_init=[[0, 0], [20, 20]],
        precisions_init=[np.eye(2), np.eye(2)],
    )
    assert not warned(mixture, X, sample_weight=weight)
    weight[102:] = 0
    (message,) = warned(mixture, X, sample_weight=weight)
    assert "effective number of rows: 2;" in message


@ENDLESS
def test_on_rounded_rows_bic_falls_for_ever_and_the_fits_say_why():
    X = np.random.RandomState(0).normal(170, 10, (1000, 1)).round()
    few, many, more = (
        EMGaussianMixture(k, max_iter=200, random_state=0) for k in (1, 30, 40)
    )
    assert not warned(few, X)
    for mixture in (many, more):
        (message,) = warned(mixture, X)
        assert "rest on `reg_covar`" in message
    assert more.bic(X) < many.bic(X) < few.bic(X) - 1000


@pytest.mark.parametrize("is_heavy", [False, True])
@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("covariance_type", UNTIED)
def test_ties_are_named_where_there_is_no_maximum(
    covariance_type, n_features, is_heavy
):
    rng = np.random.RandomState(0)
    X, n_ties = rng.standard_normal((100, n_features)), 1 if is_heavy else 10
    X = np.append(X, np.full((n_ties, n_features), 20.0), axis=0)
    weight = np.append(np.ones(100), np.full(n_ties, 10 / n_ties))
    mixture = EMGaussianMixture(2, covariance_type=covariance_type, random_state=0)
    singular = clone(mixture).set_params(reg_covar=0)
    with pytest.raises(ValueError, match=r"component 1 .*\(ties\).*Increase `reg_co"):
        singular.fit(X, sample_weight=weight)
    (message,) = warned(mixture, X, sample_weight=weight)
    assert "component 1 rests on `reg_covar`" in message


@pytest.mark.parametrize("covariance_type", TIED)
def test_ties_have_a_maximum_where_others_tell_the_width(covariance_type):
    X = np.append(np.random.RandomState(0).standard_normal(100), np.full(10, 20.0))
    mixture = EMGaussianMixture(2, covariance_type=covariance_type, reg_covar=0)
    assert not warned(mixture, X[:, None])
    within = 100 / 110 * X[:100].var()
    assert np.max(mixture.covariances_) == pytest.approx(within, rel=1e-9)


# ---- Components that are one ----


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_twins", [2, 3])
def test_a_symmetric_start_is_named(iris, Mixture, covariance_type, n_twins):
    mean = iris[:, :2].mean(axis=0)
    means = np.vstack([*[mean] * n_twins, mean + np.array([5, 0])])
    shape = FAMILIES[covariance_type].shape.public_shape(n_twins + 1, 2)
    unit = np.eye(2) if covariance_type in MATRICES else 1.0
    start = {
        "weights_init": np.full(n_twins + 1, 1 / (n_twins + 1)),
        "means_init": means,
        "precisions_init": np.broadcast_to(unit, shape),
    }
    messages = warned(
        Mixture(n_twins + 1, covariance_type=covariance_type, max_iter=50, **start),
        iris[:, :2],
    )
    named = ", ".join(map(str, range(n_twins)))
    assert sum(f"components {named} coincide" in message for message in messages) == 1


def test_the_same_mean_is_not_the_same_component(returns):
    mixture = EMGaussianMixture(2, random_state=0)
    assert not warned(mixture, returns)
    # Nor is the other correlation.
    rng = np.random.RandomState(0)
    x, y = rng.standard_normal((2, 1000))
    X = np.r_[np.c_[x, x + 0.3 * y], np.c_[x, -x + 0.3 * y]]
    assert not warned(clone(mixture), X)
    assert mixture.fit(X).score(X) > EMGaussianMixture(1).fit(X).score(X) + 0.1


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize("length", [10, 1e3, 1e5])
def test_thin_components_side_by_side_are_not_the_same(covariance_type, length):
    rng = np.random.RandomState(0)
    Z = rng.standard_normal((900, 2)) * [length, 1]
    Z[:, 1] += np.repeat([0, 5, 10], 300)
    # In each of the features they differ by a small part of a deviation.
    X = Z @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    mixture = EMGaussianMixture(3, covariance_type=covariance_type, random_state=0)
    assert not warned(mixture, X)
    counts = np.bincount(mixture.predict(X))
    np.testing.assert_allclose(counts, 300, atol=15)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_thin_components_that_are_the_same_are_named_along_any_axes(covariance_type):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((500, 2)) * [1e4, 1] @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    precision = np.linalg.inv(np.cov(X.T))
    shape = FAMILIES[covariance_type].shape.public_shape(2, 2)
    mixture = EMGaussianMixture(
        2,
        covariance_type=covariance_type,
        weights_init=[0.5, 0.5],
        means_init=np.broadcast_to(X.mean(axis=0), (2, 2)),
        precisions_init=np.broadcast_to(precision, shape),
    )
    (message,) = warned(mixture, X)
    assert "components 0, 1 coincide" in message


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_rows", [300, 3000])
@pytest.mark.parametrize("seed", range(3))
def test_no_saddle_is_an_end_in_silence(covariance_type, n_rows, seed):
    rng = np.random.RandomState(seed)
    centres = np.repeat([[0, 0], [2.74, 0], [0, 2.74]], n_rows // 3, axis=0)
    X = centres + 0.5 * rng.standard_normal(centres.shape)
    one = EMGaussianMixture(1, covariance_type=covariance_type).fit(X).lower_bound_
    mixture = EMGaussianMixture(
        3, covariance_type=covariance_type, init_params="random", random_state=seed
    )
    messages = warned(mixture, X)
    is_left = mixture.lower_bound_ > one + 0.1
    assert is_left or not mixture.converged_ or "coincide" in messages[-1]


@pytest.mark.parametrize("growth", [1.01, 1.5, 10.0])
@pytest.mark.parametrize("first", [1e-11, 1e-9, 1e-7])
def test_steps_that_grow_are_no_plateau(growth, first):
    rule = small_gain_ahead(1e-6)
    steps = first * growth ** np.arange(20)
    for start in ([-np.inf], [-np.inf, -np.inf], [-np.inf, -4.0]):
        values = [*start, *(-3 + np.cumsum(steps))]
        assert not any(rule(values[:n]) for n in range(2, len(values) + 1))
    shrinking = -3 + np.cumsum(1e-9 * 0.5 ** np.arange(6))
    assert rule([-np.inf, *shrinking])


# ---- Good fits are silent ----


GOOD = {
    **{f"iris {name}": (name, 3) for name in TYPES},
    "iris 2": ("full", 2),
}


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("name", GOOD)
def test_good_fits_of_iris_are_silent(iris, Mixture, name):
    covariance_type, n_components = GOOD[name]
    assert not warned(
        Mixture(n_components, covariance_type=covariance_type, random_state=0), iris
    )


@pytest.mark.parametrize("reg_covar", [1e-6, "auto"])
def test_good_fits_of_other_tables_are_silent(lecture_mixture, reg_covar):
    for n_components, X in (
        (3, scale(load_wine().data)),
        (2, scale(load_breast_cancer().data)),
        (2, load_breast_cancer().data[:, :10]),
        (3, lecture_mixture),
        (5, lecture_mixture),
        (3, 1e4 + lecture_mixture),
    ):
        mixture = EMGaussianMixture(n_components, random_state=0)
        if reg_covar == "auto" or X.std(axis=0).min() > 0.1:
            assert not warned(mixture.set_params(reg_covar=reg_covar), X)


def test_a_search_is_warned_once_for_every_fit(returns):
    search = GridSearchCV(
        EMGaussianMixture(reg_covar=1e-6, random_state=0),
        {"n_components": [1, 2]},
        cv=3,
        refit=False,
    )
    assert len(warned(search, 1.5e-3 * returns)) == 6


# ---- Criteria of weights that are too light ----


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("criterion", ["aic", "bic", "icl"])
def test_criteria_warn_of_normalised_weights(iris, Mixture, criterion):
    mixture = Mixture(2, random_state=0).fit(iris)
    value = getattr(mixture, criterion)
    weight = np.full(150, 1 / 150)
    with pytest.warns(
        UserWarning, match=r"29 parameters.*total weight is only 1:"
    ) as w:
        value(iris, sample_weight=weight)
    assert w[0].filename == __file__
    with pytest.warns(UserWarning, match="multiply weights that are normalised"):
        value(iris[:28])
    # Repetitions say nothing, and neither do weights that stand for them.
    assert value(iris, sample_weight=150 * weight) == pytest.approx(value(iris))


# ---- Underflow ----

FAR = np.r_[
    np.random.RandomState(0).normal(0, 0.1, (60, 2)),
    np.random.RandomState(1).normal(50, 1, (60, 2)),
]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(
    "mixture",
    [
        EMGaussianMixture(2),
        EMGaussianMixture(2, init_params="random", acceleration="lbfgs"),
        EMGaussianMixture(2, init_params="kmeans", acceleration="anderson"),
        AdamGaussianMixture(2, max_iter=20, tol=None),
        AdamGaussianMixture(2, max_iter=5, tol=None, batch_size=30),
    ],
)
def test_mixtures_underflow_in_silence(monkeypatch, mixture, covariance_type, n_jobs):
    monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 2**11)
    mixture = clone(mixture).set_params(
        covariance_type=covariance_type, n_jobs=n_jobs, random_state=0
    )
    with np.errstate(all="raise"):
        before = np.geterr()
        warned(mixture, FAR)
        weight = np.full(len(FAR), 1e-310)
        for rows in (FAR, 100 * FAR):
            mixture.predict_proba(rows)
            mixture.predict(rows)
            mixture.icl(rows)
            assert np.isfinite(mixture.score(rows, sample_weight=weight))
        mixture.sample(10)
        assert np.geterr() == before


def test_single_densities_underflow_in_silence(estimator):
    with np.errstate(all="raise"):
        warned(estimator, FAR)
        assert np.isfinite(estimator.score_samples(10 * FAR)).all()
        estimator.sample(10)
        small = 1e-150 * np.random.RandomState(0).standard_normal((50, 2))
        warned(GaussianMLE(reg_covar="auto"), small)


def test_what_else_numpy_is_told_to_raise_it_raises():
    with np.errstate(all="raise"), Workspace(2) as workspace, workspace:
        results = workspace.map(np.square, np.full((5, 1), 1e200))
        with pytest.raises(FloatingPointError, match="overflow"):
            list(results)
