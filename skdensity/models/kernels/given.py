r"""Features of a kernel density that rows miss, given those that they have.

.. math::

    \hat p(x_b \mid x_a) = \sum_j r_j N(x_b \mid
    x_{jb} + H_{ba} H_{aa}^{-1} (x_a - x_{ja}), H_{b \mid a}), \qquad
    r_j \propto m_j N(x_a \mid x_{ja}, H_{aa})

The shares r are found in log space, from differences: a row far from all others has
them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.conditional_normals import Statistic
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.averages import Average, average_of
from skdensity.models.kernels.conditional_kernels import ConditionalKernels
from skdensity.models.kernels.sources import Sources
from skdensity.models.kernels.statistics import NOTHING
from skdensity.models.kernels.support import Support
from skdensity.models.mixtures.posterior import posterior
from skdensity.passes.blocks import row_blocks
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows


@dataclass(frozen=True, eq=False)
class Given:
    """What is missing in rows that have the same features.

    Attributes
    ----------
    whiten : callable
        Known features of rows, as the sources have them.
    sources : Sources
        The kernels of the known features.
    origin : ndarray of shape (n_known,)
        What known features are relative to.
    slopes : ndarray of shape (n_missing, n_known)
        How kernels of the missing features follow them.
    locations : ndarray of shape (n_locations, n_missing)
        Where these are at the origin, in float64.
    kernel : Gaussian
        What they are about their locations.
    support : Support
        Where the missing features can be.
    """

    whiten: Callable[[np.ndarray], np.ndarray]
    sources: Sources
    origin: np.ndarray
    slopes: np.ndarray
    locations: np.ndarray
    kernel: Gaussian
    support: Support

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        n_tables = 3 + 3 * len(self.sources.support.axes)
        return 8 * n_tables * len(self.locations)

    def shares(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares of the kernels in the density of known features.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_known)
            Known features, in the support.

        Returns
        -------
        log_sums : ndarray of shape (n_rows,)
            Sums of kernels; −inf where none reaches. The shares are then the masses.
        shares : ndarray of shape (n_locations, n_rows)
            Columns sum to 1.
        """
        queries, points = self.whiten(X), self.sources.locations
        kernel = self.sources.kernel(1.0)
        exponents, factors, _ = kernel.of_pairs(
            queries.T[:, None], points.T[:, :, None], NOTHING
        )
        straight = kernel.straight(points), kernel.straight(queries)
        log_joint = cdist(*straight, "sqeuclidean")
        log_joint *= -0.5
        log_joint += exponents
        log_joint += np.log(factors)
        log_joint += self.sources.log_masses[:, None]
        return posterior(log_joint, self.sources.masses)

    def steps(self, X: np.ndarray) -> np.ndarray:
        """How far known features move the kernels, of shape (n_rows, n_missing)."""
        return (X.astype(np.float64) - self.origin) @ self.slopes.T

    def at(self, values: np.ndarray) -> np.ndarray:
        """Where the kernels are for one row of known features, in float64."""
        return self.locations + self.steps(values[None])

    def means(self, X: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Conditional means of shape (n_rows, n_missing), in float64.

        Time O(n_locations · n_features) for a row.
        """
        columns, ends = self._columns

        def values(X, scratch):
            means = self.shares(X)[1].T @ columns
            parts = np.split(means, ends, axis=1)
            each = [a.of(part) for a, part in zip(self._averages, parts, strict=True)]
            return np.column_stack(each) + self.steps(X)

        rows, shape = ArrayRows(X, workspace=workspace), self.locations.shape[1:]
        return rows.fill(values, self.row_bytes, shape=shape, dtype=np.float64)

    def each(
        self,
        X: np.ndarray,
        features: np.ndarray,
        statistic: Statistic,
        shape: tuple[int, ...],
        workspace: Workspace,
    ) -> np.ndarray:
        """A statistic of some of the missing features, by their place among these.

        Of shape (n_rows, n_some) + `shape`, in float64.
        """

        def values(X, scratch):
            _, shares = self.shares(X)
            steps = self.steps(X)
            each = [
                statistic(ConditionalKernels(shares, steps[:, k], *self._along(k)))
                for k in features
            ]
            return np.stack(each, axis=1)

        rows, each = ArrayRows(X, workspace=workspace), (len(features), *shape)
        return rows.fill(values, 2 * self.row_bytes, shape=each, dtype=np.float64)

    def draws(self, X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """A draw for every row, of shape (n_rows, n_missing), in float64.

        A kernel by its share, then a draw from that.
        """
        places, picked = rng.random_sample(len(X)), np.empty(len(X), dtype=np.intp)
        for rows in row_blocks(len(X), self.row_bytes):
            _, shares = self.shares(X[rows])
            below = np.cumsum(shares, axis=0, out=shares)
            picked[rows] = np.count_nonzero(below <= places[rows] * below[-1], axis=0)
        noise = rng.standard_normal((len(X), self.locations.shape[1]))
        middle = self.locations[picked] + self.steps(X)
        return self.support.fold(middle + self.kernel.coloured_steps(noise))

    def _along(self, feature):
        """Places of the kernels along a missing feature, their width, its axis."""
        widths = np.broadcast_to(self.kernel.deviations, self.locations.shape[1])
        axis = self.support.axis(feature)
        return self.locations[:, feature], float(widths[feature]), axis

    @cached_property
    def _averages(self) -> list[Average]:
        """How the mean of every missing feature is taken."""
        widths = np.broadcast_to(self.kernel.deviations, self.locations.shape[1])
        axes = map(self.support.axis, range(len(widths)))
        return [average_of(axis, h) for axis, h in zip(axes, widths, strict=True)]

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        """What is averaged, side by side, and where that of each feature ends."""
        features = zip(self._averages, self.locations.T, strict=True)
        columns = [average.columns(x) for average, x in features]
        ends = np.cumsum([column.shape[1] for column in columns])
        return np.hstack(columns), ends[:-1]
