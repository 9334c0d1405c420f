"""Every public method of the five densities, on any problem.

A finite right answer, or an error that a docstring lists and the problem gives reason
for; nothing changed by either, and no warning of NumPy's.
"""

import pytest
from answers_of_densities import ANSWERS
from conftest import TYPES, UNTIED
from hypothesis import given
from hypothesis import strategies as st
from judged import attempted, public_methods
from problems import RECIPES
from profiles import share_of_examples
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

REG = ["auto", 0.0]
SHAPES = ["spherical", "diag", "full"]
N_COMPONENTS = [1, 2, 3]
# A few steps: what holds at an optimum holds on the way there.
DENSITIES = {
    GaussianMLE: [
        GaussianMLE(covariance_type=name, reg_covar=reg)
        for name in UNTIED
        for reg in REG
    ],
    CholeskyGaussian: [
        CholeskyGaussian(max_iter=15, tol=None, reg_covar=reg) for reg in REG
    ],
    LOOKernelDensity: [
        LOOKernelDensity(rule, covariance_type=shape)
        for rule in sorted(BANDWIDTHS)
        for shape in SHAPES
    ],
    EMGaussianMixture: [
        EMGaussianMixture(k, covariance_type=name, max_iter=15, random_state=0)
        for k in N_COMPONENTS
        for name in TYPES
    ],
    AdamGaussianMixture: [
        AdamGaussianMixture(
            k, covariance_type=name, max_iter=10, tol=None, random_state=0
        )
        for k in N_COMPONENTS
        for name in TYPES
    ],
}
METHODS = [(cls, name) for cls in DENSITIES for name in public_methods(cls)]


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_every_method_has_a_property(cls, name):
    assert name in ANSWERS


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_a_right_answer_or_a_documented_error(cls, name):
    n_properties = len(public_methods(cls))

    @share_of_examples(n_properties)
    @given(density=st.sampled_from(DENSITIES[cls]), recipe=RECIPES)
    def check(density, recipe):
        problem, density = recipe.made(), clone(density)
        fitted = attempted(
            problem, density, "fit", problem.X, sample_weight=problem.sample_weight
        )
        if fitted is not None:
            ANSWERS[name](problem, density)

    check()
