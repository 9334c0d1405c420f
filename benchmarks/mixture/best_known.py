"""The best known optimum of every real table, kept in a file beside this one.

Usage: python -m benchmarks.mixture.best_known [--tables iris,wine]

Sixty starts per table, by turns skdensity's and scikit-learn's, of all the kinds that
either has; their ends, the most likely first, go on by EM until it stands still. A
large table takes as many as fit into its time. What is recorded stays where nothing
better is found under the same settings.
"""

import argparse
import json
import warnings
from collections.abc import Iterator
from itertools import cycle
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture

from benchmarks.common.environment import versions
from benchmarks.common.tables import available
from benchmarks.mixture.problems import start
from benchmarks.mixture.tables import TABLES, Table
from skdensity import EMGaussianMixture

FILE = Path(__file__).with_suffix(".json")
N_STARTS = 60
BUDGET = 60  # seconds for the starts of a table, and as many to go on from their ends
PACKAGES = "skdensity", "scikit-learn", "mlxtend", "statsmodels"
KINDS = {
    EMGaussianMixture: ("kmeans", "k-means++", "random_from_data", "small_em"),
    GaussianMixture: ("kmeans", "k-means++", "random_from_data", "random"),
}


def best_known(name: str, table: Table) -> float:
    """Nats per row of the best known optimum, or -inf where none is recorded."""
    record = read().get(name, {})
    return record["nats"] if record.items() >= stated(table).items() else -inf


def read() -> dict[str, dict[str, Any]]:
    """What is recorded, by table."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def stated(table: Table) -> dict[str, Any]:
    """What an optimum depends on, besides the rows."""
    return {**table.settings, "reg_covar": table.reg_covar}


def mixtures(table: Table) -> Iterator[EMGaussianMixture | GaussianMixture]:
    """The libraries by turns, each through its kinds of starts, with ever new seeds."""
    kinds = [cycle(kinds) for kinds in KINDS.values()]
    for seed in range(N_STARTS // 2):
        for Mixture, kind in zip(KINDS, kinds, strict=True):
            settings = {**stated(table), "init_params": next(kind)}
            yield Mixture(random_state=seed, **settings)


def within(budget: float, items):
    """As many of the items as begin within some seconds; the first in any case."""
    end = perf_counter() + budget
    for i, item in enumerate(items):
        if i and perf_counter() > end:
            return
        yield item


def ends(table: Table, X: np.ndarray) -> list[tuple[float, Any]]:
    """Likelihoods and fitted mixtures, the most likely first."""
    fitted = []
    for mixture in within(BUDGET, mixtures(table)):
        try:
            fitted.append((mixture.fit(X).score(X), mixture))
        except ValueError:  # such a start is no contender
            continue
    return sorted(fitted, key=lambda pair: -pair[0])


def go_on(mixture, table: Table, X: np.ndarray) -> EMGaussianMixture:
    """Where EM from a fitted mixture stands still."""
    at = start(mixture.weights_, mixture.means_, mixture.precisions_)
    tight = {"tol": 1e-9, "max_iter": 2000, "n_jobs": -1}
    return EMGaussianMixture(**{**stated(table), **at, **tight}).fit(X)


def least_variance(mixture) -> float:
    """The smallest variance of a component in any direction.

    Where it is hardly larger than `reg_covar`, the likelihood is that of `reg_covar`.
    """
    covariances = mixture.covariances_
    if mixture.covariance_type == "full":
        covariances = np.linalg.eigvalsh(covariances)
    return float(np.min(covariances))


def search(table: Table) -> dict[str, Any]:
    """The best end, as a record."""
    X = table.load()
    found, best = ends(table, X), {"nats": -inf}
    for _, mixture in within(BUDGET, found):
        end = go_on(mixture, table, X)
        if (nats := end.score(X)) > best["nats"]:
            best = {"nats": nats, "least_variance": least_variance(end)}
            best |= {"start": in_words(mixture)}
    context = {"starts": len(found), "versions": versions(*PACKAGES)}
    return {**stated(table), **best, **context}


def in_words(mixture) -> str:
    """Where a fit began."""
    library = type(mixture).__module__.partition(".")[0]
    return f"{library}, {mixture.init_params}, random_state={mixture.random_state}"


def main() -> None:
    """Search for the tables asked for, and keep what is better."""
    parser = argparse.ArgumentParser("python -m benchmarks.mixture.best_known")
    parser.add_argument("--tables", help="by comma; all, if none is named")
    tables = parser.parse_args().tables
    warnings.simplefilter("ignore")
    for name, table in available(TABLES, tables.split(",") if tables else ()).items():
        before, record = best_known(name, table), search(table)
        print(
            f"{name}: {record['nats']:.6f}, before {before:.6f}; least variance "
            f"{record['least_variance'] / table.reg_covar:.3g} times reg_covar",
            flush=True,
        )
        if record["nats"] > before:
            FILE.write_text(json.dumps({**read(), name: record}, indent=1) + "\n")


if __name__ == "__main__":
    main()
