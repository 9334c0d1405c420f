"""Whether skdensity is as fast beside scikit-learn as it was: the one timed check.

Usage: python -m benchmarks.ratios [--write]

Measures the ratios that `ratios.json` keeps, scikit-learn's time over skdensity's. One
that falls below a share of what is stored is tried once more, and then fails. With
``--write`` what is measured is stored: on a quiet machine, where a change is meant.
"""

import argparse
import json
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from benchmarks.common.environment import versions
from benchmarks.common.report import Report, factor
from benchmarks.ratios.comparison import SHARE, TURNS, Verdict, judge, problems
from benchmarks.ratios.comparisons import COMPARISONS

FILE = Path(__file__).with_name("ratios.json")
PACKAGES = "skdensity", "finufft", "numpy", "scipy", "scikit-learn"


def main() -> None:
    """Compare, and write or fail."""
    parser = argparse.ArgumentParser("python -m benchmarks.ratios")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    write = parser.parse_args().write
    stored = {} if write else json.loads(FILE.read_text(encoding="utf-8"))["ratios"]
    verdicts = measured(stored)
    if write:
        store(verdicts)
    elif found := problems(verdicts, stored):
        raise SystemExit("\n".join(found))


def measured(stored: dict[str, float]) -> dict[str, Verdict]:
    """Verdicts on all comparisons, in a table that grows with them."""
    report, verdicts = Report(), {}
    report.table(
        "Ratios",
        f"scikit-learn's median of {TURNS} turns over skdensity's, both on one thread. "
        f"A ratio below {SHARE:g} of the stored one is measured once more.",
        "comparison, stored, measured",
    )
    for name, comparison in COMPARISONS.items():
        verdict = verdicts[name] = judge(comparison(), stored.get(name))
        known = "–" if verdict.stored is None else factor(verdict.stored)
        report.row(name, known, ", ".join(map(factor, verdict.found)))
    return verdicts


def store(verdicts: dict[str, Verdict]) -> None:
    """Keep the ratios, and what they were measured with."""
    ratios = {name: round(verdict.found[-1], 2) for name, verdict in verdicts.items()}
    kept = {"packages": versions(*PACKAGES), "ratios": ratios}
    text = json.dumps(kept, indent=2, ensure_ascii=False)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    # Fits of six iterations are cut short on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        main()
