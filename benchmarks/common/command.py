"""The command line that the benchmarks share."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common.environment import environment
from benchmarks.common.report import Report

FOLDER = Path(__file__).resolve().parents[2] / "doc" / "benchmarks"
HEADER = """\
# {title}

Written by `{command}{options}` with

{environment}

{note}"""
RATIO = """
A ratio is the peer's median over skdensity's, so that above 1 skdensity needs less; in
brackets, the smallest and the largest ratio of a turn."""


def run(
    name: str,
    purpose: str,
    sections: list[Callable],
    packages: tuple[str, ...],
    title: str,
    note: str,
    repeats: int = 5,
    parents: Sequence[argparse.ArgumentParser] = (),
) -> None:
    """Print the tables of the sections asked for, and write them if asked.

    `note` says how the benchmark runs; "{repeats}" in it becomes the turns asked for,
    `repeats` by default, and `RATIO` may follow it. `parents` know options of the
    benchmark's own.
    """
    command, output = f"python -m benchmarks.{name}", FOLDER / f"{name}.md"
    by_name = {section.__name__: section for section in sections}
    options = arguments(command, purpose, by_name, output, repeats, parents)
    report = Report()
    report.text(
        HEADER.format(
            title=title,
            command=command,
            options=given(options, sections),
            environment=environment(*packages),
            note=note.format(repeats=options.repeats),
        )
    )
    for section in options.only:
        by_name[section](report, options.repeats)
    if options.write:
        report.write(output)


def given(options, sections):
    """The options that repeat a run."""
    told = f" --repeats {options.repeats}"
    if len(options.only) < len(sections):
        told += f" --only {','.join(options.only)}"
    return told


def arguments(command, purpose, sections, output, repeats, parents):
    """The command line."""
    parser = argparse.ArgumentParser(
        command, description=purpose.splitlines()[0], parents=parents
    )
    parser.add_argument(
        "--repeats", type=int, default=repeats, help="turns per comparison"
    )
    parser.add_argument(
        "--only",
        default=",".join(sections),
        help=f"sections, by comma: {', '.join(sections)}",
    )
    parser.add_argument("--write", action="store_true", help=f"write {output.name}")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if not set(options.only) <= set(sections):
        parser.error(f"--only takes {', '.join(sections)}")
    if options.write and set(options.only) != set(sections):
        parser.error("--write takes all sections: a file is one run")
    return options
