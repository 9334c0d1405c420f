r"""Mass of kernels below points of a line, with its relative error in the lower tail.

.. math:: F(z) = \sum_j m_j \, \Phi(z - x_j)

Kernels far below z count with all their mass. Of those near z, crowds are replaced by
polynomials: within a cell of the line, the function Φ(z − x) is one of low degree both
in x, which leaves a few moments of a crowd's masses, and in z, which leaves a few
coefficients for all queries (the interpolation of Fong and Darve 2009,
doi:10.1016/j.jcp.2009.08.031, with Chebyshev's polynomials). Points that are no crowd
are added up one by one, and so are all where F is below what the polynomials can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.polynomial.chebyshev import chebpts1, chebval, chebvander
from scipy.special import ndtr, ndtri

from skdensity.passes.blocks import row_blocks, uneven_blocks
from skdensity.passes.workspace import Workspace

# Length of a cell, in bandwidths, and terms of the polynomials in it: their error was
# 1e-12 of Φ(z − x) as far as REACH below x, and 4e-15 where Φ is not small.
CELL = 0.5
N_TERMS = 18
# So far above a point a kernel has 1e-17 of its mass; so far below, all kernels have
# less than SMALL of what a sum that is not below LEAST adds up to.
FULL = 8.5
REACH = 12.0
SMALL = 1e-12
LEAST = ndtr(-REACH) / SMALL
# Bandwidths below which Φ is zero in float64.
END = 38.6
# From so many points in a cell on, polynomials are the quicker.
CROWD = 8  # pragma: no mutate
# Pairs of a query and a point that are held at a time.
MAX_PAIRS = 2**18  # pragma: no mutate
# The same for the far tail, where Φ is so steep that cells must be short: the error was
# 4e-14 as far as END below. From so many points on it is worth the while.
TAIL_CELL = 0.125
FEW = 200  # pragma: no mutate
# Cells further from the origin cannot be numbered.
LARGEST = 2.0**50

# Cells of queries, relative to one of points: where its kernels are neither all nor
# nothing, and the first in which they are all.
OFFSETS = np.arange(-int(REACH / CELL), int(FULL / CELL) + 2)


def reach_of(share: np.ndarray | float) -> np.ndarray:
    """Bandwidths beyond which no kernel has more than a share of its mass.

    A reflected one has at most twice the mass of an open one beyond a point.
    """
    return np.minimum(-ndtri(share / 2), END)


@dataclass(frozen=True, eq=False)
class MassBelow:
    """Weighted points of a line, each with a standard normal kernel.

    Attributes
    ----------
    points : ndarray of shape (n_points,)
        In bandwidths, in ascending order.
    masses : ndarray of shape (n_points,)
        Positive.
    """

    points: np.ndarray
    masses: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, masses: np.ndarray) -> MassBelow:
        """Points in any order."""
        order = np.argsort(points, kind="stable")
        return cls(points[order], masses[order])

    def at(self, z: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Mass below every query, of shape (n_queries,), and as rising as the queries.

        Time O(n_points log n_points) once, and O(1) for every query, but for those
        below the kernels: in a tail, all kernels that matter there are added up.
        """
        ranks, out = np.argsort(z, kind="stable"), np.empty(len(z))

        def fill(rows: slice) -> None:
            out[rows] = self._at(z[ranks[rows]])

        workspace.each(fill, row_blocks(len(z), 24 * N_TERMS))
        # What rounding differs by from cell to cell must not make it fall.
        np.maximum.accumulate(out, out=out)
        values = np.empty_like(out)
        values[ranks] = out
        return values

    def _at(self, z):
        out = self._crowds.at(z) + self._others.sums(z, REACH)
        small = np.flatnonzero(z < self._floor)
        if len(small):
            out[small] = self._everything.sums(z[small], self._reach(z[small]))
        return out

    def _reach(self, z):
        """How far above queries kernels count beside the lowest."""
        gaps = np.maximum(self.points[0] - z, 0)
        with np.errstate(over="ignore"):
            reach = np.sqrt(gaps**2 - 2 * (np.log(SMALL) + np.log(self.masses[0])))
        return np.minimum(reach, END)

    @cached_property
    def _floor(self):
        """Below it, the sum may be smaller than LEAST."""
        with np.errstate(divide="ignore", over="ignore"):
            share = np.minimum(LEAST / self.masses, 1)
        return np.min(self.points + ndtri(share))

    @cached_property
    def _is_crowd(self):
        """Which points are in a cell with many."""
        return _are_many(self.points, CELL, CROWD)

    @cached_property
    def _crowds(self):
        here = self._is_crowd
        return Pieces.of(self.points[here], self.masses[here])

    @cached_property
    def _others(self):
        here = ~self._is_crowd
        return Singles(self.points[here], self.masses[here])

    @cached_property
    def _everything(self):
        """All points, or fewer that stand for them in the lower tail."""
        if len(self.points) < FEW:
            return Singles(self.points, self.masses)
        return Singles(*_condensed(self.points, self.masses))


@dataclass(frozen=True, eq=False)
class Singles:
    """Points whose kernels are added up one by one.

    Attributes
    ----------
    points, masses : ndarray of shape (n_points,)
        As :class:`MassBelow` has them.
    """

    points: np.ndarray
    masses: np.ndarray

    @cached_property
    def before(self) -> np.ndarray:
        """Mass of all points before each, and at last of all."""
        return np.concatenate([[0.0], np.cumsum(self.masses)])

    def sums(self, z: np.ndarray, reach: np.ndarray | float) -> np.ndarray:
        """Mass below queries, without kernels that are farther above than a reach."""
        first = np.searchsorted(self.points, z - FULL)
        counts = np.searchsorted(self.points, z + reach) - first
        out = self.before[first]
        rows = np.flatnonzero(counts > 0)
        for cut in uneven_blocks(counts[rows], MAX_PAIRS):
            part = rows[cut]
            ends = np.cumsum(counts[part])
            begins = ends - counts[part]
            near = np.arange(ends[-1]) + np.repeat(first[part] - begins, counts[part])
            terms = ndtr(np.repeat(z[part], counts[part]) - self.points[near])
            out[part] += np.add.reduceat(terms * self.masses[near], begins)
        return out


@dataclass(frozen=True, eq=False)
class Pieces:
    """A function that is a polynomial in every cell, and constant where there is none.

    Attributes
    ----------
    cells : ndarray of shape (n_pieces,)
        Numbers of cells, ascending; the last before a gap holds for the gap, too.
    coefficients : ndarray of shape (N_TERMS, n_pieces)
        Of Chebyshev's polynomials.
    """

    cells: np.ndarray
    coefficients: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, masses: np.ndarray) -> Pieces:
        """The mass below, of points in ascending order."""
        crowds, moments = _moments(points, masses, CELL)
        cells = np.unique(np.add.outer(crowds, OFFSETS))
        before = np.concatenate([[0.0], np.cumsum(moments[:, 0])])
        coefficients = np.zeros((1 + len(cells), N_TERMS))
        full = np.searchsorted(crowds, cells - OFFSETS[-1], side="right")
        coefficients[1:, 0] = before[full]
        for offset, transfer in zip(OFFSETS[:-1], _transfers(), strict=True):
            reached = 1 + np.searchsorted(cells, crowds + offset)
            coefficients[reached] += moments @ transfer
        below_all = np.concatenate([[-np.inf], cells])
        return cls(below_all, np.ascontiguousarray(coefficients.T))

    def at(self, z: np.ndarray) -> np.ndarray:
        """Its values at queries."""
        numbers, places = _placed(z, CELL)
        piece = np.searchsorted(self.cells, numbers, side="right") - 1
        return chebval(places, self.coefficients[:, piece], tensor=False)


def _condensed(points, masses):
    """Points, of which crowds are replaced by the nodes of their cells."""
    is_many = _are_many(points, TAIL_CELL, 2 * N_TERMS)
    cells, moments = _moments(points[is_many], masses[is_many], TAIL_CELL)
    nodes, to_terms = _nodes()
    stand_ins = TAIL_CELL * (cells[:, None] + 0.5 * (1 + nodes))
    fewer = np.concatenate([points[~is_many], stand_ins.ravel()])
    weights = np.concatenate([masses[~is_many], (moments @ to_terms.T).ravel()])
    order = np.argsort(fewer, kind="stable")
    return fewer[order], weights[order]


def _placed(z, length):
    """Cells of points, and where they are in them, from −1 to 1."""
    numbers = np.floor(z / length)
    return numbers, np.clip(2 * (z / length - numbers) - 1, -1, 1)


def _are_many(points, length, many):
    """Which ascending points share a cell with many."""
    numbers, _ = _placed(points, length)
    begin = np.flatnonzero(np.diff(numbers, prepend=-np.inf))
    counts = np.diff(begin, append=len(points))
    is_many = (counts >= many) & (np.abs(numbers[begin]) < LARGEST)
    return np.repeat(is_many, counts)


def _moments(points, masses, length):
    """Cells of ascending points, and the moments of the masses in each."""
    numbers, places = _placed(points, length)
    begin = np.flatnonzero(np.diff(numbers, prepend=-np.inf))
    terms = chebvander(places, N_TERMS - 1) * masses[:, None]
    return numbers[begin], np.add.reduceat(terms, begin) if len(begin) else terms


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev's nodes, and the matrix from values there to coefficients."""
    nodes = chebpts1(N_TERMS)
    to_terms = chebvander(nodes, N_TERMS - 1) * (2 / N_TERMS)
    to_terms[:, 0] /= 2
    return nodes, to_terms


@cache
def _transfers() -> list[np.ndarray]:
    """From moments in a cell to coefficients in another, for each of the offsets."""
    nodes, to_terms = _nodes()
    steps = 0.5 * CELL * np.subtract.outer(nodes, nodes).T
    return [
        to_terms.T @ ndtr(CELL * offset + steps) @ to_terms for offset in OFFSETS[:-1]
    ]
