"""A search tries few bandwidths on all rows, coarsely but for the last."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from skdensity import LOOKernelDensity
from skdensity.solvers.bandwidths.criteria import Trial
from skdensity.solvers.bandwidths.progress import Progress, SearchWatcher
from skdensity.solvers.bandwidths.search import maximise

BEST = 0.2
ERROR = 1e-5  # of coarse slopes


@dataclass(frozen=True)
class Hill:
    """A criterion with one maximum, which a sample of the rows sees elsewhere."""

    offset: float
    steepness: float = 1.0
    every: int = 1
    is_coarse: bool = False
    tried: list = field(default_factory=list)
    kernels = SimpleNamespace(n_features=3)

    def sampled(self, _n_rows):
        return replace(self, every=10)

    @property
    def coarse(self):
        return replace(self, is_coarse=True)

    def trials(self, bandwidths):
        return [self.trial(h) for h in bandwidths]

    def trial(self, bandwidth):
        is_sample = self.every > 1
        x = np.log(bandwidth / BEST) - self.offset * is_sample
        slope = -self.steepness * np.tanh(x) * np.exp(0.3 * x * is_sample)
        trial = Trial(bandwidth, -np.logaddexp(x, -x), slope + ERROR * self.is_coarse)
        if not is_sample:
            self.tried.append((trial, self.is_coarse))
        return trial


@pytest.mark.parametrize("offset", [0.0, 0.003, -0.08, 0.3, -0.9])
@pytest.mark.parametrize("steepness", [0.01, 1.0])
def test_what_is_chosen_is_tried_exactly_and_is_the_maximum(offset, steepness):
    hill = Hill(offset, steepness)
    trials = maximise(hill, 0.01, 3.0)
    best = trials[-1]
    assert abs(np.log(best.bandwidth / BEST)) < 1e-4
    last, is_coarse = hill.tried[-1]
    assert last is best
    assert not is_coarse
    assert sum(not is_coarse for _, is_coarse in hill.tried) <= 2
    assert set(map(id, trials)) == {id(trial) for trial, _ in hill.tried}


@pytest.mark.parametrize(
    ("bandwidth", "kind", "algorithm"),
    [
        ("loo", "normal", "auto"),
        ("loo", "uniform", "nufft"),
        ("loo", "Student t", "auto"),
        ("lscv", "normal", "auto"),
        ("robust_loo", "uniform", "auto"),
    ],
)
def test_coarse_sums_lead_where_exact_ones_do(bandwidth, kind, algorithm):
    rng = np.random.RandomState(0)
    X = {
        "normal": rng.standard_normal((2100, 3)),
        "Student t": rng.standard_t(3, (2100, 3)),
        "uniform": rng.random_sample((2100, 3)),
    }[kind]
    fits = [
        LOOKernelDensity(bandwidth, rtol=rtol, algorithm=how).fit(X)
        for rtol, how in ((1e-6, algorithm), (1e-9, "exact"))
    ]
    found, exact = (fit.bandwidth_ for fit in fits)
    assert found == pytest.approx(exact, rel=1e-4)
    found, exact = (fit.loo_scores_.max() for fit in fits)
    assert found == pytest.approx(exact, abs=1e-6 * max(1, abs(exact)))


class Counting(SearchWatcher):
    """Counts what it hears."""

    def __init__(self):
        self.heard = []

    def begin(self):
        self.heard.append("begin")

    def tried(self, kernels, score):
        self.heard.append("tried")


def test_watchers_hear_of_what_is_tried_on_all_rows_only():
    kernels = LOOKernelDensity(0.5).fit(np.arange(4.0)[:, None])._model()
    watcher = Counting()
    progress = Progress(0, watcher)
    for is_sample in (True, False, True):
        progress.begin(is_sample)
        progress.tried(kernels, 0.0, 4, is_sample)
    assert watcher.heard == ["begin", "tried"]
