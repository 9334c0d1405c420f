"""Checks of a fitted density by itself: its values, its tails, its mass."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from skdensity.testing.integrals import edges_of, line_masses, masses
from skdensity.testing.problems import (
    Problem,
    fit,
    require,
    require_close,
    scores,
)


def check_density_integrates_to_one(estimator: Any) -> None:
    """The density of one and of two features integrates to 1, to 1e-6."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        mass = masses(fit(estimator, problem), edges_of(problem), n_features)
        require_close(mass.sum(), 1.0, 1e-6, "the density integrates to 1")


def check_density_score(estimator: Any) -> None:
    """``score`` is the mean of ``score_samples``, with weights if it takes any."""
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    log_density = scores(fitted, problem.X)
    score = fitted.score(problem.X)
    require_close(score, log_density.mean(), 1e-12, "score is a mean")
    if "sample_weight" in inspect.signature(fitted.score).parameters:
        score = fitted.score(problem.X, sample_weight=problem.weight)
        mean = np.average(log_density, weights=problem.weight)
        theorem = "score is the weighted mean of score_samples"
        require_close(score, mean, 1e-12, theorem)


def check_density_far_tails(estimator: Any) -> None:
    """Up to a million standard deviations out, log-densities are finite and fall."""
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    centre, spread = problem.X.mean(axis=0), problem.X.std(axis=0)
    distances = np.logspace(1, 6, 11)[:, None]
    for direction in ([1, 0], [-1, 0], [0, 1], [-1, -1], [1, -1]):
        rows = centre + distances * spread * direction
        log_density = scores(fitted, rows)
        for row, value in zip(rows, log_density, strict=True):
            require(np.isfinite(value), f"far tails are finite: {value} at {row}")
        falls = np.diff(log_density) < 0
        require(falls.all(), f"far tails fall: they do not along {direction}")


def check_density_chunks(estimator: Any) -> None:
    """A row has the same log-density whatever rows come with it, to 1e-9 nats."""
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    whole = scores(fitted, problem.X)
    for size in (1, 7, 59):
        parts = np.split(problem.X[::-1], range(size, len(whole), size))
        apart = np.concatenate([scores(fitted, part) for part in parts])
        require_close(
            apart[::-1], whole, 1e-9, f"pieces of {size} rows equal the whole"
        )


def check_density_float32(estimator: Any) -> None:
    """float32 rows give float32 log-densities within 1e-3 nats of float64's."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        expected = scores(fit(estimator, problem), problem.X)
        narrow = problem.mapped(lambda X: X.astype(np.float32))
        log_density = fit(estimator, narrow).score_samples(narrow.X)
        dtype = log_density.dtype
        require(dtype == np.float32, f"float32 in, float32 out: it is {dtype}")
        require_close(log_density, expected, 1e-3, "float32 is near float64")


def check_density_cdf(estimator: Any) -> None:
    """``cdf`` is the integral of the density of one feature, to 1e-6."""
    problem = Problem.of(1)
    fitted, edges = fit(estimator, problem), edges_of(problem)
    probability = fitted.cdf(edges[:, None])
    expected = line_masses(fitted, edges)
    theorem = "the cdf is the integral of the density"
    require_close(np.diff(probability), expected, 1e-6, theorem)
    require_close(probability[[0, -1]], [0.0, 1.0], 1e-6, "the cdf goes from 0 to 1")
