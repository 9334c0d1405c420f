"""What rules that choose a bandwidth make of the same rows, in turns."""

from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

import numpy as np
from sklearn.model_selection import KFold

from benchmarks.common.turns import timed
from benchmarks.kernel.rules import Rule
from skdensity import LOOKernelDensity
from skdensity.rows.columns import Column, distinct_values

N_FOLDS = 5
# Where kernels are wider than so many steps, the density is as good as its mean over a
# cell: they differ by 1 / (24 · 20²), 1e-4.
WIDE = 20
# Nats per row; what is below has collapsed.
COLLAPSED = -1e4


@dataclass
class Entry:
    """What a rule chose: for all rows, and for every fold of every seed.

    Attributes
    ----------
    width : float
        Geometric mean of the kernel's widths; nan where the rule fails.
    seconds, nats : list of float
        Of every fold: the time of the choice, and the mean log-density of the rows left
        out; nan where the rule fails.
    """

    width: float
    seconds: list[float] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Mean over the folds; nan if one fails, and −∞ for what has collapsed."""
        mean = float(np.mean(self.nats))
        return -np.inf if mean < COLLAPSED else mean

    @property
    def time(self) -> float:
        """Median time of a choice."""
        return median(self.seconds)


@dataclass(frozen=True)
class Contest:
    """Entries of the rules that can be asked for some rows, by label.

    Attributes
    ----------
    shape : tuple of int
        Of the rows.
    kind : str
        What the column is; of several, nothing.
    entries : dict of str to Entry
        The rules'.
    """

    shape: tuple[int, int]
    kind: str
    entries: dict[str, Entry]

    @cached_property
    def best(self) -> float:
        """Largest mean of a rule."""
        means = [entry.mean for entry in self.entries.values()]
        return float(np.nanmax(means))

    def gap(self, label: str) -> float | None:
        """How far a rule stays below the best; None where it was not asked."""
        entry = self.entries.get(label)
        return None if entry is None else self.best - entry.mean


def compare(X: np.ndarray, rules: list[Rule], seeds: int) -> Contest:
    """Let all rules choose for all rows, and for four of five folds, once per seed."""
    asked = [rule for rule in rules if rule.copes(X)]
    column, step = what_it_is(X), smallest_step(X)
    entries = {rule.label: Entry(width_of(chosen(rule, X)[1])) for rule in asked}
    for seed in range(seeds):
        folds = KFold(N_FOLDS, shuffle=True, random_state=seed).split(X)
        for seen, left_out in folds:
            for rule in asked:
                entry = entries[rule.label]
                seconds, covariance = chosen(rule, X[seen])
                entry.seconds.append(seconds)
                entry.nats.append(score(covariance, X[seen], X[left_out], column, step))
    return Contest(X.shape, "" if column is None else str(column), entries)


def what_it_is(X) -> Column | None:
    """What a column is, if there is one only."""
    return LOOKernelDensity(1.0).fit(X).columns_[0] if X.shape[1] == 1 else None


def chosen(rule, X):
    """Seconds of a choice and the covariance; None where the rule fails."""

    def attempt():
        try:
            return rule.covariance(X)
        except Exception:  # whatever goes wrong in there: a failure is a result
            return None

    return timed(attempt)


def width_of(covariance) -> float:
    """Geometric mean of the widths of a kernel."""
    if covariance is None:
        return np.nan
    _, log_det = np.linalg.slogdet(covariance)
    return float(np.exp(0.5 * log_det / len(covariance)))


def smallest_step(X):
    """Smallest distance of two values of a column; its grid's, if there is one."""
    return float(np.diff(distinct_values(X[:, 0])[0]).min())


def score(covariance, seen, fresh, column: Column | None, step: float) -> float:
    """Mean log-density of fresh rows under kernels around others; nan for none."""
    if covariance is None:
        return np.nan
    if len(covariance) > 1:
        return float(LOOKernelDensity(covariance).fit(seen).score(fresh))
    is_scored = ~np.isin(fresh[:, 0], column.atoms)
    width = float(np.sqrt(covariance[0, 0]))
    if not is_scored.any():
        return np.nan
    return float(np.mean(log_density(width, seen, fresh[is_scored], step)))


def log_density(width, seen, fresh, step):
    """Log-density of one feature, of rounded rows that of the mean over their cells."""
    density = LOOKernelDensity(width).fit(seen)
    found = density.score_samples(fresh)
    if width > WIDE * step:
        return found
    lower, upper = fresh - 0.5 * step, fresh + 0.5 * step
    below = density.cdf(upper) - density.cdf(lower)
    above = density.sf(lower) - density.sf(upper)
    mass = np.where(density.cdf(fresh) < 0.5, below, above)
    with np.errstate(divide="ignore"):
        return np.where(mass > 0, np.log(mass / step), found)
