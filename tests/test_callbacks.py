"""Callbacks of scikit-learn see every run and iteration, and can end them."""

import numpy as np
import pytest
import sklearn
from conftest import BATCHES, Counting
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    LOOKernelDensity,
)
from skdensity.densities.callbacks import Iterations, Task
from skdensity.solvers.loop import iterate
from skdensity.solvers.result import warn_unless_converged

HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="scikit-learn has callbacks since 1.9"
)

ESTIMATORS = [
    EMGaussianMixture(3, random_state=0),
    AdamGaussianMixture(3, tol=1e-4, n_iter_no_change=3, random_state=0),
    CholeskyGaussian(tol=0.1, n_iter_no_change=3, store_path=True),
    *BATCHES,
]


SEARCHES = [
    LOOKernelDensity(),
    LOOKernelDensity("robust_loo"),
    LOOKernelDensity("lscv"),
    LOOKernelDensity(covariance_type="diag"),
    LOOKernelDensity(covariance_type="full"),
]


class Recorder:
    """Keeps the tasks that begin and end; `stop` says which ends ask for a stop."""

    max_propagation_depth = None

    def __init__(self, stop=lambda context: False):
        self.stop = stop
        self.n_setups = self.n_teardowns = 0
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        self.n_setups += 1

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context)
        return self.stop(context)

    def teardown(self, estimator, context):
        self.n_teardowns += 1

    def count(self, name):
        return sum(context.task_name == name for context in self.ended)


class Snapshots(Recorder):
    """Keeps the estimator as it stands after every iteration."""

    def __init__(self):
        super().__init__()
        self.fitted, self.metadata = [], []

    def on_fit_task_end(
        self, estimator, context, *, fitted_estimator=None, metadata=None
    ):
        if context.task_name == "iteration":
            self.fitted.append(fitted_estimator)
            self.metadata.append(metadata)


class Run(Task):
    """A run that keeps what becomes of its parts; `stop` says which one ends it."""

    def __init__(self, stop=lambda n: False):
        self.stop, self.told = stop, []

    def subtask(self, name, max_subtasks=0):
        self.told.append("announced")
        return self

    def end(self, store=lambda estimator: None):
        store(self.told)
        return self.stop(self.told[-1])


def count_down(run, max_iter):
    """Iterate from 9 downwards; the run is told the values."""
    solver = Counting(lambda n: 9 - n)
    return iterate(
        solver,
        solver.init(),
        max_iter=max_iter,
        stop=lambda values: False,
        watchers=[Iterations(run, lambda told, result: told.append(result.values[-1]))],
    )


@pytest.fixture
def X(lecture_mixture):
    return lecture_mixture


@pytest.fixture(params=ESTIMATORS, ids=repr)
def estimator(request):
    return clone(request.param)


def stop_after(n_iterations):
    return lambda context: context.task_id == n_iterations - 1


def fit_cut_short(estimator, X, max_iter):
    """The fit that uses up its iterations, which it warns of unless `tol` is None."""
    short = clone(estimator).set_params(max_iter=max_iter)
    if short.tol is None:
        return short.fit(X)
    with pytest.warns(ConvergenceWarning):
        return short.fit(X)


def assert_same_fit(one, other):
    assert one.n_iter_ == other.n_iter_
    for name in ("means_", "covariances_", "lower_bounds_", "lower_bound_"):
        if hasattr(other, name):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("location_", "cholesky_", "loss_curve_", "location_path_"):
        if hasattr(other, name):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_callbacks_can_be_set_where_scikit_learn_has_them(estimator, X):
    assert hasattr(estimator, "set_callbacks") == HAS_CALLBACKS
    assert estimator.fit(X).n_iter_ > 3


def test_an_observer_ends_the_loop_without_convergence_or_warning():
    run = Run(stop=lambda value: value == 4)
    result = count_down(run, max_iter=7)
    assert result.values == [8, 7, 6, 5, 4]
    assert run.told.count("announced") == 5
    assert result.ended_by == "observer"
    assert not result.converged
    warn_unless_converged(result, "Counting", tol=1.0)


def test_every_step_is_announced_and_observed():
    run = Run()
    count_down(run, max_iter=5)
    assert run.told[::2] == ["announced"] * 5
    assert run.told[1::2] == [8, 7, 6, 5, 4]


def test_no_iteration_is_announced_where_there_is_none():
    run = Run()
    count_down(run, max_iter=0)
    assert run.told == []


@needs_callbacks
def test_set_callbacks_reaches_the_fit(estimator, X):
    # scikit-learn says in a private attribute what was set. Were it renamed, fits would
    # go on without a word to the callbacks.
    recorder = Recorder()
    assert not hasattr(estimator, "_skl_callbacks")
    estimator.set_callbacks(recorder)
    assert hasattr(estimator, "_skl_callbacks")
    estimator.fit(X)
    assert recorder.n_setups == recorder.n_teardowns == 1
    assert len(recorder.begun) >= 1
    assert len(recorder.ended) >= 1


@needs_callbacks
def test_every_iteration_is_a_task(estimator, X):
    recorder = Recorder()
    estimator.set_callbacks(recorder).fit(X)
    assert recorder.count("iteration") == estimator.n_iter_
    assert recorder.count("fit") == 1
    assert set(recorder.begun) == set(recorder.ended)
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
@pytest.mark.filterwarnings("ignore:.*coincide")  # of one Gaussian, some may
def test_every_run_is_a_task(X):
    recorder = Recorder()
    mixture = EMGaussianMixture(3, init_params="random", n_init=4, random_state=0)
    mixture.set_callbacks(recorder).fit(X)
    runs = [task for task in recorder.ended if task.task_name == "run"]
    assert [run.task_id for run in runs] == [0, 1, 2, 3]
    assert mixture.n_iter_ in [len(list(run)) - 1 for run in runs]


@needs_callbacks
def test_callbacks_do_not_change_the_fit(estimator, X):
    watched = clone(estimator).set_callbacks(Snapshots()).fit(X)
    assert_same_fit(watched, estimator.fit(X))
    assert watched.converged_ == estimator.converged_


@needs_callbacks
def test_a_stopped_run_is_the_run_of_so_many_iterations(estimator, X):
    estimator.set_callbacks(Recorder(stop_after(3))).fit(X)
    assert not estimator.converged_
    estimator.set_callbacks()
    assert_same_fit(estimator, fit_cut_short(estimator, X, 3))


@needs_callbacks
def test_a_stop_after_a_run_leaves_out_the_others(X):
    recorder = Recorder(lambda context: context.task_name == "run")
    mixture = EMGaussianMixture(3, n_init=5, random_state=0)
    mixture.set_callbacks(recorder).fit(X)
    assert recorder.count("run") == 1
    assert mixture.converged_


@needs_callbacks
def test_a_warm_start_is_one_run(X):
    recorder = Recorder()
    mixture = EMGaussianMixture(3, n_init=2, warm_start=True, random_state=0).fit(X)
    mixture.set_callbacks(recorder).fit(X)
    assert recorder.count("run") == 1


@needs_callbacks
def test_the_estimator_after_an_iteration_is_the_fit_of_so_many(estimator, X):
    snapshots = Snapshots()
    clone(estimator).set_callbacks(snapshots).fit(X)
    for n_iter in (1, 3):
        fitted = snapshots.fitted[n_iter - 1]
        short = fit_cut_short(estimator, X, n_iter)
        assert_same_fit(fitted, short)
        np.testing.assert_array_equal(fitted.score_samples(X), short.score_samples(X))


@needs_callbacks
def test_estimators_are_built_only_for_callbacks_that_ask(X, monkeypatch):
    calls = []
    store = EMGaussianMixture._store
    monkeypatch.setattr(
        EMGaussianMixture, "_store", lambda *args: calls.append(store(*args))
    )
    EMGaussianMixture(3, random_state=0).set_callbacks(Recorder()).fit(X)
    assert len(calls) == 1


@needs_callbacks
def test_weights_are_shown_when_given(X):
    snapshots = Snapshots()
    mixture = EMGaussianMixture(3, random_state=0).set_callbacks(snapshots)
    weight = np.arange(1, len(X) + 1)
    mixture.fit(X).fit(X, sample_weight=weight)
    assert snapshots.metadata[0] is None
    assert snapshots.metadata[-1]["sample_weight"] is weight


@needs_callbacks
def test_a_failed_fit_tears_down_and_leaves_the_estimator_as_it_was(estimator, X):
    recorder = Recorder()
    estimator.set_callbacks(recorder)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(np.full_like(X, np.nan))
    assert vars(estimator) == before
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
def test_meta_estimators_pass_callbacks_on(X):
    recorder = Recorder()
    pipeline = make_pipeline(StandardScaler(), EMGaussianMixture(random_state=0))
    grid = {"emgaussianmixture__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=3).set_callbacks(recorder).fit(X)
    assert recorder.count("run") == 2 * 3 + 1
    refit = [task for task in recorder.ended if task.task_name == "run"][-1]
    assert len(list(refit)) - 1 == search.best_estimator_[-1].n_iter_
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
def test_the_progress_bar_shows_runs(X, capsys):
    from sklearn.callback import ProgressBar

    mixture = EMGaussianMixture(3, n_init=2, random_state=0)
    mixture.set_callbacks(ProgressBar()).fit(X)
    printed = capsys.readouterr().out
    for bar in ("EMGaussianMixture - fit", "run #0", "run #1", "100%"):
        assert bar in printed


@needs_callbacks
def test_the_monitored_score_is_the_bound_of_the_next_iteration(X):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring={"nats": lambda density, X, y: density.score(X)})
    mixture = EMGaussianMixture(3, random_state=0).set_callbacks(monitor)
    mixture.fit(X, np.zeros(len(X)))
    log = monitor.get_logs().data
    scores = [row["nats"] for row in log if row["task_name"] == "iteration"]
    assert len(scores) == mixture.n_iter_
    np.testing.assert_allclose(scores[:-1], mixture.lower_bounds_[1:])


# ---- Searches for a bandwidth ----


@pytest.fixture(params=SEARCHES, ids=repr)
def search(request):
    return clone(request.param)


@pytest.fixture
def rows(correlated_normals):
    return correlated_normals[:150] * [1, 2]


def assert_same_search(one, other):
    for name in ("bandwidth_", "covariance_", "bandwidths_", "loo_scores_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def lines_of(search, X, capsys):
    """How many bandwidths a search reports that are tried on all rows."""
    clone(search).set_params(verbose=1).fit(X)
    return capsys.readouterr().out.count("bandwidth ")


def test_callbacks_can_be_set_on_searches_where_scikit_learn_has_them(search):
    assert hasattr(search, "set_callbacks") == HAS_CALLBACKS


@needs_callbacks
def test_every_bandwidth_that_is_tried_on_all_rows_is_a_task(search, rows, capsys):
    n_lines, recorder = lines_of(search, rows, capsys), Recorder()
    search.set_callbacks(recorder).fit(rows)
    assert recorder.count("iteration") == len(search.loo_scores_) == n_lines
    assert recorder.count("fit") == 1
    assert set(recorder.begun) == set(recorder.ended)
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
def test_what_is_tried_on_a_sample_is_no_task(capsys):
    X = np.random.RandomState(0).standard_normal((9000, 1))
    search, recorder = LOOKernelDensity(), Recorder()
    n_lines = lines_of(search, X, capsys)
    search.set_callbacks(recorder).fit(X)
    assert recorder.count("iteration") == len(search.loo_scores_) == n_lines < 6


@needs_callbacks
def test_callbacks_do_not_change_a_search(search, rows):
    watched = clone(search).set_callbacks(Snapshots()).fit(rows)
    assert_same_search(watched, search.fit(rows))


@needs_callbacks
@pytest.mark.parametrize("n_tried", [1, 4])
def test_a_stopped_search_takes_the_best_of_what_it_has_tried(search, rows, n_tried):
    search.set_callbacks(Recorder(stop_after(n_tried))).fit(rows)
    assert len(search.loo_scores_) == len(search.bandwidths_) == n_tried
    best = search.bandwidths_[search.loo_scores_.argmax()]
    np.testing.assert_array_equal(search.bandwidth_, best)
    assert np.isfinite(search.score(rows))


@needs_callbacks
def test_the_search_for_a_shape_stops_too(rows):
    full = LOOKernelDensity(covariance_type="full").fit(rows)
    n_tried = len(full.loo_scores_) - 2
    stopped = clone(full).set_callbacks(Recorder(stop_after(n_tried))).fit(rows)
    assert len(stopped.loo_scores_) == n_tried
    assert stopped.loo_score_ == pytest.approx(full.loo_score_, abs=1e-6)


@needs_callbacks
def test_the_estimator_after_a_trial_is_the_search_of_so_many(search, rows):
    snapshots = Snapshots()
    clone(search).set_callbacks(snapshots).fit(rows)
    for n_tried in (1, 4):
        fitted = snapshots.fitted[n_tried - 1]
        recorder = Recorder(stop_after(n_tried))
        stopped = clone(search).set_callbacks(recorder).fit(rows)
        assert_same_search(fitted, stopped)
        expected = stopped.score_samples(rows)
        np.testing.assert_array_equal(fitted.score_samples(rows), expected)


@needs_callbacks
@pytest.mark.parametrize("bandwidth", ["scott", "silverman", "isj", 0.5, [0.5, 1.0]])
def test_without_a_search_the_fit_is_the_only_task(rows, bandwidth):
    recorder = Recorder()
    LOOKernelDensity(bandwidth).set_callbacks(recorder).fit(rows)
    assert [context.task_name for context in recorder.ended] == ["fit"]
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
def test_a_failed_search_tears_down_and_leaves_the_estimator_as_it_was(search, rows):
    recorder = Recorder()
    search.set_callbacks(recorder)
    before = dict(vars(search))
    for bad in (np.full_like(rows, np.nan), np.ones_like(rows)):
        with pytest.raises(ValueError, match=r"NaN|distinct rows"):
            search.fit(bad)
        assert vars(search) == before
    assert recorder.n_setups == recorder.n_teardowns == 2


@needs_callbacks
def test_meta_estimators_pass_callbacks_on_to_searches(rows):
    recorder = Recorder()
    pipeline = make_pipeline(StandardScaler(), LOOKernelDensity())
    grid = {"lookerneldensity__covariance_type": ["spherical", "diag"]}
    search = GridSearchCV(pipeline, grid, cv=2).set_callbacks(recorder).fit(rows)
    best = search.best_estimator_[-1]
    assert recorder.count("iteration") > len(best.loo_scores_)
    assert recorder.n_setups == recorder.n_teardowns == 1


@needs_callbacks
def test_the_progress_bar_shows_a_search(rows, capsys):
    from sklearn.callback import ProgressBar

    LOOKernelDensity().set_callbacks(ProgressBar()).fit(rows)
    assert "LOOKernelDensity - fit" in capsys.readouterr().out


@needs_callbacks
def test_weights_are_shown_to_callbacks_of_searches(rows):
    snapshots, weight = Snapshots(), np.arange(1, len(rows) + 1)
    LOOKernelDensity().set_callbacks(snapshots).fit(rows, sample_weight=weight)
    assert snapshots.metadata[-1]["sample_weight"] is weight
