"""When an iterative fit has gone far enough: functions of the values seen so far."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import isfinite

import numpy as np

StoppingRule = Callable[[list[float]], bool]

# Steps below this part of the tolerance are a plateau.
PLATEAU = 0.01
# Part of the value below which a step is a rounding error.
ROUNDING = 32 * np.finfo(np.float64).eps
# Factors of successive steps, of which the largest counts.
N_FACTORS = 3
# Steps that tell whether they grow; the first, from a start, tells nothing of the next.
N_STEPS = 3


def small_gain_ahead(tol: float) -> StoppingRule:
    r"""Stop when the value can be expected to rise by less than `tol` from here on.

    A small step is no sign of an optimum: EM's steps shrink by a constant factor
    :math:`\rho`, which is close to 1 where components overlap, and what is still to
    come is :math:`\delta (\rho + \rho^2 + \dots) = \delta \rho / (1 - \rho)` (Aitken's
    extrapolation; Böhning et al. 1994, doi:10.1007/BF01720593). The factor is the
    largest of the last three, so that steps that grow are not an end. On a plateau,
    where a step is less than a hundredth of `tol`, no patience would be enough; there
    the last step decides, unless it is larger than the one before: EM leaves a saddle
    by tiny steps that grow. So three steps are looked at, unless the last one is a
    rounding error. Two steps down are an end, too: regularisation may lower the
    likelihood, and would go on.

    Examples
    --------
    >>> from skdensity.solvers.stopping import small_gain_ahead
    >>> values = [10 - 0.9**n for n in range(100)]
    >>> rule = small_gain_ahead(0.01)
    >>> n = next(n for n in range(5, 100) if rule(values[:n]))
    >>> 10 - values[n - 1] < 0.01
    True
    >>> rule([10 + 1e-6 * 1.5**n for n in range(5)])
    False
    """

    def stop(values: list[float]) -> bool:
        # Floats: calls of NumPy would cost more than a step on a small table.
        steps = [after - before for before, after in pairwise(values[-N_FACTORS - 2 :])]
        step = steps[-1]
        if tol == 0 or not isfinite(step):
            return False
        if abs(step) <= ROUNDING * max(1, abs(values[-1])):
            return True
        # Values are −inf while no component reaches the rows.
        steps = [each for each in steps if isfinite(each)]
        if len(steps) > 1 and max(steps[-2:]) < 0:
            return True
        if len(steps) < N_STEPS:
            # A run that goes on from another had its first steps there.
            return isfinite(values[0]) and -tol < step < tol
        if step < PLATEAU * tol:
            is_growing = step > max(steps[-2], 0)
            return step > -tol and not is_growing
        if not all(steps):
            return False
        factor = max(abs(after / before) for before, after in pairwise(steps))
        return factor < 1 and step * factor / (1 - factor) < tol / 2

    return stop


def no_improvement(tol: float | None, patience: int) -> StoppingRule:
    """Stop when the last `patience` values fall below the best before by at most `tol`.

    With ``tol=None`` the rule never stops. It must be asked after every value.

    Examples
    --------
    >>> from skdensity.solvers.stopping import no_improvement
    >>> rule = no_improvement(0.1, patience=2)
    >>> values = [3.0, 2.0, 1.95, 1.93]
    >>> [rule(values[:n]) for n in (1, 2, 3, 4)]
    [False, False, False, True]
    """

    if tol is None:
        return lambda values: False
    before = float("inf")

    def stop(values: list[float]) -> bool:
        nonlocal before
        if len(values) <= patience:
            return False
        before = min(before, values[-patience - 1])
        return min(values[-patience:]) >= before - tol

    return stop
