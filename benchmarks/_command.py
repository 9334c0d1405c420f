"""The command line that the benchmarks share."""

import argparse
from collections.abc import Callable
from pathlib import Path

from _report import Report, environment

FOLDER = Path(__file__).resolve().parents[1] / "doc" / "benchmarks"


def run(
    name: str,
    purpose: str,
    sections: list[Callable],
    header: str,
    packages: tuple[str, ...],
) -> None:
    """Print the tables of the sections asked for, and write them if asked."""
    output = FOLDER / f"{name}.md"
    by_name = {section.__name__: section for section in sections}
    options = arguments(purpose, by_name, output)
    report = Report()
    context = environment(*packages)
    report.text(header.format(repeats=options.repeats, environment=context))
    for section in options.only:
        by_name[section](report, options.repeats)
    if options.write:
        report.write(output)


def arguments(purpose, sections, output):
    """The command line."""
    parser = argparse.ArgumentParser(description=purpose.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="turns per comparison")
    parser.add_argument("--only", default=",".join(sections), help="sections, by comma")
    parser.add_argument("--write", action="store_true", help=f"write {output.name}")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if not set(options.only) <= set(sections):
        parser.error(f"--only takes {', '.join(sections)}")
    if options.write and set(options.only) != set(sections):
        parser.error("--write takes all sections: a file is one run")
    return options
