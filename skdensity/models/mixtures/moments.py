"""The sums of one pass over the rows, from which every Gaussian fit is read off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.covariances.scatter import Scatter
from skdensity.passes.scratch import Scratch
from skdensity.rows.rows import Block, Rows, once

# Share of a sum of squares that its rounding errors may be.
ROUNDING = 16 * np.finfo(np.float64).eps
# The weights times responsibilities of a block, of shape (n_components, n_rows).
SharesOf = Callable[[Block, Scratch], np.ndarray]


@dataclass(frozen=True, eq=False)
class Moments:
    r"""Weighted moments of K components, taken about one point per component.

    With weights :math:`w_i`, responsibilities :math:`r_{ik}` and points :math:`c_k`:

    .. math::

        \ell = \sum_i w_i \log p(x_i), \quad
        N_k = \sum_i w_i r_{ik}, \quad
        S^1_k = \sum_i w_i r_{ik} (x_i - c_k), \quad
        S^2_k = \sum_i w_i r_{ik} (x_i - c_k)(x_i - c_k)^\top .

    Moments about the same points add up: those of two sets of rows are the sum of
    theirs. Taking them about the current means, not about the origin, keeps
    :math:`S^2_k / N_k - \delta\delta^\top` free of cancellation when the data lie far
    from the origin.

    Attributes
    ----------
    log_likelihood : float
        Sum of the weighted log-densities, in nats; an array where several mixtures
        share a pass.
    mass : ndarray of shape (n_components,)
        N_k, the weight that each component explains.
    first : ndarray of shape (n_components, n_features)
        S1_k.
    second : ndarray of shape (n_components, n_features[, n_features]) or (…, 1)
        S2_k; only its diagonal for families of diagonal covariances, and only its trace
        for isotropic ones.
    about : ndarray of shape (n_components, n_features)
        The points c_k.
    """

    log_likelihood: float
    mass: np.ndarray
    first: np.ndarray
    second: np.ndarray
    about: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        """Moments of both sets of rows; `other` must be about the same points."""
        if not isinstance(other, Moments):
            return NotImplemented
        return replace(
            self,
            log_likelihood=self.log_likelihood + other.log_likelihood,
            mass=self.mass + other.mass,
            first=self.first + other.first,
            second=self.second + other.second,
        )

    def moments(self) -> Moments:
        """These: what any sum over blocks offers."""
        return self

    @property
    def weights(self) -> np.ndarray:
        """Share of the mass that each component explains."""
        return self.mass / self.mass.sum()

    @cached_property
    def shift(self) -> np.ndarray:
        """Mean minus `about`, zero where a component explains nothing."""
        mass = self.mass[:, None]
        return np.divide(
            self.first, mass, out=np.zeros_like(self.first), where=mass > 0
        )

    @property
    def mean(self) -> np.ndarray:
        """Weighted mean of each component, of shape (n_components, n_features)."""
        return self.about + self.shift

    def moved(self, about: np.ndarray, scatter: Scatter) -> Moments:
        """The same moments about other points."""
        step = self.about - about
        return replace(
            self,
            first=self.first + self.mass[:, None] * step,
            second=scatter.moved(self.second, self.first, self.mass, step),
            about=about,
        )

    def central(self, scatter: Scatter) -> np.ndarray:
        """Second moments about the components' means."""
        return self.second - self._moved(scatter)

    def centred(self, scatter: Scatter) -> Moments:
        """All moments about the components' means, as far as digits tell.

        Where a mean is further from `about` than rows are from it, by a factor of 1e8,
        digits cancel and rounding errors are left. Sums of squares are at least what
        these amount to: a negative one would end a fit, and one near zero would make a
        component a spike, before the next pass is about the new mean.
        """
        moved = self._moved(scatter)
        second = scatter.floored(self.second - moved, ROUNDING * moved)
        return replace(
            self, first=np.zeros_like(self.first), second=second, about=self.mean
        )

    def _moved(self, scatter):
        """What second moments owe to the means' distance from `about`."""
        shift = self.shift
        return scatter.outer(self.mass[:, None] * shift, shift)

    def covariances(
        self, scatter: Scatter, reg_covar: float | np.ndarray
    ) -> np.ndarray:
        """Maximum-likelihood covariances, each plus `reg_covar`: see `Scatter`."""
        n_features = self.about.shape[1]
        return scatter.estimate(self.central(scatter), self.mass, n_features, reg_covar)


def merged(one: Moments, other: Moments, scatter: Scatter) -> Moments:
    """Moments of both sets of rows, about their common mean.

    Both are moved to a point between their means, so that nothing cancels however far
    apart these are (Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
    """
    part = (other.mass / (one.mass + other.mass))[:, None]
    about = one.mean + part * (other.mean - one.mean)
    return one.moved(about, scatter) + other.moved(about, scatter)


def block_moments(
    columns: np.ndarray,
    shares: np.ndarray,
    about: np.ndarray,
    scatter: Scatter,
    scratch: Scratch,
) -> Moments:
    """Moments of one block, with a log-likelihood of 0.

    Parameters
    ----------
    columns : ndarray of shape (n_features, n_rows)
        The block.
    shares : ndarray of shape (n_components, n_rows)
        Weight times responsibility, w_i r_ik.
    about : ndarray of shape (n_components, n_features)
        The points that the moments are taken about.
    scatter : Scatter
        Says whether second moments are matrices or diagonals.
    scratch : Scratch
        Where temporaries are kept.

    Returns
    -------
    moments : Moments
        The block's sums.
    """
    residuals, scaled = (
        scratch.array(name, columns.shape) for name in ("residuals", "scaled")
    )
    first, second = [], []
    for point, share in zip(about, shares, strict=True):
        np.subtract(columns, point[:, None], out=residuals)
        first.append(residuals @ share)
        second.append(scatter.of_residuals(residuals, share, out=scaled))
    return Moments(0.0, shares.sum(axis=1), np.stack(first), np.stack(second), about)


def moments_about(
    rows: Rows, about: np.ndarray, shares_of: SharesOf, scatter: Scatter
) -> Moments:
    """Moments about given points, in one pass.

    Parameters
    ----------
    rows : Rows
        The rows.
    about : ndarray of shape (n_components, n_features)
        Points near the components' means, so that little cancels.
    shares_of : callable
        Weights times responsibilities of a block: there is no table of all rows.
    scatter : Scatter
        Says whether second moments are matrices or diagonals.

    Returns
    -------
    moments : Moments
        With a log-likelihood of 0.
    """

    def term(block: Block, scratch: Scratch) -> Moments:
        shares = shares_of(block, scratch)
        return block_moments(block.columns(scratch), shares, about, scatter, scratch)

    n_components, n_features = about.shape
    return rows.add(term, row_bytes=8 * (3 * n_features + n_components))


def shared_moments(
    rows: Rows, n_components: int, shares_of: SharesOf, scatter: Scatter
) -> Moments:
    """Moments about the components' own means, in two passes.

    The parameters are those of :func:`moments_about`; the shares are asked for twice.
    """
    start = np.repeat(rows.origin[None], n_components, axis=0)
    means = moments_about(rows, start, shares_of, scatter).mean
    return moments_about(rows, means, shares_of, scatter)


def shares_of_parts(labels: np.ndarray, n_components: int) -> SharesOf:
    """Shares of components of which each explains a part of the rows.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        The part that each row of the table is in.
    n_components : int
        Number of parts.

    Returns
    -------
    shares_of : callable
        Gives a row's weight to its component.
    """
    components = np.arange(n_components)

    def shares_of(block: Block, scratch: Scratch) -> np.ndarray:
        return block.weight * np.equal.outer(components, labels[block.index])

    return shares_of


def moments_of(rows: Rows, scatter: Scatter) -> Moments:
    """Moments of all rows, about their mean, in two passes.

    Where passes are dear in one, by merging those of blocks.

    Parameters
    ----------
    rows : Rows
        The rows.
    scatter : Scatter
        Says whether second moments are matrices or diagonals.

    Returns
    -------
    moments : Moments
        Of one component; its `first` is zero up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.mixtures.moments import moments_of
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> moments = moments_of(ArrayRows(np.array([[1.0], [3.0]])), FULL.scatter)
    >>> moments.mean, moments.second
    (array([[2.]]), array([[[2.]]]))
    """
    if rows.remembered is None:
        return shared_moments(rows, 1, lambda block, _: block.weight[None], scatter)
    return once(rows, ("moments", scatter), lambda: _merged_moments(rows, scatter))


@dataclass(frozen=True, eq=False)
class Merging:
    """Moments of one component about its mean, which add up about the common mean."""

    moments: Moments
    scatter: Scatter

    def __add__(self, other: Merging) -> Merging:
        """Those of both sets of rows."""
        return Merging(merged(self.moments, other.moments, self.scatter), self.scatter)


def _merged_moments(rows, scatter):
    """Moments of all rows, about their mean, in one pass."""

    def term(block: Block, scratch: Scratch) -> Merging:
        columns, shares = block.columns(scratch), block.weight[None]
        mean = columns @ block.weight / block.weight.sum()
        found = block_moments(columns, shares, mean[None], scatter, scratch)
        return Merging(found, scatter)

    return rows.add(term, row_bytes=24 * rows.n_features + 8).moments
