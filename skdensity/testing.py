"""Theorems that any density estimator must satisfy, as checks for a test suite."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chisquare
from sklearn.base import clone

from skdensity.densities.base import rows_of

__all__ = ["check_density_estimator"]


def check_density_estimator(estimator: Any) -> None:
    """Check that an estimator is a density, and that its samples come from it.

    In one and in two dimensions the check fits a clone to seeded data and requires that

    - the density integrates to 1, by quadrature, to 1e-6;
    - ``score`` is the weighted mean of ``score_samples``;
    - a weight equals repetition, weight zero equals absence, and the order of the rows
      does not matter, on ``score_samples`` to 1e-6 nats;
    - float32 rows give float32 log-densities within 1e-3 nats of float64's;
    - ``sample`` is reproducible, and a χ² test does not tell 4,000 draws from the
      density at the level 0.001.

    scikit-learn's own equivalence check of weights compares predictions and transforms
    only, so that it never looks at a density.

    Parameters
    ----------
    estimator : object
        Unfitted estimator with ``fit(X, sample_weight=...)``, ``score_samples``,
        ``score`` and ``sample(n_samples, random_state)``, which returns rows or a tuple
        that begins with them. It must use all rows in every step: the theorems do not
        hold for random batches.

    Raises
    ------
    AssertionError
        If a theorem does not hold; the message says which, and by how much.

    See Also
    --------
    sklearn.utils.estimator_checks.check_estimator : The checks of scikit-learn.

    References
    ----------
    The χ² test: K. Pearson (1900), doi:10.1080/14786440009463897. The midpoint rule on
    densities that vanish at the border: L. N. Trefethen and J. A. C. Weideman (2014),
    doi:10.1137/130932132.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.testing import check_density_estimator
    >>> check_density_estimator(GaussianMLE())
    """
    for n_features in (1, 2):
        rng = np.random.RandomState(n_features)
        X = rng.standard_normal((60, n_features))
        X[:20] += 3.0
        weight = rng.randint(0, 4, size=len(X))
        _check_weights(estimator, X, weight)
        fitted = clone(estimator).fit(X)
        _check_score(fitted, X, weight)
        _check_float32(estimator, fitted, X)
        _check_sampling(fitted, n_features)


def _check_weights(estimator, X, weight):
    weighted = clone(estimator).fit(X, sample_weight=weight).score_samples(X)
    repeated = clone(estimator).fit(np.repeat(X, weight, axis=0)).score_samples(X)
    _assert_close(weighted, repeated, 1e-6, "a weight equals repetition")
    kept = weight > 0
    present = clone(estimator).fit(X[kept], sample_weight=weight[kept])
    _assert_close(
        weighted, present.score_samples(X), 1e-6, "weight zero equals absence"
    )
    backwards = clone(estimator).fit(X[::-1], sample_weight=weight[::-1])
    _assert_close(
        weighted, backwards.score_samples(X), 1e-6, "the order of rows is irrelevant"
    )


def _check_score(fitted, X, weight):
    log_density = fitted.score_samples(X)
    assert log_density.shape == (len(X),), f"score_samples: {log_density.shape}"
    mean = np.average(log_density, weights=weight)
    score = fitted.score(X, sample_weight=weight)
    _assert_close(score, mean, 1e-12, "score is the weighted mean of score_samples")
    _assert_close(fitted.score(X), log_density.mean(), 1e-12, "score is a mean")


def _check_float32(estimator, fitted, X):
    X32 = X.astype(np.float32)
    log_density = clone(estimator).fit(X32).score_samples(X32)
    assert log_density.dtype == np.float32, f"float32 in, {log_density.dtype} out"
    _assert_close(log_density, fitted.score_samples(X), 1e-3, "float32 is near float64")


def _check_sampling(fitted, n_features):
    draws = rows_of(fitted.sample(4000, random_state=0))
    again = rows_of(fitted.sample(4000, random_state=0))
    assert np.array_equal(draws, again), "sample repeats itself for an int seed"
    edges, mass = _quadrature(fitted, draws.mean(), draws.std(), n_features)
    _assert_close(mass.sum(), 1.0, 1e-6, "the density integrates to 1")
    observed, _ = np.histogramdd(draws, [edges] * n_features)
    p_value = _chi_square(observed.ravel(), len(draws) * mass.ravel())
    assert p_value > 1e-3, f"samples differ from the density: p = {p_value:.2g}"


def _quadrature(fitted, centre, spread, n_features):
    """Edges of 48 cells per axis, and their masses by the midpoint rule.

    For smooth densities that vanish at the border it converges exponentially.
    """
    n_cells, n_points = 48, 16 if n_features > 1 else 64
    edges = centre + spread * np.linspace(-12, 12, n_cells + 1)
    step = (edges[1] - edges[0]) / n_points
    axis = edges[0] + step * (np.arange(n_cells * n_points) + 0.5)
    grid = np.stack(np.meshgrid(*[axis] * n_features, indexing="ij"), axis=-1)
    density = np.exp(fitted.score_samples(grid.reshape(-1, n_features)))
    cells = density.reshape((n_cells, n_points) * n_features) * step**n_features
    return edges, cells.sum(axis=tuple(range(1, 2 * n_features, 2)))


def _chi_square(observed, expected):
    """p-value; cells where fewer than 5 draws are expected become one."""
    rare = expected < 5
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    return chisquare(observed, expected * observed.sum() / expected.sum()).pvalue


def _assert_close(actual, desired, tol, theorem):
    difference = np.max(np.abs(np.asarray(actual, dtype=np.float64) - desired))
    assert difference <= tol, f"{theorem}: off by {difference:.3g}, more than {tol:g}"
