"""A start by many short EM runs, of which the best goes on.

Biernacki, Celeux and Govaert (2003), doi:10.1016/S0167-9473(02)00163-9: EM climbs to
the optimum above its start, so the time is better spent on many short climbs than on a
long one. The climbs run side by side, as one mixture of all their components, on a
sample of the rows; the worse ones are given up on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.covariances import FAMILIES
from skdensity.models.family import CovarianceFamily
from skdensity.models.mixture import SINGULAR_ESTIMATE, Mixture, posterior
from skdensity.models.moments import Moments, moments_of
from skdensity.passes.blocks import Scratch, add_over_blocks
from skdensity.passes.rows import sample_distinct

# Rows that the climbs look at.
MAX_ROWS = 5000
ROWS_PER_COMPONENT = 100
# Steps of each round, and the climbs that go on after it.
ROUNDS = ((20, 4), (30, 1))
N_CLIMBS = 20
# Rise of the mean log-likelihood below which no climb goes on.
SETTLED = 1e-5
# Added to the variances of features that are scaled to unit variance: in a sample, a
# component on a few rows looks better than it is.
RIDGE = 1e-3
# With more products of features than this, climbs take features as independent.
MAX_PRODUCTS = 100


@dataclass(frozen=True)
class Climbs:
    """Mixtures of the same size, evaluated as one mixture of all their components.

    Attributes
    ----------
    mixture : Mixture
        The components of all; their weights sum to 1 within each climb.
    n_climbs : int
        Number of climbs.
    """

    mixture: Mixture
    n_climbs: int

    def moments(
        self, X: np.ndarray, sample_weight: np.ndarray, scratch: Scratch
    ) -> Moments:
        """One pass over the rows; the log-likelihood has an entry for every climb."""
        mixture = self.mixture
        prior = self._by_climb(mixture.weights)

        def term(rows):
            block, weight = mixture.block(X, rows, scratch), sample_weight[rows]
            log_joint = self._by_climb(block.log_joint())
            log_density, shares = posterior(log_joint, prior, weight)
            shares = shares.reshape(len(mixture.weights), -1)
            return block.sums(shares, log_density @ weight)

        return add_over_blocks(term, len(X), mixture.row_bytes).moments()

    def best(self, n_climbs: int, log_likelihood: np.ndarray) -> Climbs:
        """The most likely of the climbs."""
        kept = np.argsort(-log_likelihood, kind="stable")[:n_climbs]
        mixture = self.mixture

        def taken(values):
            values = self._by_climb(values)[kept]
            return values.reshape(-1, *values.shape[2:])

        parts = ("weights", "means", "cholesky", "precision_factors")
        parts = {name: taken(getattr(mixture, name)) for name in parts}
        return Climbs(replace(mixture, **parts), n_climbs)

    def _by_climb(self, values):
        return values.reshape(self.n_climbs, -1, *values.shape[1:])


def small_em(
    X: np.ndarray,
    weight: np.ndarray | None,
    n_components: int,
    family: CovarianceFamily,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Responsibilities of the best of many short EM runs.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows to start on; the climbs look at a sample of them.
    weight : ndarray of shape (n_samples,) or None
        Their weights; None when all count the same.
    n_components : int
        Number of components.
    family : CovarianceFamily
        The shape of the covariances.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    responsibilities : ndarray of shape (n_components, n_samples)
        Columns sum to 1.
    """
    weight = np.ones(len(X)) if weight is None else weight
    X = _standardised(X, weight / weight.sum())
    n_rows = max(MAX_ROWS, ROWS_PER_COMPONENT * n_components)
    # Without the last digits, which tell how the sums above were rounded.
    rows = sample_distinct(X.astype(np.float32), n_rows, rng)
    rows = rows[np.lexsort(X[rows].T)]  # their order is to make no difference
    mixture = _best_climb(X[rows], weight[rows], n_components, family, rng)
    return mixture.responsibilities(X).T


def _best_climb(X, weight, n_components, family, rng):
    weight = weight / weight.sum()
    own = _climbing_family(family, X.shape[1])
    scratch = Scratch()
    climbs = _foot(X, weight, n_components, own, family.tied, rng)
    for n_steps, n_left in ROUNDS:
        before = -np.inf
        for _ in range(n_steps):
            moments = climbs.moments(X, weight, scratch)
            climbs = _maximised(moments, climbs.n_climbs, own, family.tied)
            if np.max(moments.log_likelihood - before) < SETTLED:
                break
            before = moments.log_likelihood
        climbs = climbs.best(n_left, moments.log_likelihood)
    return climbs.mixture


def _maximised(moments, n_climbs, family, is_tied):
    """The M-step of every climb."""
    mass = moments.mass.reshape(n_climbs, -1)
    weights = mass / mass.sum(axis=1, keepdims=True)
    covariances = family.estimate(moments, RIDGE)
    if is_tied:
        # A covariance for all components is the mean of their own, by mass.
        own = covariances.reshape(*mass.shape, *covariances.shape[1:])
        shared = np.einsum("ck,ck...->c...", weights, own)[:, None]
        covariances = np.broadcast_to(shared, own.shape).reshape(covariances.shape)
    cholesky = family.cholesky(covariances, SINGULAR_ESTIMATE)
    mixture = Mixture.from_cholesky(weights.ravel(), moments.mean, cholesky, family)
    return Climbs(mixture, n_climbs)


def _standardised(X, share):
    """Rows with mean 0 and variance 1 in every feature that varies."""
    X = X - np.average(X.astype(np.float64), axis=0, weights=share)
    X = _divided(X, np.abs(X).max(axis=0))  # now no square overflows
    return _divided(X, np.sqrt(share @ X**2))


def _divided(X, scale):
    return X / np.where(scale > 0, scale, 1)


def _climbing_family(family, n_features):
    """The family without ties, and diagonal where matrices would cost too much."""
    if family.n_products(n_features) > max(MAX_PRODUCTS, n_features):
        return FAMILIES["diag"]
    return type(family)()


def _foot(X, weight, n_components, family, is_tied, rng):
    """Where the climbs start: rows far apart, each with the rows it is nearest to."""
    nearest = _spread_rows(X, weight, n_components, rng)
    is_nearest = nearest[:, None] == np.arange(n_components)[:, None]
    shares = weight * is_nearest.reshape(-1, len(X))
    return _maximised(moments_of(X, shares, family), N_CLIMBS, family, is_tied)


def _spread_rows(X, weight, n_components, rng):
    """Which of the rows that a climb chose by D² sampling each row is nearest to.

    Arthur and Vassilvitskii (2007), doi:10.5555/1283383.1283494.
    """
    nearest = np.zeros((N_CLIMBS, len(X)), dtype=np.intp)
    distances = np.ones((N_CLIMBS, len(X)))
    for k in range(n_components):
        heights = np.cumsum(weight * distances, axis=1)
        draws = rng.uniform(size=N_CLIMBS) * heights[:, -1]
        chosen = [
            min(np.searchsorted(height, draw, side="right"), len(X) - 1)
            for height, draw in zip(heights, draws, strict=True)
        ]
        new = cdist(X[chosen], X, "sqeuclidean")
        nearest[(new < distances) | (k == 0)] = k
        distances = new if k == 0 else np.minimum(distances, new)
    return nearest
