"""Find the bandwidth that maximises a criterion, which may have several maxima."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from skdensity.solvers.bandwidths.criteria import Criterion, Trial

# Rows that the first look at all bandwidths sums over; the last one sums over all.
# In three features and more these are pairs: a quarter is enough for a start.
N_SAMPLED = 4096  # pragma: no mutate
N_SAMPLED_PAIRS = 1024  # pragma: no mutate
# Basins that are looked into, the most promising first.
N_BASINS = 3
# Relative error of the bandwidth where all rows are scored at every look.
XTOL = 1e-11
# That where sums are coarse, or of a sample: its maximum is some 1e-2 from that of all.
COARSE_XTOL = 3e-3  # pragma: no mutate
# That of the last bandwidth that is tried on all rows: what follows from its slope. The
# score is then within some 1e-9 nats of its maximum.
FOLLOWED_XTOL = 5e-5
# Longest step, in log h, that slopes are trusted for: basins are about an octave wide.
LONGEST = 1.0  # pragma: no mutate
# First step on all rows away from where the sampled rows have their maximum, where the
# sample's slopes are no guide.
STEP = 0.02  # pragma: no mutate


def maximise(criterion: Criterion, lower: float, upper: float) -> list[Trial]:
    """Try bandwidths, the last of which maximises the criterion.

    Bandwidths an octave apart, scored on a sample of the rows, show the basins: kernels
    of widths between are too much alike for a maximum to hide among them, and slopes
    show one that lies between two scores. In the best basins the root of the slope is
    found on the sample. Its slopes tell how far the root on all rows is from there: few
    bandwidths are tried on all rows, and with coarse sums but for the last.

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
    sampled = sampled if is_all else sampled.coarse
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

    xtol = COARSE_XTOL if criterion.is_coarse else XTOL
    root = brentq(slope, np.log(narrow.bandwidth), np.log(wide.bandwidth), xtol=xtol)
    slope(root)
    last = known.pop(root)
    return [*known.values(), last]


def _glimpsed(criterion, wide, narrow):
    """The same, roughly: the secant of the last two trials tells where the root is."""
    trials, _ = _stepped(criterion, [wide, narrow], _fall(wide, narrow), COARSE_XTOL)
    return trials or _roots(criterion, wide, narrow)


def _followed(criterion, path):
    """Trials on all rows that end at the maximum near one of the sample's."""
    coarse, begin = criterion.coarse, path[-1].bandwidth
    found = _ended(criterion, *_led(coarse, path))
    if not found:
        climbed = _climbed(coarse, begin)
        found = _ended(criterion, climbed, _fall(*climbed[-2:]))
    return found or _climbed(criterion, begin)


def _led(criterion, path):
    """Trials that begin where those of a sample lead, and how slopes fall."""
    # The slopes of all rows fall as those of the sample do.
    top, fall = path[-1], _fall(*path[-2:])
    ahead = _ahead(top, fall)
    if abs(ahead) > COARSE_XTOL:
        return [], fall
    begin = criterion.trials([_moved(top, ahead)])
    return _stepped(criterion, begin, fall, COARSE_XTOL)


def _climbed(criterion, bandwidth):
    """Trials uphill from one until slopes change their sign, which end there."""
    trials, step = criterion.trials([bandwidth]), STEP
    (begin,) = trials
    while abs(np.log(trials[-1].bandwidth / begin.bandwidth)) < LONGEST:
        last = trials[-1]
        sign = 1 if last.slope > 0 else -1
        trials = trials + criterion.trials([_moved(last, sign * step)])
        if trials[-1].slope * last.slope <= 0:
            narrow, wide = sorted(trials[-2:], key=lambda trial: trial.bandwidth)
            return trials[:-2] + _roots(criterion, wide, narrow)
        step *= 2
    return [*trials, max(trials, key=_score)]


def _ended(criterion, trials, fall):
    """Trials, and those with exact sums that close in on the maximum; else none."""
    ahead = _ahead(trials[-1], fall) if trials else np.inf
    if abs(ahead) > LONGEST:
        return []
    begin = criterion.trials([_moved(trials[-1], ahead)])
    last, _ = _stepped(criterion, begin, fall, FOLLOWED_XTOL)
    return trials + last if last else []


def _stepped(criterion, trials, fall, xtol):
    """Trials with those that secants lead to, and how slopes fall at the end.

    Without any trials where these do not close in.
    """
    step = _ahead(trials[-1], fall)
    while abs(step) > xtol:
        if abs(step) > LONGEST:
            return [], fall
        trials = trials + criterion.trials([_moved(trials[-1], step)])
        fall = _fall(*trials[-2:])
        before, step = step, _ahead(trials[-1], fall)
        if abs(step) > 0.5 * abs(before):
            return [], fall
    return trials, fall


def _fall(*trials):
    """By how much slopes fall from one trial to another, for a unit of log h."""
    before, last = trials[0], trials[-1]
    run = np.log(last.bandwidth / before.bandwidth)
    return (before.slope - last.slope) / run if run else 0.0


def _ahead(trial, fall):
    """From a trial to the root of slopes that fall so, in log h."""
    # Where they do not fall there is no maximum ahead.
    return trial.slope / fall if fall > 0 else np.inf


def _moved(trial, step):
    """The bandwidth that is a step in log h away."""
    return trial.bandwidth * np.exp(step)
