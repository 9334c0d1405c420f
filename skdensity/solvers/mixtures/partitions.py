"""Parts of a table, one for each component, that a climb can begin with.

Where k-means and its seeds cut a table depends on the coordinates. A family says which
changes of them make no difference to its fits: in coordinates that are whitened by the
covariance of all rows, in the family's own layout, they make none to the parts either.
Full whitening hides along which axes rows fall into clusters; how the fourth moments
differ from those of a Gaussian shows it again, whatever the axes were (invariant
coordinates; Tyler, Critchley, Dümbgen and Oja 2009,
doi:10.1111/j.1467-9868.2009.00706.x): two clusters of like size make them small, and a
few far rows make them large.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

# Each number of the default start, here and in the modules that it is made of, was
# halved and doubled on eleven tables (iris, wine, breast cancer, digits, the pixels of
# china.jpg, and drawn clusters of 4 to 30 components in 2 to 15 features), six seeds
# each: the median likelihood that fits end with changes by at most .09 nats on average
# over the tables, in both directions, and on a table by more where the median falls
# into another optimum. None is critical.

# Steps of k-means: parts are to begin with, not to end with. With 30, fits of full and
# diagonal covariances end within .1 nats, spherical ones of MNIST .3 nats higher, but
# then the start takes longer than a fit of scikit-learn.
MAX_STEPS = 15
# Powers of the invariant axes' fourth moments that these are divided by. The first
# alone does as well on average, but loses .1 nats on wine; without it, fits lose .03
# nats on average.
POWERS = (2.0, 6.0, -2.0)
# One in so many of the others goes by the distance from the mean. With 2 instead, fits
# lose .05 nats on average; with 8, nothing on these tables.
EVERY = 4
# Share of the partitions in the features as they are, but for their units: the axes of
# a table often mean something. With .3, fits lose .04 nats on average; with .9, nothing
# on these tables.
SHARE_AS_GIVEN = 0.6


@dataclass(frozen=True, eq=False)
class Table:
    """Rows in the coordinates that partitions are sought in.

    Attributes
    ----------
    plain : ndarray of shape (n_rows, n_features)
        Features in the units that they are given in, up to one for all.
    scaled : ndarray of shape (n_rows, n_features)
        Features in units of their standard deviations.
    white : ndarray of shape (n_rows, n_features)
        Rows whitened in the layout of the family.
    weight : ndarray of shape (n_rows,)
        Their weights.
    is_oriented : bool
        Whether the family's covariances may lie across the axes.
    """

    plain: np.ndarray
    scaled: np.ndarray
    white: np.ndarray
    weight: np.ndarray
    is_oriented: bool

    def coordinates(self, n_tables: int) -> tuple[np.ndarray, np.ndarray]:
        """Tables to cut, and which of them do not know the axes as they are given.

        Returns
        -------
        tables : ndarray of shape (n_tables, n_rows, n_features)
            Coordinates of the rows.
        is_invariant : ndarray of bool of shape (n_tables,)
            Whether they are invariant coordinates.
        """
        n_features = self.white.shape[1]
        if not self.is_oriented or n_features == 1:
            tables = np.repeat(self.white[None], n_tables, axis=0)
            tables[EVERY - 1 :: EVERY] = self.distances
            return tables, np.zeros(n_tables, dtype=bool)
        axes, fourth = invariant_axes(self.white, self.weight)
        # The only one does not know axes.
        as_given = min(round(SHARE_AS_GIVEN * n_tables), n_tables - 1)
        tables = np.empty((n_tables, *self.white.shape))
        tables[:as_given] = self.scaled
        if as_given > 1:  # units of principal components mean something, too
            tables[1] = self.plain
        invariant = tables[as_given:]
        scales = np.resize(POWERS, len(invariant))[:, None]
        np.multiply(self.white @ axes, (fourth**-scales)[:, None], out=invariant)
        invariant[EVERY - 1 :: EVERY] = self.distances
        return tables, np.arange(n_tables) >= as_given

    @property
    def distances(self) -> np.ndarray:
        """Rows by their distance from the mean alone: what is narrow inside is wide."""
        distances = np.zeros_like(self.white)
        distances[:, 0] = np.linalg.norm(self.white, axis=1)
        return distances


def invariant_axes(
    white: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Axes along which whitened rows differ least and most from a Gaussian.

    The eigenvectors of :math:`E[\|z\|^2 z z^\top] / (d + 2)`, the identity for a
    Gaussian.

    Parameters
    ----------
    white : ndarray of shape (n_rows, n_features)
        Rows of mean 0 and unit covariance.
    weight : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    axes : ndarray of shape (n_features, n_features)
        One in each column.
    fourth : ndarray of shape (n_features,)
        Eigenvalues, ascending; at least 1 / (d + 2).

    Examples
    --------
    Two clusters, and noise in another direction:

    >>> import numpy as np
    >>> from skdensity.solvers.mixtures.partitions import invariant_axes
    >>> noise = np.random.default_rng(0).normal(size=1000)
    >>> z = np.column_stack([noise, np.repeat([-1.0, 1.0], 500)])
    >>> axes, fourth = invariant_axes(z, np.ones(1000))
    >>> np.abs(axes[:, 0]).round(1), fourth.round(1)
    (array([0., 1.]), array([0.5, 1. ]))
    """
    squares = np.einsum("nd,nd->n", white, white)
    part = weight * squares / (weight.sum() * (white.shape[1] + 2))
    fourth, axes = np.linalg.eigh((white * part[:, None]).T @ white)
    # No fourth moment is below the square of the second; less is a constant feature.
    return axes, np.maximum(fourth, 1 / (white.shape[1] + 2))


def kmeans_labels(
    tables: np.ndarray,
    weight: np.ndarray,
    n_components: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Labels of the parts that k-means cuts tables into.

    Parameters
    ----------
    tables : ndarray of shape (n_tables, n_rows, n_features)
        The same rows in several coordinates.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.
    n_components : int
        Parts of every table.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    labels : ndarray of int of shape (n_tables, n_rows)
        From 0 to ``n_components - 1``.
    """
    means = KMeans(n_components, n_init=1, max_iter=MAX_STEPS, random_state=rng)
    with warnings.catch_warnings():
        # Of fewer distinct rows than parts some parts stay empty; so they may.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.stack([means.fit(X, sample_weight=weight).labels_ for X in tables])


def distinct_partitions(labels: np.ndarray) -> np.ndarray:
    """Those of some partitions that differ in more than the names of their parts.

    Parameters
    ----------
    labels : ndarray of int of shape (n_partitions, n_rows)
        From 0 on.

    Returns
    -------
    labels : ndarray of int of shape (n_distinct, n_rows)
        Parts are numbered as they come first.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.solvers.mixtures.partitions import distinct_partitions
    >>> distinct_partitions(np.array([[1, 1, 0], [0, 0, 2], [0, 1, 1]]))
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    numbered = np.empty_like(labels)
    for row, out in zip(labels, numbered, strict=True):
        _, first, inverse = np.unique(row, return_index=True, return_inverse=True)
        out[:] = np.argsort(np.argsort(first))[inverse]
    return np.unique(numbered, axis=0)


def nearest_seeds(
    tables: np.ndarray,
    weight: np.ndarray,
    n_components: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Labels of the nearest of the seeds that k-means would start from, at less cost.

    The seeds are chosen by D² sampling, in all tables at once (Arthur and Vassilvitskii
    2007, doi:10.5555/1283383.1283494). The parameters are those of
    :func:`kmeans_labels`.
    """
    n_tables, n_rows, _ = tables.shape
    labels = np.zeros((n_tables, n_rows), dtype=np.intp)
    squares = np.einsum("tnd,tnd->tn", tables, tables)
    columns = tables.transpose(0, 2, 1)
    distances = np.full((n_tables, n_rows), np.inf)
    new, each = np.empty_like(distances), np.arange(n_tables)
    size = math.isqrt(n_rows)
    heights = np.zeros((n_tables, math.ceil(n_rows / size), size))
    of_rows = heights.reshape(n_tables, -1)[:, :n_rows]
    of_rows[...] = weight
    for k in range(n_components):
        chosen = np.minimum(drawn(heights, rng), n_rows - 1)
        seeds = tables[each, chosen]
        np.matmul(-2 * seeds[:, None], columns, out=new[:, None])
        new += squares
        new += squares[each, chosen][:, None]
        np.maximum(new, 0, out=new)  # what is left of a cancelled square may be below
        np.copyto(labels, k, where=new < distances)
        np.minimum(distances, new, out=distances)
        np.multiply(weight, distances, out=of_rows)
    return labels


def drawn(heights: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A row of each table, as probable as it is high, from heights in groups of rows.

    First a group, then one of its rows: running sums of all rows would take longer than
    their distances.

    Parameters
    ----------
    heights : ndarray of shape (n_tables, n_groups, n_rows_of_a_group)
        Not negative.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    index : ndarray of int of shape (n_tables,)
        Among the rows of all groups.
    """
    each = np.arange(len(heights))
    sums = np.cumsum(heights.sum(axis=2), axis=1)
    draws = rng.uniform(size=(len(heights), 1)) * sums[:, -1:]
    group = passed(sums, draws)
    inside = np.cumsum(heights[each, group], axis=1)
    draws += inside[:, -1:] - sums[each, group][:, None]  # beyond the groups before
    return group * heights.shape[2] + passed(inside, draws)


def passed(sums: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Where running sums (n_tables, n_rows) pass draws (n_tables, 1)."""
    return np.minimum(np.sum(sums <= draws, axis=1), sums.shape[1] - 1)
