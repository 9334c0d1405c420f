"""scikit-learn's own tests, by their names; those that a release lacks are skipped."""

import importlib
import inspect
import itertools
from functools import partial

import numpy as np
import pytest
import sklearn
from conftest import COMMON, COMMON_SLOW, ON_AWKWARD_DATA
from sklearn.mixture import GaussianMixture

from skdensity import EMGaussianMixture

CHECKS = "sklearn.utils.estimator_checks"
MIXTURE_TESTS = [
    "sklearn.mixture.tests.test_gaussian_mixture",
    "sklearn.mixture.tests.test_mixture",
]

# Checks that the generator leaves out, and that mean something to a density.
CHECKS_LEFT_OUT = [
    "check_dataframe_column_names_consistency",
    "check_estimators_partial_fit_n_features",
    "check_inplace_ensure_writeable",
    "check_non_transformer_estimators_n_iter",
    "check_param_validation",
]

# Of scikit-learn's tests of GaussianMixture all are run but these, each group for a
# reason that a test below looks into: functions of theirs are called, and no estimator;
OF_THEIR_FUNCTIONS = [
    "test_compute_log_det_cholesky",
    "test_gaussian_mixture_log_probabilities",
    "test_gaussian_suffstat_sk_spherical",
    "test_suffstat_sk_diag",
    "test_suffstat_sk_full",
    "test_suffstat_sk_tied",
]
# private names of their class or module are used;
OF_THEIR_NAMES = {
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": (
        "_estimate_gaussian_parameters"
    ),
    "test_gaussian_mixture_precisions_init": "_initialize",
}
# arrays are not NumPy's.
OF_OTHER_ARRAYS = [
    "test_gaussian_mixture_array_api_compliance",
    "test_gaussian_mixture_raises_where_array_api_not_implemented",
]
LEFT_OUT = {*OF_THEIR_FUNCTIONS, *OF_THEIR_NAMES, *OF_OTHER_ARRAYS}
# Those that hold for a default of theirs: the order of k-means' components.
OF_DEFAULTS = {"test_gaussian_mixture_precisions_init_diag": {"init_params": "kmeans"}}
# Those that compare the text of errors and warnings: theirs tell less. They are run
# without the comparison.
OF_MESSAGES = [
    "test_check_means",
    "test_check_precisions",
    "test_check_weights",
    "test_gaussian_mixture_fit_convergence_warning",
    "test_mixture_n_components_greater_than_n_samples_error",
    "test_regularisation",
]
# Those that a rounding to float32 decides: `score` is a float64 mean, which their mean
# in float32 differs from in the seventh digit; from precisions that were rounded, EM
# takes a step more.
UNLIKE = [
    ("test_score", np.float32),
    ("test_gaussian_mixture_precisions_init_diag", np.float32),
]


def found(module, name):
    """A function of scikit-learn; without it the test is skipped."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError):
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {name}")


def mixture_tests():
    """Names of the tests of GaussianMixture, each with its module."""
    for module in MIXTURE_TESTS:
        for name in dir(importlib.import_module(module)):
            if name.startswith("test_") and name not in LEFT_OUT:
                yield module, name


def arguments_of(test):
    """Every combination of the arguments that a test is parametrised over."""
    fixtures = {
        "global_dtype": [np.float32, np.float64],
        "global_random_seed": range(3),
    }
    columns = []
    marks = getattr(test, "pytestmark", [])
    for mark in (mark for mark in marks if mark.name == "parametrize"):
        names, values = mark.args[:2]
        names = [n.strip() for n in names.split(",")] if "," in names else [names]
        rows = [row if len(names) > 1 else [row] for row in values]
        columns.append([dict(zip(names, row, strict=True)) for row in rows])
    named = {name for column in columns for name in column[0]}
    for name in inspect.signature(test).parameters:
        if name not in named:
            columns.append([{name: value} for value in fixtures[name]])
    for combination in itertools.product(*columns):
        yield {name: v for part in combination for name, v in part.items()}


SLOW = [pytest.param(estimator, marks=pytest.mark.slow) for estimator in COMMON_SLOW]


@ON_AWKWARD_DATA
@pytest.mark.parametrize("estimator", [*COMMON, *SLOW], ids=repr)
@pytest.mark.parametrize("name", CHECKS_LEFT_OUT)
def test_checks_that_the_generator_leaves_out(estimator, name):
    found(CHECKS, name)(type(estimator).__name__, estimator)


# Some of the tests compare the class name in a message.
DropIn = type("GaussianMixture", (EMGaussianMixture,), {})


class AnyMessage:
    """pytest for a module that compares messages: any message is as good."""

    def __getattr__(self, name):
        return getattr(pytest, name)

    def raises(self, kind, match):
        return pytest.raises(kind)

    def warns(self, kind, match):
        return pytest.warns(kind)


def run(module, name):
    """A test of GaussianMixture, with all its arguments."""
    test = found(module, name)
    for arguments in arguments_of(test):
        if isinstance(arguments.get("estimator"), GaussianMixture):
            arguments["estimator"] = DropIn()
        if (name, arguments.get("global_dtype")) not in UNLIKE:
            test(**arguments)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "name"), mixture_tests())
def test_passes_the_tests_of_gaussian_mixture(monkeypatch, module, name):
    monkeypatch.setattr(f"{module}.GaussianMixture", DropIn)
    # Without what a test is excused from there is a difference no more.
    if name in OF_DEFAULTS:
        with pytest.raises(AssertionError):
            run(module, name)
        theirs = partial(DropIn, **OF_DEFAULTS[name])
        monkeypatch.setattr(f"{module}.GaussianMixture", theirs)
    if name in OF_MESSAGES:
        with pytest.raises((AssertionError, pytest.fail.Exception), match=r"(?i)regex"):
            run(module, name)
        monkeypatch.setattr(f"{module}.pytest", AnyMessage())
    run(module, name)


@pytest.mark.parametrize("name", OF_THEIR_FUNCTIONS)
def test_tests_of_functions_make_no_estimator(monkeypatch, name):
    monkeypatch.delattr(f"{MIXTURE_TESTS[0]}.GaussianMixture")
    run(MIXTURE_TESTS[0], name)


@pytest.mark.parametrize(("name", "private"), OF_THEIR_NAMES.items())
def test_tests_of_private_names_use_them(name, private):
    assert private in inspect.getsource(found(MIXTURE_TESTS[0], name))
    assert not hasattr(EMGaussianMixture, private)
