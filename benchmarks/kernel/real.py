"""Bandwidths of real columns and tables, by every rule.

Usage: python -m benchmarks.kernel.real [--repeats 2] [--only columns] [--write]
       python -m benchmarks.kernel.real --tables iris,wine --repeats 1

A turn is a seed, which leaves out every row once, in five folds. Tables and rules whose
package is not installed are left out.
"""

import warnings
from collections import Counter

import numpy as np

from benchmarks.common.command import run
from benchmarks.common.report import seconds
from benchmarks.common.tables import asked_for
from benchmarks.kernel.contest import compare
from benchmarks.kernel.rules import rules
from benchmarks.kernel.tables import TABLES, Table

EQUAL, CLOSE, FAR = 1e-3, 1e-2, 1e-1  # nats per row
# What columns may be; atoms may be in a grid, too.
KINDS = ("continuous", "grid", "atoms", "discrete")
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn", "KDEpy", "statsmodels")
NOTE = """\
All rules are at their defaults; columns without a name of a library are skdensity's. A
rule chooses a width for four of five folds, and gets the mean log-density of the rows
left out, in nats, under Gaussian kernels of that width, which are added up exactly
whoever chose. The folds are the same for all rules, and are drawn once per seed; seeds:
{repeats}. Of a rounded column it is the density's mean over the cell of a value that
counts, of others over the smallest distance of two values, which has no reward for a
width of nearly 0. For the same reason values that
come again and again among others are not scored. −∞ is what is below −10,000: a width
has collapsed. A time is the median of a choice."""


class Sections:
    """The sections that go through the tables."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables, self.rules = tables, rules()

    def columns(self, report, repeats):
        """One feature: summary, likelihoods and widths."""
        contests = {
            (name, column): compare(table.column(column), self.rules, repeats)
            for name, table in self.tables.items()
            for column in table.columns
        }
        what = "one feature", f"{len(contests)} columns"
        labels = asked_of(self.rules, contests)
        summary(report, contests, labels, *what)
        kinds(report, contests, labels)
        likelihoods(report, contests, labels, *what)
        widths(report, contests, labels, "one feature", "In the unit of the column.")

    def together(self, report, repeats):
        """Several features: the same."""
        contests = {
            (name, ", ".join(table.together)): compare(
                table.load(), self.rules, repeats
            )
            for name, table in self.tables.items()
            if table.together
        }
        what = "several features", f"{len(contests)} tables of two to six features"
        labels = asked_of(self.rules, contests)
        summary(report, contests, labels, *what)
        likelihoods(report, contests, labels, *what)
        note = (
            "The geometric mean of the kernel's widths in its principal directions; "
            "features are standardised."
        )
        widths(report, contests, labels, "several features", note)


def asked_of(rules, contests):
    """Labels of the rules that were asked for a row of a table at least."""
    labels = (rule.label for rule in rules)
    return [x for x in labels if any(x in c.entries for c in contests.values())]


def summary(report, contests, labels, title, what):
    """For every rule, how often it is best, and how often it is not."""
    report.table(
        f"In sum, {title}",
        f"{what}. Best is within {EQUAL:g} nats of the best rule, close within "
        f"{CLOSE:g}, far more than {FAR:g} below, −∞ included. A gap is how far a "
        "rule stays below the best, in nats; where it is −∞ or a failure, in no mean. "
        "Rules of one feature, and those that would take minutes, are not asked for "
        "all.",
        "rule, asked, best, close, far, −∞, fails, median gap, mean gap, worst gap, "
        "time",
    )
    for label in labels:
        asked = [c for c in contests.values() if label in c.entries]
        report.row(label, len(asked), *summary_cells(label, asked))


def kinds(report, contests, labels):
    """How often each rule is close to the best on columns of a kind."""
    counts = Counter(map(kind_of, contests.values()))
    report.table(
        "By what a column is",
        "On how many columns of a kind a rule is close to the best.",
        ", ".join(["rule", *(f"{kind} ({counts[kind]})" for kind in KINDS)]),
    )
    for label in labels:
        close = [c for c in contests.values() if is_within(c.gap(label), CLOSE)]
        near = Counter(map(kind_of, close))
        report.row(label, *(near[kind] for kind in KINDS))


def likelihoods(report, contests, labels, title, what):
    """The best rule's nats, and how far each stays below."""
    report.table(
        f"Held-out likelihood, {title}",
        f"{what}. Best is the largest mean log-density of the rows left out; the "
        "others are how far a rule stays below it, bold where it is best.",
        ", ".join(["table", "features", "rows", "what it is", "best", *labels]),
    )
    for (name, features), contest in contests.items():
        gaps = (gap_cell(contest.gap(label)) for label in labels)
        n_rows, n_features = contest.shape
        kind = contest.kind or f"{n_features} features"
        report.row(name, features, f"{n_rows:,}", kind, f"{contest.best:.4f}", *gaps)


def widths(report, contests, labels, title, note):
    """What every rule chooses for all rows."""
    columns = ", ".join(["table", "features", *labels])
    report.table(f"Widths, {title}", note, columns)
    for (name, features), contest in contests.items():
        cells = (width_cell(contest.entries.get(label)) for label in labels)
        report.row(name, features, *cells)


def kind_of(contest):
    """One of `KINDS`."""
    return "atoms" if "atoms" in contest.kind else contest.kind.partition(",")[0]


def is_within(gap, tolerance):
    """Whether a rule was asked, and is that near to the best."""
    return gap is not None and gap <= tolerance


def summary_cells(label, contests):
    """How often a rule does well, and how badly it does where it does not."""
    gaps = np.array([contest.gap(label) for contest in contests])
    finite, fails = gaps[np.isfinite(gaps)], np.isnan(gaps)
    return (
        *(int(np.sum(gaps <= tolerance)) for tolerance in (EQUAL, CLOSE)),
        int(np.sum(gaps > FAR)),
        int(np.sum(np.isinf(gaps))),
        int(np.sum(fails)),
        f"{np.median(np.where(fails, np.inf, gaps)):.4f}",
        f"{finite.mean():.4f}",
        f"{finite.max():.2f}",
        seconds(float(np.median([c.entries[label].time for c in contests]))),
    )


def gap_cell(gap):
    """A gap in words."""
    if gap is None:
        return "–"
    if np.isnan(gap):
        return "fails"
    if np.isinf(gap):
        return "−∞"
    return f"**{gap:.4f}**" if gap <= EQUAL else f"{gap:.4f}"


def width_cell(entry):
    """A width in words."""
    if entry is None:
        return "–"
    return "fails" if np.isnan(entry.width) else f"{entry.width:.3g}"


def main() -> None:
    """Run the sections for the tables asked for."""
    parser, tables = asked_for(TABLES)
    sections = Sections(tables)
    warnings.simplefilter("ignore")  # what a default warns of is not the point here
    run(
        "kernel.real",
        __doc__,
        [sections.columns, sections.together],
        PACKAGES,
        title="Kernel densities of real columns",
        note=NOTE,
        repeats=2,
        parents=[parser],
    )


if __name__ == "__main__":
    main()
