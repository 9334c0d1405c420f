"""A warning names the columns whose kernels would be narrower without a floor."""

import re
import warnings

import numpy as np
import pytest

from skdensity import LOOKernelDensity
from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.shapes import SHAPES
from skdensity.passes.workspace import Workspace
from skdensity.rows.repeats import Repeats, repeats_in
from skdensity.solvers.bandwidths.problem import Problem, reference
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

RULES = sorted(BANDWIDTHS)
# Their bandwidth does not depend on the floor.
WITHOUT_SEARCH = [name for name in RULES if not BANDWIDTHS[name].searches]


def table(kind, n=200):
    """Rows with discrete columns."""
    r = np.random.default_rng(3)
    x, y = r.normal(size=(2, n))
    return {
        "zeros and ones": np.c_[r.integers(0, 2, n), x],
        "zeros and ones behind": np.c_[x, r.integers(0, 2, n)],
        "few values, correlated": np.c_[x, np.round(x + 0.7 * y)],
        "many values, correlated": np.c_[x, np.round(9 * x + 5 * y)],
        "a fine and a coarse one": np.c_[r.integers(0, 90, n), r.integers(0, 4, n), x],
        "two correlated": np.c_[np.round(x + y), y, np.round(x - y)],
        "wide": np.c_[np.round(30 * x), y],
        "none": np.c_[x, y],
    }[kind]


KINDS = [
    "zeros and ones",
    "zeros and ones behind",
    "few values, correlated",
    "many values, correlated",
    "a fine and a coarse one",
    "two correlated",
    "wide",
    "none",
]


def fitted(X, bandwidth, covariance_type):
    """The density, and the widths at which it says that columns were held."""
    density = LOOKernelDensity(bandwidth, covariance_type=covariance_type)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        density.fit(X)
    text = " ".join(str(each.message) for each in caught)
    named = re.findall(r"column (\d) \([^()]*held at a width of ([\d.e+-]+)\)", text)
    assert text.count("held at") == len(named)
    return density, {int(column): float(width) for column, width in named}


def widths_without_floor(density):
    """Those of the factor that the rule takes, of the reference."""
    locations, masses = density.locations_, density.weights_
    repeats = repeats_in(locations, masses)
    kernel = reference(locations, repeats, SHAPES[density.covariance_type])
    with Workspace(1) as workspace, workspace:
        problem = Problem.of(Kernels(locations, masses, kernel), repeats, workspace)
        factor = BANDWIDTHS[density.bandwidth].trials(problem)[-1].bandwidth
    return factor * kernel.deviations


@pytest.mark.parametrize("bandwidth", WITHOUT_SEARCH)
@pytest.mark.parametrize("covariance_type", ["diag", "full"])
@pytest.mark.parametrize("kind", KINDS)
def test_those_are_named_that_the_floor_makes_wider(bandwidth, covariance_type, kind):
    X = table(kind)
    density, named = fitted(X, bandwidth, covariance_type)
    widths = np.sqrt(np.diag(density.covariance_))
    wider = widths > (1 + 1e-6) * widths_without_floor(density)
    assert sorted(named) == list(np.flatnonzero(wider))
    for column, width in named.items():
        assert width == pytest.approx(widths[column], rel=5e-3)
        assert width >= density.columns_[column].least_width * 0.995


@pytest.mark.parametrize("covariance_type", ["diag", "full"])
@pytest.mark.parametrize("kind", KINDS)
def test_loo_names_those_that_a_lower_floor_makes_narrower(
    covariance_type, kind, monkeypatch
):
    X = table(kind)
    density, named = fitted(X, "loo", covariance_type)
    floor = Repeats.least_widths.fget
    monkeypatch.setattr(
        Repeats, "least_widths", property(lambda each: 0.95 * floor(each))
    )
    lower, _ = fitted(X, "loo", covariance_type)
    # What is held is the width given the features before.
    here, there = (
        np.diag(np.linalg.cholesky(each.covariance_)) for each in (density, lower)
    )
    ratios, is_named = there / here, np.isin(np.arange(X.shape[1]), list(named))
    # They end at the lower floor, or before; others may change with them.
    assert np.all((ratios[is_named] > 0.949) & (ratios[is_named] < 0.999))
    assert np.all(ratios[~is_named] > 0.96)


@pytest.mark.parametrize("bandwidth", RULES)
@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
@pytest.mark.parametrize("column", [0, 1])
def test_every_rule_says_that_zeros_and_ones_were_held(
    bandwidth, covariance_type, column
):
    X = table("zeros and ones" if column == 0 else "zeros and ones behind")
    _, named = fitted(X, bandwidth, covariance_type)
    assert named == {column: pytest.approx(0.5, rel=5e-3)}
