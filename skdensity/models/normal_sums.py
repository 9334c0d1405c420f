r"""Distribution functions of weighted Gaussians.

.. math:: P(X \le x) = \sum_k \pi_k \, \Phi((x - \mu_k) / \sigma_k)
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import ndtr, ndtri

from skdensity.models.normal_boxes import correlated_mass
from skdensity.models.normal_mass import mass_between
from skdensity.rows.rows import HeldRows

# Step of a mesh, in standard deviations: between its values the density has at most one
# top. And how far it reaches: further out there is less than 1e-15.
MESH = 0.25
MESH_REACH = 8.0
# Relative error at which the integral of a Gaussian over a box stops, if it gets there.
RTOL = 1e-6


class NormalSums(ABC):
    """What Gaussians answer about probabilities, one by one or weighted."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Dimension."""

    @abstractmethod
    def normals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights (K,), means (K, n_features), deviations (K, n_features)."""

    @abstractmethod
    def correlated(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Covariance matrices, and which Gaussians have each; none if all are diagonal.

        Which is told by their indices.
        """

    def cdf(self, rows: HeldRows) -> np.ndarray:
        """Mass below every row, of shape (n_samples,), for one feature."""
        return self._added(rows, 1.0)

    def sf(self, rows: HeldRows) -> np.ndarray:
        """Mass above every row, of shape (n_samples,), for one feature."""
        return self._added(rows, -1.0)

    def _added(self, rows, sign):
        """Sums of positive terms, each with all its digits in its lower tail."""
        weights, means, deviations = self.normals()

        def values(X, scratch):
            z = sign * (X - means[:, 0]) / deviations[:, 0]
            return np.minimum(ndtr(z) @ weights, 1.0)

        return rows.fill(values, row_bytes=24 * len(weights))

    def probability(self, box: np.ndarray) -> float:
        """Mass in a box with corners (2, n_features), infinite where it has no end."""
        weights, means, deviations = self.normals()
        groups = self.correlated() if self.n_features > 1 else []
        if groups:
            parts = [
                correlated_mass(means[some], weights[some], matrix, box, RTOL)
                for matrix, some in groups
            ]
            return min(float(sum(parts)), 1.0)
        sides = mass_between(*((box[:, None] - means) / deviations))
        return min(float(weights @ np.prod(sides, axis=1)), 1.0)

    @property
    def ends(self) -> np.ndarray:
        """Ends of where the density of one feature is positive, of shape (2,)."""
        return np.array([-np.inf, np.inf])

    def bracket(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of one feature on both sides of quantiles, of the shape of q.

        The smallest and the largest of those of the Gaussians.
        """
        _, means, deviations = (values[:, None] for values in self._of_one())
        # 1 − q is exact in the upper half, where q has no digits of the tail.
        z = np.where(q > 0.5, -ndtri(1 - q), ndtri(q))
        each = means + deviations * z
        return each.min(axis=0), each.max(axis=0)

    @property
    def mesh(self) -> np.ndarray:
        """Ascending values of one feature; between two the density turns once at most.

        They reach as far as there is mass.
        """
        _, means, deviations = self._of_one()
        z = np.arange(-MESH_REACH, MESH_REACH + MESH, MESH)
        return np.unique(means[:, None] + deviations[:, None] * z)

    def _of_one(self):
        """The Gaussians of one feature that have a weight."""
        weights, means, deviations = self.normals()
        counts = weights > 0
        return weights[counts], means[counts, 0], deviations[counts, 0]
