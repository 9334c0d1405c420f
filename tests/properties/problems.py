"""Problems for property-based tests: a table, its weights, and what they are like.

Hypothesis draws a `Recipe`, whose fields are simple values, and `Recipe.made` cooks it:
the same recipe gives the same rows, so that a failure shrinks field by field and its
repr is all that reproduces it. A `KINDS` entry draws recipes of one kind.
"""

import tempfile
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import pandas as pd
from hypothesis import strategies as st

try:
    import polars as pl
except ImportError:  # which has no wheel for free-threaded Python
    pl = None

# From as many rows in general position on nothing is refused.
ENOUGH = 50


@dataclass(frozen=True)
class Recipe:
    """What the rows of a problem are like; the defaults are as plain as can be.

    Attributes
    ----------
    seed : int
        Of everything that is random.
    n_rows, n_features : int
        Size of the table.
    shape : str
        A key of `SHAPES`.
    exponent : int
        The unit of the features is a power of ten.
    units : int
        The unit grows by this power of ten from each feature to the next.
    offset : float
        Mean of the features, in standard deviations.
    n_dependent, n_constant : int
        Features that are sums of others, and those of one value; fewer than all.
    ties : float
        Share of the rows that are copies of the first.
    atoms : float
        Share of the values, in every feature, that are its mean.
    levels : int or None
        Steps of a grid in a standard deviation; None does not round.
    weights : str
        A key of `WEIGHTS`.
    missing : float
        Share of the values that are NaN.
    dtype : str
        Of the table.
    layout : str
        A key of `LAYOUTS`.
    container : str
        A key of `CONTAINERS`.
    """

    seed: int = 0
    n_rows: int = 60
    n_features: int = 2
    shape: str = "gaussian"
    exponent: int = 0
    units: int = 0
    offset: float = 0.0
    n_dependent: int = 0
    n_constant: int = 0
    ties: float = 0.0
    atoms: float = 0.0
    levels: int | None = None
    weights: str = "none"
    missing: float = 0.0
    dtype: str = "float64"
    layout: str = "C"
    container: str = "array"

    def __repr__(self):
        """What differs from the default."""
        told = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        ]
        return f"Recipe({', '.join(told)})"

    @property
    def scales(self):
        """Unit of each feature."""
        middle = self.units * (self.n_features - 1) // 2
        return np.array(
            [
                10.0 ** (self.exponent + self.units * d - middle)
                for d in range(self.n_features)
            ]
        )

    @property
    def in_general_position(self):
        """Whether no estimator has a reason to refuse the rows.

        Enough of them, continuous, of full rank, and with digits left by the offset.
        """
        digits = 2 if self.dtype == "float32" else 8
        return (
            self.n_rows >= ENOUGH
            and abs(self.exponent) <= (150 if self.shape in LIGHT else 120)
            and self.n_dependent == self.n_constant == self.ties == self.atoms == 0
            and self.levels is None
            and abs(self.offset) <= 10.0**digits
            and self.weights in ("none", "integers", "tiny", "huge")
            and self.missing <= 0.1
            and np.dtype(self.dtype).kind == "f"
        )

    def made(self):
        """The problem."""
        rng = np.random.RandomState(self.seed)
        values = _values(self, rng)
        weight = WEIGHTS[self.weights](rng, self.n_rows)
        values = _incomplete(self, values, rng)
        return Problem(self, values, weight)


@dataclass(frozen=True, eq=False)
class Problem:
    """A table as a user has it, and the same as a plain array.

    Attributes
    ----------
    recipe : Recipe
        What it is like.
    values : ndarray of shape (n_rows, n_features)
        The values, read-only.
    sample_weight : ndarray of shape (n_rows,) or None
        The weights, read-only.
    X : array-like of shape (n_rows, n_features)
        The values in the recipe's layout and container.
    """

    recipe: Recipe
    values: np.ndarray
    sample_weight: np.ndarray | None
    X: object = field(init=False, repr=False)

    def __post_init__(self):
        for array in (self.values, self.sample_weight):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, "X", self.as_table(self.values))

    def __repr__(self):
        return f"{self.recipe!r}.made()"

    def as_table(self, values, first=0):
        """Other rows, of features from the first on, in the same container."""
        laid = LAYOUTS[self.recipe.layout](values)
        names = [f"feature {first + d}" for d in range(values.shape[1])]
        return CONTAINERS[self.recipe.container](laid, names)

    @property
    def weight(self):
        """A weight for every row."""
        if self.sample_weight is None:
            return np.ones(self.recipe.n_rows)
        return self.sample_weight

    @cached_property
    def float_values(self):
        """The values as float64."""
        return self.values.astype(np.float64)

    @cached_property
    def counts(self):
        """Whether a row has a weight, and any value."""
        return (self.weight > 0) & ~np.isnan(self.float_values).all(axis=1)

    @cached_property
    def counting(self):
        """The rows that count, as float64."""
        return self.float_values[self.counts]

    @cached_property
    def weight_of_counting(self):
        """Their weights."""
        return self.weight[self.counts].astype(np.float64)

    @cached_property
    def queries(self):
        """Complete rows to evaluate at: near the rows, and farther and farther away."""
        rng = np.random.RandomState(self.recipe.seed + 1)
        n_features = self.recipe.n_features
        unit = self.recipe.scales
        steps = rng.standard_normal((12, n_features))
        distance = np.repeat([1.0, 1e2, 1e6, 1e12], 3)[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            far = unit * (self.recipe.offset + distance * steps)
            dtype = np.float32 if self.recipe.dtype == "float32" else np.float64
            rows = np.vstack([self._complete[:8], far]).astype(dtype)
        largest = np.finfo(dtype).max / 2
        rows = np.clip(rows, -largest, largest)
        rows.flags.writeable = False
        return rows

    @property
    def _complete(self):
        return self.values[~np.isnan(self.float_values).any(axis=1)]

    @cached_property
    def holed(self):
        """The queries with one value missing of each, or all in the last."""
        rows = self.queries.copy()
        rng = np.random.RandomState(self.recipe.seed + 2)
        rows[np.arange(len(rows)), rng.randint(rows.shape[1], size=len(rows))] = np.nan
        rows[-1] = np.nan
        rows.flags.writeable = False
        return rows


# ---- The rows ----


def _clusters(rng, size):
    """Three clusters that are a few of their widths apart."""
    return 0.3 * rng.standard_normal(size) + rng.randint(-1, 2, size=(size[0], 1))


# What rows are like before units; those of the first have light tails.
LIGHT = {
    "gaussian": lambda rng, size: rng.standard_normal(size),
    "clusters": _clusters,
    "uniform": lambda rng, size: rng.uniform(-1, 1, size),
}
SHAPES = {
    **LIGHT,
    "cauchy": lambda rng, size: rng.standard_cauchy(size),
    "lognormal": lambda rng, size: np.exp(2 * rng.standard_normal(size)),
}


def _values(recipe, rng):
    """Rows of the recipe's dtype, without anything missing."""
    size = (recipe.n_rows, recipe.n_features)
    Z = SHAPES[recipe.shape](rng, size)
    Z = _degenerate(recipe, Z, rng)
    if recipe.levels is not None:
        Z = np.round(Z * recipe.levels) / recipe.levels
    Z = (Z + recipe.offset) * recipe.scales
    is_integer = np.dtype(recipe.dtype).kind == "i"
    return (np.round(Z) if is_integer else Z).astype(recipe.dtype)


def _degenerate(recipe, Z, rng):
    """With sums of features, constant ones, copies and atoms."""
    n_rows, n_features = Z.shape
    n_constant = min(recipe.n_constant, n_features)
    free = max(1, n_features - recipe.n_dependent - n_constant)
    for d in range(free, n_features - n_constant):
        Z[:, d] = Z[:, :free] @ rng.randint(-2, 3, size=free)
    if n_constant:
        Z[:, n_features - n_constant :] = 0.5
    Z[rng.uniform(size=Z.shape) < recipe.atoms] = 0.0
    Z[rng.uniform(size=n_rows) < recipe.ties] = Z[0]
    return Z


def _incomplete(recipe, values, rng):
    """With NaN, but for the first row, which has a value of every feature."""
    if recipe.missing > 0:
        holes = rng.uniform(size=values.shape) < recipe.missing
        holes[0] = False
        values[holes] = np.nan
    return values


def _some_of_no_weight(rng, n_rows):
    weight = rng.randint(0, 2, size=n_rows).astype(np.float64)
    weight[0] = 1.0
    return weight


def _one_heavy(rng, n_rows):
    weight = np.ones(n_rows)
    weight[0] = 1e6
    return weight


WEIGHTS = {
    "none": lambda rng, n_rows: None,
    "integers": lambda rng, n_rows: rng.randint(1, 4, size=n_rows),
    "zeros": _some_of_no_weight,
    "tiny": lambda rng, n_rows: 1e-300 * rng.uniform(0.5, 1, n_rows),
    "huge": lambda rng, n_rows: 1e12 * rng.uniform(0.5, 1, n_rows),
    "wild": lambda rng, n_rows: np.exp(5 * rng.standard_normal(n_rows)),
    "one heavy": _one_heavy,
}


# ---- How they lie in memory ----


def _strided(values):
    """Every second row and column of an array of something else."""
    n_rows, n_features = values.shape
    wide = np.full((2 * n_rows, 2 * n_features), 7, dtype=values.dtype)
    wide[::2, ::2] = values
    return wide[::2, ::2]


def _reversed(values):
    """Walked through backwards, along both axes."""
    return np.ascontiguousarray(values[::-1, ::-1])[::-1, ::-1]


def _mapped(values):
    """In a file without a name, which the map keeps open."""
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=values.dtype, shape=values.shape, mode="w+")
    mapped[...] = values
    return mapped


def _read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


LAYOUTS = {
    "C": np.array,
    "F": np.asfortranarray,
    "strided": _strided,
    "reversed": _reversed,
    "read-only": _read_only,
    "mapped": _mapped,
    "swapped bytes": lambda values: values.astype(values.dtype.newbyteorder("S")),
}


def _polars(values, names):
    """Of columns that polars takes: one after another, in the machine's bytes."""
    dtype = values.dtype.newbyteorder("=")
    columns = [np.array(column, dtype=dtype) for column in values.T]
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


CONTAINERS = {
    "array": lambda values, names: values,
    "list": lambda values, names: values.tolist(),
    "pandas": lambda values, names: pd.DataFrame(values, columns=names),
    **({"polars": _polars} if pl else {}),
}


# ---- What draws recipes ----


SEEDS = st.integers(0, 2**32 - 3)
# 1 to 12 rows are tried as often as more.
ROWS = st.integers(1, 12) | st.integers(13, 80)
MANY_ROWS = st.integers(ENOUGH, 80)
FEATURES = st.integers(1, 6)


def recipes(n_rows=MANY_ROWS, n_features=FEATURES, **parts):
    """Recipes with some fields drawn, all others by default but for seed and size."""
    return st.builds(Recipe, seed=SEEDS, n_rows=n_rows, n_features=n_features, **parts)


def of_keys(table):
    """A key of a table."""
    return st.sampled_from(list(table))


EXPONENTS = st.integers(-120, 120)
SMALL_SHARES = st.sampled_from([0.05, 0.1])
SHARES = st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0])

# Nothing of the rows that these draw is a reason to refuse them.
HARMLESS = {
    "plain": recipes(shape=of_keys(SHAPES)),
    # Any shape: a Cauchy value may be some hundred times the unit.
    "scale": recipes(shape=of_keys(SHAPES), exponent=EXPONENTS),
    "light tails": recipes(shape=of_keys(LIGHT), exponent=st.integers(-150, 150)),
    "float32": recipes(
        shape=of_keys(SHAPES), exponent=st.integers(-30, 30), dtype=st.just("float32")
    ),
    "offset": recipes(
        shape=of_keys(LIGHT),
        offset=st.sampled_from([1.0, -1e2, 1e4, 1e6, -1e8]),
        exponent=EXPONENTS,
    ),
    "units": recipes(shape=of_keys(SHAPES), units=st.integers(-20, 20)),
    "ordinary weights": recipes(
        weights=st.sampled_from(["integers", "tiny", "huge"]), exponent=EXPONENTS
    ),
    "few missing": recipes(missing=SMALL_SHARES, exponent=EXPONENTS),
    "memory": recipes(
        layout=of_keys(LAYOUTS),
        container=of_keys(CONTAINERS),
        dtype=st.sampled_from(["float64", "float32"]),
    ),
}
# Of these, some are a reason.
AWKWARD = {
    "few rows": recipes(n_rows=st.integers(1, 12), shape=of_keys(SHAPES)),
    "rank": recipes(n_dependent=st.integers(1, 5), n_rows=ROWS),
    "constant": recipes(
        n_constant=st.integers(1, 3),
        n_rows=ROWS,
        offset=st.sampled_from([0.0, 1e6]),
    ),
    "ties": recipes(ties=SHARES, n_rows=ROWS),
    "atoms": recipes(atoms=SHARES, n_rows=ROWS),
    "grid": recipes(
        levels=st.sampled_from([1, 4, 100]),
        n_rows=ROWS,
        exponent=st.integers(0, 3),
        dtype=st.sampled_from(["float64", "int64"]),
    ),
    "far away": recipes(offset=st.sampled_from([1e10, 1e13, -1e15, 1e17])),
    "weights": recipes(
        weights=st.sampled_from(["zeros", "wild", "one heavy"]), n_rows=ROWS
    ),
    "missing": recipes(missing=st.sampled_from([0.1, 0.3, 0.6, 0.9]), n_rows=ROWS),
    # Their squares do not fit into float64, or next to it.
    "beyond": recipes(
        n_rows=ROWS,
        shape=of_keys(LIGHT),
        exponent=st.integers(-320, -150) | st.integers(150, 307),
    ),
    "float32 beyond": recipes(
        n_rows=ROWS,
        shape=of_keys(LIGHT),
        exponent=st.integers(-44, -30) | st.integers(30, 37),
        dtype=st.just("float32"),
    ),
}
# Everything at once.
MIXED = {
    "mixed": recipes(
        n_rows=ROWS,
        shape=of_keys(SHAPES),
        exponent=st.integers(-120, 120),
        units=st.integers(-3, 3),
        offset=st.sampled_from([0.0, 1.0, 1e4, 1e8]),
        n_dependent=st.integers(0, 2),
        n_constant=st.integers(0, 1),
        ties=st.sampled_from([0.0, 0.0, 0.2]),
        atoms=st.sampled_from([0.0, 0.0, 0.2]),
        levels=st.sampled_from([None, None, 2]),
        weights=of_keys(WEIGHTS),
        missing=st.sampled_from([0.0, 0.0, 0.1, 0.3]),
        layout=of_keys(LAYOUTS),
        container=of_keys(CONTAINERS),
    )
}
KINDS = {**HARMLESS, **AWKWARD, **MIXED}
# What a property of any problem is tried on: harmless kinds as often as the others.
RECIPES = st.one_of(*HARMLESS.values(), *AWKWARD.values(), *MIXED.values())
