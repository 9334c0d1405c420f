"""All checks of an estimator in one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal
from unittest import SkipTest

from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.utils._param_validation import StrOptions, validate_params

from skdensity.testing.table import USUAL_EQUIVARIANCES, Case, cases_of


@validate_params(
    {
        "expected_failed_checks": [dict, None],
        "on_skip": [StrOptions({"warn"}), None],
        "on_fail": [StrOptions({"raise", "warn"}), None],
        "callback": [callable, None],
    },
    prefer_skip_nested_validation=False,
)
def check_density_estimator(
    estimator: Any,
    *,
    equivariances: Iterable[str] = USUAL_EQUIVARIANCES,
    expected_failed_checks: dict[str, str] | None = None,
    on_skip: Literal["warn"] | None = None,
    on_fail: Literal["raise", "warn"] | None = "raise",
    callback: Callable[..., Any] | None = None,
) -> list[dict[str, Any]]:
    """Check that an estimator is a density, and that its samples come from it.

    Each check fits clones to seeded tables of 60 rows in one to three dimensions, with
    what it takes from `random_state` fixed, and asks for one theorem. A check applies
    where the estimator has the methods that it is about.

    Parameters
    ----------
    estimator : object
        Unfitted estimator with ``fit(X, y)`` and ``score_samples(X)``, and maybe with
        ``score``, ``sample(n_samples, random_state)``, ``marginal(features)``,
        ``condition(features, values)`` and ``cdf(X)`` as the estimators here have them.
        `y`, the group that a row is from, is given where tags say that it is required.
        It must use all rows in every step: the theorems do not hold for random batches.
    equivariances : iterable of str, default=("translation", "scale", "feature_order")
        Changes of coordinates that a fit follows: some of ``"translation"``,
        ``"scale"``, ``"rotation"`` and ``"feature_order"``. Leave out what does not
        hold by design, as scale for a bandwidth that is a number; ``"rotation"`` holds
        for densities that know no axes.
    expected_failed_checks : dict, default=None
        Reasons by names of checks: ``{"check_density_float32": "all is float64"}``.
    on_skip : {"warn"} or None, default=None
        Whether to warn of checks that do not apply.
    on_fail : {"raise", "warn"} or None, default="raise"
        What to do about a check that fails: raise what it raised, warn and go on, or go
        on. A failure that is expected is never raised; "warn" tells of it, too, as
        scikit-learn's ``check_estimator`` does.
    callback : callable, default=None
        Called with each result as keyword arguments; not with ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        One for each check, with the keys of scikit-learn's ``check_estimator``:
        "estimator", "check_name", "exception", "status", which is "passed", "failed",
        "xfail" or "skipped", "expected_to_fail" and "expected_to_fail_reason".

    Raises
    ------
    AssertionError
        If a theorem does not hold; the message says which, and by how much.
    Exception
        What else the estimator raises in a check.
    TypeError
        If `estimator` is a class, or has no `fit` or `score_samples`.
    ValueError
        If there is no such equivariance or check, an expected failure has no reason,
        another option has no such value, or there is a callback with
        ``on_fail="raise"``.

    See Also
    --------
    parametrize_with_density_checks : The same as tests of pytest.
    sklearn.utils.estimator_checks.check_estimator : The checks of scikit-learn.

    Notes
    -----
    Always asked for:

    - ``check_density_integrates_to_one``: by quadrature in one and in two dimensions,
      to 1e-6;
    - ``check_density_far_tails``: up to a million standard deviations out,
      log-densities are finite and fall;
    - ``check_density_chunks``: a row scores alike whatever rows come with it, to 1e-9;
    - ``check_density_float32``: float32 rows give float32 log-densities, within 1e-3
      nats of float64's;
    - ``check_density_row_order``: the order of rows does not matter, to 1e-6 nats;
    - ``check_density_clone``: a fit leaves the parameters alone, and a clone fits
      alike;
    - ``check_density_pickle``: pickles keep scores and draws to the bit;
    - ``check_density_bad_input``: infinities, no rows, a cube, rows of another table
      and weights that are too few are refused by ValueError or TypeError, and leave a
      fitted estimator as it was.

    Where there is what they are about:

    - ``check_density_score``: ``score`` is the weighted mean of ``score_samples``; not
      asked of classifiers, regressors and detectors;
    - ``check_density_weights_repeat``, ``check_density_weight_zero``: an integer weight
      equals repetition, and zero equals absence, to 1e-6 nats;
    - ``check_density_sample_seed``: ``sample`` takes a `random_state`, which repeats
      it;
    - ``check_density_sample_fresh``: draws differ from each other, and from the rows;
    - ``check_density_sample_follows``: a χ² test does not tell 4,000 draws from the
      density at the level 0.001;
    - ``check_density_cdf``: ``cdf`` is the integral of the density;
    - ``check_density_nan_is_marginal``: where tags allow NaN, it is integrated out;
    - ``check_density_marginal``: ``marginal`` is an integral;
    - ``check_density_chain_rule``: joint densities are marginal times conditional;
    - ``check_density_marginal_cdfs``, ``check_density_sequential_conditionals``:
      distribution functions of draws, marginal ones and those given the features
      before, are uniform at the level 0.001.

    By `equivariances`: ``check_density_translation``, ``check_density_scale``,
    ``check_density_rotation`` and ``check_density_feature_order``, each to 1e-6 nats.

    Neither a fit nor a score may give a RuntimeWarning, which is what NumPy's are.

    Integrals take for granted that a density is smooth, wider than a hundredth of the
    spread of the rows, and all but nothing at 12 times that spread. Warnings of the
    class UserWarning that a fit gives are not shown: the tables are small, and repeat
    rows to see what comes of it.

    References
    ----------
    The χ² test: K. Pearson (1900), doi:10.1080/14786440009463897. The midpoint rule on
    densities that vanish at the border: L. N. Trefethen and J. A. C. Weideman (2014),
    doi:10.1137/130932132. Sequential conditionals: M. Rosenblatt (1952),
    doi:10.1214/aoms/1177729394.

    Examples
    --------
    >>> from skdensity import GaussianMLE
    >>> from skdensity.testing import check_density_estimator
    >>> results = check_density_estimator(GaussianMLE())
    >>> {result["status"] for result in results if result["check_name"].endswith("cdf")}
    {'passed'}

    What scikit-learn's kernel density has of its own:

    >>> from sklearn.neighbors import KernelDensity
    >>> of_theirs = {
    ...     "check_density_score": "it is a sum",
    ...     "check_density_float32": "log-densities are float64",
    ...     "check_density_weight_zero": "it warns of log(0)",
    ... }
    >>> results = check_density_estimator(
    ...     KernelDensity(),
    ...     equivariances=["translation", "feature_order"],  # its bandwidth is a number
    ...     expected_failed_checks=of_theirs,
    ... )
    >>> print(next(result["exception"] for result in results if result["exception"]))
    score is a mean: off by ...
    """
    if on_fail == "raise" and callback is not None:
        raise ValueError(
            "`callback` is called with failures, which on_fail='raise' raises; give "
            "on_fail=None or on_fail='warn' with it."
        )
    results = []
    for case in cases_of(estimator, equivariances, expected_failed_checks):
        status, exception = _outcome(case, estimator)
        if status == "failed" and on_fail == "raise":
            raise exception
        result = {
            "estimator": estimator,
            "check_name": case.name,
            "exception": exception,
            "status": status,
            "expected_to_fail": bool(case.expected),
            "expected_to_fail_reason": case.expected or "Check is not expected to fail",
        }
        _tell(result, on_skip, on_fail)
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _outcome(case: Case, estimator: Any) -> tuple[str, Any]:
    """The status of a check, and what it raised."""
    if case.not_applied:
        return "skipped", SkipTest(f"It does not apply: {case.not_applied}.")
    try:
        case.check(estimator)
    except SkipTest as skip:
        return "skipped", skip
    except Exception as error:
        return "xfail" if case.expected else "failed", error
    return "passed", None


def _tell(result, on_skip, on_fail):
    """Warn as scikit-learn's `check_estimator` does."""
    status, error = result["status"], result["exception"]
    if status == "skipped" and on_skip == "warn":
        name = type(result["estimator"]).__name__
        message = f"Skipping check {result['check_name']} for {name}: {error}"
        warnings.warn(message, SkipTestWarning, stacklevel=4)
    if status in ("failed", "xfail") and on_fail == "warn":
        warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=4)
