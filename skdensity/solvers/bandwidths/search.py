"""Find the bandwidth that maximises a criterion, which may have several maxima."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from skdensity.solvers.bandwidths.criteria import Criterion, Trial

# Rows that the first look at all bandwidths sums over; the last one sums over all.
N_SAMPLED = 4096
# Basins that are looked into, the most promising first.
N_BASINS = 3
# Relative error of the bandwidth.
XTOL = 1e-11
# First step on all rows away from where the sampled rows have their maximum.
STEP = 0.02


def maximise(criterion: Criterion, lower: float, upper: float) -> list[Trial]:
    """Try bandwidths, the last of which maximises the criterion.

    Bandwidths an octave apart, scored on a sample of the rows, show the basins: kernels
    of widths between are too much alike for a maximum to hide among them, and slopes
    show one that lies between two scores. In the best basins the root of the slope is
    found, first on the sample, then on all rows.

    Parameters
    ----------
    criterion : Criterion
        What is maximised.
    lower, upper : float
        Where to look.

    Returns
    -------
    trials : list of Trial
        All that were made on all rows; the last is the best of the basins'.
    """
    sampled = criterion.sampled(N_SAMPLED)
    n_octaves = int(np.ceil(np.log2(upper / lower)))
    coarse = sampled.trials([upper * 2.0**-n for n in range(n_octaves + 2)])
    paths = [
        _roots(sampled, wide, narrow)
        for wide, narrow in pairwise(coarse)
        # Kernels that are held have no slope, and are no maximum.
        if wide.slope <= 0 < narrow.slope
    ]
    # Without a basin the score rises to one end; where the widest kernels are flat, to
    # that end it may with one.
    if not paths or coarse[0].slope > 0:
        paths.append([max(coarse, key=_score)])
    paths = sorted(paths, key=lambda path: path[-1].score, reverse=True)[:N_BASINS]
    if sampled.every == criterion.every:
        paths[0] = coarse + paths[0]
    else:
        paths = [_followed(criterion, path[-1]) for path in paths]
    best = max((path[-1] for path in paths), key=_score)
    others = [trial for path in paths for trial in path if trial is not best]
    return [*others, best]


def _score(trial):
    return trial.score


def _roots(criterion, wide, narrow):
    """Trials that end where the slope between two of them is zero."""
    known = {np.log(trial.bandwidth): trial for trial in (wide, narrow)}

    def slope(log_bandwidth):
        if log_bandwidth not in known:
            (known[log_bandwidth],) = criterion.trials([np.exp(log_bandwidth)])
        return known[log_bandwidth].slope

    root = brentq(slope, np.log(narrow.bandwidth), np.log(wide.bandwidth), xtol=XTOL)
    slope(root)
    last = known.pop(root)
    return [*known.values(), last]


def _followed(criterion, top):
    """Trials that end at the maximum near one of the sample's."""
    trials, step = criterion.trials([top.bandwidth]), STEP
    while abs(np.log(trials[-1].bandwidth / top.bandwidth)) < 1:
        last = trials[-1]
        sign = 1 if last.slope > 0 else -1
        trials += criterion.trials([last.bandwidth * np.exp(sign * step)])
        if trials[-1].slope * last.slope <= 0:
            narrow, wide = sorted(trials[-2:], key=lambda trial: trial.bandwidth)
            return trials[:-2] + _roots(criterion, wide, narrow)
        step *= 2
    return [*trials, max(trials, key=_score)]
