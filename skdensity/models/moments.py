"""The sums of one pass over the rows, from which every Gaussian fit is read off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skdensity.models.covariances import FAMILIES
from skdensity.models.family import CovarianceFamily
from skdensity.passes.blocks import Scratch, add_over_blocks
from skdensity.passes.rows import columns_of


@dataclass(frozen=True)
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
        Sum of the weighted log-densities, in nats.
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

    @property
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

    def moved(self, about: np.ndarray, family: CovarianceFamily) -> Moments:
        """The same moments about other points (parallel axis theorem)."""
        step = self.about - about
        cross = family.outer(self.first, step)
        return replace(
            self,
            first=self.first + self.mass[:, None] * step,
            second=self.second
            + cross
            + np.swapaxes(cross, -1, -family.rank)
            + family.outer(self.mass[:, None] * step, step),
            about=about,
        )


def merged(one: Moments, other: Moments, family: CovarianceFamily) -> Moments:
    """Moments of both sets of rows, about their common mean.

    Both are moved to a point between their means, so that nothing cancels however far
    apart these are (Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
    """
    share = (other.mass / (one.mass + other.mass))[:, None]
    about = one.mean + share * (other.mean - one.mean)
    return one.moved(about, family) + other.moved(about, family)


def block_moments(
    columns: np.ndarray,
    shares: np.ndarray,
    about: np.ndarray,
    family: CovarianceFamily,
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
    family : CovarianceFamily
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
        second.append(family.second_moment(residuals, share, out=scaled))
    return Moments(0.0, shares.sum(axis=1), np.stack(first), np.stack(second), about)


def moments_of(X: np.ndarray, shares: np.ndarray, family: CovarianceFamily) -> Moments:
    """Moments about the components' own means, in two passes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    shares : ndarray of shape (n_components, n_samples)
        Weight times responsibility of every row.
    family : CovarianceFamily
        Says whether second moments are matrices or diagonals.

    Returns
    -------
    moments : Moments
        Their `first` is zero up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.covariances import FAMILIES
    >>> from skdensity.models.moments import moments_of
    >>> X = np.array([[1.0], [3.0]])
    >>> moments = moments_of(X, np.ones((1, 2)), FAMILIES["full"])
    >>> moments.mean, moments.second
    (array([[2.]]), array([[[2.]]]))
    """
    n_components, n_samples = shares.shape
    scratch = Scratch()

    def about(points: np.ndarray) -> Moments:
        return add_over_blocks(
            lambda rows: block_moments(
                columns_of(X, rows), shares[:, rows], points, family, scratch
            ),
            n_samples,
            row_bytes=24 * X.shape[1],
        )

    # The first row is a point of the data: means relative to it do not cancel.
    start = np.repeat(np.asarray(X[:1], dtype=np.float64), n_components, axis=0)
    return about(about(start).mean)


def positive_variances(X: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    """Variances of the features; that of a constant one is the others' mean, or 1.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of shape (n_samples,)
        Their weights.

    Returns
    -------
    variances : ndarray of shape (n_features,)
        All positive.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.moments import positive_variances
    >>> positive_variances(np.array([[0.0, 5.0], [4.0, 5.0]]), np.ones(2))
    array([4., 4.])
    """
    moments = moments_of(X, sample_weight[None], FAMILIES["diag"])
    variances = FAMILIES["diag"].estimate(moments, 0.0)[0]
    is_constant = variances <= 0
    if is_constant.all():
        return np.ones_like(variances)
    variances[is_constant] = variances[~is_constant].mean()
    return variances
