"""What runs of a mixture fit share, and what one amounts to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.mixture import Mixture
from skdensity.models.mixtures.moments import Moments
from skdensity.rows.rows import Rows
from skdensity.solvers.loop import Solver
from skdensity.solvers.mixtures.stand_in import DrawnStandIn, StandIn
from skdensity.solvers.mixtures.starts import Start
from skdensity.solvers.result import Result


@dataclass(frozen=True, eq=False)
class FitProblem:
    """What every run of a fit shares.

    Attributes
    ----------
    rows : Rows
        What is fitted to.
    stand_in : StandIn or DrawnStandIn
        Rows without holes, for what can only look at such.
    reg_covar : ndarray
        Added to every covariance, in the family's layout, without an axis of
        components.
    rng : RandomState
        Source of randomness.
    start : Start
        Where runs start.
    moments : callable
        Those of all rows, computed once; without correlations if rows have holes.
    """

    rows: Rows
    stand_in: StandIn | DrawnStandIn
    reg_covar: np.ndarray
    rng: np.random.RandomState
    start: Start
    moments: Callable[[], Moments]


@dataclass(frozen=True, eq=False)
class Run:
    """One fit from one start.

    Attributes
    ----------
    solver : Solver
        What found it.
    mixture : Mixture
        What it ended with.
    result : Result
        How it went.
    lower_bound : float
        Mean log-likelihood, in nats.
    """

    solver: Solver | None
    mixture: Mixture
    result: Result
    lower_bound: float = -np.inf
