"""All that one Gaussian needs to know of rows with holes: moments by pattern.

What is missing in a row is expected under the parameters, so that sums over all rows
are good for one estimate alone. Sums over the rows that miss the same features, of what
was observed, are good for any (Little and Rubin 2019, doi:10.1002/9781119482260,
section 11.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import eigh, helmert

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.scatter import Scatter
from skdensity.models.covariances.table import DIAGONAL, FULL
from skdensity.models.mixtures.moments import (
    Moments,
    block_moments,
    merged,
    moments_of,
)
from skdensity.passes.scratch import Scratch
from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.patterns import Patterns, patterns_of
from skdensity.rows.rows import Block, Rows

# Eigenvalues of correlations that are rounding errors, for each feature.
ROUNDING = 4 * np.finfo(np.float64).eps


class TooManyPatterns(ValueError):
    """More patterns of missing values than moments can be kept of."""


def own_family(family: CovarianceFamily) -> CovarianceFamily:
    """Whose second moments are kept: of a pooled variance, the part of each feature."""
    return FULL if family.shape.is_oriented else DIAGONAL


@dataclass(frozen=True, eq=False)
class PatternMoments:
    """Moments of the observed features, for every pattern of these.

    Those of two sets of rows add up.

    Attributes
    ----------
    family : CovarianceFamily
        Whose second moments they are: matrices or diagonals.
    n_features : int
        Number of features.
    most : int
        Patterns that there may be.
    by_pattern : dict
        Moments of one component by the indices of what was observed.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.pattern_moments import PatternMoments
    >>> from skdensity.rows.incomplete_rows import IncompleteRows
    >>> X = np.array([[0.0, np.nan], [4.0, 1.0], [2.0, np.nan], [4.0, 3.0]])
    >>> moments = PatternMoments.of(IncompleteRows(X), FULL, most=10)
    >>> {observed: part.mean for observed, part in moments.by_pattern.items()}
    {(0, 1): array([[4., 2.]]), (0,): array([[1.]])}
    """

    family: CovarianceFamily
    n_features: int
    most: int
    by_pattern: dict[tuple[int, ...], Moments]

    @classmethod
    def of(cls, rows: Rows, family: CovarianceFamily, most: int) -> PatternMoments:
        """Those of rows, in two passes where all are complete, and else in one.

        Raises
        ------
        TooManyPatterns
            If there are more than `most`.
        """
        own, n_features = own_family(family), rows.n_features
        if rows.are_complete:
            whole = moments_of(rows, own.scatter)
            return cls(own, n_features, most, {tuple(range(n_features)): whole})

        def term(block: Block, scratch: Scratch) -> PatternMoments:
            stacks = patterns_of(np.isnan(block.X))
            # Stacks of many rows are cut, and patterns with them.
            if len({gap.tobytes() for s in stacks for gap in s.missing.T}) > most:
                raise TooManyPatterns
            parts = (part for stack in stacks for part in _parts(block, stack))
            found = (
                (observed, _moments(X, weight, own.scatter, scratch))
                for observed, X, weight in parts
            )
            return cls(own, n_features, most, _joined({}, found, own.scatter))

        return rows.add(term, row_bytes=24 * n_features)

    def __add__(self, other: PatternMoments) -> PatternMoments:
        """Those of both sets of rows."""
        if not isinstance(other, PatternMoments):
            return NotImplemented
        both = _joined(self.by_pattern, other.by_pattern.items(), self.family.scatter)
        if len(both) > self.most:
            raise TooManyPatterns
        return PatternMoments(self.family, self.n_features, self.most, both)

    def whole(self, family: CovarianceFamily) -> Moments | None:
        """Moments of all rows, as a family has them, unless something is missing."""
        moments = self.by_pattern.get(tuple(range(self.n_features)))
        if moments is None or len(self.by_pattern) > 1:
            return None
        if not family.shape.pooled_features:
            return moments
        return replace(moments, second=moments.second.sum(axis=-1, keepdims=True))

    @cached_property
    def origin(self) -> np.ndarray:
        """A value near those of each feature."""
        origin = np.full(self.n_features, np.nan)
        for observed, part in self.by_pattern.items():
            here = list(observed)
            missing = np.isnan(origin[here])
            origin[here] = np.where(missing, part.mean[0], origin[here])
        return origin

    def rows(self, workspace: Workspace) -> ArrayRows:
        """Rows with these moments, relative to `origin`: as few as have them.

        To a Gaussian they are as good as all. There are at most one more than features
        were observed in each pattern.
        """
        found = [
            self._rows_of(list(observed), part)
            for observed, part in self.by_pattern.items()
        ]
        X, weights = map(np.concatenate, zip(*found, strict=True))
        return rows_of_table(X, weights, workspace)

    def _rows_of(self, observed, moments):
        """Corners of a simplex, as wide as the rows, about their mean."""
        (mass,), (mean,) = moments.mass, moments.mean
        (second,) = moments.central(self.family.scatter)
        root = _root(second / mass)
        n_rows = root.shape[1] + 1
        X = np.full((n_rows, self.n_features), np.nan)
        corners = np.sqrt(n_rows) * helmert(n_rows)
        X[:, observed] = mean - self.origin[observed] + (root @ corners).T
        return X, np.full(n_rows, mass / n_rows)


def _joined(
    by_pattern: dict[tuple[int, ...], Moments],
    others: Iterable[tuple[tuple[int, ...], Moments]],
    scatter: Scatter,
) -> dict[tuple[int, ...], Moments]:
    """Moments by pattern with others added, among which patterns may come again."""
    joined = dict(by_pattern)
    for observed, part in others:
        if observed in joined:
            part = merged(joined[observed], part, scatter)
        joined[observed] = part
    return joined


def _parts(
    block: Block, stack: Patterns
) -> Iterator[tuple[tuple[int, ...], np.ndarray, np.ndarray]]:
    """For each pattern what was observed, its values, and weights of the rows."""
    X, weight = block.X[stack.rows], block.weight[stack.rows]
    features = np.arange(X.shape[1])
    for k, missing in enumerate(stack.missing.T):
        rows, observed = stack.rows_of(k), np.setdiff1d(features, missing)
        yield tuple(observed.tolist()), X[rows][:, observed], weight[rows]


def _moments(X, weight, scatter, scratch):
    """Those of a few rows, about their mean."""
    columns = np.ascontiguousarray(X.T, dtype=np.float64)
    origin = columns[:, :1].copy()
    mean = origin[:, 0] + (columns - origin) @ weight / weight.sum()
    return block_moments(columns, weight[None], mean[None], scatter, scratch)


def _root(covariance):
    """A with A Aᵀ = Σ, of as many columns as its rank; with a diagonal, one column."""
    if covariance.ndim == 1:
        return np.sqrt(covariance)[:, None]
    deviations = np.sqrt(np.diagonal(covariance))
    # Of correlations, so that a small variance beside a large one keeps its digits.
    scale = np.where(deviations > 0, deviations, 1.0)
    values, vectors = eigh(covariance / np.outer(scale, scale))
    kept = values > len(values) * ROUNDING
    return scale[:, None] * vectors[:, kept] * np.sqrt(values[kept])
