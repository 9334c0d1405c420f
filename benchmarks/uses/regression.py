"""Conditioned densities as regressions: coverage of intervals, and time.

Usage: python -m benchmarks.uses.regression [--repeats 3] [--only coverage] [--write]

A turn of the tables is a cross-validation in ten folds, shuffled by its own seed.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from benchmarks.common.checks import checked, difference
from benchmarks.common.command import run
from benchmarks.common.report import factor, seconds, size
from benchmarks.common.turns import take_turns, timed
from skdensity import (
    DensityRegressor,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

LEVELS = 0.5, 0.8, 0.9, 0.95
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn")
NOTE = """\
Intervals have equal tails, and are of rows that no fit has seen. `DensityRegressor()`
is a mixture with the number of components of the least BIC, everything is at its
defaults but for what the name says, and figures are means over {repeats} turns. Times
are medians of as many turns."""
# Shapes of the times: features, components.
SHAPES = (1, 2), (3, 3), (10, 5), (10, 30), (30, 10)
N_ROWS = 100_000


class ByQuantiles:
    """A boosted regression for every quantile, and one for the mean."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, X, y):
        """Fit all of them."""
        tails = [0.5 + sign * level / 2 for level in LEVELS for sign in (-1, 1)]
        make = partial(HistGradientBoostingRegressor, random_state=self.seed)
        self.mean = make().fit(X, y)
        self.each = {
            q: make(loss="quantile", quantile=q).fit(X, y) for q in [*tails, 0.5]
        }
        return self

    def predict(self, X):
        """Means."""
        return self.mean.predict(X)

    def predict_quantiles(self, X, q):
        """Quantiles that were fitted to."""
        return np.column_stack([self.each[share].predict(X) for share in q])


class ByDeviations:
    """A regression that tells a standard deviation: Gaussian quantiles."""

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit(self, X, y):
        """Fit it."""
        self.regressor.fit(X, y)
        return self

    def predict(self, X):
        """Means."""
        return self.regressor.predict(X)

    def predict_quantiles(self, X, q):
        """Those of a Gaussian."""
        mean, std = self.regressor.predict(X, return_std=True)
        return mean[:, None] + std[:, None] * norm.ppf(q)

    def log_density(self, X, y):
        """That of a Gaussian."""
        return norm(*self.regressor.predict(X, return_std=True)).logpdf(y)


def process(seed: int) -> ByDeviations:
    """A Gaussian process with noise."""
    kernel = RBF(0.1) + WhiteKernel(0.5)
    return ByDeviations(
        GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
    )


CONTENDERS: dict[str, Callable[[int], Any]] = {
    "DensityRegressor()": lambda seed: DensityRegressor(random_state=seed),
    "… of one Gaussian": lambda seed: DensityRegressor(GaussianMLE()),
    "… of kernels": lambda seed: DensityRegressor(
        LOOKernelDensity(covariance_type="full")
    ),
    "BayesianRidge": lambda seed: ByDeviations(BayesianRidge()),
    "Gaussian process": process,
    "boosted quantiles": ByQuantiles,
}
COLUMNS = (
    "regression, R², nats per row, "
    + ", ".join(f"within {level:.0%}" for level in LEVELS)
    + ", width of 90%"
)


def scores(contender: Any, seen: tuple, fresh: tuple) -> np.ndarray:
    """R², mean log-density, coverages, and width of the 90 % interval."""
    X, y = fresh
    fitted = contender.fit(*seen)
    tails = [0.5 + sign * level / 2 for level in LEVELS for sign in (-1, 1)]
    ends = fitted.predict_quantiles(X, tails).reshape(len(X), len(LEVELS), 2)
    is_within = (ends[..., 0] <= y[:, None]) & (y[:, None] <= ends[..., 1])
    width = np.diff(ends[:, LEVELS.index(0.9)], axis=1).mean()
    nats = np.nan
    if hasattr(fitted, "log_density"):
        nats = fitted.log_density(X, y).mean()
    return np.array(
        [r2_score(y, fitted.predict(X)), nats, *is_within.mean(axis=0), width]
    )


def row_of(report, name, found):
    """A row of a table of coverages."""
    r2, nats, *within, width = found
    report.row(
        name,
        f"{r2:.3f}",
        f"{nats:.3f}" if np.isfinite(nats) else "–",
        *(f"{share:.1%}" for share in within),
        f"{width:.3g}",
    )


def coverage(report, repeats):
    """Coverage on the diabetes data."""
    X, y = load_diabetes(return_X_y=True)
    report.table(
        "Diabetes",
        f"{size(X)}, ten folds. Of fresh rows, how many are within intervals of 50 to "
        "95 %; the mean width of those of 90 %; and how good predicted distributions "
        "are, as the mean of log p(y | x).",
        COLUMNS,
    )
    for name, make in CONTENDERS.items():
        found = [
            scores(make(seed), (X[a], y[a]), (X[b], y[b]))
            for seed in range(repeats)
            for a, b in KFold(10, shuffle=True, random_state=seed).split(X)
        ]
        row_of(report, name, np.mean(found, axis=0))


def two_answers(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets near x or near −x, with noise that grows."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(0.5, 3, size=n)
    sign = np.where(rng.uniform(size=n) < 0.3, -1, 1)
    return x[:, None], sign * x + 0.1 * (1 + x) * rng.standard_normal(n)


def bimodal(report, repeats):
    """Coverage where there are two answers."""
    report.table(
        "Two answers",
        "y is near x for seven rows of ten and near −x for the others, with a noise of "
        "0.1 (1 + x): 5,000 rows to fit to, 40,000 fresh ones. Who knows one spread "
        "for all rows, or one bump, covers by being wide.",
        COLUMNS,
    )
    # Of 5,000 rows a process takes minutes, and so do the quantiles of kernels.
    slow = "Gaussian process", "… of kernels"
    makers = {name: make for name, make in CONTENDERS.items() if name not in slow}
    makers["… of 8 components"] = lambda seed: DensityRegressor(
        EMGaussianMixture(8, random_state=seed)
    )
    for name, make in makers.items():
        found = [
            scores(
                make(seed), two_answers(5000, seed), two_answers(40_000, 1000 + seed)
            )
            for seed in range(repeats)
        ]
        row_of(report, name, np.mean(found, axis=0))


def least_squares(report, repeats):
    """One joint Gaussian is least squares."""
    report.table(
        "One Gaussian is least squares",
        "Largest differences from `LinearRegression` on the diabetes data, relative to "
        "the largest value; the script ends if one is above 1e-10.",
        "coefficients, predictions, variance and RSS / n",
    )
    X, y = load_diabetes(return_X_y=True)
    ols, ours = LinearRegression().fit(X, y), DensityRegressor(GaussianMLE()).fit(X, y)
    slopes = ours.predict(np.eye(10)) - ours.predict(np.zeros((1, 10)))
    mean, std = ours.predict(X, return_std=True)
    rss = np.full(len(X), np.mean((y - ols.predict(X)) ** 2))
    pairs = (slopes, ols.coef_), (mean, ols.predict(X)), (std**2, rss)
    report.row(*(f"{checked(difference(*pair), 1e-10):.0e}" for pair in pairs))


def times(report, repeats):
    """What predictions of many rows take."""
    report.table(
        "Time of 100,000 rows",
        "Beside `predict_proba` of a mixture with as many components of the features "
        "alone: ratios above 1 say by how much predictions take longer. Quantiles are "
        "three for each row, each the root of its own mixture's distribution function.",
        "features, components, predict_proba, predict, ratio, with return_std, "
        "log_density, three quantiles",
    )
    for n_features, n_components in SHAPES:
        report.row(
            n_features, n_components, *times_of(n_features, n_components, repeats)
        )


def times_of(n_features, n_components, repeats):
    """Cells of a shape."""
    rng = np.random.RandomState(0)
    regressor = DensityRegressor(
        EMGaussianMixture(n_components, max_iter=5, random_state=0)
    )
    table = rng.standard_normal((2000, n_features + 1))
    regressor.fit(table[:, :-1], table[:, -1])
    mixture = regressor.density_.marginal(np.arange(n_features))
    X, y = rng.standard_normal((N_ROWS, n_features)), rng.standard_normal(N_ROWS)
    calls = (
        partial(mixture.predict_proba, X),
        partial(regressor.predict, X),
        partial(regressor.predict, X, return_std=True),
        partial(regressor.log_density, X, y),
        partial(regressor.predict_quantiles, X, [0.05, 0.5, 0.95]),
    )
    turns = take_turns(repeats, *(partial(timed, call) for call in calls))
    proba, mean, *others = (turn.median for turn in turns)
    return (
        seconds(proba),
        seconds(mean),
        f"{factor(mean / proba)}×",
        *(f"{factor(other / proba)}×" for other in others),
    )


def main() -> None:
    """Run the sections asked for."""
    warnings.simplefilter("ignore")  # five iterations are not meant to converge
    run(
        "uses.regression",
        __doc__,
        [coverage, bimodal, least_squares, times],
        PACKAGES,
        title="Regression by conditioning",
        note=NOTE,
        repeats=3,
    )


if __name__ == "__main__":
    main()
