"""An invoice without proof of receipt at D−10 is sent again before it is late (rule 29)."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import EvidenceKind
from maatpak.ledger.tables import Action, ActionItem, ItemVersion, Message, WorkTask
from maatpak.ledger.versions import succeed
from policies.reach import Learned
from tasks.evidence import note_evidence
from tasks.preferences import mark_address, set_contact, set_preference
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

AGAIN = "invoice_again"


def ahead(house: House, count: int) -> date:
    """A date that many working days from the house's, which is D of what is due then."""
    return add_working_days(house.day, count, "NL")


@pytest.fixture
def told(house: House) -> int:
    """A customer of a ledger that tells how it sends invoices; another's invoice shows it."""
    other = house.debtor("O1")
    house.item(other, "O-1", 1_000, ahead(house, 18), invoice_sent_on=date(2026, 1, 5), invoice_channel="email")
    return house.debtor("R1")


def sent(house: House, case_id: int) -> list[tuple[date, list[str]]]:
    """When invoices were sent again, and which."""
    names = {item_id: document for document, item_id in house.items.items()}
    found = []
    for action in house.rows(Action, case_id=case_id, step=AGAIN):
        named = [names[row.item_id] for row in house.rows_of(ActionItem) if row.action_id == action.id]
        found.append((action.business_date, sorted(named)))
    return found


def play(house: House, days: int) -> Script:
    script = Script(house, calling=False)
    for _ in range(days):
        script.day()
    return script


SENDINGS: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing is said": ({}, True),
    "how, not when": ({"invoice_channel": "email"}, True),
    "by mail": ({"invoice_sent_on": -20, "invoice_channel": "email"}, False),
    "by post": ({"invoice_sent_on": -20, "invoice_channel": "post"}, False),
    "through a portal": ({"invoice_sent_on": -20, "invoice_channel": "portal"}, False),
    "when, not how": ({"invoice_sent_on": -20}, False),
    "the ledger sends it before D−10": ({"invoice_sent_on": 1, "invoice_channel": "email"}, False),
    "only long after it": ({"invoice_sent_on": 9, "invoice_channel": "email"}, True),
}
"""What the ledger says, days counted from today on, and whether the invoice goes again."""


def test_what_was_not_sent_goes_ten_working_days_before_its_date(house: House) -> None:
    due = ahead(house, 12)
    cases = {}
    for number, (case, (sending, _)) in enumerate(SENDINGS.items()):
        sending = dict(sending)
        if "invoice_sent_on" in sending:
            sending["invoice_sent_on"] = add_working_days(house.day, sending["invoice_sent_on"], "NL")
        cases[case] = house.debtor(f"S{number}")
        issued_on = add_working_days(house.day, -25, "NL")
        house.item(cases[case], f"S-{number}", 90_000, due, issued_on=issued_on, **sending)
    script = play(house, 1)
    assert not any(sent(house, case_id) for case_id in cases.values()), "eleven working days before"
    script.day()
    day = add_working_days(due, -10, "NL")
    expected = {
        case: [(day, [f"S-{number}"])] if again else [] for number, (case, (_, again)) in enumerate(SENDINGS.items())
    }
    assert {case: sent(house, case_id) for case, case_id in cases.items()} == expected
    for _ in range(9):
        script.day()
    assert {case: sent(house, case_id) for case, case_id in cases.items()} == expected, "once"
    numbers = {case_id: f"S{number}" for number, case_id in enumerate(cases.values())}
    for action in house.rows(Action, step=AGAIN):
        assert (action.state, action.written, action.round_id) == ("executed", False, None)
        message = house.row(Message, case_id=action.case_id, template=AGAIN)
        assert (message.channel, message.written) == ("email", False)
        assert message.recipient == f"{numbers[action.case_id]}@example.test"


def test_a_ledger_that_does_not_tell_how_it_sends_gets_no_copies(house: House) -> None:
    case_id = house.debtor("R1")
    house.item(case_id, "R-1", 90_000, ahead(house, 8))
    play(house, 7)
    assert sent(house, case_id) == []


def test_a_fresh_invoice_has_three_days_to_leave(house: House, told: int) -> None:
    tomorrow = ahead(house, 1)
    house.item(told, "R-1", 90_000, ahead(house, 8), issued_on=tomorrow)
    play(house, 3)
    assert sent(house, told) == []
    play(house, 1)
    assert sent(house, told) == [(add_working_days(tomorrow, 3, "NL"), ["R-1"])]


@pytest.mark.parametrize(("channel", "back", "again"), [("email", 3, True), ("post", 3, False), ("email", -3, False)])
def test_an_invoice_whose_mail_came_back_goes_again(
    house: House, told: int, channel: str, back: int, again: bool
) -> None:
    """`back`: working days after the sending on which the address turned out dead."""
    sent_on = add_working_days(house.day, -3, "NL")
    house.item(told, "R-1", 90_000, ahead(house, 5), invoice_sent_on=sent_on, invoice_channel=channel)
    if back > 0:
        with house.desk("olga") as desk:
            mark_address(desk, desk.case(told), "email", "R1@example.test", Learned.GONE, "bounced")
    play(house, 2)
    assert [documents for _, documents in sent(house, told)] == ([["R-1"]] if again else [])
    channels = [message.channel for message in house.rows(Message, case_id=told, template=AGAIN)]
    assert channels == (["post"] if again else []), "not to the address that is dead"


def test_all_such_invoices_of_a_case_go_in_one_message(house: House, told: int) -> None:
    for number, days in (("R-1", 11), ("R-2", 11), ("R-3", 9), ("R-4", 13)):
        house.item(told, number, 10_000, ahead(house, days))
    house.item(told, "R-5", 10_000, ahead(house, 9), invoice_sent_on=house.day, invoice_channel="email")
    first = ahead(house, 1)
    play(house, 5)
    assert sent(house, told) == [(first, ["R-1", "R-2", "R-3"]), (add_working_days(first, 2, "NL"), ["R-4"])]
    assert len(house.rows(Message, case_id=told, template=AGAIN)) == 2


def test_it_goes_while_another_invoice_is_chased(house: House, told: int) -> None:
    house.item(told, "R-1", 50_000, date(2026, 1, 30), invoice_sent_on=date(2026, 1, 2), invoice_channel="email")
    house.item(told, "R-2", 60_000, ahead(house, 12))
    play(house, 8)
    assert [documents for _, documents in sent(house, told)] == [["R-2"]]
    assert house.rows(Action, case_id=told, step="reminder", state="executed"), "the round went on"


@pytest.mark.stage("calling")
def test_it_goes_while_a_call_waits(house: House, case_id: int, call_task: WorkTask, told: int) -> None:
    house.item(case_id, "R-2", 60_000, ahead(house, 12))
    play(house, 3)
    assert house.row(WorkTask, id=call_task.id).state == "open"
    assert [documents for _, documents in sent(house, case_id)] == [["R-2"]]


@pytest.mark.parametrize("covered", ["disputed", "paid"])
def test_what_is_settled_or_disputed_is_not_sent_again(house: House, told: int, covered: str) -> None:
    more: dict[str, Any] = {"disputed_amount": 90_000} if covered == "disputed" else {}
    house.item(told, "R-1", 90_000, ahead(house, 8), **more)
    if covered == "paid":
        house.pay("R-1", ahead(house, 1))
    play(house, 4)
    assert sent(house, told) == []


def test_it_goes_to_who_takes_invoices(house: House, told: int) -> None:
    house.item(told, "R-1", 90_000, ahead(house, 8))
    with house.desk("olga") as desk:
        debtor = desk.debtor(desk.case(told).debtor_id)
        set_contact(desk, debtor, "Ina", "invoice", email="ina@example.test")
        set_contact(desk, debtor, "Pam", "payables", email="pam@example.test")
    play(house, 1)
    assert house.row(Message, case_id=told, template=AGAIN).recipient == "ina@example.test"


def test_without_an_address_somebody_looks_for_one_and_then_it_goes(house: House, told: int) -> None:
    lost = house.debtor("L1", email=None, street=None, city=None)
    house.item(lost, "L-1", 90_000, ahead(house, 12))
    script = play(house, 3)
    (action,) = house.rows(Action, case_id=lost, step=AGAIN)
    assert (action.state, action.reason) == ("failed", "no_address")
    assert house.rows(Message, case_id=lost) == []
    assert [task.subject for task in house.rows(WorkTask, case_id=lost, kind="repair")] == [
        "No message can reach the customer: find an address."
    ]
    with house.desk("olga") as desk:
        set_contact(desk, desk.debtor(desk.case(lost).debtor_id), "Leo", "invoice", email="leo@example.test")
    script.day()
    assert [message.recipient for message in house.rows(Message, case_id=lost)] == ["leo@example.test"]


def test_the_copy_that_comes_back_is_not_sent_a_third_time(house: House, told: int) -> None:
    house.item(told, "R-1", 90_000, ahead(house, 12))
    script = play(house, 2)
    message = house.row(Message, case_id=told, template=AGAIN)
    with house.desk("olga", 13) as desk:
        note_evidence(desk, message.message_ref, EvidenceKind.BOUNCED, "mail")
    for _ in range(5):
        script.day()
    assert len(sent(house, told)) == 1
    assert house.rows(WorkTask, case_id=told, kind="repair")


def test_the_ledger_says_in_time_that_it_was_sent(house: House, told: int) -> None:
    house.item(told, "R-1", 90_000, ahead(house, 12))
    play(house, 1)
    with house.engine.database.session() as session:
        version = session.exec(
            select(ItemVersion).where(ItemVersion.item_id == house.items["R-1"], col(ItemVersion.replaced_at).is_(None))
        ).one()
        tomorrow = ahead(house, 1)
        succeed(session, version, tomorrow, at(tomorrow, 5), invoice_sent_on=tomorrow, invoice_channel="email")
    play(house, 5)
    assert sent(house, told) == []


def test_who_takes_invoices_through_a_portal_has_not_got_a_mail(house: House, told: int) -> None:
    with house.desk("olga") as desk:
        set_preference(desk, desk.debtor(desk.case(told).debtor_id), "portal", "Ariba")
    sending: dict[str, Any] = {"invoice_sent_on": date(2026, 1, 5)}
    house.item(told, "R-1", 90_000, ahead(house, 8), **sending, invoice_channel="portal")
    house.item(told, "R-2", 90_000, ahead(house, 8), **sending, invoice_channel="email")
    play(house, 1)
    assert [documents for _, documents in sent(house, told)] == [["R-2"]]
