"""A start by many short EM runs, of which the best goes on.

Biernacki, Celeux and Govaert (2003), doi:10.1016/S0167-9473(02)00163-9: EM climbs to
the optimum above its start, so the time is better spent on many short climbs than on a
long one. The climbs run side by side, as one mixture of all their components, on a
sample of the rows; the worse ones are given up on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.table import DIAGONAL
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments, shared_moments
from skdensity.models.mixtures.posterior import posterior
from skdensity.passes.scratch import Scratch
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import sample_distinct
from skdensity.rows.rows import Block
from skdensity.solvers.mixtures.em import SINGULAR_ESTIMATE

# Rows that the climbs look at.
CLIMB_ROWS = 5000
CLIMB_ROWS_PER_COMPONENT = 100
# Steps of each round, and the climbs that go on after it.
ROUNDS = ((20, 4), (30, 1))
N_CLIMBS = 20
# Rise of the mean log-likelihood below which no climb goes on.
SETTLED = 1e-5
# Added to the variances of features that are scaled to unit variance: in a sample, a
# component on a few rows looks better than it is.
RIDGE = 1e-3
# With more products of features than this, climbs take features as independent.
MAX_CLIMB_PRODUCTS = 100


@dataclass(frozen=True, eq=False)
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

    def moments(self, rows: ArrayRows) -> Moments:
        """One pass over the rows; the log-likelihood has an entry for every climb."""
        mixture = self.mixture
        prior = self._by_climb(mixture.weights)

        def term(block: Block, scratch: Scratch):
            form = mixture.pass_form.block(block.X, scratch)
            log_joint = self._by_climb(form.log_joint())
            log_density, shares = posterior(log_joint, prior, block.weight)
            shares = shares.reshape(mixture.n_components, -1)
            return form.sums(shares, log_density @ block.weight)

        return rows.add(term, mixture.pass_form.row_bytes).moments()

    def best(self, n_climbs: int, log_likelihood: np.ndarray) -> Climbs:
        """The most likely of the climbs."""
        kept = np.argsort(-log_likelihood, kind="stable")[:n_climbs]
        components = np.arange(self.mixture.n_components)
        index = self._by_climb(components)[kept].ravel()
        return Climbs(_taken(self.mixture, index), n_climbs)

    def _by_climb(self, values):
        return values.reshape(self.n_climbs, -1, *values.shape[1:])


@dataclass(frozen=True, eq=False)
class Climb:
    """The best climb, a mixture of standardised rows.

    Attributes
    ----------
    mixture : Mixture
        Of standardised rows; its family may be a simpler one.
    scaling : Standardisation
        What standardises them.
    """

    mixture: Mixture
    scaling: Standardisation

    @property
    def means(self) -> np.ndarray:
        """The components' means, in the units of the data."""
        return self.scaling.undone(self.mixture.means)

    def shares_of(self, block: Block, scratch: Scratch) -> np.ndarray:
        """Weights times responsibilities of a block of the data."""
        form = self.mixture.pass_form.block(self.scaling.applied(block.X), scratch)
        _, shares = posterior(form.log_joint(), self.mixture.weights, block.weight)
        return shares


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean 0 and variance 1 for every feature that varies.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Of the rows.
    size : ndarray of shape (n_features,)
        Largest distance from it; relative to that no square overflows.
    deviation : ndarray of shape (n_features,)
        Standard deviation, in units of the size.
    """

    mean: np.ndarray
    size: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, part: np.ndarray) -> Standardisation:
        """That of rows with their parts of the weight."""
        mean = np.average(X.astype(np.float64), axis=0, weights=part)
        size = _positive(np.abs(X - mean).max(axis=0))
        deviation = _positive(np.sqrt(part @ ((X - mean) / size) ** 2))
        return cls(mean, size, deviation)

    def applied(self, X: np.ndarray) -> np.ndarray:
        """Rows in these units, in float64."""
        return (X - self.mean) / self.size / self.deviation

    def undone(self, Z: np.ndarray) -> np.ndarray:
        """Rows in the units of the data."""
        return self.mean + self.size * (self.deviation * Z)


def best_climb(
    rows: ArrayRows,
    n_components: int,
    family: CovarianceFamily,
    rng: np.random.RandomState,
) -> Climb:
    """The best of many short EM runs.

    Parameters
    ----------
    rows : ArrayRows
        Rows to start on; the climbs look at a sample of them.
    n_components : int
        Number of components.
    family : CovarianceFamily
        The shape of the covariances.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    climb : Climb
        A mixture of standardised rows.
    """
    weight = np.ones(len(rows.X)) if rows.weight is None else rows.weight
    scaling = Standardisation.of(rows.X, weight / weight.sum())
    X = scaling.applied(rows.X)
    n_rows = max(CLIMB_ROWS, CLIMB_ROWS_PER_COMPONENT * n_components)
    # Without the last digits, which tell how the sums above were rounded.
    chosen = sample_distinct(X.astype(np.float32), n_rows, rng)
    chosen = chosen[np.lexsort(X[chosen].T)]  # their order is to make no difference
    weight = weight[chosen] / weight[chosen].sum()
    sampled = ArrayRows(X[chosen], weight)
    return Climb(_climbed(sampled, n_components, family, rng), scaling)


def _climbed(rows, n_components, family, rng):
    own = _climbing_family(family, rows.n_features)
    climbs = _first_climbs(rows, n_components, own, family, rng)
    for n_steps, n_left in ROUNDS:
        before = -np.inf
        for _ in range(n_steps):
            moments = climbs.moments(rows)
            climbs = _maximised(moments, climbs.n_climbs, own, family)
            if np.max(moments.log_likelihood - before) < SETTLED:
                break
            before = moments.log_likelihood
        climbs = climbs.best(n_left, moments.log_likelihood)
    # By weight: which climb came first, or from where, is a matter of last digits.
    return _taken(climbs.mixture, np.argsort(-climbs.mixture.weights, kind="stable"))


def _maximised(moments, n_climbs, own, family):
    """The M-step of every climb, in the climbing family of a family."""
    mass = moments.mass.reshape(n_climbs, -1)
    weights = mass / mass.sum(axis=1, keepdims=True)
    covariances = moments.covariances(own.scatter, RIDGE)
    if family.shape.tied:
        # A covariance for all components is the mean of their own, by mass.
        each = covariances.reshape(*mass.shape, *covariances.shape[1:])
        shared = np.einsum("ck,ck...->c...", weights, each)[:, None]
        covariances = np.broadcast_to(shared, each.shape).reshape(covariances.shape)
    cholesky = own.cholesky(covariances, SINGULAR_ESTIMATE)
    mixture = Mixture.from_cholesky(weights.ravel(), moments.mean, cholesky, own)
    return Climbs(mixture, n_climbs)


def _taken(mixture, index):
    """Some of the components, of which each has its own covariance."""
    weights, means = mixture.weights[index], mixture.means[index]
    cholesky = mixture.cholesky[index]
    return Mixture.from_cholesky(weights, means, cholesky, mixture.family)


def _positive(scale):
    return np.where(scale > 0, scale, 1)


def _climbing_family(family, n_features):
    """The family without ties, and diagonal where matrices would cost too much."""
    products = family.products
    is_dear = products is None or products.n_products(n_features) > max(
        MAX_CLIMB_PRODUCTS, n_features
    )
    return DIAGONAL if is_dear else family.untied


def _first_climbs(rows, n_components, own, family, rng):
    """Where the climbs start: rows far apart, each with the rows it is nearest to."""
    nearest = _spread_rows(rows.X, rows.weight, n_components, rng)
    components = np.arange(n_components)[:, None]

    def shares_of(block, scratch):
        is_nearest = nearest[:, None, block.index] == components
        return block.weight * is_nearest.reshape(-1, len(block.weight))

    n_in_all = N_CLIMBS * n_components
    moments = shared_moments(rows, n_in_all, shares_of, own.scatter)
    return _maximised(moments, N_CLIMBS, own, family)


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
