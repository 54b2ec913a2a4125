"""What axe-core has against the pages: every list, page and form that is declared, in the light, in the dark, and at
the width of a telephone."""

from typing import Any

import pytest
from playwright.sync_api import Page

from maatpak.console.frame.declared import Act, Paper
from maatpak.kernel.words import Role
from policies.pack import standard_pack_files
from tasks.audit.proving import prove_chain
from tests.browser import PHONE, Chromium, look, objections
from tests.console.access import declared
from tests.console.conftest import At
from tests.console.house import Console
from tests.console.test_operations_room import arrive
from tests.console.town import built
from tests.console.walking import WINDOW, opened

SCREEN = (WINDOW["width"], WINDOW["height"])
MAIL = "From: x@unknown.example\nTo: us@ours.example\nSubject: Paid\nMessage-Id: <1@x>\n\nWe paid.\n"
NO_SERVICE = {"/operations/deployments/{deployment_id}", "/operations/runs/{run_id}"}
"""Of what only Prefect knows there is the page that says so: none runs here."""
BESIDE = ("/nothing", "/login", "/cases?q=nobody&sort=-overdue")
LISTS = ("/cases", "/messages", "/quarantine")
"""Lists have one template; these are looked at in the fast tests."""
COLOURED = ("/", "/approvals", "/cases/{case_id}", "/journeys/{creditor}/{segment}", "/calls/{task_id}")
"""Pages with most of the parts and colours that there are; they are looked at in the fast tests, too."""


def furnish_more(console: Console, own: dict[str, Any], logins: dict[Role, str]) -> dict[str, Any]:
    """Things that hang on no creditor, too: drafts of packs and one that was published, a program, a mail, a proof."""
    ada, max_ = (console.program(logins[each]) for each in (Role.ADMINISTRATOR, Role.CREDIT_MANAGER))
    files = standard_pack_files()
    for number in (1, 2):
        changed = {"pack.yaml": f"{files['pack.yaml']}\n# {number}\n"}
        given = {"note": f"Another {number}", "creditors": [own["creditor"]], "files": changed}
        assert ada.post(f"/api/v1/packs/{number}/change", given).status_code == 200
        if number == 1:
            assert max_.post("/api/v1/packs/drafts/1/confirm", {"reason": "Yes"}).status_code == 200
    hook = {"url": "https://example.com/told", "creditor": own["creditor"]}
    assert ada.post("/api/v1/webhooks/add", hook).status_code == 200
    prove_chain(console.engine, console.clock.now())
    newest = console.rows("SELECT max(seq) AS seq FROM event")[0]["seq"]
    mine = {"draft_id": 2, "pack_id": 2, "hook_id": 1, "incoming_id": arrive(console, "1", MAIL)}
    return {**own, **mine, "seq": newest}


def looked_at(page: Page, path: str, *, there: bool) -> list[str]:
    """What is wrong with a page: all rules in the light, and those that looks may change in the dark and on a
    telephone."""
    look(page, SCREEN, "light")
    answer = page.goto(path)
    assert answer is not None
    found = [f"{path}: answered with {answer.status}"] if there and answer.status != 200 else []
    found += [f"{path}: {each}" for each in objections(page)]
    look(page, SCREEN, "dark")
    found += [f"{path}, dark: {each}" for each in objections(page, rules=("color-contrast", "link-in-text-block"))]
    look(page, PHONE, "light")
    return found + [f"{path}, telephone: {each}" for each in objections(page, rules=("target-size",))]


def wrong_with(at: At, chromium: Chromium, *, everything: bool) -> list[str]:
    """What is wrong with all that is declared, as a credit manager has it, or else somebody who may see it."""
    console, own, _, logins = built(at)
    things = furnish_more(console, own, logins)
    paths: dict[str, list[tuple[str, bool]]] = {}
    for _, _, each in declared():
        if not isinstance(each, Paper) and (everything or each.path in (*COLOURED, *LISTS)):
            role = Role.CREDIT_MANAGER if Role.CREDIT_MANAGER in each.roles else each.roles[0]
            there = not isinstance(each, Act) and each.path not in NO_SERVICE
            paths.setdefault(logins[role], []).append((each.path.format(**things), there))
    paths[logins[Role.CREDIT_MANAGER]] += [(path, False) for path in BESIDE]
    found: list[str] = []
    with opened(console, chromium) as site:
        for login, theirs in paths.items():

            def steps(page: Page, theirs: list[tuple[str, bool]] = theirs) -> list[str]:
                return [told for path, there in theirs for told in looked_at(page, path, there=there)]

            found += site.walk(login, steps)
    return found


def test_nothing_to_object_in_the_main_pages(at: At, chromium: Chromium) -> None:
    found = wrong_with(at, chromium, everything=False)
    assert not found, "\n".join(found)


@pytest.mark.chaos
def test_nothing_to_object_in_any_list_page_or_form_in_any_look(at: At, chromium: Chromium) -> None:
    found = wrong_with(at, chromium, everything=True)
    assert not found, "\n".join(found)
