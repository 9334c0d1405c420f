"""The problems are what their recipes say."""

import numpy as np
import pytest
from hypothesis import given, settings
from problems import HARMLESS, KINDS, RECIPES
from profiles import share_of_examples

from skdensity import GaussianMLE
from skdensity.densities.tables.checked_table import checked_table


@given(RECIPES)
def test_a_recipe_gives_the_same_rows_again(recipe):
    np.testing.assert_array_equal(recipe.made().values, recipe.made().values)
    np.testing.assert_array_equal(recipe.made().weight, recipe.made().weight)


@given(RECIPES)
def test_layouts_and_containers_hold_the_same_values(recipe):
    problem = recipe.made()
    table = checked_table(GaussianMLE(), problem.X, ensure_all_finite="allow-nan")
    np.testing.assert_array_equal(table, problem.values.astype(table.dtype))


@given(RECIPES)
def test_values_are_finite_but_for_what_is_missing(recipe):
    problem = recipe.made()
    assert not np.isinf(problem.values).any()
    assert not np.isnan(problem.values[0].astype(float)).any()
    assert np.isfinite(problem.queries).all()
    assert recipe.missing or not np.isnan(problem.values.astype(float)).any()


@pytest.mark.parametrize("kind", HARMLESS)
def test_harmless_kinds_are_in_general_position(kind):
    @given(KINDS[kind])
    def check(recipe):
        assert recipe.in_general_position
        problem = recipe.made()
        assert len(np.unique(problem.values, axis=0)) == recipe.n_rows

    check()


def test_a_class_has_its_share_of_examples():
    assert 4 * share_of_examples(4).max_examples >= settings().max_examples
    assert share_of_examples(10**6).max_examples >= 10
