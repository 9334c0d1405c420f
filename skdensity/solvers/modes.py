"""Maxima of a density, by mean shift."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skdensity.models.kernels.sources import tree_of
from skdensity.models.kernels.support import Support
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows

# In bandwidths: a step that ends all climbs; how near climbs are that will not part
# again; and how near two ends are the same mode.
SMALL_STEP = 1e-9
TOGETHER = 1e-6
SAME = 1e-3
# Steps between two looks at which climbs have met, and at which are on a level.
N_BETWEEN = 10
N_BETWEEN_LEVELS = 500
MAX_STEPS = 10_000
# Where a density is flat climbs end everywhere. Ends within a bandwidth are one mode if
# the density does not fall by so many nats on the way, looked at in these places, from
# the lower one; so many of the nearest are looked at.
LEVEL = 1e-9
PLACES = np.arange(1, 8) / 8
N_NEAREST = 8


class Climbable(Protocol):
    """A density, and the units that distances of its rows are measured in."""

    @property
    def white_support(self) -> Support:
        """Where rows can be in these units."""

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows in these units."""

    def whitened_steps(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Differences of rows in these units."""

    def between(self, begin: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
        """Rows on the ways from some to others, after a share of them."""

    def shifted(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """The rows after a step that does not lower the density."""

    def log_density(self, rows: ArrayRows) -> np.ndarray:
        """Log-density of every row, in nats."""


def climb(density: Climbable, starts: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Modes that mean shift reaches from some rows, the highest first.

    Every step goes to the mean of the locations, weighted by their kernels at the row,
    and never to a lower density (Fukunaga and Hostetler 1975,
    doi:10.1109/TIT.1975.1055330; Comaniciu and Meer 2002, doi:10.1109/34.1000236).
    Climbs that meet go on as one.

    Parameters
    ----------
    density : Climbable
        The density.
    starts : ndarray of shape (n_starts, n_features)
        Where to begin.
    workspace : Workspace
        Threads and scratch.

    Returns
    -------
    modes : ndarray of shape (n_modes, n_features)
        In float64.
    """
    X = starts.astype(np.float64)
    for n_steps in range(1, MAX_STEPS + 1):
        begin, X = X, density.shifted(X, workspace)
        steps = density.whitened_steps(begin, X)
        if np.all(np.linalg.norm(steps, axis=1) <= SMALL_STEP):
            break
        if n_steps % N_BETWEEN == 0:
            X = _distinct(density, X, TOGETHER)
        if n_steps % N_BETWEEN_LEVELS == 0:
            X = _apart(density, X, workspace)
    return _apart(density, _distinct(density, X, SAME), workspace)


def _apart(density, X, workspace):
    """The highest of every group of ends on a level, the highest first."""
    while True:
        heights = density.log_density(ArrayRows(X, workspace=workspace))
        order = np.argsort(-heights, kind="stable")
        X, heights = X[order], heights[order]
        group = _groups(_on_a_level(density, X, heights, workspace), len(X))
        highest = np.unique(group, return_index=True)[1]
        if len(highest) == len(X):
            return X
        X = X[highest]


def _on_a_level(density, X, heights, workspace):
    """Pairs of near ends, by falling heights, with no lower place between them."""
    white = density.whitened(X)
    tree = tree_of(white, density.white_support)
    k = min(N_NEAREST + 1, len(X))
    _, near = tree.query(white, k=range(1, k + 1), distance_upper_bound=1.0)
    pairs = [(i, j) for i, row in enumerate(near) for j in row if i < j < len(X)]
    higher, lower = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    is_level = np.ones(len(lower), dtype=bool)
    for place in PLACES:
        way = ArrayRows(
            density.between(X[higher], X[lower], place), workspace=workspace
        )
        is_level &= density.log_density(way) >= heights[lower] - LEVEL
    return np.array([higher, lower]).T[is_level]


def _distinct(density, X, distance):
    """One row of every group whose neighbours are within a distance in bandwidths."""
    tree = tree_of(density.whitened(X), density.white_support)
    group = _groups(tree.query_pairs(distance, output_type="ndarray"), len(X))
    return X[np.unique(group, return_index=True)[1]]


def _groups(pairs, n):
    """Numbers of the groups that pairs of n rows make."""
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(n, n))
    return connected_components(links, directed=False)[1]
