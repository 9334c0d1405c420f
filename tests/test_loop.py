"""When iterations end, and what is kept of them."""

import signal
from dataclasses import replace

import numpy as np
import pytest
from conftest import MIXTURES, Counting, mixture_of_shares
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skdensity import AdamGaussianMixture, CholeskyGaussian, EMGaussianMixture
from skdensity.passes import blocks
from skdensity.solvers.adam import Adam
from skdensity.solvers.loop import iterate
from skdensity.solvers.mixtures.acceleration import AcceleratedEM
from skdensity.solvers.mixtures.em import EM
from skdensity.solvers.mixtures.starts import STARTS, Start
from skdensity.solvers.stopping import no_improvement, small_gain_ahead
from skdensity.solvers.watchers import Watcher


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
    assert not small_gain_ahead(1e-4)([0, 1, 2, 2, 3]), "but one behind is none"


class Untold(Counting):
    """Steps that gain nothing, of which the first tell nothing of what is ahead."""

    def __init__(self, n_untold):
        super().__init__(lambda n: 0.0)
        self.n_untold = n_untold

    def may_end(self, state):
        return state.n > self.n_untold


@pytest.mark.parametrize("n_untold", [0, 7])
def test_a_run_ends_only_where_its_solver_lets_it(n_untold):
    solver, stop = Untold(n_untold), small_gain_ahead(1e-3)
    result = iterate(solver, solver.init(), max_iter=20, stop=stop)
    assert result.converged
    assert len(result.values) == n_untold + 1


class Doubting(Counting):
    """Doubts whatever its runs end with."""

    def judged(self, result):
        return replace(result, ended_by="stalled")


def test_a_solver_has_the_last_word_on_its_result():
    solver, stop = Doubting(lambda n: 0.0), small_gain_ahead(1e-3)
    result = iterate(solver, solver.init(), max_iter=20, stop=stop)
    assert result.ended_by == "stalled"


def test_but_not_on_an_interrupt():
    assert run(solver=Doubting(lambda n: 0.0), stop=raise_interrupt).interrupted


def test_a_descent_that_leads_nowhere_is_interrupted_all_the_same(monkeypatch, iris):
    monkeypatch.setattr(Adam, "step", interrupted_at(9, Adam.step))
    far = CholeskyGaussian(cholesky_init=1e-6 * np.eye(4), n_iter_no_change=5)
    with pytest.raises(KeyboardInterrupt, match="interrupted after 8 iterations"):
        far.fit(iris)


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
        (
            EMGaussianMixture(
                3, init_params="random", random_state=0, acceleration=None
            ),
            EM,
        ),
        (AdamGaussianMixture(3, random_state=0), Adam),
        (CholeskyGaussian(), Adam),
    ],
)
def test_an_interrupt_keeps_what_was_reached(monkeypatch, iris, estimator, solver):
    monkeypatch.setattr(solver, "step", interrupted_at(4, solver.step))
    name = type(estimator).__name__
    with pytest.raises(
        KeyboardInterrupt, match=rf"{name} was interrupted after 3 iterations.*kept"
    ):
        estimator.fit(iris)
    assert estimator.n_iter_ == 3
    assert not estimator.converged_
    assert np.isfinite(estimator.score(iris))


@pytest.mark.parametrize(
    "estimator", [EMGaussianMixture(acceleration=None), AdamGaussianMixture()]
)
def test_an_interrupt_ends_the_search_around_it(monkeypatch, iris, estimator):
    solver = Adam if isinstance(estimator, AdamGaussianMixture) else EM
    n_steps, step = [], solver.step

    def interrupted(self, state):
        n_steps.append(state)
        if len(n_steps) == 3:
            raise KeyboardInterrupt
        return step(self, state)

    monkeypatch.setattr(solver, "step", interrupted)
    search = GridSearchCV(estimator, {"n_components": [3, 4]}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(iris)
    assert len(n_steps) == 3
    assert not hasattr(search, "best_estimator_")


def test_an_interrupt_ends_all_runs_and_keeps_the_best(monkeypatch, iris):
    plain = {"init_params": "random", "random_state": 0, "acceleration": None}
    mixture = EMGaussianMixture(3, n_init=10, **plain)
    first = EMGaussianMixture(3, **plain).fit(iris)
    at = first.n_iter_ + 2
    monkeypatch.setattr(EM, "step", interrupted_at(at, EM.step))
    with pytest.raises(KeyboardInterrupt, match="was interrupted"):
        mixture.fit(iris)
    np.testing.assert_array_equal(mixture.means_, first.means_)
    assert not mixture.converged_


def test_an_interrupt_before_the_first_start_leaves_all_as_it_was(monkeypatch, iris):
    def interrupted(*args):
        raise KeyboardInterrupt

    mixture = EMGaussianMixture(3, random_state=0).fit(iris)
    before = dict(vars(mixture))
    monkeypatch.setitem(STARTS, "small_em", Start(interrupted))
    with pytest.raises(KeyboardInterrupt):
        mixture.fit(2 * iris)
    assert vars(mixture) == before


def test_used_up_iterations_warn_and_keep_the_last(iris):
    mixture = EMGaussianMixture(3, tol=0, max_iter=7, random_state=0)
    with pytest.warns(ConvergenceWarning, match="used all 7 iterations"):
        mixture.fit(iris)
    assert mixture.n_iter_ == len(mixture.lower_bounds_) == 7
    assert mixture.score(iris) >= mixture.lower_bounds_[-1] - 1e-12


def test_the_first_finite_value_is_no_end():
    for values in ([-np.inf, -np.inf], [-np.inf, -3.0], [-np.inf] * 5, [-np.inf, 1, 2]):
        assert not small_gain_ahead(1e-4)(values)


def test_a_fall_is_an_end_only_within_the_tolerance():
    rule = small_gain_ahead(1e-4)
    assert rule([0, 1, 2, 3, 3 - 0.9e-4])
    assert not rule([0, 1, 2, 3, 3 - 1.1e-4])


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.99])
def test_a_tolerance_of_zero_never_ends(factor):
    values = [-(factor**n) for n in range(200)] + [0.0] * 10
    assert not any(small_gain_ahead(0.0)(values[:n]) for n in range(2, 211))


def test_the_largest_of_three_factors_counts():
    # Steps 8, 4, 2, 1 halve: 1 is to come. With 8, 4, 3.9, 1 it may be 39. Half of the
    # tolerance must be as much.
    halving = np.cumsum([0, 8, 4, 2, 1])
    uneven = np.cumsum([0, 8, 4, 3.9, 1])
    assert small_gain_ahead(2.02)(list(halving))
    assert not small_gain_ahead(1.98)(list(halving))
    assert small_gain_ahead(78.2)(list(uneven))
    assert not small_gain_ahead(77.8)(list(uneven))


def test_no_tolerance_is_no_end():
    rule = no_improvement(None, patience=1)
    assert not any(rule([1.0] * n) for n in range(1, 10))


class Halving(Counting):
    """A solver whose n-th value is −2⁻ⁿ; one of its steps may be interrupted."""

    def __init__(self, interrupted_step=0):
        super().__init__(lambda n: -(2.0**-n))
        self.interrupted_step = interrupted_step

    def step(self, state):
        if state.n + 1 == self.interrupted_step:
            raise KeyboardInterrupt
        return super().step(state)


class Listener(Watcher):
    """Keeps what it hears; its answers may be given."""

    def __init__(self, begin=lambda: None, iteration=lambda n: False):
        self.answers = begin, iteration
        self.heard = []

    def begin(self, max_iter):
        self.heard.append(("begin", max_iter))
        self.answers[0]()

    def iteration(self, state, values, is_last):
        self.heard.append(("iteration", state.n, list(values), is_last))
        return self.answers[1](state.n)

    def end(self, result):
        self.heard.append(("end", result))


def run(*watchers, solver=None, stop=lambda values: False, max_iter=5):
    solver = solver or Halving()
    return iterate(
        solver,
        solver.init(),
        max_iter=max_iter,
        stop=stop,
        watchers=watchers,
    )


def test_a_run_says_what_ended_it():
    converged = run(stop=lambda values: values[-1] > -0.2)
    observed = run(Listener(iteration=lambda n: n == 2))
    used_up = run()
    interrupted = run(solver=Halving(interrupted_step=4))
    for result, n_iter, ended_by in (
        (converged, 3, "convergence"),
        (observed, 2, "observer"),
        (used_up, 5, "max_iter"),
        (interrupted, 3, "interrupt"),
    ):
        assert result.ended_by == ended_by
        assert result.converged == (ended_by == "convergence")
        assert result.state.n == n_iter
        assert result.values == [-(2.0**-n) for n in range(1, n_iter + 1)]


def test_no_iterations_leave_the_start():
    result = run(max_iter=0)
    assert (result.state.n, result.values, result.ended_by) == (0, [], "max_iter")


def test_a_run_that_converges_as_it_is_stopped_has_converged():
    result = run(Listener(iteration=lambda n: True), stop=lambda values: True)
    assert result.converged


@pytest.mark.parametrize(
    ("answers", "options", "n_iter"),
    [
        ({}, {}, 5),
        ({}, {"max_iter": 0}, 0),
        ({}, {"stop": lambda values: values[-1] > -0.2}, 3),
        ({"iteration": lambda n: n == 2}, {}, 2),
    ],
)
def test_every_watcher_hears_of_every_step(answers, options, n_iter):
    first, second = Listener(**answers), Listener()
    result = run(first, second, **options)
    assert first.heard == second.heard
    begin, *iterations, end = second.heard
    assert begin == ("begin", options.get("max_iter", 5))
    assert end == ("end", result)
    values = [-(2.0**-n) for n in range(n_iter + 1)]
    # What watchers want is not yet known when they hear of an iteration.
    is_last = n_iter == 5 or "stop" in options
    assert iterations == [
        ("iteration", n, values[: n + 1], is_last and n == n_iter)
        for n in range(1, n_iter + 1)
    ]


def raise_interrupt(*args):
    raise KeyboardInterrupt


def test_an_interrupt_while_others_look_on_keeps_the_step():
    assert run(Listener(begin=raise_interrupt)).state.n == 0
    observed = run(Listener(iteration=raise_interrupt))
    assert (observed.state.n, observed.values) == (1, [-0.5])
    assert run(stop=raise_interrupt).ended_by == "interrupt"


def test_an_interrupt_before_the_first_step_keeps_the_start(monkeypatch, iris):
    start = EMGaussianMixture(3, max_iter=0, random_state=0).fit(iris)
    monkeypatch.setattr(EM, "step", raise_interrupt)
    mixture = EMGaussianMixture(3, random_state=0, acceleration=None)
    with pytest.raises(KeyboardInterrupt, match="interrupted after 0 iterations"):
        mixture.fit(iris)
    np.testing.assert_allclose(mixture.means_, start.means_, rtol=1e-9)
    assert (mixture.n_iter_, mixture.lower_bounds_) == (0, [])


@pytest.mark.parametrize("acceleration", [None, "anderson", "lbfgs"])
def test_an_interrupted_fit_goes_on_where_it_was(monkeypatch, iris, acceleration):
    mixture = EMGaussianMixture(
        3, init_params="random", random_state=0, acceleration=acceleration
    )
    solver = AcceleratedEM if acceleration else EM
    step = solver.step
    monkeypatch.setattr(solver, "step", interrupted_at(3, step))
    with pytest.raises(KeyboardInterrupt, match="after 2 iterations"):
        mixture.fit(iris)
    monkeypatch.setattr(solver, "step", step)
    before = mixture.score(iris)
    mixture.set_params(warm_start=True, max_iter=1, tol=0)
    with pytest.warns(ConvergenceWarning, match="used all 1 iterations"):
        mixture.fit(iris)
    assert mixture.lower_bound_ == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_signal_of_a_terminal_interrupts(monkeypatch, iris, n_jobs):
    step, n_steps = EM.step, iter(range(1, 1000))

    def signalled(self, state):
        if next(n_steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return step(self, state)

    monkeypatch.setattr(EM, "step", signalled)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**12)  # so that there are some
    mixture = EMGaussianMixture(
        3, init_params="random", random_state=0, acceleration=None, n_jobs=n_jobs
    )
    with pytest.raises(KeyboardInterrupt, match="interrupted after 2 iterations"):
        mixture.fit(iris)
    assert np.isfinite(mixture.score(iris))


def started(monkeypatch, *outcomes):
    """Start runs at these responsibilities, or with an interrupt; count them."""
    calls = iter(outcomes)
    used = []

    def find(problem, rng):
        used.append(next(calls))
        if used[-1] is KeyboardInterrupt:
            raise KeyboardInterrupt
        return mixture_of_shares(
            problem.rows.X, used[-1], problem.family, problem.reg_covar
        )

    monkeypatch.setitem(STARTS, "random", Start(find))
    return used


def halves(column):
    """Responsibilities of two components that cut the rows at a feature's median."""
    is_high = column > np.median(column)
    return np.stack([is_high, ~is_high]).astype(float)


def test_the_interrupted_run_itself_may_be_the_best(monkeypatch, iris):
    rows = np.unique(iris, axis=0)
    # Petal length tells the species apart, sepal width does not.
    bad, good = halves(rows[:, 1]), halves(rows[:, 2])
    used = started(monkeypatch, bad, good, good)
    monkeypatch.setattr(EM, "step", interrupted_at(4, EM.step))
    mixture = EMGaussianMixture(2, n_init=3, init_params="random", max_iter=2, tol=0)
    with pytest.raises(KeyboardInterrupt, match="interrupted after 1 iterations"):
        mixture.fit(rows)
    assert len(used) == 2
    monkeypatch.undo()
    started(monkeypatch, good)
    alone = EMGaussianMixture(2, init_params="random", max_iter=1, tol=0)
    with pytest.warns(ConvergenceWarning, match="used all"):
        alone.fit(rows)
    np.testing.assert_allclose(mixture.means_, alone.means_, rtol=1e-9)


@pytest.mark.parametrize("Estimator", MIXTURES)
def test_an_interrupt_between_runs_keeps_the_best_so_far(monkeypatch, iris, Estimator):
    rows = np.unique(iris, axis=0)
    good = halves(rows[:, 2])
    used = started(monkeypatch, good, KeyboardInterrupt, good)
    mixture = Estimator(2, n_init=3, init_params="random")
    with pytest.raises(KeyboardInterrupt, match="was interrupted"):
        mixture.fit(rows)
    assert len(used) == 2
    assert not mixture.converged_
    started(monkeypatch, good)
    alone = Estimator(2, init_params="random").fit(rows)
    np.testing.assert_allclose(mixture.means_, alone.means_, rtol=1e-6)


def test_used_up_runs_warn_and_keep_the_best(iris):
    parameters = {"init_params": "random", "max_iter": 5, "tol": 0}
    rng = np.random.RandomState(0)
    with pytest.warns(ConvergenceWarning, match="used all 5 iterations"):
        best = EMGaussianMixture(3, n_init=4, random_state=0, **parameters).fit(iris)
    bounds = []
    for _ in range(4):
        with pytest.warns(ConvergenceWarning):
            one = EMGaussianMixture(3, random_state=rng, **parameters).fit(iris)
        bounds.append(one.lower_bound_)
    assert best.lower_bound_ == pytest.approx(max(bounds), rel=1e-9)
    assert not best.converged_
