"""Whether skdensity is as fast beside scikit-learn as it was: the one timed check.

Usage: python -m benchmarks.ratios [--only NAME] [--write]

Measures the ratios that `ratios.json` keeps, scikit-learn's time over skdensity's. One
that falls below a share of what is stored is tried once more, and then fails. With
``--write`` what is measured is stored: on a quiet machine, where a change is meant.
``--only``, given once or more, names what is measured; all else stays as it is stored.
"""

import argparse
import json
import warnings
from collections.abc import Collection, Iterable, Mapping
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
    options = arguments()
    stored = {} if options.write else kept(options.only)
    verdicts = measured(options.only, stored)
    if options.write:
        store(verdicts)
    elif found := problems(verdicts, stored):
        raise SystemExit("\n".join(found))


def arguments() -> argparse.Namespace:
    """What is measured, all or what is named, and whether to write."""
    parser = argparse.ArgumentParser("python -m benchmarks.ratios")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    parser.add_argument("--only", action="append", choices=COMPARISONS, metavar="NAME")
    options = parser.parse_args()
    options.only = options.only or list(COMPARISONS)
    return options


def kept(names: Collection[str]) -> dict[str, float]:
    """Stored ratios of some comparisons, and those that nothing is compared with."""
    ratios = json.loads(FILE.read_text(encoding="utf-8"))["ratios"]
    left_out = COMPARISONS.keys() - set(names)
    return {name: ratio for name, ratio in ratios.items() if name not in left_out}


def measured(names: Iterable[str], stored: Mapping[str, float]) -> dict[str, Verdict]:
    """Verdicts on some comparisons, in a table that grows with them."""
    report, verdicts = Report(), {}
    report.table(
        "Ratios",
        f"scikit-learn's median of {TURNS} turns over skdensity's, both on one thread. "
        f"A ratio below {SHARE:g} of the stored one is measured once more.",
        "comparison, stored, measured",
    )
    for name in names:
        verdict = verdicts[name] = judge(COMPARISONS[name](), stored.get(name))
        known = "–" if verdict.stored is None else factor(verdict.stored)
        report.row(name, known, ", ".join(map(factor, verdict.found)))
    return verdicts


def store(verdicts: Mapping[str, Verdict]) -> None:
    """Keep what was measured beside the rest, and what it was measured with."""
    found = {name: round(verdict.found[-1], 2) for name, verdict in verdicts.items()}
    if FILE.exists():
        found = kept(COMPARISONS) | found
    ratios = {name: found[name] for name in COMPARISONS if name in found}
    content = {"packages": versions(*PACKAGES), "ratios": ratios}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    # Fits of six iterations are cut short on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        main()
