"""Checks of a fit: what it makes of weights and order, and what it leaves alone."""

from __future__ import annotations

import pickle
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skdensity.testing.problems import (
    Problem,
    draws,
    fit,
    fit_again,
    require,
    require_close,
    require_raises,
    scores,
    unfitted,
)


def check_density_weights_repeat(estimator: Any) -> None:
    """An integer weight equals as many copies of the row, to 1e-6 nats."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        problem = problem.taken(problem.weight > 0)
        weighted = fit(estimator, problem, weighted=True)
        copies = problem.taken(np.repeat(np.arange(len(problem.X)), problem.weight))
        theorem = "a weight equals repetition"
        _require_same(weighted, fit(estimator, copies), problem, theorem)


def check_density_weight_zero(estimator: Any) -> None:
    """A row of weight zero is not there, to 1e-6 nats."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        weighted = fit(estimator, problem, weighted=True)
        present = fit(estimator, problem.taken(problem.weight > 0), weighted=True)
        _require_same(weighted, present, problem, "weight zero equals absence")


def check_density_row_order(estimator: Any) -> None:
    """The order of the rows of a fit does not matter, to 1e-6 nats."""
    for n_features in (1, 2):
        problem = Problem.of(n_features)
        backwards = fit(estimator, problem.taken(slice(None, None, -1)))
        theorem = "the order of rows is irrelevant"
        _require_same(fit(estimator, problem), backwards, problem, theorem)


def check_density_clone(estimator: Any) -> None:
    """A fit leaves the parameters alone; a clone of what is fitted fits alike."""
    problem, unused = Problem.of(2), unfitted(estimator)
    # Clones compare by what they print; a value may be changed in place.
    before = {name: repr(value) for name, value in unused.get_params().items()}
    fitted = fit_again(unused, problem)
    for name, value in fitted.get_params().items():
        theorem = f"a fit changes no parameter: {name}={value!r} was {before[name]}"
        require(repr(value) == before[name], theorem)
    again = fit_again(clone(fitted), problem)
    _require_same(again, fitted, problem, "a clone fits alike")


def check_density_pickle(estimator: Any) -> None:
    """What comes out of a pickle scores, and samples, to the bit as what went in."""
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    restored = pickle.loads(pickle.dumps(fitted))
    before, after = scores(fitted, problem.X), scores(restored, problem.X)
    require(np.array_equal(before, after), "a pickle keeps log-densities to the bit")
    if hasattr(fitted, "sample"):
        copied, drawn = draws(deepcopy(fitted), 20), draws(fitted, 20)
        # Of what draws as it likes whatever the seed, another check tells.
        if np.array_equal(copied, drawn):
            same = np.array_equal(drawn, draws(restored, 20))
            require(same, "a pickle keeps draws to the bit")


def check_density_bad_input(estimator: Any) -> None:
    """Bad input is refused, and leaves a fitted estimator as it was."""
    problem = Problem.of(2)
    fitted = fit(estimator, problem)
    before = scores(fitted, problem.X)
    for case, bad in _bad(problem).items():
        require_raises(partial(fit_again, fitted, bad), f"fit to {case}")
        _require_unchanged(fitted, problem, before, f"fit to {case}")
    three = Problem.of(3).X
    require_raises(partial(fitted.score_samples, three), "a row of another table")
    _require_unchanged(fitted, problem, before, "score_samples of another table")
    if has_fit_parameter(fitted, "sample_weight"):
        short = Problem(problem.X, problem.y, np.ones(3))
        call = f"fit with 3 weights for {len(problem.X)} rows"
        require_raises(partial(fit_again, fitted, short, weighted=True), call)
        _require_unchanged(fitted, problem, before, call)


def _bad(problem):
    """Tables that nothing can be fitted to, of other rows than the problem."""
    infinite = Problem.of(3).mapped(lambda X: np.where(X > 2, np.inf, X))
    return {
        "infinities": infinite,
        "no rows": problem.taken(slice(0)),
        "a cube": problem.mapped(lambda X: X[:, :, None] - 1),
    }


def _require_unchanged(fitted, problem, before, call):
    """Whatever is raised now comes from what the call has left behind."""
    try:
        after = scores(fitted, problem.X)
    except Exception as error:
        theorem = f"a refused call leaves the estimator as it was: after {call}, "
        raise AssertionError(f"{theorem}score_samples raises {error!r}") from error
    same = np.array_equal(before, after)
    require(same, f"a refused call leaves the estimator as it was: not after {call}")


def _require_same(one, other, problem, theorem):
    found, expected = scores(one, problem.X), scores(other, problem.X)
    require_close(found, expected, 1e-6, theorem)
