"""Tables that hold more than numbers: errors name the columns to blame."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import ONE_OF_EACH
from sklearn.base import clone

from skdensity import (
    DensityDisplay,
    DensityImputer,
    GaussianMixtureSearch,
    GaussianMLE,
    RowBlocks,
)

USES = [DensityImputer(GaussianMLE()), GaussianMixtureSearch(2)]
COLUMNS = {
    "length": [5.1, 4.9, 6.3, 5.8],
    "kind": ["a", "b", "a", "b"],
    "width": ["1.5", "2.5", "?", "3.5"],
}
FRAME = pd.DataFrame(COLUMNS)
NAMED = r"`X` holds strings in columns 'kind', 'width', first 'a' in row 0 of 'kind'"
NUMBERED = r"`X` holds strings in columns 1, 2, first 'a' in row 0 of 1"

# Frames of all kinds of strings, and what has no names.
TABLES = [
    (FRAME, NAMED),
    (FRAME.astype(object), NAMED),
    (FRAME.astype({"kind": "category"}), NAMED),
    (FRAME.astype({"kind": "string", "width": "string"}), NAMED),
    (pl.DataFrame(COLUMNS), NAMED),
    (pl.DataFrame(COLUMNS).cast({"kind": pl.Categorical}), NAMED),
    (FRAME.to_numpy(), NUMBERED),
    (FRAME.to_numpy().tolist(), NUMBERED),
    (FRAME[["length", "width"]], r"column 'width', first '\?' in row 2 of 'width'"),
    (
        FRAME.assign(kind=[1, 2, b"c", 4])[["kind"]],
        r"column 'kind', first b'c' in row 2",
    ),
]


@pytest.mark.parametrize(("table", "message"), TABLES)
@pytest.mark.parametrize("estimator", [*ONE_OF_EACH, *USES], ids=repr)
def test_columns_that_hold_strings_are_named(estimator, table, message):
    estimator = clone(estimator)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(table)
    assert vars(estimator) == before


@pytest.mark.parametrize("estimator", [*ONE_OF_EACH, *USES], ids=repr)
def test_they_are_named_once_fitted_too(estimator):
    rng = np.random.RandomState(0)
    numbers = pd.DataFrame(rng.standard_normal((30, 3)), columns=list(COLUMNS))
    fitted = clone(estimator).fit(numbers)
    asked = fitted.transform if hasattr(fitted, "transform") else fitted.score_samples
    with pytest.raises(ValueError, match=NAMED):
        asked(FRAME)


def test_a_block_is_named_with_its_columns():
    blocks = RowBlocks(
        lambda: iter([FRAME[["length"]].assign(kind=1.0), FRAME.iloc[:, :2]])
    )
    with pytest.raises(
        ValueError, match="In block 1: `X` holds strings in column 'kind'"
    ):
        GaussianMLE().fit(blocks)


def test_a_display_names_them():
    density = GaussianMLE().fit(np.random.RandomState(0).standard_normal((9, 3)))
    with pytest.raises(ValueError, match=NAMED):
        DensityDisplay.from_estimator(density, FRAME)


def test_strings_that_are_numbers_are_numbers():
    table = pd.DataFrame({"a": ["1.5", "2.5", "3"], "b": [1, 2, 4]})
    as_strings, as_numbers = (
        GaussianMLE().fit(table),
        GaussianMLE().fit(table.astype(float)),
    )
    np.testing.assert_array_equal(as_strings.location_, as_numbers.location_)


def test_other_complaints_stay_as_they_are():
    with pytest.raises(ValueError, match="infinity"):
        GaussianMLE().fit([[1.0, "2"], [np.inf, "3"]])
    with pytest.raises(ValueError, match="inhomogeneous"):
        GaussianMLE().fit([["a"], ["b", "c"]])
    with pytest.raises(ValueError, match="could not convert string to float: 'a'"):
        GaussianMLE().fit(["a", "b"])
