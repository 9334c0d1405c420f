"""Quantiles of any density of one feature, or of one for every row."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.passes.workspace import Workspace
from skdensity.rows.array_rows import ArrayRows
from skdensity.solvers.roots import find_roots


def quantiles(model: Any, q: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Values below which a model has given shares of its mass.

    In the upper half from the mass above: there the mass below has no digits left.

    Parameters
    ----------
    model : object
        With methods ``cdf(rows)`` and ``sf(rows)``; with `ends`, between which the
        density is positive; and ``bracket(q)``, values on both sides of quantiles.
    q : ndarray of shape (n,)
        From 0 to 1.
    workspace : Workspace
        Threads and scratch.

    Returns
    -------
    values : ndarray of shape (n,)
        In float64.
    """
    values = np.where(q > 0, *model.ends[::-1])
    inner = np.flatnonzero((q > 0) & (q < 1))
    values[inner] = _inner(model, q[inner], workspace)
    return values


def conditional_quantiles(densities: Any, q: np.ndarray) -> np.ndarray:
    """The same of a density of one feature for every row.

    Parameters
    ----------
    densities : object
        With methods ``below(x, rows)`` and ``above(x, rows)``, the mass below and above
        a value for each of some rows; with `n_rows`, `ends` and ``bracket(share)``.
    q : ndarray of shape (n_quantiles,)
        From 0 to 1.

    Returns
    -------
    values : ndarray of shape (n_rows, n_quantiles)
        In float64.
    """
    values = np.empty((densities.n_rows, len(q)))
    for column, share in zip(values.T, q, strict=True):
        is_inner = 0 < share < 1
        column[:] = (
            _of_rows(densities, share) if is_inner else densities.ends[int(share)]
        )
    return values


def _of_rows(densities, share):
    is_upper = share > 0.5
    mass = densities.above if is_upper else densities.below
    log_share, sign = (
        np.log(1 - share if is_upper else share),
        -1.0 if is_upper else 1.0,
    )

    def excess(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return sign * (np.log(mass(x, rows)) - log_share)

    return find_roots(excess, *densities.bracket(share))


def _inner(model, q, workspace):
    is_upper = q > 0.5
    # 1 − q is exact in the upper half.
    log_share = np.log(np.where(is_upper, 1 - q, q))
    sign = np.where(is_upper, -1.0, 1.0)

    def excess(x: np.ndarray, index: np.ndarray) -> np.ndarray:
        mass, up = np.empty(len(x)), is_upper[index]
        for method, which in ((model.cdf, ~up), (model.sf, up)):
            if which.any():
                mass[which] = method(ArrayRows(x[which, None], workspace=workspace))
        with np.errstate(divide="ignore"):
            return sign[index] * (np.log(mass) - log_share[index])

    return find_roots(excess, *model.bracket(q))
