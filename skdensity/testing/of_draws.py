"""Checks of draws: that they follow the density, and that they are new."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from skdensity.models.draws import rows_of
from skdensity.testing.integrals import edges_of, masses, require_counts
from skdensity.testing.problems import Problem, draws, fit, require


def check_density_sample_follows(estimator: Any) -> None:
    """A χ² test does not tell 4,000 draws from the density at the level 0.001."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        fitted, edges = fit(estimator, problem), edges_of(problem)
        rows = draws(fitted, 4000)
        require(
            rows.shape == (4000, n_features),
            f"sample gives as many rows as are asked for: shape {rows.shape}",
        )
        require_counts(rows, edges, masses(fitted, edges, n_features))


def check_density_sample_fresh(estimator: Any) -> None:
    """Draws differ from each other and from the rows of the fit."""
    problem = Problem.of(2)
    rows = draws(fit(estimator, problem), 500)
    there = {tuple(row) for row in problem.X}
    drawn = [tuple(row) for row in rows.tolist()]
    require(not there & set(drawn), "draws are fresh: some are rows of the fit")
    require(len(set(drawn)) == len(drawn), "draws are fresh: some are there twice")


def check_density_sample_seed(estimator: Any) -> None:
    """``sample`` takes a `random_state`: a seed repeats it, another one does not."""
    fitted = fit(estimator, Problem.of(2))
    takes_seed = "random_state" in inspect.signature(fitted.sample).parameters
    require(takes_seed, "sample takes a random_state: it does not")

    def drawn(seed):
        return rows_of(fitted.sample(50, random_state=seed))

    first = drawn(0)
    require(np.array_equal(first, drawn(0)), "sample repeats itself for an int seed")
    require(not np.array_equal(first, drawn(1)), "sample differs for another int seed")
