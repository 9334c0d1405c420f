"""A table of mixtures: every number of components in every family of covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from skdensity.uses.mixture_cell import (
    N_TRIED,
    NUMBERS,
    Beside,
    Cell,
    Sample,
    retried,
)

# Cells that more starts are tried for: so many with the least criterion, and those of
# one component more or fewer.
N_BEST = 3
N_ROUNDS = 4
GAIN = 0.1
# Share of a criterion that two equal ones may differ by.
ROUNDING = 1e-12
# Nats of all rows together that make no difference to a choice.
FINE = 1e-3
# Part of the `tol` of a fit that further steps go on to.
FINER = 10
# The `tol` of further steps is no less than this: rounding errors are of that size.
LEAST_TOL = 1e-10

Place = tuple[str, int]


class MixtureTable:
    """Mixtures of some numbers of components in some families.

    Parameters
    ----------
    sample : Sample
        What they are fitted to.
    families : sequence of str
        Names of families. Mixtures of the first are starts for those of the others.
    numbers : sequence of int
        Numbers of components, ascending.
    rng : RandomState
        Source of randomness.
    n_jobs : int or None
        Fits at a time.
    """

    def __init__(
        self,
        sample: Sample,
        families: Sequence[str],
        numbers: Sequence[int],
        rng: np.random.RandomState,
        n_jobs: int | None,
    ) -> None:
        self.sample = sample
        self.families = families
        self.numbers = numbers
        self.rng = rng
        self.n_jobs = n_jobs
        self.cells: dict[Place, Cell] = {}

    def fill(self) -> None:
        """Fit all mixtures: first those of the first family, then the others."""
        first, *others = self.families
        for names in ([first], others):
            leads = [self.cells.get((first, k)) for k in self.numbers]
            columns = self._parallel(
                delayed(fitted_column)(self.sample, name, self.numbers, leads, seeds)
                for name, seeds in zip(names, self._seeds(len(names)), strict=True)
            )
            for name, column in zip(names, columns, strict=True):
                self.cells.update({(name, cell.n_components): cell for cell in column})

    def improve(self, criterion: str) -> None:
        """Try more starts for those cells that may have the least of a criterion.

        Parameters
        ----------
        criterion : str
            One of :data:`~skdensity.densities.criteria.CRITERIA`.
        """
        settled: set[Place] = set()
        for _ in range(N_ROUNDS):
            places = [p for p in self._contenders(criterion) if p not in settled]
            (seeds,) = self._seeds(1, len(places))
            before = [self.cells[p].height for p in places]
            cells = self._parallel(
                delayed(retried)(self.sample, self.cells[p], self._near(p), seed)
                for p, seed in zip(places, seeds, strict=True)
            )
            self.cells.update(zip(places, cells, strict=True))
            settled |= set(places)
            for place, height, cell in zip(places, before, cells, strict=True):
                if cell.height > height + GAIN:
                    settled -= self._beside(place)

    def least(self, criterion: str) -> int:
        """Index of the cell with the least of a criterion, whatever steps may change.

        A fit ends when further steps can be expected to gain less than its `tol` for
        each row, and that may be much beside what tells two cells. All that may be the
        least then take these steps.

        Parameters
        ----------
        criterion : str
            One of :data:`~skdensity.densities.criteria.CRITERIA`.

        Returns
        -------
        index : int
            A cell that does not count if none does.
        """
        places = list(self.cells)
        while True:
            cells = [self.cells[place] for place in places]
            values = np.array([cell.of(criterion) for cell in cells])
            rise = np.array([2 * cell.total * cell.tol for cell in cells])
            bound = np.where(np.isnan(values), np.inf, values - rise)
            # Of equal ones the first: families of one component are alike.
            lowest = bound.min() + ROUNDING * np.abs(values[bound.argmin()])
            index = int(np.flatnonzero(~(bound > lowest))[0])
            cell = cells[index]
            finest = max(FINE / cell.total, LEAST_TOL)
            if not cell.counts or cell.tol <= finest:
                return index
            tol = max(cell.tol / FINER, finest)
            self.cells[places[index]] = cell.finer(self.sample, tol)

    def smallest(self) -> int | None:
        """Index of the fewest parameters that were fitted at all, if any were."""
        sizes = [c.n_parameters if c.numbers else np.inf for c in self.cells.values()]
        return int(np.argmin(sizes)) if np.isfinite(sizes).any() else None

    def results(self) -> dict[str, np.ndarray]:
        """The table as arrays, family by family."""
        cells = self.cells.values()
        families = np.array([family for family, _ in self.cells])
        return {
            "n_components": np.array([number for _, number in self.cells]),
            "covariance_type": families,
            **{name: np.array([cell.of(name) for cell in cells]) for name in NUMBERS},
            "n_parameters": np.array([cell.n_parameters for cell in cells]),
            "n_iter": np.array([cell.n_iter for cell in cells]),
            "converged": np.array([cell.converged for cell in cells]),
            "fit_time": np.array([cell.fit_time for cell in cells]),
            "reason": np.array([cell.reason for cell in cells], dtype=object),
        }

    def _contenders(self, criterion: str) -> list[Place]:
        """The best cells and those beside them, in the order of the table."""
        values = np.array([cell.of(criterion) for cell in self.cells.values()])
        order = np.argsort(values)[: min(N_BEST, np.count_nonzero(~np.isnan(values)))]
        best = [list(self.cells)[index] for index in order]
        beside = {p for place in best for p in self._beside(place)}
        # One component has one optimum.
        return [place for place in self.cells if place in beside and place[1] > 1]

    def _beside(self, place: Place) -> set[Place]:
        """The cell, and those of one component more or fewer."""
        name, k = place
        return {(name, k + step) for step in (-1, 0, 1)}

    def _near(self, place: Place) -> list[Beside]:
        """All that is near a cell, itself included; then nothing."""
        name, k = place
        smaller, larger = (self.cells.get((name, k + step)) for step in (-1, 1))
        equal = [self.cells[other, k] for other in self.families]
        return [Beside(smaller, larger, equal, is_fresh=False), Beside()]

    def _seeds(self, *shape):
        shape = shape if len(shape) > 1 else (*shape, len(self.numbers))
        return self.rng.randint(2**31 - 1, size=shape).tolist()

    def _parallel(self, calls):
        return Parallel(n_jobs=self.n_jobs)(calls)


def fitted_column(
    sample: Sample,
    name: str,
    numbers: Sequence[int],
    leads: Sequence[Cell | None],
    seeds: Sequence[int],
) -> list[Cell]:
    """The mixtures of one family, each warm from the one before and from another's."""
    cells: list[Cell] = []
    for k, lead, seed in zip(numbers, leads, seeds, strict=True):
        last = cells[-1] if cells and cells[-1].n_components == k - 1 else None
        is_led = lead is not None and lead.counts
        beside = Beside(last, equal=[lead], is_fresh=not is_led)
        n_tried = N_TRIED if last is not None and last.counts else 1
        cells.append(Cell.empty(sample, name, k).tried(sample, beside, seed, n_tried))
    return cells
