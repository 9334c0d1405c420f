"""Starts that users give: some parts, labels, responsibilities, functions."""

import pickle
import tracemalloc
import warnings
from itertools import combinations, permutations

import numpy as np
import pytest
from conftest import (
    MATRICES,
    MIXTURES,
    TYPES,
    UNTIED,
    dense_covariances,
    mixture_of,
    mixture_of_shares,
    stretched,
)
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skdensity import AdamGaussianMixture, EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.adam import Adam
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.given import Completion, Given
from skdensity.solvers.mixtures.problem import StartProblem

PARTS = ("weights_init", "means_init", "precisions_init")
SOME = [parts for n in (1, 2) for parts in combinations(PARTS, n)]

# ---- Parts that are given, and those that belong to them ----


def uneven_clusters(seed):
    """A narrow cluster of most rows beside two wide ones, and their parameters."""
    rng = np.random.default_rng(seed)
    weights = np.array([0.8, 0.1, 0.1])
    means = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 5.0]])
    deviations = np.array([[0.1, 0.1], [2.0, 2.0], [0.2, 1.5]])
    labels = np.repeat(range(3), [800, 100, 100])
    X = means[labels] + deviations[labels] * rng.standard_normal((1000, 2))
    return X, weights, means, deviations**2


def nested_clusters(seed):
    """Two narrow clusters inside of a wide one."""
    rng = np.random.default_rng(seed)
    weights = np.array([0.3, 0.6, 0.1])
    means = np.array([[0.0, 0.0], [0.8, 0.0], [-1.0, 1.0]])
    deviations = np.array([[0.1, 0.1], [2.0, 2.0], [0.2, 0.2]])
    labels = np.repeat(range(3), [300, 600, 100])
    X = means[labels] + deviations[labels] * rng.standard_normal((1000, 2))
    return X, weights, means, deviations**2


def parameters_of(weights, means, variances, covariance_type):
    """All three initial values, from variances (n_components, n_features)."""
    precisions = {
        "full": [np.diag(1 / v) for v in variances],
        "diag": 1 / variances,
        "spherical": 1 / variances.mean(axis=1),
    }[covariance_type]
    return dict(zip(PARTS, (weights, means, precisions), strict=True))


def assert_optimum(X, everything, parts, covariance_type, **options):
    options |= {"covariance_type": covariance_type}
    best = EMGaussianMixture(len(everything["means_init"]), **everything, **options)
    some = {name: everything[name] for name in parts}
    found = EMGaussianMixture(best.n_components, **some, **options)
    assert found.fit(X).score(X) > best.fit(X).score(X) - 1e-4


@pytest.mark.parametrize("parts", SOME, ids="+".join)
@pytest.mark.parametrize("covariance_type", UNTIED)
def test_parts_lead_to_the_optimum_that_they_are_of(covariance_type, parts):
    for seed in range(40 if len(parts) == 1 else 10):
        X, *truth = uneven_clusters(seed)
        everything = parameters_of(*truth, covariance_type)
        assert_optimum(X, everything, parts, covariance_type, random_state=seed)


@pytest.mark.parametrize("part", ["weights_init", "precisions_init"])
@pytest.mark.parametrize("init_params", ["kmeans", "k-means++"])
def test_other_starts_lead_there_too(init_params, part):
    for seed in range(10):
        X, *truth = uneven_clusters(seed)
        everything = parameters_of(*truth, "full")
        options = {"init_params": init_params, "random_state": seed}
        assert_optimum(X, everything, (part,), "full", **options)


@pytest.mark.parametrize("others", [(), ("weights_init",), ("precisions_init",)])
@pytest.mark.parametrize("covariance_type", UNTIED)
def test_means_lead_to_clusters_inside_of_others(covariance_type, others):
    for seed in range(20):
        X, *truth = nested_clusters(seed)
        everything = parameters_of(*truth, covariance_type)
        assert_optimum(X, everything, ("means_init", *others), covariance_type)


def test_many_means_lead_to_their_optimum():
    rng = np.random.default_rng(0)
    means, deviations = rng.uniform(-10, 10, (20, 3)), rng.uniform(0.2, 1.5, (20, 3))
    weights = rng.dirichlet(np.full(20, 5.0))
    labels = rng.choice(20, 4000, p=weights)
    X = means[labels] + deviations[labels] * rng.standard_normal((4000, 3))
    everything = parameters_of(weights, means, deviations**2, "diag")
    assert_optimum(X, everything, ("means_init",), "diag")


@pytest.mark.parametrize("units", [1e-6, 1e6])
@pytest.mark.parametrize("part", PARTS)
def test_neither_axes_nor_units_nor_weights_matter(part, units):
    X, weights, means, variances = uneven_clusters(0)
    change = np.array([[0.878, -0.479], [0.479, 0.878]]) * [units, 1]
    everything = parameters_of(weights, means @ change, variances, "full")
    back = np.linalg.inv(change)
    everything["precisions_init"] = [back @ np.diag(1 / v) @ back.T for v in variances]
    assert_optimum(X @ change, everything, (part,), "full", random_state=0)


@pytest.mark.filterwarnings("ignore:.*(reg_covar|coincide):UserWarning")
@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("parts", [*SOME, PARTS], ids="+".join)
def test_given_parts_are_where_the_fit_starts(iris, Mixture, name, parts):
    start = mixture_of(name, 4)
    precisions = start.family.factors.square(start.precision_factors)
    everything = dict(
        zip(
            PARTS,
            (start.weights, start.means + 4, start.family.shape.public(precisions)),
            strict=True,
        )
    )
    given = {part: everything[part] for part in parts}
    options = {"covariance_type": name, "max_iter": 0, "random_state": 0}
    mixture = Mixture(3, **given, **options).fit(iris)
    for part, value in given.items():
        found = getattr(mixture, part.replace("init", ""))
        rtol = 0 if part == "means_init" else 1e-12  # sums of 1, and inverses
        np.testing.assert_allclose(found, value, rtol=rtol, atol=rtol)


def starts_around(X, means, covariance_type, **fit):
    mixture = EMGaussianMixture(
        len(means), covariance_type=covariance_type, means_init=means, max_iter=0
    )
    return mixture.fit(X, **fit)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_means_make_parts_that_follow_a_change_of_coordinates(iris, covariance_type):
    means = iris[[0, 60, 120]]
    rng = np.random.RandomState(0)
    if covariance_type in MATRICES:
        change = rng.standard_normal((4, 4))
    elif "diag" in covariance_type:
        change = np.diag([1e-3, 1.0, 10.0, 1e3])
    else:
        change = 1e3 * np.linalg.qr(rng.standard_normal((4, 4)))[0]
    one = starts_around(iris, means, covariance_type)
    other = starts_around(iris @ change + 5, means @ change + 5, covariance_type)
    np.testing.assert_allclose(other.weights_, one.weights_, rtol=1e-6)
    moved = other.score_samples(iris @ change + 5)
    volume = np.linalg.slogdet(change)[1]
    np.testing.assert_allclose(moved + volume, one.score_samples(iris), rtol=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_weight_is_a_repetition_and_order_is_irrelevant(iris, covariance_type):
    weight = np.random.RandomState(0).randint(0, 4, len(iris))
    means = iris[[0, 60, 120]]
    one = starts_around(iris, means, covariance_type, sample_weight=weight)
    repeated = np.random.RandomState(1).permutation(np.repeat(iris, weight, axis=0))
    other = starts_around(repeated, means[::-1], covariance_type)
    np.testing.assert_allclose(other.weights_[::-1], one.weights_, rtol=1e-9)
    np.testing.assert_allclose(
        other.score_samples(iris), one.score_samples(iris), rtol=1e-9
    )


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("reg_covar", ["auto", 0])
def test_means_without_rows_are_components(iris, covariance_type, reg_covar):
    means = np.vstack([iris[[0, 120]], iris.mean(axis=0) + 1e3, iris[0]])
    mixture = EMGaussianMixture(
        4,
        covariance_type=covariance_type,
        means_init=means,
        reg_covar=reg_covar,
        max_iter=0,
    ).fit(iris)
    assert (mixture.weights_ > 0).all()
    assert np.isfinite(mixture.score_samples(iris)).all()


def test_a_start_around_means_needs_no_other(iris):
    given = {"means_init": iris[[0, 60, 120]], "max_iter": 0}
    one = EMGaussianMixture(3, **given, random_state=0).fit(iris)
    other = EMGaussianMixture(3, **given, init_params="random", random_state=1)
    np.testing.assert_array_equal(one.covariances_, other.fit(iris).covariances_)


def losses_by_force(found, given, name):
    """π_k (log π_k / π_j + KL(N_k ‖ N_j)), from matrices; rows are places j."""
    n, d = found.means.shape
    public = found.family.shape.public

    def dense(cholesky):
        covariances = found.family.factors.square(cholesky)
        return dense_covariances(name, public(covariances), n, d)

    covariances = dense(found.cholesky)
    wanted = None if given.cholesky is None else dense(given.cholesky)
    losses = np.zeros((n, n))
    for j, k in np.ndindex(n, n):
        if given.weights is not None:
            losses[j, k] += np.log(found.weights[k] / given.weights[j])
        if wanted is not None:
            ratio = np.linalg.solve(wanted[j], covariances[k])
            losses[j, k] += (np.trace(ratio) - d - np.linalg.slogdet(ratio)[1]) / 2
    return losses * found.weights


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "parts", [("weights",), ("cholesky",), ("weights", "cholesky")]
)
def test_components_are_matched_with_the_least_loss(name, parts):
    found = mixture_of(name, 3)
    other = mixture_of(name, 3)
    rng = np.random.RandomState(1)
    cholesky = other.cholesky * rng.uniform(
        0.5, 2, (len(other.cholesky),) + (1,) * (other.cholesky.ndim - 1)
    )
    everything = {"weights": np.array([0.45, 0.35, 0.2]), "cholesky": cholesky}
    given = Given(**{part: everything[part] for part in parts})
    problem = StartProblem(ArrayRows(np.eye(3)), 3, found.family, np.zeros((3, 3)))
    matched = Completion(given, problem).matched(found)
    losses = losses_by_force(found, given, name)

    def loss(order):
        return losses[np.arange(3), order].sum()

    order = [np.flatnonzero(found.weights == w)[0] for w in matched.weights]
    assert loss(order) == pytest.approx(min(map(loss, permutations(range(3)))))
    np.testing.assert_array_equal(matched.means, found.means[order])
    expected = found.own(found.cholesky)[order]
    np.testing.assert_array_equal(matched.own(matched.cholesky), expected)


@pytest.mark.filterwarnings("ignore:.*(reg_covar|coincide):UserWarning")
@pytest.mark.parametrize("Mixture", MIXTURES)
def test_a_weight_of_zero_may_be_given(iris, Mixture):
    mixture = Mixture(3, weights_init=[0, 0.5, 0.5], max_iter=0, random_state=0)
    # A logit of −∞ is as small a weight as there is.
    np.testing.assert_allclose(mixture.fit(iris).weights_, [0, 0.5, 0.5], atol=1e-300)


def test_parts_of_a_blind_start_stay_as_they_are_drawn(iris):
    options = {"init_params": "standard_normal", "max_iter": 0, "random_state": 0}
    drawn = AdamGaussianMixture(2, **options).fit(iris)
    given = AdamGaussianMixture(2, means_init=iris[[0, 100]], **options).fit(iris)
    np.testing.assert_array_equal(given.weights_, drawn.weights_)
    np.testing.assert_array_equal(given.covariances_, drawn.covariances_)
    np.testing.assert_array_equal(given.means_, iris[[0, 100]])


# ---- Labels, responsibilities and functions ----


@pytest.fixture
def labels():
    """The species of the irises, as a clustering may know them."""
    return np.repeat([2, 0, 1], 50)


def start_from(X, init_params, Mixture=EMGaussianMixture, **options):
    fit = {"sample_weight": options.pop("sample_weight", None)}
    options = {"reg_covar": 0, "max_iter": 0, "random_state": 0} | options
    return Mixture(3, init_params=init_params, **options).fit(X, **fit)


def assert_same(one, other, rtol=1e-9):
    for name in ("weights_", "means_", "covariances_"):
        expected = getattr(other, name)
        np.testing.assert_allclose(getattr(one, name), expected, rtol, atol=1e-12)


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("name", TYPES)
def test_the_start_is_the_first_m_step(iris, Mixture, name):
    shares = np.random.RandomState(0).dirichlet(np.ones(3), len(iris))
    found = start_from(iris, shares, Mixture, covariance_type=name)
    expected = mixture_of_shares(iris, shares.T, FAMILIES[name])
    np.testing.assert_allclose(found.weights_, expected.weights)
    np.testing.assert_allclose(found.means_, expected.means)
    public = expected.family.shape.public(expected.covariances)
    np.testing.assert_allclose(found.covariances_, public, atol=1e-12)


def test_labels_are_responsibilities_of_zero_and_one(iris, labels):
    expected = start_from(iris, np.eye(3)[labels])
    np.testing.assert_allclose(expected.means_[2], iris[:50].mean(axis=0))
    scale = np.random.RandomState(0).uniform(0.1, 10, (150, 1))
    for same in (
        labels,
        labels.tolist(),
        labels.astype(np.uint8),
        labels.astype(np.float32),
        labels.astype(object),
        np.eye(3, dtype=bool)[labels],
        np.eye(3)[labels] * scale,
        (np.eye(3)[labels] * scale).tolist(),
    ):
        assert_same(start_from(iris, same), expected)


def test_two_labels_may_be_booleans(iris, labels):
    options = {"reg_covar": 0, "max_iter": 0}
    is_first = labels == 2
    one = EMGaussianMixture(2, init_params=is_first, **options).fit(iris)
    other = EMGaussianMixture(2, init_params=is_first.astype(int), **options).fit(iris)
    assert_same(one, other)


def test_responsibilities_of_an_optimum_are_where_it_is(iris):
    options = {"reg_covar": 0, "tol": 0, "max_iter": 3000}
    optimum = EMGaussianMixture(2, random_state=0, **options)
    with warnings.catch_warnings(action="ignore"):  # of a tolerance that is not met
        optimum.fit(iris)
    options |= {"init_params": optimum.predict_proba(iris), "max_iter": 0}
    assert_same(EMGaussianMixture(2, **options).fit(iris), optimum, rtol=1e-7)


@pytest.mark.parametrize("kind", ["labels", "responsibilities"])
def test_weights_of_rows_with_an_array(iris, labels, kind):
    values = labels
    if kind == "responsibilities":
        values = np.random.RandomState(1).dirichlet(np.ones(3), 150)
    weight = np.random.RandomState(0).randint(0, 4, 150)
    repeated = np.repeat(iris, weight, axis=0), np.repeat(values, weight, axis=0)
    expected = start_from(*repeated)
    assert_same(start_from(iris, values, sample_weight=weight), expected)
    # Rows of weight zero may have anything.
    nothing = np.array(values, dtype=float)
    nothing[weight == 0] = np.nan
    assert_same(start_from(iris, nothing, sample_weight=weight), expected)


def test_a_table_of_responsibilities_is_not_kept():
    n_rows = 120_000  # of which a table would be ten times what blocks take
    X = np.random.RandomState(0).standard_normal((n_rows, 1))
    labels = np.arange(n_rows) % 60
    mixture = EMGaussianMixture(60, init_params=labels, max_iter=0, n_jobs=1)
    mixture.fit(X)
    tracemalloc.start()
    mixture.fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.size * 60 * 8 / 2


def test_what_labels_say_keeps_its_order(iris, labels):
    # Matched by weight, the first component would be one of the light ones.
    given = {"weights_init": [0.2, 0.2, 0.6]}
    mixture = start_from(iris, labels, **given)
    np.testing.assert_array_equal(mixture.predict(iris)[:50], 2)
    relabelled = start_from(iris, (labels + 1) % 3, **given)
    np.testing.assert_array_equal(relabelled.predict(iris)[:50], 0)


@pytest.mark.parametrize("Mixture", MIXTURES)
def test_a_callable_is_called_for_every_run(iris, labels, Mixture):
    calls = []

    def assign(*arguments):
        calls.append(arguments)
        return labels[weight > 0]

    weight = np.arange(150) % 4
    rng = np.random.RandomState(0)
    mixture = Mixture(3, init_params=assign, n_init=3, max_iter=1, random_state=rng)
    with warnings.catch_warnings(action="ignore"):  # one iteration is not enough
        mixture.fit(iris, sample_weight=weight)
    assert len(calls) == 3
    for X, n_components, random_state in calls:
        np.testing.assert_array_equal(X, iris[weight > 0])
        assert n_components == 3
        assert random_state is rng


@pytest.mark.parametrize("form", ["labels", "list", "responsibilities"])
def test_a_callable_says_what_an_array_says(iris, labels, form):
    values = {
        "labels": labels,
        "list": labels.tolist(),
        "responsibilities": np.random.RandomState(0).dirichlet(np.ones(3), 150),
    }[form]
    assert_same(
        start_from(iris, lambda X, n_components, random_state: values),
        start_from(iris, values),
        rtol=0,
    )


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_means_from_a_callable_are_means_that_are_given(iris, Mixture, covariance_type):
    def three(X, n_components, random_state):
        return X[[0, 60, 120]]

    options = {"covariance_type": covariance_type, "reg_covar": "auto"}
    one = start_from(iris, three, Mixture, **options)
    other = start_from(iris, "kmeans", Mixture, means_init=three(iris, 3, 0), **options)
    assert_same(one, other, rtol=0)
    np.testing.assert_array_equal(one.means_, iris[[0, 60, 120]])


def drawn_rows(X, n_components, random_state):
    """Means that are random rows."""
    return X[random_state.choice(len(X), n_components, replace=False)]


def nearest_of_drawn_rows(X, n_components, random_state):
    """Labels: who is nearest to which of random rows."""
    return cdist(X, drawn_rows(X, n_components, random_state)).argmin(axis=1)


@pytest.mark.parametrize("function", [drawn_rows, nearest_of_drawn_rows])
def test_the_generator_makes_a_callable_reproducible(iris, function):
    one, same, other = (
        start_from(iris, function, random_state=seed, reg_covar="auto")
        for seed in (0, 0, 1)
    )
    assert_same(one, same, rtol=0)
    assert not np.array_equal(one.means_, other.means_)


def test_an_array_repeated_is_worth_a_warning(iris, labels):
    once = EMGaussianMixture(3, init_params=labels).fit(iris)
    mixture = EMGaussianMixture(3, init_params=labels, n_init=2)
    with pytest.warns(RuntimeWarning, match="n_init=2 runs start. Set n_init=1") as w:
        mixture.fit(iris)
    assert [warning.filename for warning in w] == [__file__]
    assert_same(mixture, once, rtol=0)


def test_descents_from_labels_do_not_see_units(iris):
    # Two species that overlap: where a component begins on its own summit, gradients
    # are rounding, and Adam makes whole steps of them.
    X = iris[50:]
    labels = (X[:, 0] > np.median(X[:, 0])).astype(int)
    scale = np.array([2.0**-20, 1, 2, 2.0**20])
    options = {"init_params": labels, "covariance_type": "diag", "max_iter": 200}
    options |= {"tol": None, "reg_covar": 0}
    one = AdamGaussianMixture(2, **options).fit(X)
    other = AdamGaussianMixture(2, **options).fit(X * scale)
    expected = one.covariances_ * stretched("diag", scale)
    np.testing.assert_allclose(other.covariances_, expected, rtol=1e-6)


def test_rows_of_one_label_may_be_few(iris):
    labels = np.repeat([0, 1, 2], [1, 2, 147])
    for name in TYPES:
        mixture = start_from(iris, labels, covariance_type=name, reg_covar="auto")
        assert np.isfinite(mixture.score_samples(iris)).all()
    rows = iris.astype(np.float32)
    assert start_from(rows, labels, reg_covar="auto").means_.dtype == np.float32


# ---- Errors ----

SHARES = np.full((30, 3), 1 / 3)
LABELS = np.arange(30) % 3


def changed(values, index, value):
    values = np.array(values, dtype=float)
    values[index] = value
    return values


BAD_VALUES = {
    "NaN label": (changed(LABELS, 3, np.nan), "contains NaN or infinity"),
    "NaN share": (changed(SHARES, (3, 1), np.nan), "contains NaN or infinity"),
    "infinite": (changed(SHARES, (3, 1), np.inf), "contains NaN or infinity"),
    "negative": (changed(SHARES, (3, 1), -0.1), "non-negative.* got a row"),
    "sum to 0": (changed(SHARES, 3, [-0.5, 0.5, 0.0]), "non-negative.* got a row"),
    "zeros": (changed(SHARES, 3, 0), "not zero for all components.* got a row"),
    "no component": (changed(SHARES, (slice(None), 1), 0), "no row with resp.* 1;"),
    "from one": (LABELS + 1, "labels from 0 to n_components - 1 = 2; got .* 1 to 3"),
    "noise": (LABELS - 1, "got labels from -1 to 1.*noise"),
    "no label": (np.where(LABELS == 1, 2, LABELS), "no row with label 1;"),
    "halves": (LABELS / 2, r"integers as labels; got 0\.5"),
    "names": (np.array(["a", "b", "c"])[LABELS], "must be an array of numbers"),
    "objects": ([object()] * 30, "must be an array of numbers"),
    "ragged": ([[0], [0, 1]] * 15, "must be an array of numbers"),
    "complex": (LABELS * 1j, "must be an array of numbers"),
    "few labels": (LABELS[:20], r"shape \(20,\)"),
    "few shares": (SHARES[:20], r"shape \(20, 3\)"),
    "other K": (SHARES[:, :2], r"shape \(30, 2\)"),
    "a column": (LABELS[:, None], r"shape \(30, 1\)"),
    "transposed": (SHARES.T, r"shape \(3, 30\)"),
    "three axes": (SHARES[None], r"shape \(1, 30, 3\)"),
    "nothing": (np.array([]), r"shape \(0,\)"),
}
TABLE = np.random.RandomState(0).standard_normal((30, 2))


def assert_refused(mixture, message, X=TABLE, **fit):
    before = dict(vars(mixture))
    with pytest.raises(ValueError, match=message):
        mixture.fit(X, **fit)
    assert vars(mixture) == before


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("values", BAD_VALUES)
@pytest.mark.parametrize("is_called", [False, True])
def test_bad_values_are_refused(Mixture, values, is_called):
    values, message = BAD_VALUES[values]
    who = "the callable `init_params` returns" if is_called else "^`init_params`"
    init_params = (lambda *_: values) if is_called else values
    mixture = Mixture(3, random_state=0).fit(TABLE).set_params(init_params=init_params)
    assert_refused(mixture, f"(?s){who}.*{message}")


@pytest.mark.parametrize("values", [None, 3, sparse.eye(30, 3).tocsr()])
def test_what_is_no_array_cannot_be_returned(values):
    mixture = EMGaussianMixture(3, init_params=lambda *_: values)
    assert_refused(mixture, r"must be an array of numbers|has shape \(\)")


@pytest.mark.parametrize("bad", [3, 1.5, None, "k_means", sparse.eye(30, 3).tocsr()])
def test_what_cannot_be_a_start_is_refused(bad):
    mixture = EMGaussianMixture(3, init_params=bad)
    assert_refused(mixture, "'init_params'.*array-like")


def test_means_are_not_an_array_of_responsibilities():
    mixture = EMGaussianMixture(3, init_params=TABLE[:3])
    assert_refused(mixture, "Means are given as `means_init`")


def test_means_that_are_not_numbers_are_refused():
    means = changed(TABLE[:3], 0, np.nan)
    assert_refused(EMGaussianMixture(3, init_params=lambda *_: means), "contains NaN")


@pytest.mark.parametrize("X", [TABLE[:3], np.eye(3)])
def test_shapes_that_tell_nothing_are_refused(X):
    calls = []
    mixture = EMGaussianMixture(3, init_params=lambda *_: calls.append(1))
    assert_refused(mixture, "needs more rows than n_components=3.*or `means_init`", X)
    assert calls == []
    mixture = EMGaussianMixture(3, init_params=np.eye(3))
    assert_refused(mixture, "might be responsibilities or means.*Give labels", X)


def test_labels_of_as_many_rows_as_components_tell_everything():
    mixture = start_from(TABLE[:3], [2, 0, 1], reg_covar=0.1, covariance_type="tied")
    np.testing.assert_allclose(mixture.means_, TABLE[[1, 2, 0]])


def test_a_label_of_rows_that_do_not_count_is_missing():
    mixture = EMGaussianMixture(3, init_params=LABELS)
    weight = (LABELS != 1).astype(float)
    assert_refused(mixture, "no row with label 1", sample_weight=weight)


def test_an_error_of_a_callable_is_its_own():
    def fails(X, n_components, random_state):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        EMGaussianMixture(3, init_params=fails).fit(TABLE)


# ---- scikit-learn's ways ----


@pytest.mark.parametrize("Mixture", MIXTURES)
@pytest.mark.parametrize("init_params", [LABELS, LABELS.tolist(), drawn_rows])
def test_starts_are_cloned_pickled_and_left_alone(Mixture, init_params):
    mixture = Mixture(3, init_params=init_params, random_state=0, max_iter=3, tol=1e3)
    before = np.array(init_params, copy=True)
    with warnings.catch_warnings(action="ignore"):  # of so few iterations
        copies = [clone(mixture).fit(TABLE), pickle.loads(pickle.dumps(mixture))]
        copies[1].fit(TABLE)
        mixture.fit(TABLE)
    assert mixture.init_params is init_params
    np.testing.assert_array_equal(init_params, before)
    for copy in (*copies, pickle.loads(pickle.dumps(mixture))):
        np.testing.assert_array_equal(copy.means_, mixture.means_)
    assert "init_params" in repr(mixture)


def test_folds_take_a_callable_and_refuse_an_array(iris):
    labels = np.arange(150) % 2
    with pytest.raises(
        ValueError, match=r"(?s)shape \(150,\); expected \(100,\).*fold"
    ):
        cross_val_score(
            EMGaussianMixture(2, init_params=labels), iris, cv=3, error_score="raise"
        )
    grid = {"n_components": [2, 3], "init_params": ["kmeans", nearest_of_drawn_rows]}
    search = GridSearchCV(EMGaussianMixture(random_state=0), grid, cv=3).fit(iris)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_fit_that_goes_on_does_not_start(iris):
    mixture = EMGaussianMixture(2, warm_start=True, random_state=0).fit(iris)
    mixture.set_params(init_params=LABELS, n_init=2).fit(iris)
    assert mixture.converged_


@pytest.mark.parametrize(("batch_size", "n_runs"), [(None, 1), (50, 3)])
def test_descents_differ_by_their_batches(monkeypatch, iris, batch_size, n_runs):
    init, begun = Adam.init, []

    def counted(self, mixture):
        begun.append(mixture)
        return init(self, mixture)

    monkeypatch.setattr(Adam, "init", counted)
    mixture = AdamGaussianMixture(
        2, means_init=iris[[0, 100]], batch_size=batch_size, n_init=3, random_state=0
    )
    mixture.set_params(max_iter=3, tol=None).fit(iris)
    assert len(begun) == n_runs
    assert len({tuple(start.means.ravel()) for start in begun}) == 1


@pytest.mark.parametrize(
    ("parts", "n_runs"),
    [
        ({"means_init": [[5.0, 3, 2, 0], [6, 3, 5, 2]]}, 1),
        ({"means_init": [[5.0, 3, 2, 0], [6, 3, 5, 2]], "weights_init": [0.3, 0.7]}, 1),
        ({"weights_init": [0.3, 0.7]}, 3),
        ({}, 3),
    ],
)
def test_runs_that_cannot_differ_are_one(monkeypatch, iris, parts, n_runs):
    init, begun = EM.init, []

    def counted(self, mixture, *value):
        begun.append(mixture)
        return init(self, mixture, *value)

    monkeypatch.setattr(EM, "init", counted)
    mixture = EMGaussianMixture(2, acceleration=None, n_init=3, random_state=0, **parts)
    mixture.fit(iris)
    assert len(begun) == n_runs
    if n_runs == 1:
        once = clone(mixture).set_params(n_init=1, random_state=1).fit(iris)
        assert_same(mixture, once, rtol=0)
