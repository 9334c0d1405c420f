"""Real tables, from packages that ship them: nothing is downloaded."""

import argparse
import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Protocol, TypeVar

import numpy as np
from sklearn import datasets

from benchmarks.common.environment import installed


class Packaged(Protocol):
    """What needs a package."""

    @property
    def package(self) -> str:
        """Its name."""


T = TypeVar("T", bound=Packaged)


def standardised(X) -> np.ndarray:
    """Columns of mean 0 and variance 1, for features in unlike units."""
    X = np.asarray(X, dtype=float)
    return (X - X.mean(axis=0)) / X.std(axis=0)


def statsmodels_rows(name: str, columns: Collection[str] = ()) -> np.ndarray:
    """Complete rows of some columns of statsmodels' tables; without names, of all."""
    frame = import_module(f"statsmodels.datasets.{name}").load_pandas().data
    return complete_rows(frame, columns)


def sklearn_rows(name: str, columns: Collection[str] = ()) -> np.ndarray:
    """The same of scikit-learn's tables, in the units that they were measured in."""
    how = {"scaled": False} if name == "diabetes" else {}
    frame = getattr(datasets, f"load_{name}")(as_frame=True, **how).data
    return complete_rows(frame, columns)


def complete_rows(frame, columns: Collection[str] = ()) -> np.ndarray:
    """Rows of some columns of a frame in which nothing is missing."""
    frame = frame[list(columns)] if columns else frame
    return frame.dropna().to_numpy(dtype=float)


def available(tables: Mapping[str, T], names: Collection[str] = ()) -> dict[str, T]:
    """Those of the tables named, or of all, whose package is installed."""
    if unknown := set(names) - set(tables):
        raise SystemExit(
            f"No table is called {', '.join(sorted(unknown))}. "
            f"There are {', '.join(tables)}."
        )
    return {
        name: tables[name]
        for name in names or tables
        if installed(tables[name].package)
    }


def asked_for(tables: Mapping[str, T]) -> tuple[argparse.ArgumentParser, dict[str, T]]:
    """A parser that knows the option for tables, and those that the command names."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--tables", help=f"some of {', '.join(tables)}; by comma")
    names = parser.parse_known_args()[0].tables
    if names and "--write" in sys.argv:
        parser.error("--write takes all tables: a file is one run")
    return parser, available(tables, names.split(",") if names else ())
