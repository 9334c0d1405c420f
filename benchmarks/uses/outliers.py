"""How well fresh rows of a class are told from another class, beside other detectors.

Usage: python -m benchmarks.uses.outliers [--repeats 5] [--only areas] [--write]
       python -m benchmarks.uses.outliers --tables iris,wine --repeats 2

A turn is a split of every class into two halves.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from benchmarks.common.command import run
from benchmarks.common.report import seconds
from benchmarks.common.tables import asked_for
from benchmarks.common.turns import take_turns, timed
from benchmarks.uses.classes import TABLES, Classes
from skdensity import DensityOutlierDetector, GaussianMLE, LOOKernelDensity

# What `DensityOutlierDetector` is at its default, its peers, and two other densities.
OURS = {
    "default": None,
    "one Gaussian": GaussianMLE(reg_covar="auto"),
    "kernels": LOOKernelDensity(),
}
PEERS: dict[str, Callable[[int], Any]] = {
    "IsolationForest": lambda seed: IsolationForest(random_state=seed),
    "LocalOutlierFactor": lambda seed: LocalOutlierFactor(novelty=True),
    "EllipticEnvelope": lambda seed: EllipticEnvelope(random_state=seed),
}
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "mlxtend", "statsmodels")
NOTE = """\
A detector is fitted to half of the rows of one class, standardised by these rows, and
sees no label. It is then asked for `score_samples` of the other half and of all rows of
another class: the area under the ROC curve is the probability that a row of its own
class scores higher than one of the other. An area is a mean over all ordered pairs of
classes and {repeats} splits. All detectors are at their defaults, but that
`LocalOutlierFactor` has `novelty=True`. What the classes are is said in
`benchmarks/uses/classes.py`."""


@dataclass(frozen=True)
class Result:
    """Areas of every detector, one for each turn and pair, and seconds of its fits."""

    shape: tuple[int, int]
    n_classes: int
    areas: dict[str, np.ndarray]
    times: dict[str, float]

    @property
    def means(self) -> dict[str, float]:
        """The mean area of every detector."""
        return {name: float(areas.mean()) for name, areas in self.areas.items()}


def detectors(seed: int) -> dict[str, Any]:
    """All contenders, ours first."""
    ours = {
        name: DensityOutlierDetector(density, random_state=seed)
        for name, density in OURS.items()
    }
    return ours | {name: make(seed) for name, make in PEERS.items()}


def compare(table: Classes, repeats: int) -> Result:
    """Areas on one table."""
    groups = table.rows()
    turns = [turn for seed in range(repeats) for turn in of_splits(groups, seed)]
    names = list(detectors(0))
    return Result(
        (sum(map(len, groups)), groups[0].shape[1]),
        len(groups),
        {name: np.concatenate([turn[name][1] for turn in turns]) for name in names},
        {name: float(np.median([turn[name][0] for turn in turns])) for name in names},
    )


def of_splits(groups: list[np.ndarray], seed: int) -> Iterator[dict]:
    """For every class, seconds and areas of the detectors, which take turns."""
    for own, group in enumerate(groups):
        shuffled = np.random.RandomState(seed).permutation(group)
        train, fresh = np.array_split(shuffled, 2)
        scaler = StandardScaler().fit(train)
        others = [scaler.transform(other) for other in groups[:own] + groups[own + 1 :]]
        rows = scaler.transform(train), scaler.transform(fresh), others
        contenders = detectors(seed)
        calls = [partial(told_apart, each, *rows) for each in contenders.values()]
        taken = take_turns(1, *calls)
        yield {
            name: (turn.values[0], turn.result)
            for name, turn in zip(contenders, taken, strict=True)
        }


def told_apart(detector, train, fresh, others):
    """Seconds of a fit, and how well each other class is told from fresh rows."""
    taken, fitted = timed(partial(detector.fit, train))
    own = fitted.score_samples(fresh)
    return taken, [area(own, fitted.score_samples(other)) for other in others]


def area(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """The probability that an inlier scores higher; half of ties."""
    is_inlier = np.repeat([1, 0], [len(inliers), len(outliers)])
    return roc_auc_score(is_inlier, np.concatenate([inliers, outliers]))


class Sections:
    """The sections, which share what was measured."""

    def __init__(self, tables: dict[str, Classes]) -> None:
        self.tables = tables
        self.result = cache(self._result)

    def _result(self, name, repeats):
        return compare(self.tables[name], repeats)

    def areas(self, report, repeats):
        """Areas of all tables."""
        names = list(detectors(0))
        report.table(
            "Areas under the ROC curve",
            "The first three are `DensityOutlierDetector`: with its default density, "
            'with `GaussianMLE(reg_covar="auto")` and with `LOOKernelDensity()`. A '
            "detector that knows nothing has 0.5. The last column is by how much the "
            "default is ahead of the best of the peers, or behind.",
            f"table, rows × features, classes, {', '.join(names)}, ahead",
        )
        for name in self.tables:
            result = self.result(name, repeats)
            n_rows, n_features = result.shape
            means = result.means
            ahead = means["default"] - max(means[peer] for peer in PEERS)
            report.row(
                name,
                f"{n_rows:,} × {n_features}",
                result.n_classes,
                *(f"{means[each]:.3f}" for each in names),
                f"{ahead:+.3f}",
            )

    def in_sum(self, report, repeats):
        """All tables together."""
        report.table(
            "In sum over the tables",
            "The median and the mean of the tables' areas, the median of all pairs of "
            "classes and splits, on how many tables the default is as good as the "
            "detector or better, and the median over the tables of the seconds of a "
            "fit. Those of `DensityOutlierDetector` include five further fits for its "
            "threshold.",
            "detector, median, mean, median of pairs, default as good, fit",
        )
        results = [self.result(name, repeats) for name in self.tables]
        for name in detectors(0):
            means = np.array([result.means[name] for result in results])
            ours = np.array([result.means["default"] for result in results])
            time = np.median([result.times[name] for result in results])
            report.row(
                name,
                f"{np.median(means):.3f}",
                f"{means.mean():.3f}",
                f"{np.median(np.concatenate([r.areas[name] for r in results])):.3f}",
                f"{np.count_nonzero(ours >= means)} of {len(means)}",
                seconds(float(time)),
            )


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    sections = Sections(tables)
    warnings.simplefilter("ignore")  # of constant and discrete features
    run(
        "uses.outliers",
        __doc__,
        [sections.areas, sections.in_sum],
        PACKAGES,
        title="Outliers in real tables",
        note=NOTE,
        repeats=5,
        parents=[parser],
    )


if __name__ == "__main__":
    main()
