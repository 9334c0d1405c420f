"""The documentation is complete: what the builds of its pages cannot notice."""

import ast
import re
from pathlib import Path

import pytest
from packaging.version import Version

import skdensity
import skdensity.datasets
import skdensity.information
import skdensity.testing

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").rglob("plot_*.py"))
PAGES = sorted(
    path
    for path in (ROOT / "doc").rglob("*.rst")
    if not {"_build", "api", "auto_examples"} & set(path.relative_to(ROOT).parts)
)


def test_the_api_page_lists_exactly_the_public_names():
    listed, module = {}, None
    for line in (ROOT / "doc" / "api.rst").read_text().splitlines():
        if found := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif re.fullmatch(r" {3}\w+", line):
            listed.setdefault(module, []).append(line.strip())
    modules = (
        skdensity,
        skdensity.datasets,
        skdensity.information,
        skdensity.testing,
    )
    assert {name: sorted(names) for name, names in listed.items()} == {
        module.__name__: sorted(module.__all__) for module in modules
    }


def test_the_citation_is_of_this_version_or_of_the_one_before():
    """One cites versions that are out, and not what develops after them."""
    citation = (ROOT / "CITATION.cff").read_text()
    cited = Version(re.search(r"^version: (.+)$", citation, re.M)[1])
    version = Version(skdensity.__version__)
    assert not cited.is_prerelease
    assert cited < version if version.is_prerelease else cited == version


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_markdown_on_a_page_is_read_as_such(page):
    """Without a parser Sphinx shows it as it is typed, and complains of nothing."""
    included = re.findall(r"include:: \S+\.md\n(.*\n.*)", page.read_text())
    assert all(re.match(r" +:parser: myst_parser\S+\n$", rest) for rest in included)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_asks_a_question(example):
    title, line = ast.get_docstring(ast.parse(example.read_text())).splitlines()[:2]
    assert title.endswith("?")
    assert line == "=" * len(title)


def test_the_gallery_covers_every_section_of_the_lecture_in_order():
    texts = " ".join(path.read_text() for path in EXAMPLES)
    told = re.findall(r"section (\d)\s+of\s+the\s+lecture", texts)
    assert told == sorted(told)
    assert set(told) == set("12345")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_python_on_a_page_runs(page):
    """As a doctest or as the source of a plot; a plain code block would not."""
    assert not re.search(r"code(-block)?:: (python|pycon)", page.read_text())


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_python_in_markdown_is_a_doctest(page):
    blocks = re.findall(r"```py\w*\n(.{3})", (ROOT / page).read_text())
    assert set(blocks) <= {">>>"}


def test_every_page_of_the_guide_is_reached():
    guide = ROOT / "doc" / "user_guide"
    listed = set(re.findall(r"^   (\S+)$", (guide / "index.rst").read_text(), re.M))
    pages = {
        str(path.relative_to(guide).with_suffix("")) for path in guide.rglob("*.rst")
    }
    assert pages - {"index"} == listed
