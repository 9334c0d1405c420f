"""The peers of the kernel density: how each evaluates, and how each chooses h.

All but scikit-learn and SciPy are imported only when they are called, and need not be
installed.
"""

from functools import cache, partial

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import gaussian_kde
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KernelDensity

from benchmarks.common.environment import installed
from benchmarks.common.turns import timed
from benchmarks.kernel.problems import draw

# A grid for scikit-learn's search; the optima of the problems lie within.
BANDWIDTHS = np.geomspace(0.02, 1.0, 20)


def evaluators(n_features):
    """For each peer, what makes a log-density of rows and a bandwidth."""
    peers = {"scikit-learn": scikit_learn, "SciPy": scipy_kde}
    if installed("statsmodels"):
        peers["statsmodels"] = statsmodels_kde
    if installed("KDEpy"):
        peers["KDEpy `TreeKDE`"] = kdepy_tree
        if n_features <= 2:
            peers["KDEpy `FFTKDE`, interpolated"] = kdepy_grid
    return peers


def scikit_learn(X, bandwidth):
    """Trees, with the defaults: no tolerance."""
    return KernelDensity(bandwidth=bandwidth).fit(X).score_samples


def scipy_kde(X, bandwidth):
    """All pairs. Kernels have the shape of the data, and `bandwidth` on average."""
    scale = np.linalg.det(np.cov(X.T).reshape(2 * [X.shape[1]])) ** (0.5 / X.shape[1])
    density = gaussian_kde(X.T, bw_method=bandwidth / scale)
    return lambda queries: density.logpdf(queries.T)


def statsmodels_kde(X, bandwidth):
    """All pairs."""
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    n_features = X.shape[1]
    density = KDEMultivariate(X, "c" * n_features, bw=[bandwidth] * n_features)
    return lambda queries: _log(density.pdf(queries))


def kdepy_tree(X, bandwidth):
    """Trees, with an absolute tolerance."""
    from KDEpy import TreeKDE

    density = TreeKDE(bw=bandwidth).fit(X)
    return lambda queries: _log(density.evaluate(queries))


def kdepy_grid(X, bandwidth):
    """A grid by Fourier transform, and between its points a straight line."""
    from KDEpy import FFTKDE

    density = FFTKDE(bw=bandwidth).fit(X)
    n_points = (16_384,) if X.shape[1] == 1 else (1_024, 1_024)

    def log_density(queries):
        grid, values = density.evaluate(n_points)
        axes = [np.unique(axis) for axis in grid.reshape(len(grid), -1).T]
        values = values.reshape(n_points)
        between = RegularGridInterpolator(
            axes, values, bounds_error=False, fill_value=0
        )
        return _log(between(queries))

    return log_density


def _log(density):
    with np.errstate(divide="ignore"):
        return np.log(density)


def grid_search(X, bandwidths=BANDWIDTHS, n_splits=5):
    """The bandwidth that scikit-learn's cross-validation prefers."""
    folds = KFold(n_splits, shuffle=True, random_state=0)
    search = GridSearchCV(KernelDensity(), {"bandwidth": bandwidths}, cv=folds)
    return search.fit(X).best_params_["bandwidth"]


@cache
def timed_grid_search(n_samples, n_features):
    """Seconds of a search and what it chose; one turn, which all tables share."""
    return timed(partial(grid_search, draw(n_samples, n_features)))


def cv_ml(X, bw="cv_ml"):
    """The bandwidths that maximise statsmodels' leave-one-out likelihood."""
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    return KDEMultivariate(X, "c" * X.shape[1], bw=bw).bw


def normal_reference(X):
    """statsmodels' default, a rule of thumb."""
    return cv_ml(X, "normal_reference")


def kdepy_isj(X):
    """KDEpy's improved Sheather–Jones."""
    from KDEpy.bw_selection import improved_sheather_jones

    return improved_sheather_jones(X)


def kdepy_silverman(X):
    """KDEpy's rule of Silverman."""
    from KDEpy.bw_selection import silvermans_rule

    return silvermans_rule(X)
