"""Integrals of densities, and whether rows are drawn from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chisquare, kstest

from skdensity.testing.problems import Problem, require, scores

# True theorems fail once in so many: with seeds, either always or never.
LEVEL = 1e-3
N_CELLS = 48


def edges_of(problem: Problem) -> np.ndarray:
    """Ends of cells, on every axis, that hold all but nothing of a fitted density."""
    centre, spread = problem.X.mean(), problem.X.std()
    return centre + spread * np.linspace(-12, 12, N_CELLS + 1)


def axis_of(edges: np.ndarray, n_points: int) -> np.ndarray:
    """Midpoints of as many parts of every cell."""
    step = (edges[1] - edges[0]) / n_points
    return edges[0] + step * (np.arange(N_CELLS * n_points) + 0.5)


def masses(fitted: Any, edges: np.ndarray, n_features: int) -> np.ndarray:
    """Probabilities of cells by the midpoint rule.

    For smooth densities that vanish at the border it converges exponentially.
    """
    n_points = 16 if n_features > 1 else 64
    axis = axis_of(edges, n_points)
    grid = np.stack(np.meshgrid(*[axis] * n_features, indexing="ij"), axis=-1)
    density = np.exp(scores(fitted, grid.reshape(-1, n_features)))
    cells = density.reshape((N_CELLS, n_points) * n_features)
    return (
        cells.sum(axis=tuple(range(1, 2 * n_features, 2)))
        * (axis[1] - axis[0]) ** n_features
    )


def line_masses(fitted: Any, edges: np.ndarray) -> np.ndarray:
    """Probabilities of cells of one feature, each to rounding by Gauss's rule.

    The midpoint rule is that exact for the sum of all cells only.
    """
    nodes, weights = np.polynomial.legendre.leggauss(64)
    middles, half = (edges[1:] + edges[:-1]) / 2, (edges[1] - edges[0]) / 2
    rows = middles[:, None] + half * nodes
    density = np.exp(scores(fitted, rows.reshape(-1, 1)))
    return half * density.reshape(rows.shape) @ weights


def require_counts(rows: np.ndarray, edges: np.ndarray, mass: np.ndarray) -> None:
    """The χ² test of draws against probabilities of cells."""
    observed, _ = np.histogramdd(rows, [edges] * rows.shape[1])
    p_value = _chi_square(observed.ravel(), len(rows) * mass.ravel())
    require(p_value > LEVEL, f"samples differ from the density: p = {p_value:.2g}")


def require_uniform(values: np.ndarray, theorem: str) -> None:
    """Kolmogorov's test."""
    p_value = kstest(values, "uniform").pvalue
    require(p_value > LEVEL, f"{theorem}: p = {p_value:.2g}")


def _chi_square(observed, expected):
    """p-value; cells where fewer than 5 draws are expected become one."""
    rare = expected < 5
    rest = observed[rare].sum(), expected[rare].sum()
    observed, expected = observed[~rare], expected[~rare]
    if rest[1] > 0:
        observed, expected = np.append(observed, rest[0]), np.append(expected, rest[1])
    elif rest[0] > 0:
        return 0.0  # draws where the density is 0
    return chisquare(observed, expected * observed.sum() / expected.sum()).pvalue
