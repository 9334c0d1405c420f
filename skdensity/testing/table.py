"""All checks by name, and when each of them applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skdensity.testing.equivariances import (
    check_density_feature_order,
    check_density_rotation,
    check_density_scale,
    check_density_translation,
)
from skdensity.testing.of_densities import (
    check_density_cdf,
    check_density_chunks,
    check_density_far_tails,
    check_density_float32,
    check_density_integrates_to_one,
    check_density_score,
)
from skdensity.testing.of_draws import (
    check_density_sample_follows,
    check_density_sample_fresh,
    check_density_sample_seed,
)
from skdensity.testing.of_fits import (
    check_density_bad_input,
    check_density_clone,
    check_density_pickle,
    check_density_row_order,
    check_density_weight_zero,
    check_density_weights_repeat,
)
from skdensity.testing.of_parts import (
    check_density_chain_rule,
    check_density_marginal,
    check_density_marginal_cdfs,
    check_density_nan_is_marginal,
    check_density_sequential_conditionals,
)


@dataclass(frozen=True)
class Need:
    """What an estimator must have for a check to mean something."""

    is_met: Callable[[Any], bool]
    otherwise: str


def methods(*names: str) -> Need:
    """All of these methods."""
    listed = ", ".join(f"`{name}`" for name in names)
    return Need(
        lambda estimator: all(hasattr(estimator, name) for name in names),
        f"it has not all of the methods {listed}",
    )


def _scores_rows(estimator):
    is_other = (is_classifier, is_regressor, is_outlier_detector)
    return hasattr(estimator, "score") and not any(kind(estimator) for kind in is_other)


def _takes_weights(estimator):
    return has_fit_parameter(estimator, "sample_weight")


def _takes_nan(estimator):
    return get_tags(estimator).input_tags.allow_nan


ALWAYS = Need(lambda estimator: True, "")
SCORE = Need(_scores_rows, "its `score` is not one of densities")
WEIGHTS = Need(_takes_weights, "its `fit` takes no `sample_weight`")
NAN = Need(_takes_nan, "its tags do not allow NaN")
SAMPLE = methods("sample")
CDF = methods("cdf")
MARGINAL = methods("marginal")
MARGINAL_CDFS = methods("sample", "marginal", "cdf")
CONDITION = methods("marginal", "condition")
CONDITIONAL_CDFS = methods("sample", "marginal", "condition", "cdf")

CHECKS: dict[Callable[[Any], None], Need] = {
    check_density_integrates_to_one: ALWAYS,
    check_density_score: SCORE,
    check_density_far_tails: ALWAYS,
    check_density_chunks: ALWAYS,
    check_density_float32: ALWAYS,
    check_density_weights_repeat: WEIGHTS,
    check_density_weight_zero: WEIGHTS,
    check_density_row_order: ALWAYS,
    check_density_clone: ALWAYS,
    check_density_pickle: ALWAYS,
    check_density_bad_input: ALWAYS,
    check_density_sample_seed: SAMPLE,
    check_density_sample_fresh: SAMPLE,
    check_density_sample_follows: SAMPLE,
    check_density_cdf: CDF,
    check_density_nan_is_marginal: NAN,
    check_density_marginal: MARGINAL,
    check_density_chain_rule: CONDITION,
    check_density_marginal_cdfs: MARGINAL_CDFS,
    check_density_sequential_conditionals: CONDITIONAL_CDFS,
}
# Those that hold for some densities and not for others, by what is asked for.
EQUIVARIANCES: dict[str, Callable[[Any], None]] = {
    "translation": check_density_translation,
    "scale": check_density_scale,
    "rotation": check_density_rotation,
    "feature_order": check_density_feature_order,
}
# A bandwidth of each feature, or independent features, know their axes.
USUAL_EQUIVARIANCES = ("translation", "scale", "feature_order")
NAMES = [check.__name__ for check in [*CHECKS, *EQUIVARIANCES.values()]]


@dataclass(frozen=True)
class Case:
    """A check of an estimator: why it does not apply, and why it may fail."""

    check: Callable[[Any], None]
    not_applied: str = ""
    expected: str = ""

    @property
    def name(self) -> str:
        return self.check.__name__


def cases_of(
    estimator: Any, equivariances: Any, expected: dict[str, str] | None
) -> list[Case]:
    """Every check, in the order of the table."""
    _check_instance(estimator)
    asked = _checked_equivariances(equivariances)
    reasons = _checked_reasons(expected or {})
    without = {
        check: "" if need.is_met(estimator) else need.otherwise
        for check, need in CHECKS.items()
    }
    for name, check in EQUIVARIANCES.items():
        without[check] = "" if name in asked else f"{name!r} is not in `equivariances`"
    return [
        Case(check, why_not, reasons.get(check.__name__, ""))
        for check, why_not in without.items()
    ]


def _check_instance(estimator):
    if isinstance(estimator, type):
        raise TypeError(
            f"`estimator` is the class {estimator.__name__}; give an instance, such as "
            f"{estimator.__name__}()."
        )
    lacking = [
        name for name in ("fit", "score_samples") if not hasattr(estimator, name)
    ]
    if lacking:
        raise TypeError(
            f"`estimator` is {estimator!r}, which has no `{'` and no `'.join(lacking)}`"
            "; a density has both."
        )


def _checked_equivariances(equivariances):
    if equivariances is None:
        return []
    asked = [equivariances] if isinstance(equivariances, str) else list(equivariances)
    unknown = [name for name in asked if name not in EQUIVARIANCES]
    if unknown:
        raise ValueError(
            f"`equivariances` has {unknown[0]!r}; choose from "
            f"{', '.join(map(repr, EQUIVARIANCES))}."
        )
    return asked


def _checked_reasons(expected):
    unknown = [name for name in expected if name not in NAMES]
    if unknown:
        raise ValueError(
            f"`expected_failed_checks` has {unknown[0]!r}, which is no check. There "
            f"are {', '.join(NAMES)}."
        )
    silent = [name for name, reason in expected.items() if not reason]
    if silent:
        raise ValueError(
            f"`expected_failed_checks` gives no reason for {silent[0]!r}; say why it "
            "may fail."
        )
    return expected
