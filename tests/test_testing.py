"""`skdensity.testing` itself: each check can fail, and is told of as asked."""

import re
import subprocess
import sys
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.neighbors import KernelDensity

from skdensity import DensityClassifier, GaussianMLE, LOOKernelDensity
from skdensity.testing import (
    check_density_estimator,
    parametrize_with_density_checks,
)
from skdensity.testing.table import CHECKS, EQUIVARIANCES, NAMES

# ---- A zoo of broken densities: each breaks one theorem, and keeps the others ----


class Flagged(GaussianMLE):
    """Knows whether it comes from a fit, and to how many features."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, sample_weight=sample_weight)
        self.n_fitted_ = self.n_features_in_
        return self

    def is_fit_to(self, n_features):
        return getattr(self, "n_fitted_", 0) == n_features


class Improper(Flagged):
    """On a grid in two dimensions, so that no other integral is wrong."""

    def score_samples(self, X):
        is_grid = self.is_fit_to(2) and len(X) > 10**5
        return super().score_samples(X) + X.dtype.type(0.01 * is_grid)


class NotAMean(GaussianMLE):
    def score(self, X, y=None, sample_weight=None):
        return 1.001 * super().score(X, sample_weight=sample_weight)


class Underflowing(GaussianMLE):
    def score_samples(self, X):
        with np.errstate(under="ignore", divide="ignore"):
            return np.log(np.exp(super().score_samples(X)))


class OfItsBatch(Flagged):
    def score_samples(self, X):
        return super().score_samples(X) + X.dtype.type(1e-3 * (len(X) == 7))


class Widening(GaussianMLE):
    def score_samples(self, X):
        return super().score_samples(X).astype(np.float64)


class Reweighting(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        weight = None if sample_weight is None else np.sqrt(sample_weight)
        return super().fit(X, sample_weight=weight)


class CountingAll(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        if sample_weight is not None and len(sample_weight) == len(X):
            sample_weight = np.where(sample_weight > 0, sample_weight, 0.5)
        return super().fit(X, sample_weight=sample_weight)


class Moved(GaussianMLE):
    """A fit and then something else."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, sample_weight=sample_weight)
        counts = np.ones(len(X)) if sample_weight is None else sample_weight
        self.move(np.asarray(X)[counts > 0])
        return self


class InOrder(Moved):
    def move(self, X):
        self.location_ = self.location_ + 1e-3 * (X[0] - X[-1])


class Forward(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, sample_weight=sample_weight)
        self.reg_covar = 0.1
        return self


class Forgetful(GaussianMLE):
    def __getstate__(self):
        state = super().__getstate__()
        return state | {"location_": state["location_"] + 1e-9}


class Fragile(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        try:
            return super().fit(X, sample_weight=sample_weight)
        except ValueError:
            if hasattr(self, "location_"):
                self.location_ = 0 * self.location_
            raise


class Seedless(GaussianMLE):
    def sample(self, n_samples=1, random_state=None):
        self.n_calls_ = getattr(self, "n_calls_", 0) + 1
        return super().sample(n_samples, self.n_calls_)


class Remembering(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, sample_weight=sample_weight)
        self.first_ = X[0]
        return self

    def sample(self, n_samples=1, random_state=None):
        drawn = super().sample(n_samples, random_state)
        drawn[0] = self.first_
        return drawn


class Wide(Flagged):
    """Where it was fitted to one feature, so that conditionals are none of it."""

    def sample(self, n_samples=1, random_state=None):
        drawn = super().sample(n_samples, random_state)
        return (1.2 if self.is_fit_to(1) else 1.0) * drawn


class Bent(Flagged):
    def cdf(self, X):
        return super().cdf(X) ** (1.01 if self.is_fit_to(1) else 1.0)


class MeanImputing(GaussianMLE):
    def score_samples(self, X):
        X = np.where(np.isnan(X), self.location_.astype(X.dtype), X)
        return super().score_samples(X)


class WithParts(GaussianMLE):
    """Knows whether it is a marginal of some features, or conditional."""

    def marginal(self, features):
        part = super().marginal(features)
        part.kept_ = list(features)
        return part

    def condition(self, features, values):
        part = super().condition(features, values)
        part.given_ = list(features)
        return part

    @property
    def kept(self):
        return getattr(self, "kept_", [])

    @property
    def given(self):
        return getattr(self, "given_", [])


class WrongMarginal(WithParts):
    def score_samples(self, X):
        return super().score_samples(X) + 0.01 * (len(self.kept) == 1)


class WrongConditional(WithParts):
    def score_samples(self, X):
        return super().score_samples(X) + 0.01 * (len(self.given) > 0)


class WrongMarginalCdf(WithParts):
    def cdf(self, X):
        return super().cdf(X) ** (2.0 if self.kept == [1] else 1.0)


class WrongConditionalCdf(WithParts):
    def cdf(self, X):
        return super().cdf(X) ** (2.0 if self.given else 1.0)


class Shrinking(Moved):
    def move(self, X):
        self.location_ = 0.999 * self.location_


class WithAUnit(Moved):
    def move(self, X):
        self.covariance_ = self.covariance_ + 1e-3 * np.eye(len(self.covariance_))


class OfItsFirst(Moved):
    def move(self, X):
        unit = np.zeros_like(self.covariance_)
        unit[0, 0] = self.covariance_[0, 0]
        self.covariance_ = self.covariance_ + 1e-3 * unit


MUTANTS = {
    "check_density_integrates_to_one": Improper(),
    "check_density_score": NotAMean(),
    "check_density_far_tails": Underflowing(),
    "check_density_chunks": OfItsBatch(),
    "check_density_float32": Widening(),
    "check_density_weights_repeat": Reweighting(),
    "check_density_weight_zero": CountingAll(),
    "check_density_row_order": InOrder(),
    "check_density_clone": Forward(),
    "check_density_pickle": Forgetful(),
    "check_density_bad_input": Fragile(),
    "check_density_sample_seed": Seedless(),
    "check_density_sample_fresh": Remembering(),
    "check_density_sample_follows": Wide(),
    "check_density_cdf": Bent(),
    "check_density_nan_is_marginal": MeanImputing(),
    "check_density_marginal": WrongMarginal(),
    "check_density_chain_rule": WrongConditional(),
    "check_density_marginal_cdfs": WrongMarginalCdf(),
    "check_density_sequential_conditionals": WrongConditionalCdf(),
    "check_density_translation": Shrinking(),
    "check_density_scale": WithAUnit(),
    "check_density_rotation": GaussianMLE(covariance_type="diag"),
    "check_density_feature_order": OfItsFirst(),
}


def statuses(estimator, **options):
    options = {"equivariances": EQUIVARIANCES, "on_fail": None} | options
    results = check_density_estimator(estimator, **options)
    return {result["check_name"]: result["status"] for result in results}


def test_there_is_a_mutant_for_every_check():
    assert list(MUTANTS) == NAMES
    assert set(statuses(GaussianMLE()).values()) == {"passed"}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_its_check_and_no_other(name):
    mutant = MUTANTS[name]
    # Exchanging features is a rotation, up to a sign.
    without = {"rotation"} if isinstance(mutant, OfItsFirst) else set()
    found = statuses(mutant, equivariances=set(EQUIVARIANCES) - without)
    assert [check for check, status in found.items() if status == "failed"] == [name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("check_density_integrates_to_one", "the density integrates to 1: off by 0.01"),
        ("check_density_weights_repeat", "a weight equals repetition: off by"),
        ("check_density_sample_follows", "samples differ from the density: p = "),
        ("check_density_far_tails", "far tails are finite: -inf at "),
        ("check_density_bad_input", "leaves the estimator as it was: not after fit to"),
    ],
)
def test_a_failure_says_which_theorem_and_by_how_much(name, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check_density_estimator(MUTANTS[name])


class Noisy(GaussianMLE):
    def score_samples(self, X):
        with np.errstate(divide="warn"):
            np.log(np.zeros(1) * np.isfinite(X).all())
        return super().score_samples(X)


class NoisyInFits(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        with np.errstate(divide="warn"):
            np.log(np.zeros(1) * len(np.asarray(X)))
        return super().fit(X, sample_weight=sample_weight)


class Flat(GaussianMLE):
    def score_samples(self, X):
        return np.maximum(super().score_samples(X), -700)


class Greedy(GaussianMLE):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(np.nan_to_num(X, posinf=3.0), sample_weight=sample_weight)


class Columns(GaussianMLE):
    def score_samples(self, X):
        return super().score_samples(X)[:, None]


class Twins(GaussianMLE):
    def sample(self, n_samples=1, random_state=None):
        return np.repeat(super().sample((n_samples + 1) // 2, random_state), 2, axis=0)


class Few(GaussianMLE):
    def sample(self, n_samples=1, random_state=None):
        return super().sample(n_samples - 1, random_state)


class OneSeed(GaussianMLE):
    def sample(self, n_samples=1, random_state=None):
        return super().sample(n_samples, 0)


class WithoutSeed(GaussianMLE):
    def sample(self, n_samples=1):
        return super().sample(n_samples, np.random.RandomState())


def test_what_has_no_seed_fails_for_that_and_for_nothing_else():
    found = statuses(WithoutSeed())
    failed = [check for check, status in found.items() if status == "failed"]
    assert failed == ["check_density_sample_seed"]


@pytest.mark.parametrize(
    ("estimator", "name", "message"),
    [
        (Noisy(), "check_density_far_tails", "score_samples is silent: it warns of"),
        (NoisyInFits(), "check_density_clone", "fit is silent: it warns of 'divide by"),
        (Flat(), "check_density_far_tails", "far tails fall"),
        (Greedy(), "check_density_bad_input", "fit to infinities is refused by"),
        (Columns(), "check_density_chunks", r"shape \(60, 1\) for 60 rows"),
        (Twins(), "check_density_sample_fresh", "some are there twice"),
        (Few(), "check_density_sample_follows", r"shape \(3999, 1\)"),
        (OneSeed(), "check_density_sample_seed", "differs for another int seed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_ways_in_which_a_check_fails(estimator, name, message):
    check = next(check for check in CHECKS if check.__name__ == name)
    with pytest.raises(AssertionError, match=message):
        check(estimator)


# ---- What is told ----


def test_results_are_those_of_scikit_learn():
    results = check_density_estimator(
        KernelDensity(),
        equivariances="translation",
        expected_failed_checks={"check_density_score": "a sum"},
        on_fail=None,
    )
    by_name = {result["check_name"]: result for result in results}
    assert list(by_name) == NAMES
    score = by_name["check_density_score"]
    assert score["status"] == "xfail"
    assert score["expected_to_fail"] is True
    assert score["expected_to_fail_reason"] == "a sum"
    assert isinstance(score["exception"], AssertionError)
    assert by_name["check_density_float32"]["status"] == "failed"
    passed = by_name["check_density_translation"]
    assert passed["status"] == "passed"
    assert passed["exception"] is None
    assert passed["expected_to_fail"] is False
    skipped = by_name["check_density_scale"]
    assert skipped["status"] == "skipped"
    assert isinstance(skipped["exception"], SkipTest)
    assert "'scale' is not in `equivariances`" in str(skipped["exception"])


def test_checks_apply_where_there_is_what_they_are_about():
    def skipped(estimator):
        found = statuses(estimator)
        return {name for name, status in found.items() if status == "skipped"}

    assert skipped(LOOKernelDensity()) == {"check_density_nan_is_marginal"}
    of_classifiers = skipped(DensityClassifier())
    assert "check_density_score" in of_classifiers
    assert "check_density_weights_repeat" not in of_classifiers


def test_failures_are_raised_or_warned_of_or_kept():
    improper = Improper()
    with pytest.raises(AssertionError, match="integrates to 1"):
        check_density_estimator(improper)
    with pytest.warns(EstimatorCheckFailedWarning, match="integrates to 1"):
        check_density_estimator(improper, on_fail="warn")
    heard = []
    check_density_estimator(
        improper, on_fail=None, callback=lambda **result: heard.append(result)
    )
    assert [result["status"] for result in heard].count("failed") == 1
    with pytest.warns(SkipTestWarning, match="'rotation' is not in `equivariances`"):
        check_density_estimator(GaussianMLE(), on_skip="warn")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"estimator": GaussianMLE}, TypeError, r"such as GaussianMLE\(\)"),
        ({"estimator": object()}, TypeError, "no `fit` and no `score_samples`"),
        (
            {"equivariances": ["shear"]},
            ValueError,
            "'shear'; choose from 'translation'",
        ),
        (
            {"expected_failed_checks": {"check_scale": "why"}},
            ValueError,
            "'check_scale', which is no check. There are check_density_int",
        ),
        (
            {"expected_failed_checks": {"check_density_scale": ""}},
            ValueError,
            "no reason for 'check_density_scale'; say why",
        ),
        ({"on_fail": "ignore"}, ValueError, "'on_fail' parameter"),
        ({"callback": print}, ValueError, "give on_fail=None"),
    ],
)
def test_what_cannot_be_asked(options, error, message):
    with pytest.raises(error, match=message):
        check_density_estimator(**{"estimator": GaussianMLE()} | options)


# ---- One by one ----


def a_function(x):
    return x


def parameters(estimators, **options):
    return parametrize_with_density_checks(estimators, **options).args[1]


def test_there_is_a_test_for_every_check_that_applies():
    found = parameters([GaussianMLE(), KernelDensity()])
    names = [(type(p.values[0]), p.values[1].__name__) for p in found]
    of_gaussian = [name for kind, name in names if kind is GaussianMLE]
    assert of_gaussian == [name for name in NAMES if name != "check_density_rotation"]
    of_kernels = [name for kind, name in names if kind is KernelDensity]
    assert "check_density_cdf" not in of_kernels


def test_ids_are_readable_and_alike_in_all_processes():
    estimator = KernelDensity(metric_params={"func": a_function, "of": object()})
    ids = [parameter.id for parameter in parameters([estimator])]
    assert not any(re.search(r"0x|\s", name) for name in ids)
    assert ids[0].startswith("KernelDensity(metric_params={'func':<functiona_function>")
    assert ids[0].endswith("-check_density_integrates_to_one")


def test_expected_failures_are_marked_with_reasons():
    def reasons(estimator):
        return {"check_density_score": "a sum"} if estimator.bandwidth == 2 else {}

    found = parameters(
        [KernelDensity(), KernelDensity(bandwidth=2)],
        equivariances=lambda estimator: ["scale"],
        expected_failed_checks=reasons,
        xfail_strict=True,
    )
    marked = [p for p in found if p.marks]
    (parameter,) = marked
    assert parameter.values[1].__name__ == "check_density_score"
    (mark,) = parameter.marks
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": "a sum", "strict": True})
    names = [p.values[1].__name__ for p in found]
    assert "check_density_scale" in names
    assert "check_density_translation" not in names


def test_options_may_be_the_same_for_all():
    found = parameters(
        [KernelDensity(), KernelDensity(bandwidth=2)],
        equivariances=None,
        expected_failed_checks={"check_density_score": "a sum"},
    )
    marked = [p.values[1].__name__ for p in found if p.marks]
    assert marked == ["check_density_score"] * 2
    assert not {p.values[1] for p in found} & set(EQUIVARIANCES.values())


def test_one_estimator_is_not_several():
    with pytest.raises(TypeError, match=r"GaussianMLE\(\), one estimator; give a list"):
        parametrize_with_density_checks(GaussianMLE())


def test_pytest_is_needed_for_its_tests_only():
    code = "import skdensity.testing, sys; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_docstring_names_every_check():
    listed = re.findall(r"``(check_density_\w+)``", check_density_estimator.__doc__)
    assert set(listed) == set(NAMES)
