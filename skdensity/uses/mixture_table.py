"""A table of mixtures: every number of components in every family of covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from skdensity.densities.checks import doubt_of_weights
from skdensity.densities.criteria import CRITERIA, n_parameters
from skdensity.densities.doubts import Doubts
from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.solvers.mixtures.neighbours import NeighbourStart
from skdensity.solvers.mixtures.starts import Start
from skdensity.solvers.result import unless_interrupted

# What is summed up for all criteria.
SUMMED = sorted({criterion.values for criterion in CRITERIA.values()})
# What a cell has a number for.
NAMES = (*sorted(CRITERIA), "log_likelihood")
# Nats of all rows together that a likelihood may still rise by when the choice is made,
# and what is left to a criterion by the `tol` of a fit, which is for each row.
FINE = 1e-3
# The `tol` of further steps is no less than this: rounding errors are of that size.
LEAST_TOL = 1e-10
# Share of a criterion that two equal ones may differ by.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Sample:
    """What all mixtures of a table are fitted to.

    Attributes
    ----------
    X : array-like of shape (n_samples, n_features), or RowBlocks
        The rows.
    weight : array-like of shape (n_samples,) or None
        Their weights.
    n_features : int
        Number of features.
    """

    X: Any
    weight: Any
    n_features: int


@dataclass(frozen=True, eq=False)
class Cell:
    """An entry of the table: a mixture, and what it is worth.

    Attributes
    ----------
    mixture : EMGaussianMixture
        Fitted, unless that failed.
    n_parameters : int
        Its free parameters.
    total : float
        Weight of the rows that criteria count.
    values : dict of str to float
        The criteria and the log-likelihood; empty where the fit failed.
    fit_time : float
        Seconds.
    n_iter : int
        Iterations.
    doubts : Doubts
        What the fit may hide.
    reason : str
        Why it does not count; empty if it does.
    """

    mixture: EMGaussianMixture
    n_parameters: int
    total: float = np.nan
    values: dict[str, float] = field(default_factory=dict)
    fit_time: float = 0.0
    n_iter: int = 0
    doubts: Doubts = Doubts()
    reason: str = ""

    def of(self, name: str) -> float:
        """A criterion or the log-likelihood; NaN where it says nothing."""
        return np.nan if self.reason else self.values[name]

    def fitted(self, sample: Sample) -> Cell:
        """The cell after a fit of its mixture."""
        begin = perf_counter()
        try:
            found = self._found(sample)
        except ValueError as error:
            found = {"reason": str(error)}
        return replace(self, fit_time=self.fit_time + perf_counter() - begin, **found)

    def _found(self, sample):
        mixture = self.mixture
        run, doubts = mixture._fitted(sample.X, None, sample.weight)
        unless_interrupted(run.result, type(mixture).__name__)
        sums, total = mixture._sums(SUMMED, sample.X, sample.weight)
        by_name = dict(zip(SUMMED, sums, strict=True))
        criteria = {
            name: criterion.of(by_name[criterion.values], self.n_parameters, total)
            for name, criterion in CRITERIA.items()
        }
        light = doubt_of_weights(total, self.n_parameters)
        return {
            "total": float(total),
            "values": {**criteria, "log_likelihood": float(by_name["log_density"])},
            "n_iter": self.n_iter + mixture.n_iter_,
            "doubts": doubts,
            "reason": doubts.added or (f"There are {light}" if light else ""),
        }

    def finer(self, sample: Sample, tol: float) -> Cell:
        """The cell after further steps, from where its fit has ended."""
        usual = {"tol": self.mixture.tol, "warm_start": self.mixture.warm_start}
        self.mixture.set_params(tol=tol, warm_start=True)
        try:
            return self.fitted(sample)
        finally:
            self.mixture.set_params(**usual)


def fitted_cells(
    sample: Sample,
    families: Sequence[str],
    numbers: Sequence[int],
    rng: np.random.RandomState,
    n_jobs: int | None,
) -> list[Cell]:
    """All mixtures of a table, family by family.

    Parameters
    ----------
    sample : Sample
        What they are fitted to.
    families : sequence of str
        Names of families.
    numbers : sequence of int
        Numbers of components, ascending.
    rng : RandomState
        Source of randomness.
    n_jobs : int or None
        Families at a time.
    """
    seeds = rng.randint(2**31 - 1, size=(len(families), len(numbers)))
    columns = Parallel(n_jobs=n_jobs)(
        delayed(fitted_column)(sample, name, numbers, own.tolist())
        for name, own in zip(families, seeds, strict=True)
    )
    return [cell for column in columns for cell in column]


def fitted_column(
    sample: Sample, family: str, numbers: Sequence[int], seeds: Sequence[int]
) -> list[Cell]:
    """The mixtures of one family, each warm from the last one that counts."""
    cells, smaller = [], None
    for n_components, seed in zip(numbers, seeds, strict=True):
        mixture = EMGaussianMixture(
            n_components,
            covariance_type=family,
            init_params=Start(NeighbourStart(smaller)),  # type: ignore[arg-type]
            random_state=seed,
        )
        size = n_parameters(n_components, sample.n_features, FAMILIES[family])
        cell = Cell(mixture, size).fitted(sample)
        mixture.set_params(init_params="small_em")
        if not cell.reason:
            smaller = mixture._model()
        cells.append(cell)
    return cells


def least(cells: list[Cell], criterion: str, sample: Sample) -> int:
    """Index of the cell with the least of a criterion, beyond what steps may change.

    A fit ends when further steps can be expected to gain less than its `tol` for each
    row, and that may be much beside what tells two cells. All that may be the least
    then take these steps, and are replaced in the list.

    Parameters
    ----------
    cells : list of Cell
        The table; one cell at least counts.
    criterion : str
        One of :data:`~skdensity.densities.criteria.CRITERIA`.
    sample : Sample
        What they are fitted to.
    """
    rise = np.array([2 * cell.total * cell.mixture.tol for cell in cells])
    while True:
        values = np.array([cell.of(criterion) for cell in cells])
        bound = np.where(np.isnan(values), np.inf, values - rise)
        # Of equal ones the first: families of one component are alike, up to rounding.
        index = int(
            np.flatnonzero(bound <= bound.min() + ROUNDING * abs(bound.min()))[0]
        )
        if rise[index] == 0:
            return index
        tol = max(FINE / cells[index].total, LEAST_TOL)
        cells[index] = cells[index].finer(sample, tol)
        rise[index] = 0.0


def results_of(cells: Sequence[Cell]) -> dict[str, np.ndarray]:
    """The table as arrays, an entry for every cell."""
    mixtures = [cell.mixture for cell in cells]
    return {
        "n_components": np.array([mixture.n_components for mixture in mixtures]),
        "covariance_type": np.array([mixture.covariance_type for mixture in mixtures]),
        **{name: np.array([cell.of(name) for cell in cells]) for name in NAMES},
        "n_parameters": np.array([cell.n_parameters for cell in cells]),
        "n_iter": np.array([cell.n_iter for cell in cells]),
        "converged": np.array([getattr(m, "converged_", False) for m in mixtures]),
        "fit_time": np.array([cell.fit_time for cell in cells]),
        "reason": np.array([cell.reason for cell in cells], dtype=object),
    }
