"""Orders in which rows that follow each other are near each other."""

import numpy as np
import pytest

from skdensity.rows.near import compact_order, near_order, places_on_curve


@pytest.mark.parametrize(
    ("n_axes", "n_bits"), [(1, 4), (2, 1), (2, 5), (3, 1), (3, 3), (4, 4), (8, 2)]
)
def test_the_curve_goes_through_all_cells_from_neighbour_to_neighbour(n_axes, n_bits):
    cells = np.indices((2**n_bits,) * n_axes).reshape(n_axes, -1)
    places = places_on_curve(cells.astype(np.uint16), n_bits)
    order = np.argsort(places)
    np.testing.assert_array_equal(places[order], np.arange(cells.shape[1]))
    steps = np.abs(np.diff(cells[:, order], axis=1))
    np.testing.assert_array_equal(steps.sum(axis=0), 1)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_the_order_sees_no_units_and_no_far_rows(n_features):
    X = np.random.RandomState(0).standard_normal((500, n_features))
    order = near_order(X)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(X)))
    np.testing.assert_array_equal(near_order(np.sinh(5 * X) * 1e-3), order)


@pytest.mark.parametrize("length", [1, 7, 16, 300])
def test_blocks_of_rows_are_full_and_compact(length):
    X = np.random.RandomState(0).standard_normal((256, 3))
    order = compact_order(X, length)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(X)))
    blocks = np.split(order, range(length, len(X), length))
    assert {len(block) for block in blocks[:-1]} <= {length}
    # Their boxes do not overlap.
    volumes = [np.ptp(X[block], axis=0).prod() for block in blocks]
    assert sum(volumes) <= np.ptp(X, axis=0).prod()
