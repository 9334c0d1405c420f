"""The zoo: the estimators, the problems and the brute forces of many tests.

Problems are fixtures. Their arrays are read-only, since all tests share them.
"""

import sys
import warnings
from types import SimpleNamespace

import numpy as np
import profiles  # noqa: F401, registers those of hypothesis
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.datasets import make_gaussian_2d, make_mixture_1d
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import shared_moments
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.bandwidths.rules import BANDWIDTHS
from skdensity.solvers.loop import Solver
from skdensity.solvers.mixtures.em import m_step
from skdensity.solvers.mixtures.starts import STARTS

# Covariances of each component, or one for all, by what they hold.
TYPES = list(FAMILIES)
MATRICES = ("full", "tied")
ISOTROPIC = ("spherical", "tied_spherical")
TIED = ("tied", "tied_diag", "tied_spherical")
UNTIED = ("full", "diag", "spherical")  # all that one Gaussian can have

# The starts that look at the rows, which are those that EM knows.
STARTS_ON_ROWS = [name for name, start in STARTS.items() if not start.is_blind]

# ---- Estimators: small and fast, to be cloned before they are fitted ----

MIXTURES = [EMGaussianMixture, AdamGaussianMixture]
ONE_OF_EACH = [
    GaussianMLE(),
    CholeskyGaussian(tol=None, max_iter=50),
    LOOKernelDensity(),
    EMGaussianMixture(2, random_state=0),
    AdamGaussianMixture(2, random_state=0),
]
GAUSSIANS = [GaussianMLE(covariance_type=name) for name in UNTIED]
KERNELS = [LOOKernelDensity(bandwidth) for bandwidth in [*sorted(BANDWIDTHS), 0.5]]
KERNEL_SHAPES = [LOOKernelDensity(covariance_type=name) for name in ("diag", "full")]
BATCHES = [
    CholeskyGaussian(tol=None, max_iter=5, batch_size=8, random_state=0),
    AdamGaussianMixture(2, tol=None, max_iter=5, batch_size=20, random_state=0),
]


def of_every_type(estimator):
    """The estimator with covariances of every type."""
    return [clone(estimator).set_params(covariance_type=name) for name in TYPES]


# What scikit-learn's checks look at: options that change the fit, two components, and
# no more steps than show that a check holds.
COMMON = [
    *GAUSSIANS,
    *KERNELS,
    CholeskyGaussian(tol=None, max_iter=20),
    # Not a mixture: in batches a weight is not a repetition, which labels may show.
    CholeskyGaussian(tol=None, max_iter=5, batch_size=8),
    *of_every_type(EMGaussianMixture(2)),
    *of_every_type(AdamGaussianMixture(2, tol=None, max_iter=20)),
]
# One component, and fits as long as they are by default.
COMMON_SLOW = [
    CholeskyGaussian(),
    CholeskyGaussian(batch_size=8),
    *of_every_type(EMGaussianMixture()),
    *of_every_type(AdamGaussianMixture()),
    *of_every_type(AdamGaussianMixture(2)),
]
# The data of scikit-learn's checks are made to be awkward, not to converge on, and
# repeat rows to see that this is the same as weighting them: of a few of them a
# component is made.
ON_AWKWARD_DATA = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:LOOKernelDensity.*(coincide|serve both|Allowed|no structure):UserWarning",
    "ignore:.*GaussianMixture.*(reg_covar|coincide|best mixture has):UserWarning",
)


@pytest.fixture(params=ONE_OF_EACH, ids=repr)
def estimator(request):
    """One of each, unfitted."""
    return clone(request.param)


# ---- Problems ----


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.fixture(scope="session")
def iris():
    """150 rows of four correlated features, and a few copies among them."""
    return read_only(load_iris().data)


@pytest.fixture(scope="session")
def lecture_mixture():
    """The lecture's rows from three components in one dimension."""
    return read_only(make_mixture_1d()[0])


@pytest.fixture(scope="session")
def correlated_normals():
    """The lecture's rows from one Gaussian in two dimensions."""
    return read_only(make_gaussian_2d())


@pytest.fixture(scope="session")
def overlapping():
    """2,000 rows of components that overlap, where EM creeps."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((2000, 2)) + 1.5 * rng.randint(3, size=(2000, 1))
    return read_only(X)


# ---- Mixtures without an estimator ----


def mixture_of(name, n_features, distance=2.0):
    """Three components of a type, with means about `distance` from the origin."""
    family = FAMILIES[name]
    rng = np.random.RandomState(n_features)
    # Smaller entries for more features keep the condition number of L moderate.
    scale = 0.3 / max(1, n_features / 7)
    n_free = family.shape.n_parameters(3, n_features)
    free = scale * rng.standard_normal(n_free)
    means = distance * rng.standard_normal((3, n_features))
    cholesky = family.free.unravel(free, 3, n_features)
    return Mixture.from_cholesky(np.array([0.2, 0.3, 0.5]), means, cholesky, family)


def mixture_of_shares(X, shares, family, reg_covar=0.0):
    """The M-step of rows with given responsibilities (n_components, n_rows)."""
    moments = shared_moments(
        ArrayRows(X),
        len(shares),
        lambda block, scratch: shares[:, block.index],
        family.scatter,
    )
    mixture, n_revived = m_step(moments, family, reg_covar)
    assert n_revived == 0
    return mixture


# ---- A density of others ----


class Unsure(BaseEstimator):
    """A density that knows nothing of negative rows, and warns of few."""

    def fit(self, X, y=None):
        if len(X) < 5:
            warnings.warn("There are few rows.", ConvergenceWarning, stacklevel=2)
        self.n_features_in_ = X.shape[1]
        return self

    def score_samples(self, X):
        return np.where(X[:, 0] < 0, np.nan, -X[:, 0])


# ---- A solver without a model ----


class Counting(Solver):
    """A solver whose n-th value is a function of n."""

    def __init__(self, value):
        self.value = value

    def init(self, model=None):
        return SimpleNamespace(n=0, value=self.value(0))

    def step(self, state):
        return SimpleNamespace(n=state.n + 1, value=self.value(state.n + 1))

    def finished(self, state):
        return state.n, state.value


# ---- Brute forces ----


def dense_covariances(covariance_type, public, n_components, n_features):
    """A matrix for every component, from covariances in scikit-learn's shapes."""
    public = np.asarray(public, dtype=np.float64)
    if covariance_type in TIED:
        public = np.stack([public] * n_components)
    if covariance_type in MATRICES:
        return public
    return np.stack([np.diag(np.broadcast_to(c, n_features)) for c in public])


def scipys_log_joint(X, weights, means, covariances):
    """log π_k N(x_i | k), of shape (n_samples, n_components), from matrices."""
    components = zip(weights, means, covariances, strict=True)
    return np.stack(
        [
            np.log(weight) + multivariate_normal(mean, covariance).logpdf(X)
            for weight, mean, covariance in components
        ],
        axis=1,
    )


def stretched(covariance_type, scale):
    """What covariances are multiplied by when features are multiplied by `scale`.

    For one variance of all features, all of them must have the same scale.
    """
    if covariance_type in MATRICES:
        return np.outer(scale, scale)
    return scale[0] ** 2 if covariance_type in ISOTROPIC else scale**2


def central_differences(function, parameters):
    """Gradient of a function, by its values to both sides."""
    # The error of order 4 and a step of eps^(1/5) balance truncation and rounding.
    step = np.finfo(float).eps ** 0.2
    gradient = np.empty_like(parameters)
    for i in range(len(parameters)):
        e = np.zeros_like(parameters)
        e[i] = step
        near = function(parameters + e) - function(parameters - e)
        far = function(parameters + 2 * e) - function(parameters - 2 * e)
        gradient[i] = (8 * near - far) / (12 * step)
    return gradient


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
