"""Walks of people through the console: a real server, a real browser, and its scripts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from playwright.sync_api import Browser, ConsoleMessage, Page

from maatpak.console.frame.visiting import COOKIE
from tests.browser import Chromium, page_of
from tests.console.house import Console
from tests.console.serving import served
from tests.flows.conftest import free_port

T = TypeVar("T")
WINDOW, TELEPHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 780}
PATIENCE = 30_000
"""Milliseconds that a step may take on a busy machine."""


def broken(said: ConsoleMessage) -> bool:
    """Whether the browser complains of the page, and not of an answer that is a refusal."""
    return said.type == "error" and "Failed to load resource" not in said.text


class Site:
    """A console on a real port, and the browser that goes there."""

    def __init__(self, console: Console, chromium: Chromium, address: str) -> None:
        self.console, self.chromium, self.address = console, chromium, address

    def walk(self, login: str | None, steps: Callable[[Page], T], *, scripts: bool = True, **options: Any) -> T:
        """What somebody's steps give; a page that breaks a rule of its own, or a script that fails, fails the test."""
        cookie = self.console.cookie(login) if login else None

        def walked(browser: Browser) -> T:
            told: list[str] = []
            settings = {
                "viewport": WINDOW,
                "base_url": self.address,
                "locale": "en-GB",
                "reduced_motion": "reduce",
            } | options
            with page_of(browser, scripts=scripts, **settings) as page:
                page.set_default_timeout(PATIENCE)
                page.on("pageerror", lambda error: told.append(str(error)))
                page.on("console", lambda said: told.append(said.text) if broken(said) else None)
                if cookie:
                    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": self.address}])
                given = steps(page)
            assert told == []
            return given

        return self.chromium.do(walked)


@contextmanager
def opened(console: Console, chromium: Chromium) -> Iterator[Site]:
    """The console on a port of its own."""
    with served(console.engine, free_port(), console.clock) as address:
        yield Site(console, chromium, address)
