"""Pictures of what was fitted to any problem: drawn without a warning, and closed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import RECIPES
from profiles import share_of_examples
from sklearn.base import clone
from uses import MIXTURE, ROBUST, attempted_call

import skdensity
from skdensity import (
    BandwidthDisplay,
    ConvergenceDisplay,
    DensityDisplay,
    GaussianMixtureSearch,
    LOOKernelDensity,
    MixtureDisplay,
    MixtureSearchDisplay,
)

SEARCH = GaussianMixtureSearch((1, 2), "full", random_state=0)
SCOTT, SEARCHED = LOOKernelDensity("scott"), LOOKernelDensity("loo")


def density_display(problem, density):
    features = list(range(min(problem.recipe.n_features, 2)))
    X = problem.X if np.isfinite(problem.float_values).all() else None
    return DensityDisplay.from_estimator(density, X, features=features, n_points=20)


def mixture_display(problem, density):
    features = list(range(min(problem.recipe.n_features, 2)))
    return MixtureDisplay.from_estimator(density, problem.X, features=features)


# For every class, how a picture comes from an estimator, and some that it shows.
PICTURES = {
    DensityDisplay: (density_display, [ROBUST, MIXTURE, SCOTT]),
    MixtureDisplay: (mixture_display, [MIXTURE]),
    BandwidthDisplay: (
        lambda problem, density: BandwidthDisplay.from_estimator(
            density, problem.X, rules=["scott"]
        ),
        [SEARCHED],
    ),
    ConvergenceDisplay: (
        lambda problem, density: ConvergenceDisplay.from_estimators({"this": density}),
        [MIXTURE],
    ),
    MixtureSearchDisplay: (
        lambda problem, search: MixtureSearchDisplay.from_estimator(search),
        [SEARCH],
    ),
}


def test_every_display_has_a_property():
    public = {name for name in skdensity.__all__ if name.endswith("Display")}
    assert {cls.__name__ for cls in PICTURES} == public


def look_at(display):
    """Have it drawn, with every axis somewhere."""
    display.figure_.canvas.draw()
    for ax in display.figure_.axes:
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


@pytest.mark.parametrize("cls", PICTURES)
def test_pictures_are_drawn_without_a_warning(cls):
    draw, estimators = PICTURES[cls]

    @share_of_examples(1)
    @given(RECIPES, st.sampled_from(estimators))
    def check(recipe, estimator):
        problem = recipe.made()
        fitted = attempted_call(
            problem,
            clone(estimator).fit,
            problem.X,
            sample_weight=problem.sample_weight,
        )
        if fitted is None:
            return
        try:
            display = attempted_call(problem, draw, problem, fitted)
            if display is None:
                return
            look_at(display)
            # Of a figure that is closed nothing is left.
            plt.close(display.figure_)
            look_at(display.plot())
            plt.close(display.figure_)
            assert not plt.get_fignums()
        finally:
            plt.close("all")

    check()
