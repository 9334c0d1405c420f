"""Every public method of what is built on densities, on any problem.

A finite right answer, or an error that a docstring lists and the problem gives reason
for; nothing changed by either, and no warning of NumPy's.
"""

import pytest
from answers_of_uses import ANSWERS
from hypothesis import given
from hypothesis import strategies as st
from judged import public_methods
from profiles import share_of_examples
from sklearn.base import clone
from uses import USES, attempted, fit_arguments, recipes_for

import skdensity

# Oracles ask what is inside by arrays; what is asked by a user's rows is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")
METHODS = [(cls, name) for cls in USES for name in public_methods(cls)]


def test_every_estimator_with_a_density_inside_is_tried():
    public = map(vars(skdensity).get, skdensity.__all__)
    estimators = {cls for cls in public if hasattr(cls, "fit")}
    inside = {cls for cls in estimators if ".uses." in cls.__module__}
    assert inside == set(USES)


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_every_method_has_a_property(cls, name):
    assert (cls, name) in ANSWERS


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_a_right_answer_or_a_documented_error(cls, name):
    @share_of_examples(len(public_methods(cls)))
    @given(data=st.data(), estimator=st.sampled_from(USES[cls]))
    def check(data, estimator):
        problem = data.draw(recipes_for(estimator)).made()
        estimator = clone(estimator)
        args, kwargs = fit_arguments(problem, estimator)
        if attempted(problem, estimator, "fit", *args, **kwargs) is not None:
            ANSWERS[cls, name](problem, estimator)

    check()
