"""Rules that choose a bandwidth, ours and the peers', all at their defaults.

What they choose is a covariance of Gaussian kernels. So all densities can be evaluated
in the same way, exactly: what is compared is the choice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import gaussian_kde

from benchmarks.common.environment import installed
from benchmarks.kernel.peers import cv_ml, kdepy_isj, kdepy_silverman, normal_reference
from skdensity import LOOKernelDensity
from skdensity.solvers.bandwidths.rules import BANDWIDTHS

OURS = tuple(BANDWIDTHS)
# Rows² × features up to which statsmodels' likelihood takes no minutes.
SLOW = 400_000


@dataclass(frozen=True)
class Rule:
    """A way to choose the kernel: ``covariance(X)`` is what it chooses."""

    library: str
    name: str
    covariance: Callable[[np.ndarray], np.ndarray]
    is_for_one: bool = True
    is_for_many: bool = True
    most_work: float = np.inf

    def copes(self, X) -> bool:
        """Whether it can be asked for rows in so many features, and so many rows."""
        n_samples, n_features = X.shape
        is_for_these = self.is_for_one if n_features == 1 else self.is_for_many
        return is_for_these and n_samples**2 * n_features <= self.most_work

    @property
    def label(self) -> str:
        """As a column of a table is called."""
        return f"{self.library} `{self.name}`".strip()


def fitted(rule, shape, X):
    """The covariance that skdensity's rule chooses; one feature has one shape only."""
    shape = "spherical" if X.shape[1] == 1 else shape
    return LOOKernelDensity(rule, covariance_type=shape).fit(X).covariance_


def scipys(rule, X):
    """The covariance that SciPy chooses, which has the shape of that of the rows."""
    return gaussian_kde(X.T, bw_method=rule).covariance


def from_widths(choose, X):
    """The covariance of kernels with one width per feature."""
    return np.diag(np.square(np.atleast_1d(choose(X))))


def rules() -> list[Rule]:
    """All rules that are installed; skdensity's come first."""
    found = [Rule("", name, partial(fitted, name, "full")) for name in OURS]
    diag = partial(fitted, "loo", "diag")
    found.insert(1, Rule("", "loo` `diag", diag, is_for_one=False))
    found += [
        Rule("SciPy", name, partial(scipys, name)) for name in ("scott", "silverman")
    ]
    if installed("KDEpy"):
        for name, choose in {"ISJ": kdepy_isj, "silverman": kdepy_silverman}.items():
            rule = partial(from_widths, choose)
            found.append(Rule("KDEpy", name, rule, is_for_many=False))
    if installed("statsmodels"):
        normal, likelihood = (
            partial(from_widths, c) for c in (normal_reference, cv_ml)
        )
        found.append(Rule("statsmodels", "normal_reference", normal))
        found.append(Rule("statsmodels", "cv_ml", likelihood, most_work=SLOW))
    return found
