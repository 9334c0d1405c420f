"""What a column is: grids, heaps, atoms, discrete values, and no false alarms."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdensity.rows.columns import described
from skdensity.rows.distinct import merge_duplicates
from skdensity.rows.grids import explains, grid_step, paired
from skdensity.rows.heaps import HEAVY, heaps_on
from skdensity.rows.repeats import repeats_in, unit_of
from skdensity.rows.spread import middle_scatter, spread_of


def rng(seed=0):
    return np.random.default_rng(seed)


def repeats(X, weight=None):
    X = X[:, None] if X.ndim == 1 else X
    weight = np.ones(len(X)) if weight is None else weight
    locations, masses, *_ = merge_duplicates(X, weight)
    return repeats_in(locations, masses)


def column(x, weight=None):
    (found,) = repeats(x, weight).columns
    return found


def incomes(r, n=5000):
    """Most rounded to 10, one in ten to 500."""
    x = r.lognormal(7.5, 0.5, n)
    return np.where(r.random(n) < 0.1, 500 * (x / 500).round(), 10 * (x / 10).round())


def with_zeros(r, n=2000):
    return np.where(r.random(n) < 0.3, 0.0, r.gamma(2, 5, n))


CONTINUOUS = {
    "normal": lambda r, shape: r.normal(size=shape),
    "lognormal": lambda r, shape: r.lognormal(0, 1, shape),
    "wide": lambda r, shape: r.lognormal(0, 8, shape),
    "uniform": lambda r, shape: r.random(shape),
    "Cauchy": lambda r, shape: r.standard_cauchy(shape),
    "groups": lambda r, shape: np.where(
        r.random(shape) < 0.5, r.normal(size=shape), r.normal(6, 0.1, shape)
    ),
    "arcsine": lambda r, shape: r.beta(0.5, 0.5, shape),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_columns_are_continuous(name, dtype):
    for n in (2, 3, 5, 20, 100, 1000, 20_000):
        for seed in range(4):
            r = rng(seed)
            X = CONTINUOUS[name](r, (n, 1 + seed)).astype(dtype)
            for weight in (None, r.uniform(0.1, 3, n), r.lognormal(0, 1.5, n)):
                found = repeats(X, weight)
                assert [str(each) for each in found.columns] == ["continuous"] * (
                    1 + seed
                )
                assert not found.has_copies
                np.testing.assert_array_equal(found.left_out, found.masses)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("step", [0.1, 1.0, 0.25, 1e-7, 1e5])
@pytest.mark.parametrize("offset", [0.0, 0.03, 7.0, -20.0])
def test_the_step_of_a_grid_is_found(dtype, step, offset):
    x = (step * (np.round(10 * rng().normal(size=500)) + offset)).astype(dtype)
    found = repeats(x)
    # Values are off by half an ulp of 60 steps.
    tol = 200 * np.finfo(dtype).eps
    (each,) = found.columns
    assert each.kind == "grid"
    np.testing.assert_allclose(each.steps, [step], rtol=tol)
    np.testing.assert_allclose(each.least_width, step / 2, rtol=tol)
    assert found.n_rows == pytest.approx(500)


def test_the_number_of_steps_is_no_reason_to_stop_looking():
    x = np.append(rng().lognormal(7.5, 0.5, 30_000).round(), 1e9)
    assert column(x).steps == pytest.approx((1.0,))


@pytest.mark.parametrize("shift", [1e4, 1e6])
def test_numbers_of_few_bits_round_by_themselves(shift):
    x = (shift + rng().normal(size=5000)).astype(np.float32)
    assert column(x).steps == (float(np.spacing(np.float32(shift))),)


def test_rounding_errors_make_no_other_values():
    x = np.concatenate([np.arange(100) / 10, 0.1 * np.arange(100)])
    assert len(np.unique(x)) > 100
    assert column(x).n_values == 100
    assert column(x).steps == pytest.approx((0.1,))


@pytest.mark.parametrize(
    ("draw", "n_values"),
    [
        (lambda r: r.integers(0, 2, 200), 2),
        (lambda r: r.integers(1, 6, 500), 5),
        (lambda r: r.poisson(0.3, 500), 4),
        (lambda r: r.binomial(20, 0.5, 10_000), 18),
        (lambda r: r.choice([4, 6, 8], 32), 3),
    ],
)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_few_values_are_discrete(draw, n_values, scale):
    x = draw(rng()).astype(np.float64)
    found = column(scale * (x + 3))
    step = scale * np.median(np.diff(np.unique(x)))
    assert (found.kind, found.n_values) == ("discrete", n_values)
    assert found.least_width == pytest.approx(step / 2)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("decimals", [None, 1, 2])
def test_atoms_are_found_on_a_grid_or_not(scale, decimals):
    x = with_zeros(rng())
    x = scale * ((x if decimals is None else x.round(decimals)) + 7)
    found = repeats(x)
    (each,) = found.columns
    assert each.atoms == pytest.approx((7 * scale,))
    assert each.atom_share == pytest.approx(np.mean(x == 7 * scale), abs=0.02)
    assert each.kind == ("continuous" if decimals is None else "grid")
    # The atom is one place, and not a third of all rows.
    at = np.flatnonzero(np.isclose(np.unique(x), 7 * scale))
    assert found.masses[at] < 0.03


def test_clipped_values_are_atoms():
    x = np.clip(rng().normal(size=5000), -1.5, 2)
    assert sorted(column(x).atoms) == [-1.5, 2]
    assert sorted(column(x.round(2)).atoms) == [-1.5, 2]


def test_the_first_value_is_an_atom_by_what_is_beside_it_alone():
    values = np.sort(rng().normal(size=200))
    shared = np.r_[40, 15, np.full(198, 2)]
    assert column(np.repeat(values, shared)).atoms == (values[0],)


@pytest.mark.parametrize("n", [1000, 4000])
def test_clipped_values_are_atoms_on_a_coarse_grid(n):
    r = rng()
    ends = np.where(r.random(n) < 0.5, -1.5, 1.5)
    x = np.where(r.random(n) < 0.2, ends, r.uniform(-1.5, 1.5, n)).round(1)
    assert column(x).n_values < 40
    assert sorted(column(x).atoms) == [-1.5, 1.5]


def test_chance_makes_no_atom_in_a_thousand_columns():
    columns = np.random.default_rng(0).standard_normal((1000, 500)).round(1)
    found = [described(x, np.ones(500))[0].atoms for x in columns]
    # The rate is one at most: four or more have a probability of 0.02.
    assert sum(map(bool, found)) <= 3


def test_neighbours_that_are_rare_by_chance_make_no_atom():
    x = np.random.RandomState(0).standard_normal(500).round(1)
    values, counts = np.unique(x, return_counts=True)
    beside = counts[np.isin(values, [1.4, 1.5, 1.6])]
    np.testing.assert_array_equal(beside, [1, 12, 1])
    assert described(x, np.ones(500))[0].atoms == ()


def test_the_top_of_a_narrow_group_is_no_atom():
    x = load_iris().data[:, 3]
    assert np.bincount((10 * x).astype(int)).argmax() == 2
    assert column(x).atoms == ()


@pytest.mark.parametrize("n", [60, 100, 120, 140])
def test_next_to_a_gap_the_top_of_a_narrow_group_is_no_atom(n):
    x = load_iris().data[:, 3]
    found = [bool(column(rng(seed).choice(x, n, False)).atoms) for seed in range(100)]
    # Where both values beside .2 are hardly drawn, it cannot but look like one.
    assert np.mean(found) <= 0.01


def test_few_rows_that_coincide_are_an_atom_however_many_do_not():
    x = np.append(rng().normal(size=5000), np.full(8, -9999.0))
    found = repeats(x)
    assert found.columns[0].atoms == (-9999.0,)
    assert found.masses[0] == pytest.approx(1 / 5001)
    # What is left out is one row of eight.
    assert found.shares[0] == pytest.approx(1 / 8)
    np.testing.assert_array_equal(found.shares[1:], 1.0)


def test_where_atoms_cross_there_is_one_place_along_either_column():
    r = rng()
    X = np.where(r.random((4000, 2)) < 0.3, 0.0, r.normal(size=(4000, 2)).round(1))
    X = X.round(6)
    found = repeats(X)
    at = np.unique(X, axis=0)
    crossing = found.masses[np.all(at == 0, axis=1)]
    # As much as in other cells at the mode, within their noise.
    assert crossing < 3 * np.median(found.masses[np.all(np.abs(at) < 0.35, axis=1)])


def test_heaps_leave_no_wave():
    r = rng()
    x = r.uniform(0, 100, 200_000)
    x = np.where(r.random(len(x)) < 0.3, 5 * (x / 5).round(), x.round())
    masses = repeats(x).masses[3:98]
    numbers = np.arange(3, 98)
    # Each is a mean over 19 heaps of some 1,400 rows, and four times that.
    ratio = masses[numbers % 5 == 0].mean() / masses[numbers % 5 != 0].mean()
    assert ratio == pytest.approx(1, abs=4 / np.sqrt(19 * 1400))


def test_few_values_with_many_rows_have_as_many_rows():
    x = np.repeat(np.arange(1.0, 6), [396, 986, 1212, 994, 412])
    # All are even: half of the rows may be all there are.
    assert repeats(x).n_rows == pytest.approx(2000)


def test_a_heavier_row_is_one_row():
    r = rng()
    x, weight = 10 * r.normal(300, 80, 500).round(), r.uniform(0.5, 1.4, 500)
    found = repeats(x, weight)
    single = np.unique(x, return_counts=True)[1] == 1
    assert np.mean(found.shares[single] == 1) > 0.95
    assert np.mean(found.shares < 1) > 0.1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_two_grids_are_found(scale):
    found = column(scale * incomes(rng()))
    assert found.kind == "grid"
    assert found.steps == pytest.approx((10 * scale, 500 * scale))
    assert found.least_width == pytest.approx(5 * scale)


def test_ages_are_heaped():
    r = rng()
    x = r.normal(45, 15, 30_000)
    x = np.where(r.random(len(x)) < 0.3, 5 * (x / 5).round(), x.round())
    assert column(x).steps == pytest.approx((1, 5))


def test_prices_that_end_in_99_are_on_the_grid_of_most_of_them():
    r = rng()
    cents = np.where(r.random(30_000) < 0.7, 0.99, r.random(30_000).round(2))
    found = column(np.floor(r.lognormal(3, 0.8, 30_000)) + cents)
    assert found.steps == pytest.approx((0.01, 1))
    assert found.least_width == pytest.approx(0.5)


def test_prices_of_few_rows_are_on_no_finer_grid():
    # By chance, some end in 49: multiples of .5 have a few rows more.
    for seed in range(12):
        r = rng(seed)
        cents = np.where(r.random(500) < 0.7, 0.99, r.random(500).round(2))
        found = column(np.floor(r.lognormal(3, 0.8, 500)) + cents)
        assert found.steps == pytest.approx((0.01, 1))


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("n_drawn", [60, 300])
def test_rows_drawn_again_are_copies(n_features, n_drawn):
    # 1,000 rows rounded to .1 would have some 370 values.
    r = rng()
    rows = r.normal(170, 10, (n_drawn, n_features)).round(1)
    found = repeats(rows[r.integers(0, n_drawn, 1000)])
    assert found.has_copies
    assert not found.is_rounded
    np.testing.assert_array_equal(found.left_out, found.masses)


def test_rounded_rows_of_two_features_are_rounded():
    X = np.round(rng().normal(size=(1000, 2)) * [5, 50]) * [0.1, 100.0]
    found = repeats(X)
    assert found.is_rounded
    assert [each.steps for each in found.columns] == [
        pytest.approx((0.1,)),
        pytest.approx((100.0,)),
    ]
    assert found.n_rows == pytest.approx(1000)


def test_values_that_many_rows_share_without_a_grid_have_a_width():
    r = rng()
    sites = r.normal(size=60)
    X = np.column_stack([r.choice(sites, 1000), r.normal(size=1000)])
    site, other = repeats(X).columns
    # As wide as 60 rows of a Gaussian would have it.
    assert site.kind == "discrete"
    assert site.least_width == pytest.approx((4 / 3 / 60) ** 0.2, rel=0.3)
    assert other.kind == "continuous"


@pytest.mark.parametrize(
    "x",
    [
        with_zeros(rng()),
        with_zeros(rng()).round(1),
        incomes(rng()),
        rng().binomial(20, 0.5, 1000).astype(float),
        rng().choice(rng(1).normal(size=60), 1000),
    ],
    ids=["zeros", "rounded zeros", "heaps", "counts", "copies"],
)
def test_weights_are_repetition_in_any_unit_and_order(x):
    values, counts = np.unique(x, return_counts=True)
    order = rng().permutation(len(values))
    expected = repeats(x)
    for unit in (1.0, 1e-7):
        found = repeats(values[order], unit * counts[order])
        assert found.columns == expected.columns
        np.testing.assert_allclose(found.masses, expected.masses, rtol=1e-9)
        np.testing.assert_allclose(found.left_out, expected.left_out, rtol=1e-9)


@pytest.mark.parametrize("decimals", [1, 2])
def test_weights_on_a_grid_tell_how_many_rows_there_were(decimals):
    # Of rows with weights w, (Σ w)² / Σ w² are independent.
    for seed in range(5):
        r = rng(seed)
        x, weight = r.normal(size=2000).round(decimals), r.uniform(0.1, 3, 2000)
        expected = weight.sum() ** 2 / np.sum(weight**2)
        # Some 35 cells tell it to a third; heavy cells are left out, which is a bias.
        assert 1 / 1.7 < repeats(x, weight).n_rows / expected < 1.7


def test_weights_with_few_digits_are_no_counts():
    r = rng()
    x, weight = r.normal(size=2000).round(1), r.uniform(0.1, 3, 2000).round(2)
    assert repeats(x, weight).n_rows < 2 * 2000


@pytest.mark.parametrize("n_heavy", [1, 4, 5, 6])
def test_weights_far_above_all_others_are_copies_if_one_in_twenty_has_them(n_heavy):
    r = rng()
    masses = r.uniform(0.5, 2, 100)
    masses[:n_heavy] *= 1000
    n_rows = repeats_in(r.normal(size=(100, 2)), masses / masses.sum()).n_rows
    # Kish's number, of the locations or of the heavy ones.
    part = masses[n_heavy:] if n_heavy <= 5 else masses[:n_heavy]
    assert n_rows == pytest.approx(part.sum() ** 2 / (part @ part), rel=0.1)


@pytest.mark.parametrize("factor", [9.5, 10.5])
def test_weights_are_far_above_others_from_a_factor_of_ten_on(factor):
    r = rng()
    masses = r.uniform(1, 1.2, 100)
    masses[:3] = factor * masses[3:].max()
    n_rows = repeats_in(r.normal(size=(100, 2)), masses / masses.sum()).n_rows
    part = masses[3:] if factor > 10 else masses
    assert n_rows == pytest.approx(part.sum() ** 2 / (part @ part), rel=0.05)


def test_denormal_weights_are_silent():
    r = rng()
    weight = 10.0 ** r.uniform(-323, 0, 200)
    with np.errstate(all="raise", under="ignore"):
        found = repeats(r.normal(size=(200, 2)), weight)
    assert np.isfinite(found.n_rows)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (rng().normal(size=50), "Column(continuous)"),
        (np.full(50, 2.0), "Column(constant)"),
        (np.repeat([0.0, 1.0], 9), "Column(discrete, 2 values 1 apart)"),
        (rng().normal(size=500).round(1), "Column(grid, multiples of 0.1)"),
        (incomes(rng()), "Column(grid, multiples of 10 and 500)"),
        (
            np.append(np.zeros(25), rng().normal(size=75)),
            "Column(continuous, atoms at 0 (24% of the rows))",
        ),
    ],
)
def test_a_column_is_readable(x, text):
    found, part = described(x, np.ones(len(x)))
    assert repr(found) == text
    assert part.shape == x.shape


@pytest.mark.parametrize(
    "x",
    [
        incomes(rng()),
        with_zeros(rng()),
        np.maximum(rng().normal(size=3000), -1).round(2),
        np.clip(rng().normal(size=3000), -1, 1.5),
    ],
    ids=["heaps", "zeros", "an end on a grid", "both ends"],
)
def test_the_description_of_the_mirrored_column_is_mirrored(x):
    found, part = described(x, np.ones(len(x)))
    mirrored, same = described(-x, np.ones(len(x)))
    assert sorted(mirrored.atoms) == sorted(-atom for atom in found.atoms)
    assert part.min() < 0.2
    np.testing.assert_allclose(same, part, rtol=1e-12)


def test_the_step_is_a_common_divisor():
    assert grid_step(np.array([0.0, 6.0, 10.0, 25.0])) == 1
    assert grid_step(np.array([0.0, 6.0, 10.0, 24.0])) == 2
    assert grid_step(np.sqrt(np.arange(2.0, 50.0))) == 0


def test_rounding_explains_no_copies_in_cells_without_neighbours():
    assert not explains(2 * np.arange(9)[:, None], np.full(9, 50))


@pytest.mark.parametrize("n_features", [1, 2])
def test_pairs_of_cells_tell_what_rounding_explains(n_features):
    r = rng()
    X = np.round(4 * r.normal(size=(4000, n_features))).astype(int)
    numbers, counts = np.unique(X, axis=0, return_counts=True)
    assert explains(numbers, counts)
    # The squares of smooth counts are those of the counts without their own variance.
    expected = counts @ counts - counts.sum()
    assert paired(numbers, counts) == pytest.approx(expected, rel=0.15)
    assert not explains(7 * numbers, counts)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_a_heap_has_at_least_so_many_times_what_is_usual(excess):
    numbers, shared = np.arange(1000), np.full(1000, 4)
    shared[5::10] = HEAVY * 4 + excess
    assert heaps_on(numbers, shared)[0] == (10 if excess >= 0 else 0)


@pytest.mark.parametrize(("rows_at_a_heap", "is_one"), [(14.0, True), (13.98, False)])
def test_a_heap_stands_out_ten_times_as_far_as_others_differ(rows_at_a_heap, is_one):
    # Of the other remainders a third has 3, 4 or 5 rows at a number: half differ by 1.
    shared = np.tile([rows_at_a_heap, 3, 4, 5, 3, 4, 5, 3, 4, 5], 100)
    assert (heaps_on(np.arange(1000), shared)[0] == 10) == is_one


@pytest.mark.parametrize(("multiple", "found"), [(199, 199), (200, 200), (211, 0)])
def test_heaps_are_looked_for_up_to_a_step_of_200(multiple, found):
    numbers, shared = np.arange(20 * multiple), np.full(20 * multiple, 4)
    shared[7::multiple] = 100
    assert heaps_on(numbers, shared)[0] == found


def test_one_atom_is_no_heap():
    numbers, shared = np.arange(100), np.full(100, 5)
    shared[40] = 600
    assert heaps_on(numbers, shared)[0] == 0


def test_units_of_masses():
    assert unit_of(np.array([0.25, 0.5])) == pytest.approx(0.25)
    assert unit_of(np.array([217, 178, 105]) / 500) == pytest.approx(1 / 500)
    assert unit_of(rng().random(50)) == 0


def test_the_spread_is_that_of_the_middle():
    x = rng().normal(size=2001)
    masses = np.full(2002, 1 / 2002)
    outlier = spread_of(np.append(x, 1e9), masses)
    assert outlier == pytest.approx(1, rel=0.1)
    assert spread_of(1e6 * x - 5, masses[1:]) == pytest.approx(
        1e6 * spread_of(x, masses[1:])
    )
    # Where three quarters are one value, the deviation tells.
    ones = np.repeat([0.0, 1.0], [90, 10])
    assert spread_of(ones, np.full(100, 0.01)) == pytest.approx(ones.std(ddof=1))
    assert spread_of(np.ones(3), np.full(3, 1 / 3)) == 0


@pytest.mark.parametrize("n_features", [2, 5])
def test_the_middle_scatter_follows_rotations_and_leaves_outliers_out(n_features):
    r = rng()
    Z = r.normal(size=(3000, n_features))
    masses, none = np.full(3000, 1 / 3000), np.zeros((n_features, n_features))
    clean = middle_scatter(Z, masses, none)
    assert np.abs(clean - np.eye(n_features)).max() < 0.1
    Q, _ = np.linalg.qr(r.normal(size=(n_features, n_features)))
    np.testing.assert_allclose(
        middle_scatter(Z @ Q.T, masses, none), Q @ clean @ Q.T, atol=1e-8
    )
    Z[:90] += 1e6 * Q[0]
    assert np.abs(middle_scatter(Z, masses, none) - clean).max() < 0.25
