r"""One feature of every row, given what was observed of it: weighted normals.

.. math::

    p(x_m \mid x_o) = \sum_k r_k \, N(x_m \mid m_k, s_k^2), \qquad
    \mathrm{Var} = \sum_k r_k \bigl( s_k^2 + (m_k - \bar m)^2 \bigr)

with responsibilities, means and deviations that are the row's own. There is no object
for a row: the rows of a block are the last axis of a few arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from skdensity.models.completed import HoledBlock

# Maps densities of one feature, one for every row, to an array that begins with rows.
Statistic = Callable[[Any], np.ndarray]


@dataclass(frozen=True, eq=False)
class ConditionalNormals:
    """A mixture of normals for every row.

    Attributes
    ----------
    shares : ndarray of shape (n_components, n_rows)
        Columns sum to 1.
    means : ndarray of shape (n_components, n_rows)
        Of the components.
    deviations : ndarray of shape (n_components, n_rows)
        Their standard deviations.
    """

    shares: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    @property
    def n_rows(self) -> int:
        """How many densities there are."""
        return self.shares.shape[1]

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of where the densities are positive."""
        return -np.inf, np.inf

    def std(self) -> np.ndarray:
        """Standard deviations, of shape (n_rows,)."""
        means = np.einsum("kn,kn->n", self.shares, self.means)
        squares = self.deviations**2 + (self.means - means) ** 2
        return np.sqrt(np.einsum("kn,kn->n", self.shares, squares))

    def below(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mass below x, with its relative error where it is small.

        Parameters
        ----------
        x : ndarray of shape (n_some,)
            One value for each of some rows.
        rows : ndarray of int of shape (n_some,)
            Which they are, ascending.
        """
        return self._added(x, rows, 1.0)

    def above(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mass above x, as :meth:`below`."""
        return self._added(x, rows, -1.0)

    def _added(self, x, rows, sign):
        # All rows are in their order: there is nothing to pick.
        some = slice(None) if len(rows) == self.n_rows else rows
        z = sign * (x - self.means[:, some])
        z /= self.deviations[:, some]
        mass = np.einsum("kn,kn->n", self.shares[:, some], ndtr(z, out=z))
        return np.minimum(mass, 1.0)

    def bracket(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """Values on both sides of a quantile: the least and largest of the components'.

        Of those that have a share.
        """
        # 1 − q is exact in the upper half, where q has no digits of the tail.
        z = -ndtri(1 - share) if share > 0.5 else ndtri(share)
        each, counts = self.means + self.deviations * z, self.shares > 0
        least = np.where(counts, each, np.inf).min(axis=0)
        return least, np.where(counts, each, -np.inf).max(axis=0)


@dataclass(frozen=True, eq=False)
class HoleNormals:
    """The features that the rows of a block miss.

    Attributes
    ----------
    rows : HoledBlock
        The rows.
    shares : ndarray of shape (n_components, n_rows)
        Responsibilities, given what was observed.
    means : ndarray of shape (n_components, n_features)
        Of the components.
    residuals : ndarray of shape (n_components, n_features, n_rows)
        Those from the means, completed.
    deviations : ndarray of shape (n_components, n_features, n_rows)
        Conditional standard deviations of what is missing.
    """

    rows: HoledBlock
    shares: np.ndarray
    means: np.ndarray
    residuals: np.ndarray
    deviations: np.ndarray

    def of(self, feature: int, holes: np.ndarray) -> ConditionalNormals:
        """One feature of some rows, which miss it."""
        return ConditionalNormals(
            self.shares[:, holes],
            self.means[:, feature, None] + self.residuals[:, feature, holes],
            self.deviations[:, feature, holes],
        )

    def each(
        self, features: Sequence[int] | np.ndarray, statistic: Statistic, shape: tuple
    ) -> np.ndarray:
        """A statistic of some features where they are missing, and NaN elsewhere.

        Parameters
        ----------
        features : sequence of int
            Which they are.
        statistic : callable
            Maps a :class:`ConditionalNormals` to an array of (n_rows,) + `shape`.
        shape : tuple of int
            Of the statistic of one row.

        Returns
        -------
        values : ndarray of shape (n_rows, n_some) + `shape`
            In float64.
        """
        n_rows = self.shares.shape[1]
        out = np.full((n_rows, len(features), *shape), np.nan)
        for column, feature in enumerate(features):
            holes = self.rows.is_missing[feature]
            if holes.any():
                out[holes, column] = statistic(self.of(feature, holes))
        return out
