"""Whether a tag, the package, the citation and the changelog name one version.

Usage: python .ci/release_names.py v0.2.0
"""

import re
import sys
from pathlib import Path

import skdensity

ROOT = Path(__file__).resolve().parent.parent


def named(file: str, pattern: str) -> str:
    """What the first line that fits says, or that there is none."""
    found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "nothing"


def dated(heading: str) -> str:
    """The version of a heading, which must have a date."""
    found = re.fullmatch(r"(\S+) \(\d{4}-\d\d-\d\d\)", heading)
    return found[1] if found else f"{heading}, without a date"


versions = {
    "the tag": sys.argv[1].removeprefix("v"),
    "skdensity.__version__": skdensity.__version__,
    "CITATION.cff": named("CITATION.cff", r"^version: (.+)$"),
    # The first heading has a date, and nothing above it waits for a release.
    "CHANGELOG.md": dated(named("CHANGELOG.md", r"^## (.+)$")),
}
if len(set(versions.values())) > 1:
    told = "\n".join(f"{place} says {version}" for place, version in versions.items())
    raise SystemExit(f"The names of this release differ:\n{told}")
print(f"skdensity {skdensity.__version__}, everywhere")
