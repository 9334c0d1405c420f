"""scikit-learn's generator of checks, for every estimator and option of a fit."""

import pytest
from conftest import COMMON, COMMON_SLOW, ON_AWKWARD_DATA
from sklearn.utils.estimator_checks import parametrize_with_checks

pytestmark = ON_AWKWARD_DATA


@parametrize_with_checks(COMMON)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(COMMON_SLOW)
def test_scikit_learn_checks_of_default_fits(estimator, check):
    check(estimator)
