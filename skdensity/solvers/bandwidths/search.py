"""Find the bandwidth that maximises a criterion, which may have several maxima."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from skdensity.solvers.bandwidths.criteria import Criterion, Trial

# Rows that the first look at all bandwidths sums over; the last one sums over all.
# In three features and more these are pairs: a quarter is enough for a start.
N_SAMPLED = 4096
N_SAMPLED_PAIRS = 1024
# Basins that are looked into, the most promising first.
N_BASINS = 3
# Relative error of the bandwidth where all rows are scored at every look.
XTOL = 1e-11
# That of the sample's maximum, which is some 1e-2 from that of all rows.
SAMPLED_XTOL = 3e-3
# That of the last bandwidth that is tried on all rows: what follows from its slope. The
# score is then within some 1e-9 nats of its maximum.
FOLLOWED_XTOL = 5e-5
# Longest step, in log h, that slopes are trusted for: basins are about an octave wide.
LONGEST = 1.0
# First step on all rows away from where the sampled rows have their maximum, where the
# sample's slopes are no guide.
STEP = 0.02


def maximise(criterion: Criterion, lower: float, upper: float) -> list[Trial]:
    """Try bandwidths, the last of which maximises the criterion.

    Bandwidths an octave apart, scored on a sample of the rows, show the basins: kernels
    of widths between are too much alike for a maximum to hide among them, and slopes
    show one that lies between two scores. In the best basins the root of the slope is
    found on the sample. Its slopes tell how far the root on all rows is from there: few
    bandwidths are tried on all rows.

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
    is_of_pairs = criterion.kernels.n_features > 2
    sampled = criterion.sampled(N_SAMPLED_PAIRS if is_of_pairs else N_SAMPLED)
    is_all = sampled.every == criterion.every
    n_octaves = int(np.ceil(np.log2(upper / lower)))
    coarse = sampled.trials([upper * 2.0**-n for n in range(n_octaves + 2)])
    look = _roots if is_all else _glimpsed
    paths = [
        look(sampled, wide, narrow)
        for wide, narrow in pairwise(coarse)
        # Kernels that are held have no slope, and are no maximum.
        if wide.slope <= 0 < narrow.slope
    ]
    # Without a basin the score rises to one end; where the widest kernels are flat, to
    # that end it may with one.
    if not paths or coarse[0].slope > 0:
        paths.append([max(coarse, key=_score)])
    paths = sorted(paths, key=lambda path: path[-1].score, reverse=True)[:N_BASINS]
    if is_all:
        paths[0] = [trial for trial in coarse if trial not in paths[0]] + paths[0]
    else:
        paths = [_followed(criterion, path) for path in paths]
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

    xtol = XTOL if criterion.every == 1 else SAMPLED_XTOL
    root = brentq(slope, np.log(narrow.bandwidth), np.log(wide.bandwidth), xtol=xtol)
    slope(root)
    last = known.pop(root)
    return [*known.values(), last]


def _glimpsed(criterion, wide, narrow):
    """The same, roughly: the secant of the last two trials tells where the root is."""
    start = [wide, narrow]
    step = _secant_step(*start)
    trials = _stepped(criterion, start, step, SAMPLED_XTOL)
    return trials or _roots(criterion, wide, narrow)


def _secant_step(before, last):
    """From the last trial to the root of the line through two slopes, in log h."""
    rise, run = last.slope - before.slope, np.log(last.bandwidth / before.bandwidth)
    # Where slopes do not fall with h there is no maximum ahead.
    return -last.slope * run / rise if rise * run < 0 else np.inf


def _stepped(criterion, trials, step, xtol):
    """Trials with those that secants lead to, or none where these do not close in."""
    while abs(step) > xtol:
        if abs(step) > LONGEST:
            return []
        trials = trials + criterion.trials([trials[-1].bandwidth * np.exp(step)])
        before, step = step, _secant_step(*trials[-2:])
        if abs(step) > 0.5 * abs(before):
            return []
    return trials


def _followed(criterion, path):
    """Trials that end at the maximum near one of the sample's."""
    top = path[-1]
    near = path[-2] if len(path) > 1 else top
    ahead = _secant_step(near, top)
    if abs(ahead) > SAMPLED_XTOL:
        return _bracketed(criterion, criterion.trials([top.bandwidth]))
    begin = criterion.trials([top.bandwidth * np.exp(ahead)])
    # The slopes of all rows fall as those of the sample do.
    fall = (near.slope - top.slope) / np.log(top.bandwidth / near.bandwidth)
    step = begin[0].slope / fall
    trials = _stepped(criterion, begin, step, FOLLOWED_XTOL)
    return trials or _bracketed(criterion, begin)


def _bracketed(criterion, trials):
    """Trials that go on uphill from one until the slope changes its sign."""
    top, step = trials[0], STEP
    while abs(np.log(trials[-1].bandwidth / top.bandwidth)) < 1:
        last = trials[-1]
        sign = 1 if last.slope > 0 else -1
        trials = trials + criterion.trials([last.bandwidth * np.exp(sign * step)])
        if trials[-1].slope * last.slope <= 0:
            narrow, wide = sorted(trials[-2:], key=lambda trial: trial.bandwidth)
            return trials[:-2] + _roots(criterion, wide, narrow)
        step *= 2
    return [*trials, max(trials, key=_score)]
