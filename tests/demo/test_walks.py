"""Each role's main path on the demo's own data: played as a newcomer plays it, entered by the logins that it prints."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import Chromium, page_of
from tests.console.test_walks import going_on
from tests.console.walking import PATIENCE, WINDOW
from tests.flows.conftest import free_port

pytestmark = pytest.mark.soak

T = TypeVar("T")
LOGIN = re.compile(r"(?P<login>\w+\.\w+) {2,}\w.*? {2,}(?P<password>\S{20})\s*$")
READY = "Ctrl-C stops everything."
NEWCOMER, WITHIN = 180.0, 10.0
"""Seconds from the address to the first yes; from the last yes to the step that was carried out."""
UNTIL = "2029-01-21"


@dataclass(frozen=True)
class Demo:
    """What `make demo` leaves open."""

    console: str
    prefect: str
    passwords: dict[str, str]
    chromium: Chromium

    def walk(self, login: str, steps: Callable[[Page], T]) -> T:
        """What somebody's steps give, from the page of logging in on."""

        def walked(browser: Browser) -> T:
            looks: dict[str, Any] = {
                "viewport": WINDOW,
                "base_url": self.console,
                "locale": "en-GB",
                "reduced_motion": "reduce",
            }
            with page_of(browser, **looks) as page:
                page.set_default_timeout(PATIENCE)
                page.goto("/")
                page.get_by_label("Login").fill(login)
                page.get_by_label("Password").fill(self.passwords[login])
                page.get_by_role("button", name="Log in").click()
                page.get_by_role("heading", name="Today").wait_for()
                return steps(page)

        return self.chromium.do(walked)


@pytest.fixture(scope="module")
def demo(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    port, console_port = free_port(), free_port()
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    where = ["--folder", str(folder), "--port", str(port), "--console-port", str(console_port)]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAATPAK_", "PREFECT_"))}
    environment = {**own, "COLUMNS": "160", "PYTHONUNBUFFERED": "1"}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "maatpak", "demo", *where]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            passwords = {}
            for line in process.stdout:
                if found := LOGIN.match(line):
                    passwords[found["login"]] = found["password"]
                if line.startswith(READY):
                    break
            assert len(passwords) == 8, passwords.keys()
            yield Demo(f"http://127.0.0.1:{console_port}", f"http://127.0.0.1:{port}", passwords, chromium)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def test_the_first_handoff_is_approved_within_three_minutes_and_carried_out(demo: Demo) -> None:
    def first_yes(page: Page) -> str:
        page.get_by_role("link", name="Steps that need your approval").click()
        page.goto("/approvals?step=handoff")
        page.locator("li h2 a").first.click()
        path = page.url
        page.get_by_role("textbox", name="Reason").fill("All were told, nobody answers")
        with going_on(page):
            page.get_by_role("button", name="Approve").click()
        return path

    def last_yes(page: Page, path: str) -> float:
        """Seconds from it until the step was carried out."""
        page.goto(path)
        while page.get_by_role("link", name="Record it").count():
            page.get_by_role("link", name="Record it").first.click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("Source").fill("extract 4711")
            kind = dialog.locator("[name=kind]")
            if not kind.count():
                dialog.get_by_label("Valid until").fill(UNTIL)
            elif kind.input_value() == "limitation":
                dialog.get_by_label("Can be claimed until").fill(UNTIL)
            with going_on(page):
                dialog.get_by_role("button").first.click()
        page.get_by_role("textbox", name="Reason").fill("I have seen it, too")
        with going_on(page):
            page.get_by_role("button", name="Approve").click()
        approved = time.monotonic()
        while not page.get_by_text("It is executed by now").count():
            assert time.monotonic() < approved + WITHIN
            page.goto(path)
        return time.monotonic() - approved

    begun = time.monotonic()
    path = demo.walk("nl01.manager1", first_yes)
    assert time.monotonic() - begun < NEWCOMER
    assert demo.walk("nl01.manager2", lambda page: last_yes(page, path)) < WITHIN


def test_a_batch_is_approved(demo: Demo) -> None:
    def decides(page: Page) -> str:
        page.goto("/approvals?step=final_demand")
        boxes = page.get_by_role("checkbox")
        for at in range(min(boxes.count(), 3)):
            boxes.nth(at).check()
        page.get_by_role("button", name="Review those chosen").click()
        page.get_by_role("textbox", name="Reason").fill("All were heard")
        with going_on(page):
            page.get_by_role("button", name="Approve the batch").click()
        return page.get_by_role("status").first.inner_text()

    assert "your yes" in demo.walk("nl01.director", decides)


def test_a_call_ends_in_a_promise(demo: Demo) -> None:
    def rings(page: Page) -> str:
        page.goto("/calls")
        page.get_by_role("button", name="Next call").click()
        page.locator("summary.button").filter(has_text="Promises to pay").click()
        today = date.fromisoformat(page.locator("time").first.get_attribute("datetime") or "")
        page.get_by_label("Money comes by").fill((today + timedelta(days=7)).isoformat())
        with going_on(page):
            page.get_by_role("button", name="Record the result").click()
        return page.get_by_role("main").inner_text()

    assert "promised" in demo.walk("nl01.collector1", rings)


def test_a_quarantined_row_is_released(demo: Demo) -> None:
    def releases(page: Page) -> str:
        page.goto("/quarantine")
        page.locator("tbody a[href^='/quarantine/']").first.click()
        page.get_by_role("link", name="Release").click()
        dialog = page.get_by_role("dialog", name="Release")
        dialog.get_by_label("Reason").fill("It is right as it is")
        with going_on(page):
            dialog.get_by_role("button", name="Release").click()
        return page.get_by_role("main").inner_text()

    assert "The row is in." in demo.walk("nl01.operator", releases)


def test_a_journey_is_rescheduled_and_prefect_keeps_it(demo: Demo) -> None:
    def reschedules(page: Page) -> str:
        page.goto("/operations")
        page.get_by_role("link", name="Journeys of forgetful").first.click()
        page.get_by_role("link", name="Change").first.click()
        dialog = page.get_by_role("dialog")
        dialog.locator("[name=cron]").fill("15 10 * * 1-5")
        with going_on(page):
            dialog.get_by_role("button").first.click()
        return page.url.rsplit("/", 1)[1]

    deployment = demo.walk("nl01.operator", reschedules)
    kept = httpx.get(f"{demo.prefect}/api/deployments/{deployment}", timeout=30).raise_for_status().json()
    assert [each["schedule"]["cron"] for each in kept["schedules"]] == ["15 10 * * 1-5"]


def test_a_pack_is_changed_by_two(demo: Demo) -> None:
    note = "Called a day earlier"

    def submits(page: Page) -> None:
        page.goto("/packs/1/change")
        source = page.get_by_label("journeys/forgetful.yaml", exact=True)
        page.locator("summary").filter(has_text="journeys/forgetful.yaml").click()
        source.fill(source.input_value() + "\n# looked at again\n")
        page.locator("input[name=creditors][value=NL01]").check()
        page.get_by_label("What is new in it").fill(note)
        with going_on(page):
            page.get_by_role("button", name="Submit").click()

    def confirms(page: Page) -> str:
        page.goto("/journeys")
        page.get_by_role("link", name=note).first.click()
        page.get_by_role("link", name="Impact on today's cases").click()
        page.get_by_role("link", name="The draft", exact=True).click()
        page.get_by_role("link", name="Confirm", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("Agreed in the meeting")
        with going_on(page):
            dialog.get_by_role("button").first.click()
        return page.get_by_role("main").inner_text()

    demo.walk("demo.administrator", submits)
    assert "published" in demo.walk("nl01.manager1", confirms).lower()


def test_why_a_letter_was_sent(demo: Demo) -> None:
    def asks(page: Page) -> str:
        page.goto("/messages?template=second_notice&state=sent")
        page.get_by_role("table").get_by_role("link", name="Second notice").first.click()
        page.get_by_role("link", name="Why this letter?").click()
        page.get_by_role("heading", name="Why did").first.wait_for()
        return page.get_by_role("article").inner_text()

    assert "proposed it on" in demo.walk("nl01.auditor", asks)


def test_an_account_manager_lets_contact_rest(demo: Demo) -> None:
    def stops(page: Page) -> str:
        page.goto("/mine")
        talk_first = page.get_by_role("link", name="I talk first").or_(
            page.get_by_role("link", name="Let contact rest")
        )
        talk_first.first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox").first.fill("I ring them this week")
        with going_on(page):
            dialog.get_by_role("button").first.click()
        return page.get_by_role("status").first.inner_text()

    assert "Contact rests" in demo.walk("nl01.account1", stops)
