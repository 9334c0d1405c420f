"""Where mixture fits start: a mixture from rows and a generator.

Names and meanings are those of scikit-learn's ``GaussianMixture``; ``"small_em"`` and
``"standard_normal"`` are ours. Starts that look at rows give them responsibilities, of
which the first M-step makes a mixture; there is no table of them for all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.cluster import KMeans, kmeans_plusplus

from skdensity.models.gaussian import Gaussian
from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import (
    Moments,
    SharesOf,
    moments_about,
    moments_of,
    shared_moments,
    shares_of_parts,
)
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.distinct import merge_duplicates
from skdensity.rows.rows import Rows
from skdensity.solvers.mixtures.assigned import AssignedStart, Assigner, CalledStart
from skdensity.solvers.mixtures.given import Completion, Given
from skdensity.solvers.mixtures.problem import StartProblem
from skdensity.solvers.mixtures.small_em import small_em
from skdensity.solvers.mixtures.stand_in import DrawnStandIn, StandIn

# Rows that a start looks at: it sets out near an optimum, and need not find it.
MAX_ROWS = 20_000
ROWS_PER_COMPONENT = 100


Find = Callable[[StartProblem, np.random.RandomState], Mixture]


@dataclass(frozen=True)
class Start:
    """An entry of :data:`STARTS`.

    Attributes
    ----------
    find : callable
        Maps a problem and a generator to a mixture.
    is_blind : bool
        Whether it knows nothing of the rows but how many features they have.
    is_own : bool
        Whether it is the user's own, and its components are in the order that is meant.
    is_fixed : bool
        Whether it is the same whatever the generator.
    """

    find: Find
    is_blind: bool = False
    is_own: bool = False
    is_fixed: bool = False

    def is_settled(self, given: Given) -> bool:
        """Whether the start with given parts is the same whatever the generator."""
        is_around = given.means is not None and self.looks_at_rows
        return self.is_fixed or given.n_parts == 3 or is_around

    @property
    def looks_at_rows(self) -> bool:
        """Whether it is found in the rows; beside given means it then plays no part."""
        return not (self.is_blind or self.is_own)

    def found(
        self,
        given: Given,
        problem: StartProblem,
        stand_in: StandIn | DrawnStandIn,
        rng: np.random.RandomState,
    ) -> Mixture:
        """That of :meth:`completing`, or one from what it makes of rows with holes."""
        first = self.completing(given, problem, rng)
        if not self.looks_at_rows:
            return first

        def again(rows):
            on, _ = start_rows(rows, problem.n_components, rng)
            return self.completing(given, replace(problem, rows=on), rng)

        return stand_in.better(first, again, problem.reg_covar)

    def completing(
        self, given: Given, problem: StartProblem, rng: np.random.RandomState
    ) -> Mixture:
        """A mixture with the given parts, and others that belong to them.

        Parameters
        ----------
        given : Given
            Some of the parts, or none.
        problem : StartProblem
            What the start is sought for.
        rng : RandomState
            Source of randomness.

        Returns
        -------
        mixture : Mixture
            Its given parts are exactly those.
        """
        completion = Completion(given, problem)
        if given.means is not None and self.looks_at_rows:
            return completion.around(given.means)
        found = self.find(problem, rng)
        if self.is_blind or given.n_parts == 0:
            return given.instead_of(found)
        if not self.is_own:
            # Parts of a rough partition are unlike those of the components it leads to.
            found = Completion(Given(), problem).adapted(found)
            found = completion.matched(found)
        return completion.adapted(found)


def kmeans(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """Hard assignments of one k-means run."""
    rows, n_components = problem.rows, problem.n_components
    labels = (
        KMeans(n_components, n_init=1, random_state=rng)
        .fit(rows.X, sample_weight=rows.weight)
        .labels_
    )
    shares_of, scatter = shares_of_parts(labels, n_components), problem.family.scatter
    return problem.mixture(shared_moments(rows, n_components, shares_of, scatter))


def kmeans_plus_plus(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """One row per component, spread out by k-means++."""
    X, weight = problem.rows.X, problem.rows.weight
    _, chosen = kmeans_plusplus(
        X, problem.n_components, sample_weight=weight, random_state=rng
    )
    return _on_single_rows(problem, chosen)


def random(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """Uniform responsibilities, normalised per row."""
    rows, n_components = problem.rows, problem.n_components
    scatter = problem.family.scatter
    # All components have their means near that of the rows.
    about = np.repeat(moments_of(rows, scatter).mean, n_components, axis=0)
    return problem.mixture(
        moments_about(rows, about, _uniform_shares(n_components, rng), scatter)
    )


def random_from_data(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """One row per component, drawn by weight without replacement."""
    rows = problem.rows
    p = None if rows.weight is None else rows.weight / rows.total_weight
    chosen = rng.choice(len(rows.X), size=problem.n_components, replace=False, p=p)
    return _on_single_rows(problem, chosen)


def standard_normal(problem: StartProblem, rng: np.random.RandomState) -> Mixture:
    """Logits and means drawn from N(0, 1) and unit covariances, whatever the data."""
    n_components, n_features = problem.n_components, problem.rows.n_features
    weights = softmax(rng.standard_normal(n_components))
    means = rng.standard_normal((n_components, n_features))
    unit = Gaussian.isolated(means[0], np.ones(n_features), problem.family)
    shape = problem.family.shape.inner_shape(n_components, n_features)
    cholesky = np.broadcast_to(unit.cholesky, shape)
    return Mixture.from_cholesky(weights, means, cholesky, problem.family)


STARTS: dict[str, Start] = {
    "kmeans": Start(kmeans),
    "k-means++": Start(kmeans_plus_plus),
    "random": Start(random),
    "random_from_data": Start(random_from_data),
    "small_em": Start(small_em),
    "standard_normal": Start(standard_normal, is_blind=True),
}


def start_of(
    init_params: str | Start | Assigner | ArrayLike, stand_in: StandIn | DrawnStandIn
) -> Start:
    """The start that an estimator's `init_params` asks for.

    Parameters
    ----------
    init_params : str, Start, callable or array-like
        A name of :data:`STARTS`, or a start that has none, or labels or
        responsibilities of the rows, or what returns them.
    stand_in : StandIn or DrawnStandIn
        Gives the rows of the fit, without holes, to the user's own starts.

    Returns
    -------
    start : Start
        Checks what the user gave when it is asked.
    """
    if isinstance(init_params, str):
        return STARTS[init_params]
    if isinstance(init_params, Start):
        return init_params
    if callable(init_params):
        return Start(CalledStart(init_params, stand_in.whole), is_own=True)
    if stand_in.is_sample:
        raise ValueError(
            "`init_params` is an array for all rows, and starts look at a sample of "
            "rows that come in blocks. Give a callable, which is called with the "
            "sample, or the parts of a mixture: `means_init` and others."
        )
    return Start(AssignedStart(init_params, stand_in.whole), is_own=True, is_fixed=True)


def sample_size(n_components: int) -> int:
    """Rows that a start looks at, if there are as many."""
    return max(MAX_ROWS, ROWS_PER_COMPONENT * n_components)


def start_rows(
    rows: Rows, n_components: int, rng: np.random.RandomState
) -> tuple[ArrayRows, bool]:
    """Distinct rows, so that a start cannot tell a weight from a repetition.

    Rows that all count the same keep their order, which makes seeds mean what they mean
    in scikit-learn; otherwise they are sorted, and their order makes no difference. Of
    many rows it is a random sample.

    Parameters
    ----------
    rows : Rows
        The rows.
    n_components : int
        Number of components.
    rng : RandomState
        Source of randomness, for many rows only.

    Returns
    -------
    rows : ArrayRows
        Distinct rows; all rows when there are fewer distinct ones than components.
    are_all : bool
        Whether these are all rows, which count the same.
    """
    sampled = rows.sample(sample_size(n_components), rng)
    X, weight = sampled.X, sampled.each_weight
    locations, masses, first, _ = merge_duplicates(X, weight)
    if len(locations) < n_components:
        # A sample that was drawn in passes may hold one row in the place of copies.
        n_each = -(-n_components // len(X))
        X, weight = np.repeat(X, n_each, axis=0), np.repeat(weight / n_each, n_each)
        locations, masses, first = X, weight, np.arange(len(X))
    # Without threads: starts may draw random numbers block by block.
    if np.ptp(masses) <= 1e-12 * masses.max():
        are_all = sampled.weight is None and len(first) == rows.n_rows
        return ArrayRows(X[np.sort(first)]), are_all
    return ArrayRows(locations, masses), False


def _uniform_shares(n_components: int, rng: np.random.RandomState) -> SharesOf:
    """Responsibilities drawn block by block: blocks must come in their order."""

    def shares_of(block, scratch):
        shares = rng.uniform(size=(len(block.weight), n_components)).T
        return shares * (block.weight / shares.sum(axis=0))

    return shares_of


def _on_single_rows(problem: StartProblem, chosen: np.ndarray) -> Mixture:
    """The M-step after every component was given one row."""
    rows, scatter = problem.rows, problem.family.scatter
    means = rows.X[chosen].astype(np.float64)
    still, mass = np.zeros_like(means), rows.each_weight[chosen]
    return problem.mixture(
        Moments(0.0, mass, still, scatter.outer(still, still), means)
    )
