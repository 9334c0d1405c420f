"""The built site, as its readers meet it: on desks and phones, by day and by night."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

EXAMPLES = Path(__file__).parents[2] / "examples"

# A title stands beside thumbnails and logos: a screen reader would say it twice.
DECORATIVE = ".sphx-glr-thumbcontainer img, .logo__image"

AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    "preload": False,  # of style sheets, for a rule that is not among these
}


def test_the_theme_is_that_of_the_system(view):
    assert view.page.evaluate("document.documentElement.dataset.theme") == view.theme


def test_pictures_are_there_and_described(view):
    images = view.page.evaluate(
        """decorative => Promise.all([...document.images].map(async image => {
            image.loading = "eager";
            await image.decode().catch(() => {});
            return {
                source: image.getAttribute("src"),
                text: image.getAttribute("alt"),
                loaded: image.naturalWidth > 0,
                decorative: image.matches(decorative),
            };
        }))""",
        DECORATIVE,
    )
    assert [image["source"] for image in images if not image["loaded"]] == []
    assert [image for image in images if not is_described(**image)] == []


def is_described(source, text, decorative, **_):
    """Whether a text says more than the file name, of which tools make a default."""
    if not text:
        return decorative and text == ""
    return letters(Path(text).stem) not in letters(Path(source).stem)


def letters(text):
    return re.sub(r"[\W_]+", "", text).lower()


def test_formulas_are_set(view):
    view.page.evaluate("window.MathJax?.startup?.promise.then(() => null)")
    raw = view.page.eval_on_selector_all(
        ".math",
        """formulas => formulas.filter(formula =>
            !formula.querySelector("mjx-container")
            || formula.querySelector("mjx-merror, [data-mjx-error]")
            || /\\\\[([]/.test(formula.innerText)
        ).map(formula => formula.innerText)""",
    )
    assert raw == []


def test_nothing_scrolls_sideways(view):
    """Neither the page nor its article, which the theme lets scroll by itself."""
    hidden = view.page.eval_on_selector_all(
        "html, .bd-article-container",
        "boxes => boxes.map(box => box.scrollWidth - box.clientWidth)",
    )
    assert len(hidden) == 2
    assert max(hidden) <= 1  # pixel, by rounding


def test_everyone_can_read_it(view):
    results = Axe().run(view.page, options=AXE_OPTIONS)
    outcomes = ("passes", "violations", "incomplete", "inapplicable")
    ran = {rule["id"] for outcome in outcomes for rule in results.response[outcome]}
    assert ran >= {"color-contrast", "image-alt"}
    assert results.violations_count == 0, results.generate_report()


def test_nothing_fails_or_comes_from_elsewhere(view):
    """Stands after the other checks, because it also hears what they set off."""
    assert not view.troubles, "\n".join(view.troubles)


def test_links_lead_somewhere(site, path):
    links = set(anchors_of(site / path).links)
    assert [link for link in sorted(links) if not leads(site, path, link)] == []


def leads(site, path, link):
    """Whether a link leaves the site or finds a file in it and the fragment's id."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    target = (site / path).parent / unquote(url.path) if url.path else site / path
    target = target.resolve()
    if target.is_dir():
        target /= "index.html"
    found = target.is_file() and target.is_relative_to(site)
    fragment = unquote(url.fragment)
    return found and (not fragment or fragment in anchors_of(target).ids)


@cache
def anchors_of(file):
    anchors = Anchors()
    anchors.feed(file.read_text(encoding="utf-8"))
    return anchors


class Anchors(HTMLParser):
    """The addresses that a page points to, and the places that it offers."""

    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("bandwidth", "api/skdensity.LOOKernelDensity.html"),
        ("predict_proba", "api/skdensity.EMGaussianMixture.html"),
    ],
)
def test_search_finds(page, site, home, words, expected):
    page.goto(f"{home}search.html?q={words}")
    page.get_by_text("Search finished").wait_for()
    links = page.locator("#search-results li > a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert expected in [urlsplit(link).path for link in links]
    assert [link for link in links if not leads(site, "search.html", link)] == []


def test_an_animation_can_be_stopped(page, home):
    page.goto(f"{home}auto_examples/lecture/plot_09_em_step_by_step.html")
    picture = page.get_by_alt_text("An animation of EM")
    assert picture.get_attribute("src").endswith(".gif")
    page.get_by_role("button", name="Stop").click()
    assert picture.get_attribute("src").startswith("data:image/png")
    page.get_by_role("button", name="Play").click()
    assert picture.get_attribute("src").endswith(".gif")


def test_an_animation_waits_for_those_who_want_less_motion(page, home):
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{home}auto_examples/lecture/plot_09_em_step_by_step.html")
    page.get_by_role("button", name="Play").wait_for()


@pytest.mark.parametrize(
    "example",
    [file.relative_to(EXAMPLES) for file in sorted(EXAMPLES.rglob("plot_*.py"))],
    ids=str,
)
def test_examples_can_be_downloaded(page, home, example):
    path = f"auto_examples/{example.with_suffix('.html').as_posix()}"
    assert page.goto(home + path).ok, path
    assert compile(downloaded(page, ".py"), example.name, "exec").co_code
    assert json.loads(downloaded(page, ".ipynb"))["cells"]


def downloaded(page, suffix):
    with page.expect_download() as download:
        page.locator(f".sphx-glr-footer a[download][href$='{suffix}']").click()
    return download.value.path().read_bytes()
