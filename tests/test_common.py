"""scikit-learn's own checks, for every estimator and option that changes the fit."""

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.models.covariances import FAMILIES
from skdensity.solvers.bandwidths import BANDWIDTHS

ESTIMATORS = [
    *(GaussianMLE(covariance_type=name) for name in ("full", "diag", "spherical")),
    CholeskyGaussian(),
    CholeskyGaussian(batch_size=8),
    *(LOOKernelDensity(bandwidth) for bandwidth in [*sorted(BANDWIDTHS), 0.5]),
    *(EMGaussianMixture(k, covariance_type=name) for k in (1, 2) for name in FAMILIES),
    *(
        AdamGaussianMixture(k, covariance_type=name)
        for k in (1, 2)
        for name in FAMILIES
    ),
]

pytestmark = pytest.mark.filterwarnings(
    # The generator's data are made to be awkward, not to converge on.
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # They repeat rows to see that this is the same as weighting them.
    "ignore:LOOKernelDensity.*coincide:UserWarning",
)


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize(
    "check", [check_param_validation, check_dataframe_column_names_consistency]
)
def test_checks_that_the_generator_leaves_out(estimator, check):
    check(type(estimator).__name__, estimator)
