"""All checks of some estimators as tests of pytest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skdensity.testing.table import USUAL_EQUIVARIANCES, cases_of


def parametrize_with_density_checks(
    estimators: Iterable[Any],
    *,
    equivariances: Iterable[str] | Callable[[Any], Iterable[str]] = (
        USUAL_EQUIVARIANCES
    ),
    expected_failed_checks: (
        dict[str, str] | Callable[[Any], dict[str, str]] | None
    ) = None,
    xfail_strict: bool | None = None,
) -> Any:
    """Decorate a test so that it runs once for every check of every estimator.

    In the manner of scikit-learn's ``parametrize_with_checks``: checks that do not
    apply are left out, and those that are expected to fail are marked so. The id of a
    test is what the estimator prints and the name of the check, so that ``-k`` chooses.

    Parameters
    ----------
    estimators : iterable of object
        Unfitted estimators, as :func:`check_density_estimator` takes them.
    equivariances : iterable of str or callable, \
            default=("translation", "scale", "feature_order")
        Changes of coordinates that fits follow, for all of the estimators, or a
        function from an estimator to its own.
    expected_failed_checks : dict or callable, default=None
        Reasons by names of checks, for all of the estimators, or a function from an
        estimator to its own.
    xfail_strict : bool, default=None
        Whether a check that passes, and was expected to fail, is a failure. None is
        what pytest is configured to do.

    Returns
    -------
    decorator : MarkDecorator
        ``pytest.mark.parametrize`` of the arguments `estimator` and `check`.

    Raises
    ------
    ImportError
        If pytest is not installed.
    TypeError
        If `estimators` is not several, or one of them is a class, or has no `fit` or
        `score_samples`.
    ValueError
        If there is no such equivariance or check, or an expected failure has no reason.

    See Also
    --------
    check_density_estimator : All checks in one call; what they are.

    Examples
    --------
    >>> from skdensity import GaussianMLE, LOOKernelDensity
    >>> from skdensity.testing import parametrize_with_density_checks
    >>> @parametrize_with_density_checks([GaussianMLE(), LOOKernelDensity()])
    ... def test_is_a_density(estimator, check):
    ...     check(estimator)
    """
    import pytest

    if not isinstance(estimators, Iterable):
        raise TypeError(
            f"`estimators` is {estimators!r}, one estimator; give a list of them, such "
            "as [GaussianMLE()]."
        )
    asked, expected = map(_of_each, (equivariances, expected_failed_checks))
    strict: Any = {} if xfail_strict is None else {"strict": xfail_strict}

    def tests() -> Iterator[Any]:
        for estimator in estimators:
            for case in cases_of(estimator, asked(estimator), expected(estimator)):
                if not case.not_applied:
                    mark = pytest.mark.xfail(reason=case.expected, **strict)
                    yield pytest.param(
                        estimator,
                        case.check,
                        id=f"{_name(estimator)}-{case.name}",
                        marks=[mark] if case.expected else [],
                    )

    return pytest.mark.parametrize(("estimator", "check"), list(tests()))


def _of_each(option):
    """A function of an estimator: the option, or what it is for all."""
    return option if callable(option) else lambda _: option


def _name(estimator):
    """What an estimator prints, without addresses: processes must agree on names."""
    return re.sub(r" at 0x[0-9a-fA-F]+|\s", "", repr(estimator))
