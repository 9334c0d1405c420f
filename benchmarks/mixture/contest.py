"""Fits of one table by both libraries, in turns, one per seed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, nan

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold

from benchmarks.common.report import size
from benchmarks.common.turns import Turns, take_turns, timed
from benchmarks.mixture.tables import Table
from skdensity import EMGaussianMixture

MIXTURES = EMGaussianMixture, GaussianMixture
BUDGET = 60  # seconds of a table and a section: what is slow takes fewer seeds
N_FOLDS = 5


@dataclass(frozen=True)
class Contest:
    """Seconds of both libraries, and as results what came out of every seed."""

    table: Table
    shape: tuple[int, ...]
    ours: Turns
    theirs: Turns

    @property
    def cells(self) -> tuple:
        """What was fitted."""
        table = self.table
        return size(self.shape), table.n_components, table.covariance_type

    @property
    def nats(self) -> tuple[float, float]:
        """Both medians over the seeds that did not fail; nan where all did."""
        return middle(self.ours), middle(self.theirs)

    @property
    def gain(self) -> float:
        """By how much skdensity's result is better, in the mean over the turns."""
        return float(np.mean(self.ours.result - self.theirs.result))

    @property
    def best(self) -> float:
        """The best result of all seeds."""
        return float(np.nanmax([-inf, *self.ours.result, *self.theirs.result]))


def middle(turns: Turns, centre: Callable = np.median) -> float:
    """Median, or another centre, of the results of fits that did not fail."""
    found = turns.result[~np.isnan(turns.result)]
    return float(centre(found)) if found.size else nan


def failures(turns: Turns) -> str:
    """How many fits failed, if any."""
    failed, total = np.isnan(turns.result).sum(), turns.result.size
    return f" ({failed} of {total} fail)" if failed else ""


def in_words(turns: Turns, centre: Callable = np.median) -> str:
    """The centre of the results, and how many fits failed."""
    return f"{middle(turns, centre):.4f}{failures(turns)}"


def compare(
    table: Table, seeds: int = 3, fit: Callable | None = None, **settings
) -> Contest:
    """Let both libraries fit a table in turns, one per seed.

    Without `settings` these are the table's, `reg_covar` included; ``fit(mixture, X)``
    returns seconds and a result, by default the likelihood of the rows.
    """
    X, turns = table.load(), []
    settings = settings or {**table.settings, "reg_covar": table.reg_covar}
    for seed in range(seeds):
        mixtures = [Mixture(random_state=seed, **settings) for Mixture in MIXTURES]
        calls = [partial(fit or likelihood_of_fit, mixture, X) for mixture in mixtures]
        turns.append(take_turns(1, *calls))
        if sum(turn.median for pair in turns for turn in pair) > BUDGET:
            break
    return Contest(table, X.shape, *map(joined, zip(*turns, strict=True)))


def joined(turns) -> Turns:
    """One contender's measurements and results of all seeds."""
    return Turns([t.median for t in turns], np.array([t.result for t in turns]))


def likelihood_of_fit(mixture, X, fresh=None):
    """Seconds of a fit, and nats per row of the rows, or of `fresh` ones.

    Where the fit fails these are nan: a failure is a result, and is shown.
    """

    def attempt():
        try:
            return mixture.fit(X)
        except ValueError:
            return None

    taken, fitted = timed(attempt)
    return taken, nan if fitted is None else fitted.score(X if fresh is None else fresh)


def held_out_likelihood(mixture, X):
    """Seconds of a fit to four folds, and nats per row of the fifth.

    The fold goes with the seed, so that five seeds leave out every row once.
    """
    return likelihood_of_fit(mixture, *fold(X, mixture.random_state))


def fold(X, seed):
    """Rows of four folds, and those of the fifth."""
    folds = list(KFold(N_FOLDS, shuffle=True, random_state=0).split(X))
    seen, fresh = folds[seed % N_FOLDS]
    return X[seen], X[fresh]
