"""What cannot matter is left out, and that shows in no digit."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import MATRICES, TYPES, UNTIED
from scipy.special import logsumexp

from skdensity import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES, FULL
from skdensity.models.mixtures import relevance
from skdensity.models.mixtures.forms import local
from skdensity.models.mixtures.forms.expansion import Expansion
from skdensity.models.mixtures.forms.quadratic import QuadraticForm
from skdensity.models.mixtures.forms.triangular import TriangularForm
from skdensity.models.mixtures.forms.whitened import WhitenedForm
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import moments_about
from skdensity.models.mixtures.relevance import MARGIN, Relevance, relevance_of
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.near import near_order, places_on_curve
from skdensity.solvers.mixtures.climbs import Climbs
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.partitions import drawn

MOMENTS = ("log_likelihood", "mass", "first", "second")


def many_components(name, n_features, spread=10.0, n_components=None, seed=0):
    """Components of unlike weight, width and direction, with means within `spread`."""
    family, rng = FAMILIES[name], np.random.RandomState(seed)
    k = n_components or 50 * n_features
    n_free = family.shape.n_parameters(k, n_features)
    cholesky = family.free.unravel(0.4 * rng.standard_normal(n_free), k, n_features)
    means = rng.uniform(-spread, spread, (k, n_features))
    weights = rng.dirichlet(np.full(k, 0.5)) + 1e-9
    return Mixture.from_cholesky(weights / weights.sum(), means, 0.1 * cholesky, family)


def log_joint(mixture, X):
    return WhitenedForm(mixture).block(X, Scratch()).log_joint()


def boxes(rng, n_boxes, n_features):
    """Corners of boxes of all sizes, down to a point."""
    centre = rng.uniform(-10, 10, (n_boxes, n_features))
    half = rng.choice([0, 0.01, 0.3, 3], (n_boxes, 1)) * rng.uniform(size=centre.shape)
    return centre - half, centre + half


@pytest.fixture
def small_boxes(monkeypatch):
    """Bounds that pay for few rows, so that tests need no more."""
    monkeypatch.setattr(relevance, "BOX_ROWS", 4)
    monkeypatch.setattr(local, "COMPONENTS", 2)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 3, 6])
def test_bounds_hold_everywhere_in_a_box(name, n_features):
    rng = np.random.RandomState(1)
    mixture = many_components(name, n_features)
    low, high = boxes(rng, 30, n_features)
    least, most = Relevance(mixture).bounds(low, high)
    for i in range(len(low)):
        inside = rng.uniform(size=(60, n_features))
        inside[:30] = np.round(inside[:30])  # corners
        joint = log_joint(mixture, low[i] + inside * (high[i] - low[i]))
        assert np.all(joint >= least[i, :, None] * (1 + 1e-12) - 1e-9)
        assert np.all(joint <= most[i, :, None] + 1e-9)


@pytest.mark.parametrize("name", TYPES)
def test_bounds_of_one_feature_are_attained(name):
    mixture = many_components(name, 1)
    low, high = boxes(np.random.RandomState(1), 30, 1)
    least, most = Relevance(mixture).bounds(low, high)
    nearest = np.clip(mixture.means.T, low, high)
    for i in range(len(low)):
        ends = log_joint(mixture, np.array([low[i], high[i]]))
        np.testing.assert_allclose(least[i], ends.min(axis=1), rtol=1e-9, atol=1e-9)
        best = np.diagonal(log_joint(mixture, nearest[i][:, None]))
        np.testing.assert_allclose(most[i], best, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_what_is_left_out_is_less_than_the_bound_says(name, n_features):
    mixture = many_components(name, n_features)
    rng, n_left_out = np.random.RandomState(2), 0
    for width in (0, 0.1, 1, 4):
        for _ in range(10):
            X = rng.uniform(-9, 9, n_features) + width * rng.uniform(
                size=(300, n_features)
            )
            left_out = np.ones(mixture.n_components, dtype=bool)
            left_out[Relevance(mixture).kept(X)] = False
            n_left_out += left_out.sum()
            if left_out.any():
                joint = log_joint(mixture, X)
                lost = logsumexp(joint[left_out], axis=0) - logsumexp(joint, axis=0)
                assert lost.max() <= -MARGIN + 1e-6
    assert n_left_out > 10 * mixture.n_components  # of 40 times as many


def test_nothing_is_left_out_of_wide_boxes_nor_of_rows_that_none_reaches():
    mixture = many_components("full", 2)
    corners = np.array([[-10.0, -10.0], [10.0, 10.0]])
    assert Relevance(mixture).kept(corners) == slice(None)
    for far in (1e200, 1.7e308, -1.7e308):
        for X in (np.full((3, 2), far), np.array([[far, 0.0], [0.0, -far]])):
            assert Relevance(mixture).kept(X) == slice(None)


def test_a_component_without_weight_matters_nowhere():
    mixture = many_components("diag", 1)
    weights = mixture.weights.copy()
    weights[7] = 0
    mixture = Mixture.from_cholesky(
        weights / weights.sum(), mixture.means, mixture.cholesky, mixture.family
    )
    assert 7 not in Relevance(mixture).kept(mixture.means[7:8])


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("form", [QuadraticForm, TriangularForm, WhitenedForm])
def test_every_form_evaluates_some_of_its_components(form, name):
    if form is TriangularForm and name not in MATRICES:
        return
    mixture = many_components(name, 2)
    X, _ = mixture.sample(60, np.random.RandomState(0))
    of = mixture if form is WhitenedForm else Expansion.of(mixture)
    made = form(of) if form is WhitenedForm else form.of(of)
    kept = np.array([3, 17, 60])
    whole, some = made.block(X, Scratch()), made.block(X, Scratch(), kept)
    np.testing.assert_allclose(
        some.log_joint(), whole.log_joint()[kept], rtol=1e-10, atol=1e-10
    )
    shares = np.zeros((mixture.n_components, len(X)))
    shares[kept] = np.random.RandomState(1).uniform(size=(3, len(X)))
    expected = whole.sums(shares, 1.5).moments()
    found = some.sums(shares[kept], 1.5).moments()
    for part in (*MOMENTS, "about"):
        values = getattr(expected, part)
        np.testing.assert_allclose(
            getattr(found, part), values, atol=1e-12 * np.abs(values).max()
        )


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("with_far_rows", [False, True])
def test_near_rows_give_what_rows_in_any_order_give(
    small_boxes, name, n_features, weighted, with_far_rows
):
    mixture = many_components(name, n_features)
    rng = np.random.RandomState(0)
    X, _ = mixture.sample(1000 if n_features < 3 else 10_000, rng)
    if with_far_rows:
        X[100:103] *= [[1e3], [1e80], [1e160]]
    weight = rng.choice([0, 0.5, 1, 3], len(X)) if weighted else None
    rows = ArrayRows(X, weight)
    near = mixture.near(rows)
    assert near.are_near
    assert not rows.are_near
    with np.errstate(over="ignore"):
        for method in ("log_density", "log_completed"):
            expected = getattr(mixture, method)(rows)
            found = getattr(mixture, method)(near)
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
        n_rows, n_near = mixture.effective_rows(rows), mixture.effective_rows(near)
        expected, found = mixture.moments(rows), mixture.moments(near)
    if n_rows.shape == expected.mass.shape:
        is_there = expected.mass > 1e-9
        n_rows, n_near = n_rows[is_there], n_near[is_there]
    np.testing.assert_allclose(n_near, n_rows, rtol=1e-9)
    for part in MOMENTS:
        values = np.asarray(getattr(expected, part))
        size = np.abs(values[np.isfinite(values)]).max(initial=0)
        np.testing.assert_allclose(getattr(found, part), values, atol=1e-12 * size)


@pytest.mark.parametrize("name", ["full", "spherical"])
def test_blocks_leave_most_out(small_boxes, name):
    mixture = many_components(name, 1)
    rows = ArrayRows(mixture.sample(2000, np.random.RandomState(0))[0]).near
    form = mixture.local_form(mixture.pass_form, rows)
    kept = rows.add(
        lambda block, scratch: [form.block(block.X, scratch).kept], form.row_bytes
    )
    assert len(kept) == 25
    assert np.mean([len(some) for some in kept]) < mixture.n_components / 3


def test_threads_and_single_precision(small_boxes):
    mixture = many_components("full", 2)
    X = mixture.sample(5000, np.random.RandomState(0))[0].astype(np.float32)
    results = []
    for n_jobs in (1, 3):
        with Workspace(n_jobs) as workspace:
            rows = ArrayRows(X, workspace=workspace).near
            results.append((mixture.moments(rows), mixture.log_density(rows)))
    for part in MOMENTS:
        one, other = (getattr(moments, part) for moments, _ in results)
        np.testing.assert_array_equal(one, other)
    assert results[0][1].dtype == np.float32
    np.testing.assert_array_equal(results[0][1], results[1][1])
    wide = mixture.log_density(ArrayRows(X.astype(np.float64)))
    np.testing.assert_allclose(results[0][1], wide, rtol=1e-6)


@pytest.mark.parametrize("name", ["full", "tied_diag"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*(rest on|coincide):UserWarning")
def test_a_fit_is_the_same_and_weights_are_repetitions(small_boxes, monkeypatch, name):
    truth = many_components(name, 1)
    X, _ = truth.sample(1200, np.random.RandomState(0))
    weight = np.random.RandomState(1).randint(0, 3, len(X))
    em = EMGaussianMixture(
        50, covariance_type=name, max_iter=20, tol=0, means_init=truth.means,
        weights_init=truth.weights, random_state=0,
        precisions_init=1 / truth.family.shape.public(truth.covariances),
    )  # fmt: skip
    repeated = em.fit(np.repeat(X, weight, axis=0))
    found = repeated.means_, repeated.lower_bounds_
    weighted = em.fit(X, sample_weight=weight)
    np.testing.assert_allclose(weighted.means_, found[0], rtol=1e-8)
    np.testing.assert_allclose(weighted.lower_bounds_, found[1], rtol=1e-10)
    monkeypatch.setattr(Mixture, "near", lambda self, rows: rows)
    plain = em.fit(X, sample_weight=weight)
    np.testing.assert_allclose(plain.means_, found[0], rtol=1e-8)
    np.testing.assert_allclose(plain.lower_bounds_, found[1], rtol=1e-10)


def test_where_bounds_do_not_pay_rows_stay_as_they_are():
    mixture = many_components("full", 2)
    few = many_components("full", 2, n_components=79)
    assert isinstance(relevance_of(mixture), Relevance)
    for other in (
        few,
        many_components("full", 4),
        many_components("full", 2, spread=0.2),  # all overlap
        replace(mixture, family=replace(FULL, products=None)),
        replace(mixture, family=replace(FULL, parts=None)),
    ):
        assert relevance_of(other) is None
        rows = ArrayRows(np.zeros((30_000, other.n_features)))
        assert other.near(rows) is rows
    rows = ArrayRows(np.zeros((1000, 2)))  # too few for small boxes
    assert mixture.near(rows) is rows


def test_the_order_is_made_once_for_a_fit(small_boxes, monkeypatch):
    made = []

    def counted(X):
        made.append(len(X))
        return near_order(X)

    monkeypatch.setattr("skdensity.rows.array_rows.near_order", counted)
    mixture = many_components("diag", 1)
    rows = ArrayRows(mixture.sample(1000, np.random.RandomState(0))[0])
    em = EM(rows, 1e-3)
    state = em.init(mixture)
    for _ in range(3):
        state = em.step(state)
    assert made == [1000]


# ---- Starts with many components ----


def climbs_of(name, n_features, n_components, n_climbs):
    mixtures = [
        many_components(name, n_features, n_components=n_components, seed=seed)
        for seed in range(n_climbs)
    ]
    joined = Mixture.from_cholesky(
        *(
            np.concatenate([getattr(mixture, part) for mixture in mixtures])
            for part in ("weights", "means", "cholesky")
        ),
        FAMILIES[name],
    )
    return mixtures, Climbs(joined, n_climbs)


@pytest.mark.parametrize("name", UNTIED)
@pytest.mark.parametrize("n_features", [1, 2])
def test_climbs_with_many_components_climb_as_they_would_alone(
    small_boxes, name, n_features
):
    mixtures, climbs = climbs_of(name, n_features, 90, 3)
    X, _ = mixtures[0].sample(1000, np.random.RandomState(0))
    rows = ArrayRows(X, np.random.RandomState(1).uniform(0.5, 2, len(X)))
    found = climbs.moments(rows)
    for part in MOMENTS:
        alone = [getattr(mixture.moments(rows), part) for mixture in mixtures]
        expected = (
            np.stack(alone) if part == "log_likelihood" else np.concatenate(alone)
        )
        np.testing.assert_allclose(
            getattr(found, part), expected, atol=1e-12 * np.abs(expected).max()
        )


@pytest.mark.parametrize("name", UNTIED)
@pytest.mark.parametrize("n_components", [90, 5])
def test_moments_of_parts_are_sums_over_the_parts(name, n_components):
    mixtures, climbs = climbs_of(name, 2, n_components, 3)
    rng = np.random.RandomState(0)
    X, weight = rng.standard_normal((700, 2)), rng.uniform(0.5, 2, 700)
    labels = rng.randint(0, n_components, (3, 700))
    found = climbs.moments_of_parts(ArrayRows(X, weight), labels)
    for c, mixture in enumerate(mixtures):
        for k in range(n_components):
            rows = ArrayRows(X[labels[c] == k], weight[labels[c] == k])
            expected = moments_about(
                rows,
                mixture.means[k : k + 1],
                lambda block, _: block.weight[None],
                mixture.family.scatter,
            )
            for part in ("mass", "first", "second"):
                np.testing.assert_allclose(
                    getattr(found, part)[c * n_components + k],
                    getattr(expected, part)[0],
                    atol=1e-10,
                    rtol=1e-10,
                )


@pytest.mark.parametrize("n_rows", [1, 5, 30, 100])
def test_a_row_is_drawn_where_the_running_sum_passes(n_rows):
    rng, n_tables = np.random.RandomState(0), 200
    weight = rng.choice([0, 1, 2.5], n_rows)
    weight[n_rows // 2] = 1
    size = int(np.sqrt(n_rows))
    heights = np.zeros((n_tables, -(-n_rows // size), size))
    heights.reshape(n_tables, -1)[:, :n_rows] = weight
    found = drawn(heights, np.random.RandomState(3))
    draws = np.random.RandomState(3).uniform(size=n_tables)
    sums = np.cumsum(weight)
    np.testing.assert_array_equal(
        found, np.searchsorted(sums, draws * sums[-1], side="right")
    )


# ---- The order of rows ----


@pytest.mark.parametrize(("n_axes", "n_bits"), [(2, 8), (3, 5), (4, 4), (2, 1)])
def test_hilberts_curve_goes_to_every_cell_in_steps_of_one(n_axes, n_bits):
    axes = np.meshgrid(*[np.arange(2**n_bits)] * n_axes)
    cells = np.stack([axis.ravel() for axis in axes]).astype(np.uint16)
    places = places_on_curve(cells.copy(), n_bits)
    order = np.argsort(places)
    np.testing.assert_array_equal(places[order], np.arange(len(places)))
    steps = np.abs(np.diff(cells[:, order].astype(int), axis=1)).sum(axis=0)
    assert np.all(steps == 1)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_an_order_has_every_row_once_and_sees_no_units(n_features):
    X = np.random.RandomState(0).standard_normal((3000, n_features))
    X[:50] = X[50]  # ties
    order = near_order(X)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(X)))
    np.testing.assert_array_equal(near_order(np.exp(3 * X)), order)
    steps = np.abs(np.diff(X[order], axis=0)).mean()
    assert steps < np.abs(np.diff(X, axis=0)).mean() / 5
    assert len(near_order(np.zeros((7, n_features)))) == 7


def test_near_rows_are_the_same_rows():
    rng = np.random.RandomState(0)
    X, weight = rng.standard_normal((5000, 2)), rng.randint(0, 3, 5000).astype(float)
    rows = ArrayRows(X, weight)
    near = rows.near
    assert rows.near is near
    assert near.near is near
    assert (near.n_rows, near.total_weight) == (rows.n_rows, rows.total_weight)

    def term(block, scratch):
        return block.weight @ block.X

    np.testing.assert_allclose(near.add(term, 16), rows.add(term, 16), atol=1e-9)
    filled = near.fill(lambda X, scratch: X[:, 0] - X[:, 1], 16)
    np.testing.assert_array_equal(filled, X[:, 0] - X[:, 1])
