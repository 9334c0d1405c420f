"""What a change of coordinates does to a density: p(x) = p'(x') |det ∂x'/∂x|."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import ortho_group

from skdensity.testing.problems import Problem, fit, require_close, scores

# A power of two is exact; a shift rounds rows by 1e-15.
SHIFT = np.array([8.0, -4.0, 16.0])
FACTOR = 4.0


def check_density_translation(estimator: Any) -> None:
    """Where zero is does not matter, to 1e-6 nats."""
    _require_equivariant(estimator, lambda X: X + SHIFT, 0.0, "translation")


def check_density_scale(estimator: Any) -> None:
    """Another unit for all features moves log-densities by a constant, to 1e-6 nats."""
    shift = -SHIFT.size * np.log(FACTOR)
    _require_equivariant(estimator, lambda X: FACTOR * X, shift, "scale")


def check_density_rotation(estimator: Any) -> None:
    """Which way the axes point does not matter, to 1e-6 nats."""
    rotation = ortho_group.rvs(SHIFT.size, random_state=0)
    _require_equivariant(estimator, lambda X: X @ rotation, 0.0, "rotation")


def check_density_feature_order(estimator: Any) -> None:
    """The order of the features does not matter, to 1e-6 nats."""
    _require_equivariant(estimator, lambda X: X[:, [2, 0, 1]], 0.0, "feature order")


def _require_equivariant(
    estimator: Any,
    change: Callable[[np.ndarray], np.ndarray],
    shift: float,
    name: str,
) -> None:
    """A fit to changed rows gives them the density of the rows, moved by a constant."""
    problem = Problem.of(SHIFT.size)
    changed = problem.mapped(change)
    expected = scores(fit(estimator, problem), problem.X) + shift
    found = scores(fit(estimator, changed), changed.X)
    require_close(found, expected, 1e-6, f"densities follow a change of {name}")
