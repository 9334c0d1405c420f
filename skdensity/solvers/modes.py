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
# Steps between two looks at which climbs have met.
N_BETWEEN = 10
MAX_STEPS = 10_000


class Climbable(Protocol):
    """A density, and the units that distances of its rows are measured in."""

    @property
    def white_support(self) -> Support:
        """Where rows can be in these units."""

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows in these units."""

    def whitened_steps(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Differences of rows in these units."""

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
    modes = _distinct(density, X, SAME)
    log_density = density.log_density(ArrayRows(modes, workspace=workspace))
    return modes[np.argsort(-log_density, kind="stable")]


def _distinct(density, X, distance):
    """One row of every group whose neighbours are within a distance in bandwidths."""
    tree = tree_of(density.whitened(X), density.white_support)
    pairs = tree.query_pairs(distance, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(X), len(X)))
    _, group = connected_components(links, directed=False)
    return X[np.unique(group, return_index=True)[1]]
