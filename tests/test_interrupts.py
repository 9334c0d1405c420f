"""Ctrl-C at any moment: an estimator is as it was, or as its best iteration left it."""

import gc
import os
import threading
import time
import traceback
import warnings
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import sklearn
from interrupts import failed, interrupted, moments_of
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from states import assert_same, state_of
from threadpoolctl import threadpool_info

import skdensity
from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    LOOKernelDensity,
    TransformedDensity,
)
from skdensity.passes.scratch import Scratch

pytestmark = [
    # Of fits that are cut short, and of few rows.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
RNG = np.random.RandomState(0)
X = RNG.standard_normal((40, 2))
X[:15] += 5
LABELS = (X[:, 0] > 2.5).astype(int)
# Of other features, so that a mixture of the old and the new cannot work.
BEFORE = RNG.standard_normal((30, 3))
BEFORE[:10] += 5
LABELS_BEFORE = (BEFORE[:, 0] > 2.5).astype(int)

DENSITIES = [
    GaussianMLE(),
    GaussianMLE(covariance_type="diag"),
    CholeskyGaussian(max_iter=5, tol=None, store_path=True),
    EMGaussianMixture(2, random_state=0),
    EMGaussianMixture(2, random_state=0, max_iter=4, tol=0, init_params="random"),
    AdamGaussianMixture(2, random_state=0, max_iter=4, tol=None, init_params="random"),
    LOOKernelDensity(),
]
USES = [
    GaussianMixtureSearch(1, "diag", random_state=0),
    DensityImputer(GaussianMLE()),
    DensityClassifier(),
    DensityRegressor(GaussianMLE()),
    DensityOutlierDetector(GaussianMLE(), random_state=0, cv=2),
    TransformedDensity(StandardScaler(), GaussianMLE()),
]


# What tells whether a fitted estimator works.
ASK = ["score_samples", "predict", "transform"]


def test_all_that_fit_are_here():
    public = {name: getattr(skdensity, name) for name in skdensity.__all__}
    fitting = {name for name, kind in public.items() if hasattr(kind, "fit")}
    assert {type(estimator).__name__ for estimator in [*DENSITIES, *USES]} == fitting


def blas_threads():
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


@pytest.fixture(autouse=True)
def settings_of_others():
    """What a Ctrl-C within scikit-learn's or Python's own contexts may leave behind."""
    with warnings.catch_warnings(), sklearn.config_context():
        yield


@pytest.fixture(autouse=True)
def process_is_as_before():
    """Threads, their limits and what NumPy does about errors."""
    gc.collect()
    with np.errstate(under="warn"):
        before = blas_threads(), np.geterr(), set(threading.enumerate())

        def check():
            # What had begun may go on to its end.
            deadline = time.monotonic() + 10
            while set(threading.enumerate()) - before[2]:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            assert (blas_threads(), np.geterr()) == before[:2]

        yield check


def assert_whole(estimator, fitted, is_cut):
    """All that a fit sets is there, and fits together."""
    assert vars(estimator).keys() == vars(fitted).keys()
    (ask, *_) = (name for name in ASK if hasattr(estimator, name))
    assert np.isfinite(getattr(estimator, ask)(X)).all()
    if is_cut and hasattr(estimator, "n_iter_"):
        # As if that many iterations had been asked for: bounds, paths and all.
        n_iter = estimator.n_iter_
        wanted = state_of(clone(estimator).set_params(max_iter=n_iter).fit(X))
        found = state_of(estimator)
        for name in ("max_iter", "converged_"):
            del wanted[name], found[name]
        assert_same(found, wanted)


# Where memory is asked for: in functions of NumPy's, and methods of arrays.
def is_of_numpy(frame, event, function):
    owner = getattr(function, "__self__", None)
    module = getattr(function, "__module__", None) or ""
    is_array = isinstance(owner, np.ndarray)
    return event == "c_call" and (is_array or module.startswith("numpy"))


def is_linear_algebra(frame, event, function):
    return event == "call" and f"{os.sep}linalg{os.sep}" in frame.f_code.co_filename


def fit_fails(estimator, error, are_wanted, check):
    """Fail at many moments of a fit; what came of it and was left, each time."""
    fitted, ends = clone(estimator).fit(X, LABELS), []
    fit = partial(clone(estimator).fit, X, LABELS)
    for i, moment in enumerate(moments_of(fit, 40, are_wanted)):
        one = clone(estimator)
        if i % 2:
            one.fit(BEFORE, LABELS_BEFORE)
        before = dict(vars(one)), deepcopy(state_of(one))
        outcome = failed(partial(one.fit, X, LABELS), moment, error)
        check()
        if outcome.has_come:
            if outcome.error is None and isinstance(error, MemoryError):
                assert_same(state_of(one), state_of(fitted))
            left = left_by(one, before, fitted, is_cut=False)
            ends.append((type(outcome.error), left))
        if i % 5 < 2:
            assert_same(state_of(one.fit(X, LABELS)), state_of(fitted))
    return ends


@pytest.mark.parametrize("estimator", [*DENSITIES, *USES], ids=repr)
def test_a_fit_without_memory_leaves_all_as_it_was(estimator, process_is_as_before):
    ends = fit_fails(estimator, MemoryError(), is_of_numpy, process_is_as_before)
    assert len(ends) > 20
    # `numpy.array_equal` takes any error for a difference; it makes none here.
    assert set(ends) <= {(MemoryError, "as it was"), (type(None), "whole")}


# The others have formulas for all that they need.
FACTORISING = [
    DENSITIES[0],
    *DENSITIES[3:-1],
    LOOKernelDensity(covariance_type="full"),
    *USES,
]


@pytest.mark.parametrize("estimator", FACTORISING, ids=repr)
def test_a_factorisation_that_fails_is_an_error_or_done_without(
    estimator, process_is_as_before
):
    error = np.linalg.LinAlgError("did not converge")
    ends = fit_fails(estimator, error, is_linear_algebra, process_is_as_before)
    assert ends
    for kind, left in ends:
        is_error = issubclass(kind, ValueError)
        assert (is_error, left) in [(True, "as it was"), (False, "whole")]


def fit_survives(estimator, n_moments, check):
    """Interrupt a fit at many moments; what it left, each time."""
    fitted = clone(estimator).fit(X, LABELS)
    gc.collect()
    outcomes, n_scratch = [], count(Scratch)
    fit = partial(clone(estimator).fit, X, LABELS)
    for i, moment in enumerate(moments_of(fit, n_moments)):
        one = clone(estimator)
        if i % 2:
            one.fit(BEFORE, LABELS_BEFORE)
        before = dict(vars(one)), deepcopy(state_of(one))
        with np.errstate():
            outcome = interrupted(partial(one.fit, X, LABELS), moment)
            if not is_where_numpy_resets(outcome.error):
                check()  # while the traceback still holds what was going on
        if not outcome.has_come:
            continue  # what is done once in a process
        assert outcome.swallowed or type(outcome.error) is KeyboardInterrupt, moment
        outcomes.append(left_by(one, before, fitted))
        if i % 10 < 2:
            assert_same(state_of(one.fit(X, LABELS)), state_of(fitted))
    del outcome, one
    gc.collect()
    assert count(Scratch) == n_scratch
    return outcomes


def is_where_numpy_resets(error):
    """Whether it was NumPy's own way back to its settings that was interrupted."""
    if error is None:
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code.co_filename.endswith("_ufunc_config.py")


def left_by(one, before, fitted, is_cut=True):
    """Whether it is as it was, or else complete."""
    attributes, state = before
    now = vars(one)
    are_same = now.keys() == attributes.keys() and all(
        now[name] is value for name, value in attributes.items()
    )
    if not are_same:
        assert_whole(one, fitted, is_cut)
        return "whole"
    assert_same(state_of(one), state)
    return "as it was"


def count(kind):
    return sum(isinstance(found, kind) for found in gc.get_objects())


@pytest.mark.parametrize("estimator", [*DENSITIES, *USES], ids=repr)
def test_a_fit_survives_ctrl_c(estimator, process_is_as_before):
    outcomes = fit_survives(estimator, 60, process_is_as_before)
    assert len(outcomes) > 50
    if hasattr(estimator, "max_iter"):  # and so there are iterations to keep
        assert "whole" in outcomes


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [*DENSITIES, *USES], ids=repr)
def test_a_fit_survives_ctrl_c_at_200_moments(estimator, process_is_as_before):
    assert len(fit_survives(estimator, 210, process_is_as_before)) >= 200


QUESTIONS = [
    lambda density: density.score_samples(X),
    lambda density: density.sample(3, random_state=0),
    lambda density: density.marginal([0]),
]


@pytest.mark.parametrize("estimator", DENSITIES, ids=repr)
def test_what_is_asked_survives_ctrl_c(estimator, process_is_as_before):
    fitted = clone(estimator).fit(X)
    expected = fitted.score_samples(X)
    for ask in QUESTIONS:
        for moment in moments_of(partial(ask, deepcopy(fitted)), 12):
            one = deepcopy(fitted)
            outcome = interrupted(partial(ask, one), moment)
            process_is_as_before()
            assert not outcome.has_come or outcome.goes_on, moment
            assert_same(state_of(one), state_of(fitted))
            np.testing.assert_array_equal(one.score_samples(X), expected)


STREAMS = [one for one in DENSITIES if hasattr(one, "partial_fit")]


@pytest.mark.parametrize("estimator", STREAMS, ids=repr)
def test_a_batch_is_taken_in_or_not_at_all(estimator, process_is_as_before):
    before = clone(estimator).partial_fit(X)
    after = deepcopy(before).partial_fit(X[::-1])
    for moment in moments_of(partial(deepcopy(before).partial_fit, X[::-1]), 20):
        one = deepcopy(before)
        outcome = interrupted(partial(one.partial_fit, X[::-1]), moment)
        process_is_as_before()
        assert not outcome.has_come or outcome.goes_on, moment
        is_in = one.n_samples_seen_ > before.n_samples_seen_
        assert_same(state_of(one), state_of(after if is_in else before))
