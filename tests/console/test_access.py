"""Every route, every role, own and foreign creditor: what is answered is what docs/access.md says."""

import pytest

from maatpak.console.frame.asking import OWNERS
from maatpak.console.frame.declared import Act, Listing, Paper
from maatpak.kernel.words import Role
from tests.console.access import PAGE, declared, written
from tests.console.conftest import At
from tests.console.town import FREE, Town, built

SEEN = {200, 303, 409, 422}
"""Answers to who may: the act itself may well be refused."""


@pytest.fixture
def town(at: At) -> Town:
    return built(at)


def test_the_page_says_what_is_declared() -> None:
    assert PAGE.read_text() == written(), "run `python -m tests.console.access`"


def test_every_route_for_every_role(town: Town) -> None:
    console, own, foreign, logins = town
    wrong: list[str] = []

    def tell(role: Role, kind: str, path: str, got: int, wanted: object) -> None:
        wrong.append(f"{role} {kind} {path}: {got}, not {wanted}")

    for role, login in logins.items():
        browser, program = console.browser(login), console.program(login, "read" if role is Role.AUDITOR else "write")
        for _, kind, each in declared():
            may = role in each.roles
            of_creditor = any(f"{{{name}}}" in each.path for name in OWNERS)
            for things, foreign_one in ((own, False), (foreign, True)):
                path = each.path.format(**things)
                if foreign_one and not of_creditor:
                    continue
                answers = (
                    [browser.get(path) if role is Role.AUDITOR else program.post(f"/api/v1{path}", {})]
                    if isinstance(each, Act)
                    else [
                        browser.get(path),
                        program.get(f"/api/v1{path}"),
                        *([browser.get(f"{path}.csv")] if isinstance(each, Listing) else ()),
                    ]
                )
                for answer in answers:
                    status = answer.status_code
                    if not may and status != 403:
                        tell(role, kind, path, status, 403)
                    elif may and foreign_one and status != 404:
                        tell(role, kind, path, status, 404)
                    elif may and not foreign_one and status not in SEEN and not _nothing_there(each, status):
                        tell(role, kind, path, status, f"one of {sorted(SEEN)}")
    assert not wrong, "\n".join(wrong)


def _nothing_there(each: object, status: int) -> bool:
    """Of what hangs on no creditor there need be no example: then it is not found by who may, either. A message is not
    both a mail and a letter, and the words of one of ours here are not kept."""
    path = getattr(each, "path", "")
    if (isinstance(each, Paper) and status == 404) or (status == 502 and getattr(each, "outside", False)):
        return True
    if isinstance(each, Act) and each.outside and status in (502, 503):  # no Prefect runs here
        return True
    return status == 404 and any(f"{{{name}}}" in path for name in FREE if name != "login")


def test_lists_hold_nothing_of_others(town: Town) -> None:
    console, _, _, logins = town
    for _, _, each in declared():
        if not isinstance(each, Listing) or each.creditor is None:
            continue
        role = next(iter(each.roles))
        browser = console.browser(logins[role])
        assert browser.get(f"{each.path}.csv", creditor="NL2").status_code == 422, each.path
        assert "NL2" not in browser.get(f"{each.path}.csv").text, each.path
    hooks = console.program(logins[Role.ADMINISTRATOR]).get("/api/v1/webhooks").json()["items"]
    told = [console.browser(logins[Role.AUDITOR]).get(f"/api/v1/webhooks/{each['hook_id']}").json() for each in hooks]
    assert sorted(len(each["deliveries"]) for each in told) == [0, 1], "what happened at the other creditor is not told"
