"""A real browser for the tests of what people look at: Chromium, in a thread of its own, and axe-core in its pages.

Playwright keeps an event loop running in the thread that started it, and the code under test runs loops of its own;
so everything that touches the browser is handed over to that thread.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

T = TypeVar("T")
PHONE, DESKTOP = (360, 800), (1000, 800)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
Scheme = Literal["light", "dark"]
Looks = Sequence[tuple[tuple[int, int], Scheme]]
LOOKS: Looks = ((PHONE, "light"), (PHONE, "dark"), (DESKTOP, "light"), (DESKTOP, "dark"))
"""Windows and schemes in which everything is looked at."""
STANDARDS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


class Chromium:
    """One browser for all tests of a session."""

    def __init__(self, program: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser")
        self._playwright: Any = None
        self._browser = self._thread.submit(self._start, program).result()

    def do(self, act: Callable[[Browser], T]) -> T:
        """What an act with the browser gives."""
        return self._thread.submit(act, self._browser).result()

    def close(self) -> None:
        """End the browser and its thread."""
        self._thread.submit(self._stop).result()
        self._thread.shutdown()

    def _start(self, program: str) -> Browser:
        self._playwright = sync_playwright().start()
        return self._playwright.chromium.launch(executable_path=program, args=FLAGS)  # type: ignore[no-any-return]

    def _stop(self) -> None:
        self._browser.close()
        self._playwright.stop()


def found_browser() -> str:
    """The program; a test that wants one is skipped where there is none, and fails where it must be there."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        (pytest.fail if "mail" in os.environ.get("TESTS_NEED", "") else pytest.skip)("there is no Chromium")
    return program


@contextmanager
def page_of(browser: Browser, *, scripts: bool = True, **options: Any) -> Iterator[Page]:
    """A page of its own, of a new visitor."""
    context = browser.new_context(java_script_enabled=scripts, **options)
    try:
        yield context.new_page()
    finally:
        context.close()


def look(page: Page, size: tuple[int, int], scheme: Scheme) -> None:
    """Have a window of a size, in the light or in the dark."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)


def objections(page: Page, *, rules: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> list[str]:
    """What axe-core has against a page: rule, and the HTML that it is about; and that it is wider than its window.

    Only the `rules` named are tried; else all those of WCAG 2.2 A and AA and of good practice, `but` some.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    only = {"type": "rule", "values": list(rules)} if rules else STANDARDS
    without = {name: {"enabled": False} for name in but}
    options = {"resultTypes": ["violations"], "runOnly": only, "rules": without, "preload": False}
    found = page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    told = [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]
    return [*told, *(["wider than the window"] if page.evaluate(WIDE) else [])]
