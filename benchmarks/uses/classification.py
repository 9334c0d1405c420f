"""A density for each class, beside scikit-learn's classifiers.

Usage: python -m benchmarks.uses.classification [--repeats 3] [--only loss] [--write]
       python -m benchmarks.uses.classification --tables iris,wine --repeats 1

A turn is a cross-validation in ten stratified folds, shuffled by its own seed.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.base import clone
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.common.checks import checked, largest_error
from benchmarks.common.command import run
from benchmarks.common.report import seconds, size
from benchmarks.common.tables import asked_for
from skdensity import (
    DensityClassifier,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

WIDTHS = 0.01, 0.1, 0.5
SHAPES = "full", "diag"
# What a search within the training rows chooses from, by log-loss.
GAUSSIANS = [
    GaussianMLE(covariance_type=shape, reg_covar=width)
    for shape in SHAPES
    for width in WIDTHS
]
MIXTURES = [
    EMGaussianMixture(2, covariance_type=shape, reg_covar=width, random_state=0)
    for shape in SHAPES
    for width in WIDTHS
]
CANDIDATES = [*GAUSSIANS, *MIXTURES, LOOKernelDensity()]
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn")
NOTE = """\
A turn is a cross-validation in ten stratified folds, shuffled by its own seed; turns:
{repeats}. Figures are means over all folds. Features are standardised by the training
rows, for all alike, but for pixels, which have a common unit: those are divided by one
number, their standard deviation. Everything else is at its defaults:
`DensityClassifier` has one Gaussian for each class; kernels are `LOOKernelDensity()`;
the density that is chosen is the one of least log-loss in three folds of the training
rows, among one or two Gaussians, full or diagonal, with a `reg_covar` of 0.01, 0.1 or
0.5, and kernels. The log-loss is in nats per row, of probabilities that are clipped as
scikit-learn clips them: who is sure and wrong pays 36 nats."""


@dataclass(frozen=True)
class Table:
    """A table of scikit-learn's with labels."""

    name: str
    has_units: bool = True
    package: str = "sklearn"

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Its rows and labels."""
        X, y = getattr(datasets, f"load_{self.name}")(return_X_y=True)
        return X / X.std(), y

    @property
    def scaler(self) -> StandardScaler:
        """What brings features of unlike units to one."""
        return StandardScaler(with_mean=self.has_units, with_std=self.has_units)


TABLES = {name: Table(name) for name in ("iris", "wine", "breast_cancer")}
TABLES["digits"] = Table("digits", has_units=False)


def chosen(seed: int) -> Any:
    """The classifier whose density is chosen within the training rows."""
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    grid = {"density": CANDIDATES}
    search = GridSearchCV(DensityClassifier(), grid, scoring="neg_log_loss", cv=folds)
    return search


CONTENDERS: dict[str, Callable[[int], Any]] = {
    "one Gaussian": lambda seed: DensityClassifier(),
    "kernels": lambda seed: DensityClassifier(LOOKernelDensity()),
    "chosen density": chosen,
    "QDA": lambda seed: QuadraticDiscriminantAnalysis(),
    "QDA (reg_param=0.1)": lambda seed: QuadraticDiscriminantAnalysis(reg_param=0.1),
    "LDA": lambda seed: LinearDiscriminantAnalysis(),
    "GaussianNB": lambda seed: GaussianNB(),
    "random forest": lambda seed: RandomForestClassifier(random_state=seed),
}
COLUMNS = f"table, rows × features, classes, {', '.join(CONTENDERS)}"


class Sections:
    """The sections, and the cross-validations that they share."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables
        self.scores = cache(self._scores)

    def _scores(self, table, contender, repeats):
        of_seed = CONTENDERS[contender]
        turns = [validated(of_seed, self.tables[table], i) for i in range(repeats)]
        return np.mean(turns, axis=0)

    def _rows(self, report, repeats, cell):
        for table in self.tables:
            X, y = self.tables[table].load()
            cells = [cell(self.scores(table, name, repeats)) for name in CONTENDERS]
            report.row(table, size(X), len(np.unique(y)), *cells)

    def accuracy(self, report, repeats):
        """Share of rows that are classified rightly."""
        report.table(
            "Accuracy",
            "Per cent of rows that were left out, and whose most probable class is the "
            "right one. QDA raises an error where a covariance is singular.",
            COLUMNS,
        )
        self._rows(report, repeats, partial(_cell, form="{:.1f}", which=0, unit=100))

    def loss(self, report, repeats):
        """How good probabilities are."""
        report.table(
            "Log-loss",
            "Nats per row; lower is better. This is what probabilities are worth: one "
            "Gaussian per class is too sure of itself where features are many, as is "
            "naive Bayes where they are correlated. What is chosen on the training "
            "rows makes up for that.",
            COLUMNS,
        )
        self._rows(report, repeats, partial(_cell, form="{:.3f}", which=1))

    def times(self, report, repeats):
        """What a fit and the predictions of a fold take."""
        report.table(
            "Time",
            "Of a fit and of the probabilities of a fold; the search has 40 fits.",
            COLUMNS,
        )
        self._rows(
            report,
            repeats,
            lambda scores: seconds(scores[2]) if np.isfinite(scores[2]) else "–",
        )

    def qda(self, report, repeats):
        """One Gaussian for each class is QDA."""
        report.table(
            "One Gaussian for each class is QDA",
            "Largest difference of log-probabilities between "
            "`DensityClassifier(GaussianMLE())` and "
            "`QuadraticDiscriminantAnalysis()`, fitted to all rows; the script ends if "
            "it is above 1e-6. The next columns are the largest of these logarithms, "
            "and what scikit-learn divides sums of squares by: n from 1.9 on, n − 1 "
            "before, which the comparison allows for.",
            "table, difference, largest, divisor",
        )
        for name, table in self.tables.items():
            X, y = table.load()
            report.row(name, *against_qda(table.scaler.fit_transform(X), y))


def _cell(scores, form, which, unit=1.0):
    value = scores[which]
    return form.format(unit * value) if np.isfinite(value) else "singular"


def validated(contender, table, seed):
    """Accuracy, log-loss and seconds of a cross-validation, NaN if there is none."""
    X, y = table.load()
    folds = StratifiedKFold(10, shuffle=True, random_state=seed)
    scores = []
    for seen, fresh in folds.split(X, y):
        begin = perf_counter()
        model = make_pipeline(table.scaler, contender(seed))
        try:
            proba = model.fit(X[seen], y[seen]).predict_proba(X[fresh])
        except np.linalg.LinAlgError:
            return np.full(3, np.nan)
        taken = perf_counter() - begin
        found = model.classes_[proba.argmax(axis=1)]
        proba = proba / proba.sum(axis=1, keepdims=True)
        loss = log_loss(y[fresh], proba, labels=model.classes_)
        scores.append((np.mean(found == y[fresh]), loss, taken))
    return np.mean(scores, axis=0)


def against_qda(X, y):
    """Cells of a table: how far both are apart, if there is a QDA."""
    # Only to tell what is singular from what is nearly so.
    qda = QuadraticDiscriminantAnalysis(store_covariance=True, tol=1e-12)
    try:
        theirs = clone(qda).fit(X, y)
    except np.linalg.LinAlgError:
        return "singular", "–", "–"
    ours = DensityClassifier(GaussianMLE()).fit(X, y)
    ratios = [
        covariance[0, 0] / density.covariance_[0, 0]
        for covariance, density in zip(theirs.covariance_, ours.densities_, strict=True)
    ]
    for ratio, density in zip(ratios, ours.densities_, strict=True):
        density.covariance_ = ratio * density.covariance_
    log_proba = theirs.predict_log_proba(X)
    apart = checked(largest_error(ours.predict_log_proba(X), log_proba), 1e-6)
    divisor = "n" if np.allclose(ratios, 1, rtol=1e-9) else "n − 1"
    return f"{apart:.0e}", f"{np.abs(log_proba).max():.0f}", divisor


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    by_table = Sections(tables)
    warnings.simplefilter("ignore")  # what widths and constant pixels warn of
    run(
        "uses.classification",
        __doc__,
        [by_table.accuracy, by_table.loss, by_table.times, by_table.qda],
        PACKAGES,
        title="A density for each class",
        note=NOTE,
        repeats=3,
        parents=[parser],
    )


if __name__ == "__main__":
    main()
