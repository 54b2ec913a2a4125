"""Each role's main path as a person walks it: clicks, keys and forms in a real browser, and what ends in the tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from maatpak.kernel.clock import FixedClock
from policies.pack import load_pack, standard_pack_files
from tasks.access.credentials import change_password, give_password
from tests.browser import WIDE, Chromium
from tests.console.conftest import At
from tests.console.house import Console, console_of
from tests.console.test_operations_room import BROKEN, imported
from tests.console.walking import TELEPHONE, Site, opened
from tests.tasks.intake.books import first_day

FOCUSED = "element => element === document.activeElement"
MORNING = datetime(2026, 3, 18, 9, tzinfo=UTC)
"""Ten where the customer is, on the business date of the stage `calling`."""
PASSWORD = "correct horse battery x1"
TAIL = "fragments/tail.yaml"
OLD, NEW = "escalating: true, approval: credit_manager,\n", "escalating: true, approval: finance_director,\n"
REASON = "Demands need the finance director"


@pytest.fixture
def calling(at: At, chromium: Chromium) -> Iterator[Site]:
    """A call waits, and it may be made."""
    with opened(console_of(at("calling").engine, FixedClock(MORNING)), chromium) as site:
        yield site


@contextmanager
def going_on(page: Page) -> Iterator[None]:
    """A step that leads to another page."""
    with page.expect_navigation():
        yield


def tab_to(page: Page, button: str) -> None:
    """Go on by Tab to a button, and press it; a field of a date takes several."""
    wanted = page.get_by_role("button", name=button, exact=True)
    for _ in range(6):
        if wanted.evaluate(FOCUSED):
            break
        page.keyboard.press("Tab")
    with going_on(page):
        page.keyboard.press("Enter")


def today(console: Console) -> date:
    found: date = console.rows("SELECT business_date FROM creditor")[0]["business_date"]
    return found


def test_one_is_rejected_by_keyboard_and_the_others_are_approved_as_a_batch(at: At, chromium: Chromium) -> None:
    console = at("three demanding")
    waiting = console.rows("SELECT id FROM action WHERE state = 'awaiting_approval' ORDER BY amount DESC, id DESC")
    first, second, third = (row["id"] for row in waiting)
    later = today(console) + timedelta(days=14)

    def by_keyboard(page: Page) -> str:
        page.goto("/approvals")
        for key in ("j", "j", "k"):
            page.keyboard.press(key)
        assert page.locator("li.chosen h2 a").get_attribute("href") == f"/approvals/{first}"
        page.keyboard.press("r")
        page.get_by_role("dialog", name="Reject").wait_for()
        for typed in ("They rang this morning", "Call", later.strftime("%m%d%Y")):
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
        tab_to(page, "Reject")
        return page.get_by_role("status").first.inner_text()

    def batch(page: Page) -> str:
        page.goto("/approvals")
        for box in page.get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Review those chosen").click()
        page.get_by_text("2 steps in EUR").wait_for()
        page.get_by_label("Reason").fill("Both were heard")
        page.get_by_role("button", name="Approve the batch").click()
        page.get_by_text("Nothing waits for a verdict.").wait_for()
        return page.get_by_role("status").first.inner_text()

    with opened(console, chromium) as site:
        told = site.walk("mo", by_keyboard)
        assert told.endswith(": final demand is rejected, call may come from 13 Apr 2026.")
        verdicts = "SELECT action_id, verdict, reason, next_step, next_on FROM approval ORDER BY id"
        said = {"reason": "They rang this morning", "next_step": "call", "next_on": later}
        assert console.rows(verdicts) == [{"action_id": first, "verdict": "rejected", **said}]
        assert site.walk("mo", batch) == "2 have your yes."
    approved = console.rows("SELECT id FROM action WHERE state = 'approved' AND step = 'final_demand' ORDER BY id DESC")
    assert [row["id"] for row in approved] == [second, third]
    reasons = console.rows("SELECT reason FROM approval WHERE verdict = 'approved'")
    assert [row["reason"] for row in reasons] == ["Both were heard"] * 2


def test_a_call_ends_in_a_promise_after_two_clicks(calling: Site) -> None:
    def rings(page: Page) -> str:
        page.goto("/calls")
        page.get_by_role("button", name="Next call").click()
        page.locator("summary.button").filter(has_text="Promises to pay").click()
        page.get_by_label("Money comes by").fill("2026-03-25")
        page.get_by_label("Amount in EUR").fill("900.00")
        with going_on(page):
            page.get_by_role("button", name="Record the result").click()
        return page.get_by_role("main").inner_text()

    assert "The call is done: promised" in calling.walk("colin", rings)
    assert calling.console.rows("SELECT amount, promised_on::text, source, actor FROM promise") == [
        {"amount": 90_000, "promised_on": "2026-03-25", "source": "call", "actor": "colin"}
    ]
    assert calling.console.rows("SELECT state FROM work_task WHERE kind = 'call'") == [{"state": "done"}]


def test_without_scripts_and_on_a_telephone_a_customer_is_found_and_promises(calling: Site) -> None:
    """Through the real login page; on the telephone from the menu on."""
    engine = calling.console.engine
    given = give_password(engine, "carla", "ada", MORNING)
    change_password(engine, "carla", given, PASSWORD, MORNING)

    def without_scripts(page: Page) -> str:
        page.goto("/cases")
        page.get_by_label("Login").fill("carla")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        assert page.get_by_role("alert").is_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("table").get_by_role("link", name="C1 B.V.").click()
        page.get_by_role("link", name="Promise").click()
        page.get_by_label("Paid by").fill("2026-03-24")
        page.get_by_label("F1").check()
        page.get_by_role("button", name="Promise").click()
        assert page.url.endswith("/cases/1")
        return page.get_by_role("status").inner_text()

    def on_a_telephone(page: Page) -> str:
        page.goto("/calls")
        assert not page.get_by_role("navigation", name="Rooms", exact=True).is_visible()
        page.locator("summary[aria-label=Menu]").click()
        page.get_by_role("navigation", name="Rooms, short").get_by_role("link", name="Customers").click()
        page.get_by_role("searchbox", name="Find a customer").fill("c1 b")
        page.keyboard.press("Enter")
        page.get_by_role("table").get_by_role("link", name="C1 B.V.").click()
        page.get_by_role("heading", name="Open items").scroll_into_view_if_needed()
        assert not page.evaluate(WIDE)
        return page.get_by_role("main").inner_text()

    assert "€1,000.00 by 24 Mar 2026" in calling.walk(None, without_scripts, scripts=False)
    kept = calling.console.rows("SELECT amount, promised_on::text, actor FROM promise")
    assert kept == [{"amount": 100_000, "promised_on": "2026-03-24", "actor": "carla"}]
    read = calling.walk("colin", on_a_telephone, viewport=TELEPHONE, has_touch=True, is_mobile=True)
    assert "€1,500.00" in read
    assert "Promised" in read


def test_a_row_set_apart_is_corrected_and_released(at: At, chromium: Chromium, tmp_path: Path) -> None:
    console = at("start")
    imported(console, tmp_path)
    due = first_day()[BROKEN].due

    def releases(page: Page) -> str:
        page.goto("/operations")
        page.get_by_role("link", name=re.compile("quarantined", re.IGNORECASE)).first.click()
        page.locator("[data-rows] tbody a[href^='/quarantine/']").first.click()
        page.get_by_label("Due on", exact=True).fill(due.isoformat())
        page.get_by_label("Reason").fill("Their bookkeeper rang")
        with going_on(page):
            page.get_by_role("main").get_by_role("button", name="Correct").click()
        page.get_by_role("link", name="Release").click()
        dialog = page.get_by_role("dialog", name="Release")
        dialog.get_by_label("Reason").fill("It is right now")
        with going_on(page):
            dialog.get_by_role("button", name="Release").click()
        return page.get_by_role("status").first.inner_text()

    with opened(console, chromium) as site:
        told = site.walk("olga", releases)
    assert told.startswith("The row is in.")
    assert console.rows("SELECT state, resolved_by, resolved_reason FROM quarantined_row") == [
        {"state": "released", "resolved_by": "olga", "resolved_reason": "It is right now"}
    ]
    item = console.rows("SELECT due_on FROM item_version v JOIN item i ON i.id = v.item_id WHERE i.document_no = :no",
                        no=first_day()[BROKEN].document)  # fmt: skip
    assert item == [{"due_on": due}]


def test_a_changed_pack_is_submitted_looked_at_and_confirmed(at: At, chromium: Chromium) -> None:
    console = at("demanding")

    def submits(page: Page) -> None:
        page.goto("/journeys")
        page.get_by_role("link", name="standard 1").click()
        page.locator("summary").filter(has_text="Submit a change").click()
        page.get_by_role("link", name="Of the rules", exact=True).click()
        page.locator("summary").filter(has_text=TAIL).click()
        source = page.get_by_label(TAIL, exact=True)
        source.fill(source.input_value().replace(OLD, NEW))
        page.get_by_label("Acme").check()
        page.get_by_label("What is new in it").fill(REASON)
        with going_on(page):
            page.get_by_role("button", name="Submit").click()

    def confirms(page: Page) -> str:
        page.goto("/journeys")
        page.get_by_role("link", name=REASON).click()
        page.get_by_role("link", name="Impact on today's cases").click()
        page.get_by_role("link", name="Running cases moved").click()
        seen = page.get_by_role("main").inner_text()
        page.get_by_role("link", name="The draft", exact=True).click()
        page.get_by_role("link", name="Confirm", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("Agreed in the meeting")
        with going_on(page):
            dialog.get_by_role("button").first.click()
        return seen

    with opened(console, chromium) as site:
        site.walk("ada", submits)
        assert console.rows("SELECT state, submitted_by FROM pack_draft") == [
            {"state": "submitted", "submitted_by": "ada"}
        ]
        assert "€1,500.00" in site.walk("max", confirms)
    files = standard_pack_files()
    published = load_pack(files | {TAIL: files[TAIL].replace(OLD, NEW)}).content_hash
    followed = (
        "SELECT content_hash FROM policy_pack WHERE id IN (SELECT pack_id FROM creditor_pack WHERE replaced_at IS NULL)"
    )
    assert [row["content_hash"] for row in console.rows(followed)] == [published]
    assert console.rows("SELECT state, ended_by, reason FROM pack_draft") == [
        {"state": "published", "ended_by": "max", "reason": "Agreed in the meeting"}
    ]


def test_an_auditor_finds_out_why_a_letter_was_sent(at: At, chromium: Chromium) -> None:
    console = at("demanding")

    def asks(page: Page) -> str:
        page.goto("/cases")
        page.get_by_role("searchbox", name="Find a customer").fill("C1")
        page.keyboard.press("Enter")
        page.get_by_role("table").get_by_role("link", name="C1 B.V.").click()
        page.get_by_role("link", name="Messages of this case").click()
        page.get_by_role("table").get_by_role("link", name="Second notice").first.click()
        page.get_by_role("link", name="Why this letter?").click()
        page.get_by_role("heading", name="Why did C1 B.V. get this").wait_for()
        return page.get_by_role("article").inner_text()

    console.cookie("audrey")
    before = console.rows("SELECT count(*) FROM event")
    with opened(console, chromium) as site:
        told = site.walk("audrey", asks)
    for words in ("F1", "Forgetful", "accepted"):
        assert words in told
    assert console.rows("SELECT count(*) FROM event") == before, "to look changes nothing"
