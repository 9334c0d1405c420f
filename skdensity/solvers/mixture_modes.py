"""Maxima of a Gaussian mixture, by climbing from its means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.covariances.table import DIAGONAL
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.support import OPEN, Support
from skdensity.models.mixtures.mixture import Mixture
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.modes import climb

# Curvature along which a place still counts as a top, relative to the components'.
FLAT = 1e-9


def mixture_modes(mixture: Mixture, workspace: Workspace) -> np.ndarray:
    """Modes that are reached from the means, the highest first.

    Every step goes to the mean of the components' means, weighted by responsibilities
    and precisions: it is a step of EM, and never leads to a lower density
    (Carreira-Perpiñán 2000, doi:10.1109/34.888716). Where it ends by symmetry in a
    saddle or between two tops, that is left out.

    Parameters
    ----------
    mixture : Mixture
        The density.
    workspace : Workspace
        Threads and scratch.

    Returns
    -------
    modes : ndarray of shape (n_modes, n_features)
        In float64.
    """
    climber = Climber(mixture)
    ends = climb(climber, mixture.means[mixture.weights > 0], workspace)
    return ends[climber.are_tops(ends, workspace)]


@dataclass(frozen=True, eq=False)
class Climber:
    """A mixture, as climbs see it."""

    mixture: Mixture

    @cached_property
    def kernel(self) -> Gaussian:
        """Units of distance: the narrowest component along every feature."""
        _, means, deviations = self.mixture.normals()
        return Gaussian.isolated(means[0], deviations.min(axis=0) ** 2, DIAGONAL)

    @property
    def white_support(self) -> Support:
        """Where rows can be in these units."""
        return OPEN

    def whitened(self, X: np.ndarray) -> np.ndarray:
        """Rows in these units."""
        return self.kernel.whiten(X)

    def whitened_steps(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Differences of rows in these units."""
        return self.kernel.whitened_steps(end - begin)

    def between(self, begin: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
        """Rows on the straight ways, after a share of them."""
        return begin + share * (end - begin)

    @cached_property
    def precisions(self) -> np.ndarray:
        """Σ_k⁻¹ as matrices (n_components, n_features, n_features)."""
        mixture = self.mixture
        inner = mixture.family.precisions(mixture.precision_factors)
        d = mixture.n_features
        return mixture.own(mixture.family.shape.matrices(inner, d))

    def log_density(self, rows: ArrayRows) -> np.ndarray:
        """That of the mixture."""
        return self.mixture.log_density(rows)

    def shifted(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """The rows after a step."""
        shares = self._shares(X, workspace)
        precisions = np.tensordot(shares, self.precisions, axes=1)
        pulls = self.mixture.gradient(ArrayRows(X, workspace=workspace))
        return X + np.linalg.solve(precisions, pulls[:, :, None])[:, :, 0]

    def are_tops(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Whether the density falls in all directions, where its gradient vanishes."""
        shares = self._shares(X, workspace)
        steps = self.mixture.means - X[:, None]
        pulls = np.einsum("kde,nke->nkd", self.precisions, steps)
        precisions = np.tensordot(shares, self.precisions, axes=1)
        outer = np.einsum("nk,nkd,nke->nde", shares, pulls, pulls)
        # Relative to the precisions no unit of a feature makes a difference.
        rises = np.linalg.eigvals(np.linalg.solve(precisions, outer)).real
        is_top = rises.max(axis=1) <= 1 + FLAT
        return is_top if is_top.any() else np.ones(len(X), dtype=bool)

    def _shares(self, X, workspace):
        return self.mixture.responsibilities(ArrayRows(X, workspace=workspace))
