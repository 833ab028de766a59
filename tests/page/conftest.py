"""A browser, and pages in it that may do no wrong."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.page.fake import BEFORE, NOW, ORIGIN, Fake

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
"""Where `make .browser/ready` finds or installs it."""
OPTIONS: Final = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WATCH: Final = """
window.pwned = 0;
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
"""What runs in each document before its own script."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: while it runs, no other test of this process may have an event loop of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Open]:
    """Makes a page in a context of its own. In the end none has raised an error or gone against its policy."""
    wrong: list[str] = []
    pages: list[Page] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**{"reduced_motion": "reduce", "locale": "en-US", **options})
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        pages.append(page)
        return page

    yield make
    for page in pages:
        if page.url != "about:blank":
            assert page.evaluate("[window.pwned, window.violations]") == [0, []]
        page.context.close()
    assert wrong == []


@pytest.fixture
def fake() -> Iterator[Fake]:
    """The API of made-up replies. In the end nothing else was asked for."""
    made = Fake()
    yield made
    assert made.strays == []


@pytest.fixture
def show(new_page: Open, fake: Fake) -> Open:
    """Opens the page on the made-up API at an address. Its clock stands still but for what a test lets pass."""

    def opened(address: str = "", path: str = "/", **options: Any) -> Page:
        page = new_page(**options)
        fake.answer_in(page.context)
        page.clock.install(time=BEFORE)
        page.clock.pause_at(NOW)
        page.goto(f"{ORIGIN}{path}{address}")
        return page

    return opened
