"""The real columns and tables that kernel densities are compared on.

scikit-learn and statsmodels bring the rows; nothing is downloaded. Columns have 60 rows
or more, and three values or more. Left out are those that count or name the rows, that
repeat others row by row, and those that are functions of others; of `elnino` there is
every third month, of `fertility` every tenth year, of `breast_cancer` the means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.common.tables import sklearn_rows, standardised, statsmodels_rows


@dataclass(frozen=True)
class Table:
    """Rows of some columns of a data set.

    `columns` are those that are taken one by one, `together` those that are taken
    together, if any. `package` is what `rows` needs.
    """

    rows: Callable[[list[str]], np.ndarray]
    columns: list[str]
    together: list[str]
    package: str

    def column(self, name: str) -> np.ndarray:
        """One feature, in its own unit, of shape (n_rows, 1)."""
        return self.rows([name])

    def load(self) -> np.ndarray:
        """Several features, standardised: they are in unlike units."""
        return standardised(self.rows(self.together))


def of_sklearn(name, columns, together="") -> Table:
    """A table from scikit-learn; columns by comma."""
    return Table(
        partial(sklearn_rows, name), words(columns), words(together), "sklearn"
    )


def of_statsmodels(name, columns, together="") -> Table:
    """A table from statsmodels; columns by comma."""
    return Table(
        partial(statsmodels_rows, name), words(columns), words(together), "statsmodels"
    )


def words(text):
    """A list from a text with commas."""
    return text.split(", ") if text else []


IRIS = "sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)"
WINE = (
    "alcohol, malic_acid, ash, alcalinity_of_ash, magnesium, total_phenols, "
    "flavanoids, nonflavanoid_phenols, proanthocyanins, color_intensity, hue, "
    "od280/od315_of_diluted_wines, proline"
)
CELLS = (
    "mean radius, mean texture, mean perimeter, mean area, mean smoothness, "
    "mean compactness, mean concavity, mean concave points, mean symmetry, "
    "mean fractal dimension"
)
VOTERS = "popul, TVnews, selfLR, ClinLR, DoleLR, PID, age, educ, income"
WIVES = (
    "rate_marriage, age, yrs_married, children, religious, educ, occupation, "
    "occupation_husb, affairs"
)
ECONOMY = (
    "realgdp, realcons, realinv, realgovt, realdpi, cpi, m1, tbilrate, unemp, pop, "
    "infl, realint"
)
SCHOOLS = (
    "NABOVE, NBELOW, LOWINC, PERASIAN, PERBLACK, PERHISP, PERMINTE, AVYRSEXP, AVSALK, "
    "PERSPENK, PTRATIO, PCTAF, PCTCHRT, PCTYRRND"
)
DECADES = "1960, 1970, 1980, 1990, 2000, 2010"
SEASONS = "JAN, APR, JUL, OCT"
TABLES = {
    "iris": of_sklearn("iris", IRIS, IRIS),
    "wine": of_sklearn("wine", WINE, "alcohol, flavanoids, color_intensity, proline"),
    "breast_cancer": of_sklearn(
        "breast_cancer",
        CELLS,
        "mean radius, mean texture, mean smoothness, mean concavity, mean symmetry",
    ),
    "diabetes": of_sklearn(
        "diabetes",
        "age, bmi, bp, s1, s2, s3, s4, s5, s6",
        "bmi, bp, s1, s3, s5, s6",
    ),
    "anes96": of_statsmodels("anes96", VOTERS, "age, income"),
    "cancer": of_statsmodels("cancer", "cancer, population", "cancer, population"),
    "ccard": of_statsmodels("ccard", "AVGEXP, AGE, INCOME", "AVGEXP, AGE, INCOME"),
    "co2": of_statsmodels("co2", "co2"),
    "elec_equip": of_statsmodels("elec_equip", "STS.M.I7.W.TOVT.NS0016.4.000"),
    "elnino": of_statsmodels("elnino", SEASONS, SEASONS),
    "engel": of_statsmodels("engel", "income, foodexp", "income, foodexp"),
    "fair": of_statsmodels("fair", WIVES),
    "fertility": of_statsmodels("fertility", DECADES, DECADES),
    "grunfeld": of_statsmodels(
        "grunfeld", "invest, value, capital", "invest, value, capital"
    ),
    "heart": of_statsmodels("heart", "survival, age", "survival, age"),
    "interest_inflation": of_statsmodels("interest_inflation", "Dp, R", "Dp, R"),
    "macrodata": of_statsmodels("macrodata", ECONOMY, "tbilrate, unemp, infl"),
    "modechoice": of_statsmodels(
        "modechoice", "ttme, invc, invt, gc", "invc, invt, gc"
    ),
    "nile": of_statsmodels("nile", "volume"),
    "randhie": of_statsmodels("randhie", "mdvis, lncoins, lpi, fmde, physlm, disea"),
    "star98": of_statsmodels("star98", SCHOOLS, "LOWINC, PERMINTE, AVSALK, PTRATIO"),
    "strikes": of_statsmodels("strikes", "duration, iprod"),
    "sunspots": of_statsmodels("sunspots", "SUNACTIVITY"),
}
