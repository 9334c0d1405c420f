"""The checks of `skdensity.testing`, one by one, of all that is a density."""

import re

import numpy as np
import pytest
import sklearn
from conftest import (
    GAUSSIANS,
    KERNEL_SHAPES,
    KERNELS,
    of_every_type,
)
from scipy.stats import gaussian_kde, multivariate_normal
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.fixes import parse_version

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityClassifier,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    LOOKernelDensity,
    TransformedDensity,
)
from skdensity.testing import parametrize_with_density_checks
from skdensity.testing.of_parts import check_density_nan_is_marginal
from skdensity.testing.table import EQUIVARIANCES

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")


class OneGroup(DensityMixin, BaseEstimator):
    """The rows of one group, given that they are of it, by a regressor."""

    def __init__(self, regressor):
        self.regressor = regressor

    def fit(self, X, y, sample_weight=None):
        group = np.asarray(y, dtype=np.float64)[:, None]
        self.regressor_ = clone(self.regressor).fit(group, X, sample_weight)
        return self

    def score_samples(self, X):
        return self.regressor_.log_density(np.ones((len(X), 1), X.dtype), X)

    def score(self, X, y=None):
        return self.score_samples(X).mean()

    def sample(self, n_samples=1, random_state=None):
        return self.regressor_.sample_y(np.ones((1, 1)), n_samples, random_state)[0].T

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


class OfScipy(DensityMixin, BaseEstimator):
    """What SciPy's densities have, by the names of scikit-learn's."""

    def score_samples(self, X):
        return np.atleast_1d(self.density_.logpdf(np.asarray(X).T))

    def score(self, X, y=None):
        return self.score_samples(X).mean()


class ScipyKernels(OfScipy):
    def fit(self, X, y=None, sample_weight=None):
        self.density_ = gaussian_kde(np.asarray(X).T, weights=sample_weight)
        return self

    def sample(self, n_samples=1, random_state=None):
        return self.density_.resample(n_samples, seed=random_state).T


class ScipyNormal(OfScipy):
    def fit(self, X, y=None):
        self.density_ = multivariate_normal(*multivariate_normal.fit(X))
        return self

    def score_samples(self, X):
        return np.atleast_1d(self.density_.logpdf(X))

    def sample(self, n_samples=1, random_state=None):
        drawn = self.density_.rvs(n_samples, random_state=random_state)
        return drawn.reshape(n_samples, -1)


def printed(estimator):
    return re.sub(r"\s", "", repr(estimator))


# ---- What is asked ----

# Changes of coordinates that fits do not follow, by what estimators print.
NOT_FOLLOWED = {
    # It sets out from the standard normal, and its steps have a length.
    "^CholeskyGaussian": {"translation", "scale"},
    # Both step along the entries of triangles, which other axes would change, and stop
    # near the optimum; with `tol=None` the former goes on to rounding.
    r"^CholeskyGaussian\(\)": {"rotation", "feature_order"},
    "^AdamGaussianMixture": {"rotation", "feature_order"},
    # A number has a unit.
    r"bandwidth=\d|bandwidth':\[|^KernelDensity\(\)": {"scale"},
    # A width for each feature, independent features, or a spread by feature.
    "diag|isj|robust_loo": {"rotation"},
    "StandardScaler.*LOOKernel|LOOKernel.*StandardScaler": {"rotation"},
    # It integrates over a sequence whose coordinates are not alike.
    "robust_loo": {"feature_order"},
    "PowerTransformer": {"translation", "scale", "rotation"},
    r"^Pipeline\(.*StandardScaler": {"rotation"},
}


def followed(estimator):
    """Equivariances that hold: all but those that are named above."""
    found = [
        names
        for pattern, names in NOT_FOLLOWED.items()
        if re.search(pattern, printed(estimator))
    ]
    return [name for name in EQUIVARIANCES if name not in set().union(*found)]


NO_WEIGHTS = "its fit takes no weights, so that unequal ones are an error"
NO_JACOBIAN = "a pipeline scores transformed rows, without the Jacobian"
NO_SEED = "its sample takes no random_state; scikit-learn #10539"
REGULARISED = "reg_covar is added to variances in whatever unit; no thread found"
IN_FLOAT64 = "log-densities are float64, whatever the rows are; no thread found"
IN_FLOAT64_ONCE = "log-densities were float64 before 1.7; scikit-learn #30415"
IS_OLD = parse_version(sklearn.__version__) < parse_version("1.7")
AS_SCIPY = "weights are not counts, by design; SciPy #23943"
UNCHECKED = "NumPy warns of infinities before they are refused; no thread found"

# Checks that fail, and why, by what estimators print. Threads are of their projects.
EXPECTED = {
    "^EMGaussianMixture.*init_params": {
        "check_density_row_order": (
            "these starts draw rows by number, where all rows count the same, so that "
            "seeds mean what they mean in scikit-learn"
        ),
    },
    "PowerTransformer": {
        "check_density_weights_repeat": NO_WEIGHTS,
        "check_density_weight_zero": NO_WEIGHTS,
    },
    r"^Pipeline\(.*StandardScaler": {
        "check_density_integrates_to_one": NO_JACOBIAN,
        "check_density_scale": NO_JACOBIAN,
        "check_density_bad_input": "scalers forget, and then look at rows",
    },
    "^(Bayesian)?GaussianMixture\\(": {
        "check_density_sample_seed": NO_SEED,
        "check_density_scale": REGULARISED,
    },
    "^GaussianMixture": {"check_density_float32": IN_FLOAT64_ONCE} if IS_OLD else {},
    "^BayesianGaussianMixture": {
        "check_density_integrates_to_one": (
            "expected log-densities, whose exponentials have a smaller integral; "
            "scikit-learn #4267, #10148"
        ),
        "check_density_float32": IN_FLOAT64,
    },
    "^KernelDensity": {
        "check_density_score": "a sum, not a mean; see scikit-learn #16939",
        "check_density_float32": IN_FLOAT64,
        "check_density_weight_zero": (
            "the logarithm of zero weights is taken; see scikit-learn #10803"
        ),
    },
    "^KernelDensity.*(scott|silverman)": {
        "check_density_scale": (
            "rules do not ask for the spread of rows; scikit-learn #25623, #26658"
        ),
        "check_density_weights_repeat": (
            "rules count rows without their weights; see scikit-learn #27971"
        ),
        "check_density_bad_input": (
            "the bandwidth is set, and then rows are looked at; no thread found"
        ),
    },
    "^ScipyKernels": {
        "check_density_float32": IN_FLOAT64,
        "check_density_weights_repeat": AS_SCIPY,
        "check_density_bad_input": UNCHECKED,
    },
    "^ScipyNormal": {
        "check_density_float32": IN_FLOAT64,
        "check_density_bad_input": UNCHECKED,
    },
}


def failing(estimator):
    """Checks that are expected to fail, with reasons."""
    found = {}
    for pattern, reasons in EXPECTED.items():
        if re.search(pattern, printed(estimator)):
            found |= reasons
    return found


ASKED = {"equivariances": followed, "expected_failed_checks": failing}

# ---- Ours ----

OURS = [
    *GAUSSIANS,
    CholeskyGaussian(tol=None),
    *KERNELS,
    *KERNEL_SHAPES,
    *of_every_type(EMGaussianMixture(3, random_state=0)),
    AdamGaussianMixture(2, random_state=0),
    TransformedDensity(StandardScaler(), GaussianMLE()),
    TransformedDensity(PowerTransformer(), GaussianMLE()),
    TransformedDensity(
        make_pipeline("passthrough", StandardScaler()), LOOKernelDensity()
    ),
    TransformedDensity(density=EMGaussianMixture(2, random_state=0)),
    GaussianMixtureSearch([1, 2], "full"),
    DensityClassifier(),
    DensityClassifier(LOOKernelDensity()),
    DensityOutlierDetector(GaussianMLE(), novelty=True),
    OneGroup(DensityRegressor(GaussianMLE())),
    make_pipeline("passthrough", GaussianMLE()),
    make_pipeline(StandardScaler(), GaussianMLE()),
    GridSearchCV(LOOKernelDensity(), {"bandwidth": [0.5, 1.0]}, cv=2),
]
OURS_SLOW = [
    CholeskyGaussian(),
    LOOKernelDensity(algorithm="nufft"),
    *of_every_type(EMGaussianMixture()),
    *(
        EMGaussianMixture(2, init_params=start, max_iter=1000)
        for start in ("k-means++", "random", "random_from_data")
    ),
    *of_every_type(AdamGaussianMixture()),
    *of_every_type(AdamGaussianMixture(3, random_state=0)),
    TransformedDensity(StandardScaler()),
    GaussianMixtureSearch([1, 2, 3]),
    DensityClassifier(EMGaussianMixture(2)),
    DensityOutlierDetector(novelty=True),
    OneGroup(DensityRegressor()),
    OneGroup(DensityRegressor(LOOKernelDensity(covariance_type="diag"))),
    GridSearchCV(EMGaussianMixture(random_state=0), {"n_components": [1, 2]}, cv=3),
]


@parametrize_with_density_checks(OURS, **ASKED)
def test_ours(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_density_checks(OURS_SLOW, **ASKED)
def test_ours_in_more_options(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [LOOKernelDensity(), TransformedDensity(StandardScaler(), LOOKernelDensity())],
    ids=printed,
)
def test_kernels_integrate_nan_out_though_their_fit_takes_none(estimator):
    check_density_nan_is_marginal(estimator)


# ---- Theirs ----

# Of Gaussian kernels: integrals take smooth densities for granted.
THEIRS = [
    GaussianMixture(),
    *(
        GaussianMixture(2, covariance_type=name)
        for name in ("full", "tied", "diag", "spherical")
    ),
    BayesianGaussianMixture(n_components=2),
    KernelDensity(),
    KernelDensity(bandwidth="scott"),
    KernelDensity(bandwidth="silverman"),
    ScipyKernels(),
    ScipyNormal(),
]


@parametrize_with_density_checks(THEIRS, **ASKED, xfail_strict=True)
def test_theirs(estimator, check):
    check(estimator)
