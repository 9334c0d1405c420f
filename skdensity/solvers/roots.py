"""Roots of increasing functions, many at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# Halvings of an interval of float64 that lead from the widest to neighbours, and some.
MAX_STEPS = 200
EPS = np.finfo(np.float64).eps


def find_roots(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """Where functions change their sign, by Chandrupatla's method.

    Inverse quadratic interpolation where three points show that it can be trusted, and
    halving elsewhere (Chandrupatla 1997, doi:10.1016/S0965-9978(96)00051-8): some ten
    steps where the function is smooth, and never many more than halving takes.

    Parameters
    ----------
    function : callable
        Values at points (n_active,), and at the numbers of the problems that they are
        of. They may be infinite.
    lower, upper : ndarray of shape (n_problems,)
        Where the function has different signs; if it has not, the end at which it is
        nearer to zero is returned.

    Returns
    -------
    roots : ndarray of shape (n_problems,)
        To rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.solvers.roots import find_roots
    >>> squares = np.array([2.0, 9.0])
    >>> roots = find_roots(lambda x, i: x**2 - squares[i], np.zeros(2), np.full(2, 9.0))
    >>> roots.round(4)
    array([1.4142, 3.    ])
    """
    # The last point, the end on its other side, and the point before it.
    a, b = (np.array(end, dtype=np.float64) for end in (upper, lower))
    active = np.arange(len(a))
    fa, fb = function(a, active), function(b, active)
    roots = np.where(np.abs(fa) < np.abs(fb), a, b)
    goes_on, c, fc, t = np.sign(fa) != np.sign(fb), a, fa, np.full(len(a), 0.5)
    goes_on &= np.minimum(np.abs(fa), np.abs(fb)) > 0
    for _ in range(MAX_STEPS):
        if not goes_on.any():
            break
        active, a, b, c, fa, fb, fc, t = (
            values[goes_on] for values in (active, a, b, c, fa, fb, fc, t)
        )
        x = a + t * (b - a)
        fx = function(x, active)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        roots[active] = best = np.where(np.abs(fa) < np.abs(fb), a, b)
        least = _least(a, b, best)
        goes_on = (least <= 0.5) & (np.minimum(np.abs(fa), np.abs(fb)) > 0)
        t = np.clip(_next(a, b, c, fa, fb, fc), least, np.maximum(1 - least, least))
    return roots


def _least(a, b, best):
    """Smallest step that is one, as a share of the interval."""
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return (2 * EPS * np.abs(best) + 5e-324) / np.abs(b - a)


def _next(a, b, c, fa, fb, fc):
    """Where to look next, as a share of the interval from a to b."""
    with np.errstate(all="ignore"):  # what is not finite is not trusted
        place, level = (a - b) / (c - b), (fa - fb) / (fc - fb)
        trusted = (level**2 < place) & ((1 - level) ** 2 < 1 - place)
        t = fa / (fb - fa) * fc / (fb - fc)
        t += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(trusted & np.isfinite(t), t, 0.5)
