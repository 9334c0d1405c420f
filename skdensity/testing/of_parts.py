"""Checks of marginals and conditionals, and of what is not observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp

from skdensity.testing.integrals import axis_of, edges_of, require_uniform
from skdensity.testing.problems import Problem, draws, fit, require_close, scores


def check_density_nan_is_marginal(estimator: Any) -> None:
    """NaN is what was not observed: log-densities are integrals over it, to 1e-6.

    The density is 1 of a row without any value.
    """
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    for missing in (0, 1):
        rows = problem.X[::6].copy()
        rows[:, missing] = np.nan
        expected = _integrated_out(fitted, problem, rows, missing)
        require_close(scores(fitted, rows), expected, 1e-6, "NaN is integrated out")
    nothing = scores(fitted, np.full((1, 2), np.nan))
    require_close(nothing, 0.0, 1e-12, "a row of NaN has density 1")


def check_density_marginal(estimator: Any) -> None:
    """``marginal`` integrates the other feature out, to 1e-6 nats."""
    problem = Problem.of(2)
    fitted, rows = fit(estimator, problem), problem.X[::6]
    for kept in (0, 1):
        expected = _integrated_out(fitted, problem, rows, 1 - kept)
        found = scores(fitted.marginal([kept]), rows[:, [kept]])
        theorem = "a marginal density is an integral of the joint one"
        require_close(found, expected, 1e-6, theorem)


def _integrated_out(fitted, problem, rows, feature):
    """log ∫ p(x) over one of two features, by the midpoint rule."""
    axis = axis_of(edges_of(problem), 16)
    lines = np.repeat(rows, len(axis), axis=0)
    lines[:, feature] = np.tile(axis, len(rows))
    values = scores(fitted, lines).reshape(len(rows), -1)
    return logsumexp(values, axis=1) + np.log(axis[1] - axis[0])


def check_density_chain_rule(estimator: Any) -> None:
    """A joint density is the marginal one times the conditional one, to 1e-6 nats."""
    problem = Problem.of(3)
    fitted = fit(estimator, problem)
    rows = problem.X[::6]
    given = scores(fitted.marginal([2, 0]), rows[:, [2, 0]])
    others = [fitted.condition([2, 0], row[[2, 0]]) for row in rows]
    rest = [
        scores(part, row[None, [1]]) for part, row in zip(others, rows, strict=True)
    ]
    theorem = "the joint density is marginal times conditional"
    require_close(given + np.ravel(rest), scores(fitted, rows), 1e-6, theorem)


def check_density_marginal_cdfs(estimator: Any) -> None:
    """Marginal distribution functions of fresh draws are uniform."""
    fitted = fit(estimator, Problem.of(2))
    rows = draws(fitted, 400)
    for k in (0, 1):
        values = fitted.marginal([k]).cdf(rows[:, [k]])
        theorem = f"the marginal cdf of draws of feature {k} is uniform"
        require_uniform(values, theorem)


def check_density_sequential_conditionals(estimator: Any) -> None:
    """Distribution functions given the features before are uniform and independent.

    Those of fresh draws (M. Rosenblatt, 1952), at the level 0.001.
    """
    fitted = fit(estimator, Problem.of(2))
    rows = draws(fitted, 150)
    first = fitted.marginal([0]).cdf(rows[:, :1])
    parts = [fitted.condition([0], row[:1]) for row in rows]
    cdfs = [part.cdf(row[None, 1:]) for part, row in zip(parts, rows, strict=True)]
    second = np.ravel(cdfs)
    require_uniform(second, "the conditional cdf of draws is uniform")
    # Modulo 1, the sum of independent uniform numbers is uniform; of dependent ones
    # it need not be.
    theorem = "sequential cdfs of draws are independent"
    require_uniform((first + second) % 1, theorem)
