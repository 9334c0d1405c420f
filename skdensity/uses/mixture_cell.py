"""An entry of a table of mixtures: a fit, and what it is worth, if anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Self

import numpy as np

from skdensity.densities.checks import doubt_of_weights
from skdensity.densities.criteria import CRITERIA, n_parameters
from skdensity.densities.doubts import Doubts
from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.solvers.mixtures.neighbours import NeighbourStart
from skdensity.solvers.mixtures.starts import Start

# What is summed up for all criteria.
SUMMED = sorted({criterion.values for criterion in CRITERIA.values()})
# What a cell has a number for.
NUMBERS = (*sorted(CRITERIA), "log_likelihood")
# Starts that are tried, the best first, until a fit counts.
N_TRIED = 3
# The `tol` that a table is filled with, and that of a mixture by default.
TOL = 1e-3
USUAL_TOL = EMGaussianMixture().tol
NO_DOUBTS = Doubts()


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
    """A mixture in a table.

    Attributes
    ----------
    mixture : EMGaussianMixture
        Fitted, unless that failed.
    n_parameters : int
        Its free parameters.
    tol : float
        What further steps can be expected to gain at most, in nats for each row.
    total : float
        Weight of the rows that criteria count.
    numbers : dict of str to float
        The criteria and the log-likelihood; empty where the fit failed.
    fit_time : float
        Seconds of all fits.
    n_iter : int
        Iterations of all fits.
    doubts : Doubts
        What the fit may hide.
    reason : str
        Why the cell does not count; empty if it does.
    """

    mixture: EMGaussianMixture
    n_parameters: int
    tol: float = np.inf
    total: float = np.nan
    numbers: dict[str, float] = field(default_factory=dict)
    fit_time: float = 0.0
    n_iter: int = 0
    doubts: Doubts = NO_DOUBTS
    reason: str = ""

    @classmethod
    def empty(cls, sample: Sample, name: str, n_components: int) -> Self:
        """A cell that is to be fitted."""
        mixture = EMGaussianMixture(n_components, covariance_type=name)
        size = n_parameters(n_components, sample.n_features, FAMILIES[name])
        return cls(mixture, size)

    @property
    def n_components(self) -> int:
        """Number of components."""
        return self.mixture.n_components

    @property
    def converged(self) -> bool:
        """Whether the last fit reached its `tol`."""
        return bool(getattr(self.mixture, "converged_", False))

    @property
    def counts(self) -> bool:
        """Whether it is fitted, and nothing speaks against it."""
        return not self.reason

    @property
    def model(self) -> Mixture:
        """The fitted mixture."""
        return self.mixture._model()

    def of(self, name: str) -> float:
        """A criterion or the log-likelihood; NaN where the cell does not count."""
        return self.numbers[name] if self.counts else np.nan

    @property
    def height(self) -> float:
        """The log-likelihood, below all others where the cell does not count."""
        return self.numbers["log_likelihood"] if self.counts else -np.inf

    def told(self) -> list[str | None]:
        """What is to be said of the mixture if it is chosen."""
        # The first of the doubts is why a cell does not count.
        light = doubt_of_weights(self.total, self.n_parameters)
        return [
            self.doubts.widened,
            self.doubts.coinciding,
            light and f"the best mixture has {light}",
        ]

    def tried(self, sample: Sample, beside: Beside, seed: int, n_tried: int) -> Cell:
        """The cell after a fit of another mixture in its place, from those beside it.

        Where components come to rest on what is added to their covariances, the next
        best start may lead elsewhere; so many are tried.
        """
        cell, start = self, beside.start
        for place in range(n_tried):
            # What neighbours say of rows with holes is not asked again of better draws.
            found = replace(start, place=place)
            own: Any = Start(found, is_own=not start.is_fresh)
            mixture = EMGaussianMixture(
                self.n_components,
                covariance_type=self.mixture.covariance_type,
                init_params=own,
                tol=TOL,
                random_state=seed,
            )
            cell = replace(cell, mixture=mixture, tol=TOL, numbers={})._fitted(sample)
            mixture.set_params(init_params="small_em", tol=USUAL_TOL)
            if cell.counts:
                break
        return cell

    def finer(self, sample: Sample, tol: float) -> Cell:
        """The cell after further steps, from where its fit has ended."""
        self.mixture.set_params(tol=tol, warm_start=True)
        fitted = replace(self, tol=tol)._fitted(sample)
        self.mixture.set_params(tol=USUAL_TOL, warm_start=False)
        return fitted

    def _fitted(self, sample):
        begin = perf_counter()
        try:
            found = self._found(sample)
        except ValueError as error:
            found = {"reason": str(error)}
        return replace(self, fit_time=self.fit_time + perf_counter() - begin, **found)

    def _found(self, sample):
        mixture = self.mixture
        _, doubts = mixture._fitted(sample.X, None, sample.weight)
        sums, total = mixture._sums(SUMMED, sample.X, sample.weight)
        by_name = dict(zip(SUMMED, sums, strict=True))
        criteria = {
            name: criterion.of(by_name[criterion.values], self.n_parameters, total)
            for name, criterion in CRITERIA.items()
        }
        # Values, not rows: a covariance of full rank may ask for more parameters than
        # there are rows, while weights that sum to 1 are worth less than any mixture.
        is_light = total * sample.n_features < self.n_parameters
        light = doubt_of_weights(total, self.n_parameters) if is_light else None
        return {
            "total": float(total),
            "numbers": {**criteria, "log_likelihood": float(by_name["log_density"])},
            "n_iter": self.n_iter + mixture.n_iter_,
            "doubts": doubts,
            "reason": doubts.added or (f"There are {light}" if light else ""),
        }


@dataclass(frozen=True, eq=False)
class Beside:
    """Cells that another may start from; there may be none.

    Their models are made where they are needed: the last digits of one that was
    pickled, on its way to another process, are others.

    Attributes
    ----------
    smaller : Cell, optional
        Of the same family, with one component fewer.
    larger : Cell, optional
        With one component more.
    equal : sequence of Cell
        Of any family, with as many components.
    is_fresh : bool
        Whether a start without neighbours is tried, too.
    """

    smaller: Cell | None = None
    larger: Cell | None = None
    equal: Sequence[Cell | None] = ()
    is_fresh: bool = True

    @property
    def start(self) -> NeighbourStart:
        """The start from those that count."""
        smaller, larger, *equal = (
            cell.model if cell is not None and cell.counts else None
            for cell in (self.smaller, self.larger, *self.equal)
        )
        known = [mixture for mixture in equal if mixture is not None]
        return NeighbourStart(smaller, larger, known, self.is_fresh)


def retried(sample: Sample, cell: Cell, near: Sequence[Beside], seed: int) -> Cell:
    """The cell, or what starts from others lead to if that is more likely."""
    best = cell
    for beside in near:
        again = best.tried(sample, beside, seed, N_TRIED)
        chosen = again if again.height > best.height else best
        best = replace(chosen, fit_time=again.fit_time, n_iter=again.n_iter)
    return best
