"""When iterations end, and what is kept of them."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skdensity import AdamGaussianMixture, CholeskyGaussian, EMGaussianMixture
from skdensity.solvers import adam, em, starts
from skdensity.solvers.loop import (
    no_improvement,
    small_gain_ahead,
    small_recent_gain,
)


@pytest.fixture(scope="module")
def X():
    return load_iris().data


def first_stop(rule, values):
    return next(n for n in range(2, len(values)) if rule(values[:n]))


@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9, 0.99])
def test_stops_within_the_tolerance_of_the_limit(factor):
    values = [-np.inf, *(-(factor**n) for n in range(3000))]
    n = first_stop(small_gain_ahead(1e-4), values)
    # All that is left to gain is at most `tol`, give or take the plateau's hundredth.
    assert -values[n - 1] <= max(1e-4, 1e-6 * factor / (1 - factor)) * 1.01


def test_growing_steps_are_no_end():
    values = [0.0, *np.cumsum(1e-5 * 1.1 ** np.arange(20))]
    assert not any(small_gain_ahead(1e-4)(values[:n]) for n in range(6, 20))


def test_a_plateau_is_an_end():
    assert small_gain_ahead(1e-4)([0, 1, 2, 3, 3 + 1e-7])
    assert not small_gain_ahead(0.0)([0, 1, 2, 3, 3])


def test_irregular_steps_are_judged_together():
    rule = small_recent_gain(0.1, window=3)
    assert not rule([0.0, 1.0, 1.0, 1.0])
    assert rule([0.0, 1.0, 1.0, 1.01, 1.02])


def test_no_improvement_waits():
    rule = no_improvement(0.1, patience=3)
    values = [3.0, 2.0, 2.1, 1.95, 1.94, 1.0]
    stops = [rule(values[: n + 1]) for n in range(len(values))]
    assert stops == [False, False, False, False, True, False]


def interrupted_at(n, step):
    """A step that the user interrupts the n-th time."""
    calls = iter(range(1, 1000))

    def interrupted(self, state):
        if next(calls) == n:
            raise KeyboardInterrupt
        return step(self, state)

    return interrupted


@pytest.mark.parametrize(
    ("estimator", "solver"),
    [
        (EMGaussianMixture(3, init_params="random", random_state=0), em.EM),
        (AdamGaussianMixture(3, random_state=0), adam.Adam),
        (CholeskyGaussian(), adam.Adam),
    ],
)
def test_an_interrupt_keeps_what_was_reached(monkeypatch, X, estimator, solver):
    monkeypatch.setattr(solver, "step", interrupted_at(4, solver.step))
    with pytest.warns(
        ConvergenceWarning,
        match=rf"{type(estimator).__name__} was interrupted after 3 iterations.*kept",
    ):
        estimator.fit(X)
    assert estimator.n_iter_ == 3
    assert not estimator.converged_
    assert np.isfinite(estimator.score(X))


def test_an_interrupt_ends_all_runs_and_keeps_the_best(monkeypatch, X):
    mixture = EMGaussianMixture(3, n_init=10, init_params="random", random_state=0)
    first = EMGaussianMixture(3, init_params="random", random_state=0).fit(X)
    at = first.n_iter_ + 2
    monkeypatch.setattr(em.EM, "step", interrupted_at(at, em.EM.step))
    with pytest.warns(ConvergenceWarning, match="was interrupted"):
        mixture.fit(X)
    np.testing.assert_array_equal(mixture.means_, first.means_)
    assert not mixture.converged_


def test_an_interrupt_before_the_first_start_leaves_all_as_it_was(monkeypatch, X):
    def interrupted(*args):
        raise KeyboardInterrupt

    mixture = EMGaussianMixture(3, random_state=0).fit(X)
    before = dict(vars(mixture))
    monkeypatch.setitem(starts.STARTS, "small_em", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mixture.fit(2 * X)
    assert vars(mixture) == before


def test_used_up_iterations_warn_and_keep_the_last(X):
    mixture = EMGaussianMixture(3, tol=0, max_iter=7, random_state=0)
    with pytest.warns(ConvergenceWarning, match="used all 7 iterations"):
        mixture.fit(X)
    assert mixture.n_iter_ == len(mixture.lower_bounds_) == 7
    assert mixture.score(X) >= mixture.lower_bounds_[-1] - 1e-12
