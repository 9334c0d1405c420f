"""The rows that climbs look at."""

from __future__ import annotations

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.mixtures.partitions import Table
from skdensity.solvers.mixtures.problem import StartProblem

# At least so many, and so many for each component, or for each component and feature
# where covariances are matrices.
CLIMB_ROWS = 2000
CLIMB_ROWS_PER_COMPONENT = 50
CLIMB_ROWS_PER_FEATURE = 4


def rows_for_matrices(problem: StartProblem) -> int:
    """Rows that tell the covariances of all components, where these are matrices."""
    family, n_features = problem.family, problem.rows.n_features
    return _rows_for_matrices(problem.n_components, n_features, family)


def _rows_for_matrices(n_components, n_features, family):
    each = CLIMB_ROWS_PER_FEATURE * n_features
    return family.shape.is_oriented * each * n_components


def rows_for_components(
    n_components: int, n_features: int, family: CovarianceFamily
) -> int:
    """Rows that tell all components, by their number and by their matrices."""
    of_components = CLIMB_ROWS_PER_COMPONENT * n_components
    return max(of_components, _rows_for_matrices(n_components, n_features, family))


def n_climb_rows(problem: StartProblem) -> int:
    """Rows that the climbs look at, if there are as many."""
    family, n_features = problem.family, problem.rows.n_features
    fewest = rows_for_components(problem.n_components, n_features, family)
    return max(CLIMB_ROWS, fewest)


def sampled(
    problem: StartProblem, rng: np.random.RandomState
) -> tuple[ArrayRows, Table]:
    """The rows of the sample, and their coordinates."""
    rows, units, n_rows = problem.rows, problem.units, n_climb_rows(problem)
    white = units.whiten(rows.X)
    # By their distance from the mean: neither the order of the rows nor a change of
    # axes is to make a difference. Opposite rows may be as far.
    distance = np.einsum("nd,nd->n", white, white)
    side = white @ np.arange(1.0, 1 + white.shape[1])
    order = np.lexsort((side, distance.round(9)))
    if len(order) > n_rows:
        some = rng.choice(len(order), n_rows, replace=False)
        order = order[np.sort(some)]
    weight = rows.each_weight
    shape = problem.family.shape
    covariance = units.family.factors.square(units.cholesky)
    deviations = np.sqrt(shape.variances(covariance, rows.n_features))
    centred = rows.X[order] - units.mean
    return ArrayRows(rows.X[order], weight[order]), Table(
        plain=centred / np.linalg.norm(deviations),
        scaled=centred / deviations,
        white=white[order],
        weight=weight[order],
        is_oriented=shape.is_oriented,
    )
