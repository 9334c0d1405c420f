"""The built site on a local server, and its pages open in a real browser."""

import shutil
from collections import namedtuple
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, product
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
BUILD = "python -m sphinx -W --keep-going -b html doc doc/_build/html"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but the local server can be reached, whether there is a network or not.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
THEMES = ["light", "dark"]
SIZES = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}

View = namedtuple("View", ["page", "theme", "troubles"])


def pytest_addoption(parser):
    parser.addoption(
        "--site",
        type=Path,
        default=ROOT / "doc/_build/html",
        help="folder of the built site (default: doc/_build/html)",
    )
    parser.addoption(
        "--every-view",
        action="store_true",
        help="look at each page in both themes at both sizes: four times as long",
    )


def pytest_sessionstart(session):
    site = session.config.getoption("site")
    if not (site / "index.html").is_file():
        raise pytest.UsageError(f"There is no site in {site}. Build it with `{BUILD}`.")
    if executable() is None:
        raise pytest.UsageError(
            f"None of {', '.join(BROWSERS)} is on the path. Install one of them, "
            "for instance with `apt-get install chromium`."
        )


def executable():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_generate_tests(metafunc):
    """Give each page its own tests, in some themes and sizes where they look at it."""
    pages = pages_of(metafunc.config.getoption("site"))
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", pages)
    if "view" in metafunc.fixturenames:
        views = views_of(pages, metafunc.config.getoption("every_view"))
        # The scope lets all checks of a page share its one visit.
        metafunc.parametrize("view", views, ids="-".join, indirect=True, scope="module")


def pages_of(site):
    files = (file.relative_to(site) for file in site.rglob("*.html"))
    return sorted(file.as_posix() for file in files if file.parts[0] != "_static")


def views_of(pages, are_all):
    """Page, theme and size; not all: by turns either theme at either size."""
    if are_all:
        return list(product(pages, THEMES, SIZES))
    turns = cycle(product(THEMES, SIZES))
    return [(page, *view) for page, view in zip(pages, turns, strict=False)]


@pytest.fixture(scope="session")
def site(request):
    return request.config.getoption("site").resolve()


@pytest.fixture(scope="session")
def home(site):
    """The address of the site, with the slash at its end."""
    handler = partial(Quiet, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """The browser reports what fails."""


@pytest.fixture(scope="session")
def contexts():
    """One browser with a profile for each theme and size."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=SWITCHES
        )
        yield {
            (theme, size): browser.new_context(color_scheme=theme, viewport=viewport)
            for theme, (size, viewport) in product(THEMES, SIZES.items())
        }
        browser.close()


@pytest.fixture(scope="module")
def view(request, contexts, home):
    """A page that is fully loaded, and the growing list of what went wrong on it."""
    path, theme, size = request.param
    page = contexts[theme, size].new_page()
    troubles = heard_on(page, home)
    page.goto(home + path)
    yield View(page, theme, troubles)
    page.close()


def heard_on(page, home):
    troubles = []
    own = (home, "data:", "blob:")

    def report_if(trouble, text):
        if trouble:
            troubles.append(text)

    def read_console(said):
        report_if(said.type == "error", f"{said.text}: {said.location['url']}")

    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", read_console)
    page.on("request", lambda r: report_if(not r.url.startswith(own), f"left: {r.url}"))
    page.on("requestfailed", lambda r: troubles.append(f"{r.failure}: {r.url}"))
    page.on("response", lambda r: report_if(r.status >= 400, f"{r.status}: {r.url}"))
    return troubles


@pytest.fixture
def page(contexts):
    """An empty page, for the walks of a reader that start anywhere."""
    page = contexts["light", "desktop"].new_page()
    page.set_default_timeout(10_000)  # milliseconds
    yield page
    page.close()
