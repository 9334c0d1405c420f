"""What a table did to the choice of a bandwidth, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from skdensity.callers import warn_caller
from skdensity.densities.feature_names import names_of_features
from skdensity.rows.repeats import Repeats
from skdensity.rows.spread import quantiles, spread_of
from skdensity.solvers.bandwidths.path import held
from skdensity.solvers.bandwidths.rules import Choice

# Ratio of the widest to the narrowest spread from which one width serves neither well.
MAX_RATIO = 3.0
# Share of rows that coincide from which on it is worth a word.
MIN_TOLD = 0.05
# Columns that a message names.
MAX_NAMED = 5


def warn_of_table(
    estimator: Any, repeats: Repeats, choice: Choice, n_rows: int
) -> None:
    """Say what was found in the columns, and what was done about it.

    Parameters
    ----------
    estimator : LOOKernelDensity
        Whose names of features are used, if it has them.
    repeats : Repeats
        What the table is.
    choice : Choice
        The kernels that were chosen.
    n_rows : int
        Number of rows that have a weight.
    """
    names = names_of_features(estimator, len(repeats.columns))
    names = [f"column {name!r}" for name in names]
    found = _coinciding(repeats, n_rows), _columns(repeats, choice, names)
    unlike = _unlike(repeats, choice, names) if choice.chosen.shape.is_width else ""
    for message in (" ".join(filter(None, found)), unlike, choice.doubt):
        if message:
            warn_caller(f"{type(estimator).__name__}: {message}")


def _coinciding(repeats, n_rows):
    """Rows that coincide with others, and what is made of them."""
    repeated = 1 - len(repeats.masses) / n_rows
    if repeated < MIN_TOLD:
        return ""
    text = f"{repeated:.0%} of the rows coincide with others"
    if repeats.is_rounded:
        return (
            f"{text}, as rounding makes them: only one row is left out at a time, and "
            "the bandwidth is at least half a step."
        )
    if not repeats.has_copies and any(c.atom_share > 0 for c in repeats.columns):
        return f"{text}."
    return (
        f"{text}; all copies of a row are left out together, so that they do not ask "
        "for a bandwidth of 0."
    )


def _columns(repeats, choice, names):
    """Columns that made a difference."""
    kernel, least = choice.chosen.kernel, repeats.least_widths
    held_at = np.where(held(kernel, least), kernel.deviations, 0.0)
    texts = [
        f"{name} ({column}{_what_was_done(column, width)})"
        for name, column, width in zip(names, repeats.columns, held_at, strict=True)
        if _matters(column, width, repeats)
    ]
    more = [f"and {len(texts) - MAX_NAMED} more"] if len(texts) > MAX_NAMED else []
    listed = "; ".join(texts[:MAX_NAMED] + more)
    if not listed:
        return ""
    return f"Allowed for rounded or repeated values: {listed}. See `columns_`."


def _matters(column, held_at, repeats):
    is_shared = repeats.repeated >= MIN_TOLD and repeats.is_rounded
    is_shared &= column.least_width > 0
    return column.atom_share > 0 or is_shared or held_at > 0


def _what_was_done(column, held_at):
    done = []
    if column.atom_share > 0 and not column.is_mostly_coarse:
        done.append("each atom counts as one place")
    if held_at > 0:
        done.append(f"held at a width of {held_at:.3g}")
    return "".join(f"; {what}" for what in done)


def _reaches(locations, masses):
    """Spread of every feature by eight tenths of it: half of a few rows is noisy."""
    ends = np.array([quantiles(column, masses, [0.1, 0.9]) for column in locations.T])
    spreads = np.array([spread_of(column, masses) for column in locations.T])
    reaches = (ends[:, 1] - ends[:, 0]) / (2 * ndtri(0.9))
    return np.where(reaches > 0, reaches, spreads)


def _unlike(repeats, choice, names):
    """Columns that one width cannot serve."""
    kernels = choice.chosen
    spreads, least = _reaches(kernels.unrolled, repeats.masses), repeats.least_widths
    varies = np.flatnonzero(spreads > 0)
    narrow = varies[spreads[varies].argmin()]
    coarse, wide = least.argmax(), spreads.argmax()
    if coarse != narrow and least[coarse] > spreads[narrow]:
        what = (
            f"half a step of {names[coarse]}, {least[coarse]:.3g}, is more than the "
            f"spread of {names[narrow]}, {spreads[narrow]:.3g}"
        )
    elif spreads[wide] > MAX_RATIO * spreads[narrow]:
        what = (
            f"{names[wide]} spreads {spreads[wide] / spreads[narrow]:.3g} times as far "
            f"as {names[narrow]}"
        )
    else:
        return ""
    return (
        f"{what}, and one width cannot serve both. Standardise the columns, for "
        "instance with StandardScaler in a pipeline, or use covariance_type='diag'."
    )
